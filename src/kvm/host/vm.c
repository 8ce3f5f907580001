/* SPDX-License-Identifier: BSD-2-Clause */
/* VMs and vCPUs: made, set up by the VMM, freed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

struct hvc_kvm_vm *hvc_kvm_vm_new(struct hvc_kvm *kvm, int vm_fd)
{
	struct hvc_kvm_vm *vm = calloc(1, sizeof(*vm));
	int error;

	if (vm == NULL) {
		because(ENOMEM, "no memory for a VM");
		errno = ENOMEM;
		return NULL;
	}
	vm->kvm = kvm;
	vm->fd = vm_fd;
	pthread_mutex_init(&vm->lock, NULL);
	pthread_mutex_init(&vm->work_lock, NULL);
	pthread_mutex_init(&vm->event_lock, NULL);
	error = apply_filters(vm);
	if (error != 0) {
		hvc_kvm_vm_free(vm);
		errno = error;
		return NULL;
	}
	vm->number = atomic_fetch_add(&kvm->next_vm, 1);
	return vm;
}

void hvc_kvm_vm_free(struct hvc_kvm_vm *vm)
{
	if (vm == NULL) {
		return;
	}
	pthread_mutex_destroy(&vm->lock);
	pthread_mutex_destroy(&vm->work_lock);
	pthread_mutex_destroy(&vm->event_lock);
	free(vm->memory);
	free(vm);
}

int hvc_kvm_enable_cap(struct hvc_kvm_vm *vm, const void *kvm_enable_cap)
{
	struct kvm_enable_cap cap;

	if (kvm_enable_cap == NULL) {
		return EFAULT;
	}
	memcpy(&cap, kvm_enable_cap, sizeof(cap));
	if (cap.cap != KVM_CAP_ARM_SYSTEM_SUSPEND) {
		return sys(vm->kvm, vm->fd, KVM_ENABLE_CAP, &cap);
	}
	if (cap.flags != 0) {
		return EINVAL;
	}
	atomic_store(&vm->suspend_wanted, true);
	return 0;
}

int hvc_kvm_set_attr(struct hvc_kvm_vm *vm, const void *kvm_device_attr)
{
	struct kvm_device_attr attr;

	if (kvm_device_attr == NULL) {
		return EFAULT;
	}
	memcpy(&attr, kvm_device_attr, sizeof(attr));
	if (attr.group == KVM_ARM_VM_SMCCC_CTRL) {
		return because(EPERM, "the filter of hypercalls is the policy's (%s)",
			       vm->kvm->plan.header->policy);
	}
	return sys(vm->kvm, vm->fd, KVM_SET_DEVICE_ATTR, &attr);
}

/* --- vCPUs. */
static int add(struct hvc_kvm_vm *vm, struct hvc_kvm_vcpu *vcpu)
{
	int error = 0;

	pthread_mutex_lock(&vm->lock);
	if (vm->vcpu_count == HVC_MAX_VCPUS) {
		error = because(E2BIG, "more than %u vCPUs", HVC_MAX_VCPUS);
	} else {
		pthread_mutex_lock(&vm->work_lock);
		vcpu->index = vm->vcpu_count;
		vm->vcpus[vm->vcpu_count++] = vcpu;
		pthread_mutex_unlock(&vm->work_lock);
	}
	pthread_mutex_unlock(&vm->lock);
	return error;
}

struct hvc_kvm_vcpu *hvc_kvm_vcpu_new(struct hvc_kvm_vm *vm, uint32_t id, int vcpu_fd,
				      struct kvm_run *run)
{
	struct hvc_kvm_vcpu *vcpu = calloc(1, sizeof(*vcpu));
	int error;

	if (vcpu == NULL) {
		errno = because(ENOMEM, "no memory for a vCPU");
		return NULL;
	}
	*vcpu = (struct hvc_kvm_vcpu){.vm = vm, .id = id, .fd = vcpu_fd, .run = run};
	error = add(vm, vcpu);
	if (error != 0) {
		free(vcpu);
		errno = error;
		return NULL;
	}
	return vcpu;
}

void hvc_kvm_vcpu_set_run(struct hvc_kvm_vcpu *vcpu, struct kvm_run *run)
{
	vcpu->run = run;
}

/* Of a VM whose engine is made it leaves a gap: who counts on it finds nobody there. Else the others move up. */
static void take_away(struct hvc_kvm_vm *vm, const struct hvc_kvm_vcpu *vcpu)
{
	if (vm->engine != NULL) {
		vm->vcpus[vcpu->index] = NULL;
		return;
	}
	vm->vcpu_count--;
	for (uint32_t i = vcpu->index; i < vm->vcpu_count; i++) {
		vm->vcpus[i] = vm->vcpus[i + 1];
		vm->vcpus[i]->index = i;
	}
	vm->vcpus[vm->vcpu_count] = NULL;
}

void hvc_kvm_vcpu_free(struct hvc_kvm_vcpu *vcpu)
{
	if (vcpu == NULL) {
		return;
	}
	pthread_mutex_lock(&vcpu->vm->lock);
	pthread_mutex_lock(&vcpu->vm->work_lock);
	power_forget(vcpu, false);
	work_abandon(vcpu);
	take_away(vcpu->vm, vcpu);
	pthread_mutex_unlock(&vcpu->vm->work_lock);
	pthread_mutex_unlock(&vcpu->vm->lock);
	free(vcpu);
}

static bool init_has(const struct kvm_vcpu_init *init, unsigned int feature)
{
	return (init->features[feature / 32] >> feature % 32 & 1) != 0;
}

bool vcpu_has(const struct hvc_kvm_vcpu *vcpu, unsigned int feature)
{
	return init_has(&vcpu->init, feature);
}

/* Features that a running VM, which is under the plan, cannot take on. */
static int check_features(const struct hvc_kvm_vcpu *vcpu, const struct kvm_vcpu_init *init)
{
	if (!atomic_load(&vcpu->vm->applied)) {
		return 0; /* apply_finish() sees */
	}
	if (!init_has(init, KVM_ARM_VCPU_PSCI_0_2) || init_has(init, KVM_ARM_VCPU_HAS_EL2) ||
	    init_has(init, KVM_ARM_VCPU_EL1_32BIT)) {
		return because(EPERM,
			       "the plan is for vCPUs with PSCI_0_2, 64-bit and without EL2");
	}
	return 0;
}

int hvc_kvm_vcpu_init(struct hvc_kvm_vcpu *vcpu, const struct kvm_vcpu_init *init)
{
	struct hvc_kvm_vm *vm = vcpu->vm;
	struct kvm_vcpu_init copy;
	int error;

	if (init == NULL) {
		return EFAULT;
	}
	copy = *init;
	error = check_features(vcpu, &copy);
	if (error != 0) {
		return error;
	}
	pthread_mutex_lock(&vm->work_lock);
	power_forget(vcpu, !init_has(&copy, KVM_ARM_VCPU_POWER_OFF));
	pthread_mutex_unlock(&vm->work_lock);
	error = sys(vm->kvm, vcpu->fd, KVM_ARM_VCPU_INIT, &copy);
	if (error != 0) {
		return error;
	}
	if (atomic_load(&vm->applied)) {
		forward_forget(vm);
	}
	pthread_mutex_lock(&vm->lock);
	vcpu->init = copy;
	vcpu->initialised = true;
	apply_registers(vcpu);
	reset_vcpu(vcpu);
	pthread_mutex_unlock(&vm->lock);
	return 0;
}

int hvc_kvm_get_mp_state(struct hvc_kvm_vcpu *vcpu, uint32_t *state)
{
	struct kvm_mp_state mp = {0};
	int error;

	work_settle(vcpu);
	error = sys(vcpu->vm->kvm, vcpu->fd, KVM_GET_MP_STATE, &mp);
	if (error == 0) {
		*state = mp.mp_state;
	}
	return error;
}

int hvc_kvm_set_mp_state(struct hvc_kvm_vcpu *vcpu, uint32_t state)
{
	struct kvm_mp_state mp = {.mp_state = state};

	if (state != KVM_MP_STATE_STOPPED) {
		reset_not(vcpu->vm);
	}
	pthread_mutex_lock(&vcpu->vm->work_lock);
	power_forget(vcpu, state != KVM_MP_STATE_STOPPED);
	pthread_mutex_unlock(&vcpu->vm->work_lock);
	return sys(vcpu->vm->kvm, vcpu->fd, KVM_SET_MP_STATE, &mp);
}
