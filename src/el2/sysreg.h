/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System registers and barriers. Registers that older assemblers do not know by name are written as
 * S<op0>_<op1>_C<n>_C<m>_<op2>; the names on the left are the Arm ARM's (DDI 0487, D24).
 */
#ifndef HVCGATE_EL2_SYSREG_H
#define HVCGATE_EL2_SYSREG_H

#include <stdint.h>

#define ACCDATA_EL1       S3_0_C13_C0_5
#define APDAKEYHI_EL1     S3_0_C2_C2_1
#define APDAKEYLO_EL1     S3_0_C2_C2_0
#define APDBKEYHI_EL1     S3_0_C2_C2_3
#define APDBKEYLO_EL1     S3_0_C2_C2_2
#define APGAKEYHI_EL1     S3_0_C2_C3_1
#define APGAKEYLO_EL1     S3_0_C2_C3_0
#define APIAKEYHI_EL1     S3_0_C2_C1_1
#define APIAKEYLO_EL1     S3_0_C2_C1_0
#define APIBKEYHI_EL1     S3_0_C2_C1_3
#define APIBKEYLO_EL1     S3_0_C2_C1_2
#define CNTHV_CTL_EL2     S3_4_C14_C3_1
#define DISR_EL1          S3_0_C12_C1_1
#define GCR_EL1           S3_0_C1_C0_6
#define HAFGRTR_EL2       S3_4_C3_C1_6
#define HCRX_EL2          S3_4_C1_C2_2
#define HDFGRTR2_EL2      S3_4_C3_C1_0
#define HDFGRTR_EL2       S3_4_C3_C1_4
#define HDFGWTR2_EL2      S3_4_C3_C1_1
#define HDFGWTR_EL2       S3_4_C3_C1_5
#define HFGITR2_EL2       S3_4_C3_C1_7
#define HFGITR_EL2        S3_4_C1_C1_6
#define HFGRTR2_EL2       S3_4_C3_C1_2
#define HFGRTR_EL2        S3_4_C1_C1_4
#define HFGWTR2_EL2       S3_4_C3_C1_3
#define HFGWTR_EL2        S3_4_C1_C1_5
#define ICC_AP0R0_EL1     S3_0_C12_C8_4
#define ICC_AP0R1_EL1     S3_0_C12_C8_5
#define ICC_AP0R2_EL1     S3_0_C12_C8_6
#define ICC_AP0R3_EL1     S3_0_C12_C8_7
#define ICC_AP1R0_EL1     S3_0_C12_C9_0
#define ICC_AP1R1_EL1     S3_0_C12_C9_1
#define ICC_AP1R2_EL1     S3_0_C12_C9_2
#define ICC_AP1R3_EL1     S3_0_C12_C9_3
#define ICC_BPR0_EL1      S3_0_C12_C8_3
#define ICC_BPR1_EL1      S3_0_C12_C12_3
#define ICC_CTLR_EL1      S3_0_C12_C12_4
#define ICC_IGRPEN0_EL1   S3_0_C12_C12_6
#define ICC_IGRPEN1_EL1   S3_0_C12_C12_7
#define ICC_PMR_EL1       S3_0_C4_C6_0
#define ICC_SRE_EL2       S3_4_C12_C9_5
#define ICH_HCR_EL2       S3_4_C12_C11_0
#define MPAM0_EL1         S3_0_C10_C5_1
#define MPAM1_EL1         S3_0_C10_C5_0
#define MPAM2_EL2         S3_4_C10_C5_0
#define MPAMHCR_EL2       S3_4_C10_C4_0
#define MPAMIDR_EL1       S3_0_C10_C4_4
#define PIRE0_EL1         S3_0_C10_C2_2
#define PIR_EL1           S3_0_C10_C2_3
#define POR_EL0           S3_3_C10_C2_4
#define POR_EL1           S3_0_C10_C2_4
#define RGSR_EL1          S3_0_C1_C0_5
#define SCTLR2_EL1        S3_0_C1_C0_3
#define SCXTNUM_EL0       S3_3_C13_C0_7
#define SCXTNUM_EL1       S3_0_C13_C0_7
#define SMCR_EL1          S3_0_C1_C2_6
#define SMCR_EL2          S3_4_C1_C2_6
#define SMPRI_EL1         S3_0_C1_C2_4
#define SVCR              S3_3_C4_C2_2
#define TCR2_EL1          S3_0_C2_C0_3
#define TFSRE0_EL1        S3_0_C5_C6_1
#define TFSR_EL1          S3_0_C5_C6_0
#define TPIDR2_EL0        S3_3_C13_C0_5
#define ZCR_EL1           S3_0_C1_C2_0
#define ZCR_EL2           S3_4_C1_C2_0

#define SYSREG_TEXT_(reg) #reg
#define SYSREG_TEXT(reg)  SYSREG_TEXT_(reg)

#define sysreg_read(reg)                                                                   \
	__extension__({                                                                    \
		uint64_t value_;                                                           \
		__asm__ volatile("mrs %0, " SYSREG_TEXT(reg) : "=r"(value_) : : "memory"); \
		value_;                                                                    \
	})

#define sysreg_write(reg, value) \
	__asm__ volatile("msr " SYSREG_TEXT(reg) ", %x0" : : "rZ"((uint64_t)(value)) : "memory")

static inline void isb(void)
{
	__asm__ volatile("isb" : : : "memory");
}

/* All earlier accesses have happened before any later one, for devices and other CPUs alike. */
static inline void dsb_sy(void)
{
	__asm__ volatile("dsb sy" : : : "memory");
}

/* In a loop that waits for another CPU: QEMU may run all of them in turn on one thread. */
static inline void yield(void)
{
	__asm__ volatile("yield" : : : "memory");
}

static inline void wfi(void)
{
	__asm__ volatile("wfi" : : : "memory");
}

/* The 4-bit field of an identification register that starts at bit `low`. */
static inline unsigned int id_field(uint64_t value, unsigned int low)
{
	return (unsigned int)(value >> low) & 0xfu;
}

/* Clean and invalidate [start, start + bytes) to the point of coherency: for a CPU with its caches off. */
static inline void cache_flush(const void *start, uint64_t bytes)
{
	/* 16 bytes is the smallest line there can be: no need to know the real one. */
	for (uint64_t at = (uint64_t)start & ~15ull; at < (uint64_t)start + bytes; at += 16) {
		__asm__ volatile("dc civac, %0" : : "r"(at) : "memory");
	}
	dsb_sy();
}

#endif
