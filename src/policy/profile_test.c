/* SPDX-License-Identifier: BSD-2-Clause */
/* Policies on a kernel's profile: what is theirs without a word, what fits, what does not and what is said then. */
#include "policy_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi.h"

#define ON(profile) "hvcgate: 1\nprofile: " profile "\n"

static const struct bad_case bad[] = {
	{"unknown profile", ON("windows-11"),
	 "2:10: error: unknown profile 'windows-11'; there are: hvcgate-1, hvcgate-2, linux-5.10, linux-6.1, linux-6.12, linux-6.16, linux-6.18, linux-7.3\n"},
	{"unknown profile, near", ON("linux-6.13"),
	 "2:10: error: unknown profile 'linux-6.13'; did you mean 'linux-6.1@1'? There are: hvcgate-1, hvcgate-2, linux-5.10, linux-6.1, linux-6.12, linux-6.16, linux-6.18, linux-7.3\n"},
	{"unknown revision", ON("hvcgate-1@2"),
	 "2:10: error: there is no 'hvcgate-1@2'; the newest revision is hvcgate-1@1\n"},
	{"unknown revision of a kernel", ON("linux-6.12@0"),
	 "2:10: error: there is no 'linux-6.12@0'; the newest revision is linux-6.12@1\n"},
	{"profile no word", "hvcgate: 1\nprofile: [hvcgate-1]\n",
	 "2:10: error: 'profile' wants a single value and has a list; write profile: hvcgate-1\n"},
	{"strictness unknown", "hvcgate: 1\nstrictness: lax\n",
	 "2:13: error: strictness is 'lax'; write spec or kvm\n"},
	{"discovery unknown", "hvcgate: 1\ndiscovery: cooked\n",
	 "2:12: error: discovery is 'cooked'; write coherent or raw\n"},
	{"kvm, and no kernel", "hvcgate: 1\nstrictness: kvm\n",
	 "2:13: error: strictness kvm follows a kernel, and hvcgate-1@1 is none's; write profile: linux-6.12, say\n"},
	{"raw, and no kernel", "hvcgate: 1\ndiscovery: raw\n",
	 "2:12: error: discovery raw answers as a kernel, and hvcgate-1@1 is none's; write profile: linux-6.12, say\n"},
	{"psci too new", ON("linux-6.12") "psci: \"1.3\"\n",
	 "3:7: error: psci \"1.3\" is not in linux-6.12@1, which has \"0.2\", \"1.0\" and \"1.1\"\n"},
	{"psci too new for old", ON("linux-5.10") "registers: {PSCI_VERSION: \"1.1\"}\n",
	 "3:27: error: psci \"1.1\" is not in linux-5.10@1, which has \"0.2\" and \"1.0\"\n"},
	{"smccc of a later one of ours", ON("hvcgate-1") "smccc: \"1.6\"\n",
	 "3:8: error: smccc \"1.6\" is not in hvcgate-1@1, which has \"1.0\" to \"1.5\"; write profile: hvcgate-2\n"},
	{"no such revision of ours", ON("hvcgate-2@2"),
	 "2:10: error: there is no 'hvcgate-2@2'; the newest revision is hvcgate-2@1\n"},
	{"smccc too new", ON("linux-7.3") "smccc: \"1.2\"\n",
	 "3:8: error: smccc \"1.2\" is not in linux-7.3@1, which has \"1.1\"\n"},
	{"kvm, and another smccc", ON("linux-7.3") "strictness: kvm\nsmccc: \"1.0\"\n",
	 "4:8: error: smccc \"1.0\" is not in linux-7.3@1, which has \"1.1\"\n"},
	{"identity", ON("linux-5.10") "identity: kvm\n",
	 "3:11: error: linux-5.10@1 has no KVM_VENDOR_UID; write identity: none\n"},
	{"workaround 4", ON("linux-7.3") "workaround-4: available\n",
	 "3:15: error: linux-7.3@1 has no SMCCC_ARCH_WORKAROUND_4; write workaround-4: not-available\n"},
	{"soc-id", ON("linux-7.3") "soc-id: {version: 1, revision: 1}\n",
	 "3:9: error: linux-7.3@1 has no SMCCC_ARCH_SOC_ID; write soc-id: none\n"},
	{"suspend", ON("linux-5.10") "system-suspend: on\n",
	 "3:17: error: linux-5.10@1 has no PSCI_SYSTEM_SUSPEND; write system-suspend: off\n"},
	{"service without its register", ON("linux-5.10") "services: {trng: on}\n",
	 "3:12: error: 'services: trng: on' needs STD_BMAP, which linux-5.10@1 has not: its 4 registers end with WORKAROUND_3\n"},
	{"ptp on 5.10", ON("linux-5.10") "services: {ptp: on}\n",
	 "3:12: error: 'services: ptp: on' needs VENDOR_HYP_BMAP, which linux-5.10@1 has not: its 4 registers end with WORKAROUND_3\n"},
	{"register", ON("linux-6.12") "registers: {VENDOR_HYP_BMAP_2: [discover-impl-ver]}\n",
	 "3:32: error: 'registers: VENDOR_HYP_BMAP_2' needs VENDOR_HYP_BMAP_2, which linux-6.12@1 has not: its 7 registers end with VENDOR_HYP_BMAP\n"},
	{"too many shown", ON("linux-6.12") "show-registers: 8\n",
	 "3:17: error: show-registers is 8, and linux-6.12@1 has 7\n"},
	{"no number shown", "hvcgate: 1\nshow-registers: all\n",
	 "2:17: error: show-registers is 'all'; write a number of feature registers, from 1 to 8\n"},
	{"far too many shown", "hvcgate: 1\nshow-registers: 9\n",
	 "2:17: error: show-registers is '9'; write a number of feature registers, from 1 to 8\n"},
	{"on and hidden", ON("linux-6.16") "show-registers: 7\nservices: {discover-impl: on}\n",
	 "4:12: error: 'services: discover-impl: on' contradicts 'show-registers' at p.yaml:3, which leaves the first 7 registers, and VENDOR_HYP_BMAP_2 is not one of them\n"},
	{"none shown", "hvcgate: 1\nshow-registers: 0\n",
	 "2:17: error: show-registers is '0'; write a number of feature registers, from 1 to 8\n"},
	{"level and cleared",
	 "hvcgate: 1\nregisters: {known: 1, unknown: clear, WORKAROUND_1: available}\n",
	 "2:53: error: 'registers: WORKAROUND_1' contradicts 'registers: unknown' at p.yaml:2, which leaves the first 1 registers, and WORKAROUND_1 is not one of them\n"},
	{"unknown without known", "hvcgate: 1\nregisters: {unknown: clear}\n",
	 "2:22: error: 'registers: unknown' is about registers above 'known', and there is no 'known'; write registers: {known: 7, unknown: clear}\n"},
	{"unknown no word", "hvcgate: 1\nregisters: {known: 7, unknown: drop}\n",
	 "2:32: error: registers: unknown is 'drop'; write keep or clear\n"},
	{"known no number", "hvcgate: 1\nregisters: {known: seven}\n",
	 "2:20: error: registers: known is 'seven'; write a number of feature registers, from 1 to 8\n"},
	{"a handled function that is not there", ON("linux-5.10") "rules: [{handle: TRNG_RND}]\n",
	 "3:18: warning: rule 1 lets the engine answer TRNG_RND, and it does not: linux-5.10@1 has no TRNG_RND\n"},
};

static void bad_ones(void **state)
{
	(void)state;
	test_bad_cases(bad, sizeof(bad) / sizeof(bad[0]));
}

/* A parent's word that does not fit the child's profile is said where the parent says it. */
static void parents_word(void **state)
{
	struct hvc_policy *policy;
	char *messages;

	(void)state;
	test_write("base.yaml", "hvcgate: 1\npsci: \"1.3\"\n");
	test_write("p.yaml", "hvcgate: 1\nextends: base.yaml\nprofile: linux-6.1\n");
	assert_int_equal(test_load("p.yaml", &policy, &messages), HVC_EINVAL);
	assert_string_equal(
		messages,
		"base.yaml:2:7: error: psci \"1.3\" is not in linux-6.1@1, which has \"0.2\", \"1.0\" and \"1.1\"\n");
	free(messages);
	test_write("p.yaml", "hvcgate: 1\nextends: base.yaml\nprofile: linux-6.1\npsci: \"1.0\"\n");
	assert_int_equal(test_load("p.yaml", &policy, NULL), HVC_OK);
	assert_int_equal(hvc_policy_settings(policy)->regs[HVC_REG_PSCI_VERSION], 0x10000);
	hvc_policy_free(policy);
}

/* A policy that only names a profile has its settings, but for what the policy's own defaults are. */
static void the_profiles_own(void **state)
{
	(void)state;
	for (size_t n = 0; abi_profile_at(n) != NULL; n++) {
		const struct abi_profile *profile = abi_profile_at(n);
		struct hvc_settings want;
		struct hvc_policy *policy;
		char text[100];

		snprintf(text, sizeof(text), "hvcgate: 1\nprofile: %s\n",
			 abi_profile_name(profile));
		policy = test_policy(text);
		abi_profile_settings(profile, &want);
		want.strictness = HVC_STRICT_SPEC;
		want.discovery = HVC_DISCOVERY_COHERENT;
		want.quirks = 0;
		memcpy(want.policy_sha256, hvc_policy_sha256(policy), 32);
		assert_memory_equal(hvc_policy_settings(policy), &want, sizeof(want));
		assert_string_equal(hvc_policy_profile(policy), abi_profile_name(profile));
		hvc_policy_free(policy);
	}
}

static const struct hvc_settings *settings_of(struct hvc_policy **policy, const char *text)
{
	*policy = test_policy(text);
	return hvc_policy_settings(*policy);
}

static void shown_and_known(void **state)
{
	struct hvc_policy *policy;
	const struct hvc_settings *s = settings_of(&policy, ON("linux-6.16") "show-registers: 5\n");

	(void)state;
	assert_int_equal(s->reg_count, 5);
	assert_int_equal(s->regs[HVC_REG_PSCI_VERSION], 0x10003);
	assert_int_equal(s->regs[HVC_REG_STD_BMAP], 1);
	assert_int_equal(s->regs[HVC_REG_STD_HYP_BMAP], 0);
	assert_int_equal(s->regs[HVC_REG_VENDOR_HYP_BMAP], 0);
	assert_string_equal(
		hvc_policy_absent(policy, HVC_FN_KVM_FEATURES),
		"feature register VENDOR_HYP_BMAP, whose bit 0 (features) it needs, is not shown: show-registers is 5");
	hvc_policy_free(policy);

	s = settings_of(&policy, ON("linux-6.16") "registers: {known: 4, unknown: clear}\n");
	assert_int_equal(s->reg_count, 8);
	assert_int_equal(s->regs[HVC_REG_PSCI_VERSION], 0x10003);
	assert_int_equal(s->regs[HVC_REG_STD_BMAP], 0);
	assert_int_equal(s->regs[HVC_REG_VENDOR_HYP_BMAP], 0);
	hvc_policy_free(policy);

	s = settings_of(&policy, ON("linux-6.16") "registers: {known: 4, unknown: keep}\n");
	assert_int_equal(s->regs[HVC_REG_VENDOR_HYP_BMAP], 3);
	hvc_policy_free(policy);

	s = settings_of(&policy, ON("linux-6.16") "registers: {known: 4}\n");
	assert_int_equal(s->regs[HVC_REG_VENDOR_HYP_BMAP], 3);
	hvc_policy_free(policy);

	/* Hidden, and gone with it. */
	s = settings_of(&policy, "hvcgate: 1\nshow-registers: 1\n");
	assert_int_equal(s->reg_count, 1);
	assert_int_equal(s->regs[HVC_REG_PSCI_VERSION], 0x10001);
	for (unsigned int slot = HVC_FN_TRNG_VERSION; slot <= HVC_FN_KVM_DISCOVER_IMPL_CPUS;
	     slot++) {
		assert_false(s->functions[slot / 64] >> slot % 64 & 1);
	}
	hvc_policy_free(policy);
}

/* `on` is what the kernel has on: not the bits that no kernel sets by itself. */
static void on_is_the_profiles(void **state)
{
	struct hvc_policy *policy;
	const struct hvc_settings *s = settings_of(&policy,
						   ON("linux-6.16") "services: {kvm-vendor: on}\n");

	(void)state;
	assert_int_equal(s->regs[HVC_REG_VENDOR_HYP_BMAP], 3);
	assert_int_equal(s->regs[HVC_REG_VENDOR_HYP_BMAP_2], 0);
	hvc_policy_free(policy);

	s = settings_of(&policy, ON("linux-6.16") "services: {discover-impl: on}\n");
	assert_int_equal(s->regs[HVC_REG_VENDOR_HYP_BMAP_2], 3);
	hvc_policy_free(policy);

	/* Nothing is asked of a register that is not there. */
	s = settings_of(&policy, ON("linux-6.12") "registers: {VENDOR_HYP_BMAP_2: []}\n"
						  "services: {kvm-vendor: on}\n");
	assert_int_equal(s->regs[HVC_REG_VENDOR_HYP_BMAP], 3);
	hvc_policy_free(policy);
}

/* Stolen time is older than its register. */
static void unseen_service(void **state)
{
	struct hvc_policy *policy;
	const struct hvc_settings *s = settings_of(&policy, ON("linux-5.10"));
	const unsigned int word = HVC_FN_PV_TIME_ST / 64, bit = HVC_FN_PV_TIME_ST % 64;

	(void)state;
	assert_int_equal(s->regs[HVC_REG_STD_HYP_BMAP], 0);
	assert_true(s->functions[word] >> bit & 1);
	assert_non_null(strstr(hvc_policy_flat(policy), "\n  pv-time: on\n"));
	hvc_policy_free(policy);
	s = settings_of(&policy, ON("linux-5.10") "services: {pv-time: off}\n");
	assert_false(s->functions[word] >> bit & 1);
	assert_non_null(strstr(hvc_policy_flat(policy), "\n  pv-time: off\n"));
	assert_string_equal(hvc_policy_absent(policy, HVC_FN_PV_TIME_ST), "pv-time is off");
	hvc_policy_free(policy);
}

/* Strictness kvm and discovery raw are the profile as it is. */
static void bit_for_bit(void **state)
{
	(void)state;
	for (size_t n = HVC_PROFILE_NEWEST; abi_profile_at(n) != NULL; n++) {
		struct hvc_settings want;
		struct hvc_policy *policy;
		char text[120];

		snprintf(text, sizeof(text),
			 "hvcgate: 1\nprofile: %s\nstrictness: kvm\ndiscovery: raw\n",
			 abi_profile_name(abi_profile_at(n)));
		policy = test_policy(text);
		abi_profile_settings(abi_profile_at(n), &want);
		assert_true(want.quirks & HVC_QUIRK_ZERO_X1_X3);
		memcpy(want.policy_sha256, hvc_policy_sha256(policy), 32);
		assert_memory_equal(hvc_policy_settings(policy), &want, sizeof(want));
		hvc_policy_free(policy);
	}
}

static void absent_functions(void **state)
{
	struct hvc_policy *policy;

	(void)state;
	settings_of(&policy, ON("linux-5.10"));
	assert_string_equal(hvc_policy_absent(policy, HVC_FN_TRNG_VERSION),
			    "linux-5.10@1 has no TRNG_VERSION");
	assert_string_equal(hvc_policy_absent(policy, HVC_FN_PSCI_SYSTEM_RESET2),
			    "linux-5.10@1 has no PSCI_SYSTEM_RESET2");
	assert_string_equal(hvc_policy_absent(policy, HVC_FN_SMCCC_STD_CALL_COUNT),
			    "linux-5.10@1 has no SMCCC_STD_CALL_COUNT");
	assert_null(hvc_policy_absent(policy, HVC_FN_PSCI_CPU_ON));
	hvc_policy_free(policy);
	settings_of(&policy, ON("linux-6.16") "psci: \"1.1\"\n");
	assert_string_equal(hvc_policy_absent(policy, HVC_FN_PSCI_SYSTEM_OFF2),
			    "psci is \"1.1\", and it exists from \"1.3\" on");
	assert_string_equal(hvc_policy_absent(policy, HVC_FN_PSCI_0_1_CPU_ON),
			    "psci is \"1.1\", and it exists at \"0.1\" only");
	assert_string_equal(hvc_policy_absent(policy, HVC_FN_PSCI_SYSTEM_SUSPEND),
			    "system-suspend is off");
	hvc_policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_ones),           cmocka_unit_test(parents_word),
		cmocka_unit_test(the_profiles_own),   cmocka_unit_test(shown_and_known),
		cmocka_unit_test(on_is_the_profiles), cmocka_unit_test(unseen_service),
		cmocka_unit_test(absent_functions),   cmocka_unit_test(bit_for_bit),
	};

	return cmocka_run_group_tests(tests, test_enter, test_leave);
}
