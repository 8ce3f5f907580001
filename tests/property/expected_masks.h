/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which of x0 to x17 a call may change, written by hand from the specifications (DEN0022, DEN0028,
 * DEN0057, DEN0098) and from what Linux knows of KVM's vendor range: not from the catalogue, which it checks.
 * Constant data and arithmetic only, for a bare-metal guest as well as for a host program.
 *
 * How to use it: fill x1 to x17 with expected_pattern(n), the high half of x0 too. After the call
 * exactly the registers of expected_changes(id, immediate, x0) may differ.
 */
#ifndef TESTS_EXPECTED_MASKS_H
#define TESTS_EXPECTED_MASKS_H

#include <stdint.h>

/*
 * Arguments that every function with arguments refuses: as a function ID unknown, as a number of bits
 * or a type out of range, as an affinity or a power state with reserved bits, as an entry odd. So only
 * functions without arguments fail to return when called with them: EXPECT_GONE.
 */
static inline uint64_t expected_pattern(unsigned int n)
{
	return 0x5a5a5a5a66000001ull + n * 0x0001010101010100ull;
}

enum {
	EXPECT_X0 = 0x1,
	EXPECT_X0_X1 = 0x3,
	EXPECT_X0_X2 = 0x7,
	EXPECT_X0_X3 = 0xf,
	EXPECT_X0_X4 = 0x1f,
	EXPECT_X0_X7 = 0xff,
	EXPECT_X0_X17 = 0x3ffff,

	/* Flags of a row. */
	EXPECT_GONE = 0x1,      /* does not return, whatever the arguments */
	EXPECT_NO_SAMPLE = 0x2, /* x1 to x3 are no sample: success would start or end something */
	EXPECT_OPTIONAL =
		0x4, /* profile hvcgate-1 has it only if settings ask for it or the host has it */
	EXPECT_WAITS = 0x8,         /* the sample waits for an interrupt */
	EXPECT_LATER = 0x10,        /* in a later version than hvcgate-1's defaults */
	EXPECT_2 = EXPECT_OPTIONAL, /* from profile hvcgate-2 on */
};

/* A function that the engine serves, and arguments x1 to x3 with which it succeeds. */
struct expected_call {
	char name[44]; /* no pointer: a bare-metal guest has no relocations */
	uint32_t id;
	uint32_t flags;
	uint32_t changed; /* on success; on failure it is x0 alone, but for TRNG_RND */
	uint64_t x1, x2, x3;
};

static const struct expected_call expected_calls[] = {
	{"SMCCC_VERSION", 0x80000000u, 0, EXPECT_X0, 0, 0, 0},
	{"SMCCC_ARCH_FEATURES", 0x80000001u, 0, EXPECT_X0, 0x80000000u, 0, 0},
	{"SMCCC_ARCH_SOC_ID", 0x80000002u, EXPECT_OPTIONAL, EXPECT_X0, 1, 0, 0},
	{"SMCCC_ARCH_SOC_ID_NAME", 0xc0000002u, EXPECT_2, EXPECT_X0_X17, 2, 0x5a, 0x5a},
	{"SMCCC_ARCH_FEATURE_AVAILABILITY", 0xc0000003u, EXPECT_OPTIONAL | EXPECT_LATER,
	 EXPECT_X0_X1, 0x1e1100, 0, 0},
	{"SMCCC_ARCH_WORKAROUND_1", 0x80008000u, EXPECT_OPTIONAL, EXPECT_X0, 0, 0, 0},
	{"SMCCC_ARCH_WORKAROUND_2", 0x80007fffu, EXPECT_OPTIONAL, EXPECT_X0, 0, 0, 0},
	{"SMCCC_ARCH_WORKAROUND_3", 0x80003fffu, EXPECT_OPTIONAL, EXPECT_X0, 0, 0, 0},
	{"SMCCC_ARCH_WORKAROUND_4", 0x80000004u, EXPECT_OPTIONAL | EXPECT_LATER, EXPECT_X0, 0, 0,
	 0},
	{"SMCCC_ARCH_CLEAN_INV_MEMREGION", 0xc0000005u, EXPECT_2, EXPECT_X0, 0x1000, 0x1000, 0},
	{"SMCCC_ARCH_CLEAN_INV_MEMREGION_ATTRIBUTES", 0xc0000006u, EXPECT_2, EXPECT_X0_X4, 0x5a,
	 0x5a, 0x5a},
	{"SMCCC_STD_CALL_COUNT", 0x8400ff00u, 0, EXPECT_X0, 0, 0, 0},
	{"SMCCC_STD_CALL_UID", 0x8400ff01u, EXPECT_2, EXPECT_X0_X3, 0x5a, 0x5a, 0x5a},
	{"SMCCC_STD_CALL_REVISION", 0x8400ff03u, EXPECT_2, EXPECT_X0_X1, 0x5a, 0x5a, 0x5a},
	{"SMCCC_STD_HYP_CALL_COUNT", 0x8500ff00u, 0, EXPECT_X0, 0, 0, 0},
	{"SMCCC_STD_HYP_CALL_UID", 0x8500ff01u, EXPECT_2, EXPECT_X0_X3, 0x5a, 0x5a, 0x5a},
	{"SMCCC_STD_HYP_CALL_REVISION", 0x8500ff03u, EXPECT_2, EXPECT_X0_X1, 0x5a, 0x5a, 0x5a},
	{"SMCCC_VENDOR_HYP_CALL_COUNT", 0x8600ff00u, 0, EXPECT_X0, 0, 0, 0},
	{"SMCCC_VENDOR_HYP_CALL_REVISION", 0x8600ff03u, EXPECT_2, EXPECT_X0_X1, 0x5a, 0x5a, 0x5a},
	/* With PSCI 0.1 only; there CPU_OFF does not return. */
	{"PSCI_0_1_CPU_SUSPEND", 0x95c1ba5eu, EXPECT_NO_SAMPLE, EXPECT_X0, 0, 0, 0},
	{"PSCI_0_1_CPU_OFF", 0x95c1ba5fu, EXPECT_NO_SAMPLE, EXPECT_X0, 0, 0, 0},
	{"PSCI_0_1_CPU_ON", 0x95c1ba60u, EXPECT_NO_SAMPLE, EXPECT_X0, 0, 0, 0},
	{"PSCI_0_1_MIGRATE", 0x95c1ba61u, EXPECT_NO_SAMPLE, EXPECT_X0, 0, 0, 0},
	{"PSCI_VERSION", 0x84000000u, 0, EXPECT_X0, 0, 0, 0},
	{"PSCI_CPU_SUSPEND/32", 0x84000001u, EXPECT_WAITS, EXPECT_X0, 0, 0, 0},
	{"PSCI_CPU_SUSPEND/64", 0xc4000001u, EXPECT_WAITS, EXPECT_X0, 0, 0, 0},
	{"PSCI_CPU_OFF", 0x84000002u, EXPECT_GONE, EXPECT_X0, 0, 0, 0},
	{"PSCI_CPU_ON/32", 0x84000003u, EXPECT_NO_SAMPLE, EXPECT_X0, 0, 0, 0},
	{"PSCI_CPU_ON/64", 0xc4000003u, EXPECT_NO_SAMPLE, EXPECT_X0, 0, 0, 0},
	{"PSCI_AFFINITY_INFO/32", 0x84000004u, 0, EXPECT_X0, 0, 3, 0},
	{"PSCI_AFFINITY_INFO/64", 0xc4000004u, 0, EXPECT_X0, 0, 3, 0},
	/* Where there is a trusted OS to move. */
	{"PSCI_MIGRATE/32", 0x84000005u, EXPECT_2 | EXPECT_NO_SAMPLE, EXPECT_X0, 0, 0, 0},
	{"PSCI_MIGRATE/64", 0xc4000005u, EXPECT_2 | EXPECT_NO_SAMPLE, EXPECT_X0, 0, 0, 0},
	{"PSCI_MIGRATE_INFO_TYPE", 0x84000006u, 0, EXPECT_X0, 0, 0, 0},
	{"PSCI_MIGRATE_INFO_UP_CPU/32", 0x84000007u, EXPECT_2 | EXPECT_NO_SAMPLE, EXPECT_X0, 0, 0,
	 0},
	{"PSCI_MIGRATE_INFO_UP_CPU/64", 0xc4000007u, EXPECT_2 | EXPECT_NO_SAMPLE, EXPECT_X0, 0, 0,
	 0},
	{"PSCI_SYSTEM_OFF", 0x84000008u, EXPECT_GONE, EXPECT_X0, 0, 0, 0},
	{"PSCI_SYSTEM_RESET", 0x84000009u, EXPECT_GONE, EXPECT_X0, 0, 0, 0},
	{"PSCI_FEATURES", 0x8400000au, 0, EXPECT_X0, 0x84000000u, 0, 0},
	{"PSCI_CPU_FREEZE", 0x8400000bu, EXPECT_2 | EXPECT_GONE, EXPECT_X0, 0, 0, 0},
	{"PSCI_CPU_DEFAULT_SUSPEND/32", 0x8400000cu, EXPECT_2 | EXPECT_NO_SAMPLE, EXPECT_X0, 0, 0,
	 0},
	{"PSCI_CPU_DEFAULT_SUSPEND/64", 0xc400000cu, EXPECT_2 | EXPECT_NO_SAMPLE, EXPECT_X0, 0, 0,
	 0},
	{"PSCI_NODE_HW_STATE/32", 0x8400000du, EXPECT_2, EXPECT_X0, 0, 0, 0},
	{"PSCI_NODE_HW_STATE/64", 0xc400000du, EXPECT_2, EXPECT_X0, 0, 0, 0},
	{"PSCI_SYSTEM_SUSPEND/32", 0x8400000eu, EXPECT_NO_SAMPLE, EXPECT_X0, 0, 0, 0},
	{"PSCI_SYSTEM_SUSPEND/64", 0xc400000eu, EXPECT_NO_SAMPLE, EXPECT_X0, 0, 0, 0},
	{"PSCI_SET_SUSPEND_MODE", 0x8400000fu, EXPECT_2, EXPECT_X0, 0, 0, 0},
	{"PSCI_STAT_RESIDENCY/32", 0x84000010u, EXPECT_2, EXPECT_X0, 0, 0, 0},
	{"PSCI_STAT_RESIDENCY/64", 0xc4000010u, EXPECT_2, EXPECT_X0, 0, 0, 0},
	{"PSCI_STAT_COUNT/32", 0x84000011u, EXPECT_2, EXPECT_X0, 0, 0, 0},
	{"PSCI_STAT_COUNT/64", 0xc4000011u, EXPECT_2, EXPECT_X0, 0, 0, 0},
	{"PSCI_SYSTEM_RESET2/32", 0x84000012u, EXPECT_NO_SAMPLE, EXPECT_X0, 0, 0, 0},
	{"PSCI_SYSTEM_RESET2/64", 0xc4000012u, EXPECT_NO_SAMPLE, EXPECT_X0, 0, 0, 0},
	{"PSCI_MEM_PROTECT", 0x84000013u, EXPECT_2, EXPECT_X0, 1, 0, 0},
	{"PSCI_MEM_PROTECT_CHECK_RANGE/32", 0x84000014u, EXPECT_2, EXPECT_X0, 0x1000, 0x1000, 0},
	{"PSCI_MEM_PROTECT_CHECK_RANGE/64", 0xc4000014u, EXPECT_2, EXPECT_X0, 0x1000, 0x1000, 0},
	{"PSCI_SYSTEM_OFF2/32", 0x84000015u, EXPECT_NO_SAMPLE | EXPECT_LATER, EXPECT_X0, 0, 0, 0},
	{"PSCI_SYSTEM_OFF2/64", 0xc4000015u, EXPECT_NO_SAMPLE | EXPECT_LATER, EXPECT_X0, 0, 0, 0},
	{"TRNG_VERSION", 0x84000050u, 0, EXPECT_X0, 0, 0, 0},
	{"TRNG_FEATURES", 0x84000051u, 0, EXPECT_X0, 0x84000050u, 0, 0},
	{"TRNG_GET_UUID", 0x84000052u, 0, EXPECT_X0_X3, 0, 0, 0},
	{"TRNG_RND/32", 0x84000053u, 0, EXPECT_X0_X3, 96, 0x5a, 0x5a},
	{"TRNG_RND/64", 0xc4000053u, 0, EXPECT_X0_X3, 192, 0x5a, 0x5a},
	{"PV_TIME_FEATURES", 0xc5000020u, EXPECT_OPTIONAL, EXPECT_X0, 0xc5000021u, 0, 0},
	{"PV_TIME_ST", 0xc5000021u, EXPECT_OPTIONAL, EXPECT_X0, 0, 0, 0},
	{"KVM_PTP", 0x86000001u, EXPECT_OPTIONAL, EXPECT_X0_X3, 1, 0x5a, 0x5a},
	{"KVM_VENDOR_UID", 0x8600ff01u, 0, EXPECT_X0_X3, 0x5a, 0x5a, 0x5a},
	{"KVM_FEATURES", 0x86000000u, 0, EXPECT_X0_X3, 0x5a, 0x5a, 0x5a},
	{"KVM_DISCOVER_IMPL_VER", 0xc6000040u, EXPECT_2, EXPECT_X0_X2, 0, 0x5a, 0x5a},
	{"KVM_DISCOVER_IMPL_CPUS", 0xc6000041u, EXPECT_2, EXPECT_X0_X3, 0, 0x5a, 0x5a},
	/* Of the second granule that a guest can share; each undoes the one before. */
	{"PKVM_HYP_MEMINFO", 0xc6000002u, EXPECT_2, EXPECT_X0, 0, 0, 0},
	{"PKVM_MEM_SHARE", 0xc6000003u, EXPECT_2, EXPECT_X0, 0x80001000u, 0, 0},
	{"PKVM_MEM_UNSHARE", 0xc6000004u, EXPECT_2, EXPECT_X0, 0x80001000u, 0, 0},
	{"PKVM_MEM_RELINQUISH", 0xc6000009u, EXPECT_2, EXPECT_X0, 0x80001000u, 0, 0},
	{"PKVM_MMIO_GUARD_INFO", 0xc6000005u, EXPECT_2, EXPECT_X0_X1, 0x5a, 0x5a, 0x5a},
	{"PKVM_MMIO_GUARD_ENROLL", 0xc6000006u, EXPECT_2, EXPECT_X0, 0x5a, 0x5a, 0x5a},
	{"PKVM_MMIO_GUARD", 0xc6000007u, EXPECT_2, EXPECT_X0, 0x9000000u, 0, 0},
	{"PKVM_MMIO_GUARD_UNMAP", 0xc6000008u, EXPECT_2, EXPECT_X0, 0x9000000u, 0, 0},
	{"PKVM_MMIO_RGUARD_MAP", 0xc600000au, EXPECT_2, EXPECT_X0_X1, 0x9000000u, 2, 0},
	{"PKVM_MMIO_RGUARD_UNMAP", 0xc600000bu, EXPECT_2, EXPECT_X0_X1, 0x9000000u, 2, 0},
};

/* The changes that are right for a call that came back with this in x0. Whatever is not in the table
 * is a function that nobody serves. FF-A's calls have an error of their own (DEN0077, FFA_ERROR). */
static inline uint32_t expected_changes(uint32_t id, uint16_t immediate, uint64_t x0)
{
	uint32_t number;

	/* The hint of fast calls; below SMCCC 1.3 x0 says then that there is no such function. */
	id &= id >> 31 != 0 ? 0xfffeffffu : 0xffffffffu;
	number = id & 0xbfffffffu;
	/* DEN0098, 2.6: INVALID_PARAMETERS and NO_ENTROPY come with zeroes where the bits would be. */
	if (immediate == 0 && number == 0x84000053u && (x0 + 3 == 0 || x0 + 2 == 0)) {
		return EXPECT_X0_X3;
	}
	if (immediate != 0 || (x0 >> 63) != 0) {
		return EXPECT_X0;
	}
	for (unsigned int i = 0; i < sizeof(expected_calls) / sizeof(expected_calls[0]); i++) {
		if (expected_calls[i].id == id) {
			return expected_calls[i].changed;
		}
	}
	if (number >= 0x84000060u && number <= 0x8400008eu && x0 == 0x84000060u) {
		return EXPECT_X0_X7;
	}
	return EXPECT_X0;
}

/* --- Linux KVM, as measured (docs/kvm-facts.md): what a profile with its quirks may and must change. */
#define EXPECT_SUSPEND(id)    (((id)&0xbfffffffu) == 0x8400000eu)
#define EXPECT_RESET2(id)     (((id)&0xbfffffffu) == 0x84000012u)
#define EXPECT_INTERNAL       (~(uint64_t)5) /* -6 */
#define EXPECT_WORKAROUND(id) ((id) == 0x80008000u || (id) == 0x80007fffu || (id) == 0x80003fffu)

/* The registers that the call writes at all; the others must be as they were. No SMC is looked at by an old one. */
static inline uint32_t expected_kvm_writes(uint32_t id, int smc, uint16_t immediate, int old)
{
	if (smc && (immediate != 0 || old)) {
		return EXPECT_X0;
	}
	return !smc && EXPECT_WORKAROUND(id) ? EXPECT_X0_X1 : EXPECT_X0_X3;
}

/* The VM ended or sleeps, and the arguments are still there for the VMM: cut to 32 bits if SMC32. */
static inline int expected_kvm_arguments(uint32_t id, uint64_t x0)
{
	return (EXPECT_SUSPEND(id) && (uint32_t)x0 == id) ||
	       (EXPECT_RESET2(id) && x0 == EXPECT_INTERNAL);
}

/* Of those it writes: the ones that are zero, unless expected_kvm_arguments(). */
static inline uint32_t expected_kvm_zeroes(uint32_t id, uint32_t writes, uint64_t x0)
{
	uint32_t results = EXPECT_X0;

	for (unsigned int i = 0; i < sizeof(expected_calls) / sizeof(expected_calls[0]); i++) {
		if (expected_calls[i].id == id && (x0 >> 63) == 0) {
			results = expected_calls[i].changed;
		}
	}
	return writes & ~results;
}

#endif
