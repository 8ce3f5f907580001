/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PSCI: a trusted OS that runs on one CPU at a time (DEN0022, 5.8 and 5.9). There is none behind it: the policy says
 * what a guest is to see.
 *
 * POWER_RESIDENT is set in the target's power word by an exchange that only a running CPU lets through, and stays:
 * so CPU_OFF on the target either comes first, and MIGRATE fails, or finds that it is denied.
 */
#include "psci.h"

static uint32_t where(const struct hvc_vm *vm)
{
	return atomic_load_explicit(&vm->trusted_os_cpu, memory_order_acquire);
}

bool trusted_os_here(const struct hvc_vcpu *vcpu, uint32_t word)
{
	if (vcpu->vm->trusted_os == HVC_TRUSTED_OS_NONE) {
		return false;
	}
	return (word & POWER_RESIDENT) != 0 || where(vcpu->vm) == vcpu->index;
}

HVC_SERVE(PSCI_MIGRATE_INFO_TYPE)
{
	return serve_word(frame, vcpu->vm->trusted_os);
}

/* The SMC32 form has no room for Aff3. */
HVC_SERVE(PSCI_MIGRATE_INFO_UP_CPU)
{
	const struct hvc_vm *vm = vcpu->vm;
	uint64_t mpidr = vm->vcpus[where(vm)]->mpidr;

	psci_awake(vcpu);
	frame->x[0] = vcpu->last_id & HVC_ID_64 ? mpidr : (uint32_t)mpidr;
	return HVC_RESUME;
}

/* It is on the calling CPU, and nobody else can move it. */
static int32_t move(struct hvc_vcpu *from, struct hvc_vcpu *to)
{
	uint32_t word = power_word(to);

	if (from == to) {
		return PSCI_SUCCESS;
	}
	do {
		if (POWER_OF(word) != POWER_ON) {
			return PSCI_INTERNAL_FAILURE;
		}
	} while (!atomic_compare_exchange_weak_explicit(&to->power, &word, word | POWER_RESIDENT,
							memory_order_acq_rel,
							memory_order_acquire));
	atomic_store_explicit(&from->vm->trusted_os_cpu, to->index, memory_order_release);
	atomic_fetch_and_explicit(&from->power, ~POWER_RESIDENT, memory_order_acq_rel);
	return PSCI_SUCCESS;
}

static int32_t migrate(struct hvc_vcpu *vcpu, uint64_t target_cpu)
{
	const struct hvc_vm *vm = vcpu->vm;
	struct hvc_vcpu *target = vcpu_of(vm, target_cpu);

	psci_awake(vcpu);
	if (target == NULL) {
		return PSCI_INVALID_PARAMETERS;
	}
	if (vm->trusted_os != HVC_TRUSTED_OS_MIGRATES) {
		return PSCI_DENIED;
	}
	if (where(vm) != vcpu->index) {
		return PSCI_NOT_PRESENT;
	}
	return move(vcpu, target);
}

HVC_SERVE(PSCI_MIGRATE)
{
	return serve_status(frame, migrate(vcpu, argument(vcpu, frame, 1)));
}

/* 0.1 knows no code below DENIED; its argument is as wide as the register. */
HVC_SERVE(PSCI_0_1_MIGRATE)
{
	int32_t status = migrate(vcpu, frame->x[1]);

	return serve_status(frame, status < PSCI_DENIED ? PSCI_DENIED : status);
}
