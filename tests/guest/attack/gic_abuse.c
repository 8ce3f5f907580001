/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interrupt controller is the guest's own, so nothing of this is forbidden: it must only not disturb the
 * monitor. Every register gets all ones, zeroes and noise; interrupts storm while calls are made.
 */
#include "attack.h"

#define PSCI_VERSION 0x84000000u
#define ROUNDS       200u

static _Atomic unsigned int taken;

void kit_irq(uint64_t vector)
{
	unsigned int interrupt = gic_take();

	(void)vector;
	if (interrupt < 1020) {
		gic_done(interrupt);
		taken++;
	}
}

/* The kit's vectors take FIQs to kit_irq(), too: group 0 of a GICv3 must stay masked. */
static void unmask(void)
{
	__asm__ volatile("msr daifclr, #2" : : : "memory");
}

static void mask(void)
{
	__asm__ volatile("msr daifset, #2" : : : "memory");
}

static void expect_version(const char *what)
{
	const uint64_t answer = kit_hvc(PSCI_VERSION, 0, 0, 0);

	attempt(answer >= 0x10000 && answer < 0x20000, what, 0, answer);
}

/* Each word of a frame: ones, zeroes, noise, and what it had before. Not every word keeps what it is given. */
static void scribble(uint64_t base, uint64_t bytes, uint64_t *state)
{
	for (uint64_t at = base; at < base + bytes; at += 4) {
		struct kit_fault fault;
		uint64_t old = 0;
		bool alive = kit_read(at, 4, &old, &fault) || is_external(&fault);

		alive &= kit_write(at, 4, 0xffffffff, &fault) || is_external(&fault);
		alive &= kit_write(at, 4, 0, &fault) || is_external(&fault);
		alive &= kit_write(at, 4, kit_random(state), &fault) || is_external(&fault);
		alive &= kit_write(at, 4, old, &fault) || is_external(&fault);
		attempt(alive, "GIC register", at, fault.esr);
		if (at % 0x400 == 0) {
			expect_version("call with a broken interrupt controller");
		}
	}
}

/* What scribbling left behind: nothing enabled, pending or active. */
static void clear(uint64_t base, unsigned int words)
{
	for (unsigned int i = 0; i < words; i++) {
		mmio_write(base + 0x180 + 4 * i, ~0u); /* not enabled */
		mmio_write(base + 0x280 + 4 * i, ~0u); /* not pending */
		mmio_write(base + 0x380 + 4 * i, ~0u); /* not active */
	}
}

static void storm(void)
{
	for (unsigned int i = 0; i < ROUNDS; i++) {
		for (unsigned int cpu = 0; cpu < attack_cpus; cpu++) {
			gic_send(i % 16, cpu);
		}
		expect_version("call in a storm of interrupts");
	}
}

/* Take interrupts without ever finishing them: the running priority stays up. */
static void never_done(void)
{
	for (unsigned int i = 0; i < 16; i++) {
		gic_send(i, kit_cpu_index());
	}
	for (unsigned int i = 0; i < 16; i++) {
		attempt(gic_take() <= GIC_NONE, "interrupt not finished", i, 0);
		expect_version("call with an interrupt active");
	}
	for (unsigned int i = 0; i < 16; i++) {
		gic_done(i);
	}
}

/* The virtual and the physical timer of EL1 always due. */
static void timers(void)
{
	__asm__ volatile(
		"msr cntv_cval_el0, xzr\n\tmsr cntp_cval_el0, xzr\n\tmsr cntv_ctl_el0, %0\n\t"
		"msr cntp_ctl_el0, %0\n\tisb"
		:
		: "r"(1ull));
	for (unsigned int i = 0; i < ROUNDS; i++) {
		expect_version("call with timers due");
	}
	__asm__ volatile("msr cntv_ctl_el0, xzr\n\tmsr cntp_ctl_el0, xzr\n\tisb");
}

void attack_gic(void)
{
	const bool v3 = gic_version() == 3;
	uint64_t state = 0x243f6a8885a308d3ull;

	scribble(GICD, 0x1000, &state);
	scribble(GICD + 0x6000, 0x2000, &state);
	scribble(GICD + 0xf000, 0x1000, &state);
	clear(GICD, 32);
	if (v3) {
		for (uint64_t cpu = 0; cpu < attack_cpus; cpu++) {
			const uint64_t frame = GICR + cpu * GICR_STRIDE;

			scribble(frame, 0x200, &state);
			scribble(frame + 0xff00, 0x100, &state);
			scribble(frame + GICR_SGI, 0x1000, &state);
			clear(frame + GICR_SGI, 1);
		}
	} else {
		scribble(GICC, 0x100, &state);
		scribble(GICC + 0x1000, 0x10, &state);
	}
	mmio_write(GICD, 0);
	expect_version("call with the distributor off");
	gic_on();
	gic_cpu_on();
	for (unsigned int i = 0; i < 16; i++) {
		gic_enable(i);
	}
	storm();
	unmask();
	storm();
	mask();
	attempt(taken > 0, "no interrupt came", 0, taken);
	never_done();
	timers();
	mmio_write(GICD, 0);
	expect_version("call with the distributor off");
}
