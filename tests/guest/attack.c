/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The attack (attack/attack.h): what is done by which CPU, and the count. Options: ram=BYTES, cpus=N, and
 * wait=1 to wait for a byte on the console before and after it, for whoever looks from outside.
 */
#include "attack/attack.h"
#include "kit/instruction.h"

#define PSCI_VERSION 0x84000000u
#define PL011        0x09000000ull
#define SHOWN        20u /* escapes in full */

uint64_t attack_ram;
unsigned int attack_cpus;

void attack_lost(uint64_t base); /* odd.S: does not return */

static struct record {
	uint64_t attempts, contained;
} records[KIT_MAX_CPUS];
static _Atomic unsigned int entered, finished, shown;

void attempt(bool contained, const char *what, uint64_t where, uint64_t detail)
{
	struct record *record = &records[kit_cpu_index()];

	record->attempts++;
	if (contained) {
		record->contained++;
	} else if (shown++ < SHOWN) {
		kit_printf("escaped: %s at %lx: %lx\n", what, where, detail);
	}
}

/* All CPUs at once: they share tables, the interrupt controller and the monitor. */
static void each_cpu(void *arg)
{
	const unsigned int index = kit_cpu_index();

	(void)arg;
	entered++;
	while (entered != attack_cpus) {
		kit_yield();
	}
	/* The kit's tables are written by each CPU that comes in; now they are all there. */
	windows_make();
	windows_enter();
	attack_sweep(index);
	attack_registers();
	attack_memory(index);
	attack_debug();
	finished++;
	if (index == 0) {
		return;
	}
	if (index == attack_cpus - 1) {
		while (finished != attack_cpus) {
			kit_yield();
		}
		attack_lost(0x3c200000); /* keeps the monitor busy with aborts until the end */
	}
	for (;;) {
		__asm__ volatile("wfi");
	}
}

/* For whoever writes "x" to our console. */
static void wait_for_byte(void)
{
	mmio_write(PL011 + 0x30, 0x301);
	while ((mmio_read(PL011 + 0x18) & 0x10) != 0) {
	}
	(void)mmio_read(PL011);
}

/* What the monitor's physical addresses are to the guest: its own RAM, and nothing else. */
static void own_ram(void)
{
	for (uint64_t at = 0x41800000; at < 0x44000000; at += 0x1000) {
		*(volatile uint64_t *)at = at ^ 0x5a5a5a5a5a5a5a5a;
	}
	for (uint64_t at = 0x41800000; at < 0x44000000; at += 0x1000) {
		attempt(*(volatile uint64_t *)at == (at ^ 0x5a5a5a5a5a5a5a5a), "own RAM", at, 0);
	}
}

static void attack(void)
{
	instructions_make();
	for (unsigned int cpu = 1; cpu < attack_cpus; cpu++) {
		if (kit_cpu_on(cpu, each_cpu, NULL) != 0) {
			kit_fail("CPU %u does not start", cpu);
			kit_end();
		}
	}
	each_cpu(NULL);
	while (finished != attack_cpus) {
		kit_yield();
	}
	own_ram();
	attack_el0();
	attack_walks();
	attack_calls();
	attack_gic();
	attack_devices();
}

void kit_main(void)
{
	const bool wait = kit_option("wait", 0) != 0;
	uint64_t attempts = 0, contained = 0, answer;

	attack_ram = kit_option("ram", 0);
	attack_cpus = (unsigned int)kit_option("cpus", 1);
	kit_printf("attack: %u CPUs, GICv%u, %lx bytes of RAM\n", attack_cpus, gic_version(),
		   attack_ram);
	if (wait) {
		kit_printf("attack: ready\n");
		wait_for_byte();
	}
	attack();
	for (unsigned int i = 0; i < KIT_MAX_CPUS; i++) {
		attempts += records[i].attempts;
		contained += records[i].contained;
	}
	kit_printf("attack: %lu attempts, %lu contained, %lu escaped\n", attempts, contained,
		   attempts - contained);
	if (attempts != contained) {
		kit_fail("%lu escaped", attempts - contained);
	}
	if (wait) {
		kit_printf("attack: over\n");
		wait_for_byte();
	}
	answer = kit_hvc(PSCI_VERSION, 0, 0, 0);
	kit_printf("attack: PSCI_VERSION %lx\n", answer);
	if (answer < 0x10000 || answer >= 0x20000) {
		kit_fail("the monitor does not answer");
	}
}
