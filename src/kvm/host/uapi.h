/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What KVM's interface for arm64 has and Linux' headers of another machine do not: so that the host, its tests and its
 * benchmark build everywhere. On arm64 the headers' own.
 *
 * Sources: Linux, Documentation/virt/kvm/api.rst, devices/vm.rst, arm/fw-pseudo-registers.rst.
 */
#ifndef HVCGATE_KVM_UAPI_H
#define HVCGATE_KVM_UAPI_H

#include <stdint.h>
#include <string.h>

#include <linux/kvm.h>

#ifndef __aarch64__
struct kvm_vcpu_init {
	__u32 target;
	__u32 features[7];
};
#define KVM_ARM_VCPU_INIT      _IOW(KVMIO, 0xae, struct kvm_vcpu_init)
#define KVM_ARM_VCPU_FINALIZE  _IOW(KVMIO, 0xc2, int)
#define KVM_ARM_VCPU_POWER_OFF 0
#define KVM_ARM_VCPU_EL1_32BIT 1
#define KVM_ARM_VCPU_PSCI_0_2  2
#define KVM_ARM_VCPU_PMU_V3    3
#define KVM_ARM_VCPU_SVE       4
#endif
/* Newer than some machines' headers. */
#ifndef KVM_ARM_VCPU_HAS_EL2
#define KVM_ARM_VCPU_HAS_EL2 7
#endif
#ifndef KVM_ARM_VM_SMCCC_CTRL
#define KVM_ARM_VM_SMCCC_CTRL   0
#define KVM_ARM_VM_SMCCC_FILTER 0
#endif
#ifndef KVM_HYPERCALL_EXIT_SMC
#define KVM_HYPERCALL_EXIT_SMC (1u << 0)
#endif
#ifndef KVM_CAP_ARM_SYSTEM_SUSPEND
#define KVM_CAP_ARM_SYSTEM_SUSPEND 216
#endif
#ifndef KVM_MP_STATE_SUSPENDED
#define KVM_MP_STATE_SUSPENDED 10
#endif
#ifndef KVM_VM_TYPE_ARM_PROTECTED
#define KVM_VM_TYPE_ARM_PROTECTED (1ul << 31)
#endif
#ifndef KVM_SYSTEM_EVENT_WAKEUP
#define KVM_SYSTEM_EVENT_WAKEUP 4
#endif
#ifndef KVM_SYSTEM_EVENT_SUSPEND
#define KVM_SYSTEM_EVENT_SUSPEND 5
#endif

/* Core registers as KVM numbers them: xN, and the program counter, stack pointer and PSTATE. */
#define UAPI_CORE_X(n)   (0x6030000000100000ull + 2ull * (n))
#define UAPI_CORE_PC     0x6030000000100040ull
#define UAPI_CORE_PSTATE 0x6030000000100042ull
#define UAPI_CORE_SP_EL1 0x6030000000100044ull
#define UAPI_MPIDR_EL1   0x603000000013c005ull
#define UAPI_AFFINITY    0xff00ffffffull /* its fields Aff3 to Aff0 */
#define UAPI_SCTLR_EL1   0x603000000013c080ull
#define UAPI_SCTLR_EE    (1ull << 25)

/* kvm_run.hypercall.flags, which older headers have not: behind nr, six arguments and ret. */
static inline uint64_t uapi_hypercall_flags(const struct kvm_run *run)
{
	uint64_t flags;

	memcpy(&flags, (const uint8_t *)&run->hypercall + 8 * sizeof(uint64_t), sizeof(flags));
	return flags;
}

/* Feature registers: those of firmware from PSCI_VERSION on, WORKAROUND_1 to 3 behind it, and the bitmaps. */
#define UAPI_FW(n)     (0x6030000000140000ull + (n))
#define UAPI_FW_LAST   3u
#define UAPI_BITMAP(n) (0x6030000000160000ull + (n))
#define UAPI_BITMAPS   4u /* that hvcgate knows */

/* struct kvm_smccc_filter: 24 bytes. */
struct uapi_smccc_filter {
	uint32_t base, nr_functions;
	uint8_t action; /* 0 handle, 1 deny, 2 forward */
	uint8_t pad[15];
};
_Static_assert(sizeof(struct uapi_smccc_filter) == 24, "KVM's struct kvm_smccc_filter");

/*
 * Registers of ours that a VMM moves with its guest, in KVM's numbering of 64-bit registers, as of a coprocessor that KVM
 * has not (it ends at 0x16) and answers ENOENT for. The same list on every vCPU: the policy's digest, then a part of the
 * engine's state: 1 KiB a vCPU, in the order of the vCPUs' IDs. The first register of vCPU 0's part is the number of bytes;
 * what is not used is 0.
 */
#define UAPI_TRAVEL_BASE   0x6030000000f00000ull
#define UAPI_TRAVEL_DIGEST 4u   /* registers 0 to 3: 32 bytes, little-endian words */
#define UAPI_TRAVEL_STATE  128u /* registers 4 to 131 */
#define UAPI_TRAVEL_COUNT  (UAPI_TRAVEL_DIGEST + UAPI_TRAVEL_STATE)

#endif
