/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two interrupts go round all CPUs, each of which sleeps until one comes (CPU_SUSPEND, standby and power-down in
 * turn), sends it on and sleeps again. A wake-up that is lost stops the ring, and the run ends by its timeout.
 * Options: rounds=N; stat=1: the statistics of the two power states count each sleep.
 */
#include "kit/gic.h"
#include "kit/sleep.h"

#define CPU_SUSPEND    0xc4000001u
#define STAT_RESIDENCY 0xc4000010u
#define STAT_COUNT     0xc4000011u
#define STANDBY        0x00000001u
#define DOWN           0x00010002u
#define TOKENS         2u /* SGIs 1 and 2; 0 says that it is over */

static struct cpu {
	uint64_t sleeps[2], woken, early, hops;
	struct kit_sleep sleep;
} cpus[KIT_MAX_CPUS];
static unsigned int cpu_count;
static uint64_t rounds;
static _Atomic bool over;
static _Atomic unsigned int ready, done;

static void interface_on(void)
{
	gic_cpu_on();
	for (unsigned int sgi = 0; sgi <= TOKENS; sgi++) {
		gic_enable(sgi);
	}
}

static void sleep(struct cpu *cpu, bool down)
{
	uint64_t answer;

	cpu->sleep = (struct kit_sleep){.call = {CPU_SUSPEND, down ? DOWN : STANDBY,
						 (uint64_t)kit_sleep_entry, (uint64_t)&cpu->sleep}};
	cpu->sleeps[down]++;
	answer = kit_sleep(&cpu->sleep);
	if (answer != 0 || cpu->sleep.woken != (down ? 1 : 0)) {
		kit_fail("CPU_SUSPEND to %x answers %lx, entered %lu times", down ? DOWN : STANDBY,
			 answer, cpu->sleep.woken);
		over = true;
	}
	cpu->woken += cpu->sleep.woken;
	interface_on();
}

static void stop(void)
{
	over = true;
	for (unsigned int i = 0; i < cpu_count; i++) {
		gic_send(0, i);
	}
}

/* Whatever is pending goes on to the next CPU. */
static unsigned int send_on(struct cpu *cpu, unsigned int next)
{
	unsigned int count = 0, sgi;

	while ((sgi = gic_take()) != GIC_NONE) {
		gic_done(sgi);
		count++;
		if (sgi != 0 && ++cpu->hops <= rounds * TOKENS) {
			gic_send(sgi, next);
		}
	}
	return count;
}

static void ring(void *arg)
{
	const unsigned int index = kit_cpu_index();
	struct cpu *cpu = &cpus[index];

	(void)arg;
	interface_on();
	ready++;
	while (ready != cpu_count) {
		kit_yield();
	}
	for (uint64_t i = 0; !over; i++) {
		sleep(cpu, (i + index) % 2 != 0);
		cpu->early += send_on(cpu, (index + 1) % cpu_count) == 0 ? 1 : 0;
		if (index == 0 && cpu->hops >= rounds * TOKENS) {
			stop();
		}
	}
	done++;
}

static void check_stat(unsigned int index, bool down)
{
	const uint32_t state = down ? DOWN : STANDBY;
	const uint64_t count = kit_hvc(STAT_COUNT, index, state, 0);
	const uint64_t residency = kit_hvc(STAT_RESIDENCY, index, state, 0);

	if (count != cpus[index].sleeps[down] || (int64_t)residency <= 0) {
		kit_fail("CPU %u, state %x: %lu times, %ld us; it was %lu times", index, state,
			 count, (int64_t)residency, cpus[index].sleeps[down]);
	}
}

void kit_main(void)
{
	uint64_t start;

	cpu_count = kit_cpu_count();
	rounds = kit_option("rounds", 2000);
	gic_on();
	for (unsigned int i = 1; i < cpu_count; i++) {
		if (kit_cpu_on(i, ring, NULL) != 0) {
			kit_fail("CPU %u does not start", i);
			return;
		}
	}
	while (ready != cpu_count - 1) {
		kit_yield();
	}
	interface_on();
	start = kit_counter();
	for (unsigned int sgi = 1; sgi <= TOKENS; sgi++) {
		gic_send(sgi, 0);
	}
	ring(NULL);
	while (done != cpu_count) {
		kit_yield();
	}
	for (unsigned int i = 0; i < cpu_count; i++) {
		kit_printf(
			"CPU %u: %lu hops, %lu times standby, %lu down, %lu without an interrupt\n",
			i, cpus[i].hops, cpus[i].sleeps[0], cpus[i].sleeps[1], cpus[i].early);
		for (unsigned int down = 0; kit_option("stat", 0) != 0 && down < 2; down++) {
			check_stat(i, down != 0);
		}
	}
	kit_printf("%lu ms\n", (kit_counter() - start) * 1000 / kit_counter_hz());
}
