/* SPDX-License-Identifier: BSD-2-Clause */
/* For tests of registers as a plan shows them: a VM on a kernel of a few registers, and engines that are like vm.c's. */
#ifndef HVCGATE_KVM_MACHINE_TEST_H
#define HVCGATE_KVM_MACHINE_TEST_H

#include <stdbool.h>
#include <stdint.h>

#include "cmocka_all.h"
#include "internal.h"

#define PMMIR 0x603000000013c4f6ull
#define TCR2  0x603000000013c103ull
#define MMFR2 0x603000000013c03aull
#define DEMUX 0x6020000000110003ull /* 32 bits */

/* --- The kernel. */
enum { KERNEL = 7 };
struct kernel_reg {
	uint64_t id, value;
	bool fixed; /* another value is EINVAL; the same one too, if `stubborn` */
	bool stubborn;
};
extern struct kernel_reg kernel[KERNEL];
extern char last_why[256];

/* --- Engines. */
extern unsigned int drained;
extern struct hvc_vcpu *pending_vcpu; /* whose call gets its answer by the third call_drain() */
extern unsigned int settled;

/* --- A VM of two vCPUs, made in the other order of their IDs. */
struct machine {
	struct hvc_kvm kvm;
	struct hvc_kvm_vm vm;
	struct hvc_kvm_vcpu vcpus[2];
	void *bytes;
};
void machine_make(struct machine *machine, const char *policy_text);
void machine_unmake(struct machine *machine);

uint64_t reg_get(struct hvc_kvm_vcpu *vcpu, uint64_t id);
int reg_set(struct hvc_kvm_vcpu *vcpu, uint64_t id, uint64_t value);
/* How many there are; they ascend. */
size_t reg_list(struct hvc_kvm_vcpu *vcpu, uint64_t ids[300]);

#define KERNEL_ONLY "hvcgate: 1\nprofile: linux-6.12\nstrictness: kvm\ndiscovery: raw\n"

#endif
