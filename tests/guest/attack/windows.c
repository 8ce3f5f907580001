/* SPDX-License-Identifier: BSD-2-Clause */
/* More stage 1: the kit's tables (kit/mmu.c) get further entries. */
#include "attack.h"

#define BLOCK      (1ull << 0)
#define TABLE      (3ull << 0)
#define NORMAL     (0ull << 2)
#define DEVICE     (1ull << 2)
#define EL0        (1ull << 6)
#define INNER      (3ull << 8)
#define ACCESSED   (1ull << 10)
#define ADDRESS    0x0000fffffffff000ull

#define SCTLR_UCI  (1ull << 26)
#define SCTLR_UCT  (1ull << 15)
#define SCTLR_DZE  (1ull << 14)
#define SCTLR_ATA0 (1ull << 42)
#define SCTLR_ATA  (1ull << 43)
#define CPACR_ALL  (3ull << 20 | 3ull << 16 | 3ull << 24) /* FP, SVE, SME */

static uint64_t normal[512] __attribute__((aligned(4096)));
static uint64_t normal_high[512] __attribute__((aligned(4096)));
static uint64_t device_high[512] __attribute__((aligned(4096)));
static uint64_t beyond[512] __attribute__((aligned(4096)));

uint64_t *windows_root(void)
{
	uint64_t base;

	__asm__("mrs %0, ttbr0_el1" : "=r"(base));
	return (uint64_t *)(base & ADDRESS);
}

void windows_changed(void)
{
	__asm__ volatile("dsb sy\n\ttlbi vmalle1is\n\tdsb sy\n\tisb" : : : "memory");
}

void windows_make(void)
{
	uint64_t *root = windows_root();
	uint64_t *low = (uint64_t *)(root[0] & ADDRESS);

	for (uint64_t i = 0; i < 512; i++) {
		normal[i] = i << 30 | NORMAL | INNER | ACCESSED | BLOCK;
		normal_high[i] = (512 + i) << 30 | NORMAL | INNER | ACCESSED | BLOCK;
		device_high[i] = (512 + i) << 30 | DEVICE | ACCESSED | BLOCK;
	}
	for (uint64_t i = 0; i < BEYOND_COUNT; i++) {
		beyond[i] = 1ull << (40 + i) | NORMAL | INNER | ACCESSED | BLOCK;
	}
	root[WINDOW_NORMAL >> 39] = (uint64_t)normal | TABLE;
	root[WINDOW_NORMAL_HIGH >> 39] = (uint64_t)normal_high | TABLE;
	root[WINDOW_DEVICE_HIGH >> 39] = (uint64_t)device_high | TABLE;
	root[WINDOW_BEYOND >> 39] = (uint64_t)beyond | TABLE;
	/* Writable at EL0 is never executable at EL1: these are for EL0's code and data only. */
	low[WINDOW_EL0_RAM >> 30] = RAM_START | NORMAL | INNER | ACCESSED | EL0 | BLOCK;
	low[WINDOW_EL0_FIRST >> 30] = 0 | NORMAL | INNER | ACCESSED | EL0 | BLOCK;
	windows_changed();
}

void windows_enter(void)
{
	uint64_t sctlr, pfr1, tcr, mair = 0x04ff;

	__asm__ volatile("mrs %0, sctlr_el1\n\tmrs %1, id_aa64pfr1_el1\n\tmrs %2, tcr_el1"
			 : "=r"(sctlr), "=r"(pfr1), "=r"(tcr));
	sctlr |= SCTLR_UCI | SCTLR_UCT | SCTLR_DZE;
	if ((pfr1 >> 8 & 0xf) >= 2) {
		mair = 0x04f0; /* Normal memory has allocation tags */
		sctlr |= SCTLR_ATA | SCTLR_ATA0;
	}
	tcr = (tcr & ~(7ull << 32)) | 5ull << 32; /* IPS: 48 bits, or what there is */
	__asm__ volatile(
		"msr mair_el1, %0\n\tmsr tcr_el1, %1\n\tmsr cpacr_el1, %2\n\tmsr sctlr_el1, %3"
		:
		: "r"(mair), "r"(tcr), "r"(CPACR_ALL), "r"(sctlr)
		: "memory");
	windows_changed();
}

uint64_t window_normal(uint64_t physical)
{
	return physical < 512 * GIB ? WINDOW_NORMAL + physical
				    : WINDOW_NORMAL_HIGH + (physical - 512 * GIB);
}

uint64_t window_plain(uint64_t physical)
{
	if (physical >= WINDOW_EL0_FIRST && physical < WINDOW_EL0_RAM + GIB) {
		return window_normal(physical); /* the kit's view is taken by EL0's windows */
	}
	return physical < 512 * GIB ? physical : WINDOW_DEVICE_HIGH + (physical - 512 * GIB);
}
