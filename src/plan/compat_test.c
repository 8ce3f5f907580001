/* SPDX-License-Identifier: BSD-2-Clause */
/* Moves between kernels as they were measured with QEMU under emulation, against what is foretold. */
#define _GNU_SOURCE /* memfd_create */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <hvcgate/policy.h>

#include "cmocka_all.h"
#include "compat.h"
#include "moves.h"
#include "rng.h"

#define ARRAY    "Failed to load cpu:cpreg_vmstate_array_len"
#define LOADING  "error while loading state for instance 0x0 of device 'cpu'"
#define INVALID  "load of migration failed: Invalid argument"
#define PUTTING  "Failed to put registers after init: Invalid argument"
#define UNKNOWN  "in the incoming stream but unknown on the destination: fail migration"
#define PMMIR_ID "system register op0:3 op1:0 crn:9 crm:14 op2:6"

#define PSCI     0x6030000000140000ull
#define BMAP2    0x6030000000160003ull
#define PMMIR    0x603000000013c4f6ull
#define MMFR2    0x603000000013c03aull

/* What the machine of the measurement had and the records' has not. */
enum { AS_IS, OTHER_MMFR2, PSCI_1_1 = 2 };

static const struct move {
	const char *vmm, *from, *to;
	unsigned int change; /* of the source, or'ed */
	size_t hidden;       /* of {PMMIR, BMAP2} */
	enum compat_need need;
	const char
		*says[4]; /* the first lines, to the end if it is one that fails; none: it loads */
} moves[] = {
	{"qemu-10.0", "linux-6.12", "linux-6.12", AS_IS, 0, COMPAT_NOTHING, {NULL}},
	{"qemu-10.0",
	 "linux-7.3",
	 "linux-6.1",
	 AS_IS,
	 0,
	 COMPAT_IMPOSSIBLE,
	 {"Invalid value 267 expecting positive value <= 251", ARRAY, LOADING, INVALID}},
	{"qemu-7.2",
	 "linux-7.3",
	 "linux-6.1",
	 AS_IS,
	 0,
	 COMPAT_IMPOSSIBLE,
	 {"Invalid value 267 expecting positive value <= 251", ARRAY, LOADING, INVALID}},
	{"qemu-10.0",
	 "linux-7.3",
	 "linux-6.18",
	 AS_IS,
	 0,
	 COMPAT_SOURCE,
	 {"Invalid value 267 expecting positive value <= 266", ARRAY, LOADING, INVALID}},
	{"qemu-10.0",
	 "linux-6.12",
	 "linux-6.1",
	 AS_IS,
	 0,
	 COMPAT_IMPOSSIBLE,
	 {"Invalid value 268 expecting positive value <= 251", ARRAY, LOADING, INVALID}},
	{"qemu-10.0",
	 "linux-6.12",
	 "linux-7.3",
	 AS_IS,
	 0,
	 COMPAT_DESTINATION,
	 {"Invalid value 268 expecting positive value <= 267", ARRAY, LOADING, INVALID}},
	{"qemu-10.0",
	 "linux-7.3",
	 "linux-6.12",
	 OTHER_MMFR2,
	 0,
	 COMPAT_IMPOSSIBLE,
	 {LOADING, PUTTING}},
	{"qemu-10.0",
	 "linux-6.18",
	 "linux-6.12",
	 OTHER_MMFR2,
	 0,
	 COMPAT_IMPOSSIBLE,
	 {LOADING, PUTTING}},
	{"qemu-10.0", "linux-6.1", "linux-6.12", AS_IS, 0, COMPAT_IMPOSSIBLE, {LOADING, PUTTING}},
	{"qemu-10.0", "linux-6.1", "linux-7.3", AS_IS, 0, COMPAT_NOTHING, {NULL}},
	{"qemu-7.2", "linux-6.1", "linux-7.3", AS_IS, 0, COMPAT_NOTHING, {NULL}},
	/* On neoverse-n1, whose ID registers are equal. */
	{"qemu-10.0",
	 "linux-7.3",
	 "linux-6.12",
	 AS_IS,
	 0,
	 COMPAT_SOURCE,
	 {LOADING, "load of migration failed: Operation not permitted"}},
	{"qemu-11.1", "linux-6.12", "linux-7.3", AS_IS, 0, COMPAT_NOTHING, {NULL}},
	{"qemu-11.1",
	 "linux-7.3",
	 "linux-6.18",
	 AS_IS,
	 0,
	 COMPAT_SOURCE,
	 {"handle_cpreg_only_in_incoming_stream: " PMMIR_ID " " UNKNOWN,
	  "load of migration failed: Invalid argument: ... post load hook failed for: cpu"}},
	{"qemu-11.1",
	 "linux-7.3",
	 "linux-6.12",
	 OTHER_MMFR2,
	 0,
	 COMPAT_IMPOSSIBLE,
	 {"handle_cpreg_only_in_incoming_stream: " PMMIR_ID " " UNKNOWN,
	  "Could not set register system register op0:3 op1:0 crn:0 crm:7 op2:2 to",
	  "Could not set register fw reg 0 to 10003 (is 10001)", PUTTING}},
	{"qemu-11.1",
	 "linux-7.3",
	 "linux-6.12",
	 OTHER_MMFR2 | PSCI_1_1,
	 0,
	 COMPAT_IMPOSSIBLE,
	 {"handle_cpreg_only_in_incoming_stream: " PMMIR_ID " " UNKNOWN,
	  "Could not set register system register op0:3 op1:0 crn:0 crm:7 op2:2 to", PUTTING}},
	/* A Neoverse N1's: no ID register differs from 6.12 on. */
	{"qemu-10.0",
	 "linux-7.3-neoverse-n1",
	 "linux-6.12-neoverse-n1",
	 AS_IS,
	 0,
	 COMPAT_SOURCE,
	 {LOADING, "load of migration failed: Operation not permitted"}},
	{"qemu-10.0",
	 "linux-7.3-neoverse-n1",
	 "linux-6.18-neoverse-n1",
	 AS_IS,
	 0,
	 COMPAT_SOURCE,
	 {"Invalid value 257 expecting positive value <= 256", ARRAY, LOADING, INVALID}},
	{"qemu-10.0",
	 "linux-6.12-neoverse-n1",
	 "linux-7.3-neoverse-n1",
	 AS_IS,
	 0,
	 COMPAT_DESTINATION,
	 {"Invalid value 258 expecting positive value <= 257", ARRAY, LOADING, INVALID}},
	/* Not measured: it follows from how QEMU goes through the list, whose last BMAP_2 is. */
	{"qemu-10.0", "linux-6.18", "linux-6.12", PSCI_1_1, 0, COMPAT_NOTHING, {NULL}},
	/* With an interposer at the source. */
	{"qemu-10.0", "linux-7.3", "linux-6.18", AS_IS, 1, COMPAT_NOTHING, {NULL}},
	{"qemu-10.0", "linux-7.3", "linux-6.12", PSCI_1_1, 2, COMPAT_NOTHING, {NULL}},
};

static struct compat_host *host(const char *name)
{
	char why[400] = "";
	struct compat_host *opened = compat_host_open(name, why, sizeof(why));

	if (opened == NULL) {
		fail_msg("%s: %s", name, why);
	}
	return opened;
}

static void set(struct compat_host *host, uint64_t id, uint64_t value)
{
	struct compat_register *reg = (struct compat_register *)(uintptr_t)compat_find(host, id);

	assert_non_null(reg);
	reg->value = value;
}

/* Lines of a result that are no warnings. */
static const char *line(const struct compat_result *result, size_t n)
{
	for (uint32_t i = 0; i < result->says_count; i++) {
		if (strncmp(result->says[i], "warning:", 8) != 0 && n-- == 0) {
			return result->says[i];
		}
	}
	return NULL;
}

static void check_move(const struct move *move)
{
	static const uint64_t hidden[] = {PMMIR, BMAP2};
	struct compat_options with = {
		.vmm = move->vmm, .hidden = hidden, .hidden_count = move->hidden};
	struct compat_host *from = host(move->from), *to = host(move->to);
	struct compat_result *result;
	size_t n = 0;

	if (move->change & OTHER_MMFR2) {
		set(from, MMFR2, compat_find(from, MMFR2)->value ^ 1ull << 24);
	}
	if (move->change & PSCI_1_1) {
		set(from, PSCI, 0x10001);
	}
	result = compat_new(from, to, &with);
	assert_non_null(result);
	for (; n < 4 && move->says[n] != NULL; n++) {
		const char *said = line(result, n);

		if (said == NULL || strncmp(said, move->says[n], strlen(move->says[n])) != 0) {
			fail_msg("%s %s %s: '%s', not '%s'", move->vmm, move->from, move->to,
				 said != NULL ? said : "nothing", move->says[n]);
		}
	}
	assert_null(line(result, n));
	assert_int_equal(result->loads, n == 0);
	if (result->need != move->need) {
		fail_msg("%s %s %s: %s", move->vmm, move->from, move->to,
			 compat_need_name(result->need));
	}
	assert_int_equal(result->obstacle_count == 0, move->need == COMPAT_NOTHING);
	assert_true(result->all_compared);
	compat_free(result);
	compat_host_free(from);
	compat_host_free(to);
}

static void moves_as_measured(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
		check_move(&moves[i]);
	}
}

/* 15 registers that 6.1 does not know: 11 CCSIDR, PMMIR, three of the physical timer; BMAP_2 is tolerated. */
static void unknown_by_name(void **state)
{
	struct compat_host *from = host("linux-7.3"), *to = host("linux-6.1");
	struct compat_options with = {.vmm = "qemu-11.1"};
	struct compat_result *result = compat_new(from, to, &with);
	unsigned int unknown = 0;

	(void)state;
	for (size_t i = 0; line(result, i) != NULL; i++) {
		unknown += strstr(line(result, i), UNKNOWN) != NULL;
	}
	assert_int_equal(unknown, 15);
	compat_free(result);
	compat_host_free(from);
	compat_host_free(to);
}

/* A gate that is open, bits that are set: what was nothing is something. */
static void state_is_not_lost(void **state)
{
	static const uint64_t tcr2 = 0x603000000013c103, mmfr3 = 0x603000000013c03b;
	struct compat_host *old = host("linux-6.12"), *new = host("linux-7.3");
	struct compat_options with = {.vmm = "qemu-11.1"};
	struct compat_result *result;

	(void)state;
	set(old, mmfr3, 1);
	set(new, mmfr3, 1);
	result = compat_new(old, new, &with);
	assert_true(result->loads);
	assert_int_equal(result->need, COMPAT_IMPOSSIBLE);
	assert_int_equal(result->obstacles[0].from.id, tcr2);
	compat_free(result);
	set(new, mmfr3, 0);
	set(new, BMAP2, 1);
	result = compat_new(new, old, &with);
	assert_string_equal(line(result, 1),
			    "handle_cpreg_only_in_incoming_stream: fw feat reg 3 " UNKNOWN);
	compat_free(result);
	result = compat_new(new, old, NULL);
	assert_int_equal(result->obstacles[result->obstacle_count - 1].need, COMPAT_SOURCE);
	assert_string_equal(result->obstacles[result->obstacle_count - 1].line,
			    "show-registers: 7");
	compat_free(result);
	compat_host_free(old);
	compat_host_free(new);
}

/* Registers ascend, none twice; those of the PMU and of pointer authentication are where KVM has them. */
static void registers_of_features(void **state)
{
	(void)state;
	for (size_t n = 0; compat_record_name(n) != NULL; n++) {
		struct compat_host *one = host(compat_record_name(n));
		const struct compat_register *last = compat_find(one, 0x603000000013df5e);

		for (uint32_t i = 1; i < one->count; i++) {
			assert_true(one->registers[i - 1].id < one->registers[i].id);
		}
		assert_non_null(last);
		assert_string_equal(last->name, "PMEVCNTR30_EL0");
		assert_int_equal(compat_find(one, 0x603000000013c119) == NULL,
				 strstr(one->name, "a72") != NULL ||
					 strstr(one->name, "-n1") != NULL);
		compat_host_free(one);
	}
}

static void other_cpus(void **state)
{
	struct compat_host *from = host("linux-6.16"), *to = host("linux-6.12-cortex-a72");
	struct compat_result *result = compat_new(from, to, NULL);

	(void)state;
	assert_false(result->all_compared);
	for (uint32_t i = 0; i < result->obstacle_count; i++) {
		assert_true(result->obstacles[i].from.firmware);
	}
	compat_free(result);
	compat_host_free(from);
	compat_host_free(to);
}

static void names(void **state)
{
	static const char *const bad[] = {"linux-6.13", "linux-6.12@99", "linux-9.x", "linux-.x",
					  "linux-",     "nowhere.json",  "/",         ""};
	char why[400];
	struct compat_host *newest = host("linux-7.x"), *pinned = host("linux-6.12@1");

	(void)state;
	assert_string_equal(newest->name, "linux-7.3");
	assert_string_equal(pinned->name, "linux-6.12");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		why[0] = '\0';
		assert_null(compat_host_open(bad[i], why, sizeof(why)));
		assert_string_not_equal(why, "");
	}
	compat_host_free(newest);
	compat_host_free(pinned);
}

/* --- Policies. */
static struct hvc_policy *load(const char *text)
{
	struct hvc_diags *diags = hvc_diags_new();
	struct hvc_policy *policy = NULL;
	int memory = memfd_create("policy", MFD_CLOEXEC);
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", memory);
	assert_int_equal(write(memory, text, strlen(text)), strlen(text));
	if (hvc_policy_load(path, &policy, diags) != HVC_OK ||
	    hvc_diags_count(diags, HVC_WARNING) != 0) {
		fail_msg("%s\n%s", text, hvc_diags_at(diags, 0)->message);
	}
	close(memory);
	hvc_diags_free(diags);
	return policy;
}

/* Nothing that a policy can take away is left under it. */
static void check_fix(const char *source, const char *destination)
{
	struct compat_host *from = host(source), *to = host(destination);
	char *text = compat_fix(from, to);
	struct hvc_policy *policy = load(text);
	struct compat_options with = {.settings = hvc_policy_settings(policy)};
	struct compat_result *result;

	with.hidden = policy_hidden(policy, &with.hidden_count);
	result = compat_new(from, to, &with);
	for (uint32_t i = 0; i < result->obstacle_count; i++) {
		if (result->obstacles[i].line[0] != '\0') {
			fail_msg("%s to %s: %s still stands", source, destination,
				 result->obstacles[i].line);
		}
	}
	compat_free(result);
	hvc_policy_free(policy);
	free(text);
	compat_host_free(from);
	compat_host_free(to);
}

static void fixes_and_baselines(void **state)
{
	(void)state;
	for (size_t i = 0; compat_record_name(i) != NULL; i++) {
		for (size_t j = 0; compat_record_name(j) != NULL; j++) {
			struct compat_host *hosts[] = {host(compat_record_name(i)),
						       host(compat_record_name(j))};
			char *text = compat_baseline((const struct compat_host *const *)hosts, 2);

			hvc_policy_free(load(text));
			free(text);
			compat_host_free(hosts[0]);
			compat_host_free(hosts[1]);
			check_fix(compat_record_name(i), compat_record_name(j));
		}
	}
}

/* --- Records in hostile hands. */
static void use(const struct compat_host *one, const struct compat_host *two)
{
	for (size_t n = 0; compat_vmm(n) != NULL; n++) {
		struct compat_options with = {.vmm = compat_vmm(n)};
		const struct compat_host *hosts[] = {one, two};

		compat_free(compat_new(one, two, &with));
		compat_free(compat_new(two, one, &with));
		free(compat_fix(one, two));
		free(compat_baseline(hosts, 2));
	}
}

/* Registers of random IDs, kinds and values beside those of a kernel. */
static void random_registers(void **state)
{
	struct rng seed = {20261122};

	(void)state;
	for (unsigned int n = 0; n < 300; n++) {
		struct compat_host *one = host("linux-6.12"), *two = host("linux-7.3");

		for (uint32_t k = rng_below(&seed, 40); k != 0; k--) {
			struct compat_register *reg = &one->registers[rng_below(&seed, one->count)];

			reg->value ^= 1ull << rng_below(&seed, 64);
			reg->id ^= rng_below(&seed, 3) == 0 ? 1ull << rng_below(&seed, 64) : 0;
			reg->firmware ^= rng_below(&seed, 3) == 0;
			reg->bitmap ^= rng_below(&seed, 3) == 0;
			reg->accepted_count = rng_below(&seed, 33);
		}
		one->count = 1 + rng_below(&seed, one->count);
		use(one, two);
		compat_host_free(one);
		compat_host_free(two);
	}
}

static const char *record_name;

static void random_bytes(void **state)
{
	static char text[200000], bad[200000];
	FILE *file = fopen(record_name, "rb");
	int memory = memfd_create("record", MFD_CLOEXEC);
	struct compat_host *good = host("linux-6.12");
	struct rng seed = {7};
	unsigned int read = 0;
	char path[64], why[400];
	size_t length;

	(void)state;
	assert_non_null(file);
	length = fread(text, 1, sizeof(text), file);
	fclose(file);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", memory);
	for (unsigned int n = 0; n < 300; n++) {
		struct compat_host *opened;

		memcpy(bad, text, length);
		for (uint32_t k = rng_below(&seed, 3); k != 0; k--) {
			bad[rng_below(&seed, 20000)] =
				"0123456789abcdefx\"{,"[rng_below(&seed, 20)];
		}
		assert_int_equal(ftruncate(memory, 0), 0);
		assert_int_equal(pwrite(memory, bad, length, 0), length);
		opened = compat_host_open(path, why, sizeof(why));
		if (opened != NULL) {
			use(good, opened);
			compat_host_free(opened);
			read++;
		}
	}
	assert_in_range(read, 100, 299);
	compat_host_free(good);
	close(memory);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moves_as_measured),     cmocka_unit_test(unknown_by_name),
		cmocka_unit_test(state_is_not_lost),     cmocka_unit_test(other_cpus),
		cmocka_unit_test(registers_of_features), cmocka_unit_test(names),
		cmocka_unit_test(fixes_and_baselines),   cmocka_unit_test(random_registers),
		cmocka_unit_test(random_bytes),
	};

	if (argc != 2) {
		fprintf(stderr, "usage: %s RECORD\n", argv[0]);
		return 2;
	}
	record_name = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
