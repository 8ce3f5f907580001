/* SPDX-License-Identifier: BSD-2-Clause */
/* Arithmetic of the clock (clock.c), apart so that it can be tested without a machine. */
#include "interval.h"

#define SECOND 1000000000ull

/* One clock gains at most 1/2000 on the other: 500 ppm, which is what NTP may steer a clock by. */
#define DRIFT 2000u

/* Of intervals that are no nonsense: below, no sum overflows. */
#define SANE (1ull << 60)

uint64_t interval_ns(uint64_t ticks, uint64_t hz)
{
	return ticks / hz * SECOND + ticks % hz * SECOND / hz;
}

struct interval interval_seen(uint64_t wall, uint64_t before, uint64_t after)
{
	return (struct interval){.low = wall - after, .width = after - before, .at = after};
}

static struct interval aged(struct interval known, uint64_t now)
{
	const uint64_t drift = (now - known.at) / DRIFT;

	return (struct interval){
		.low = known.low - drift, .width = known.width + 2 * drift, .at = now};
}

struct interval interval_join(struct interval old, struct interval fresh)
{
	const struct interval past = aged(old, fresh.at);
	const uint64_t later = fresh.low - past.low; /* how much later fresh begins, or: */
	const uint64_t earlier = past.low - fresh.low;
	struct interval both = fresh;

	if (past.width >= SANE || fresh.width >= SANE) {
		return fresh;
	}
	if (later <= past.width) {
		both.width = past.width - later < fresh.width ? past.width - later : fresh.width;
	} else if (earlier <= fresh.width) {
		both.low = past.low;
		both.width = fresh.width - earlier < past.width ? fresh.width - earlier
								: past.width;
	}
	return both;
}

uint64_t interval_wall(struct interval known, uint64_t now, uint64_t *bound)
{
	const struct interval present = aged(known, now);

	*bound = present.width / 2 + present.width % 2;
	return present.low + present.width / 2 + now;
}
