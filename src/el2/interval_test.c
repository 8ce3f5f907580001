/* SPDX-License-Identifier: BSD-2-Clause */
/* The clock's arithmetic: what it says holds for every clock that kept within its limits; nonsense does no harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "interval.h"

static uint64_t random_state = 1;

/* xorshift64* (Vigna) */
static uint64_t random_below(uint64_t end)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * 0x2545f4914f6cdd1dull % end;
}

static void ticks_are_nanoseconds(void **state)
{
	(void)state;
	assert_int_equal(interval_ns(62500000, 62500000), 1000000000);
	assert_int_equal(interval_ns(1, 62500000), 16);
	assert_int_equal(interval_ns(3, 1000000000), 3);
	/* 100 years of the fastest counter there is */
	assert_int_equal(interval_ns(3155760000000000000, 1000000000), 3155760000000000000);
	assert_int_equal(interval_ns(0xffffffff, 0xffffffff), 1000000000);
}

static void one_sample(void **state)
{
	struct interval known = interval_seen(5000, 100, 160);
	uint64_t bound;

	(void)state;
	/* At 160 it is 5000 to 5060. */
	assert_int_equal(interval_wall(known, 160, &bound), 5030);
	assert_int_equal(bound, 30);
	/* 20 us later each end is 10 ns less sure. */
	assert_int_equal(interval_wall(known, 20160, &bound), 25030);
	assert_int_equal(bound, 40);
}

static void two_samples(void **state)
{
	const struct interval old = interval_seen(1000, 100, 200); /* difference 800 to 900 */
	const struct {
		uint64_t wall, before, after, low, width;
	} cases[] = {
		{1070, 200, 250, 820, 50}, /* within */
		{1030, 200, 250, 800, 30}, /* begins before it */
		{1120, 200, 250, 870, 30}, /* ends behind it */
		{1000, 200, 400, 800, 0},  /* meets it in one point */
		{1030, 200, 500, 800, 30},   {1150, 200, 400, 750 + 50, 100}, /* around it */
		{9000, 200, 250, 8750, 50},                                   /* set forward */
		{10, 200, 250, -240ull, 50},                                  /* set back */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct interval both = interval_join(
			old, interval_seen(cases[i].wall, cases[i].before, cases[i].after));

		assert_int_equal(both.low, cases[i].low);
		assert_int_equal(both.width, cases[i].width);
		assert_int_equal(both.at, cases[i].after);
	}
}

/* A clock that is off by up to 500 ppm is always where the bound says, and never worse known than by the last
 * sample alone. */
static void bound_holds(void **state)
{
	(void)state;
	for (unsigned int run = 0; run < 1000; run++) {
		const uint64_t epoch = 1600000000000000000 + random_below(1ull << 40);
		const int64_t ppm = (int64_t)random_below(999) - 499;
		uint64_t counter = random_below(1ull << 50), start = counter;
		struct interval known = {0};

		for (unsigned int i = 0; i < 50; i++) {
			const uint64_t before = counter += random_below(2000000000);
			const uint64_t middle = counter += random_below(1000000);
			const uint64_t after = counter += random_below(1000000);
			const int64_t gone = (int64_t)(middle - start);
			const uint64_t wall = epoch + (uint64_t)(gone + gone * ppm / 1000000);
			const struct interval fresh = interval_seen(wall, before, after);
			uint64_t bound, guess, real;
			int64_t now;

			known = i == 0 ? fresh : interval_join(known, fresh);
			assert_true(known.width <= fresh.width);
			counter += random_below(1000000000);
			now = (int64_t)(counter - start);
			real = epoch + (uint64_t)(now + now * ppm / 1000000);
			guess = interval_wall(known, counter, &bound);
			/* 1: what rounding takes */
			assert_true((guess > real ? guess - real : real - guess) <= bound + 1);
		}
	}
}

/* Whatever the process writes and whenever: a number comes out. */
static void nonsense(void **state)
{
	static const uint64_t odd[] = {0,          1,     1ull << 62,    INT64_MAX,
				       1ull << 63, -1ull, -(1ull << 62), 0x5a5a5a5a5a5a5a5a,
				       1ull << 60, -2ull, 1ull << 59,    (1ull << 60) - 1};
	const size_t count = sizeof(odd) / sizeof(odd[0]);
	uint64_t bound;

	(void)state;
	for (size_t i = 0; i < count * count * count; i++) {
		struct interval known = interval_seen(odd[i % count], 100, 200);

		known = interval_join(known, interval_seen(odd[i / count % count], 300, 400));
		known = interval_join(known,
				      interval_seen(odd[i / count / count], 500, 1ull << 40));
		(void)interval_wall(known, 1ull << 41, &bound);
		assert_true(bound < 1ull << 42);
		known = interval_join((struct interval){odd[i % count], odd[i / count % count],
							odd[i / count / count]},
				      interval_seen(7, 8, 9));
		assert_true(known.width <= 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ticks_are_nanoseconds),
		cmocka_unit_test(one_sample),
		cmocka_unit_test(two_samples),
		cmocka_unit_test(bound_holds),
		cmocka_unit_test(nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
