/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each CPU is taken off and on again by another while the rest make calls, and starts every time with
 * what the architecture and PSCI say, whatever it held before; likewise it falls asleep and wakes at its
 * entry, by another CPU's interrupt or by its own timer. Options: cpus=N, times=N each is off, sleeps=N.
 */
#include "cycle/cycle.h"
#include "kit/gic.h"

#define PSCI_VERSION  0x84000000u
#define CPU_SUSPEND   0xc4000001u
#define CPU_OFF       0x84000002u
#define CPU_ON        0xc4000003u
#define AFFINITY_INFO 0xc4000004u
#define PSCI_FEATURES 0x8400000au
#define TRNG_RND      0xc4000053u
#define UNKNOWN       0x8600beefu
#define POWER_DOWN    0x10000u
#define SLEEP_US      300u
#define PATIENCE_S    20u

extern struct cycle_cpu cycle_cpus[KIT_MAX_CPUS];
struct cycle_cpu cycle_cpus[KIT_MAX_CPUS];

enum kind { OFF_AND_ON, WOKEN, BY_TIMER };

static unsigned int cpus;
static uint64_t times, sleeps, rounds;
static volatile uint64_t now; /* the round */
static _Atomic unsigned int present;
static uint64_t early;

static enum kind kind_of(uint64_t round)
{
	if (round < times * cpus) {
		return OFF_AND_ON;
	}
	return round % 2 == 0 ? WOKEN : BY_TIMER;
}

/* With two CPUs or more, everybody puts everybody on at some time. */
static unsigned int victim_of(uint64_t round)
{
	return (unsigned int)(round % cpus);
}

static unsigned int helper_of(uint64_t round)
{
	return (unsigned int)((round + 1 + round / cpus % (cpus - 1)) % cpus);
}

static uint64_t call(struct cycle_cpu *cpu, uint64_t id, uint64_t x1, uint64_t x2, uint64_t x3)
{
	struct kit_regs regs = {.x = {id, x1, x2, x3}};

	cpu->calls++;
	if (kit_call(kit_random(&cpu->random) % 2 == 0 ? KIT_HVC : KIT_SMC, 0, &regs) != 0) {
		kit_fail("CPU %u: call %lx changed registers", cpu->index, id);
	}
	return regs.x[0];
}

/* What the CPUs do that are not on or off at the moment. */
static void be_busy(struct cycle_cpu *cpu)
{
	const uint64_t version = call(cpu, PSCI_VERSION, 0, 0, 0);

	if (version < 0x10000 || version >= 0x20000 ||
	    call(cpu, PSCI_FEATURES, CPU_ON, 0, 0) != 0 || call(cpu, UNKNOWN, 0, 0, 0) != ~0ull ||
	    call(cpu, TRNG_RND, 192, 0, 0) != 0) {
		kit_fail("CPU %u: wrong answer", cpu->index);
		kit_end();
	}
	kit_yield();
}

/* Leave the host's CPUs to those who come and go. */
static void doze(void)
{
	const uint64_t due = kit_counter() + kit_counter_hz() / 5000;

	__asm__ volatile("msr cntv_cval_el0, %0\n\tmsr cntv_ctl_el0, %1\n\tisb\n\twfi\n\t"
			 "msr cntv_ctl_el0, xzr\n\tisb"
			 :
			 : "r"(due), "r"(1ull));
}

static bool is_late(uint64_t since)
{
	kit_yield();
	return kit_counter() - since > PATIENCE_S * kit_counter_hz();
}

static void lost(uint64_t round, const char *what)
{
	kit_fail("round %lu: CPU %u %s", round, victim_of(round), what);
	kit_end();
}

static void help(struct cycle_cpu *cpu, uint64_t round)
{
	struct cycle_cpu *victim = &cycle_cpus[victim_of(round)];
	const uint64_t start = kit_counter();

	if (kind_of(round) == OFF_AND_ON) {
		int64_t answer;

		while (call(cpu, AFFINITY_INFO, victim->index, 0, 0) != 1) {
			if (is_late(start)) {
				lost(round, "does not go off");
			}
		}
		answer = (int64_t)call(cpu, CPU_ON, victim->index, (uint64_t)cycle_entry,
				       (uint64_t)victim);
		if (answer != 0) {
			kit_fail("round %lu: CPU_ON says %ld", round, answer);
			kit_end();
		}
	} else if (kind_of(round) == WOKEN) {
		while (kit_counter() - start < kit_counter_hz() / 20000) {
		}
		gic_send(3, victim->index);
	}
	while (victim->arrived != round + 1) {
		if (is_late(start)) {
			lost(round, "does not come back");
		}
	}
	now = round + 1;
}

static void go(struct cycle_cpu *cpu, uint64_t round)
{
	uint64_t *c = cpu->call;

	registers_spoil(cpu->reference, cpu->dirty);
	cpu->goes = kit_counter();
	cpu->smc = kit_random(&cpu->random) & 1;
	if (kind_of(round) == OFF_AND_ON) {
		c[0] = CPU_OFF;
		cycle_down(cpu, CYCLE_LOAD);
	}
	c[0] = CPU_SUSPEND;
	c[1] = POWER_DOWN;
	c[2] = (uint64_t)cycle_entry;
	c[3] = (uint64_t)cpu;
	if (kind_of(round) == BY_TIMER) {
		const uint64_t due = cpu->goes + kit_counter_hz() * SLEEP_US / 1000000;

		__asm__ volatile("msr cntv_cval_el0, %0\n\tmsr cntv_ctl_el0, %1\n\tisb"
				 :
				 : "r"(due), "r"(1ull));
	}
	cycle_down(cpu, CYCLE_LOAD_SLEEP);
}

_Noreturn void cycle_back(struct cycle_cpu *cpu)
{
	kit_fail("CPU %u: %lx came back with %lx", cpu->index, cpu->call[0], cpu->x[0]);
	kit_end();
}

static void check_general(struct cycle_cpu *cpu)
{
	const uint8_t *z = (const uint8_t *)(CYCLE_Z + ((uint64_t)cpu->index << CYCLE_Z_SHIFT));

	if (cpu->x[0] != (uint64_t)cpu) {
		kit_fail("CPU %u: context is %lx", cpu->index, cpu->x[0]);
	}
	for (unsigned int n = 1; n < 31; n++) {
		if (cpu->x[n] != 0) {
			kit_fail("CPU %u, start %lu: x%u is %lx", cpu->index, cpu->come, n,
				 cpu->x[n]);
		}
	}
	if (cpu->sp != 0 || cpu->v[0] != 0 || cpu->v[1] != 0 || cpu->fp[0] != 0 ||
	    cpu->fp[1] != 0) {
		kit_fail("CPU %u, start %lu: sp %lx v %lx %lx fpcr %lx fpsr %lx", cpu->index,
			 cpu->come, cpu->sp, cpu->v[0], cpu->v[1], cpu->fp[0], cpu->fp[1]);
	}
	for (unsigned int i = 0; cpu->sve != 0 && i < 32 * 256 + 17 * 32; i += 8) {
		if (*(const volatile uint64_t *)(z + i) != 0) {
			kit_fail("CPU %u, start %lu: vectors at %u: %lx", cpu->index, cpu->come, i,
				 *(const volatile uint64_t *)(z + i));
			break;
		}
	}
}

static void tell(void)
{
	uint64_t starts = 0, calls = 0, wrong = 0;

	for (unsigned int i = 0; i < cpus; i++) {
		starts += cycle_cpus[i].come;
		calls += cycle_cpus[i].calls;
		wrong += cycle_cpus[i].wrong;
	}
	registers_tell(&cycle_cpus[1]);
	kit_printf(
		"cycle: %u CPUs, %lu times off and on each, %lu sleeps, %lu starts, %lu calls, %lu wrong, %lu early\n",
		cpus, times, sleeps * cpus, starts, calls, wrong, early);
	kit_end();
}

static void settle(void)
{
	unsigned int interrupt;

	__asm__ volatile("msr cntv_ctl_el0, xzr\n\tmsr cntp_ctl_el0, xzr\n\tisb");
	gic_cpu_on();
	gic_enable(3);
	gic_enable(GIC_VIRTUAL_TIMER);
	while ((interrupt = gic_take()) < 1020) {
		gic_done(interrupt);
	}
}

/* CPU 0 came with the boot: to see how CPU_ON starts it, it goes off, too. */
static void first_time(struct cycle_cpu *cpu)
{
	const uint64_t start = kit_counter();

	registers_compare(cpu, false);
	settle();
	present++;
	if (cpu->index == 1) {
		while (call(cpu, AFFINITY_INFO, 0, 0, 0) != 1 ||
		       call(cpu, CPU_ON, 0, (uint64_t)cycle_entry, (uint64_t)&cycle_cpus[0]) != 0) {
			if (is_late(start)) {
				lost(0, "does not go off");
			}
		}
	}
	while (present != cpus) {
		if (is_late(start)) {
			lost(0, "does not start");
		}
	}
}

static void came_again(struct cycle_cpu *cpu, uint64_t round)
{
	const enum kind kind = kind_of(round);

	if (kind == BY_TIMER && kit_counter() - cpu->goes < kit_counter_hz() * SLEEP_US / 1000000) {
		early++;
		kit_fail("CPU %u woke before its timer", cpu->index);
	}
	registers_compare(cpu, kind != OFF_AND_ON);
	settle();
	cpu->arrived = round + 1;
}

_Noreturn void cycle_on(struct cycle_cpu *cpu)
{
	cpu->come++;
	check_general(cpu);
	if (cpu->come == 1) {
		first_time(cpu);
	} else {
		came_again(cpu, now);
	}
	for (uint64_t round = now; round < rounds; round = now) {
		if (victim_of(round) == cpu->index && cpu->arrived != round + 1) {
			go(cpu, round);
		} else if (helper_of(round) == cpu->index) {
			help(cpu, round);
		} else {
			for (unsigned int i = 0; i < 20; i++) {
				be_busy(cpu);
			}
			doze();
		}
	}
	if (cpu->index == 0) {
		tell();
	}
	for (;;) {
		__asm__ volatile("wfi");
	}
}

static bool has_sve(void)
{
	uint64_t pfr0;

	__asm__("mrs %0, id_aa64pfr0_el1" : "=r"(pfr0));
	return (pfr0 >> 32 & 0xf) != 0;
}

void kit_main(void)
{
	cpus = (unsigned int)kit_option("cpus", 2);
	times = kit_option("times", 200);
	sleeps = kit_option("sleeps", 50);
	rounds = (times + sleeps) * cpus;
	registers_find();
	kit_printf("cycle: %u registers, %u writable\n", registers_count(), registers_writable());
	gic_on();
	for (unsigned int i = 0; i < cpus; i++) {
		cycle_cpus[i].index = i;
		cycle_cpus[i].random = 0x9e3779b97f4a7c15ull * (i + 1);
		cycle_cpus[i].sve = has_sve();
	}
	for (unsigned int i = 1; i < cpus; i++) {
		if (call(&cycle_cpus[0], CPU_ON, i, (uint64_t)cycle_entry,
			 (uint64_t)&cycle_cpus[i]) != 0) {
			kit_fail("CPU %u does not start", i);
			return;
		}
	}
	registers_spoil(cycle_cpus[0].reference, cycle_cpus[0].dirty);
	cycle_cpus[0].call[0] = CPU_OFF;
	cycle_down(&cycle_cpus[0], CYCLE_LOAD);
}
