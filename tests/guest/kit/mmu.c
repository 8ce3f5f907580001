/* SPDX-License-Identifier: BSD-2-Clause */
/* Stage 1 of bare-metal guests: what kit.h says, in 1 GiB blocks. */
#include "kit.h"

#define BLOCK      (1ull << 0)
#define TABLE      (3ull << 0)
#define NORMAL     (0ull << 2)
#define DEVICE     (1ull << 2)
#define EL0        (1ull << 6)
#define INNER      (3ull << 8)
#define ACCESSED   (1ull << 10)
#define PXN        (1ull << 53)
#define GIB        30
#define FIRST_RAM  1u
#define FIRST_HIGH 256u

static uint64_t level0[512] __attribute__((aligned(4096)));
static uint64_t level1[2][512] __attribute__((aligned(4096)));

void kit_mmu_on(void);

void kit_map(uint64_t address, uint64_t ipa, bool el0)
{
	bool ram = ipa >> GIB >= FIRST_RAM && ipa >> GIB < FIRST_HIGH;

	((volatile uint64_t *)level1[address >> 39])[address >> GIB & 0x1ff] =
		ipa | (ram ? NORMAL | INNER : DEVICE) | ACCESSED | BLOCK | (el0 ? EL0 | PXN : 0);
	__asm__ volatile("dsb sy\n\ttlbi vmalle1is\n\tdsb sy\n\tisb" : : : "memory");
}

/* Runs with the MMU off; every CPU writes the same values. */
void kit_mmu_on(void)
{
	uint64_t sctlr;

	for (unsigned int i = 0; i < 512; i++) {
		bool ram = i >= FIRST_RAM && i < FIRST_HIGH;
		uint64_t block = (uint64_t)i << GIB | (ram ? NORMAL | INNER : DEVICE) | ACCESSED |
				 BLOCK;

		((volatile uint64_t *)level1[0])[i] = block;
		((volatile uint64_t *)level1[1])[i] = block | EL0 | PXN;
	}
	((volatile uint64_t *)level0)[0] = (uint64_t)level1[0] | TABLE;
	((volatile uint64_t *)level0)[1] = (uint64_t)level1[1] | TABLE;
	__asm__ volatile(
		"msr mair_el1, %0\n\tmsr tcr_el1, %1\n\tmsr ttbr0_el1, %2\n\tdsb sy\n\tisb\n\t"
		"tlbi vmalle1\n\tdsb sy\n\tisb"
		:
		/* 0 Normal write-back, 1 Device-nGnRE; 48 bits, inner shareable, EPD1, IPS 40 bits */
		: "r"(0x04ffull),
		  "r"(16ull | 1ull << 8 | 1ull << 10 | 3ull << 12 | 1ull << 23 | 2ull << 32),
		  "r"(level0)
		: "memory");
	__asm__ volatile("mrs %0, sctlr_el1" : "=r"(sctlr));
	sctlr |= 1ull << 0 | 1ull << 2 | 1ull << 12; /* M, C, I */
	__asm__ volatile("msr sctlr_el1, %0\n\tisb" : : "r"(sctlr) : "memory");
}
