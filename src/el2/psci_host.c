/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine's own PSCI, below the monitor: QEMU answers SMC from EL2 (DEN0022, 5.1).
 */
#include "el2.h"

#define PSCI_CPU_OFF      0x84000002u
#define PSCI_CPU_ON       0xc4000003u
#define PSCI_SYSTEM_OFF   0x84000008u
#define PSCI_SYSTEM_RESET 0x84000009u

static int call(uint32_t id, uint64_t a, uint64_t b, uint64_t c)
{
	register uint64_t x0 __asm__("x0") = id;
	register uint64_t x1 __asm__("x1") = a;
	register uint64_t x2 __asm__("x2") = b;
	register uint64_t x3 __asm__("x3") = c;

	__asm__ volatile("smc #0"
			 : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)
			 :
			 : "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14",
			   "x15", "x16", "x17", "memory");
	return (int)x0; /* results are 32 bits wide, whatever the ID's width */
}

int psci_host_cpu_on(uint64_t mpidr, uint64_t entry, uint64_t context)
{
	return call(PSCI_CPU_ON, mpidr, entry, context);
}

void psci_host_cpu_off(void)
{
	call(PSCI_CPU_OFF, 0, 0, 0);
}

/* Neither returns, says PSCI; wait if this one does. */
static _Noreturn void stop(void)
{
	for (;;) {
		__asm__ volatile("wfi");
	}
}

void psci_host_system_off(void)
{
	call(PSCI_SYSTEM_OFF, 0, 0, 0);
	stop();
}

void psci_host_system_reset(void)
{
	call(PSCI_SYSTEM_RESET, 0, 0, 0);
	stop();
}
