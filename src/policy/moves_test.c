/* SPDX-License-Identifier: BSD-2-Clause */
/* The keys `revocable`, `travel`, `hide` and `lose`, and registers by name. */
#include "policy_test.h"

#include <stdlib.h>
#include <string.h>

#include "moves.h"

#define HEAD  "hvcgate: 1\n"
#define PMMIR 0x603000000013c4f6ull
#define TCR2  0x603000000013c103ull

static const struct bad_case bad[] = {
	{"revocable: a mapping", HEAD "revocable: {TRNG_RND: yes}\n",
	 "2:12: error: 'revocable' wants a list and has a mapping; write [] or names of functions such as [TRNG_RND]\n"},
	{"revocable: nearly a name", HEAD "revocable: [TRNG_RNG]\n",
	 "2:13: error: unknown function TRNG_RNG; did you mean TRNG_RND?\n"},
	{"revocable: one width", HEAD "revocable: [TRNG_RND/64]\n",
	 "2:13: error: 'TRNG_RND/64': a function is shut off in both widths; write TRNG_RND\n"},
	{"revocable: twice", HEAD "revocable: [TRNG_RND, TRNG_RND]\n",
	 "2:23: error: 'TRNG_RND' stands in the list already; remove it\n"},
	{"travel: a word", HEAD "travel: maybe\n",
	 "2:9: error: travel is 'maybe'; write yes or no\n"},
	{"travel: a list", HEAD "travel: [yes]\n",
	 "2:9: error: 'travel' wants a single value and has a list; write yes or no\n"},
	{"hide: nearly a name", HEAD "hide: [PMMIR_EL2]\n",
	 "2:8: error: unknown register PMMIR_EL2; did you mean PMMIR_EL1?\n"},
	{"hide: no name", HEAD "hide: [everything]\n",
	 "2:8: error: unknown register everything; write a record's name, such as PMMIR_EL1, or KVM's ID\n"},
	{"hide: no ID", HEAD "hide: [0x1234]\n",
	 "2:8: error: 0x1234 is no ID of a register that can be left out; write one as KVM numbers them, such as 0x603000000013c4f6\n"},
	{"hide: of the core", HEAD "hide: [0x6030000000100000]\n",
	 "2:8: error: 0x6030000000100000 is no ID of a register that can be left out; write one as KVM numbers them, such as 0x603000000013c4f6\n"},
	{"hide: state", HEAD "hide: [TTBR0_EL1]\n",
	 "2:8: error: TTBR0_EL1 would be lost, not hidden: the guest's own state; write lose: [TTBR0_EL1] if that is meant\n"},
	{"hide: identity", HEAD "hide: [ID_AA64MMFR2_EL1]\n",
	 "2:8: error: ID_AA64MMFR2_EL1 cannot be hidden: the guest was told what is in it (features of the CPU); a guest goes where it is the same\n"},
	{"hide: PSCI_VERSION", HEAD "hide: PSCI_VERSION\n",
	 "2:7: error: PSCI_VERSION cannot be hidden: no version means nothing; choose one with psci: \"1.1\"\n"},
	{"hide: twice, by name and by ID", HEAD "hide: [PMMIR_EL1, 0x603000000013c4f6]\n",
	 "2:19: error: '0x603000000013c4f6' stands in the list already; remove it\n"},
	{"lose: gated", HEAD "lose: [TCR2_EL1]\n",
	 "2:8: error: TCR2_EL1 need not be lost; write hide: [TCR2_EL1], which is refused where it means something\n"},
	{"lose: identity", HEAD "lose: [MIDR_EL1]\n",
	 "2:8: error: MIDR_EL1 cannot be lost: the guest was told what is in it (which CPU it is)\n"},
	{"lose: a bitmap", HEAD "lose: [STD_BMAP]\n",
	 "2:8: error: STD_BMAP cannot be lost: the guest was told what is in it (services, chosen before the first run)\n"},
};

static void bad_ones(void **state)
{
	(void)state;
	test_bad_cases(bad, sizeof(bad) / sizeof(bad[0]));
}

static void warned(void **state)
{
	struct hvc_policy *policy;
	char *messages;

	(void)state;
	test_write("p.yaml", HEAD "profile: linux-5.10\nrevocable: [TRNG_RND, PSCI_CPU_ON]\n"
				  "lose: [CNTPCT_EL0]\n");
	assert_int_equal(test_load("p.yaml", &policy, &messages), HVC_OK);
	assert_string_equal(
		messages,
		"3:12: warning: revocable: TRNG_RND is not there under this policy; there is nothing to shut off\n"
		"4:8: warning: lose: a guest that moves leaves the content of CNTPCT_EL0 behind (a timer or counter)\n");
	free(messages);
	hvc_policy_free(policy);
}

static bool revocable(const struct hvc_policy *policy, unsigned int slot)
{
	return (hvc_policy_revocable(policy)[slot / 64] >> slot % 64 & 1) != 0;
}

static void good_ones(void **state)
{
	struct hvc_policy *policy = test_policy_warned(
		HEAD "revocable: [TRNG_RND, PSCI_CPU_ON]\ntravel: no\n"
		     "hide: [0x603000000013c4f6, TCR2_EL1, VENDOR_HYP_BMAP_2]\nlose: CNTPCT_EL0\n");
	const uint64_t *hidden;
	size_t count;

	(void)state;
	assert_true(revocable(policy, HVC_FN_TRNG_RND));
	assert_true(revocable(policy, HVC_FN_PSCI_CPU_ON));
	assert_false(revocable(policy, HVC_FN_PSCI_CPU_OFF));
	assert_int_equal(policy_travel(policy), POLICY_TRAVEL_NO);
	hidden = policy_hidden(policy, &count);
	assert_int_equal(count, 4);
	for (size_t i = 1; i < count; i++) {
		assert_true(hidden[i - 1] < hidden[i]);
	}
	assert_int_equal(hidden[0], TCR2);
	assert_int_equal(hidden[1], PMMIR);
	assert_true(policy_loses(policy, hidden[2]));
	assert_false(policy_loses(policy, PMMIR));
	/* One way to write it. */
	assert_non_null(
		strstr(hvc_policy_flat(policy),
		       "\nrevocable: [PSCI_CPU_ON, TRNG_RND]\ntravel: no\n"
		       "hide: [TCR2_EL1, PMMIR_EL1, VENDOR_HYP_BMAP_2]\nlose: [CNTPCT_EL0]\n"));
	hvc_policy_free(policy);
}

static void flat(void **state)
{
	struct hvc_policy *policy = test_policy(HEAD "revocable: TRNG_RND\ntravel: yes\n"
						     "hide: [PMMIR_EL1, PIR_EL1]\n"),
			  *again;

	(void)state;
	again = test_policy_warned(hvc_policy_flat(policy));
	assert_string_equal(hvc_policy_flat(policy), hvc_policy_flat(again));
	hvc_policy_free(policy);
	hvc_policy_free(again);
	/* Who says none of it has the digest that was there always. */
	policy = test_policy(HEAD);
	again = test_policy(HEAD "revocable: []\nhide: []\nlose: []\n");
	assert_null(strstr(hvc_policy_flat(policy), "hide"));
	assert_memory_equal(hvc_policy_sha256(policy), hvc_policy_sha256(again), 32);
	hvc_policy_free(policy);
	hvc_policy_free(again);
}

static void replaced(void **state)
{
	struct hvc_policy *policy;
	size_t count;

	(void)state;
	test_write("base.yaml", HEAD "revocable: [TRNG_RND]\nhide: [PMMIR_EL1]\ntravel: no\n");
	test_write("child.yaml", HEAD "extends: base.yaml\nrevocable: [PSCI_CPU_ON]\nhide: []\n");
	assert_int_equal(test_load("child.yaml", &policy, NULL), HVC_OK);
	assert_false(revocable(policy, HVC_FN_TRNG_RND));
	assert_true(revocable(policy, HVC_FN_PSCI_CPU_ON));
	assert_int_equal(policy_travel(policy), POLICY_TRAVEL_NO);
	(void)policy_hidden(policy, &count);
	assert_int_equal(count, 0);
	hvc_policy_free(policy);
}

/* There and back again; of what has no name by its encoding. */
static void names(void **state)
{
	static const uint64_t ids[] = {PMMIR,
				       TCR2,
				       0x6030000000140000,
				       0x6030000000160003,
				       0x603000000013df1a,
				       0x603000000013df02,
				       0x6020000000110003,
				       0x603000000013c4f7};
	static const char *const expected[] = {"PMMIR_EL1",         "TCR2_EL1",     "PSCI_VERSION",
					       "VENDOR_HYP_BMAP_2", "CNTVCT_EL0",   "CNTV_CVAL_EL0",
					       "CCSIDR_EL1[3]",     "S3_0_C9_C14_7"};
	uint64_t id;
	char name[32];

	(void)state;
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		assert_string_equal(policy_register_name(ids[i], name, sizeof(name)), expected[i]);
		assert_true(policy_register_id(name, &id));
		assert_int_equal(id, ids[i]);
	}
	assert_true(policy_register_id("S3_0_C9_C14_6", &id));
	assert_int_equal(id, PMMIR);
	assert_false(policy_register_id("S3_0_C9_C14_8", &id));
	assert_false(policy_register_id("S3_0_C9_C14_06", &id));
	assert_false(policy_register_id("", &id));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_ones), cmocka_unit_test(warned),   cmocka_unit_test(good_ones),
		cmocka_unit_test(flat),     cmocka_unit_test(replaced), cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, test_enter, test_leave);
}
