/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The EL2 control registers: what the guest may use, and what traps. One rule: a feature is left to the
 * guest when its controls are set here and idregs.c shows it; everything else is hidden and traps.
 * Source: DDI 0487, D24.2, the register of each function.
 */
#include "el2.h"
#include "sysreg.h"

#define HCR_VM     (1ull << 0)
#define HCR_SWIO   (1ull << 1)  /* set/way invalidation cleans, too: it must not drop our lines */
#define HCR_PTW    (1ull << 2)  /* stage 1 tables in Device memory fault */
#define HCR_FB     (1ull << 9)  /* TLB maintenance reaches all CPUs */
#define HCR_BSU_IS (1ull << 10) /* barriers are at least inner shareable */
#define HCR_TID3   (1ull << 18) /* identification registers: idregs.c */
#define HCR_TSC    (1ull << 19) /* SMC */
#define HCR_TIDCP  (1ull << 20) /* IMPLEMENTATION DEFINED registers */
#define HCR_TACR   (1ull << 21) /* ACTLR_EL1 */
#define HCR_RW     (1ull << 31) /* EL1 is AArch64 */
#define HCR_TLOR   (1ull << 35) /* LORegions: physical addresses */
#define HCR_TERR   (1ull << 36) /* error records */
#define HCR_APK    (1ull << 40) /* pointer authentication keys ... */
#define HCR_API    (1ull << 41) /* ... and instructions do not trap */
#define HCR_ENSCXT (1ull << 53) /* SCXTNUM_ELx do not trap */
#define HCR_ATA    (1ull << 56) /* allocation tags */

static bool has_pauth(uint64_t isar1, uint64_t isar2)
{
	return id_field(isar1, 4) != 0 || id_field(isar1, 8) != 0 || id_field(isar2, 12) != 0;
}

/* FEAT_CSV2_2, or _1p2 of the earlier numbering. */
static bool has_scxtnum(uint64_t pfr0, uint64_t pfr1)
{
	return id_field(pfr0, 56) >= 2 || (id_field(pfr0, 56) == 1 && id_field(pfr1, 32) >= 2);
}

static void hypervisor_configuration(uint64_t pfr0, uint64_t pfr1)
{
	uint64_t hcr = HCR_VM | HCR_SWIO | HCR_PTW | HCR_FB | HCR_BSU_IS | HCR_TID3 | HCR_TSC |
		       HCR_TIDCP | HCR_TACR | HCR_RW;
	uint64_t isar2 = sysreg_read(S3_0_C0_C6_2);

	if (id_field(pfr0, 28) != 0) {
		hcr |= HCR_TERR;
	}
	if (id_field(sysreg_read(id_aa64mmfr1_el1), 16) != 0) {
		hcr |= HCR_TLOR;
	}
	if (has_pauth(sysreg_read(id_aa64isar1_el1), isar2)) {
		hcr |= HCR_APK | HCR_API;
	}
	if (has_scxtnum(pfr0, pfr1)) {
		hcr |= HCR_ENSCXT;
	}
	if (id_field(pfr1, 8) >= 2) {
		hcr |= HCR_ATA;
	}
	sysreg_write(hcr_el2, hcr);
}

/* Floating point, SVE and SME without traps; trace and activity monitors trap. */
static void vector_units(uint64_t pfr0, uint64_t pfr1)
{
	uint64_t cptr = 0x20ffull | 1ull << 9 | 1ull << 20; /* RES1 bits, TTA */

	if (id_field(pfr0, 44) != 0) {
		cptr |= 1ull << 30; /* TAM */
	}
	if (id_field(pfr0, 32) == 0) {
		cptr |= 1ull << 8; /* TZ, RES1 without SVE */
	}
	if (id_field(pfr1, 24) == 0) {
		cptr |= 1ull << 12; /* TSM, RES1 without SME */
	}
	sysreg_write(cptr_el2, cptr);
	isb();
	if (id_field(pfr0, 32) != 0) {
		sysreg_write(ZCR_EL2, 0xf);
	}
	if (id_field(pfr1, 24) != 0) {
		uint64_t smcr = 0xf;
		uint64_t smfr0 = sysreg_read(S3_0_C0_C4_5);

		if (smfr0 >> 63 != 0) {
			smcr |= 1ull << 31; /* FA64 */
		}
		if (id_field(smfr0, 56) >= 1) {
			smcr |= 1ull << 30; /* EZT0, SME2 */
		}
		sysreg_write(SMCR_EL2, smcr);
	}
	isb();
}

/* Debug and counters are the guest's; counting stops in EL2. What would power the CPU's debug logic, and where
 * debug registers lie in memory, is not. Profiling and trace buffers, which write
 * memory by addresses that stage 2 does not see, belong to EL2 and trap. */
static void debug_and_counters(void)
{
	uint64_t dfr0 = sysreg_read(id_aa64dfr0_el1);
	unsigned int pmu = id_field(dfr0, 8);
	uint64_t mdcr = 1ull << 11 | 1ull << 10; /* TDRA, TDOSA: idregs.c */

	if (pmu != 0 && pmu != 0xf) {
		mdcr |= sysreg_read(pmcr_el0) >> 11 & 0x1f; /* HPMN: all counters */
		/* HPMD. The cycle counter heeds it only if the guest sets PMCR_EL0.DP, before HCCD came:
		 * then the guest can time calls in cycles, as it can by the system counter. */
		mdcr |= pmu >= 4 ? 1ull << 17 : 1ull << 6; /* else TPM: pmu.c */
		if (pmu >= 6) {
			mdcr |= 1ull << 23; /* HCCD */
		}
	}
	if (id_field(dfr0, 32) != 0) {
		mdcr |= 1ull << 14; /* TPMS; E2PB 0: the buffer is EL2's */
	}
	if (id_field(dfr0, 40) != 0) {
		mdcr |= 1ull << 19; /* TTRF */
	}
	sysreg_write(mdcr_el2, mdcr); /* E2TB 0: the trace buffer is EL2's, too */
}

/* HCRX_EL2 bits are enables: zero hides what idregs.c does not show. */
static void extended_configuration(void)
{
	uint64_t isar1 = sysreg_read(id_aa64isar1_el1);
	uint64_t isar2 = sysreg_read(S3_0_C0_C6_2);
	uint64_t mmfr3 = sysreg_read(S3_0_C0_C7_3);
	uint64_t hcrx = 0;

	if (id_field(sysreg_read(id_aa64mmfr1_el1), 40) == 0) {
		return;
	}
	if (id_field(isar2, 16) != 0) {
		hcrx |= 1ull << 11; /* MSCEn: memory copy and set */
	}
	if (id_field(isar1, 60) >= 1) {
		hcrx |= 1ull << 1; /* EnALS: 64-byte loads and stores */
	}
	if (id_field(isar1, 60) >= 2) {
		hcrx |= 1ull << 2; /* EnASR */
	}
	if (id_field(isar1, 60) >= 3) {
		hcrx |= 1ull << 0; /* EnAS0 */
	}
	if (id_field(mmfr3, 0) != 0) {
		hcrx |= 1ull << 14; /* TCR2En */
	}
	if (id_field(mmfr3, 4) != 0) {
		hcrx |= 1ull << 15; /* SCTLR2En */
	}
	sysreg_write(HCRX_EL2, hcrx);
}

/* Fine-grained traps off, where a zero means that: only registers whose bits have the negative sense
 * (n...) and that idregs.c shows need a one. */
static void fine_grained_traps(uint64_t pfr0, uint64_t pfr1)
{
	uint64_t mmfr3 = sysreg_read(S3_0_C0_C7_3);
	uint64_t allow = 0;

	if (id_field(sysreg_read(id_aa64mmfr0_el1), 56) == 0) {
		return;
	}
	if (id_field(pfr1, 24) != 0) {
		allow |= 1ull << 54 | 1ull << 55; /* nSMPRI_EL1, nTPIDR2_EL0 */
	}
	if (id_field(sysreg_read(id_aa64isar1_el1), 60) >= 3) {
		allow |= 1ull << 50; /* nACCDATA_EL1 */
	}
	if (id_field(mmfr3, 8) != 0) {
		allow |= 1ull << 57 | 1ull << 58; /* nPIRE0_EL1, nPIR_EL1 */
	}
	if (id_field(mmfr3, 16) != 0) {
		allow |= 1ull << 59 | 1ull << 60; /* nPOR_EL0, nPOR_EL1 */
	}
	sysreg_write(HFGRTR_EL2, allow);
	sysreg_write(HFGWTR_EL2, allow);
	sysreg_write(HFGITR_EL2, 0);
	sysreg_write(HDFGRTR_EL2, 0);
	sysreg_write(HDFGWTR_EL2, 0);
	if (id_field(pfr0, 44) != 0) {
		sysreg_write(HAFGRTR_EL2, 0); /* activity monitors: CPTR_EL2.TAM traps them all */
	}
	if (id_field(sysreg_read(id_aa64mmfr0_el1), 56) >= 2) {
		/* All of negative sense, and idregs.c shows none of these features: traps. */
		sysreg_write(HFGRTR2_EL2, 0);
		sysreg_write(HFGWTR2_EL2, 0);
		sysreg_write(HFGITR2_EL2, 0);
		sysreg_write(HDFGRTR2_EL2, 0);
		sysreg_write(HDFGWTR2_EL2, 0);
	}
}

/* Memory partitioning is hidden: its EL1 and EL0 registers trap, and everybody is in the default
 * partition, without virtual ones. DDI 0598, 9.6. */
static void partitioning(uint64_t pfr0, uint64_t pfr1)
{
	uint64_t mpam2 = 1ull << 49 | 1ull << 48; /* TRAPMPAM1EL1, TRAPMPAM0EL1 */
	uint64_t id;

	if (id_field(pfr0, 40) == 0 && id_field(pfr1, 16) == 0) {
		return;
	}
	id = sysreg_read(MPAMIDR_EL1);
	if ((id >> 58 & 1) != 0) {
		mpam2 |= 1ull << 58; /* TIDR */
	}
	if ((id >> 17 & 1) != 0) {
		sysreg_write(MPAMHCR_EL2, 1ull << 31); /* TRAP_MPAMIDR_EL1 */
	}
	sysreg_write(MPAM2_EL2, mpam2);
	sysreg_write(MPAM1_EL1, 0);
	sysreg_write(MPAM0_EL1, 0);
}

/* EL2's own timers, whose interrupts nobody would take. */
static void timers_off(void)
{
	sysreg_write(cnthp_ctl_el2, 0);
	if (id_field(sysreg_read(id_aa64mmfr1_el1), 8) != 0) {
		sysreg_write(CNTHV_CTL_EL2, 0);
	}
}

void features_init(void)
{
	uint64_t pfr0 = sysreg_read(id_aa64pfr0_el1);
	uint64_t pfr1 = sysreg_read(id_aa64pfr1_el1);

	hypervisor_configuration(pfr0, pfr1);
	vector_units(pfr0, pfr1);
	debug_and_counters();
	extended_configuration();
	fine_grained_traps(pfr0, pfr1);
	partitioning(pfr0, pfr1);
	timers_off();
	sysreg_write(hstr_el2, 0);
	/* EL1PCTEN, EL1PCEN: both timers are the guest's. No event stream of ours, no traps, no offset. */
	sysreg_write(cnthctl_el2, 3);
	sysreg_write(cntvoff_el2, 0);
	sysreg_write(vpidr_el2, sysreg_read(midr_el1));
	sysreg_write(vmpidr_el2, sysreg_read(mpidr_el1));
	isb();
}
