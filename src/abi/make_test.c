/* SPDX-License-Identifier: BSD-2-Clause */
/* Profiles made of records: what goes in, what stays out, which records do not go together. */
#include <stdio.h>
#include <string.h>

#include "cmocka_all.h"
#include "make.h"

static const char *path; /* the record of linux-6.12 */

static json_t *load(void)
{
	char why[300] = "";
	json_t *record = abi_record_load(path, why, sizeof(why));

	assert_string_equal(why, "");
	return record;
}

/* What is made of one or two records, without where it is from; why not, else. */
static json_t *make_of(json_t *first, json_t *second, char why[200])
{
	json_t *records[2] = {first, second};
	struct make make = {.name = "linux-6.12",
			    .revision = 1,
			    .records = records,
			    .count = second != NULL ? 2 : 1,
			    .made_from = json_array(),
			    .why = why,
			    .size = 200};
	json_t *profile = abi_profile_make(&make);

	json_decref(make.made_from);
	assert_true((profile != NULL) != (why[0] != '\0'));
	return profile;
}

static json_t *member(json_t *record, const char *part, const char *key, size_t index)
{
	json_t *value = json_object_get(record, part);

	value = json_is_array(value) ? json_array_get(value, index) : value;
	value = key != NULL ? json_object_get(value, key) : value;
	assert_non_null(value);
	return value;
}

/* What the library has is what the record makes. */
static void as_compiled_in(void **state)
{
	char why[200] = "";
	json_t *record = load(), *made = make_of(record, NULL, why);
	json_t *table = json_loads(abi_profile_json(abi_profile_find("linux-6.12")), 0, NULL);

	(void)state;
	json_object_del(made, "made-from");
	json_object_del(table, "made-from");
	json_object_del(made, "revision");
	json_object_del(table, "revision");
	assert_true(json_equal(made, table));
	json_decref(made);
	json_decref(table);
	json_decref(record);
}

/* Another machine, the same kernel. */
static void the_hosts_part_stays_out(void **state)
{
	char why[200] = "";
	json_t *first = load(), *second = load();
	json_t *alone = make_of(first, NULL, why), *both;

	(void)state;
	json_object_set_new(member(second, "host", "cpu", 0), "midr", json_string("0x410fd0f0"));
	json_object_set_new(member(second, "firmware", NULL, HVC_REG_WORKAROUND_1), "value",
			    json_string("0x0"));
	json_array_remove(json_object_get(second, "registers"), 7);
	json_object_clear(json_object_get(second, "capabilities"));
	both = make_of(first, second, why);
	assert_true(json_equal(both, alone));
	json_decref(both);
	json_decref(alone);
	json_decref(first);
	json_decref(second);
}

static void quirk(json_t *record, const char *name, const char *seen)
{
	json_object_set_new(member(record, "quirks", name, 0), "seen", json_string(seen));
}

static bool lists(const json_t *profile, const char *key, const char *name)
{
	const json_t *array = json_object_get(profile, key);

	for (size_t i = 0; i < json_array_size(array); i++) {
		if (strcmp(json_string_value(json_array_get(array, i)), name) == 0) {
			return true;
		}
	}
	return false;
}

static void quirks_of_two(void **state)
{
	char why[200] = "";
	json_t *first = load(), *second = load(), *made;

	(void)state;
	quirk(first, "any-entry", "unknown"); /* the other says yes */
	quirk(second, "reply-any", "unknown");
	quirk(first, "on-at-once", "unknown"); /* both */
	quirk(second, "on-at-once", "unknown");
	quirk(first, "suspend-waits", "no"); /* both */
	quirk(second, "suspend-waits", "no");
	json_object_del(json_object_get(first, "quirks"), "zero-x1-x3"); /* an older record */
	json_object_del(json_object_get(first, "quirks"), "mpidr-masked");
	json_object_del(json_object_get(second, "quirks"), "mpidr-masked");
	made = make_of(first, second, why);
	assert_string_equal(why, "");
	assert_true(lists(made, "quirks", "any-entry"));
	assert_true(lists(made, "quirks", "reply-any"));
	assert_true(lists(made, "quirks", "zero-x1-x3"));
	assert_false(lists(made, "quirks", "on-at-once"));
	assert_true(lists(made, "not-measured", "on-at-once"));
	assert_false(lists(made, "quirks", "suspend-waits"));
	assert_false(lists(made, "not-measured", "suspend-waits"));
	assert_false(lists(made, "not-measured", "mpidr-masked"));
	json_decref(made);
	quirk(second, "suspend-waits", "yes");
	assert_null(make_of(first, second, why));
	assert_string_equal(why, "one record has quirk suspend-waits, another has not");
	json_decref(first);
	json_decref(second);
}

/* Functions are there if some configuration got anything but NOT_SUPPORTED, or did not come back. */
static void functions_by_answers(void **state)
{
	char why[200] = "";
	json_t *record = load(), *answers = json_object_get(record, "answers"), *answer, *made;
	json_t *no = json_loads("[{\"x\": [\"0xffffffffffffffff\", \"0x0\", \"0x0\", \"0x0\"], "
				"\"hvc\": [\"*\"], \"smc\": [\"*\"]}]",
				0, NULL);
	json_t *off = json_loads("[{\"outcome\": \"off\", \"hvc\": [\"*\"], \"smc\": []}]", 0,
				 NULL);
	size_t i;

	(void)state;
	json_array_foreach(answers, i, answer)
	{
		const char *call = json_string_value(json_object_get(answer, "call"));

		if (strcmp(call, "KVM_PTP") == 0) {
			json_object_set(answer, "results", no);
		} else if (strcmp(call, "PSCI_CPU_FREEZE") == 0) {
			json_object_set(answer, "results", off);
		}
	}
	made = make_of(record, NULL, why);
	assert_false(lists(made, "functions", "KVM_PTP"));
	assert_true(lists(made, "functions", "KVM_FEATURES"));
	assert_true(lists(made, "functions", "PSCI_CPU_FREEZE"));
	json_decref(made);
	json_decref(no);
	json_decref(off);
	json_decref(record);
}

static void assert_refused(json_t *first, json_t *second, const char *wanted)
{
	char why[200] = "";

	assert_null(make_of(first, second, why));
	assert_string_equal(why, wanted);
}

static void refused(void **state)
{
	json_t *first = load(), *second = load(), *host = json_object_get(second, "host");

	(void)state;
	json_object_set_new(host, "kernel", json_string("6.1.12"));
	assert_refused(second, NULL, "a record of 6.1.12 makes no linux-6.12");
	json_object_set_new(host, "kernel", json_string("6.121.0"));
	assert_refused(second, NULL, "a record of 6.121.0 makes no linux-6.12");
	json_object_set_new(host, "kernel", json_string("6.12"));
	json_object_set_new(json_object_get(second, "filter"), "supported", json_string("no"));
	assert_refused(first, second, "the records disagree in 'filter'");
	json_decref(second);

	second = load();
	json_array_remove(json_object_get(second, "firmware"), 2);
	assert_refused(
		second, NULL,
		"feature register 2 is WORKAROUND_3, and this hvcgate knows WORKAROUND_2 there");
	json_decref(second);

	second = load();
	json_array_remove(json_object_get(second, "answers"), 0);
	assert_refused(second, NULL, "SMCCC_VERSION has no answer that is a version");
	json_decref(second);
	json_decref(first);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_compiled_in), cmocka_unit_test(the_hosts_part_stays_out),
		cmocka_unit_test(quirks_of_two),  cmocka_unit_test(functions_by_answers),
		cmocka_unit_test(refused),
	};

	if (argc != 2) {
		fprintf(stderr, "usage: %s RECORD\n", argv[0]);
		return 2;
	}
	path = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
