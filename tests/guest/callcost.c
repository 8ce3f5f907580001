/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a call costs, in instructions from the trap to its ERET. Under QEMU's -icount shift=0 an instruction
 * takes 1 ns of the counter's time; the loop and the calling instruction itself are taken off.
 * Options: count=N calls a line; pause=N milliseconds of its own time before each line, in which the trace is
 * read; doorbell=N instead: N times 5000 calls timed one by one, while nobody reads the trace; before each but the
 * first it waits for a byte on the console.
 */
#include "kit/gic.h"

#define PL011_DR       0x09000000ull
#define PL011_FR       0x09000018ull
#define PL011_CR       0x09000030ull
#define PL011_FR_RXFE  0x10u
#define SMCCC_VERSION  0x80000000u
#define PSCI_VERSION   0x84000000u
#define MIGRATE_TYPE   0x84000006u
#define TRNG_RND64     0xc4000053u
#define UNKNOWN_DENSE  0x840000ffu
#define UNKNOWN_SPARSE 0xbf00deadu

/* Each loop is 4 instructions beside the call. */
#define LOOP(name, call)                                                                         \
	static void name(uint64_t count, uint64_t id)                                            \
	{                                                                                        \
		__asm__ volatile("1: mov x0, %1\n\t"                                             \
				 "mov x1, #192\n\t" call "\n\t"                                  \
				 "subs %0, %0, #1\n\t"                                           \
				 "b.ne 1b"                                                       \
				 : "+r"(count)                                                   \
				 : "r"(id)                                                       \
				 : "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9",   \
				   "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "cc", \
				   "memory");                                                    \
	}
LOOP(nothing, "")
LOOP(by_hvc, "hvc #0")
LOOP(by_smc, "smc #0")

/* Tenths of nanoseconds of one round. */
static uint64_t measure(void (*loop)(uint64_t, uint64_t), uint64_t count, uint64_t id)
{
	uint64_t start;

	loop(16, id);
	start = kit_counter();
	loop(count, id);
	return (kit_counter() - start) * (10000000000ull / kit_counter_hz()) / count;
}

static void rest(void)
{
	const uint64_t until = kit_counter() + kit_option("pause", 0) * kit_counter_hz() / 1000;

	while (kit_counter() < until) {
		kit_yield();
	}
}

/* An HVC is an instruction of the loop; a trapped SMC has not been executed. */
static void line(const char *what, uint64_t count, uint64_t id)
{
	const uint64_t empty = measure(nothing, count, id);
	uint64_t hvc, smc;

	rest();
	hvc = measure(by_hvc, count, id) - empty - 10;
	rest();
	smc = measure(by_smc, count, id) - empty;
	kit_printf("%s %lu.%lu %lu.%lu\n", what, hvc / 10, hvc % 10, smc / 10, smc % 10);
}

static void wait_for_byte(void)
{
	mmio_write(PL011_CR, 0x301);
	while ((mmio_read(PL011_FR) & PL011_FR_RXFE) != 0) {
	}
	(void)mmio_read(PL011_DR);
	rest();
}

#define AROUND 90u /* calls before the one that rings */

/* The one with as many below it as above. */
static uint32_t median(const uint32_t *values)
{
	for (unsigned int i = 0; i < AROUND; i++) {
		unsigned int below = 0, same = 0;

		for (unsigned int j = 0; j < AROUND; j++) {
			below += values[j] < values[i] ? 1 : 0;
			same += values[j] == values[i] ? 1 : 0;
		}
		if (below <= AROUND / 2 && below + same > AROUND / 2) {
			return values[i];
		}
	}
	return 0;
}

/* The trace ring of 8192 records is half full with the 4096th call: that one rings. */
static void doorbell(void)
{
	static uint32_t took[5000];

	for (unsigned int i = 0; i < 5000; i++) {
		const uint64_t start = kit_counter();

		by_hvc(1, SMCCC_VERSION);
		took[i] = (uint32_t)(kit_counter() - start);
	}
	kit_printf("doorbell %u around %u hz %lu\n", took[4095], median(took + 4095 - AROUND),
		   kit_counter_hz());
}

void kit_main(void)
{
	const uint64_t count = kit_option("count", 100000);

	const uint64_t bells = kit_option("doorbell", 0);

	for (uint64_t i = 0; i < bells; i++) {
		if (i > 0) {
			wait_for_byte();
		}
		doorbell();
	}
	if (bells > 0) {
		return;
	}
	line("handled SMCCC_VERSION", count, SMCCC_VERSION);
	line("handled PSCI_VERSION", count, PSCI_VERSION);
	line("denied PSCI_MIGRATE_INFO_TYPE", count, MIGRATE_TYPE);
	line("unknown 840000ff", count, UNKNOWN_DENSE);
	line("unknown bf00dead", count, UNKNOWN_SPARSE);
	line("handled TRNG_RND64", count < 10 ? 1 : count / 10, TRNG_RND64);
}
