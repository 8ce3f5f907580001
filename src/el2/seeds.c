/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random values in the guest's device tree (rng-seed, kaslr-seed), new at every boot: a reset restores
 * the tree with the values of the first one. Without random numbers the properties become FDT_NOPs, for a
 * guest believes what stands there. But for memory.c the only time that the monitor looks into guest RAM.
 * Source: Devicetree Specification 0.4, 5.4 (structure block).
 */
#include "el2.h"
#include "sysreg.h"

#define FDT_PROP 3u
#define FDT_NOP  4u

static uint32_t big_endian(uint32_t value)
{
	return __builtin_bswap32(value);
}

static void write_property(volatile uint32_t *property, uint64_t bytes, unsigned int number)
{
	uint64_t random[EL2_SEED_MAX / 8];
	volatile uint64_t *wipe = random;
	const uint32_t *words = (const uint32_t *)(void *)random;

	if (property[0] != big_endian(FDT_PROP) || property[1] != big_endian((uint32_t)bytes)) {
		report_refused("no property of the device tree where there should be seed", number);
	}
	if (!entropy_fill(NULL, random, EL2_SEED_MAX / 8)) {
		for (uint64_t i = 0; i < (EL2_SEED_HEADER + bytes) / 4; i++) {
			property[i] = big_endian(FDT_NOP);
		}
		return;
	}
	for (uint64_t i = 0; i < bytes / 4; i++) {
		property[EL2_SEED_HEADER / 4 + i] = words[i];
	}
	for (unsigned int i = 0; i < EL2_SEED_MAX / 8; i++) {
		wipe[i] = 0;
	}
}

void seeds_write(const struct el2_launch *launch)
{
	for (unsigned int i = 0; i < launch->seed_count; i++) {
		const struct el2_seed *seed = &launch->seeds[i];
		uint64_t bytes = EL2_SEED_HEADER + seed->bytes, pa;

		if (!stage2_ram(seed->ipa - EL2_SEED_HEADER, bytes, &pa)) {
			continue; /* launch_check() has refused it */
		}
		mmu_map_guest(pa, bytes);
		write_property((volatile uint32_t *)pa, seed->bytes, i);
		cache_flush((const void *)pa, bytes); /* the guest starts with its caches off */
		mmu_unmap_guest(pa, bytes);
	}
}
