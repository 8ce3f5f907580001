/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest that watches what it runs on, for guests that move: all that it can read of its CPU (ID registers, caches, the
 * counter's frequency) and of its hypercalls (versions, features of each function, UIDs) is read at its start and again and
 * again, and compared. Once a second it says "checker: tick N same DIGEST ..." or what has changed since its start. The
 * first tick's memory travels with the guest, so the destination's ticks compare it with the source.
 *
 * Options: smc=1, by SMC; list=1, print all at the start; ticks=N, end after so many; own=N (checker/calls.h).
 */
#include "checker/checker.h"

static struct {
	uint64_t key[CHECKER_FACTS], value[CHECKER_FACTS], said[CHECKER_FACTS];
	unsigned int count;
} first;

static unsigned int place, changed;
static bool beginning = true;
static uint64_t digest;

void checker_note(uint64_t key, uint64_t value)
{
	unsigned int at = place++;

	digest = (digest ^ value) * 0x100000001b3ull;
	if (at >= CHECKER_FACTS) {
		kit_fail("more than %u facts", CHECKER_FACTS);
		kit_end();
	}
	if (beginning) {
		first.key[at] = key;
		first.value[at] = first.said[at] = value;
		first.count = place;
		return;
	}
	if (first.key[at] != key) {
		/* A cache level more or less: what follows has another place. */
		kit_fail("fact %u is another one", at);
		kit_end();
	}
	changed += value != first.value[at] ? 1u : 0u;
	if (value != first.said[at]) {
		kit_printf("checker: changed ");
		checker_print(key);
		kit_printf(" %lx, was %lx\n", value, first.said[at]);
		first.said[at] = value;
	}
}

static void look(void)
{
	place = changed = 0;
	digest = 0xcbf29ce484222325ull;
	checker_registers();
	checker_calls();
	if (place != first.count) {
		kit_fail("%u facts, %u at the start", place, first.count);
		kit_end();
	}
}

static void list(void)
{
	for (unsigned int i = 0; i < first.count; i++) {
		kit_printf("checker: has ");
		checker_print(first.key[i]);
		kit_printf(" %lx\n", first.value[i]);
	}
}

/* The counter only ever goes on; *gap is the longest time between two looks at it. */
static uint64_t on_time(uint64_t *last, uint64_t *gap)
{
	uint64_t now = kit_counter();

	if (now < *last) {
		kit_fail("the counter went from %lx back to %lx", *last, now);
		kit_end();
	}
	if (now - *last > *gap) {
		*gap = now - *last;
	}
	*last = now;
	return now;
}

static void say(uint64_t tick, uint64_t gap)
{
	uint64_t ms = gap * 1000 / kit_counter_hz();

	if (changed == 0) {
		kit_printf("checker: tick %lu same %016lx gap %lu ms own %lu\n", tick, digest, ms,
			   checker_own_count());
	} else {
		kit_printf("checker: tick %lu DIFFERENT %u of %u gap %lu ms own %lu\n", tick,
			   changed, first.count, ms, checker_own_count());
	}
}

void kit_main(void)
{
	const uint64_t ticks = kit_option("ticks", 0);
	uint64_t last = kit_counter(), next = last, gap = 0, tick = 0;

	checker_start();
	look();
	beginning = false;
	kit_printf("checker: %u facts, counter %lu Hz\n", first.count, kit_counter_hz());
	if (kit_option("list", 0) != 0) {
		list();
	}
	while (ticks == 0 || tick < ticks) {
		look();
		checker_own();
		if (on_time(&last, &gap) >= next) {
			say(++tick, gap);
			next = last + kit_counter_hz();
			gap = 0;
		}
	}
	if (changed != 0) {
		kit_fail("%u of %u facts have changed", changed, first.count);
	}
}
