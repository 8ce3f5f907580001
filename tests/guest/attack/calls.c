/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls from places and in states where a careless monitor loses its footing. */
#include "attack.h"

#define PSCI_VERSION        0x84000000u
#define PSCI_CPU_SUSPEND    0xc4000001u
#define PSCI_CPU_ON         0xc4000003u
#define PSCI_SYSTEM_SUSPEND 0xc400000eu
#define POWER_DOWN          0x00010000u

#define HVC_0               0xd4000002u
#define SMC_0               0xd4000003u

/* odd.S */
uint64_t odd_stack_call(uint64_t id);
uint64_t odd_endian_call(uint64_t id);
uint64_t odd_mmu_off_call(uint64_t id);
void odd_mmu_off_load(void *arg);

static bool is_version(uint64_t answer)
{
	return answer >= 0x10000 && answer < 0x20000;
}

/* The last instruction of RAM: what is behind it is not the guest's, and that is where it goes on. */
static void last_word(uint32_t instruction)
{
	struct kit_fault fault;
	uint32_t *const last = (uint32_t *)(RAM_END - 4);
	const uint32_t old = *last;
	bool done;

	*last = instruction;
	__asm__ volatile("dc cvau, %0\n\tdsb ish\n\tic ivau, %0\n\tdsb ish\n\tisb" : : "r"(last));
	done = kit_execute(RAM_END - 4, &fault);
	attempt(!done && is_external(&fault) && fault.far == RAM_END && fault.elr == RAM_END,
		"call in the last word of RAM", instruction, done ? 0 : fault.elr);
	*last = old;
}

/* Entry points that are not RAM, not aligned, or not addresses. */
static void entries(void)
{
	static const uint64_t bad[] = {
		0x00000000,     0x08000000,         0x09000000,   0x09020000,         0x3c200000,
		0x3ffffffc,     0x40000001,         0x40000002,   0x8000000000,       0x10000000000,
		0x800040000000, 0xffff000040000000, 0x1040000000, 0x8000000040000000, ~0ull,
	};

	for (unsigned int i = 0; i <= sizeof(bad) / sizeof(bad[0]); i++) {
		const uint64_t entry = i == 0 ? RAM_END : bad[i - 1];
		int64_t answer = (int64_t)kit_hvc(PSCI_CPU_ON, 0, entry, 0);

		attempt(answer < 0, "CPU_ON at a bad entry", entry, (uint64_t)answer);
		answer = (int64_t)kit_hvc(PSCI_CPU_SUSPEND, POWER_DOWN, entry, 0);
		attempt(answer < 0, "CPU_SUSPEND with a bad entry", entry, (uint64_t)answer);
		answer = (int64_t)kit_hvc(PSCI_SYSTEM_SUSPEND, entry, 0, 0);
		attempt(answer < 0, "SYSTEM_SUSPEND with a bad entry", entry, (uint64_t)answer);
	}
}

static void odd_states(void)
{
	static const uint64_t hidden[] = {0x09020000, 0x3c200000, 0x3e000000, 0x0a000000};
	uint64_t answer = odd_stack_call(PSCI_VERSION);

	attempt(is_version(answer), "call with an odd stack pointer", 0, answer);
	answer = odd_endian_call(PSCI_VERSION);
	attempt(is_version(answer), "call of a big-endian guest", 0, answer);
	answer = odd_mmu_off_call(PSCI_VERSION);
	attempt(is_version(answer), "call with the MMU off", 0, answer);
	for (unsigned int i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
		uint64_t address = hidden[i], sctlr;
		struct kit_fault fault;
		bool done;

		__asm__ volatile("mrs %0, sctlr_el1" : "=r"(sctlr));
		done = kit_try(odd_mmu_off_load, &address, &fault);
		__asm__ volatile("msr sctlr_el1, %0\n\tisb" : : "r"(sctlr) : "memory");
		attempt(!done && is_external(&fault) && fault.far == hidden[i],
			"load with the MMU off", hidden[i], done ? 0 : fault.esr);
	}
}

void attack_calls(void)
{
	last_word(HVC_0);
	last_word(SMC_0);
	entries();
	odd_states();
}
