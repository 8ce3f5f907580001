/* SPDX-License-Identifier: BSD-2-Clause */
/* A plan is applied to a VM: all of it, and read back, or no vCPU of it ever runs. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"

#define AFFINITY_MASK UAPI_AFFINITY

/* The VM will not run. The first reason is the one to know. */
static int refuse(struct hvc_kvm_vm *vm, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int refuse(struct hvc_kvm_vm *vm, const char *format, ...)
{
	va_list args;

	if (!vm->refused) {
		va_start(args, format);
		vsnprintf(vm->why, sizeof(vm->why), format, args);
		va_end(args);
		vm->refused = true;
	}
	return because(EPERM, "%s", vm->why);
}

/* --- The filter. */
static int set_filter(const struct hvc_kvm_vm *vm, const struct plan_filter *filter)
{
	struct uapi_smccc_filter range = {.base = filter->base,
					  .nr_functions = filter->count,
					  .action = (uint8_t)filter->action};
	struct kvm_device_attr attr = {.group = KVM_ARM_VM_SMCCC_CTRL,
				       .attr = KVM_ARM_VM_SMCCC_FILTER,
				       .addr = (uintptr_t)&range};

	return sys(vm->kvm, vm->fd, KVM_SET_DEVICE_ATTR, &attr);
}

int apply_filters(struct hvc_kvm_vm *vm)
{
	const struct plan_view_of *plan = &vm->kvm->plan;

	for (uint32_t i = 0; i < plan->header->filters.count; i++) {
		const struct plan_filter *filter = &plan->filters[i];
		const int error = set_filter(vm, filter);

		if (error != 0) {
			return because(error,
				       "policy %s: the kernel's filter refuses 0x%08x and the %u "
				       "IDs from there on: %s%s",
				       plan->header->policy, filter->base, filter->count,
				       strerror(error),
				       error == EINVAL ? "; is the VM a protected one?" : "");
		}
	}
	vm->filters_set = true;
	return 0;
}

/* --- Feature registers. */
void apply_registers(struct hvc_kvm_vcpu *vcpu)
{
	const struct plan_view_of *plan = &vcpu->vm->kvm->plan;

	/* PSCI_VERSION depends on the feature; who has it not looks at the host only, and will not run. */
	if (atomic_load(&vcpu->vm->applied) || !vcpu_has(vcpu, KVM_ARM_VCPU_PSCI_0_2)) {
		return;
	}
	for (uint32_t i = 0; i < plan->header->writes.count; i++) {
		const struct plan_write *write = &plan->writes[i];
		const int error = sys_set(vcpu, write->id, write->value);

		if (error != 0) {
			refuse(vcpu->vm, "policy %s: register 0x%llx cannot be 0x%llx here: %s",
			       plan->header->policy, (unsigned long long)write->id,
			       (unsigned long long)write->value, strerror(error));
		}
	}
}

/* Of workarounds KVM takes less than there is and shows what there is: a write only asserts. */
static bool is_assertion(uint64_t id)
{
	return id > UAPI_FW(0) && id <= UAPI_FW(UAPI_FW_LAST);
}

static int read_back(struct hvc_kvm_vcpu *vcpu)
{
	const struct plan_view_of *plan = &vcpu->vm->kvm->plan;

	for (uint32_t i = 0; i < plan->header->writes.count; i++) {
		const struct plan_write *write = &plan->writes[i];
		uint64_t value = 0;
		const int error = sys_get(vcpu, write->id, &value);

		if (error != 0 || (value != write->value && !is_assertion(write->id))) {
			return refuse(
				vcpu->vm,
				"policy %s: register 0x%llx of vCPU %u is 0x%llx, not 0x%llx%s%s",
				plan->header->policy, (unsigned long long)write->id, vcpu->id,
				(unsigned long long)value, (unsigned long long)write->value,
				error != 0 ? ": " : "", error != 0 ? strerror(error) : "");
		}
	}
	return 0;
}

/* --- The whole. */
static int check_vcpu(struct hvc_kvm_vcpu *vcpu)
{
	const char *lacks = NULL;
	uint64_t mpidr = 0;
	int error;

	if (!vcpu->initialised) {
		return because(EPERM,
			       "vCPU %u had no KVM_ARM_VCPU_INIT: all have it before one runs",
			       vcpu->id);
	}
	if (!vcpu_has(vcpu, KVM_ARM_VCPU_PSCI_0_2)) {
		lacks = "it lacks the feature PSCI_0_2";
	} else if (vcpu_has(vcpu, KVM_ARM_VCPU_EL1_32BIT)) {
		lacks = "it is a 32-bit one";
	} else if (vcpu_has(vcpu, KVM_ARM_VCPU_HAS_EL2)) {
		lacks = "it has EL2, where its HVCs go";
	}
	if (lacks != NULL) {
		return refuse(vcpu->vm, "the plan is not for vCPU %u: %s", vcpu->id, lacks);
	}
	error = sys_get(vcpu, UAPI_MPIDR_EL1, &mpidr);
	if (error != 0) {
		return refuse(vcpu->vm, "MPIDR_EL1 of vCPU %u: %s", vcpu->id, strerror(error));
	}
	vcpu->mpidr = mpidr & AFFINITY_MASK;
	return read_back(vcpu);
}

static int make_engine(struct hvc_kvm_vm *vm)
{
	struct hvc_vcpu *vcpus[HVC_MAX_VCPUS];
	struct hvc_vm *engine;
	void *memory;
	int error = engine_make(vm, &engine, vcpus, &memory);

	if (error == 0) {
		engine_take(vm, engine, vcpus, memory);
		error = travel_restore(vm);
	}
	return error == 0 ? 0 : refuse(vm, "%s", hvc_kvm_why());
}

int apply_finish(struct hvc_kvm_vm *vm)
{
	int error = vm->refused ? because(EPERM, "%s", vm->why) : 0;

	for (uint32_t i = 0; i < vm->vcpu_count && error == 0; i++) {
		error = check_vcpu(vm->vcpus[i]);
	}
	if (error == 0 && !vm->filters_set) {
		error = refuse(vm, "the filter's ranges are not set");
	}
	if (error == 0) {
		error = make_engine(vm);
	}
	if (error == 0) {
		power_tell_all(vm);
		hvc_vm_freeze(vm->engine);
		atomic_store(&vm->applied, true);
	}
	return error;
}
