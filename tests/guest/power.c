/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CPU_ON as fast as it goes: each CPU is started again as soon as its CPU_OFF lets it, while it may still
 * be on its way out, and must start with nothing left of what it had. Then the same with CPU_SUSPEND to a
 * power-down state (GICv3), where the machine resets nothing by itself. Options: rounds=N.
 */
#include "kit/kit.h"
#include "power_regs.h"
#include "power_wake.h"

#define PSCI_CPU_SUSPEND 0xc4000001u
#define PSCI_CPU_OFF     0x84000002u
#define PSCI_CPU_ON      0xc4000003u
#define GICD             0x08000000ull
#define GICR             0x080a0000ull
#define GICR_TYPER       0x8
#define GICR_IGROUPR0    0x80
#define GICR_ISENABLER0  0x100
#define GICR_ISPENDR0    0x200
#define ALREADY_ON       (-4)
#define ON_PENDING       (-5)

enum {
#define REG(name, expected, junk) SYS_##name,
	REGS TIMER_REGS
#undef REG
		SYS_COUNT
};

struct record {
	volatile uint64_t done;
	uint64_t x[31], sp;
	uint64_t sys[(RECORD_V - RECORD_SYS) / 8];
	uint64_t v[2], fp[2], go[4];
};
_Static_assert(offsetof(struct record, x) == RECORD_X, "power_entry.S");
_Static_assert(offsetof(struct record, sys) == RECORD_SYS, "power_entry.S");
_Static_assert(offsetof(struct record, v) == RECORD_V, "power_entry.S");
_Static_assert(offsetof(struct record, fp) == RECORD_FP, "power_entry.S");
_Static_assert(offsetof(struct record, go) == RECORD_GO, "power_entry.S");
_Static_assert(SYS_COUNT <= (RECORD_V - RECORD_SYS) / 8, "power_entry.S");

extern char power_entry[];
static struct record records[KIT_MAX_CPUS] __attribute__((aligned(64)));

static void compare(unsigned int cpu, const char *name, uint64_t value, uint64_t expected)
{
	if (value != expected) {
		kit_fail("CPU %u starts with %s = %lx, not %lx", cpu, name, value, expected);
	}
}

static void check(unsigned int cpu, bool timers)
{
	const struct record *r = &records[cpu];

	compare(cpu, "x0", r->x[0], (uint64_t)r);
	for (unsigned int i = 1; i < 31; i++) {
		if (r->x[i] != 0) {
			kit_fail("CPU %u starts with x%u = %lx", cpu, i, r->x[i]);
		}
	}
	compare(cpu, "sp", r->sp, 0);
	compare(cpu, "v", r->v[0] | r->v[1], 0);
	compare(cpu, "fpcr", r->fp[0], 0);
	compare(cpu, "fpsr", r->fp[1], 0);
#define REG(name, expected, junk) compare(cpu, #name, r->sys[SYS_##name], expected);
	REGS if (timers)
	{
		TIMER_REGS
	}
#undef REG
}

static unsigned int waits;

static void start(unsigned int cpu)
{
	records[cpu].done = 0;
	for (;;) {
		int64_t answer = (int64_t)kit_hvc(PSCI_CPU_ON, cpu, (uint64_t)power_entry,
						  (uint64_t)&records[cpu]);

		if (answer == 0) {
			return;
		}
		if (answer != ALREADY_ON && answer != ON_PENDING) {
			kit_fail("CPU_ON of CPU %u: %ld", cpu, answer);
			kit_end();
		}
		waits++;
		kit_yield();
	}
}

static void off_and_on(unsigned int cpus, uint64_t rounds)
{
	for (uint64_t round = 0; round < rounds && kit_failures() < 20; round++) {
		for (unsigned int cpu = 1; cpu < cpus; cpu++) {
			records[cpu].go[0] = PSCI_CPU_OFF;
			start(cpu);
		}
		for (unsigned int cpu = 1; cpu < cpus; cpu++) {
			while (records[cpu].done == 0) {
				kit_yield();
			}
			check(cpu, true);
		}
	}
	kit_printf("%lu rounds of %u CPUs, %u times still on\n", rounds, cpus - 1, waits);
}

/* An interrupt for each CPU that nobody ever takes. False: no GICv3. */
static bool pend(unsigned int cpus)
{
	struct kit_fault fault;
	uint64_t value;

	if (!kit_read(GICR + GICR_TYPER, 4, &value, &fault)) {
		return false;
	}
	*(volatile uint32_t *)GICD = 1u << 4 | 1u << 1; /* ARE, group 1 */
	for (unsigned int cpu = 1; cpu < cpus; cpu++) {
		uint64_t frame = GICR + cpu * 0x20000ull + 0x10000;

		*(volatile uint32_t *)(frame + GICR_IGROUPR0) = ~0u;
		*(volatile uint32_t *)(frame + GICR_ISENABLER0) = 2;
		*(volatile uint32_t *)(frame + GICR_ISPENDR0) = 2;
	}
	return true;
}

static void suspend(unsigned int cpus, uint64_t rounds)
{
	if (!pend(cpus)) {
		return;
	}
	for (unsigned int cpu = 1; cpu < cpus; cpu++) {
		uint64_t *go = records[cpu].go;

		go[0] = PSCI_CPU_SUSPEND;
		go[1] = 0x10000; /* power down */
		go[2] = (uint64_t)power_entry;
		go[3] = (uint64_t)&records[cpu];
		start(cpu);
	}
	for (unsigned int cpu = 1; cpu < cpus; cpu++) {
		while (records[cpu].done < rounds) {
			kit_yield();
		}
		/* It goes on meanwhile; what it finds is the same every time. */
		check(cpu, false);
		records[cpu].go[0] = PSCI_CPU_OFF;
	}
	kit_printf("%lu suspends of %u CPUs\n", rounds, cpus - 1);
}

void kit_main(void)
{
	uint64_t rounds = kit_option("rounds", 500);
	unsigned int cpus = kit_cpu_count();

	power_wake();
	off_and_on(cpus, rounds);
	suspend(cpus, rounds);
}
