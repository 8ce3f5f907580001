/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Forwarded calls with vCPUs, handlers and ticks in threads of their own (handler_host.h): exactly one answer a call,
 * none lost, none doubled, no request sent twice. Run it under the thread sanitizer, too: scripts/build --tsan.
 */
#include <stdbool.h>

#include "cmocka_all.h"
#include "handler_host.h"

/* What has to have happened: a run in which nothing did shows nothing. */
struct expected {
	bool failed, restarted, full, vanished, expired, refused, crashes;
};

static struct handler_host_result run(const struct handler_host_setup *setup,
				      struct expected expected)
{
	struct handler_host_result result = handler_host_run(setup);

	print_message(
		"answered %llu failed %llu requests %llu restarted %llu resent %llu full %llu "
		"vanished %llu expired %llu refused %llu crashes %llu\n",
		(unsigned long long)result.answered, (unsigned long long)result.failed,
		(unsigned long long)result.requests, (unsigned long long)result.restarted,
		(unsigned long long)result.resent, (unsigned long long)result.full,
		(unsigned long long)result.vanished, (unsigned long long)result.expired,
		(unsigned long long)result.refused, (unsigned long long)result.crashes);
	if (result.fault != NULL) {
		fail_msg("%s", result.fault);
	}
	assert_true(result.answered > 0);
	assert_true(!expected.failed || result.failed > 0);
	assert_true(!expected.restarted || result.restarted > 0);
	assert_true(!expected.full || result.full > 0);
	assert_true(!expected.vanished || result.vanished > 0);
	assert_true(!expected.expired || result.expired > 0);
	assert_true(!expected.refused || result.refused > 0);
	assert_true(!expected.crashes || result.crashes > 0);
	return result;
}

/* Nothing goes wrong: every call has its answer. */
static void test_smooth(void **state)
{
	const struct handler_host_setup setup = {.vcpus = 4,
						 .handlers = 1,
						 .guest_threads = 8,
						 .calls = 4000,
						 .transactions = 8,
						 .seed = 1};
	struct handler_host_result result = run(&setup, (struct expected){0});

	(void)state;
	assert_int_equal(result.answered, 8 * 4000);
	assert_int_equal(result.requests, 8 * 4000);
	assert_int_equal(result.refused, 0);
}

/* Interrupts all the time, more guest threads than vCPUs: calls come back elsewhere. */
static void test_interrupts(void **state)
{
	const struct handler_host_setup setup = {.vcpus = 4,
						 .handlers = 2,
						 .guest_threads = 16,
						 .calls = 3000,
						 .transactions = 16,
						 .seed = 2,
						 .interrupts = 2};
	struct handler_host_result result = run(&setup, (struct expected){.restarted = true});

	(void)state;
	assert_int_equal(result.answered, 16 * 3000);
	assert_int_equal(result.requests, 16 * 3000);
	assert_int_equal(result.full, 0);
}

/* Requests that nobody answers, answers after the end, and vCPUs that do not wait for ever. */
static void test_lost(void **state)
{
	const struct handler_host_setup setup = {.vcpus = 4,
						 .handlers = 2,
						 .guest_threads = 8,
						 .calls = 3000,
						 .transactions = 16,
						 .seed = 3,
						 .interrupts = 20,
						 .timeouts = 50,
						 .lost = 10,
						 .tardy = 3};

	(void)state;
	run(&setup, (struct expected){.failed = true, .restarted = true, .refused = true});
}

static void test_crashes(void **state)
{
	const struct handler_host_setup setup = {.vcpus = 4,
						 .handlers = 2,
						 .guest_threads = 8,
						 .calls = 3000,
						 .transactions = 16,
						 .seed = 4,
						 .interrupts = 5,
						 .crashes = 10};
	struct handler_host_result result = run(
		&setup, (struct expected){.failed = true, .restarted = true, .crashes = true});

	(void)state;
	/* Those that failed were not sent again. */
	assert_int_equal(result.requests, 8 * 3000);
	assert_int_equal(result.resent, 0);
}

/* A table smaller than the guest's needs, orphans, ticks, and all the rest. */
static void test_everything(void **state)
{
	struct handler_host_setup setup = {.vcpus = 4,
					   .handlers = 2,
					   .guest_threads = 12,
					   .calls = 500,
					   .interrupts = 4,
					   .timeouts = 60,
					   .vanishing = 6,
					   .lost = 30,
					   .tardy = 5,
					   .crashes = 40,
					   .ticks = 3};

	(void)state;
	for (unsigned int n = 1; n <= 8; n++) {
		setup.transactions = n;
		setup.seed = n;
		run(&setup, (struct expected){.failed = true,
					      .restarted = true,
					      .full = n < 4,
					      .vanished = true,
					      .expired = true,
					      .refused = true,
					      .crashes = true});
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_smooth),     cmocka_unit_test(test_interrupts),
		cmocka_unit_test(test_lost),       cmocka_unit_test(test_crashes),
		cmocka_unit_test(test_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
