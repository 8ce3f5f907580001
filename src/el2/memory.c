/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is done to guest RAM as a whole: it is overwritten before another system starts in it, where the guest asked
 * for that (MEM_PROTECT, DEN0022 5.14). The monitor has none of it mapped: it looks through a window, 2 MiB at a time.
 * Allocation tags (MTE) are not overwritten.
 */
#include "el2.h"
#include "sysreg.h"

/* Outlives a reset: the loader does not write there, nor does head.S. Zero when the machine is made. */
struct kept {
	uint64_t protect;
};
#define KEPT       ((volatile struct kept *)EL2_KEPT_PA)
#define PROTECT_ON 0x50524f5445435421ull /* nothing that memory has by chance */

bool memory_protect(void *host, bool on)
{
	(void)host;
	KEPT->protect = on ? PROTECT_ON : 0;
	cache_flush((const void *)EL2_KEPT_PA, sizeof(struct kept));
	return true;
}

bool memory_is_ram_range(void *host, uint64_t ipa, uint64_t bytes)
{
	uint64_t pa;

	(void)host;
	return stage2_ram(ipa, bytes, &pa);
}

static uint64_t line_bytes(void)
{
	return 4ull << id_field(sysreg_read(ctr_el0), 16);
}

/* [at, at + bytes) of the window. */
static void clean(uint64_t at, uint64_t bytes)
{
	const uint64_t line = line_bytes(), end = at + bytes;

	for (at &= ~(line - 1); at < end; at += line) {
		__asm__ volatile("dc civac, %0" : : "r"(at) : "memory");
	}
	dsb_sy();
}

/* What the loader has put there for the system that starts now. */
static bool is_loaded(const struct el2_launch *launch, uint64_t ipa, uint64_t bytes, bool whole)
{
	for (unsigned int i = 0; i < launch->blob_count; i++) {
		const uint64_t start = launch->blobs[i].ipa, end = start + launch->blobs[i].bytes;

		if (whole ? ipa >= start && ipa + bytes <= end : ipa < end && ipa + bytes > start) {
			return true;
		}
	}
	return false;
}

static void erase_page(const struct el2_launch *launch, uint64_t ipa, volatile uint8_t *page)
{
	if (!is_loaded(launch, ipa, PAGE_SIZE, false)) {
		volatile uint64_t *words = (volatile uint64_t *)page;

		for (unsigned int i = 0; i < PAGE_SIZE / 8; i++) {
			words[i] = 0;
		}
		return;
	}
	for (unsigned int i = 0; i < PAGE_SIZE && !is_loaded(launch, ipa, PAGE_SIZE, true); i++) {
		if (!is_loaded(launch, ipa + i, 1, false)) {
			page[i] = 0;
		}
	}
}

static void erase(const struct el2_launch *launch, const struct el2_region *region)
{
	uint64_t ipa = region->ipa, pa = region->pa, bytes = region->bytes;

	while (bytes != 0) {
		const uint64_t rest = MMU_WINDOW_BYTES - pa % MMU_WINDOW_BYTES;
		const uint64_t part = bytes < rest ? bytes : rest, at = mmu_window(pa);

		for (uint64_t page = 0; page < part; page += PAGE_SIZE) {
			erase_page(launch, ipa + page, (volatile uint8_t *)(at + page));
		}
		clean(at, part); /* the guest starts with its caches off */
		ipa += part;
		pa += part;
		bytes -= part;
	}
	mmu_window_close();
}

void memory_init(const struct el2_launch *launch)
{
	if (KEPT->protect != PROTECT_ON) {
		return;
	}
	for (unsigned int i = 0; i < launch->region_count; i++) {
		if (launch->regions[i].kind == EL2_RAM) {
			erase(launch, &launch->regions[i]);
		}
	}
	memory_protect(NULL, false);
}
