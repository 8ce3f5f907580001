/* SPDX-License-Identifier: BSD-2-Clause */
/* PSCI's state as plain values, for who saves and restores a VM. No vCPU calls meanwhile. */
#ifndef HVC_PSCI_STATE_H
#define HVC_PSCI_STATE_H

#include "../engine/state.h"

struct psci_vm_state {
	uint32_t suspend_mode; /* enum suspend_mode */
	uint32_t mem_protect;  /* 1: MEM_PROTECT is on */
	uint32_t trusted_os_cpu;
};

/* Without start entry, context and what hvc_vcpu_request() says: they are in the vCPU as they are. */
struct psci_vcpu_state {
	uint32_t power; /* hvc_vcpu.power, without POWER_RESIDENT */
	uint32_t pad;
	/* By declared power state, or 0. Of states above level 0: the node's, at its first vCPU. */
	uint64_t count[HVC_POWER_STATES];
	uint64_t us
		[HVC_POWER_STATES]; /* what has ended; a state that goes on begins anew where it is restored */
};

void psci_vm_state(const struct hvc_vm *vm, struct psci_vm_state *state);
void psci_vcpu_state(const struct hvc_vcpu *vcpu, struct psci_vcpu_state *state);
/* Can this VM, or vCPU, be in such a state? Counts and times can be anything; without statistics they must be 0. */
bool psci_vm_state_valid(const struct hvc_vm *vm, const struct psci_vm_state *state);
bool psci_vcpu_state_valid(const struct hvc_vcpu *vcpu, const struct psci_vcpu_state *state);
/* Take what is valid: first the VM's, then each vCPU's. The callbacks mem_protect and cpu_start are not called: the
 * host is restored by itself. */
void psci_vm_state_set(struct hvc_vm *vm, const struct psci_vm_state *state);
void psci_vcpu_state_set(struct hvc_vcpu *vcpu, const struct psci_vcpu_state *state);
/* After all vCPUs: those that sleep begin to do so now. */
void psci_states_set(struct hvc_vm *vm);

#endif
