/* SPDX-License-Identifier: BSD-2-Clause */
/* What good policies mean: settings, matches, precedence, images. */
#include "policy_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALLOW_VITAL "  - handle: [PSCI_VERSION, PSCI_CPU_ON, PSCI_SYSTEM_OFF, PSCI_SYSTEM_RESET]\n"

static void built_in(void **state)
{
	struct hvc_settings defaults;
	struct hvc_policy *policy;

	(void)state;
	assert_int_equal(test_load(NULL, &policy, NULL), HVC_OK);
	hvc_settings_init(&defaults);
	memcpy(defaults.policy_sha256, hvc_policy_sha256(policy), 32);
	assert_memory_equal(hvc_policy_settings(policy), &defaults, sizeof(defaults));
	assert_string_equal(hvc_policy_path(policy), "(built-in)");
	assert_string_equal(hvc_policy_profile(policy), "hvcgate-1@1");
	assert_int_equal(hvc_policy_match(policy, 0x84000000).action, HVC_HANDLE);
	assert_true(hvc_policy_match(policy, 0x80000000).reserved);
	assert_true(hvc_policy_match(policy, 0xc000ffff).reserved);
	assert_false(hvc_policy_match(policy, 0xc0010000).reserved);
	/* In the catalogue, and denied by default (design: engine, "Services"). */
	assert_int_equal(hvc_policy_match(policy, 0x84000063).action, HVC_DENY);
	assert_int_equal(hvc_policy_match(policy, 0x84000063).service, HVC_SERVICE_FF_A);
	assert_int_equal(hvc_policy_match(policy, 0x46000001).service, HVC_SERVICE_HYPER_V);
	assert_int_equal(hvc_policy_match(policy, 0xffffffff).action, HVC_HANDLE);
	hvc_policy_free(policy);
}

static void settings(void **state)
{
	struct hvc_policy *policy = test_policy(
		"hvcgate: 1\nprofile: hvcgate-1@1\nstrictness: spec\ndiscovery: coherent\n"
		"smccc: \"1.5\"\npsci: \"1.3\"\n"
		"identity: {uid: \"00112233-4455-6677-8899-aabbccddeeff\"}\n"
		"workaround-4: available\nsystem-suspend: off\n"
		"soc-id: {version: 0x043b0002, revision: 3}\n"
		"services: {trng: off, ptp: off}\n"
		"registers:\n  WORKAROUND_1: available\n  WORKAROUND_2: not-required\n"
		"  WORKAROUND_3: 2\n  VENDOR_HYP_BMAP_2: 0x1\n");
	const struct hvc_settings *s = hvc_policy_settings(policy);

	(void)state;
	assert_int_equal(s->smccc_version, 0x10005);
	assert_int_equal(s->regs[HVC_REG_PSCI_VERSION], 0x10003);
	assert_int_equal(s->vendor_uid_present, 1);
	assert_int_equal(s->vendor_uid[0], 0x33221100);
	assert_int_equal(s->vendor_uid[3], 0xffeeddcc);
	assert_int_equal(s->workaround_4, 1);
	assert_int_equal(s->system_suspend, 0);
	assert_int_equal(s->soc_id_present, 1);
	assert_int_equal(s->soc_version, 0x043b0002);
	assert_int_equal(s->soc_revision, 3);
	assert_int_equal(s->regs[HVC_REG_WORKAROUND_1], 1);
	assert_int_equal(s->regs[HVC_REG_WORKAROUND_2], 3);
	assert_int_equal(s->regs[HVC_REG_WORKAROUND_3], 2);
	assert_int_equal(s->regs[HVC_REG_STD_BMAP], 0);
	assert_int_equal(s->regs[HVC_REG_VENDOR_HYP_BMAP], 1);
	assert_int_equal(s->regs[HVC_REG_VENDOR_HYP_BMAP_2], 1);
	hvc_policy_free(policy);
}

static void no_identity(void **state)
{
	struct hvc_policy *policy = test_policy(
		"hvcgate: 1\nidentity: none\nservices: {kvm-vendor: off}\n");
	const struct hvc_settings *s = hvc_policy_settings(policy);

	(void)state;
	assert_int_equal(s->vendor_uid_present, 0);
	assert_int_equal(s->regs[HVC_REG_VENDOR_HYP_BMAP], 0);
	assert_int_equal(s->regs[HVC_REG_VENDOR_HYP_BMAP_2], 0);
	hvc_policy_free(policy);
}

/* JSON is YAML. */
static void json(void **state)
{
	struct hvc_policy *policy = test_policy(
		"{\"hvcgate\": 1, \"psci\": \"1.0\", \"services\": {\"trng\": false},\n"
		" \"rules\": [{\"deny\": [\"PSCI_CPU_ON/32\", {\"range\": \"0x82000000-0x820000ff\"}]}]}\n");

	(void)state;
	assert_int_equal(hvc_policy_settings(policy)->regs[HVC_REG_PSCI_VERSION], 0x10000);
	assert_int_equal(hvc_policy_match(policy, 0x84000003).action, HVC_DENY);
	assert_int_equal(hvc_policy_match(policy, 0xc4000003).action, HVC_HANDLE);
	assert_int_equal(hvc_policy_match(policy, 0x82000080).action, HVC_DENY);
	hvc_policy_free(policy);
}

static void crlf_and_mark(void **state)
{
	struct hvc_policy *policy = test_policy("\xef\xbb\xbfhvcgate: 1\r\npsci: \"1.0\"\r\n");

	(void)state;
	assert_int_equal(hvc_policy_settings(policy)->regs[HVC_REG_PSCI_VERSION], 0x10000);
	hvc_policy_free(policy);
}

/* First match wins; an owner is all four kinds of call; overlap is legal. */
static void precedence(void **state)
{
	struct hvc_policy *policy = test_policy("hvcgate: 1\nrules:\n"
						"  - handle: KVM_VENDOR_UID\n"
						"  - deny: {owner: vendor-hyp}\n"
						"  - deny: {range: 0x86000000-0x8700ffff}\n");
	struct hvc_match match = hvc_policy_match(policy, 0x8600ff01);

	(void)state;
	assert_int_equal(match.action, HVC_HANDLE);
	assert_int_equal(match.rule->number, 1);
	assert_int_equal(match.rule->line, 3);
	assert_string_equal(match.rule->target, "KVM_VENDOR_UID");
	assert_int_equal(hvc_policy_match(policy, 0x8600ff00).rule->number, 2);
	assert_int_equal(hvc_policy_match(policy, 0x06000000).rule->number, 2);
	assert_int_equal(hvc_policy_match(policy, 0x46ffffff).rule->number, 2);
	assert_int_equal(hvc_policy_match(policy, 0xc6123456).rule->number, 2);
	assert_int_equal(hvc_policy_match(policy, 0x87000000).rule->number, 3);
	assert_null(hvc_policy_match(policy, 0x87010000).rule);
	assert_null(hvc_policy_match(policy, 0x85ffffff).rule);
	assert_true(hvc_policy_rule(policy, 1)->claimed == 4ull << 24);
	assert_true(hvc_policy_rule(policy, 1)->decided == (4ull << 24) - 1);
	assert_true(hvc_policy_rule(policy, 2)->claimed == (1ull << 24) + 65536);
	assert_true(hvc_policy_rule(policy, 2)->decided == 65536);
	assert_null(hvc_policy_rule(policy, 3));
	assert_true(hvc_policy_rule_names(policy, 1, 0x8600ff01));
	assert_false(hvc_policy_rule_names(policy, 0, 0x8600ff00));
	hvc_policy_free(policy);
}

static void trusted_os(void **state)
{
	struct hvc_policy *policy = test_policy(
		"hvcgate: 1\nrules: [{deny: {owner: trusted-os}}]\n");

	(void)state;
	assert_null(hvc_policy_match(policy, 0x31ffffff).rule);
	assert_non_null(hvc_policy_match(policy, 0x32000000).rule);
	assert_non_null(hvc_policy_match(policy, 0xffffffff).rule);
	assert_non_null(hvc_policy_match(policy, 0x3f000000).rule);
	assert_null(hvc_policy_match(policy, 0x40000000).rule);
	hvc_policy_free(policy);
}

static void deny_default(void **state)
{
	struct hvc_policy *policy = test_policy_warned(
		"hvcgate: 1\ndefault: deny\nrules:\n" ALLOW_VITAL "  - handle: {service: trng}\n");

	(void)state;
	assert_int_equal(hvc_policy_match(policy, 0x84000000).action, HVC_HANDLE);
	assert_int_equal(hvc_policy_match(policy, 0xc4000053).action, HVC_HANDLE);
	assert_int_equal(hvc_policy_match(policy, 0x84000001).action, HVC_DENY);
	assert_int_equal(hvc_policy_match(policy, 0x12345678).action, HVC_DENY);
	assert_true(hvc_policy_match(policy, 0x80001234).reserved);
	assert_int_equal(hvc_policy_match(policy, 0x80010000).action, HVC_DENY);
	hvc_policy_free(policy);
}

static void forward_default(void **state)
{
	struct hvc_policy *policy = test_policy_warned(
		"hvcgate: 1\ndefault: {forward: a}\nservices: {tee: off}\n"
		"handlers: {a: {socket: /run/a}}\n");

	(void)state;
	/* Services off by default go where everything goes; one that the file turns off does not. */
	assert_int_equal(hvc_policy_match(policy, 0x84000063).action, HVC_FORWARD);
	assert_int_equal(hvc_policy_match(policy, 0xb2000000).action, HVC_DENY);
	hvc_policy_free(policy);
}

/* A service without a register is off by rule, behind the file's rules. */
static void psci_off(void **state)
{
	struct hvc_policy *policy = test_policy(
		"hvcgate: 1\nservices: {psci: off}\nrules:\n  - handle: PSCI_SYSTEM_OFF\n");

	(void)state;
	assert_int_equal(hvc_policy_match(policy, 0x84000000).action, HVC_DENY);
	assert_int_equal(hvc_policy_match(policy, 0x84000000).service, HVC_SERVICE_PSCI);
	assert_int_equal(hvc_policy_match(policy, 0x84000008).action, HVC_HANDLE);
	hvc_policy_free(policy);
}

static void why(void **state)
{
	struct hvc_policy *policy = test_policy(
		"hvcgate: 1\nidentity: none\nservices: {trng: off}\nrules:\n  - deny: KVM_PTP\n");
	struct hvc_outcome outcome = {
		.id = 0x86000001, .fn = HVC_FN_KVM_PTP, .decider = HVC_BY_RULE};
	char text[100], tiny[5];

	(void)state;
	assert_string_equal(hvc_policy_why(policy, &outcome, text, sizeof(text)),
			    "rule 1 at line 5");
	assert_string_equal(hvc_policy_why(policy, &outcome, tiny, sizeof(tiny)), "rule");
	outcome = (struct hvc_outcome){
		.id = 0x84000063, .fn = HVC_FN_FFA_VERSION, .decider = HVC_BY_DEFAULT};
	assert_string_equal(hvc_policy_why(policy, &outcome, text, sizeof(text)),
			    "service ff-a is off");
	outcome = (struct hvc_outcome){
		.id = 0x84000050, .fn = HVC_FN_TRNG_VERSION, .decider = HVC_BY_FEATURE};
	assert_string_equal(hvc_policy_why(policy, &outcome, text, sizeof(text)),
			    "feature register STD_BMAP has bit 0 (trng) off");
	assert_string_equal(hvc_policy_absent(policy, HVC_FN_KVM_VENDOR_UID), "identity is none");
	assert_null(hvc_policy_absent(policy, HVC_FN_PSCI_VERSION));
	assert_null(hvc_policy_absent(policy, 0));
	assert_null(hvc_policy_absent(policy, 100000));
	hvc_policy_free(policy);
}

/* DESIGN section 4: a typical policy in 16 KiB. */
static void image_size(void **state)
{
	struct hvc_policy *policy = test_policy_warned(
		"hvcgate: 1\nrules:\n  - deny: [PSCI_SYSTEM_SUSPEND, PSCI_SYSTEM_RESET2/64]\n  - handle: KVM_VENDOR_UID\n"
		"  - deny: {owner: vendor-hyp}\n  - deny: {range: 0x82000000-0x8200ffff}\n  - forward: {service: ff-a}\n"
		"    to: ffa\nhandlers: {ffa: {socket: /run/ffa}}\n");
	struct hvc_diags *diags = hvc_diags_new();
	struct hvc_image *image;

	(void)state;
	assert_int_equal(hvc_policy_compile(policy, &image, diags), HVC_OK);
	assert_int_equal(hvc_image_check(image, image->bytes), HVC_OK);
	assert_memory_equal(image->settings.policy_sha256, hvc_policy_sha256(policy), 32);
	assert_true(image->bytes <= 16384);
	print_message("image of a typical policy: %u bytes\n", image->bytes);
	free(image);
	hvc_diags_free(diags);
	hvc_policy_free(policy);
}

/* A rule in each of many blocks of 256 IDs: no image, and the worst of them named. */
static void too_big(void **state)
{
	struct hvc_policy *policy;
	struct hvc_diags *diags = hvc_diags_new();
	struct hvc_image *image;
	FILE *file = fopen("p.yaml", "w");

	(void)state;
	assert_non_null(file);
	fputs("hvcgate: 1\nrules:\n  - deny: {range: 0x83000000-0x83000001}\n  - handle: [", file);
	for (unsigned int i = 0; i < 20000; i++) {
		fprintf(file, "{range: 0x%x-0x%x}, ", 0x82000000 + i * 0x300,
			0x82000004 + i * 0x300);
	}
	fputs("]\n", file);
	fclose(file);
	assert_int_equal(test_load("p.yaml", &policy, NULL), HVC_OK);
	assert_int_equal(hvc_policy_compile(policy, &image, diags), HVC_E2BIG);
	assert_null(image);
	assert_string_equal(
		hvc_diags_at(diags, 0)->message,
		"the image would be larger than 8 MiB; rule 2 cuts 20000 blocks of 256 IDs: use wider "
		"ranges, aligned to 256");
	assert_int_equal(hvc_diags_at(diags, 0)->line, 4);
	hvc_diags_free(diags);
	hvc_policy_free(policy);
}

/* A message shows what the file says, but is no way to a terminal. */
static void harmless(void **state)
{
	struct hvc_policy *policy;
	struct hvc_diags *diags = hvc_diags_new();
	FILE *file = fopen("p.yaml", "w");

	(void)state;
	assert_non_null(file);
	fputs("hvcgate: 1\nprofile: \"\\e[31m\\x07 \\x9b2J \xc3\xa9\\n\"\npsci: \"", file);
	for (unsigned int i = 0; i < 3000; i++) {
		fputs("\xc3\xa9", file);
	}
	fputs("\"\n", file);
	fclose(file);
	assert_int_equal(hvc_policy_load("p.yaml", &policy, diags), HVC_EINVAL);
	assert_non_null(
		strstr(hvc_diags_at(diags, 0)->message, "profile '?[31m? ??2J \xc3\xa9?';"));
	assert_true(strlen(hvc_diags_at(diags, 1)->message) <= 2003);
	assert_non_null(strstr(hvc_diags_at(diags, 1)->message, "\xc3\xa9..."));
	hvc_diags_free(diags);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(built_in),
		cmocka_unit_test(settings),
		cmocka_unit_test(no_identity),
		cmocka_unit_test(json),
		cmocka_unit_test(crlf_and_mark),
		cmocka_unit_test(precedence),
		cmocka_unit_test(trusted_os),
		cmocka_unit_test(deny_default),
		cmocka_unit_test(forward_default),
		cmocka_unit_test(psci_off),
		cmocka_unit_test(why),
		cmocka_unit_test(image_size),
		cmocka_unit_test(too_big),
		cmocka_unit_test(harmless),
	};

	return cmocka_run_group_tests(tests, test_enter, test_leave);
}
