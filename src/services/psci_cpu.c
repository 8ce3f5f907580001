/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PSCI: the power of one CPU (DEN0022, 5.4 to 5.7 and 6.6).
 *
 * The power state is one atomic word a vCPU: OFF -> ON_PENDING by whoever wins the exchange in
 * CPU_ON, ON_PENDING -> ON by the started CPU itself, ON -> OFF by its own CPU_OFF.
 */
#include "services.h"

/* Affinity fields of an MPIDR. An SMC32 call's argument has no Aff3, being 32 bits wide. */
#define AFFINITY_MASK 0xff00ffffffull

/* power_state, original format (DEN0022, 5.4.2): bits 31:26 and 23:17 must be zero. */
#define POWER_STATE_RESERVED  0xfcfe0000u
#define POWER_STATE_POWERDOWN 0x00010000u

static bool entry_valid(const struct hvc_vm *vm, uint64_t entry)
{
	if (vm_quirk(vm, HVC_QUIRK_ANY_ENTRY)) {
		return true;
	}
	if (entry % 4 != 0) {
		return false;
	}
	return vm->platform == NULL || vm->platform->is_ram == NULL ||
	       vm->platform->is_ram(vm->host, entry);
}

/* INVALID_ADDRESS came with PSCI 1.0 (DEN0022, 5.2.2). */
static int32_t invalid_address(const struct hvc_vm *vm)
{
	return vm_psci_version(vm) >= HVC_VERSION(1, 0) ? PSCI_INVALID_ADDRESS
							: PSCI_INVALID_PARAMETERS;
}

/* An MPIDR argument; false if bits are set that no affinity field has. */
static bool affinity_of(const struct hvc_vm *vm, uint64_t argument, uint64_t *affinity)
{
	*affinity = argument & AFFINITY_MASK;
	return *affinity == argument || vm_quirk(vm, HVC_QUIRK_MPIDR_MASKED);
}

static struct hvc_vcpu *vcpu_by_mpidr(const struct hvc_vm *vm, uint64_t mpidr)
{
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		if (vm->vcpus[i]->mpidr == mpidr) {
			return vm->vcpus[i];
		}
	}
	return NULL;
}

/* The power state that other CPUs are told. */
static unsigned int power_told(const struct hvc_vcpu *vcpu)
{
	unsigned int power = hvc_vcpu_power(vcpu);

	if (power == POWER_ON_PENDING && vm_quirk(vcpu->vm, HVC_QUIRK_ON_AT_ONCE)) {
		return POWER_ON;
	}
	return power;
}

static int32_t start(const struct hvc_vm *vm, struct hvc_vcpu *target, uint64_t entry,
		     uint64_t context)
{
	uint32_t state = POWER_OFF;

	if (!atomic_compare_exchange_strong_explicit(&target->power, &state, POWER_ON_PENDING,
						     memory_order_acq_rel, memory_order_acquire)) {
		return state == POWER_ON || vm_quirk(vm, HVC_QUIRK_ON_AT_ONCE) ? PSCI_ALREADY_ON
									       : PSCI_ON_PENDING;
	}
	/* Ours alone until the target runs: the callback orders these stores before its start. */
	target->start_entry = entry;
	target->start_context = context;
	if (vm->platform != NULL && vm->platform->cpu_start != NULL &&
	    vm->platform->cpu_start(vm->host, target->index)) {
		return PSCI_SUCCESS;
	}
	atomic_store_explicit(&target->power, POWER_OFF, memory_order_release);
	return PSCI_INTERNAL_FAILURE;
}

static int32_t cpu_on(const struct hvc_vm *vm, uint64_t which, uint64_t entry, uint64_t context)
{
	struct hvc_vcpu *target = NULL;
	uint64_t mpidr;

	if (affinity_of(vm, which, &mpidr)) {
		target = vcpu_by_mpidr(vm, mpidr);
	}
	if (target == NULL) {
		return PSCI_INVALID_PARAMETERS;
	}
	if (!entry_valid(vm, entry)) {
		return invalid_address(vm);
	}
	return start(vm, target, entry, context);
}

HVC_SERVE(PSCI_CPU_ON)
{
	return serve_status(frame, cpu_on(vcpu->vm, argument(vcpu, frame, 1),
					  argument(vcpu, frame, 2), argument(vcpu, frame, 3)));
}

/* 0.1 knows no code below DENIED; its arguments are as wide as the registers. */
HVC_SERVE(PSCI_0_1_CPU_ON)
{
	int32_t status = cpu_on(vcpu->vm, frame->x[1], frame->x[2], frame->x[3]);

	if (status == PSCI_ALREADY_ON || status == PSCI_ON_PENDING) {
		status = PSCI_INVALID_PARAMETERS;
	} else if (status == PSCI_INTERNAL_FAILURE) {
		status = PSCI_DENIED;
	}
	return serve_status(frame, status);
}

static enum hvc_verdict cpu_off(struct hvc_vcpu *vcpu)
{
	atomic_store_explicit(&vcpu->power, POWER_OFF, memory_order_release);
	return HVC_CPU_OFF;
}

HVC_SERVE(PSCI_CPU_OFF)
{
	return cpu_off(vcpu);
}

HVC_SERVE(PSCI_0_1_CPU_OFF)
{
	return cpu_off(vcpu);
}

static enum hvc_verdict powerdown(struct hvc_vcpu *vcpu, enum hvc_verdict verdict, uint64_t entry,
				  uint64_t context)
{
	vcpu->request_entry = entry;
	vcpu->request_value = context;
	vcpu->request_type = 0;
	return verdict;
}

static enum hvc_verdict cpu_suspend(struct hvc_vcpu *vcpu, struct hvc_frame *frame, uint64_t entry,
				    uint64_t context)
{
	uint32_t power_state = (uint32_t)frame->x[1];

	if (vm_quirk(vcpu->vm, HVC_QUIRK_SUSPEND_WAITS)) {
		serve_status(frame, PSCI_SUCCESS);
		return HVC_CPU_STANDBY;
	}
	if (power_state & POWER_STATE_RESERVED) {
		return serve_status(frame, PSCI_INVALID_PARAMETERS);
	}
	if (!(power_state & POWER_STATE_POWERDOWN)) {
		serve_status(frame, PSCI_SUCCESS);
		return HVC_CPU_STANDBY;
	}
	if (!entry_valid(vcpu->vm, entry)) {
		return serve_status(frame, invalid_address(vcpu->vm));
	}
	return powerdown(vcpu, HVC_CPU_POWERDOWN, entry, context);
}

HVC_SERVE(PSCI_CPU_SUSPEND)
{
	return cpu_suspend(vcpu, frame, argument(vcpu, frame, 2), argument(vcpu, frame, 3));
}

HVC_SERVE(PSCI_0_1_CPU_SUSPEND)
{
	return cpu_suspend(vcpu, frame, frame->x[2], frame->x[3]);
}

/* DEN0022, 5.20: every other CPU must be off. */
static bool others_off(const struct hvc_vcpu *vcpu)
{
	const struct hvc_vm *vm = vcpu->vm;

	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		if (i != vcpu->index && hvc_vcpu_power(vm->vcpus[i]) != POWER_OFF) {
			return false;
		}
	}
	return true;
}

HVC_SERVE(PSCI_SYSTEM_SUSPEND)
{
	const struct hvc_vm *vm = vcpu->vm;
	uint64_t entry = argument(vcpu, frame, 1);

	if (!vm_quirk(vm, HVC_QUIRK_SUSPEND_UNCHECKED) && !others_off(vcpu)) {
		return serve_status(frame, PSCI_DENIED);
	}
	if (!entry_valid(vm, entry)) {
		return serve_status(frame, invalid_address(vm));
	}
	return powerdown(vcpu, HVC_SYSTEM_SUSPEND, entry, argument(vcpu, frame, 2));
}

/* Affinity fields at and above a level: 0 is Aff0, 3 is Aff3, which starts at bit 32. */
static uint64_t level_mask(uint64_t level)
{
	static const uint64_t masks[] = {0xff00ffffffull, 0xff00ffff00ull, 0xff00ff0000ull,
					 0xff00000000ull};

	return masks[level];
}

HVC_SERVE(PSCI_AFFINITY_INFO)
{
	const struct hvc_vm *vm = vcpu->vm;
	uint64_t affinity;
	uint64_t level = argument(vcpu, frame, 2);
	bool found = false, pending = false;

	if (!affinity_of(vm, argument(vcpu, frame, 1), &affinity) || level > 3) {
		return serve_status(frame, PSCI_INVALID_PARAMETERS);
	}
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		unsigned int power;

		if ((vm->vcpus[i]->mpidr ^ affinity) & level_mask(level)) {
			continue;
		}
		found = true;
		power = power_told(vm->vcpus[i]);
		if (power == POWER_ON) {
			return serve_status(frame, POWER_ON);
		}
		pending |= power == POWER_ON_PENDING;
	}
	if (!found) {
		return serve_status(frame, PSCI_INVALID_PARAMETERS);
	}
	return serve_status(frame, pending ? POWER_ON_PENDING : POWER_OFF);
}
