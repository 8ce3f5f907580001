/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of the machine from all CPUs at once: each boot they meet and call a reset, or in the last one
 * power off, in the same moment, while some others go off, start or fall asleep. Options: cpus=N, boots=N.
 */
#include "kit/gic.h"

#define CPU_SUSPEND   0xc4000001u
#define CPU_OFF       0x84000002u
#define CPU_ON        0xc4000003u
#define SYSTEM_OFF    0x84000008u
#define SYSTEM_RESET  0x84000009u
#define SYSTEM_RESET2 0xc4000012u

/* Survives a reset: not in the image, and the machine does not clear its RAM. */
#define BOOTS (*(volatile uint64_t *)0x47000000)

static _Atomic unsigned int here;
static unsigned int cpus;
static uint64_t boots;

static void call(uint64_t random, uint32_t id, uint64_t x1, uint64_t x2)
{
	struct kit_regs regs = {.x = {id, x1, x2}};

	kit_call((random & 1) != 0 ? KIT_SMC : KIT_HVC, 0, &regs);
}

static void end(uint64_t random)
{
	if (BOOTS == boots) {
		call(random, SYSTEM_OFF, 0, 0);
	} else if ((random >> 1 & 1) != 0) {
		call(random, SYSTEM_RESET, 0, 0);
	} else {
		call(random, SYSTEM_RESET2, 0x80000000 + (random >> 8 & 0xff), random);
	}
}

static void rush(void *arg)
{
	const unsigned int index = kit_cpu_index();
	uint64_t random = BOOTS * 1000 + index + 1;
	const uint64_t until = kit_counter() + 20 * kit_counter_hz();

	(void)arg;
	kit_random(&random);
	here++;
	while (here != cpus) {
		kit_yield();
	}
	switch (index == 0 ? 0 : random >> 16 & 7) {
	case 1:
		call(random, CPU_OFF, 0, 0);
		break;
	case 2:
		call(random, CPU_SUSPEND, 0, 0); /* nothing wakes it */
		break;
	case 3:
		for (unsigned int i = 0; i < 100; i++) {
			call(random, CPU_ON, i % cpus, (uint64_t)kit_device_tree & ~3ull);
		}
		break;
	default:
		break;
	}
	end(random);
	/* The machine ends, but not necessarily with the next instruction of a CPU that came second. */
	while (kit_counter() < until) {
		kit_yield();
	}
	kit_fail("CPU %u goes on", index);
}

void kit_main(void)
{
	cpus = (unsigned int)kit_option("cpus", 1);
	boots = kit_option("boots", 10);
	BOOTS = BOOTS + 1;
	kit_printf("rush: boot %lu\n", BOOTS);
	for (unsigned int i = 1; i < cpus; i++) {
		if (kit_cpu_on(i, rush, NULL) != 0) {
			kit_fail("CPU %u does not start", i);
			kit_end();
		}
	}
	rush(NULL);
}
