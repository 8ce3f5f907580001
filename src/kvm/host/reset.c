/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A reset of the VM by its VMM, which KVM has no ioctl for: it is told by what VMMs do. After the event of the system's end
 * the first KVM_ARM_VCPU_INIT is one. Without an event all vCPUs had theirs before one runs again; fewer are a VMM's own
 * business, such as waking the CPU that called SYSTEM_SUSPEND, which may be the only one.
 */
#include "internal.h"

void reset_event(struct hvc_kvm_vcpu *vcpu)
{
	struct hvc_kvm_vm *vm = vcpu->vm;

	switch (vcpu->run->system_event.type) {
	case KVM_SYSTEM_EVENT_SHUTDOWN:
	case KVM_SYSTEM_EVENT_RESET:
		atomic_store(&vm->ended, true);
		return;
	case KVM_SYSTEM_EVENT_SUSPEND:
		atomic_store(&vm->suspended, true);
		atomic_store(&vm->setting_up, true);
		return;
	default:
		return;
	}
}

void reset_not(struct hvc_kvm_vm *vm)
{
	atomic_store(&vm->ended, false);
}

/* True of a VM with one vCPU only if that was not its wake-up. */
static bool all_anew(const struct hvc_kvm_vm *vm)
{
	unsigned int vcpus = 0;

	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		const struct hvc_kvm_vcpu *vcpu = vm->vcpus[i];

		if (vcpu != NULL && vcpu->engine != NULL) {
			if (!vcpu->anew) {
				return false;
			}
			vcpus++;
		}
	}
	return vcpus > 1 || !atomic_load(&vm->suspended);
}

void reset_vcpu(struct hvc_kvm_vcpu *vcpu)
{
	struct hvc_kvm_vm *vm = vcpu->vm;

	if (!atomic_load(&vm->applied)) {
		return;
	}
	vcpu->anew = true;
	atomic_store(&vm->setting_up, true);
	if (atomic_exchange(&vm->ended, false) || all_anew(vm)) {
		hvc_vm_reset(vm->engine);
	}
}

void reset_over(struct hvc_kvm_vm *vm)
{
	if (!atomic_load(&vm->setting_up)) {
		return;
	}
	pthread_mutex_lock(&vm->lock);
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		if (vm->vcpus[i] != NULL) {
			vm->vcpus[i]->anew = false;
		}
	}
	atomic_store(&vm->suspended, false);
	atomic_store(&vm->setting_up, false);
	pthread_mutex_unlock(&vm->lock);
}
