/* SPDX-License-Identifier: BSD-2-Clause */
/* Stage 1 tables that lie where the guest may not look: the walk itself is the access. */
#include "attack.h"

#include "../kit/instruction.h"

#define TABLE      (3ull << 0)
#define TABLE_BITS 30 /* a level 1 entry */

static uint64_t level1[512] __attribute__((aligned(4096)));
static uint64_t level2[512] __attribute__((aligned(4096)));

static const uint64_t places[] = {
	0x00000000,   0x08080000,   0x08100000 + 0x0f00000,
	0x09020000,   0x0a000000,   0x3c000000,
	0x3c200000,   0x3d000000,   0x3e000000,
	0x3eff1000,   0x3f000000,   0x4010000000,
	0x8000000000, 0xfffffff000,
};

static void expect(const char *what, uint64_t table, uint64_t address)
{
	struct kit_fault fault;
	uint64_t value;

	attempt(!kit_read(address, 8, &value, &fault) && KIT_EC(fault.esr) == KIT_EC_DABORT_SAME,
		what, table, fault.esr);
	attempt(!kit_write(address, 8, 0, &fault) && KIT_EC(fault.esr) == KIT_EC_DABORT_SAME, what,
		table, fault.esr);
	attempt(!kit_execute(address, &fault) && KIT_EC(fault.esr) == KIT_EC_IABORT_SAME, what,
		table, fault.esr);
	/* The walk of an address translation instruction */
	if (access_try(ACCESS_LOAD, address, &fault)) {
		attempt(false, what, table, 0);
	}
}

static void translate(uint64_t table, uint64_t address)
{
	struct kit_fault fault;
	uint64_t x0 = address;
	/* AT S1E1R, x0; AT S1E0W, x0 */
	const bool read = instruction_try(0xd5087800, &x0, &fault);
	uint64_t par = 1;

	if (read) {
		__asm__ volatile("mrs %0, par_el1" : "=r"(par));
	}
	attempt((par & 1) != 0, "AT through a hidden table", table, par);
	x0 = address;
	par = 1;
	if (instruction_try(0xd5087860, &x0, &fault)) {
		__asm__ volatile("mrs %0, par_el1" : "=r"(par));
	}
	attempt((par & 1) != 0, "AT through a hidden table", table, par);
}

/* Tables of levels 1, 2 and 3 in turn. */
static void hidden_tables(uint64_t place)
{
	uint64_t *const root = windows_root();

	root[WINDOW_INDEX] = place | TABLE;
	windows_changed();
	expect("level 1 table", place, WINDOW_WALK);
	translate(place, WINDOW_WALK);
	root[WINDOW_INDEX] = (uint64_t)level1 | TABLE;
	level1[0] = place | TABLE;
	windows_changed();
	expect("level 2 table", place, WINDOW_WALK);
	translate(place, WINDOW_WALK);
	level1[0] = (uint64_t)level2 | TABLE;
	level2[0] = place | TABLE;
	windows_changed();
	expect("level 3 table", place, WINDOW_WALK);
	translate(place, WINDOW_WALK);
	root[WINDOW_INDEX] = 0;
	windows_changed();
}

/* The upper half's root: TTBR1, with hardware management of the access flag where there is any. */
static void hidden_root(uint64_t place)
{
	const uint64_t upper = 0xffff000000000000ull;
	uint64_t old, tcr;

	__asm__ volatile("mrs %0, tcr_el1" : "=r"(old));
	tcr = old & ~(1ull << 23); /* EPD1 off */
	tcr |= 16ull << 16 | 2ull << 30 | 3ull << 28 |
	       5ull << 24; /* T1SZ, 4 KiB, shareable, cached */
	tcr |= 3ull << 39; /* HA, HD */
	__asm__ volatile("msr ttbr1_el1, %0\n\tmsr tcr_el1, %1\n\tisb" : : "r"(place), "r"(tcr));
	windows_changed();
	expect("root", place, upper);
	expect("root", place, upper + 0xff8000000000);
	translate(place, upper);
	__asm__ volatile("msr tcr_el1, %0\n\tisb" : : "r"(old));
	windows_changed();
}

void attack_walks(void)
{
	for (unsigned int i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		hidden_tables(places[i]);
		hidden_root(places[i]);
	}
	hidden_tables(RAM_END);
	hidden_root(RAM_END);
}
