/* SPDX-License-Identifier: BSD-2-Clause */
/* The least a guest can show: console, calls by both conduits, an expected abort, a second CPU. */
#include "kit/kit.h"

static _Atomic unsigned int started;

static void other_cpu(void *arg)
{
	started = *(unsigned int *)arg + kit_cpu_index();
	kit_hvc(0x84000002, 0, 0, 0); /* CPU_OFF */
	kit_fail("CPU_OFF came back");
}

static void cpus(void)
{
	unsigned int base = 100;
	int64_t answer;

	kit_printf("CPUs %u\n", kit_cpu_count());
	if (kit_cpu_count() < 2) {
		return;
	}
	answer = kit_cpu_on(1, other_cpu, &base);
	if (answer != 0) {
		kit_fail("CPU_ON %ld", answer);
		return;
	}
	while (started != 101) {
		kit_yield();
	}
	while (kit_hvc(0xc4000004, 1, 0, 0) != 1) {
		kit_yield();
	}
	kit_printf("CPU 1 was on, and is off\n");
}

static void abort_expected(uint64_t address)
{
	struct kit_fault fault;
	uint64_t value;

	if (kit_read(address, 4, &value, &fault)) {
		kit_fail("read of %lx gave %lx", address, value);
	} else if (KIT_EC(fault.esr) != KIT_EC_DABORT_SAME ||
		   KIT_FSC(fault.esr) != KIT_FSC_EXTERNAL || fault.far != address) {
		kit_fail("read of %lx: esr %lx far %lx", address, fault.esr, fault.far);
	}
}

void kit_main(void)
{
	struct kit_regs regs = {.x = {0x80000000}};
	uint64_t changed;

	kit_printf("smoke: bootargs \"%s\"\n", kit_bootargs());
	kit_printf("PSCI_VERSION %lx\n", kit_hvc(0x84000000, 0, 0, 0));
	changed = kit_call(KIT_SMC, 0, &regs);
	kit_printf("SMCCC_VERSION %lx by SMC\n", regs.x[0]);
	if (changed != 0) {
		kit_fail("registers changed: %lx", changed);
	}
	if (kit_hvc(0xbf00dead, 0, 0, 0) != ~0ull) {
		kit_fail("an unknown call is not NOT_SUPPORTED");
	}
	abort_expected(0x0);
	abort_expected(0x38000000);
	abort_expected(0x4010000000);
	cpus();
}
