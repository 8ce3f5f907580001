/* SPDX-License-Identifier: BSD-2-Clause */
/* GICv2 (IHI 0048) and GICv3 (IHI 0069), affinities 0, 1, 2... */
#include "gic.h"

#define GICD_CTLR       0x0000
#define GICD_SGIR       0x0f00
#define GICR_WAKER      0x0014
#define GIC_IGROUPR     0x0080
#define GIC_ISENABLER   0x0100
#define GIC_ICENABLER   0x0180
#define GIC_IPRIORITYR  0x0400
#define GICC_CTLR       0x0000
#define GICC_PMR        0x0004
#define GICC_IAR        0x000c
#define GICC_EOIR       0x0010

#define CTLR_GROUPS     3u
#define CTLR_ARE        (1u << 4)
#define WAKER_SLEEP     2u
#define WAKER_ASLEEP    4u

#define ICC_PMR_EL1     "S3_0_C4_C6_0"
#define ICC_IAR1_EL1    "S3_0_C12_C12_0"
#define ICC_EOIR1_EL1   "S3_0_C12_C12_1"
#define ICC_SGI1R_EL1   "S3_0_C12_C11_5"
#define ICC_SRE_EL1     "S3_0_C12_C12_5"
#define ICC_IGRPEN1_EL1 "S3_0_C12_C12_7"

static uint64_t my_sgi_frame(void)
{
	return GICR + kit_cpu_index() * GICR_STRIDE + GICR_SGI;
}

/* Where SGIs and PPIs are configured. */
static uint64_t private_base(void)
{
	return gic_version() == 3 ? my_sgi_frame() : GICD;
}

unsigned int gic_version(void)
{
	uint64_t pfr0;

	__asm__("mrs %0, id_aa64pfr0_el1" : "=r"(pfr0));
	return (pfr0 >> 24 & 0xf) != 0 ? 3 : 2;
}

void gic_on(void)
{
	mmio_write(GICD + GICD_CTLR, gic_version() == 3 ? CTLR_GROUPS | CTLR_ARE : 1);
}

void gic_cpu_on(void)
{
	uint64_t base = private_base();

	if (gic_version() == 2) {
		mmio_write(GICC + GICC_PMR, 0xff);
		mmio_write(GICC + GICC_CTLR, 1);
	} else {
		uint64_t waker = my_sgi_frame() - GICR_SGI + GICR_WAKER;

		mmio_write(waker, mmio_read(waker) & ~WAKER_SLEEP);
		while ((mmio_read(waker) & WAKER_ASLEEP) != 0) {
		}
		mmio_write(base + GIC_IGROUPR, ~0u);
		__asm__ volatile("msr " ICC_SRE_EL1 ", %0\n\tisb" : : "r"(7ull));
		__asm__ volatile("msr " ICC_PMR_EL1 ", %0" : : "r"(0xffull));
		__asm__ volatile("msr " ICC_IGRPEN1_EL1 ", %0\n\tisb" : : "r"(1ull));
	}
	for (unsigned int i = 0; i < 32; i += 4) {
		mmio_write(base + GIC_IPRIORITYR + i, 0x80808080);
	}
}

void gic_enable(unsigned int interrupt)
{
	mmio_write(private_base() + GIC_ISENABLER, 1u << interrupt);
}

void gic_disable(unsigned int interrupt)
{
	mmio_write(private_base() + GIC_ICENABLER, 1u << interrupt);
}

void gic_send(unsigned int sgi, unsigned int cpu)
{
	__asm__ volatile("dsb sy" : : : "memory");
	if (gic_version() == 2) {
		mmio_write(GICD + GICD_SGIR, 1u << (16 + cpu) | sgi);
	} else {
		__asm__ volatile("msr " ICC_SGI1R_EL1 ", %0\n\tisb"
				 :
				 : "r"((uint64_t)sgi << 24 | 1ull << cpu));
	}
}

unsigned int gic_take(void)
{
	uint64_t value;

	if (gic_version() == 2) {
		return mmio_read(GICC + GICC_IAR) & 0x3ff;
	}
	__asm__ volatile("mrs %0, " ICC_IAR1_EL1 "\n\tdsb sy" : "=r"(value));
	return (unsigned int)value & 0x3ff;
}

void gic_done(unsigned int interrupt)
{
	if (gic_version() == 2) {
		mmio_write(GICC + GICC_EOIR, interrupt);
	} else {
		__asm__ volatile("msr " ICC_EOIR1_EL1 ", %0\n\tisb" : : "r"((uint64_t)interrupt));
	}
}
