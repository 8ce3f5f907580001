/* SPDX-License-Identifier: BSD-2-Clause */
/* A plan where memory ends at each place where some is asked for. */
#include "policy_test.h"

#include <stdlib.h>

#include "plan.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);

/* How many more are given; -1: as many as are asked for. */
static long left = -1;

static int ends(void)
{
	return left == 0 || (left > 0 && left-- == 0);
}

void *__wrap_malloc(size_t size)
{
	return ends() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return ends() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
	return ends() ? NULL : __real_realloc(memory, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
	return ends() ? NULL : __real_aligned_alloc(alignment, size);
}

static void ends_anywhere(void **state)
{
	/* Many ranges, so that lists grow. */
	struct hvc_policy *policy = test_policy_warned(
		"hvcgate: 1\nprofile: hvcgate-2\ndefault: {forward: h}\nhandlers: {h: {socket: /run/h}}\n"
		"rules: [{deny: [PSCI_CPU_ON/64, PSCI_AFFINITY_INFO, TRNG_RND]}]\n");
	struct hvc_plan_host host = {.profile = abi_profile_find("linux-6.12")};
	struct hvc_plan *plan = NULL;
	long given = 0;

	(void)state;
	for (enum hvc_err err = HVC_ENOMEM; err == HVC_ENOMEM; given++) {
		left = given;
		err = hvc_plan_make(policy, &host, &plan);
		left = -1;
		assert_true(err == HVC_OK || (err == HVC_ENOMEM && plan == NULL));
		assert_true(given < 1000);
	}
	assert_true(given > 15);
	assert_non_null(plan);
	assert_true(plan->range_count > 3 && plan->forward_count > 64);
	hvc_plan_free(plan);
	hvc_policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(ends_anywhere)};

	return cmocka_run_group_tests(tests, test_enter, test_leave);
}
