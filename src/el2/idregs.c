/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System registers that trap (HCR_EL2.TID3, TERR, TACR, MDCR_EL2.TDOSA, TDRA, TPM): the guest reads what the CPU has, less what
 * the monitor does not hand on. The table lists fields that are passed; a feature nobody has thought
 * about yet reads as absent, as its controls in features.c are off.
 * Source: DDI 0487, D24.2, ID_AA64*_EL1.
 */
#include "el2.h"
#include "sysreg.h"

#define FIELD(low) (0xfull << (low))

/* EL0, EL1, FP, AdvSIMD, GIC, RAS, SVE, DIT, CSV2, CSV3; not EL2, EL3, SEL2, MPAM, AMU, RME */
#define PFR0                                                                               \
	(FIELD(0) | FIELD(4) | FIELD(16) | FIELD(20) | FIELD(24) | FIELD(28) | FIELD(32) | \
	 FIELD(48) | FIELD(56) | FIELD(60))
/* BT, SSBS, MTE, RAS_frac, SME, CSV2_frac, NMI, MTE_frac, MTEX */
#define PFR1                                                                              \
	(FIELD(0) | FIELD(4) | FIELD(8) | FIELD(12) | FIELD(24) | FIELD(32) | FIELD(36) | \
	 FIELD(40) | FIELD(52))
/* MTESTOREONLY, MTEFAR */
#define PFR2 (FIELD(4) | FIELD(8))
/* DebugVer, PMUVer, BRPs, WRPs, CTX_CMPs, DoubleLock, MTPMU, HPMN0; no trace, no profiling */
#define DFR0                                                                               \
	(FIELD(0) | FIELD(8) | FIELD(12) | FIELD(20) | FIELD(28) | FIELD(36) | FIELD(48) | \
	 FIELD(60))
/* all but TME */
#define ISAR0 ~FIELD(24)
/* all but SYSREG_128, SYSINSTR_128 */
#define ISAR2 ~(FIELD(32) | FIELD(36))
/* CPA, FAMINMAX, TLBIW */
#define ISAR3 (FIELD(0) | FIELD(4) | FIELD(8))
/* all but FGT */
#define MMFR0 ~FIELD(56)
/* HAFDBS, HPDS, PAN, SpecSEI, ETS, AFP, nTLBPA, TIDCP1, CMOW, ECBHB */
#define MMFR1                                                                               \
	(FIELD(0) | FIELD(12) | FIELD(20) | FIELD(24) | FIELD(36) | FIELD(44) | FIELD(48) | \
	 FIELD(52) | FIELD(56) | FIELD(60))
/* all but NV, FWB, EVT */
#define MMFR2 ~(FIELD(24) | FIELD(40) | FIELD(56))
/* TCRX, SCTLRX, S1PIE, S1POE, Spec_FPACC */
#define MMFR3 (FIELD(0) | FIELD(4) | FIELD(8) | FIELD(16) | FIELD(60))

#define PASS  ~0ull

#define ID_REGISTERS               \
	/* AArch32, CRm 1 to 3 */  \
	ID(1, 0, PASS)             \
	ID(1, 1, PASS)             \
	ID(1, 2, PASS)             \
	ID(1, 3, PASS)             \
	ID(1, 4, PASS)             \
	ID(1, 5, PASS)             \
	ID(1, 6, PASS)             \
	ID(1, 7, PASS)             \
	ID(2, 0, PASS)             \
	ID(2, 1, PASS)             \
	ID(2, 2, PASS)             \
	ID(2, 3, PASS)             \
	ID(2, 4, PASS)             \
	ID(2, 5, PASS)             \
	ID(2, 6, PASS)             \
	ID(2, 7, PASS)             \
	ID(3, 0, PASS)             \
	ID(3, 1, PASS)             \
	ID(3, 2, PASS)             \
	ID(3, 4, PASS)             \
	ID(3, 5, PASS)             \
	ID(3, 6, PASS)             \
	/* AArch64 */              \
	ID(4, 0, PFR0)             \
	ID(4, 1, PFR1)             \
	ID(4, 2, PFR2)             \
	ID(4, 4, PASS) /* ZFR0 */  \
	ID(4, 5, PASS) /* SMFR0 */ \
	ID(5, 0, DFR0)             \
	ID(6, 0, ISAR0)            \
	ID(6, 1, PASS) /* ISAR1 */ \
	ID(6, 2, ISAR2)            \
	ID(6, 3, ISAR3)            \
	ID(7, 0, MMFR0)            \
	ID(7, 1, MMFR1)            \
	ID(7, 2, MMFR2)            \
	ID(7, 3, MMFR3)

/* Cap the field at bit `low` of *value. */
static void cap(uint64_t *value, unsigned int low, unsigned int most)
{
	if (id_field(*value, low) > most) {
		*value = (*value & ~FIELD(low)) | (uint64_t)most << low;
	}
}

static uint64_t id_register(unsigned int crm, unsigned int op2)
{
	uint64_t value = 0;

	switch (crm << 3 | op2) {
#define ID(m, o, mask)                                            \
	case (m) << 3 | (o):                                      \
		value = sysreg_read(S3_0_C0_C##m##_##o) & (mask); \
		break;
		ID_REGISTERS
#undef ID
	default:
		break;
	}
	if (crm == 7 && op2 == 0 && stage2_ipa_bits() == 40) {
		cap(&value, 0, 2); /* PARange: what stage 2 translates */
	}
	if (crm == 5 && op2 == 0 && id_field(value, 8) != 0xf) {
		cap(&value, 8, 8); /* PMUVer: later ones need fine-grained traps 2 */
	}
	return value;
}

/* Debug registers that trap (MDCR_EL2.TDOSA, TDRA). The OS lock is the guest's, as it decides whether there
 * are debug exceptions; the double lock and the power request read as zero and ignore writes, and no ROM
 * table says where debug registers lie. */
static bool debug_access(unsigned int key, bool read, uint64_t *value)
{
	switch (key) {
	case 1 << 7 | 0 << 3 | 0: /* MDRAR_EL1 */
		*value = 0;
		return read;
	case 1 << 7 | 0 << 3 | 4: /* OSLAR_EL1 */
		if (!read) {
			sysreg_write(oslar_el1, *value & 1);
		}
		return !read;
	case 1 << 7 | 1 << 3 | 4: /* OSLSR_EL1 */
		*value = sysreg_read(oslsr_el1);
		return read;
	case 1 << 7 | 3 << 3 | 4: /* OSDLR_EL1 */
	case 1 << 7 | 4 << 3 | 4: /* DBGPRCR_EL1 */
		*value = 0;
		return true;
	default:
		return false;
	}
}

bool sysreg_access(uint64_t iss, uint64_t *value)
{
	bool read = (iss & 1) != 0;
	uint64_t op0 = iss >> 20 & 3, op2 = iss >> 17 & 7, op1 = iss >> 14 & 7;
	uint64_t crn = iss >> 10 & 0xf, crm = iss >> 1 & 0xf;

	unsigned int key = (unsigned int)(op1 << 11 | crn << 7 | crm << 3 | op2);

	if (op0 == 2) {
		return debug_access(key, read, value);
	}
	if (op0 != 3) {
		return false;
	}
	if (pmu_access(key, read, value)) {
		return true;
	}
	if (op1 != 0) {
		return false;
	}
	if (crn == 0 && crm >= 1 && crm <= 7 && read) {
		*value = id_register((unsigned int)crm, (unsigned int)op2);
		return true;
	}
	/* ACTLR_EL1; ERRIDR_EL1 to ERXMISC3_EL1: no error records. */
	if ((crn == 1 && crm == 0 && op2 == 1) ||
	    (crn == 5 && (crm == 3 || crm == 4 || crm == 5))) {
		*value = 0;
		return true;
	}
	return false;
}
