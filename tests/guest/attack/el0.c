/* SPDX-License-Identifier: BSD-2-Clause */
/* The same from EL0, where no call may get through at all: in AArch64, and in AArch32 where the CPU has it. */
#include "attack.h"

#define SVC_A64  0xd4000001u
#define SVC_A32  0xef000000u
#define SVC_T32  0xdf00u

#define EL0_A64  0x3c0ull
#define EL0_A32  0x1d0ull
#define EL0_T32  0x1f0ull

#define EC_SVC32 0x11u
#define EC_SVC64 KIT_EC_SVC64

/* Code for EL0; behind each instruction an SVC. */
static uint32_t page[1024] __attribute__((aligned(4096)));

int try_el0(void (*fn)(void *), void *arg, void *stack, void *end, uint64_t spsr);

static struct kit_fault enter(uint64_t at, uint64_t x0, uint64_t spsr)
{
	struct kit_fault fault;

	/* The kit keeps the exception that ended it where kit_try() would find it. */
	try_el0((void (*)(void *))at, (void *)x0, (void *)(at + 0x800), (void *)at, spsr);
	__asm__ volatile("mrs %0, esr_el1\n\tmrs %1, far_el1\n\tmrs %2, elr_el1\n\tmrs %3, spsr_el1"
			 : "=r"(fault.esr), "=r"(fault.far), "=r"(fault.elr), "=r"(fault.spsr));
	fault.vector = 0;
	return fault;
}

static struct kit_fault run(uint64_t spsr, uint32_t instruction, uint64_t x0)
{
	const uint64_t at = (uint64_t)page - RAM_START + WINDOW_EL0_RAM;

	page[0] = instruction;
	page[1] = spsr == EL0_A64 ? SVC_A64 : spsr == EL0_A32 ? SVC_A32 : SVC_T32 << 16 | SVC_T32;
	__asm__ volatile("dc cvau, %0\n\tdsb ish\n\tic ivau, %1\n\tic ivau, %0\n\tdsb ish\n\tisb"
			 :
			 : "r"(page), "r"(at)
			 : "memory");
	return enter(at, x0, spsr);
}

static bool came_back(const struct kit_fault *fault)
{
	return KIT_EC(fault->esr) == EC_SVC64 || KIT_EC(fault->esr) == EC_SVC32;
}

/* Aborts from lower levels; stage 1 has a word in it, too. */
static bool aborted(const struct kit_fault *fault)
{
	return KIT_EC(fault->esr) == KIT_EC_DABORT_LOW || KIT_EC(fault->esr) == KIT_EC_IABORT_LOW;
}

static void undefined(uint64_t spsr, uint32_t instruction, const char *what)
{
	const struct kit_fault fault = run(spsr, instruction, 0x84000000);

	attempt(is_undefined(&fault), what, instruction, fault.esr);
}

static void aarch64(void)
{
	static const uint32_t forbidden[] = {
		0xd4000002, /* hvc #0 */
		0xd4000022, /* hvc #1 */
		0xd4000003, /* smc #0 */
		0xd4000023, /* smc #1 */
		0xd53c1100, /* mrs x0, hcr_el2 */
		0xd51c1100, /* msr hcr_el2, x0 */
		0xd51c2100, /* msr vttbr_el2, x0 */
		0xd51ce060, /* msr cntvoff_el2, x0 */
		0xd5381000, /* mrs x0, sctlr_el1 */
		0xd5181000, /* msr sctlr_el1, x0 */
		0xd50c871f, /* tlbi alle2 */
		0xd508871f, /* tlbi vmalle1 */
		0xd508761f, /* dc ivac, xzr */
		0xd5087800, /* at s1e1r, x0 */
		0xd69f03e0, /* eret */
	};
	static const uint32_t accesses[] = {
		0xf9400001, /* ldr x1, [x0] */
		0xf9000001, /* str x1, [x0] */
		0xa9000801, /* stp x1, x2, [x0] */
		0xc85f7c01, /* ldxr x1, [x0] */
		0xd50b7420, /* dc zva, x0 */
		0xd61f0000, /* br x0 */
	};
	static const uint64_t hidden[] = {0x09020000, 0x0a000000, 0x08080000, 0x3c200000,
					  0x3e000000, 0x3eff1000, 0x3f008000, 0x00000000};

	for (unsigned int i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++) {
		undefined(EL0_A64, forbidden[i], "EL0, AArch64");
	}
	for (unsigned int i = 0; i < sizeof(accesses) / sizeof(accesses[0]); i++) {
		for (unsigned int j = 0; j < sizeof(hidden) / sizeof(hidden[0]); j++) {
			const struct kit_fault fault = run(EL0_A64, accesses[i],
							   WINDOW_EL0_FIRST + hidden[j]);

			attempt(aborted(&fault) && is_external(&fault), "EL0 access", hidden[j],
				fault.esr);
		}
	}
}

static void aarch32(void)
{
	static const uint32_t arm[] = {
		0xe1400070, /* hvc #0 */
		0xe1600070, /* smc #0 */
		0xee110f10, /* mrc p15, 0, r0, c1, c0, 0: SCTLR */
		0xee010f10, /* mcr: the same */
		0xee911f11, /* mrc p15, 4, r1, c1, c1, 0: HCR */
		0xee1f0f11, /* mrc p15, 0, r0, c15, c1, 0: implementation defined */
		0xee190f1c, /* mrc p15, 0, r0, c9, c12, 0: PMCR, not enabled for EL0 */
		0xee1e0f12, /* mrc p15, 0, r0, c14, c2, 0: timer, likewise */
		0xec510f02, /* mrrc p15, 0, r0, r1, c2: TTBR0 */
		0xe160006e, /* eret */
	};
	static const uint32_t thumb[] = {
		0x8000f7e0, /* hvc #0 */
		0x8000f7f0, /* smc #0 */
		0x0f10ee11, /* mrc p15, 0, r0, c1, c0, 0 */
	};
	static const uint32_t accesses[] = {
		0xe5901000, /* ldr r1, [r0] */
		0xe5801000, /* str r1, [r0] */
		0xe8900006, /* ldm r0, {r1, r2} */
		0xe1c020f0, /* strd r2, r3, [r0] */
		0xe12fff10, /* bx r0 */
	};
	static const uint32_t hidden[] = {0x09020000, 0x0a000000, 0x08080000, 0x3c200000,
					  0x3e000000, 0x3eff1000, 0x3f008000, 0x00000000};

	for (unsigned int i = 0; i < sizeof(arm) / sizeof(arm[0]); i++) {
		const struct kit_fault fault = run(EL0_A32, arm[i], 0x84000000);

		/* Counters and timers trap with a syndrome of their own. */
		attempt(!came_back(&fault) && !aborted(&fault), "EL0, AArch32", arm[i], fault.esr);
	}
	for (unsigned int i = 0; i < sizeof(thumb) / sizeof(thumb[0]); i++) {
		undefined(EL0_T32, thumb[i], "EL0, Thumb");
	}
	for (unsigned int i = 0; i < sizeof(accesses) / sizeof(accesses[0]); i++) {
		for (unsigned int j = 0; j < sizeof(hidden) / sizeof(hidden[0]); j++) {
			const struct kit_fault fault = run(EL0_A32, accesses[i],
							   WINDOW_EL0_FIRST + hidden[j]);

			attempt(aborted(&fault) && is_external(&fault), "EL0 access, AArch32",
				hidden[j], fault.esr);
		}
	}
}

void attack_el0(void)
{
	struct kit_fault fault = run(EL0_A64, 0xd503201f, 0); /* nop */
	uint64_t pfr0;

	__asm__("mrs %0, id_aa64pfr0_el1" : "=r"(pfr0));
	if (!came_back(&fault)) {
		kit_fail("EL0 does not run: esr %lx far %lx", fault.esr, fault.far);
		return;
	}
	aarch64();
	if ((pfr0 & 0xf) == 2) {
		fault = run(EL0_A32, 0xe320f000, 0); /* nop */
		if (!came_back(&fault)) {
			kit_fail("AArch32 does not run: esr %lx far %lx", fault.esr, fault.far);
			return;
		}
		aarch32();
	}
}
