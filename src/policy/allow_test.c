/* SPDX-License-Identifier: BSD-2-Clause */
/* The key `allow`. */
#include "policy_test.h"

#include <string.h>

#include "allow.h"

#define HEAD  "hvcgate: 1\n"
#define NAMES "smccc, arch-features, workarounds, soc-id, arch-calls, smc, no-filter"

static const struct bad_case bad[] = {
	{"a mapping", HEAD "allow: {smc: on}\n",
	 "2:8: error: 'allow' wants a list and has a mapping; write [] or some of " NAMES "\n"},
	{"another word", HEAD "allow: [everything]\n",
	 "2:9: error: nothing called 'everything' can be allowed; write [] or some of " NAMES "\n"},
	{"nearly a word", HEAD "allow: [smc, no-filtre]\n",
	 "2:14: error: nothing called 'no-filtre' can be allowed; did you mean 'no-filter'? There are: " NAMES
	 "\n"},
	{"twice", HEAD "allow: [smc, soc-id, smc]\n",
	 "2:22: error: 'smc' stands in the list already; remove it\n"},
	{"a list in it", HEAD "allow: [[smc]]\n",
	 "2:9: error: 'allow' wants a single value and has a list; write [] or some of " NAMES
	 "\n"},
	{"alone and wrong", HEAD "allow: nothing\n",
	 "2:8: error: nothing called 'nothing' can be allowed; write [] or some of " NAMES "\n"},
};

static void bad_ones(void **state)
{
	(void)state;
	test_bad_cases(bad, sizeof(bad) / sizeof(bad[0]));
}

static void good_ones(void **state)
{
	struct hvc_policy *policy = test_policy(HEAD "allow: [soc-id, smccc]\n");

	(void)state;
	for (unsigned int i = 0; i < ALLOW_COUNT; i++) {
		assert_int_equal(policy_allows(policy, i), i == ALLOW_SMCCC || i == ALLOW_SOC_ID);
		assert_non_null(policy_allow_name(i));
	}
	assert_false(policy_allows(policy, ALLOW_COUNT));
	assert_null(policy_allow_name(ALLOW_COUNT));
	/* One way to write it. */
	assert_non_null(strstr(hvc_policy_flat(policy), "\nallow: [smccc, soc-id]\n"));
	hvc_policy_free(policy);
	policy = test_policy(HEAD "allow: no-filter\n");
	assert_non_null(strstr(hvc_policy_flat(policy), "\nallow: [no-filter]\n"));
	hvc_policy_free(policy);
}

/* What is flattened reads the same; a file that allows nothing has the digest it always had. */
static void flat(void **state)
{
	struct hvc_policy *policy = test_policy(HEAD "allow: [smc, no-filter]\n"), *again;

	(void)state;
	again = test_policy(hvc_policy_flat(policy));
	assert_string_equal(hvc_policy_flat(policy), hvc_policy_flat(again));
	hvc_policy_free(policy);
	hvc_policy_free(again);
	policy = test_policy(HEAD);
	again = test_policy(HEAD "allow: []\n");
	assert_null(strstr(hvc_policy_flat(policy), "allow"));
	assert_memory_equal(hvc_policy_sha256(policy), hvc_policy_sha256(again), 32);
	hvc_policy_free(policy);
	hvc_policy_free(again);
	policy = test_policy(HEAD "profile: hvcgate-2\n");
	assert_non_null(strstr(hvc_policy_flat(policy), "\nallow: []\n"));
	hvc_policy_free(policy);
}

static void replaced(void **state)
{
	struct hvc_policy *policy;

	(void)state;
	test_write("base.yaml", HEAD "allow: [smc, smccc]\nregisters: {WORKAROUND_1: available}\n");
	test_write("child.yaml", HEAD "extends: base.yaml\nallow: soc-id\n");
	assert_int_equal(test_load("child.yaml", &policy, NULL), HVC_OK);
	assert_true(policy_allows(policy, ALLOW_SOC_ID));
	assert_false(policy_allows(policy, ALLOW_SMC));
	assert_true(policy_says_register(policy, HVC_REG_WORKAROUND_1));
	assert_false(policy_says_register(policy, HVC_REG_WORKAROUND_3));
	hvc_policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_ones),
		cmocka_unit_test(good_ones),
		cmocka_unit_test(flat),
		cmocka_unit_test(replaced),
	};

	return cmocka_run_group_tests(tests, test_enter, test_leave);
}
