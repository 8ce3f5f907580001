/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interrupt controller of QEMU's virt machine, GICv2 or v3, as far as bare-metal guests need it.
 * Interrupts are in group 1 (v3) or 0 (v2) and arrive as IRQ; PSTATE stays masked unless the guest unmasks it.
 */
#ifndef HVCGATE_GUEST_GIC_H
#define HVCGATE_GUEST_GIC_H

#include "kit.h"

#define GICD              0x08000000ull
#define GICC              0x08010000ull /* v2 */
#define GICR              0x080a0000ull /* v3: RD frame, then SGI frame, for each CPU */
#define GICR_STRIDE       0x20000ull
#define GICR_SGI          0x10000ull

#define GIC_VIRTUAL_TIMER 27u
#define GIC_NONE          1023u

static inline uint32_t mmio_read(uint64_t address)
{
	return *(volatile uint32_t *)address;
}
static inline void mmio_write(uint64_t address, uint32_t value)
{
	*(volatile uint32_t *)address = value;
}

/* 2 or 3. */
unsigned int gic_version(void);
/* Distributor: once. This CPU's part: on each CPU, and again after it was off or powered down. */
void gic_on(void);
void gic_cpu_on(void);
void gic_enable(unsigned int interrupt); /* an SGI or PPI of this CPU */
void gic_disable(unsigned int interrupt);
void gic_send(unsigned int sgi, unsigned int cpu);
/* Highest pending interrupt, now active, or GIC_NONE. */
unsigned int gic_take(void);
void gic_done(unsigned int interrupt);

#endif
