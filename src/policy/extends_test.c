/* SPDX-License-Identifier: BSD-2-Clause */
/* extends: what wins, and every way a chain can be wrong. Files that cannot be read. */
#define _XOPEN_SOURCE 700
#include "policy_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void expect(const char *name, enum hvc_err err, const char *messages)
{
	struct hvc_policy *policy;
	char *said;

	assert_int_equal(test_load(name, &policy, &said), err);
	assert_string_equal(said, messages);
	free(said);
	hvc_policy_free(policy);
}

/* Child scalars replace, child rules come before. */
static void child_wins(void **state)
{
	struct hvc_policy *policy;
	char *said;

	(void)state;
	test_write(
		"base.yaml",
		"hvcgate: 1\npsci: \"1.0\"\nsmccc: \"1.1\"\nservices: {trng: off, pv-time: off}\n"
		"rules:\n  - deny: PSCI_CPU_ON\n  - deny: PSCI_CPU_OFF\n");
	test_write("child.yaml",
		   "hvcgate: 1\nextends: base.yaml\npsci: \"1.1\"\nservices: {trng: on}\n"
		   "rules:\n  - handle: PSCI_CPU_ON\n");
	assert_int_equal(test_load("child.yaml", &policy, &said), HVC_OK);
	/* The parent's rule that the child overrides is no finding. */
	assert_string_equal(said, "");
	assert_int_equal(hvc_policy_settings(policy)->regs[HVC_REG_PSCI_VERSION], 0x10001);
	assert_int_equal(hvc_policy_settings(policy)->smccc_version, 0x10001);
	assert_int_equal(hvc_policy_settings(policy)->regs[HVC_REG_STD_BMAP], 1);
	assert_int_equal(hvc_policy_settings(policy)->regs[HVC_REG_STD_HYP_BMAP], 0);
	assert_int_equal(hvc_policy_match(policy, 0x84000003).action, HVC_HANDLE);
	assert_string_equal(hvc_policy_match(policy, 0x84000003).rule->file, "child.yaml");
	assert_int_equal(hvc_policy_match(policy, 0x84000002).action, HVC_DENY);
	assert_string_equal(hvc_policy_match(policy, 0x84000002).rule->file, "base.yaml");
	assert_int_equal(hvc_policy_match(policy, 0x84000002).rule->number, 3);
	free(said);
	hvc_policy_free(policy);
}

/* base <- left, right <- child: the later parent wins, and base is taken once. */
static void diamond(void **state)
{
	struct hvc_policy *policy;

	(void)state;
	test_write("base.yaml", "hvcgate: 1\npsci: \"1.0\"\nrules:\n  - deny: PSCI_CPU_ON\n");
	test_write(
		"left.yaml",
		"hvcgate: 1\nextends: [base.yaml]\npsci: \"1.1\"\nrules:\n  - deny: {service: trng}\n");
	test_write("right.yaml",
		   "hvcgate: 1\nextends: [base.yaml]\nrules:\n  - handle: TRNG_RND\n");
	test_write("child.yaml", "hvcgate: 1\nextends: [left.yaml, right.yaml]\n");
	assert_int_equal(test_load("child.yaml", &policy, NULL), HVC_OK);
	assert_int_equal(hvc_policy_settings(policy)->regs[HVC_REG_PSCI_VERSION], 0x10001);
	assert_int_equal(hvc_policy_rule_count(policy), 3);
	assert_string_equal(hvc_policy_match(policy, 0x84000053).rule->file, "right.yaml");
	assert_string_equal(hvc_policy_match(policy, 0x84000050).rule->file, "left.yaml");
	assert_string_equal(hvc_policy_match(policy, 0x84000003).rule->file, "base.yaml");
	hvc_policy_free(policy);
}

/* Relative to the file that names it, not to where we are. */
static void relative(void **state)
{
	struct hvc_policy *policy;

	(void)state;
	assert_int_equal(mkdir("sub", 0700), 0);
	test_write("sub/base.yaml", "hvcgate: 1\npsci: \"1.0\"\n");
	test_write("sub/child.yaml", "hvcgate: 1\nextends: base.yaml\n");
	test_write("top.yaml", "hvcgate: 1\nextends: sub/child.yaml\n");
	assert_int_equal(test_load("top.yaml", &policy, NULL), HVC_OK);
	assert_int_equal(hvc_policy_settings(policy)->regs[HVC_REG_PSCI_VERSION], 0x10000);
	hvc_policy_free(policy);
}

static void circles(void **state)
{
	(void)state;
	test_write("a.yaml", "hvcgate: 1\nextends: b.yaml\n");
	test_write("b.yaml", "hvcgate: 1\nextends: [c.yaml]\n");
	test_write("c.yaml", "hvcgate: 1\nextends: ./a.yaml\n");
	expect("a.yaml", HVC_EINVAL,
	       "c.yaml:2:10: error: extends goes in a circle: a.yaml -> b.yaml -> c.yaml -> ./a.yaml; remove one of them\n");
}

static void depth(void **state)
{
	char name[40], text[80];

	(void)state;
	for (unsigned int i = 0; i < 12; i++) {
		snprintf(name, sizeof(name), "d%u.yaml", i);
		snprintf(text, sizeof(text), "hvcgate: 1\n%sd%u.yaml\n",
			 i < 11 ? "extends: " : "# ", i + 1);
		test_write(name, text);
	}
	expect("d3.yaml", HVC_OK, ""); /* eight parents */
	expect("d2.yaml", HVC_EINVAL,
	       "d10.yaml:2:10: error: extends goes more than 8 files deep: d2.yaml -> d3.yaml -> d4.yaml -> d5.yaml -> "
	       "d6.yaml -> d7.yaml -> d8.yaml -> d9.yaml -> d10.yaml -> d11.yaml\n");
}

static void errors_of_parents(void **state)
{
	(void)state;
	test_write("base.yaml", "hvcgate: 1\npsci: 1.0\n");
	test_write("child.yaml", "hvcgate: 1\nextends: [base.yaml, gone.yaml]\nsmcc: \"1.1\"\n");
	expect("child.yaml", HVC_EIO,
	       "2:22: error: cannot read 'gone.yaml': No such file or directory\n"
	       "3:1: error: unknown key 'smcc' in a policy; did you mean 'smccc'?\n"
	       "base.yaml:2:7: error: a bare 1.0 is a number to YAML; write psci: \"1.0\"\n");
}

/* In one file it would be an error; over files it is what extending is for. */
static void no_contradiction_over_files(void **state)
{
	struct hvc_policy *policy;

	(void)state;
	test_write("base.yaml", "hvcgate: 1\nservices: {trng: off, kvm-vendor: off}\n");
	test_write(
		"child.yaml",
		"hvcgate: 1\nextends: base.yaml\nregisters: {STD_BMAP: [trng]}\nservices: {ptp: on}\n");
	assert_int_equal(test_load("child.yaml", &policy, NULL), HVC_OK);
	assert_int_equal(hvc_policy_settings(policy)->regs[HVC_REG_STD_BMAP], 1);
	assert_int_equal(hvc_policy_settings(policy)->regs[HVC_REG_VENDOR_HYP_BMAP], 2);
	hvc_policy_free(policy);
}

static void many_files(void **state)
{
	char name[40];
	FILE *child = fopen("child.yaml", "w");
	struct hvc_policy *policy;
	char *said;

	(void)state;
	assert_non_null(child);
	fputs("hvcgate: 1\nextends:\n", child);
	for (unsigned int i = 0; i < 70; i++) {
		snprintf(name, sizeof(name), "m%u.yaml", i);
		test_write(name, "hvcgate: 1\n");
		fprintf(child, "  - %s\n", name);
	}
	fclose(child);
	assert_int_equal(test_load("child.yaml", &policy, &said), HVC_EINVAL);
	assert_non_null(strstr(said, "66:5: error: extends more than 64 files\n"));
	free(said);
}

static void unreadable(void **state)
{
	(void)state;
	assert_int_equal(mkfifo("fifo", 0600), 0);
	expect("nowhere.yaml", HVC_EIO,
	       "error: cannot read 'nowhere.yaml': No such file or directory\n");
	expect(".", HVC_EIO, "error: cannot read '.': it is a directory, not a file\n");
	expect("fifo", HVC_EIO, "error: cannot read 'fifo': it is a pipe, not a file\n");
	expect("/dev/zero", HVC_EIO,
	       "error: cannot read '/dev/zero': it is a device, not a file\n");
}

static void not_text(void **state)
{
	(void)state;
	test_write("p.yaml", "hvcgate: 1\n# \xc3\xa9 is fine, \xff is not\n");
	expect("p.yaml", HVC_EINVAL,
	       "2:14: error: byte 0xff is not UTF-8; save the file as UTF-8 text\n");
	test_write("p.yaml", "\xff\xfeh\n"); /* UTF-16 */
	expect("p.yaml", HVC_EINVAL,
	       "1:1: error: byte 0xff is not UTF-8; save the file as UTF-8 text\n");
	test_write("p.yaml", "# \xed\xa0\x80\n"); /* a surrogate */
	expect("p.yaml", HVC_EINVAL,
	       "1:3: error: byte 0xed is not UTF-8; save the file as UTF-8 text\n");
	test_write("p.yaml", "# \xc0\x80\n"); /* too long a form of NUL */
	expect("p.yaml", HVC_EINVAL,
	       "1:3: error: byte 0xc0 is not UTF-8; save the file as UTF-8 text\n");
}

/* A sparse file: large, and nothing to store. */
static void too_large(void **state)
{
	(void)state;
	test_write("p.yaml", "hvcgate: 1\n");
	assert_int_equal(truncate("p.yaml", 17 << 20), 0);
	expect("p.yaml", HVC_EINVAL,
	       "error: 'p.yaml' is larger than 16 MiB, the most a policy file may be\n");
}

static void too_many_values(void **state)
{
	FILE *file = fopen("p.yaml", "w");

	(void)state;
	assert_non_null(file);
	fputs("hvcgate: 1\nrules: [", file);
	for (unsigned int i = 0; i < 1100000; i++) {
		fputs("a,", file);
	}
	fclose(file);
	expect("p.yaml", HVC_EINVAL,
	       "2:1999999: error: more than 1000000 values in one policy; use ranges\n");
}

static void too_many_errors(void **state)
{
	FILE *file = fopen("p.yaml", "w");
	struct hvc_policy *policy;
	char *said;

	(void)state;
	assert_non_null(file);
	fputs("hvcgate: 1\nrules:\n", file);
	for (unsigned int i = 0; i < 1000; i++) {
		fputs("  - deny: zebra\n", file);
	}
	fclose(file);
	assert_int_equal(test_load("p.yaml", &policy, &said), HVC_EINVAL);
	assert_non_null(
		strstr(said, ":11: error: too many errors: only the first 100 are shown\n"));
	free(said);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(child_wins),
		cmocka_unit_test(diamond),
		cmocka_unit_test(relative),
		cmocka_unit_test(circles),
		cmocka_unit_test(depth),
		cmocka_unit_test(errors_of_parents),
		cmocka_unit_test(no_contradiction_over_files),
		cmocka_unit_test(many_files),
		cmocka_unit_test(unreadable),
		cmocka_unit_test(not_text),
		cmocka_unit_test(too_large),
		cmocka_unit_test(too_many_values),
		cmocka_unit_test(too_many_errors),
	};

	return cmocka_run_group_tests(tests, test_enter, test_leave);
}
