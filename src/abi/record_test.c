/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading records: a good one, what is said of bad ones, and that no bytes at all do harm. */
#define _GNU_SOURCE /* memfd_create */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cmocka_all.h"
#include "record.h"
#include "rng.h"

/* A file without a disk: thousands are written. */
static int memory = -1;
static char path[64];
static const char *fixture_name;
static char *text; /* the fixture */
static size_t length;

static void put(const void *bytes, size_t size)
{
	assert_int_equal(ftruncate(memory, 0), 0);
	assert_int_equal(pwrite(memory, bytes, size, 0), size);
}

/* Loads what put() wrote; the message without the file's name. */
static json_t *load(char why[300])
{
	char said[400] = "";
	json_t *record = abi_record_load(path, said, sizeof(said));

	why[0] = '\0';
	if (record == NULL) {
		assert_int_equal(strncmp(said, path, strlen(path)), 0);
		snprintf(why, 300, "%s", said + strlen(path) + 2);
		assert_true(strlen(why) > 0);
	}
	return record;
}

static json_t *fixture(void)
{
	char why[300];
	json_t *record;

	put(text, length);
	record = load(why);
	assert_string_equal(why, "");
	return record;
}

static void good_one(void **state)
{
	json_t *record = fixture();
	struct hvc_settings settings;

	(void)state;
	/* 6.13: there is no profile of it, but one of the kernel before. */
	assert_string_equal(abi_profile_name(abi_record_profile(record)), "linux-6.12@1");
	abi_profile_settings(abi_record_profile(record), &settings);
	assert_int_equal(settings.regs[HVC_REG_WORKAROUND_1], 0);
	abi_record_apply(record, &settings);
	assert_int_equal(settings.regs[HVC_REG_WORKAROUND_1], 2);
	assert_int_equal(settings.regs[HVC_REG_WORKAROUND_2], 3);
	assert_int_equal(settings.regs[HVC_REG_WORKAROUND_3], 1);
	assert_int_equal(settings.regs[HVC_REG_STD_BMAP], 1);
	settings.regs[HVC_REG_WORKAROUND_2] = settings.regs[HVC_REG_WORKAROUND_3] = 0;
	settings.reg_count = HVC_REG_WORKAROUND_2;
	abi_record_apply(record, &settings);
	assert_int_equal(settings.regs[HVC_REG_WORKAROUND_2], 0);
	json_decref(record);
}

/* Written again, a record is the same, and the text is the fixture's. */
static void written_again(void **state)
{
	json_t *record = fixture();
	char *again = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&again, &size);

	(void)state;
	assert_non_null(file);
	assert_true(abi_json_write(file, record));
	fclose(file);
	assert_string_equal(again, text);
	free(again);
	json_decref(record);
}

static void profiles_of_kernels(void **state)
{
	static const char *const kernels[][2] = {
		{"5.10.0-32-cloud-arm64", "linux-5.10@1"},
		{"6.12", "linux-6.12@1"},
		{"6.15.3", "linux-6.12@1"},
		{"6.2.0", "linux-6.1@1"},
		{"7.99.1", "linux-7.3@1"},
		{"5.9.1", NULL},
		{"linux", NULL},
		{"99999999999999999999.1", NULL},
	};
	json_t *record = fixture();

	(void)state;
	for (size_t i = 0; i < sizeof(kernels) / sizeof(kernels[0]); i++) {
		const struct abi_profile *profile;

		json_object_set_new(json_object_get(record, "host"), "kernel",
				    json_string(kernels[i][0]));
		profile = abi_record_profile(record);
		if (kernels[i][1] == NULL) {
			assert_null(profile);
		} else {
			assert_string_equal(abi_profile_name(profile), kernels[i][1]);
		}
	}
	json_decref(record);
}

/* The fixture with one piece of text in place of another. */
static char *replaced(const char *from, const char *to)
{
	const char *at = strstr(text, from);
	char *out = NULL;

	assert_non_null(at);
	assert_true(asprintf(&out, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from)) > 0);
	return out;
}

static void bad_ones(void **state)
{
	static const struct {
		const char *from, *to, *why;
	} cases[] = {
		{"\"hvcgate-record\": 1", "\"hvcgate-record\": 2",
		 "unknown format; the newest this hvcgate knows is 1"},
		{"\"hvcgate-record\": 1", "\"hvcgate-recorb\": 1",
		 "no ABI record: there is no 'hvcgate-record' in it"},
		{"\"made-by\"", "\"made\"", "unknown member 'made'"},
		{"  \"capabilities\": {\"KVM_CAP_ARM_PSCI\": 1, \"KVM_CAP_ARM_PSCI_0_2\": 1},\n",
		 "", "the member 'capabilities' is missing"},
		{"\"page-size\": 4096", "\"page-size\": \"4096\"",
		 "host.page-size: is no integer, or out of range"},
		{"\"emulated\": \"yes\"", "\"emulated\": true",
		 "host.emulated: is not \"yes\", \"no\" or \"unknown\""},
		{"\"midr\": \"0x410fd0f0\"", "\"midr\": \"0x410FD0F0\"",
		 "host.cpu.midr: is no number such as \"0x1f\", or too wide"},
		{"\"midr\": \"0x410fd0f0\"", "\"midr\": \"0x00\"",
		 "host.cpu.midr: is no number such as \"0x1f\", or too wide"},
		{"\"midr\": \"0x410fd0f0\"", "\"midr\": \"0x10000000000000000\"",
		 "host.cpu.midr: is no number such as \"0x1f\", or too wide"},
		{"KVM_CAP_ARM_PSCI_0_2\": 1", "PSCI\": 1",
		 "capabilities: 'PSCI' is no capability's name"},
		{"\"value\": \"0x123456789abcdef0123456789abcdef0\"",
		 "\"value\": \"0x123456789abcdef0123456789abcdef01\"",
		 "registers[1].value: is no number such as \"0x1f\", or too wide"},
		{"\"0x6040000000100054\"", "\"0x6030000000100000\"",
		 "registers[1]: '0x6030000000100000' stands there twice"},
		{", \"error\": \"EPERM\"", "", "registers[2]: has not either 'value' or 'error'"},
		{"\"EPERM\"", "\"eperm\"",
		 "registers[2].error: is not \"0\" and no error such as \"EINVAL\""},
		{"\"accepted\": [\"0.2\", \"1.0\"", "\"accepted\": [\"0.2\", 1.0",
		 "firmware[0].accepted[1]: is no version such as \"1.1\""},
		{"\"0x6030000000140001\"", "\"0x6030000000140007\"",
		 "firmware[1]: 0x6030000000140007 is not the ID of WORKAROUND_1"},
		{"\"value\": \"0x2\"", "\"value\": \"0x3\"",
		 "firmware[1]: 0x3 is no level of WORKAROUND_1"},
		{"\"value\": \"0x3\"", "\"value\": \"0x2\"",
		 "firmware[2]: 0x2 is no level of WORKAROUND_2"},
		{", \"legal-bits\": \"0x1\"", "", "firmware[4]: STD_BMAP wants 'legal-bits'"},
		{"\"last\": \"0x8000ffff\"", "\"last\": \"0x7\"",
		 "filter.reserved[0]: ends before it begins"},
		{"\"EEXIST\"", "\"-17\"",
		 "filter.checks[1].error: is not \"0\" and no error such as \"EINVAL\""},
		{"\"name\": \"default\"", "\"name\": \"first\"",
		 "configurations[0]: the first configuration is not 'default'"},
		{"\"call\": \"SMCCC_VERSION\"", "\"call\": \"SMCCC_VERSIOM\"",
		 "answers[0]: unknown function 'SMCCC_VERSIOM'; a newer hvcgate's?"},
		{"\"id\": \"0x80000000\"", "\"id\": \"0x0\"",
		 "answers[0]: 0x0 is no ID of SMCCC_VERSION"},
		{"\"hvc\": [\"default\", \"0.1\"]", "\"hvc\": [\"default\", \"0.2\"]",
		 "answers[0].results[0].hvc[1]: is no configuration's name"},
		{"\"hvc\": [\"0.1\"]", "\"hvc\": [\"default\"]",
		 "answers[1].results[1].hvc[0]: this configuration has another result, too"},
		{"\"smc\": [\"default\", \"0.1\"]", "\"smc\": [\"default\", \"*\"]",
		 "answers[0].results[0].smc[1]: is no configuration's name"},
		{"\"hvc\": [\"0.1\"]", "\"hvc\": [\"*\"]",
		 "answers[1].results[1].hvc: a configuration has another result, too"},
		{"\"outcome\": \"off\"", "\"outcome\": \"gone\"",
		 "answers[1].results[1].outcome: is none of: event N, exit N, error NAME, off, waits, lost"},
		{"\"varies\", \"varies\"", "\"varies\"",
		 "answers[6].results[0].x: has 3 elements; from 4 to 4 are right"},
		{"\"zero-x1-x3\"", "\"zero-x4\"",
		 "quirks: unknown quirk 'zero-x4'; a newer hvcgate's?"},
		{"\"seen\": \"no\"", "\"seen\": \"maybe\"",
		 "quirks.smc-unknown.seen: is not \"yes\", \"no\" or \"unknown\""},
		{"\"how\": \"all zero\"", "\"how\": \"all\\u0007zero\"",
		 "quirks.zero-x1-x3.how: has characters that are not printable ASCII"},
		{"\"how\": \"all zero\"", "\"seen\": \"no\"",
		 "line 137, column 40: duplicate object key near '\"seen\"'"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *bad = replaced(cases[i].from, cases[i].to);
		char why[300];

		put(bad, strlen(bad));
		assert_null(load(why));
		assert_string_equal(why, cases[i].why);
		free(bad);
	}
}

static void no_record_at_all(void **state)
{
	static const char *const texts[] = {"", "\n", "[]", "null", "1", "{}", "{", "\xff", "[[[["};
	char why[300];
	char *big;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		put(texts[i], strlen(texts[i]));
		assert_null(load(why));
	}
	assert_null(abi_record_load("/nowhere/record.json", why, sizeof(why)));
	assert_string_equal(why, "/nowhere/record.json: cannot be read: No such file or directory");
	assert_null(abi_record_load("/", why, sizeof(why)));
	assert_string_equal(why, "/: is no file");
	assert_null(abi_record_load("/dev/null", why, sizeof(why)));
	big = calloc(1, (4u << 20) + 1);
	assert_non_null(big);
	memset(big, ' ', (4u << 20) + 1);
	put(big, (4u << 20) + 1);
	assert_null(load(why));
	assert_string_equal(why, "is larger than 4 MiB");
	/* Nesting without end. */
	memset(big, '[', 4u << 20);
	put(big, 4u << 20);
	assert_null(load(why));
	free(big);
	/* A buffer too small, and none. */
	put("{}", 2);
	memset(why, 'x', sizeof(why));
	assert_null(abi_record_load(path, why, 5));
	assert_int_equal(why[4], '\0');
	assert_int_equal(why[5], 'x');
	assert_null(abi_record_load(path, NULL, 0));
}

static void every_truncation(void **state)
{
	char why[300];

	(void)state;
	/* The last byte is a newline. */
	for (size_t n = 0; n + 1 < length; n++) {
		put(text, n);
		assert_null(load(why));
	}
}

static void random_bytes(void **state)
{
	char *bad = malloc(length);
	struct rng seed = {20261122};

	(void)state;
	assert_non_null(bad);
	for (unsigned int n = 0; n < 4000; n++) {
		char why[300];
		json_t *record;

		memcpy(bad, text, length);
		for (uint32_t k = 1 + rng_below(&seed, 4); k != 0; k--) {
			bad[rng_below(&seed, (uint32_t)length)] = (char)rng_next(&seed);
		}
		put(bad, length);
		record = load(why);
		if (record != NULL) {
			struct hvc_settings settings;

			hvc_settings_init(&settings);
			abi_record_apply(record, &settings);
			abi_record_profile(record);
			json_decref(record);
		}
	}
	free(bad);
}

/* Every value of the tree in turn becomes one of another kind. */
struct place {
	json_t *parent;
	const char *key;
	size_t index;
};

static void put_there(const struct place *place, json_t *value)
{
	if (place->key != NULL) {
		json_object_set(place->parent, place->key, value);
	} else {
		json_array_set(place->parent, place->index, value);
	}
}

static void try_place(json_t *root, const struct place *place, json_t *old)
{
	static const char *const others[] = {"null",  "true", "-1", "1e300", "\"\"",
					     "\"x\"", "[]",   "{}", "[[]]",  "{\"a\": 1}"};

	json_incref(old);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		json_t *other = json_loads(others[i], JSON_DECODE_ANY, NULL);
		char why[300], *changed = NULL;
		size_t size = 0;
		json_t *record;
		FILE *file;

		put_there(place, other);
		file = open_memstream(&changed, &size);
		assert_non_null(file);
		assert_true(abi_json_write(file, root));
		fclose(file);
		put(changed, size);
		free(changed);
		record = load(why);
		/* Free text may be any, an empty list may do. */
		if (record != NULL && !json_is_string(old) && !json_is_array(old) &&
		    !json_is_object(old)) {
			fail_msg("%s taken for %s", others[i], place->key);
		}
		json_decref(record);
		json_decref(other);
	}
	put_there(place, old);
	json_decref(old);
}

static void walk(json_t *root, json_t *node)
{
	const char *key;
	json_t *value;
	void *next;
	size_t i;

	json_object_foreach_safe(node, next, key, value)
	{
		struct place place = {.parent = node, .key = key};

		walk(root, value);
		try_place(root, &place, value);
	}
	json_array_foreach(node, i, value)
	{
		struct place place = {.parent = node, .index = i};

		walk(root, value);
		try_place(root, &place, value);
	}
}

static void every_value_of_another_kind(void **state)
{
	json_t *root = fixture();

	(void)state;
	walk(root, root);
	json_decref(root);
}

static int enter(void **state)
{
	FILE *file = fopen(fixture_name, "rb");

	(void)state;
	memory = memfd_create("record", MFD_CLOEXEC);
	if (file == NULL || memory < 0) {
		return -1;
	}
	text = calloc(1, 65536);
	if (text == NULL) {
		return -1;
	}
	length = fread(text, 1, 65535, file);
	fclose(file);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", memory);
	return 0;
}

static int leave(void **state)
{
	(void)state;
	free(text);
	return close(memory);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_one),
		cmocka_unit_test(written_again),
		cmocka_unit_test(profiles_of_kernels),
		cmocka_unit_test(bad_ones),
		cmocka_unit_test(no_record_at_all),
		cmocka_unit_test(every_truncation),
		cmocka_unit_test(random_bytes),
		cmocka_unit_test(every_value_of_another_kind),
	};

	if (argc != 2) {
		fprintf(stderr, "usage: %s FIXTURE\n", argv[0]);
		return 2;
	}
	fixture_name = argv[1];
	return cmocka_run_group_tests(tests, enter, leave);
}
