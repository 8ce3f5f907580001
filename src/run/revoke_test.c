/* SPDX-License-Identifier: BSD-2-Clause */
/* What the process tells the monitor of functions to deny. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <hvcgate/engine.h>

#include "run.h"

static struct el2_mailbox mailbox;
static struct run_revoker revoker;

#define BIT(slot)  ((uint64_t)1 << (slot) % 64)
#define WORD(slot) ((slot) / 64)

static uint64_t revocable[HVC_FN_WORDS];

static int set_up(void **state)
{
	(void)state;
	memset(&mailbox, 0, sizeof(mailbox));
	memset(revocable, 0, sizeof(revocable));
	revocable[WORD(HVC_FN_TRNG_RND)] |= BIT(HVC_FN_TRNG_RND);
	revocable[WORD(HVC_FN_PV_TIME_ST)] |= BIT(HVC_FN_PV_TIME_ST);
	run_revoke_init(&revoker, &mailbox, revocable);
	return 0;
}

static void only_what_is_revocable(void **state)
{
	const uint64_t none[HVC_FN_WORDS] = {0};

	(void)state;
	assert_false(run_revoke(&revoker, HVC_FN_PSCI_VERSION));
	assert_false(run_revoke(&revoker, HVC_FN_NONE));
	assert_false(run_revoke(&revoker, HVC_FN_COUNT));
	assert_false(run_revoke(&revoker, UINT32_MAX));
	assert_int_equal(mailbox.revoked.news, 0);
	assert_memory_equal(mailbox.revoked.functions, none, sizeof(none));
	run_revoke_init(&revoker, &mailbox, NULL);
	assert_false(run_revoke(&revoker, HVC_FN_TRNG_RND));
}

static void each_is_news_once(void **state)
{
	uint64_t both[HVC_FN_WORDS] = {0};
	uint32_t first;

	(void)state;
	assert_false(run_revoked(&revoker, HVC_FN_TRNG_RND));
	assert_true(run_revoke(&revoker, HVC_FN_TRNG_RND));
	assert_true(run_revoked(&revoker, HVC_FN_TRNG_RND));
	assert_false(run_revoked(&revoker, HVC_FN_PV_TIME_ST));
	both[WORD(HVC_FN_TRNG_RND)] |= BIT(HVC_FN_TRNG_RND);
	assert_memory_equal(mailbox.revoked.functions, both, sizeof(both));
	first = mailbox.revoked.news;
	assert_int_not_equal(first, 0);
	mailbox.revoked.news = 0; /* taken */
	assert_true(run_revoke(&revoker, HVC_FN_TRNG_RND));
	assert_int_equal(mailbox.revoked.news, 0);
	assert_true(run_revoke(&revoker, HVC_FN_PV_TIME_ST));
	both[WORD(HVC_FN_PV_TIME_ST)] |= BIT(HVC_FN_PV_TIME_ST);
	assert_memory_equal(mailbox.revoked.functions, both, sizeof(both));
	/* Another number than before: who is at the first must not take this for done. */
	assert_int_not_equal(mailbox.revoked.news, 0);
	assert_int_not_equal(mailbox.revoked.news, first);
}

/* What the machine writes into the shared memory changes nothing of what we know. */
static void the_memory_is_not_believed(void **state)
{
	(void)state;
	memset(&mailbox, 0xff, sizeof(mailbox));
	assert_false(run_revoked(&revoker, HVC_FN_TRNG_RND));
	assert_true(run_revoke(&revoker, HVC_FN_TRNG_RND));
	assert_false(run_revoked(&revoker, HVC_FN_PSCI_VERSION));
	assert_int_equal(mailbox.revoked.functions[WORD(HVC_FN_TRNG_RND)], BIT(HVC_FN_TRNG_RND));
}

static void news_is_never_0(void **state)
{
	(void)state;
	revoker.news = UINT32_MAX;
	assert_true(run_revoke(&revoker, HVC_FN_TRNG_RND));
	assert_int_not_equal(mailbox.revoked.news, 0);
}

static void memory_for_every_id(void **state)
{
	struct hvc_policy *policy;
	struct hvc_image *image;
	struct hvc_diags *diags = hvc_diags_new();
	struct hvc_image dense = {.node_count = EL2_FILTER_SIZE / 512};
	char message[512];
	uint64_t bytes;

	(void)state;
	assert_int_equal(hvc_policy_load(NULL, &policy, diags), HVC_OK);
	assert_int_equal(hvc_policy_compile(policy, &image, diags), HVC_OK);
	assert_true(run_revoke_memory(image, NULL, &bytes));
	assert_int_equal(bytes, 0);
	/* TRNG_RND has two IDs, PV_TIME_ST one. */
	assert_true(run_revoke_memory(image, revocable, &bytes));
	assert_int_equal(bytes, hvc_filter_size(image, 3));
	memset(revocable, 0, sizeof(revocable));
	assert_true(run_revoke_memory(image, revocable, &bytes));
	assert_int_equal(bytes, 0);
	/* The catalogue as a whole fits an ordinary policy. */
	memset(revocable, 0xff, sizeof(revocable));
	assert_true(run_revoke_memory(image, revocable, &bytes));
	assert_true(bytes <= EL2_FILTER_SIZE);
	run_say_into(message, sizeof(message));
	assert_false(run_revoke_memory(&dense, revocable, &bytes));
	run_say_into(NULL, 0);
	assert_non_null(strstr(message, "revocable"));
	free(image);
	hvc_policy_free(policy);
	hvc_diags_free(diags);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(only_what_is_revocable, set_up),
		cmocka_unit_test_setup(each_is_news_once, set_up),
		cmocka_unit_test_setup(the_memory_is_not_believed, set_up),
		cmocka_unit_test_setup(news_is_never_0, set_up),
		cmocka_unit_test_setup(memory_for_every_id, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
