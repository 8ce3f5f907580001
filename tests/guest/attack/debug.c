/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Self-hosted debug aimed at the monitor: breakpoints on its vectors, watchpoints on its stacks, single step
 * through a call. None of it may stop EL2, and steps must come where the architecture has them.
 * Source: DDI 0487, D2 (debug exceptions), DBGBCR_EL1, DBGWCR_EL1, MDSCR_EL1.
 */
#include "attack.h"

#define MONITOR_CODE  0x40200000ull
#define MONITOR_DATA  0x40210000ull

#define BCR_ALL       (1ull | 3ull << 1 | 0xfull << 5 | 1ull << 13) /* E, any EL, all bytes, HMC */
#define WCR_ALL       (1ull | 3ull << 1 | 3ull << 3 | 0xffull << 5 | 1ull << 13 | 20ull << 24)
#define MDSCR_MDE_KDE (1ull << 15 | 1ull << 13)
#define MDSCR_SS      1ull

#define EC_STEP_SAME  0x33u

#define PSCI_VERSION  0x84000000u

void attack_step(void *code); /* odd.S */

static void calls(const char *what)
{
	for (unsigned int i = 0; i < 32; i++) {
		struct kit_regs regs = {.x = {PSCI_VERSION}};
		const uint64_t changed = kit_call(i % 2 == 0 ? KIT_HVC : KIT_SMC, 0, &regs);

		attempt(changed == 0 && regs.x[0] >= 0x10000 && regs.x[0] < 0x20000, what, i,
			regs.x[0]);
	}
}

static void call_once(void *arg)
{
	(void)arg;
	__asm__ volatile("msr daifclr, #8\n\tisb" : : : "memory");
	calls("call under breakpoints");
	__asm__ volatile("msr daifset, #8\n\tisb" : : : "memory");
}

/* Breakpoint 0 on each of the first pages, watchpoint 0 over 1 MiB of the monitor. */
static void breakpoints(void)
{
	struct kit_fault fault;
	uint64_t old;

	__asm__ volatile("msr oslar_el1, xzr\n\tisb\n\tmrs %0, mdscr_el1" : "=r"(old));
	__asm__ volatile("msr dbgwvr0_el1, %0\n\tmsr dbgwcr0_el1, %1\n\tmsr mdscr_el1, %2\n\tisb"
			 :
			 : "r"(MONITOR_DATA & ~0xfffffull), "r"(WCR_ALL), "r"(MDSCR_MDE_KDE));
	for (uint64_t at = MONITOR_CODE; at < MONITOR_CODE + 0x2000; at += 0x80) {
		__asm__ volatile("msr dbgbvr0_el1, %0\n\tmsr dbgbcr0_el1, %1\n\tisb"
				 :
				 : "r"(at), "r"(BCR_ALL));
		attempt(kit_try(call_once, NULL, &fault), "breakpoint in the monitor", at,
			fault.esr);
	}
	__asm__ volatile("msr dbgbcr0_el1, xzr\n\tmsr dbgwcr0_el1, xzr\n\tmsr mdscr_el1, %0\n\tisb"
			 :
			 : "r"(old));
}

/* Step on to a call: the next exception is a step, at the instruction behind the call or at the call itself. */
static void step_over(uint32_t instruction)
{
	static uint32_t page[KIT_MAX_CPUS][1024] __attribute__((aligned(4096)));
	uint32_t *code = page[kit_cpu_index()];
	struct kit_fault fault;
	uint64_t at = (uint64_t)code;
	bool done;

	code[0] = instruction;
	code[1] = 0xd503201f; /* nop */
	code[2] = 0xd65f03c0; /* ret */
	__asm__ volatile("dc cvau, %0\n\tdsb ish\n\tic ivau, %0\n\tdsb ish\n\tisb" : : "r"(code));
	__asm__ volatile("msr mdscr_el1, %0\n\tisb" : : "r"(MDSCR_MDE_KDE | MDSCR_SS));
	done = kit_try(attack_step, &at, &fault);
	__asm__ volatile("msr mdscr_el1, xzr\n\tisb");
	attempt(!done && KIT_EC(fault.esr) == EC_STEP_SAME && fault.elr == (uint64_t)(code + 1),
		"step over a call", instruction, done ? 0 : fault.elr);
}

void attack_debug(void)
{
	breakpoints();
	step_over(0xd503201f);
	step_over(0xd4000002);
	step_over(0xd4000003);
}
