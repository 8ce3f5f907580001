/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the host's clock (KVM_PTP) from all CPUs, both counters in turn, until the time is over, and counts what comes
 * back. Every call must come back, as an answer or as NOT_SUPPORTED. honest=1: the process at the other end is ours;
 * then each answer belongs to a counter between before and after, and each CPU's clock goes on by what the counter does,
 * give or take 20 ms. Options: seconds=N.
 */
#include "kit/kit.h"

#define KVM_PTP  0x86000001u
#define SECOND   1000000000u
#define SLACK_NS 20000000

static uint64_t seconds;
static bool honest;
static _Atomic unsigned int done;
static struct result {
	uint64_t answered, refused;
} results[KIT_MAX_CPUS];

static uint64_t physical_counter(void)
{
	uint64_t value;

	__asm__ volatile("isb\n\tmrs %0, cntpct_el0" : "=r"(value) : : "memory");
	return value;
}

static uint64_t counter(bool physical)
{
	return physical ? physical_counter() : kit_counter();
}

static uint64_t in_ns(uint64_t ticks)
{
	const uint64_t hz = kit_counter_hz();

	return ticks / hz * SECOND + ticks % hz * SECOND / hz;
}

/* False: NOT_SUPPORTED. */
static bool read_clock(bool physical, uint64_t *ns, uint64_t *ticks)
{
	struct kit_regs regs = {.x = {KVM_PTP, physical ? 1 : 0}};
	const uint64_t before = counter(physical);
	uint64_t after;

	kit_call(KIT_HVC, 0, &regs);
	after = counter(physical);
	if (regs.x[0] == ~0ull) {
		return false;
	}
	*ns = regs.x[0] << 32 | regs.x[1];
	*ticks = regs.x[2] << 32 | regs.x[3];
	if ((regs.x[0] | regs.x[1] | regs.x[2] | regs.x[3]) >> 32 != 0 || *ticks < before ||
	    *ticks > after) {
		kit_fail("a reading is of counter %lx, taken between %lx and %lx", *ticks, before,
			 after);
	}
	return true;
}

static void measure(void *arg)
{
	const uint64_t until = kit_counter() + seconds * kit_counter_hz();
	struct result *result = &results[kit_cpu_index()];
	uint64_t ns, ticks, first = 0;

	(void)arg;
	for (uint64_t i = 0; kit_counter() < until && kit_failures() == 0; i++) {
		if (!read_clock(i % 2 != 0, &ns, &ticks)) {
			result->refused++;
			continue;
		}
		ns -= in_ns(ticks);
		first = result->answered++ == 0 ? ns : first;
		if (honest && (int64_t)(ns - first) > SLACK_NS) {
			kit_fail("the clock gained %ld ns", (int64_t)(ns - first));
		}
		if (honest && (int64_t)(first - ns) > SLACK_NS) {
			kit_fail("the clock lost %ld ns", (int64_t)(first - ns));
		}
	}
	done++;
}

void kit_main(void)
{
	const unsigned int cpus = kit_cpu_count();
	uint64_t answered = 0, refused = 0;

	seconds = kit_option("seconds", 2);
	honest = kit_option("honest", 0) != 0;
	kit_printf("clock: ready\n");
	for (unsigned int i = 1; i < cpus; i++) {
		if (kit_cpu_on(i, measure, NULL) != 0) {
			kit_fail("CPU %u does not start", i);
			return;
		}
	}
	measure(NULL);
	while (done != cpus) {
		kit_yield();
	}
	for (unsigned int i = 0; i < cpus; i++) {
		answered += results[i].answered;
		refused += results[i].refused;
	}
	kit_printf("clock: %lu answered, %lu refused\n", answered, refused);
	if (kit_hvc(0x84000000, 0, 0, 0) >> 16 != 1) {
		kit_fail("the monitor does not answer");
	}
}
