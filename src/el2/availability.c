/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SMCCC_ARCH_FEATURE_AVAILABILITY: which features a trap below the guest does not take from it, in the
 * bits of the EL3 registers that would (DEN0028, 7.6). A one always means that nothing traps, whatever
 * the sense of the register's bit. There is no EL3 here: features.c decides, so that a feature is
 * available where it is implemented and idregs.c shows it. Features that only EL2 can use are not.
 */
#include "el2.h"
#include "sysreg.h"

/* Registers as op0:op1:CRn:CRm:op2 of an MRS, bits 20:5. */
#define SCR_EL3   0x1e1100u
#define CPTR_EL3  0x1e1140u
#define MDCR_EL3  0x1e1320u
#define MPAM3_EL3 0x1ea500u

enum id { PFR0, PFR1, DFR0, ISAR0, ISAR1, ISAR2, MMFR3, ALWAYS, ID_COUNT };

/* Bit `bit` of register `el3` is set if the field at bit `low` of register `id` is `least` or more. */
static const struct {
	uint32_t el3;
	uint8_t bit, id, low, least;
} features[] = {
	{SCR_EL3, 15, PFR0, 28, 1},   /* TERR: error records */
	{SCR_EL3, 16, ISAR1, 4, 1},   /* APK: pointer authentication keys, three algorithms */
	{SCR_EL3, 16, ISAR1, 8, 1},   /*   */
	{SCR_EL3, 16, ISAR2, 12, 1},  /*   */
	{SCR_EL3, 25, PFR0, 56, 2},   /* EnSCXT: SCXTNUM_ELx */
	{SCR_EL3, 26, PFR1, 8, 2},    /* ATA: allocation tags */
	{SCR_EL3, 36, ISAR1, 60, 3},  /* EnAS0, ADEn: ST64BV0 and ACCDATA_EL1 */
	{SCR_EL3, 37, ISAR1, 60, 3},  /*   */
	{SCR_EL3, 40, ISAR0, 60, 1},  /* TRNDR: RNDR, RNDRRS */
	{SCR_EL3, 41, PFR1, 24, 1},   /* EnTP2: SME's TPIDR2_EL0 */
	{SCR_EL3, 43, MMFR3, 0, 1},   /* TCR2En */
	{SCR_EL3, 44, MMFR3, 4, 1},   /* SCTLR2En */
	{SCR_EL3, 45, MMFR3, 8, 1},   /* PIEn: permission indirection */
	{CPTR_EL3, 8, PFR0, 32, 1},   /* EZ: SVE */
	{CPTR_EL3, 10, ALWAYS, 0, 1}, /* TFP: floating point, which the machine has */
	{CPTR_EL3, 12, PFR1, 24, 1},  /* ESM: SME */
	{MDCR_EL3, 6, DFR0, 8, 1},    /* TPM: performance monitors */
	{MDCR_EL3, 9, ALWAYS, 0, 1},  /* TDA, TDOSA: debug registers */
	{MDCR_EL3, 10, ALWAYS, 0, 1}, /*   */
};

static void read_ids(uint64_t ids[ID_COUNT])
{
	ids[PFR0] = sysreg_read(id_aa64pfr0_el1);
	ids[PFR1] = sysreg_read(id_aa64pfr1_el1);
	ids[DFR0] = sysreg_read(id_aa64dfr0_el1);
	ids[ISAR0] = sysreg_read(id_aa64isar0_el1);
	ids[ISAR1] = sysreg_read(id_aa64isar1_el1);
	ids[ISAR2] = sysreg_read(S3_0_C0_C6_2);
	ids[MMFR3] = sysreg_read(S3_0_C0_C7_3);
	ids[ALWAYS] = 1;
}

bool availability(void *host, uint64_t reg, uint64_t *bits)
{
	uint64_t ids[ID_COUNT];

	(void)host;
	*bits = 0;
	if (reg != SCR_EL3 && reg != CPTR_EL3 && reg != MDCR_EL3 && reg != MPAM3_EL3) {
		return false;
	}
	read_ids(ids);
	for (unsigned int i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
		if (features[i].el3 == reg &&
		    id_field(ids[features[i].id], features[i].low) >= features[i].least) {
			*bits |= 1ull << features[i].bit;
		}
	}
	return true;
}
