/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interrupt controller is the guest's, but for what follows. A CPU that starts finds its interface as
 * after a reset, and one that sleeps wakes by whatever is pending for it. And redistributors with LPIs read and write
 * tables in memory at any physical address (GICR_PROPBASER, GICR_PENDBASER). Stage 2 therefore leaves
 * out each RD frame, and this file answers for it, without LPIs.
 * Source: IHI 0069, 12.11 (GICR_*), 12.2 (ICC_*); IHI 0048, 4.4 (GICC_*).
 */
#include "el2.h"
#include "sysreg.h"

#define GICR_CTLR    0x0000
#define GICR_IIDR    0x0004
#define GICR_TYPER   0x0008
#define GICR_STATUSR 0x0010
#define GICR_WAKER   0x0014
#define GICR_IDREGS  0xffd0 /* to the end of the frame */
#define CTLR_EN_LPIS 1u
#define TYPER_LPIS   ((1ull << 0) | (1ull << 1) | (1ull << 3)) /* PLPIS, VLPIS, DirectLPI */
#define TYPER_LAST   (1ull << 4)
#define WAKER_SLEEP  2u

/* GICv2's CPU interface (IHI 0048, 4.4) */
#define GICC_CTLR   0x0000
#define GICC_PMR    0x0004
#define GICC_BPR    0x0008
#define GICC_ABPR   0x001c
#define GICC_APR    0x00d0
#define CTLR_GROUPS 3u

#define SRE_EL2_ALL 0xfull /* SRE, DFB, DIB, Enable */

static const struct el2_region *redists;
static uint64_t redist_bytes; /* those of CPUs that exist */
static uint64_t interface;    /* GICv2: CPU interface, each CPU finds its own there */

static uint32_t read32(uint64_t pa)
{
	return *(volatile uint32_t *)pa;
}

static void write32(uint64_t pa, uint32_t value)
{
	*(volatile uint32_t *)pa = value;
}

void gic_init(const struct el2_launch *launch)
{
	for (unsigned int i = 0; i < launch->region_count; i++) {
		if (launch->regions[i].kind == EL2_GIC_REDIST) {
			redists = &launch->regions[i];
			mmu_map_device(redists->pa, redists->bytes);
		}
		if (launch->regions[i].kind == EL2_GIC_CPU) {
			interface = launch->regions[i].pa;
			mmu_map_device(interface, PAGE_SIZE);
		}
	}
}

/* With the MMU on: how far the redistributors go. Behind the last one there is nothing to read. */
void gic_open(void)
{
	uint32_t type = 0;

	while (redists != NULL && redist_bytes < redists->bytes && (type & TYPER_LAST) == 0) {
		type = read32(redists->pa + redist_bytes + GICR_TYPER);
		redist_bytes += GIC_REDIST_STRIDE;
	}
}

/* No interrupt is active: each priority that can preempt has a bit, as many as there are priorities. */
static void forget_active(void)
{
	unsigned int bits;

	if (interface != 0) {
		for (unsigned int i = 0; i < 4; i++) {
			write32(interface + GICC_APR + 4 * i, 0);
		}
		return;
	}
	bits = (unsigned int)(sysreg_read(ICC_CTLR_EL1) >> 8 & 7) + 1;
	sysreg_write(ICC_AP0R0_EL1, 0);
	sysreg_write(ICC_AP1R0_EL1, 0);
	if (bits >= 6) {
		sysreg_write(ICC_AP0R1_EL1, 0);
		sysreg_write(ICC_AP1R1_EL1, 0);
	}
	if (bits >= 7) {
		sysreg_write(ICC_AP0R2_EL1, 0);
		sysreg_write(ICC_AP0R3_EL1, 0);
		sysreg_write(ICC_AP1R2_EL1, 0);
		sysreg_write(ICC_AP1R3_EL1, 0);
	}
	isb();
}

/* The CPU interface as a reset leaves it; the guest uses it by itself. */
void gic_cpu_init(void)
{
	if (interface != 0) {
		write32(interface + GICC_CTLR, 0);
		write32(interface + GICC_PMR, 0);
		write32(interface + GICC_BPR, 0); /* the least there is */
		write32(interface + GICC_ABPR, 0);
		forget_active();
		return;
	}
	sysreg_write(ICC_SRE_EL2, SRE_EL2_ALL);
	isb();
	sysreg_write(ICH_HCR_EL2, 0);
	forget_active();
	sysreg_write(ICC_IGRPEN0_EL1, 0);
	sysreg_write(ICC_IGRPEN1_EL1, 0);
	sysreg_write(ICC_PMR_EL1, 0);
	sysreg_write(ICC_CTLR_EL1, 0);
	sysreg_write(ICC_BPR0_EL1, 0);
	sysreg_write(ICC_BPR1_EL1, 0);
	isb();
}

/* This CPU's RD frame: TYPER[63:32] is the affinity. */
static uint64_t my_frame(void)
{
	uint64_t mpidr = sysreg_read(mpidr_el1);
	uint64_t affinity = (mpidr >> 8 & 0xff000000) | (mpidr & 0xffffff);

	for (uint64_t at = 0; at < redist_bytes; at += GIC_REDIST_STRIDE) {
		if (read32(redists->pa + at + GICR_TYPER + 4) == affinity) {
			return redists->pa + at;
		}
	}
	return 0;
}

/* Linux switches group 1 off and tells the redistributor that the CPU sleeps, before any CPU_SUSPEND;
 * hardware then wakes from the redistributor. Here an interrupt must reach the CPU interface to end a
 * WFI: let it, whatever the guest masked. An interrupt that the guest is at masks others in standby,
 * as in any WFI, but not where the CPU's state is lost. */
void gic_sleep(struct gic_interface *old, bool forget)
{
	if (forget) {
		forget_active();
	}
	if (interface != 0) {
		old->group1 = read32(interface + GICC_CTLR);
		old->mask = read32(interface + GICC_PMR);
		write32(interface + GICC_PMR, 0xff);
		write32(interface + GICC_CTLR, (uint32_t)old->group1 | CTLR_GROUPS);
		return;
	}
	old->redistributor = my_frame();
	if (old->redistributor != 0) {
		old->waker = read32(old->redistributor + GICR_WAKER);
		write32(old->redistributor + GICR_WAKER, old->waker & ~WAKER_SLEEP);
	}
	old->mask = sysreg_read(ICC_PMR_EL1);
	old->group0 = sysreg_read(ICC_IGRPEN0_EL1);
	old->group1 = sysreg_read(ICC_IGRPEN1_EL1);
	sysreg_write(ICC_PMR_EL1, 0xff);
	sysreg_write(ICC_IGRPEN0_EL1, 1);
	sysreg_write(ICC_IGRPEN1_EL1, 1);
	isb();
}

void gic_wake(const struct gic_interface *old)
{
	if (interface != 0) {
		write32(interface + GICC_CTLR, (uint32_t)old->group1);
		write32(interface + GICC_PMR, (uint32_t)old->mask);
		return;
	}
	sysreg_write(ICC_IGRPEN0_EL1, old->group0);
	sysreg_write(ICC_IGRPEN1_EL1, old->group1);
	sysreg_write(ICC_PMR_EL1, old->mask);
	if (old->redistributor != 0) {
		write32(old->redistributor + GICR_WAKER, old->waker);
	}
	isb();
}

static uint64_t frame_read(uint64_t frame, uint64_t offset)
{
	switch (offset) {
	case GICR_CTLR:
		return read32(frame + GICR_CTLR) & ~CTLR_EN_LPIS;
	case GICR_TYPER:
		return read32(frame + GICR_TYPER) & ~TYPER_LPIS;
	case GICR_IIDR:
	case GICR_TYPER + 4:
	case GICR_STATUSR:
	case GICR_WAKER:
		return read32(frame + offset);
	default:
		return offset >= GICR_IDREGS ? read32(frame + offset) : 0;
	}
}

static void frame_write(uint64_t frame, uint64_t offset, uint32_t value)
{
	switch (offset) {
	case GICR_CTLR:
		write32(frame + GICR_CTLR, value & ~CTLR_EN_LPIS);
		break;
	case GICR_STATUSR:
	case GICR_WAKER:
		write32(frame + offset, value);
		break;
	default:
		break; /* what is not there ignores writes */
	}
}

bool gic_access(uint64_t ipa, bool write, unsigned int bytes, uint64_t *value)
{
	uint64_t offset, frame;

	if (redists == NULL || ipa < redists->ipa || ipa - redists->ipa >= redist_bytes) {
		return false;
	}
	offset = (ipa - redists->ipa) & (GIC_REDIST_STRIDE - 1);
	frame = redists->pa + (ipa - redists->ipa) - offset;
	/* Registers of 32 bits, or 64 for pairs; smaller accesses are not supported (12.1.3). */
	if (offset >= GIC_REDIST_SGI || bytes < 4 || (offset & (bytes - 1)) != 0) {
		return false;
	}
	if (write) {
		frame_write(frame, offset, (uint32_t)*value);
		if (bytes == 8) {
			frame_write(frame, offset + 4, (uint32_t)(*value >> 32));
		}
		return true;
	}
	*value = frame_read(frame, offset);
	if (bytes == 8) {
		*value |= frame_read(frame, offset + 4) << 32;
	}
	return true;
}
