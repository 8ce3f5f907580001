/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts that must end a CPU_SUSPEND whatever the CPU interface says: one of no more priority than the
 * interrupt the CPU was at, one of the group that is off, all with both groups off. Where one does not, the
 * machine waits until somebody's patience ends.
 */
#include "power_wake.h"
#include "kit/gic.h"
#include "kit/kit.h"
#include "kit/sleep.h"

#define PSCI_CPU_SUSPEND 0xc4000001u
#define POWER_DOWN       0x10000u
#define FIRST            3u /* SGIs */
#define SECOND           4u

#define GICC_CTLR        (GICC + 0x0)
#define GICC_RPR         (GICC + 0x14)
#define GIC_IGROUPR      0x80
#define GIC_ICPENDR      0x280
#define GIC_ICACTIVER    0x380

static void group_enable(unsigned int enable)
{
	if (gic_version() == 2) {
		mmio_write(GICC_CTLR, enable);
	} else {
		__asm__ volatile("msr S3_0_C12_C12_7, %0\n\tisb" : : "r"((uint64_t)enable));
	}
}

/* The priority of what the CPU is at; 0xff: nothing. */
static uint64_t running(void)
{
	uint64_t value;

	if (gic_version() == 2) {
		return mmio_read(GICC_RPR) & 0xff;
	}
	__asm__ volatile("mrs %0, S3_0_C12_C11_3" : "=r"(value));
	return value & 0xff;
}

static void suspend(const char *what, bool down)
{
	struct kit_sleep sleep = {.call = {PSCI_CPU_SUSPEND, down ? POWER_DOWN : 0,
					   (uint64_t)kit_sleep_entry, (uint64_t)&sleep}};
	uint64_t answer = kit_sleep(&sleep);

	if (answer != 0 || sleep.woken != (down ? 1 : 0)) {
		kit_fail("%s: CPU_SUSPEND %lx, woken %lu", what, answer, sleep.woken);
	}
	kit_printf("%s: woken\n", what);
}

/* The CPU interface is on again, and nothing is pending or active. */
static void clean(unsigned int group)
{
	const uint64_t base = GICR + GICR_SGI;
	unsigned int taken;

	gic_cpu_on();
	if (gic_version() == 3) {
		mmio_write(base + GIC_ICPENDR, 0xffff);
		mmio_write(base + GIC_ICACTIVER, 0xffff);
		mmio_write(base + GIC_IGROUPR, group == 0 ? ~(1u << SECOND) : ~0u);
	} else {
		mmio_write(GICD + GIC_ICACTIVER, 0xffff);
		while ((taken = gic_take()) != GIC_NONE) {
			gic_done(taken);
		}
	}
	gic_enable(FIRST);
	gic_enable(SECOND);
}

static void group0_send(void)
{
	__asm__ volatile("msr S3_0_C12_C11_7, %0\n\tisb" : : "r"((uint64_t)SECOND << 24 | 1));
}

void power_wake(void)
{
	gic_on();
	clean(1);
	gic_send(FIRST, 0);
	while (gic_take() == GIC_NONE) {
	}
	gic_send(SECOND, 0);
	suspend("at an interrupt", true);
	if (running() != 0xff) {
		kit_fail("CPU starts with priority %lx running", running());
	}
	for (unsigned int down = 0; down < 2; down++) {
		clean(1);
		group_enable(0);
		gic_send(SECOND, 0);
		suspend("interface off", down != 0);
		if (gic_version() == 3) {
			clean(0);
			group0_send();
			suspend("group 0", down != 0);
		}
	}
	clean(1);
}
