/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a call costs, in instructions from the trap to its ERET. Under QEMU's -icount shift=0 an instruction
 * takes 1 ns of the counter's time; the loop and the calling instruction itself are taken off.
 * Options: count=N calls a line.
 */
#include "kit/kit.h"

#define SMCCC_VERSION  0x80000000u
#define PSCI_VERSION   0x84000000u
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

static void line(const char *what, void (*loop)(uint64_t, uint64_t), uint64_t count, uint64_t id)
{
	uint64_t empty = measure(nothing, count, id);
	uint64_t cost = measure(loop, count, id) - empty - (loop == by_hvc ? 10 : 0);

	kit_printf("%s %lu.%lu\n", what, cost / 10, cost % 10);
}

void kit_main(void)
{
	uint64_t count = kit_option("count", 100000);

	line("handled-hvc SMCCC_VERSION", by_hvc, count, SMCCC_VERSION);
	line("handled-hvc PSCI_VERSION", by_hvc, count, PSCI_VERSION);
	line("unknown-hvc 840000ff", by_hvc, count, UNKNOWN_DENSE);
	line("unknown-hvc bf00dead", by_hvc, count, UNKNOWN_SPARSE);
	line("handled-smc SMCCC_VERSION", by_smc, count, SMCCC_VERSION);
	line("unknown-smc 840000ff", by_smc, count, UNKNOWN_DENSE);
	line("handled-hvc TRNG_RND64", by_hvc, count / 10, TRNG_RND64);
}
