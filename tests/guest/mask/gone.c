/* SPDX-License-Identifier: BSD-2-Clause */
#include "gone.h"

#include "../kit/gic.h"
#include "../kit/kit.h"
#include "../kit/sleep.h"

#define CPU_OFF           0x84000002u
#define CPU_SUSPEND_32    0x84000001u
#define CPU_SUSPEND_64    0xc4000001u
#define AFFINITY_INFO     0xc4000004u
#define SYSTEM_OFF        0x84000008u
#define SYSTEM_RESET      0x84000009u
#define SYSTEM_SUSPEND_32 0x8400000eu
#define SYSTEM_SUSPEND_64 0xc400000eu
#define SYSTEM_RESET2_32  0x84000012u
#define SYSTEM_RESET2_64  0xc4000012u
#define SYSTEM_OFF2_64    0xc4000015u
#define POWER_DOWN        0x10000u
#define VENDOR_RESET      0x80000001u
#define OFF               1u
#define OTHER             1u

/* Survives a reset: not in the image, and the machine does not clear its RAM. */
struct kept {
	uint64_t magic, stage;
};
#define KEPT  ((volatile struct kept *)0x47000000)
#define MAGIC 0x68766367617465ull

static const struct reset {
	uint32_t id, x1;
	uint8_t conduit;
	char name[40];
} resets[] = {
	{SYSTEM_RESET, 0, KIT_HVC, "PSCI_SYSTEM_RESET by hvc"},
	{SYSTEM_RESET, 0, KIT_SMC, "PSCI_SYSTEM_RESET by smc"},
	{SYSTEM_RESET2_64, 0, KIT_HVC, "PSCI_SYSTEM_RESET2/64 by hvc"},
	{SYSTEM_RESET2_64, VENDOR_RESET, KIT_SMC, "PSCI_SYSTEM_RESET2/64, vendor's, by smc"},
	{SYSTEM_RESET2_32, VENDOR_RESET, KIT_HVC, "PSCI_SYSTEM_RESET2/32, vendor's, by hvc"},
};
#define RESETS (sizeof(resets) / sizeof(resets[0]))

static _Atomic unsigned int came_back;
static _Atomic unsigned int done;

static uint64_t call(unsigned int conduit, uint32_t id, uint64_t x1)
{
	struct kit_regs regs = {.x = {id, x1}};

	kit_call(conduit, 0, &regs);
	return regs.x[0];
}

static void wait_for_off(unsigned int cpu)
{
	while (kit_hvc(AFFINITY_INFO, cpu, 0, 0) != OFF) {
		kit_yield();
	}
}

static void turn_off(void *arg)
{
	call(*(unsigned int *)arg, CPU_OFF, 0);
	came_back++;
	for (;;) {
		kit_yield();
	}
}

static void cpu_off(unsigned int conduit)
{
	const uint64_t until = kit_counter() + kit_counter_hz() / 20;
	unsigned int how = conduit;

	if (kit_cpu_on(OTHER, turn_off, &how) != 0) {
		kit_fail("CPU %u does not start", OTHER);
		return;
	}
	wait_for_off(OTHER);
	while (kit_counter() < until) {
		kit_yield();
	}
	if (came_back != 0) {
		kit_fail("PSCI_CPU_OFF came back");
	}
	kit_printf("gone: PSCI_CPU_OFF by %s: off, as another CPU sees it\n",
		   conduit == KIT_HVC ? "hvc" : "smc");
}

/* Virtual timer, due in `us`; its interrupt stays pending, as nobody takes it. */
static void arm(uint64_t us)
{
	const uint64_t due = kit_counter() + kit_counter_hz() * us / 1000000;

	gic_cpu_on();
	gic_enable(GIC_VIRTUAL_TIMER);
	__asm__ volatile("msr cntv_cval_el0, %0\n\tmsr cntv_ctl_el0, %1\n\tisb"
			 :
			 : "r"(due), "r"(1ull));
}

static void disarm(void)
{
	__asm__ volatile("msr cntv_ctl_el0, xzr\n\tisb");
}

static void sleep_by(const char *what, unsigned int conduit, struct kit_sleep *sleep)
{
	const uint64_t start = kit_counter(), us = 3000;
	uint64_t answer, took;

	sleep->conduit = conduit;
	arm(us);
	answer = kit_sleep(sleep);
	took = (kit_counter() - start) * 1000000 / kit_counter_hz();
	disarm();
	if (sleep->woken != 1) {
		kit_fail("%s came back with %lx", what, answer);
		return;
	}
	if (took < us) {
		kit_fail("%s: %lu us instead of %lu", what, took, us);
	}
	if (sleep->x[0] != (uint64_t)sleep) {
		kit_fail("%s: x0 is %lx", what, sleep->x[0]);
	}
	for (unsigned int n = 1; n < 31; n++) {
		if (sleep->x[n] != 0) {
			kit_fail("%s: x%u is %lx", what, n, sleep->x[n]);
		}
	}
	if (sleep->sp != 0) {
		kit_fail("%s: sp is %lx", what, sleep->sp);
	}
	kit_printf("gone: %s by %s: on at the entry, by its timer\n", what,
		   conduit == KIT_HVC ? "hvc" : "smc");
}

static void sleeps(bool system)
{
	for (unsigned int conduit = 0; conduit < 2; conduit++) {
		for (unsigned int wide = 0; wide < 2; wide++) {
			struct kit_sleep sleep = {.woken = 0};

			if (system) {
				sleep.call[0] = wide ? SYSTEM_SUSPEND_64 : SYSTEM_SUSPEND_32;
				sleep.call[1] = (uint64_t)kit_sleep_entry;
				sleep.call[2] = (uint64_t)&sleep;
				sleep_by(wide ? "PSCI_SYSTEM_SUSPEND/64" : "PSCI_SYSTEM_SUSPEND/32",
					 conduit, &sleep);
			} else {
				sleep.call[0] = wide ? CPU_SUSPEND_64 : CPU_SUSPEND_32;
				sleep.call[1] = POWER_DOWN;
				sleep.call[2] = (uint64_t)kit_sleep_entry;
				sleep.call[3] = (uint64_t)&sleep;
				sleep_by(wide ? "PSCI_CPU_SUSPEND/64" : "PSCI_CPU_SUSPEND/32",
					 conduit, &sleep);
			}
		}
	}
}

static void sleep_and_off(void *arg)
{
	(void)arg;
	sleeps(false);
	done = 1;
	call(KIT_HVC, CPU_OFF, 0);
}

static void power_off(void)
{
	const bool smc = kit_option("smc", 0) != 0, off2 = kit_option("off2", 0) != 0;

	kit_printf("mask: over\n");
	kit_printf(kit_failures() == 0 ? "PASS\n" : "FAIL\n");
	call(smc ? KIT_SMC : KIT_HVC, off2 ? SYSTEM_OFF2_64 : SYSTEM_OFF, 0);
	kit_fail("power off came back");
	kit_end();
}

/* The reset of this number, or off if there are no more. */
static _Noreturn void next(uint64_t stage)
{
	if (stage == RESETS) {
		power_off();
	} else {
		KEPT->magic = MAGIC;
		KEPT->stage = stage + 1;
		call(resets[stage].conduit, resets[stage].id, resets[stage].x1);
		kit_fail("%s came back", resets[stage].name);
	}
	kit_end();
}

bool gone_continues(void)
{
	const uint64_t stage = KEPT->stage;

	if (KEPT->magic != MAGIC || stage == 0 || stage > RESETS) {
		return false;
	}
	KEPT->magic = 0;
	kit_printf("gone: %s: the next boot\n", resets[stage - 1].name);
	next(stage);
}

void gone(void)
{
	cpu_off(KIT_HVC);
	cpu_off(KIT_SMC);
	gic_on();
	if (kit_cpu_on(OTHER, sleep_and_off, NULL) != 0) {
		kit_fail("CPU %u does not start", OTHER);
	}
	while (done == 0) {
		kit_yield();
	}
	wait_for_off(OTHER);
	sleeps(true);
	if (kit_failures() != 0) {
		kit_end();
	}
	next(0);
}
