/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state in which a guest CPU starts: every register that EL1 and EL0 can see has its architectural
 * reset value, or zero where that is UNKNOWN (DDI 0487, D1.4 and each register; DEN0022, 6.4).
 */
#include "el2.h"
#include "sysreg.h"

#define SCTLR_EL1_RESET 0x30d00800ull /* RES1 bits: MMU and caches off, little-endian */

static void translation(void)
{
	sysreg_write(sctlr_el1, SCTLR_EL1_RESET);
	sysreg_write(tcr_el1, 0);
	sysreg_write(ttbr0_el1, 0);
	sysreg_write(ttbr1_el1, 0);
	sysreg_write(mair_el1, 0);
	sysreg_write(amair_el1, 0);
	sysreg_write(contextidr_el1, 0);
	sysreg_write(par_el1, 0);
	sysreg_write(cpacr_el1, 0);
	sysreg_write(csselr_el1, 0);
}

static void exceptions_and_threads(void)
{
	sysreg_write(vbar_el1, 0);
	sysreg_write(elr_el1, 0);
	sysreg_write(spsr_el1, 0);
	sysreg_write(esr_el1, 0);
	sysreg_write(far_el1, 0);
	sysreg_write(afsr0_el1, 0);
	sysreg_write(afsr1_el1, 0);
	sysreg_write(sp_el1, 0);
	sysreg_write(sp_el0, 0);
	sysreg_write(tpidr_el1, 0);
	sysreg_write(tpidr_el0, 0);
	sysreg_write(tpidrro_el0, 0);
}

static void timers_off(void)
{
	sysreg_write(cntv_ctl_el0, 0);
	sysreg_write(cntp_ctl_el0, 0);
	sysreg_write(cntv_cval_el0, 0);
	sysreg_write(cntp_cval_el0, 0);
}

#define DEBUG_PAIR(n)                             \
	case n:                                   \
		sysreg_write(dbgbcr##n##_el1, 0); \
		sysreg_write(dbgbvr##n##_el1, 0); \
		break
#define WATCH_PAIR(n)                             \
	case n:                                   \
		sysreg_write(dbgwcr##n##_el1, 0); \
		sysreg_write(dbgwvr##n##_el1, 0); \
		break
#define ALL_PAIRS(pair) \
	pair(0);        \
	pair(1);        \
	pair(2);        \
	pair(3);        \
	pair(4);        \
	pair(5);        \
	pair(6);        \
	pair(7);        \
	pair(8);        \
	pair(9);        \
	pair(10);       \
	pair(11);       \
	pair(12);       \
	pair(13);       \
	pair(14);       \
	pair(15)

static void breakpoint(unsigned int n)
{
	switch (n) {
		ALL_PAIRS(DEBUG_PAIR);
	default:
		break;
	}
}

static void watchpoint(unsigned int n)
{
	switch (n) {
		ALL_PAIRS(WATCH_PAIR);
	default:
		break;
	}
}

static void debug(uint64_t dfr0)
{
	for (unsigned int i = 0; i <= id_field(dfr0, 12); i++) {
		breakpoint(i);
	}
	for (unsigned int i = 0; i <= id_field(dfr0, 20); i++) {
		watchpoint(i);
	}
	sysreg_write(mdscr_el1, 0);
	sysreg_write(mdccint_el1, 0);
	sysreg_write(osdlr_el1, 0);
	sysreg_write(oslar_el1, 1); /* the OS lock is set out of reset */
}

static void counters(uint64_t dfr0)
{
	unsigned int version = id_field(dfr0, 8);
	uint64_t count;

	if (version == 0 || version == 0xf) {
		return;
	}
	count = sysreg_read(pmcr_el0) >> 11 & 0x1f;
	sysreg_write(pmcr_el0, 6); /* reset all counters; E, D, X, LC off */
	sysreg_write(pmcntenclr_el0, 0xffffffff);
	sysreg_write(pmintenclr_el1, 0xffffffff);
	sysreg_write(pmovsclr_el0, 0xffffffff);
	sysreg_write(pmuserenr_el0, 0);
	sysreg_write(pmccfiltr_el0, 0);
	for (uint64_t i = 0; i < count; i++) {
		sysreg_write(pmselr_el0, i);
		isb();
		sysreg_write(pmxevtyper_el0, 0);
	}
	sysreg_write(pmselr_el0, 0);
}

static void pauth_and_tags(uint64_t pfr1)
{
	uint64_t isar1 = sysreg_read(id_aa64isar1_el1);
	uint64_t isar2 = sysreg_read(S3_0_C0_C6_2);

	if (id_field(isar1, 4) != 0 || id_field(isar1, 8) != 0 || id_field(isar2, 12) != 0) {
		sysreg_write(APIAKEYLO_EL1, 0);
		sysreg_write(APIAKEYHI_EL1, 0);
		sysreg_write(APIBKEYLO_EL1, 0);
		sysreg_write(APIBKEYHI_EL1, 0);
		sysreg_write(APDAKEYLO_EL1, 0);
		sysreg_write(APDAKEYHI_EL1, 0);
		sysreg_write(APDBKEYLO_EL1, 0);
		sysreg_write(APDBKEYHI_EL1, 0);
	}
	if (id_field(isar1, 24) != 0 || id_field(isar1, 28) != 0 || id_field(isar2, 8) != 0) {
		sysreg_write(APGAKEYLO_EL1, 0);
		sysreg_write(APGAKEYHI_EL1, 0);
	}
	if (id_field(pfr1, 8) >= 2) {
		sysreg_write(RGSR_EL1, 0);
		sysreg_write(GCR_EL1, 0);
		sysreg_write(TFSR_EL1, 0);
		sysreg_write(TFSRE0_EL1, 0);
	}
}

/* FEAT_CSV2_2's context numbers, error deferral, and what came with stage 1 of Armv8.9. */
static void later_extensions(uint64_t pfr0, uint64_t pfr1)
{
	uint64_t mmfr3 = sysreg_read(S3_0_C0_C7_3);

	if (id_field(pfr0, 56) >= 2 || (id_field(pfr0, 56) == 1 && id_field(pfr1, 32) >= 2)) {
		sysreg_write(SCXTNUM_EL0, 0);
		sysreg_write(SCXTNUM_EL1, 0);
	}
	if (id_field(pfr0, 28) != 0) {
		sysreg_write(DISR_EL1, 0);
	}
	if (id_field(mmfr3, 0) != 0) {
		sysreg_write(TCR2_EL1, 0);
	}
	if (id_field(mmfr3, 4) != 0) {
		sysreg_write(SCTLR2_EL1, 0);
	}
	if (id_field(mmfr3, 8) != 0) {
		sysreg_write(PIR_EL1, 0);
		sysreg_write(PIRE0_EL1, 0);
	}
	if (id_field(mmfr3, 16) != 0) {
		sysreg_write(POR_EL0, 0);
		sysreg_write(POR_EL1, 0);
	}
	if (id_field(sysreg_read(id_aa64isar1_el1), 60) >= 3) {
		sysreg_write(ACCDATA_EL1, 0);
	}
}

static void vector_registers(uint64_t pfr0, uint64_t pfr1)
{
	if (id_field(pfr1, 24) != 0) {
		sysreg_write(SVCR, 0); /* leaves streaming mode, and ZA with its contents */
		sysreg_write(SMCR_EL1, 0);
		sysreg_write(SMPRI_EL1, 0);
		sysreg_write(TPIDR2_EL0, 0);
		isb();
	}
	el2_clear_fp();
	if (id_field(pfr0, 32) != 0) {
		el2_clear_sve();
		sysreg_write(ZCR_EL1, 0);
	}
}

void guest_state_reset(bool timers)
{
	uint64_t pfr0 = sysreg_read(id_aa64pfr0_el1);
	uint64_t pfr1 = sysreg_read(id_aa64pfr1_el1);
	uint64_t dfr0 = sysreg_read(id_aa64dfr0_el1);

	translation();
	exceptions_and_threads();
	debug(dfr0);
	counters(dfr0);
	pauth_and_tags(pfr1);
	later_extensions(pfr0, pfr1);
	vector_registers(pfr0, pfr1);
	sysreg_write(cntkctl_el1, 0);
	if (timers) {
		timers_off();
	}
	isb();
}
