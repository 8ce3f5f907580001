/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All CPUs go off, as much at once as can be; the first says PASS before it does. Nobody is left to end the
 * machine, so the monitor must. Before that, one is on alone while others come and go.
 */
#include <stdatomic.h>

#include "kit/kit.h"

#define CPU_OFF       0x84000002u
#define AFFINITY_INFO 0xc4000004u
#define OFF           1u

static _Atomic unsigned int waiting;

static void off(void *arg)
{
	(void)arg;
	kit_hvc(CPU_OFF, 0, 0, 0);
	kit_fail("CPU_OFF came back");
}

static void off_together(void *arg)
{
	waiting++;
	while (waiting != 0) {
		kit_yield();
	}
	off(arg);
}

static void start(unsigned int cpu, void (*fn)(void *))
{
	while (kit_hvc(AFFINITY_INFO, cpu, 0, 0) != OFF) {
		kit_yield();
	}
	if (kit_cpu_on(cpu, fn, NULL) != 0) {
		kit_fail("CPU %u does not start", cpu);
		kit_end();
	}
}

/* Starts the next CPU and goes. */
static void hand_over(void *arg)
{
	const unsigned int next = (kit_cpu_index() + 1) % kit_cpu_count();
	static unsigned int left = 100;

	if (left-- == 0 || next == kit_cpu_index()) {
		for (unsigned int cpu = 0; cpu < kit_cpu_count(); cpu++) {
			if (cpu != kit_cpu_index()) {
				start(cpu, off_together);
			}
		}
		while (waiting != kit_cpu_count() - 1) {
			kit_yield();
		}
		kit_printf("PASS\n");
		waiting = 0;
	} else {
		start(next, hand_over);
	}
	off(arg);
}

void kit_main(void)
{
	hand_over(NULL);
}
