/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A storm of calls from all CPUs: any ID, half of them near those of the catalogue; any registers; both
 * conduits; CPUs that turn themselves and each other on and off and fall asleep. Left out until the end are
 * only the calls that end the machine. Counted are all of them, by function, to be compared with the
 * monitor's counters. Options: calls=N by all CPUs together, cpus=N, seed=N, hint=1 from SMCCC 1.3 on.
 */
#include "storm/storm.h"

#include "../property/expected_masks.h"
#include "kit/gic.h"
#include "kit/kit.h"

#define RAM            0x40000000u
#define HINT           0x00010000u
#define WIDTH          0x40000000u
#define PSCI_VERSION   0x84000000u
#define CPU_SUSPEND    0x84000001u
#define CPU_OFF        0x84000002u
#define CPU_ON         0x84000003u
#define SYSTEM_OFF     0x84000008u
#define SYSTEM_RESET   0x84000009u
#define SYSTEM_SUSPEND 0x8400000eu
#define SYSTEM_RESET2  0x84000012u
#define SYSTEM_OFF2    0x84000015u
#define ON_64          (CPU_ON | WIDTH)

#define HASH           4096u
#define TOLD           20u

static const struct function {
	uint32_t id32, id64;
	char name[44];
} functions[] = {
	{0, 0, "(unknown functions)"},
#define HVC_FUNCTION(name, id32, id64, ...) {id32, id64, #name},
#include <hvcgate/catalog.def>
#undef HVC_FUNCTION
};
#define FUNCTIONS (sizeof(functions) / sizeof(functions[0]))
_Static_assert(FUNCTIONS <= 255, "slots");

struct storm_cpu {
	uint32_t index;
	uint8_t kit[STORM_CONTEXT - 4]; /* struct kit_cpu begins with its index, too */
	uint64_t context;
	uint64_t random, made, started, wrong;
	volatile uint64_t done;
	uint32_t counts[FUNCTIONS];
} __attribute__((aligned(STORM_CPU_BYTES)));
_Static_assert(sizeof(struct storm_cpu) == STORM_CPU_BYTES, "entry.S");
_Static_assert(offsetof(struct storm_cpu, context) == STORM_CONTEXT, "entry.S");

extern char storm_entry[];
extern struct storm_cpu storm_cpus[KIT_MAX_CPUS];
struct storm_cpu storm_cpus[KIT_MAX_CPUS];
_Noreturn void storm_on(struct storm_cpu *cpu);

static struct {
	uint32_t id;
	uint8_t slot;
} hash[HASH];
static uint64_t quota;
static unsigned int cpus;
static bool hint_counts;

static unsigned int hash_of(uint32_t id)
{
	return (id * 2654435761u) >> 20;
}

static void hash_put(uint32_t id, unsigned int slot)
{
	unsigned int at = hash_of(id);

	while (hash[at].slot != 0) {
		at = (at + 1) % HASH;
	}
	hash[at].id = id;
	hash[at].slot = (uint8_t)slot;
}

static unsigned int slot_of(uint32_t id)
{
	for (unsigned int at = hash_of(id); hash[at].slot != 0; at = (at + 1) % HASH) {
		if (hash[at].id == id) {
			return hash[at].slot;
		}
	}
	return 0;
}

static uint32_t without_hint(uint32_t id)
{
	return id >> 31 != 0 && hint_counts ? id & ~HINT : id;
}

/* Make a call, count it, and look at what changed. Must not come back if the CPU goes on elsewhere. */
static uint64_t make(struct storm_cpu *cpu, unsigned int conduit, unsigned int immediate,
		     struct kit_regs *regs)
{
	const struct kit_regs before = *regs;
	const uint32_t id = (uint32_t)regs->x[0];
	uint64_t changed, right;

	cpu->made++;
	cpu->counts[immediate != 0 ? 0 : slot_of(without_hint(id))]++;
	changed = kit_call((enum kit_conduit)conduit, immediate, regs);
	right = expected_changes(id, (uint16_t)immediate, regs->x[0]);
	for (unsigned int n = 0; n < 18; n++) {
		changed |= (uint64_t)(before.x[n] != regs->x[n]) << n;
	}
	if ((changed & ~right) != 0 && cpu->wrong++ < TOLD) {
		kit_fail("%lx by conduit %u, immediate %u: x0 %lx, changed %lx, expected %lx",
			 before.x[0], conduit, immediate, regs->x[0], changed, right);
	}
	return regs->x[0];
}

static uint64_t random(struct storm_cpu *cpu)
{
	return kit_random(&cpu->random);
}

static uint32_t random_id(struct storm_cpu *cpu)
{
	const uint64_t r = random(cpu);
	const struct function *f = &functions[1 + (r >> 8) % (FUNCTIONS - 1)];
	uint32_t id = (r & 0x80) != 0 && f->id64 != 0 ? f->id64 : f->id32;

	if ((r & 1) != 0) {
		return (uint32_t)(r >> 32);
	}
	switch (r >> 1 & 7) {
	case 0:
		return id + (uint32_t)(r >> 40 & 7) - 3;
	case 1:
		return id ^ 1u << (r >> 40 & 31);
	case 2:
		return id ^ HINT;
	case 3:
		return id ^ WIDTH;
	default:
		return id;
	}
}

static uint64_t any_argument(struct storm_cpu *cpu)
{
	const uint64_t r = random(cpu);

	switch (r & 3) {
	case 0:
		return r >> 2 & 7;
	case 1:
		return 1ull << (r >> 2 & 63);
	case 2:
		return (uint64_t)storm_entry;
	default:
		return random(cpu);
	}
}

/* As an entry of CPU_ON or CPU_SUSPEND it must not lead into the middle of the guest; the 32-bit forms look at 32 bits. */
static uint64_t random_argument(struct storm_cpu *cpu)
{
	const uint64_t argument = any_argument(cpu);

	return (uint32_t)argument >> 28 == RAM >> 28 ? (uint64_t)storm_entry : argument;
}

/* Calls that nobody wakes up from. */
static bool ends(const struct storm_cpu *cpu, uint32_t id)
{
	const uint32_t number = id & ~(HINT | WIDTH);

	return number == SYSTEM_OFF || number == SYSTEM_RESET || number == SYSTEM_RESET2 ||
	       number == SYSTEM_OFF2 || (number == CPU_OFF && cpu->index == 0);
}

/* The virtual timer is always due, so that whoever sleeps wakes at once. */
static void always_due(void)
{
	gic_cpu_on();
	gic_enable(GIC_VIRTUAL_TIMER);
	__asm__ volatile("msr cntv_cval_el0, xzr\n\tmsr cntv_ctl_el0, %0\n\tisb" : : "r"(1ull));
}

static void one_call(struct storm_cpu *cpu)
{
	const uint64_t r = random(cpu);
	const unsigned int immediate = (r & 7) == 0 ? 1 : 0;
	struct kit_regs regs;

	for (unsigned int n = 1; n < 18; n++) {
		regs.x[n] = random_argument(cpu);
	}
	/* Power: now and then on purpose. */
	if ((r >> 8 & 63) == 0) {
		regs.x[0] = ON_64;
		regs.x[1] = r >> 16 & 3;
		regs.x[2] = (uint64_t)storm_entry;
	} else if ((r >> 8 & 511) == 1) {
		regs.x[0] = CPU_SUSPEND | WIDTH;
		regs.x[1] = (r >> 20 & 1) << 16;
		regs.x[2] = (uint64_t)storm_entry;
	} else {
		regs.x[0] = (random(cpu) << 32) | random_id(cpu);
	}
	if (immediate == 0 && ends(cpu, (uint32_t)regs.x[0])) {
		return;
	}
	make(cpu, r >> 7 & 1, immediate, &regs);
}

static _Noreturn void stay(void)
{
	__asm__ volatile("msr cntv_ctl_el0, xzr\n\tisb");
	for (;;) {
		__asm__ volatile("wfi");
	}
}

/* Whoever comes back from being off or asleep finds in memory how far it was. */
static void storm(struct storm_cpu *cpu)
{
	always_due();
	while (cpu->made < quota) {
		one_call(cpu);
	}
	cpu->done = 1;
}

static void turn_on(struct storm_cpu *by, unsigned int index)
{
	struct kit_regs regs = {.x = {ON_64, index, (uint64_t)storm_entry}};

	make(by, KIT_HVC, 0, &regs);
}

static void tell(void)
{
	struct kit_regs regs = {.x = {PSCI_VERSION}};
	uint64_t total = 0, wrong = 0, started = 0;

	make(&storm_cpus[0], KIT_SMC, 0, &regs);
	for (unsigned int i = 0; i < cpus; i++) {
		total += storm_cpus[i].made;
		wrong += storm_cpus[i].wrong;
		started += storm_cpus[i].started;
	}
	for (unsigned int slot = 0; slot < FUNCTIONS; slot++) {
		uint64_t count = 0;

		for (unsigned int i = 0; i < cpus; i++) {
			count += storm_cpus[i].counts[slot];
		}
		kit_printf("storm: count %s %lu\n", functions[slot].name, count);
	}
	kit_printf("storm: %lu calls, %lu starts, %lu wrong, PSCI_VERSION %lx\n", total, started,
		   wrong, regs.x[0]);
	kit_end();
}

/* CPU 0 sees to it that the others get on: they may be off. */
static _Noreturn void finish(struct storm_cpu *cpu)
{
	for (unsigned int i = 1; i < cpus; i++) {
		while (storm_cpus[i].done == 0) {
			turn_on(cpu, i);
			for (unsigned int n = 0; n < 1000; n++) {
				kit_yield();
			}
		}
	}
	tell();
	for (;;) {
	}
}

_Noreturn void storm_on(struct storm_cpu *cpu)
{
	cpu->started++;
	storm(cpu);
	if (cpu->index == 0) {
		finish(cpu);
	}
	stay();
}

void kit_main(void)
{
	cpus = (unsigned int)kit_option("cpus", 1);
	quota = kit_option("calls", 100000) / cpus;
	hint_counts = kit_option("hint", 0) != 0;
	for (unsigned int slot = 1; slot < FUNCTIONS; slot++) {
		if (functions[slot].id32 != 0) {
			hash_put(functions[slot].id32, slot);
		}
		if (functions[slot].id64 != 0) {
			hash_put(functions[slot].id64, slot);
		}
	}
	for (unsigned int i = 0; i < KIT_MAX_CPUS; i++) {
		storm_cpus[i].index = i;
		storm_cpus[i].random = (kit_option("seed", 1) + 1) * 0x9e3779b97f4a7c15ull + i;
	}
	kit_printf("storm: %u CPUs\n", cpus);
	gic_on();
	for (unsigned int i = 1; i < cpus; i++) {
		turn_on(&storm_cpus[0], i);
	}
	storm_on(&storm_cpus[0]);
}
