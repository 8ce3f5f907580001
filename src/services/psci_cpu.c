/* SPDX-License-Identifier: BSD-2-Clause */
/* PSCI: CPUs on, off and frozen (DEN0022, 5.5 to 5.7, 5.17 and 6.6). */
#include "psci.h"

/* Affinity fields of an MPIDR. An SMC32 call's argument has no Aff3, being 32 bits wide. */
#define AFFINITY_MASK 0xff00ffffffull

bool entry_valid(const struct hvc_vm *vm, uint64_t entry)
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

int32_t invalid_address(const struct hvc_vm *vm)
{
	return vm_psci_version(vm) >= HVC_VERSION(1, 0) ? PSCI_INVALID_ADDRESS
							: PSCI_INVALID_PARAMETERS;
}

bool affinity_of(const struct hvc_vm *vm, uint64_t argument, uint64_t *affinity)
{
	*affinity = argument & AFFINITY_MASK;
	return *affinity == argument || vm_quirk(vm, HVC_QUIRK_MPIDR_MASKED);
}

struct hvc_vcpu *vcpu_of(const struct hvc_vm *vm, uint64_t argument)
{
	uint64_t mpidr;

	for (uint32_t i = 0; affinity_of(vm, argument, &mpidr) && i < vm->vcpu_count; i++) {
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

/* To ON_PENDING, by whoever wins; *before is what it was. */
static int32_t claim(const struct hvc_vm *vm, struct hvc_vcpu *target, uint32_t *before)
{
	*before = power_word(target);
	do {
		if (POWER_OF(*before) == POWER_ON) {
			return PSCI_ALREADY_ON;
		}
		if (POWER_OF(*before) == POWER_ON_PENDING) {
			return vm_quirk(vm, HVC_QUIRK_ON_AT_ONCE) ? PSCI_ALREADY_ON
								  : PSCI_ON_PENDING;
		}
	} while (!atomic_compare_exchange_weak_explicit(&target->power, before, POWER_ON_PENDING,
							memory_order_acq_rel,
							memory_order_acquire));
	atomic_fetch_add_explicit(&target->starts, 1, memory_order_relaxed);
	return PSCI_SUCCESS;
}

static int32_t start(const struct hvc_vm *vm, struct hvc_vcpu *target, uint64_t entry,
		     uint64_t context)
{
	uint32_t before;
	int32_t status = claim(vm, target, &before);

	if (status != PSCI_SUCCESS) {
		return status;
	}
	/* Ours alone until the target runs: the callback orders these stores before its start. */
	target->start_entry = entry;
	target->start_context = context;
	if (vm->platform != NULL && vm->platform->cpu_start != NULL &&
	    vm->platform->cpu_start(vm->host, target->index)) {
		return PSCI_SUCCESS;
	}
	atomic_store_explicit(&target->power, before, memory_order_release);
	return PSCI_INTERNAL_FAILURE;
}

static int32_t cpu_on(struct hvc_vcpu *vcpu, uint64_t which, uint64_t entry, uint64_t context)
{
	const struct hvc_vm *vm = vcpu->vm;
	struct hvc_vcpu *target = vcpu_of(vm, which);

	psci_awake(vcpu);
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
	return serve_status(frame, cpu_on(vcpu, argument(vcpu, frame, 1), argument(vcpu, frame, 2),
					  argument(vcpu, frame, 3)));
}

/* 0.1 knows no code below DENIED; its arguments are as wide as the registers. */
HVC_SERVE(PSCI_0_1_CPU_ON)
{
	int32_t status = cpu_on(vcpu, frame->x[1], frame->x[2], frame->x[3]);

	if (status == PSCI_ALREADY_ON || status == PSCI_ON_PENDING) {
		status = PSCI_INVALID_PARAMETERS;
	} else if (status == PSCI_INTERNAL_FAILURE) {
		status = PSCI_DENIED;
	}
	return serve_status(frame, status);
}

/* The calling CPU stops, unless the trusted OS is on it: it may come here until the exchange. */
static enum hvc_verdict stop(struct hvc_vcpu *vcpu, struct hvc_frame *frame, enum power power,
			     enum hvc_verdict verdict)
{
	uint32_t word;

	psci_awake(vcpu);
	word = power_word(vcpu);
	do {
		if (trusted_os_here(vcpu, word)) {
			return serve_status(frame, PSCI_DENIED);
		}
	} while (!atomic_compare_exchange_weak(&vcpu->power, &word, power | POWER_LEFT));
	stats_enter(vcpu);
	return verdict;
}

HVC_SERVE(PSCI_CPU_OFF)
{
	return stop(vcpu, frame, POWER_OFF, HVC_CPU_OFF);
}

HVC_SERVE(PSCI_0_1_CPU_OFF)
{
	return stop(vcpu, frame, POWER_OFF, HVC_CPU_OFF);
}

HVC_SERVE(PSCI_CPU_FREEZE)
{
	return stop(vcpu, frame, POWER_FROZEN, HVC_CPU_FREEZE);
}

void hvc_vcpu_tell_power(struct hvc_vcpu *vcpu, bool on)
{
	enum power before = POWER_OF(power_word(vcpu));

	if (on ? before == POWER_ON : before == POWER_OFF || before == POWER_FROZEN) {
		return;
	}
	if (on) {
		atomic_store(&vcpu->power, POWER_ON);
		stats_leave(vcpu);
		return;
	}
	/* By itself, as far as statistics go: it was on. */
	atomic_store(&vcpu->power, before == POWER_ON ? POWER_OFF | POWER_LEFT : POWER_OFF);
	stats_enter(vcpu);
}

HVC_SERVE(PSCI_AFFINITY_INFO)
{
	const struct hvc_vm *vm = vcpu->vm;
	uint64_t affinity;
	uint64_t level = argument(vcpu, frame, 2);
	bool found = false, pending = false;

	psci_awake(vcpu);
	if (!affinity_of(vm, argument(vcpu, frame, 1), &affinity) || level > 3) {
		return serve_status(frame, PSCI_INVALID_PARAMETERS);
	}
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		unsigned int power;

		if ((vm->vcpus[i]->mpidr ^ affinity) & level_mask((unsigned int)level)) {
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
