/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stage 2: the guest's view of physical memory. An allow-list of the launch block's regions; what is
 * not there faults. RAM is Normal write-back with stage 1 deciding, devices are Device-nGnRE and never
 * executable. The tables are constant once the guest runs.
 * Source: DDI 0487, D8.3 (descriptors), D24.2 (VTCR_EL2, VTTBR_EL2).
 */
#include "el2.h"
#include "sysreg.h"

#define DESC_VALID      (1ull << 0)
#define DESC_TABLE      (1ull << 1)
#define DESC_MEM_DEVICE (1ull << 2)   /* MemAttr 0b0001: Device-nGnRE */
#define DESC_MEM_NORMAL (0xfull << 2) /* MemAttr 0b1111: Normal, write-back */
#define DESC_S2AP_R     (1ull << 6)
#define DESC_S2AP_RW    (3ull << 6)
#define DESC_SH_ISH     (3ull << 8)
#define DESC_AF         (1ull << 10)
#define DESC_XN         (1ull << 54)
#define DESC_ADDRESS    0x0000fffffffff000ull

#define BLOCK_BYTES     (2ull << 20)

/* 40 bits: the start level is 1, with two concatenated tables (D8.2.2). */
#define IPA_BITS_MAX 40
#define VTCR_RES1    (1ull << 31)
#define VTCR_WALK    (3ull << 12 | 1ull << 10 | 1ull << 8 | 1ull << 6) /* inner shareable, WB, SL0 1 */
#define VMID         (1ull << 48)

static uint64_t root[1024] __attribute__((aligned(8192)));

/* Bits of physical address for each value of ID_AA64MMFR0_EL1.PARange. */
static unsigned int pa_bits(void)
{
	static const uint8_t bits[] = {32, 36, 40, 42, 44, 48};
	unsigned int range = id_field(sysreg_read(id_aa64mmfr0_el1), 0);

	return range < sizeof(bits) ? bits[range] : 48;
}

unsigned int stage2_ipa_bits(void)
{
	unsigned int bits = pa_bits();

	return bits < IPA_BITS_MAX ? bits : IPA_BITS_MAX;
}

static uint64_t *next_table(uint64_t *entry)
{
	if (*entry == 0) {
		*entry = (uint64_t)page_alloc() | DESC_TABLE | DESC_VALID;
	}
	return (uint64_t *)(*entry & DESC_ADDRESS);
}

static void map(uint64_t ipa, uint64_t pa, uint64_t bytes, uint64_t attributes)
{
	while (bytes != 0) {
		uint64_t *level2 = next_table(&root[ipa >> 30]) + (ipa >> 21 & 0x1ff);
		uint64_t step = BLOCK_BYTES;

		if (((ipa | pa) & (BLOCK_BYTES - 1)) == 0 && bytes >= BLOCK_BYTES) {
			*level2 = pa | attributes | DESC_AF | DESC_VALID;
		} else {
			step = PAGE_SIZE;
			next_table(level2)[ipa >> 12 & 0x1ff] = pa | attributes | DESC_AF |
								DESC_TABLE | DESC_VALID;
		}
		ipa += step;
		pa += step;
		bytes -= step;
	}
}

void stage2_build(const struct el2_launch *launch)
{
	const uint64_t device = DESC_MEM_DEVICE | DESC_S2AP_RW | DESC_XN;
	const uint64_t ram = DESC_MEM_NORMAL | DESC_S2AP_RW | DESC_SH_ISH;

	for (unsigned int i = 0; i < launch->region_count; i++) {
		const struct el2_region *region = &launch->regions[i];

		if (region->kind == EL2_GIC_REDIST) {
			for (uint64_t at = 0; at < region->bytes; at += GIC_REDIST_STRIDE) {
				map(region->ipa + at + GIC_REDIST_SGI,
				    region->pa + at + GIC_REDIST_SGI,
				    GIC_REDIST_STRIDE - GIC_REDIST_SGI, device);
			}
		} else {
			map(region->ipa, region->pa, region->bytes,
			    region->kind == EL2_RAM ? ram : device);
		}
	}
	dsb_sy();
}

void stage2_show(uint64_t ipa, uint64_t page)
{
	map(ipa, page, PAGE_SIZE, DESC_MEM_NORMAL | DESC_S2AP_R | DESC_SH_ISH | DESC_XN);
	dsb_sy();
	isb();
}

void stage2_on(void)
{
	uint64_t range = id_field(sysreg_read(id_aa64mmfr0_el1), 0);

	sysreg_write(vtcr_el2, VTCR_RES1 | VTCR_WALK | (range > 5 ? 5 : range) << 16 |
				       (64 - stage2_ipa_bits()));
	sysreg_write(vttbr_el2, VMID | (uint64_t)root);
	isb();
	__asm__ volatile("tlbi vmalls12e1is\n\tdsb ish\n\tisb" : : : "memory");
}

bool stage2_ram(uint64_t ipa, uint64_t bytes, uint64_t *pa)
{
	const struct el2_launch *launch = el2_launch();

	for (unsigned int i = 0; i < launch->region_count; i++) {
		const struct el2_region *region = &launch->regions[i];

		if (region->kind == EL2_RAM && ipa >= region->ipa && bytes <= region->bytes &&
		    ipa - region->ipa <= region->bytes - bytes) {
			*pa = region->pa + (ipa - region->ipa);
			return true;
		}
	}
	return false;
}

bool stage2_is_ram(uint64_t ipa)
{
	uint64_t pa;

	return stage2_ram(ipa, 1, &pa);
}
