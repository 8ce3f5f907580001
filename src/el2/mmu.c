/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The monitor's own address space: identity-mapped, write xor execute, only what it needs. Guest RAM is
 * not in it, but for a moment at boot (seeds.c) and through a window of each CPU (memory.c). Nothing else of the tables
 * changes once a guest runs.
 * Source: DDI 0487, D8.3 (VMSAv8-64 descriptors), 4 KiB granule, 48 bits, non-VHE EL2 (one range).
 */
#include "el2.h"
#include "sysreg.h"

#define DESC_VALID   (1ull << 0)
#define DESC_TABLE   (1ull << 1) /* in levels 0 to 2; in level 3: a page */
#define DESC_AP_EL1  (1ull << 6) /* AP[1] is RES1 where there is one privilege level */
#define DESC_RO      (1ull << 7) /* AP[2] */
#define DESC_SH_ISH  (3ull << 8)
#define DESC_AF      (1ull << 10)
#define DESC_XN      (1ull << 54)
#define DESC_ADDRESS 0x0000fffffffff000ull
#define DESC_ATTR(n) ((uint64_t)(n) << 2)

/* MAIR_EL2: 0 Normal write-back, 1 Device-nGnRE */
#define MAIR        0x04ffull
#define ATTR_NORMAL DESC_ATTR(0)
#define ATTR_DEVICE DESC_ATTR(1)

#define NORMAL_RX   (ATTR_NORMAL | DESC_SH_ISH | DESC_RO)
#define NORMAL_R    (ATTR_NORMAL | DESC_SH_ISH | DESC_RO | DESC_XN)
#define NORMAL_RW   (ATTR_NORMAL | DESC_SH_ISH | DESC_XN)
#define DEVICE_RW   (ATTR_DEVICE | DESC_XN)

/* TCR_EL2: RES1 bits, inner shareable, write-back walks, T0SZ 16 = 48 bits */
#define TCR_EL2_RES1 (1ull << 31 | 1ull << 23)
#define TCR_EL2_WALK (3ull << 12 | 1ull << 10 | 1ull << 8 | 16)

/* Where no physical memory is: the end of 48 bits. */
#define WINDOWS 0xffffc0000000ull

extern char __text_start[], __text_end[], __rodata_start[], __rodata_end[];
extern char __data_start[], __data_end[], __stacks[], __pool_start[], __pool_end[];

static uint64_t *root;
static char *pool;

void *page_alloc(void)
{
	uint64_t *page = (uint64_t *)(void *)pool;

	if (pool >= __pool_end) {
		report_refused("no memory left for page tables; pages used",
			       (uint64_t)(__pool_end - __pool_start) / PAGE_SIZE);
	}
	pool += PAGE_SIZE;
	for (unsigned int i = 0; i < PAGE_SIZE; i += 16) { /* as head.S does with the rest */
		__asm__ volatile("dc ivac, %0" : : "r"((char *)page + i) : "memory");
	}
	dsb_sy();
	for (unsigned int i = 0; i < PAGE_SIZE / 8; i++) {
		page[i] = 0;
	}
	return page;
}

/* The entry for an address in the table of level 2 or 3. */
static uint64_t *entry_at(uint64_t address, unsigned int last)
{
	uint64_t *table = root;

	for (unsigned int level = 0; level < last; level++) {
		uint64_t *entry = &table[address >> (39 - 9 * level) & 0x1ff];

		if (*entry == 0) {
			*entry = (uint64_t)page_alloc() | DESC_TABLE | DESC_VALID;
		}
		table = (uint64_t *)(*entry & DESC_ADDRESS);
	}
	return &table[address >> (39 - 9 * last) & 0x1ff];
}

static uint64_t *entry_of(uint64_t address)
{
	return entry_at(address, 3);
}

static void map_page(uint64_t address, uint64_t attributes)
{
	*entry_of(address) = address | attributes | DESC_AP_EL1 | DESC_AF | DESC_TABLE | DESC_VALID;
}

static void map(uint64_t start, uint64_t end, uint64_t attributes)
{
	for (uint64_t at = start & ~(PAGE_SIZE - 1); at < end; at += PAGE_SIZE) {
		map_page(at, attributes);
	}
}

void mmu_map_device(uint64_t pa, uint64_t bytes)
{
	map(pa, pa + bytes, DEVICE_RW);
}

void mmu_map_guest(uint64_t pa, uint64_t bytes)
{
	map(pa, pa + bytes, NORMAL_RW);
	dsb_sy();
	isb();
}

void mmu_unmap_guest(uint64_t pa, uint64_t bytes)
{
	for (uint64_t at = pa & ~(PAGE_SIZE - 1); at < pa + bytes; at += PAGE_SIZE) {
		*entry_of(at) = 0;
	}
	dsb_sy();
	__asm__ volatile("tlbi alle2" : : : "memory");
	dsb_sy();
	isb();
}

/* A block of its own for each CPU, all in one table of level 2. */
static uint64_t window_of_this_cpu(void)
{
	return WINDOWS + el2_this_cpu()->index * MMU_WINDOW_BYTES;
}

void mmu_window_close(void)
{
	const uint64_t window = window_of_this_cpu();

	*entry_at(window, 2) = 0;
	dsb_sy();
	__asm__ volatile("tlbi vae2is, %0" : : "r"(window >> 12) : "memory");
	dsb_sy();
	isb();
}

uint64_t mmu_window(uint64_t pa)
{
	const uint64_t window = window_of_this_cpu();

	mmu_window_close();
	*entry_at(window, 2) = (pa & ~(MMU_WINDOW_BYTES - 1)) | NORMAL_RW | DESC_AP_EL1 | DESC_AF |
			       DESC_VALID;
	dsb_sy();
	isb();
	return window + pa % MMU_WINDOW_BYTES;
}

void mmu_build(const struct el2_launch *launch)
{
	pool = __pool_start;
	root = page_alloc();
	entry_at(WINDOWS, 2); /* so that later nothing is allocated */
	map((uint64_t)__text_start, (uint64_t)__text_end, NORMAL_RX);
	map((uint64_t)__rodata_start, (uint64_t)__rodata_end, NORMAL_R);
	map((uint64_t)__data_start, (uint64_t)__data_end, NORMAL_RW);
	for (unsigned int i = 0; i < EL2_MAX_CPUS; i++) {
		uint64_t stack = (uint64_t)__stacks + i * STACK_STRIDE + STACK_GUARD;

		map(stack, stack + STACK_BYTES, NORMAL_RW);
	}
	map((uint64_t)__pool_start, (uint64_t)__pool_end, NORMAL_RW);
	map(EL2_KEPT_PA, EL2_KEPT_PA + PAGE_SIZE, NORMAL_RW);
	map(EL2_LAUNCH_PA, EL2_LAUNCH_PA + sizeof(*launch), NORMAL_R);
	map(EL2_IMAGE_PA, EL2_IMAGE_PA + launch->image_bytes, NORMAL_R);
	map(EL2_FILTER_PA, EL2_FILTER_PA + launch->filter_bytes, NORMAL_RW);
	map(EL2_SHARED_PA, EL2_SHARED_PA + EL2_SHARED_SIZE, NORMAL_RW);
}

void mmu_on(void)
{
	uint64_t pa_range = id_field(sysreg_read(id_aa64mmfr0_el1), 0);

	/* A 4 KiB granule without LPA2 reaches 48 bits: PS 5. */
	el2_mmu_enable(MAIR, TCR_EL2_RES1 | TCR_EL2_WALK | (pa_range > 5 ? 5 : pa_range) << 16,
		       (uint64_t)root);
}
