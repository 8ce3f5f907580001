/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is known of the difference between the host's wall clock and the counter, both in nanoseconds: it lies
 * between `low` and `low + width`, modulo 2^64. `low` comes from shared memory and may be anything.
 */
#ifndef HVCGATE_EL2_INTERVAL_H
#define HVCGATE_EL2_INTERVAL_H

#include <stdint.h>

struct interval {
	uint64_t low, width;
	uint64_t at; /* counter when this was so, in nanoseconds */
};

/* Counter ticks as nanoseconds; hz is below 2^32 and not 0. */
uint64_t interval_ns(uint64_t ticks, uint64_t hz);

/* The wall clock said `wall` at some time between the counter's `before` and `after` (nanoseconds). */
struct interval interval_seen(uint64_t wall, uint64_t before, uint64_t after);

/* What both tell together at the time of `fresh`. They contradict each other where a clock was set: then the old
 * one counts for nothing. */
struct interval interval_join(struct interval old, struct interval fresh);

/* The best guess of the wall clock at the counter's `now`, and how far off it can be. */
uint64_t interval_wall(struct interval known, uint64_t now, uint64_t *bound);

#endif
