/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Give the guest an exception as the CPU itself would have taken it to EL1.
 * Source: DDI 0487, J1 AArch64.TakeException and D1.3 (vector offsets); D24.2 ESR_ELx, SCTLR_EL1.
 */
#include "el2.h"
#include "sysreg.h"

/* PSTATE as SPSR_EL2 holds it */
#define PSTATE_AARCH32  (1ull << 4)
#define PSTATE_EL(p)    ((p) >> 2 & 3)
#define PSTATE_SPSEL    (1ull << 0)
#define PSTATE_EL1H     5ull
#define PSTATE_DAIF     (0xfull << 6)
#define PSTATE_BTYPE    (3ull << 10)
#define PSTATE_SSBS     (1ull << 12)
#define PSTATE_ALLINT   (1ull << 13)
#define PSTATE_SS       (1ull << 21)
#define PSTATE_PAN      (1ull << 22)
#define PSTATE_DIT      (1ull << 24)
#define PSTATE_TCO      (1ull << 25)
#define PSTATE_NZCV     (0xfull << 28)

#define SCTLR_SPAN      (1ull << 23)
#define SCTLR_DSSBS     (1ull << 44)
#define SCTLR_SPINTMASK (1ull << 62)

#define ESR_EC(esr)     ((esr) >> 26 & 0x3f)
#define ESR_IL          (1ull << 25)
#define ESR_ISS_WNR     (1ull << 6)
#define ESR_ISS_CM      (1ull << 8)
#define EC_UNKNOWN      0x00ull
#define EC_IABORT_LOW   0x20ull
#define EC_IABORT_SAME  0x21ull
#define EC_DABORT_LOW   0x24ull
#define EC_DABORT_SAME  0x25ull
#define ESR_ISS_S1PTW   (1ull << 7)
#define FSC_EXTERNAL    0x10ull /* synchronous external abort, not on a table walk ... */
#define FSC_WALK        0x14ull /* ... and on one, with its level */
#define LAST_LEVEL      3ull

static bool from_el0(uint64_t pstate)
{
	return (pstate & PSTATE_AARCH32) != 0 || PSTATE_EL(pstate) == 0;
}

static uint64_t vector_offset(uint64_t pstate)
{
	if ((pstate & PSTATE_AARCH32) != 0) {
		return 0x600;
	}
	if (PSTATE_EL(pstate) == 0) {
		return 0x400;
	}
	return (pstate & PSTATE_SPSEL) != 0 ? 0x200 : 0x000;
}

static uint64_t handler_pstate(uint64_t old)
{
	uint64_t pfr1 = sysreg_read(id_aa64pfr1_el1);
	uint64_t sctlr = sysreg_read(sctlr_el1);
	uint64_t new = PSTATE_EL1H | PSTATE_DAIF;

	new |= old &(PSTATE_NZCV | PSTATE_DIT | PSTATE_PAN);
	if (id_field(sysreg_read(id_aa64mmfr1_el1), 20) != 0 && (sctlr & SCTLR_SPAN) == 0) {
		new |= PSTATE_PAN;
	}
	if (id_field(pfr1, 4) != 0 && (sctlr & SCTLR_DSSBS) != 0) {
		new |= PSTATE_SSBS;
	}
	if (id_field(pfr1, 8) >= 2) {
		new |= PSTATE_TCO;
	}
	if (id_field(pfr1, 36) != 0 && (sctlr & SCTLR_SPINTMASK) == 0) {
		new |= PSTATE_ALLINT;
	}
	return new;
}

static void take_exception(uint64_t esr)
{
	uint64_t pstate = sysreg_read(spsr_el2);

	sysreg_write(esr_el1, esr);
	sysreg_write(elr_el1, sysreg_read(elr_el2));
	sysreg_write(spsr_el1, pstate);
	sysreg_write(elr_el2, (sysreg_read(vbar_el1) & ~0x7ffull) + vector_offset(pstate));
	sysreg_write(spsr_el2, handler_pstate(pstate));
}

/* The level of the stage 1 table that stage 2 did not let the CPU read. HPFAR_EL2 says where it lies, not
 * which it is: known is that of the first one; of a later one, the last is the likeliest. */
static uint64_t walk_level(void)
{
	static const uint8_t page_bits[2][4] = {{12, 16, 14, 12}, {12, 14, 12, 16}}; /* TG0, TG1 */
	uint64_t tcr = sysreg_read(tcr_el1);
	bool high = (sysreg_read(far_el2) >> 55 & 1) != 0;
	uint64_t base = high ? sysreg_read(ttbr1_el1) : sysreg_read(ttbr0_el1);
	uint64_t bits = 64 - ((high ? tcr >> 16 : tcr) & 0x3f);
	uint64_t page = page_bits[high ? 1 : 0][(high ? tcr >> 30 : tcr >> 14) & 3];
	uint64_t table = sysreg_read(hpfar_el2) >> 4 & 0xfffffffff;
	uint64_t levels;

	if (table != (base >> 12 & 0xfffffffff) || bits <= page) {
		return LAST_LEVEL;
	}
	levels = (bits - page + page - 4) / (page - 3); /* each resolves page - 3 bits */
	return levels > 4 ? 0 : 4 - levels;
}

void inject_abort(uint64_t esr)
{
	bool low = from_el0(sysreg_read(spsr_el2));
	bool fetch = ESR_EC(esr) == EC_IABORT_LOW;
	uint64_t ec;
	uint64_t iss = (esr & ESR_ISS_S1PTW) != 0 ? FSC_WALK | walk_level() : FSC_EXTERNAL;

	if (fetch) {
		ec = low ? EC_IABORT_LOW : EC_IABORT_SAME;
	} else {
		ec = low ? EC_DABORT_LOW : EC_DABORT_SAME;
		iss |= esr & (ESR_ISS_WNR | ESR_ISS_CM);
	}
	sysreg_write(far_el1, sysreg_read(far_el2));
	take_exception(ec << 26 | (fetch ? ESR_IL : esr & ESR_IL) | iss);
}

void inject_undefined(uint64_t esr)
{
	take_exception(EC_UNKNOWN << 26 | (esr & ESR_IL));
}

bool guest_is_aarch32(void)
{
	return (sysreg_read(spsr_el2) & PSTATE_AARCH32) != 0;
}

void guest_skip_instruction(void)
{
	sysreg_write(elr_el2, sysreg_read(elr_el2) + 4);
	sysreg_write(spsr_el2, sysreg_read(spsr_el2) & ~(PSTATE_SS | PSTATE_BTYPE));
}
