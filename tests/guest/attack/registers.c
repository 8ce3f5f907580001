/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System registers and system instructions, every encoding: what belongs to EL2, EL3 and the secure world
 * is undefined here, and so is what the monitor keeps to itself.
 * Source: DDI 0487, C5.1.2 (encoding space), D24 (registers).
 */
#include "attack.h"

#include "../kit/instruction.h"

#define EC_SYSREG 0x18u
#define EC_SVE    0x19u
#define EC_SME    0x1du

struct encoding {
	unsigned int op0, op1, crn, crm, op2;
};

static uint32_t mrs(const struct encoding *e)
{
	return INSTRUCTION_MRS(e->op0, e->op1, e->crn, e->crm, e->op2);
}

static uint64_t name(const struct encoding *e)
{
	return (uint64_t)e->op0 << 16 | e->op1 << 12 | e->crn << 8 | e->crm << 4 | e->op2;
}

static void must_be_undefined(uint32_t instruction, uint64_t x0, const char *what,
			      const struct encoding *e)
{
	struct kit_fault fault;
	const uint64_t given = x0;
	const bool done = instruction_try(instruction, &x0, &fault);

	attempt(!done && is_undefined(&fault) && x0 == given, what, name(e), done ? x0 : fault.esr);
}

/* For the guest: reads as nothing and forgets what is written, or undefined. */
static void must_be_nothing(const struct encoding *e)
{
	struct kit_fault fault;
	uint64_t value = ~0ull;

	if (!instruction_try(mrs(e) & ~INSTRUCTION_READ, &value, &fault)) {
		attempt(is_undefined(&fault), "hidden register: write", name(e), fault.esr);
	}
	value = 0x5a5a;
	if (instruction_try(mrs(e), &value, &fault)) {
		attempt(value == 0, "hidden register: read", name(e), value);
	} else {
		attempt(is_undefined(&fault), "hidden register: read", name(e), fault.esr);
	}
}

/* Levels above: op1 4 is EL2, 5 EL1 seen from EL2, 6 EL3, 7 secure. */
static void higher_levels(void)
{
	for (unsigned int n = 0; n < 4u * 16 * 16 * 8; n++) {
		const struct encoding e = {3, 4 + n / 2048, n / 128 % 16, n / 8 % 16, n % 8};
		struct encoding debug = e;

		if (e.crn == 11 || e.crn == 15) {
			continue;
		}
		debug.op0 = 2;
		must_be_undefined(mrs(&e), 0x5a5a, "register of a higher level: read", &e);
		must_be_undefined(mrs(&e) & ~INSTRUCTION_READ, ~0ull,
				  "register of a higher level: write", &e);
		must_be_undefined(mrs(&debug), 0x5a5a, "debug register of a higher level: read",
				  &debug);
		must_be_undefined(mrs(&debug) & ~INSTRUCTION_READ, ~0ull,
				  "debug register of a higher level: write", &debug);
	}
}

/* QEMU before 8.2 does not trap these (HCR_EL2.TIDCP): then they must be constants. */
static void must_be_constant(const struct encoding *e)
{
	struct kit_fault fault;
	uint64_t before = 0, after = 0, ones = ~0ull;

	if (!instruction_try(mrs(e), &before, &fault)) {
		attempt(is_undefined(&fault), "implementation defined: read", name(e), fault.esr);
		must_be_undefined(mrs(e) & ~INSTRUCTION_READ, ones, "implementation defined: write",
				  e);
		return;
	}
	if (!instruction_try(mrs(e) & ~INSTRUCTION_READ, &ones, &fault)) {
		attempt(is_undefined(&fault), "implementation defined: write", name(e), fault.esr);
	}
	attempt(instruction_try(mrs(e), &after, &fault) && after == before,
		"implementation defined: read", name(e), after);
}

/* IMPLEMENTATION DEFINED: CRn 11 and 15, of registers and of instructions. */
static void implementation_defined(void)
{
	for (unsigned int n = 0; n < 2u * 8 * 16 * 8; n++) {
		const struct encoding e = {3, n / 128 % 8, n / 1024 == 0 ? 11 : 15, n / 8 % 16,
					   n % 8};
		struct encoding system = e;

		system.op0 = 1;
		must_be_constant(&e);
		must_be_undefined(mrs(&system) & ~INSTRUCTION_READ, 0x3c200000,
				  "implementation defined instruction", &system);
		must_be_undefined(mrs(&system), 0x3c200000,
				  "implementation defined instruction with result", &system);
	}
}

/* What can write memory without stage 2, watch EL2, or shows what is physical. */
static void hidden_registers(void)
{
	static const struct range {
		uint8_t op0, op1, crn, crm_first, crm_last;
	} ranges[] = {
		{3, 0, 9, 9, 10},  /* statistical profiling and its buffer */
		{3, 0, 9, 11, 11}, /* trace buffer */
		{3, 0, 5, 3, 5},   /* error records */
		{3, 0, 10, 4, 5},  /* limited order regions, memory partitioning */
		{3, 3, 13, 2, 7},  /* activity monitors */
		{3, 3, 13, 8, 15}, /* their counters */
		{2, 1, 0, 0, 15},  /* trace unit */
		{2, 1, 1, 0, 15},  {2, 1, 2, 0, 15}, {2, 1, 3, 0, 15},
		{2, 1, 7, 0, 15}, /* its management; branch records are 8 and 9 */
		{2, 1, 8, 0, 15},  {2, 1, 9, 0, 15},
	};
	const struct encoding trace_filter = {3, 0, 1, 2, 1};
	const struct encoding actlr = {3, 0, 1, 0, 1};

	for (unsigned int i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		const struct range *r = &ranges[i];

		for (unsigned int crm = r->crm_first; crm <= r->crm_last; crm++) {
			for (unsigned int op2 = 0; op2 < 8; op2++) {
				const struct encoding e = {r->op0, r->op1, r->crn, crm, op2};

				must_be_nothing(&e);
			}
		}
	}
	must_be_nothing(&trace_filter);
	must_be_nothing(&actlr);
}

/* Reading an interrupt acknowledges it, SGIs are gic.c's, and the guest lives by the rest. */
static bool left_alone(const struct encoding *e)
{
	const bool interrupts = e->op0 == 3 && e->op1 == 0 && e->crn == 12 && e->crm >= 8;
	const bool sp_or_daif = e->op0 == 3 && e->crn == 4 && e->crm == 2;

	return interrupts || sp_or_daif;
}

/* The other ways to have no register: FEAT_IDST's, and vector units that are off at EL1. */
static bool is_trapped(const struct kit_fault *fault)
{
	const unsigned int ec = KIT_EC(fault->esr);

	return ec == EC_SYSREG || ec == EC_SVE || ec == EC_SME;
}

/* Every register that is left: read, and what was read written back. Nothing is expected of the guest's own;
 * that the monitor lives through it is seen afterwards. */
static void all_others(void)
{
	for (unsigned int n = 0; n < 2u * 4 * 16 * 16 * 8; n++) {
		const struct encoding e = {2 + n / 8192, n / 2048 % 4, n / 128 % 16, n / 8 % 16,
					   n % 8};
		struct kit_fault fault;
		uint64_t value = 0;

		if (left_alone(&e)) {
			continue;
		}
		if (instruction_try(mrs(&e), &value, &fault)) {
			instruction_try(mrs(&e) & ~INSTRUCTION_READ, &value, &fault);
			attempt(true, "register", name(&e), value);
		} else {
			attempt(is_undefined(&fault) || is_trapped(&fault), "register", name(&e),
				fault.esr);
		}
	}
}

/* Identification registers must not show what the guest cannot have: EL2, EL3 (PFR0), profiling, trace. */
static void identification(void)
{
	uint64_t pfr0, dfr0, mmfr0, mmfr1, mmfr2;

	__asm__("mrs %0, id_aa64pfr0_el1\n\tmrs %1, id_aa64dfr0_el1\n\tmrs %2, id_aa64mmfr0_el1\n\t"
		"mrs %3, id_aa64mmfr1_el1\n\tmrs %4, id_aa64mmfr2_el1"
		: "=r"(pfr0), "=r"(dfr0), "=r"(mmfr0), "=r"(mmfr1), "=r"(mmfr2));
	attempt((pfr0 >> 8 & 0xff) == 0, "EL2 or EL3 shown", 0, pfr0);
	attempt((pfr0 >> 40 & 0xf) == 0 && (pfr0 >> 44 & 0xf) == 0, "MPAM or AMU shown", 0, pfr0);
	attempt((dfr0 >> 32 & 0xf) == 0 && (dfr0 >> 44 & 0xf) == 0 && (dfr0 >> 40 & 0xf) == 0 &&
			(dfr0 >> 4 & 0xf) == 0,
		"profiling or trace shown", 0, dfr0);
	attempt((mmfr0 & 0xf) <= 2 && mmfr0 >> 56 << 60 == 0, "more than 40 bits, or FGT", 0,
		mmfr0);
	attempt((mmfr1 >> 8 & 0xf) == 0 && (mmfr1 >> 16 & 0xf) == 0, "VHE or LORegions shown", 0,
		mmfr1);
	attempt((mmfr2 >> 24 & 0xf) == 0, "nested virtualisation shown", 0, mmfr2);
}

/* Cache, TLB and address instructions: every encoding, at an address that is hidden. */
static void system_instructions(void)
{
	for (unsigned int n = 0; n < 8u * 16 * 16 * 8; n++) {
		const struct encoding e = {1, n / 2048, n / 128 % 16, n / 8 % 16, n % 8};
		struct kit_fault fault;
		uint64_t address = WINDOW_NORMAL + 0x3c200000;

		if (e.op1 >= 4) {
			must_be_undefined(mrs(&e) & ~INSTRUCTION_READ, address,
					  "instruction of a higher level", &e);
			continue;
		}
		attempt(instruction_try(mrs(&e) & ~INSTRUCTION_READ, &address, &fault) ||
				is_undefined(&fault) || is_external(&fault),
			"system instruction", name(&e), fault.esr);
		address = 0;
		attempt(instruction_try(mrs(&e), &address, &fault) || is_undefined(&fault),
			"system instruction with result", name(&e), fault.esr);
	}
}

void attack_registers(void)
{
	identification();
	higher_levels();
	implementation_defined();
	hidden_registers();
	all_others();
	system_instructions();
}
