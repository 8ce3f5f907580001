/* SPDX-License-Identifier: BSD-2-Clause */
/* Plans of small policies, as they must be. tests/property/plan_test.c has the proof that plans do what they say. */
#define _XOPEN_SOURCE 700
#include "policy_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "allow.h"
#include "plan_internal.h"

static const char *records;

static struct hvc_plan *plan_on(const char *text, const char *host_name)
{
	struct hvc_policy *policy = test_policy_warned(text);
	struct hvc_plan_host host;
	struct hvc_plan *plan;
	char why[300];

	if (!hvc_plan_host_find(&host, host_name, why, sizeof(why))) {
		fail_msg("%s", why);
	}
	assert_int_equal(hvc_plan_make(policy, &host, &plan), HVC_OK);
	json_decref((json_t *)(uintptr_t)host.record);
	hvc_policy_free(policy); /* the plan keeps nothing of either */
	return plan;
}

/* "deny 0x84000012+1; forward ...". */
static void expect_ranges(const struct hvc_plan *plan, const char *expected)
{
	char text[2000] = "";
	size_t used = 0;

	for (size_t i = 0; i < plan->range_count; i++) {
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s 0x%08x-0x%08x\n",
					 hvc_action_name((enum hvc_action)plan->ranges[i].action),
					 plan->ranges[i].base,
					 plan->ranges[i].base + plan->ranges[i].count - 1);
	}
	assert_string_equal(text, expected);
}

static void expect_register(const struct hvc_plan *plan, unsigned int reg, uint64_t value)
{
	for (size_t i = 0; i < plan->register_count; i++) {
		if (plan->registers[i].reg == reg) {
			assert_int_equal(plan->registers[i].value, value);
			assert_int_equal(plan->registers[i].id, abi_register_id(reg));
			return;
		}
	}
	fail_msg("%s is not written", hvc_register_name(reg));
}

static const struct hvc_plan_limit *limit_of(const struct hvc_plan *plan, unsigned int allow)
{
	for (size_t i = 0; i < plan->limit_count; i++) {
		if (plan->limits[i].allow == allow) {
			return &plan->limits[i];
		}
	}
	return NULL;
}

#define KVM "hvcgate: 1\nprofile: linux-6.12\nstrictness: kvm\n"

/* The kernel as it is needs nothing. */
static void nothing(void **state)
{
	struct hvc_plan *plan = plan_on(KVM, "linux-6.12");

	(void)state;
	assert_int_equal(plan->register_count, 0);
	expect_ranges(plan, "");
	assert_int_equal(plan->forward_count, 0);
	assert_int_equal(plan->limit_count, 0);
	assert_int_equal(plan->differs, 0);
	assert_false(plan->refused);
	hvc_plan_free(plan);
}

/* A whole service is a register's bit, and discovery follows it: no range. */
static void service_off(void **state)
{
	struct hvc_plan *plan = plan_on(KVM "services: {trng: off, pv-time: off, ptp: off}\n",
					"linux-6.12");

	(void)state;
	assert_int_equal(plan->register_count, 3);
	expect_register(plan, HVC_REG_STD_BMAP, 0);
	expect_register(plan, HVC_REG_STD_HYP_BMAP, 0);
	expect_register(plan, HVC_REG_VENDOR_HYP_BMAP, 1);
	expect_ranges(plan, "");
	assert_int_equal(plan->limit_count, 0);
	hvc_plan_free(plan);
}

/* The same said by rules. */
static void rules_for_register(void **state)
{
	struct hvc_plan *plan = plan_on(
		KVM "rules: [{deny: {service: trng}}, {deny: {owner: std-hyp}}]\n", "linux-6.12");

	(void)state;
	expect_register(plan, HVC_REG_STD_BMAP, 0);
	expect_register(plan, HVC_REG_STD_HYP_BMAP, 0);
	expect_ranges(plan, "");
	assert_int_equal(plan->forward_count, 0);
	hvc_plan_free(plan);
}

/* One function of a service: a range, and the discovery that would still tell of it. */
static void one_function(void **state)
{
	struct hvc_plan *plan = plan_on(KVM "rules: [{deny: PSCI_SYSTEM_RESET2/64}]\n",
					"linux-6.12");

	(void)state;
	assert_int_equal(plan->register_count, 0);
	expect_ranges(plan, "forward 0x8400000a-0x8400000a\ndeny 0xc4000012-0xc4000012\n");
	assert_int_equal(plan->forward_count, 1);
	assert_int_equal(plan->forwards[0].fn, HVC_FN_PSCI_FEATURES);
	assert_int_equal(plan->forwards[0].why, PLAN_DISCOVERY);
	assert_int_equal(plan->forwards[0].first.x1, 0xc4000012);
	assert_int_equal(plan->forwards[0].first.x0, ~0ull);
	assert_int_equal(plan->forwards[0].first.kernel_x0, 0);
	hvc_plan_free(plan);
	/* Raw discovery does not look at rules. */
	plan = plan_on(KVM "discovery: raw\nrules: [{deny: PSCI_SYSTEM_RESET2/64}]\n",
		       "linux-6.12");
	expect_ranges(plan, "deny 0xc4000012-0xc4000012\n");
	hvc_plan_free(plan);
}

/* Half a service: ARCH_FEATURES cannot be forwarded. */
static void half_pv_time(void **state)
{
	struct hvc_plan *plan = plan_on(KVM "rules: [{deny: PV_TIME_FEATURES}]\n", "linux-6.12");
	const struct hvc_plan_limit *limit = limit_of(plan, ALLOW_ARCH_FEATURES);

	(void)state;
	expect_ranges(plan, "deny 0xc5000020-0xc5000020\n");
	assert_non_null(limit);
	assert_null(limit->since);
	assert_true(plan_set_has(&limit->told, HVC_FN_PV_TIME_FEATURES));
	assert_false(limit->allowed);
	assert_true(plan->refused);
	hvc_plan_free(plan);
	plan = plan_on(KVM "allow: arch-features\nrules: [{deny: PV_TIME_FEATURES}]\n",
		       "linux-6.12");
	assert_true(plan->limits[0].allowed);
	assert_false(plan->refused);
	hvc_plan_free(plan);
}

/* Ranges of a rule that forwards are whole, and keep out of the engine's two windows. */
static void forwarded(void **state)
{
	struct hvc_plan *plan = plan_on(KVM "discovery: raw\ndefault: {forward: h}\n"
					    "rules: [{handle: {range: 0x84000000-0x8400001f}},"
					    " {handle: {range: 0xc4000000-0xc400001f}}]\n"
					    "handlers: {h: {socket: /run/h}}\n",
					"linux-6.12");

	(void)state;
	expect_ranges(plan, "forward 0x00000000-0x7fffffff\n"
			    "forward 0x80010000-0x83ffffff\n"
			    "forward 0x84000020-0xbfffffff\n"
			    "forward 0xc0010000-0xc3ffffff\n"
			    "forward 0xc4000020-0xffffffff\n");
	hvc_plan_free(plan);
}

/* An allow-list: denied ranges are as wide as the rest allows, and none stands where nothing answers. */
static void allow_list(void **state)
{
	struct hvc_plan *plan = plan_on(
		KVM
		"discovery: raw\ndefault: deny\n"
		"rules: [{handle: [PSCI_VERSION, PSCI_CPU_ON, PSCI_SYSTEM_OFF, PSCI_SYSTEM_RESET,"
		" PSCI_FEATURES]}]\n",
		"linux-6.12");

	(void)state;
	expect_register(plan, HVC_REG_STD_BMAP, 0);
	expect_register(plan, HVC_REG_STD_HYP_BMAP, 0);
	expect_register(plan, HVC_REG_VENDOR_HYP_BMAP, 0);
	expect_ranges(plan, "deny 0x84000001-0x84000002\n"
			    "deny 0x84000004-0x84000007\n"
			    "deny 0x8400000b-0xbfffffff\n"
			    "deny 0xc0010000-0xc4000002\n"
			    "deny 0xc4000004-0xffffffff\n");
	hvc_plan_free(plan);
}

/* One range over all that nobody answers between two. */
static void joined(void **state)
{
	struct hvc_plan *plan = plan_on(
		KVM "discovery: raw\nrules: [{deny: [TRNG_RND/32, KVM_FEATURES]}]\n", "linux-6.12");

	(void)state;
	expect_ranges(plan, "deny 0x84000053-0x86000000\n");
	hvc_plan_free(plan);
	/* A call that is answered stands between. */
	plan = plan_on(KVM "discovery: raw\nrules: [{deny: [TRNG_GET_UUID, KVM_FEATURES]}]\n",
		       "linux-6.12");
	expect_ranges(plan, "deny 0x84000052-0x84000052\ndeny 0x86000000-0x86000000\n");
	hvc_plan_free(plan);
}

/* A newer PSCI than the kernel's: its newest, and the rest is the engine's. */
static void newer_psci(void **state)
{
	struct hvc_plan *plan = plan_on(
		"hvcgate: 1\nprofile: linux-7.3\nstrictness: kvm\npsci: \"1.3\"\n", "linux-5.10");

	(void)state;
	assert_non_null(limit_of(plan, ALLOW_NO_FILTER));
	assert_true(plan_set_has(&limit_of(plan, ALLOW_NO_FILTER)->answers, HVC_FN_PSCI_VERSION));
	assert_string_equal(limit_of(plan, ALLOW_NO_FILTER)->since, "6.4");
	assert_string_equal(limit_of(plan, ALLOW_SMC)->since, "6.4");
	assert_int_equal(plan->range_count + plan->forward_count, 0);
	assert_int_equal(plan->register_count, 0); /* 1.0 is what it has */
	hvc_plan_free(plan);
	plan = plan_on("hvcgate: 1\nprofile: linux-7.3\nstrictness: kvm\npsci: \"1.3\"\n",
		       "linux-6.12");
	assert_int_equal(plan->limit_count, 0);
	assert_int_equal(plan->forwards[0].fn, HVC_FN_PSCI_VERSION);
	assert_int_equal(plan->forwards[0].why, PLAN_DISCOVERY);
	hvc_plan_free(plan);
	plan = plan_on(KVM "psci: \"1.0\"\n", "linux-7.3");
	expect_register(plan, HVC_REG_PSCI_VERSION, HVC_VERSION(1, 0));
	expect_ranges(plan, "");
	assert_int_equal(plan->differs, PLAN_DIFFERS_PROTECTED);
	hvc_plan_free(plan);
}

/* CPU implementations: bits for discovery, and calls that no kernel answers. */
static void implementations(void **state)
{
	struct hvc_plan *plan = plan_on(
		"hvcgate: 1\nprofile: hvcgate-2\nallow: smccc\nimplementations: [{midr: 1}]\n",
		"linux-7.3");
	bool ver = false, cpus = false;

	(void)state;
	expect_register(plan, HVC_REG_VENDOR_HYP_BMAP_2, 3);
	for (size_t i = 0; i < plan->forward_count; i++) {
		ver |= plan->forwards[i].fn == HVC_FN_KVM_DISCOVER_IMPL_VER &&
		       plan->forwards[i].why == PLAN_MISSING;
		cpus |= plan->forwards[i].fn == HVC_FN_KVM_DISCOVER_IMPL_CPUS;
		assert_true(plan->forwards[i].fn != HVC_FN_KVM_FEATURES);
	}
	assert_true(ver && cpus);
	hvc_plan_free(plan);
}

/* What nobody can be brought to, each with its word. */
static void limits(void **state)
{
	struct hvc_plan *plan = plan_on(
		"hvcgate: 1\nprofile: hvcgate-2\nworkaround-4: not-required\n"
		"soc-id: {version: 1, revision: 2, name: A1}\n"
		"registers: {WORKAROUND_3: available}\n",
		"linux-6.12");

	(void)state;
	assert_true(plan_set_has(&limit_of(plan, ALLOW_SMCCC)->answers, HVC_FN_SMCCC_VERSION));
	assert_true(plan_set_has(&limit_of(plan, ALLOW_SOC_ID)->answers,
				 HVC_FN_SMCCC_ARCH_SOC_ID_NAME));
	assert_true(plan_set_has(&limit_of(plan, ALLOW_WORKAROUNDS)->told,
				 HVC_FN_SMCCC_ARCH_WORKAROUND_4));
	/* By SMC the kernel has it not. */
	assert_true(plan_set_has(&limit_of(plan, ALLOW_WORKAROUNDS)->answers,
				 HVC_FN_SMCCC_ARCH_WORKAROUND_3));
	assert_true(plan->refused);
	assert_true(plan->differs & PLAN_DIFFERS_ZEROES);
	hvc_plan_free(plan);
}

/* A host's workaround levels are its own where no file says any; one that a file says is asserted. */
static void workarounds(void **state)
{
	char path[400];
	struct hvc_plan *plan;

	(void)state;
	snprintf(path, sizeof(path), "%s/linux-6.12.json", records);
	plan = plan_on(KVM, path);
	assert_int_equal(plan->limit_count, 0);
	assert_int_equal(plan->register_count, 0);
	assert_memory_equal(plan->kernel, "6.12.", 5);
	hvc_plan_free(plan);
	plan = plan_on(KVM "registers: {WORKAROUND_1: not-required}\n", path);
	expect_register(plan, HVC_REG_WORKAROUND_1, 2);
	assert_int_equal(plan->limit_count, 0);
	hvc_plan_free(plan);
	plan = plan_on(KVM "registers: {WORKAROUND_3: not-required}\n", path);
	assert_int_equal(plan->register_count, 0);
	assert_true(plan_set_has(&limit_of(plan, ALLOW_WORKAROUNDS)->told,
				 HVC_FN_SMCCC_ARCH_WORKAROUND_3));
	hvc_plan_free(plan);
}

/* What a record says by itself is what its kernel's profile says with it. */
static void records_and_profiles(void **state)
{
	static const char *const names[] = {
		"5.10", "6.1",  "6.1-neoverse-n1",  "6.12", "6.12-cortex-a72", "6.12-neoverse-n1",
		"6.16", "6.18", "6.18-neoverse-n1", "7.3",  "7.3-neoverse-n1"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct hvc_settings by_profile, by_record;
		struct hvc_plan_host host;
		char path[400], why[300];

		snprintf(path, sizeof(path), "%s/linux-%s.json", records, names[i]);
		assert_true(hvc_plan_host_find(&host, path, why, sizeof(why)));
		abi_profile_settings(host.profile, &by_profile);
		abi_record_apply(host.record, &by_profile);
		plan_kernel_settings(&host, &by_record);
		assert_int_equal(by_record.quirks, by_profile.quirks);
		assert_memory_equal(&by_record, &by_profile, sizeof(by_record));
		/* And the record is not passed over. */
		json_object_set_new(json_object_get(host.record, "filter"), "supported",
				    json_string(by_profile.filter ? "no" : "yes"));
		plan_kernel_settings(&host, &by_record);
		assert_int_not_equal(by_record.filter, by_profile.filter);
		json_decref((json_t *)(uintptr_t)host.record);
	}
}

static void hosts(void **state)
{
	struct hvc_plan_host host;
	struct hvc_policy *policy = test_policy("hvcgate: 1\n");
	struct hvc_plan *plan = (struct hvc_plan *)policy;
	char why[300];

	(void)state;
	assert_false(hvc_plan_host_find(&host, "hvcgate-2", why, sizeof(why)));
	assert_string_equal(
		why,
		"hvcgate-2@1 is no kernel's profile; name one, such as linux-6.12, or a record");
	assert_false(hvc_plan_host_find(&host, "absent.json", why, sizeof(why)));
	assert_non_null(strstr(why, "absent.json"));
	host = (struct hvc_plan_host){.profile = abi_profile_find("hvcgate-1")};
	assert_int_equal(hvc_plan_make(policy, &host, &plan), HVC_EINVAL);
	assert_null(plan);
	hvc_plan_free(NULL);
	hvc_policy_free(policy);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing),
		cmocka_unit_test(service_off),
		cmocka_unit_test(rules_for_register),
		cmocka_unit_test(one_function),
		cmocka_unit_test(half_pv_time),
		cmocka_unit_test(forwarded),
		cmocka_unit_test(allow_list),
		cmocka_unit_test(newer_psci),
		cmocka_unit_test(implementations),
		cmocka_unit_test(limits),
		cmocka_unit_test(workarounds),
		cmocka_unit_test(records_and_profiles),
		cmocka_unit_test(hosts),
		cmocka_unit_test(joined),
	};

	if (argc != 2) {
		return EXIT_FAILURE;
	}
	records = realpath(argv[1], NULL);
	return cmocka_run_group_tests(tests, test_enter, test_leave);
}
