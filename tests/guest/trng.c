/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a boot gets from TRNG: 24 words on each CPU, printed, and the machine reset. Options: cpus=N,
 * boots=N; wait=1 to wait for a byte on the console before the first reset.
 */
#include "kit/gic.h"

#define TRNG_RND     0xc4000053u
#define SYSTEM_RESET 0x84000009u
#define CALLS        8u
#define PL011        0x09000000ull

/* Survives a reset: not in the image, and the machine does not clear its RAM. */
#define BOOTS (*(volatile uint64_t *)0x47000000)

static _Atomic unsigned int turn;

static void words(void *arg)
{
	while (turn != kit_cpu_index()) {
		kit_yield();
	}
	for (unsigned int i = 0; i < CALLS; i++) {
		struct kit_regs regs = {.x = {TRNG_RND, 192}};

		kit_call(KIT_HVC, 0, &regs);
		if (regs.x[0] != 0) {
			kit_fail("TRNG_RND: %lx", regs.x[0]);
		}
		kit_printf("trng: boot %lu cpu %u %016lx %016lx %016lx\n", BOOTS, kit_cpu_index(),
			   regs.x[1], regs.x[2], regs.x[3]);
	}
	(void)arg;
	turn++;
}

static void wait_for_byte(void)
{
	kit_printf("trng: waiting\n");
	mmio_write(PL011 + 0x30, 0x301);
	while ((mmio_read(PL011 + 0x18) & 0x10) != 0) {
		kit_yield();
	}
	(void)mmio_read(PL011);
}

void kit_main(void)
{
	const unsigned int cpus = (unsigned int)kit_option("cpus", 1);

	BOOTS = BOOTS + 1;
	for (unsigned int i = 1; i < cpus; i++) {
		if (kit_cpu_on(i, words, NULL) != 0) {
			kit_fail("CPU %u does not start", i);
			return;
		}
	}
	words(NULL);
	while (turn != cpus) {
		kit_yield();
	}
	if (kit_option("wait", 0) != 0 && BOOTS == 1) {
		wait_for_byte();
	}
	if (kit_failures() == 0 && BOOTS < kit_option("boots", 2)) {
		kit_hvc(SYSTEM_RESET, 0, 0, 0);
		kit_fail("SYSTEM_RESET came back");
	}
}
