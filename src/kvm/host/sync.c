/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Before the engine answers a PSCI function that depends on vCPUs' power states it has the kernel's: the kernel may have
 * answered a CPU_ON by itself, and the VMM may have set a state.
 */
#include <errno.h>

#include "internal.h"

#define AFFINITY_MASK UAPI_AFFINITY
#define NOBODY        UINT32_MAX

/* What this thread's call holds: for the engine's callback, which knows the VM only. */
static _Thread_local struct work *held;

/* Bits of an affinity at and above a level: 3 is Aff3, at bit 32. */
static uint64_t level_mask(uint64_t level)
{
	return level == 3 ? 0xff00000000ull : AFFINITY_MASK & ~0ull << 8 * level;
}

/* The first vCPU from `index` on whose affinity agrees with `affinity` in `mask` (0: any); NOBODY: there is none. */
static uint32_t next_vcpu(struct hvc_kvm_vm *vm, uint32_t index, uint64_t affinity, uint64_t mask)
{
	pthread_mutex_lock(&vm->work_lock);
	for (; index < vm->vcpu_count; index++) {
		const struct hvc_kvm_vcpu *vcpu = vm->vcpus[index];

		if (vcpu != NULL && vcpu->engine != NULL &&
		    ((vcpu->mpidr ^ affinity) & mask) == 0) {
			break;
		}
	}
	if (index == vm->vcpu_count) {
		index = NOBODY;
	}
	pthread_mutex_unlock(&vm->work_lock);
	return index;
}

static int sync_some(struct hvc_kvm_vcpu *self, uint64_t affinity, uint64_t mask)
{
	uint32_t index = next_vcpu(self->vm, 0, affinity, mask);
	int error = 0;

	while (index != NOBODY && error == 0) {
		struct work work;

		error = work_ask(self, index, WORK_STATE, &work);
		index = next_vcpu(self->vm, index + 1, affinity, mask);
	}
	return error;
}

static int sync_target(struct hvc_kvm_vcpu *self, uint64_t affinity, struct work *work)
{
	const uint32_t index = next_vcpu(self->vm, 0, affinity, AFFINITY_MASK);
	uint64_t value = 0;
	int error;

	if (index == NOBODY) {
		return 0;
	}
	error = sys_get(self, UAPI_SCTLR_EL1, &value);
	if (error == 0) {
		error = work_ask(self, index, WORK_START, work);
	}
	if (error != 0) {
		work->target = NULL;
		return error;
	}
	work->big_endian = (value & UAPI_SCTLR_EE) != 0;
	held = work;
	return 0;
}

int sync_power(struct hvc_kvm_vcpu *vcpu, unsigned int fn, uint32_t id,
	       const struct hvc_frame *frame, struct work *work)
{
	const struct hvc_function *function = hvc_function_at(fn);
	const uint64_t wide = function != NULL && id == function->id32 ? UINT32_MAX : UINT64_MAX;
	const uint64_t affinity = frame->x[1] & wide, level = frame->x[2] & wide;

	work->target = NULL;
	switch (fn) {
	case HVC_FN_PSCI_0_1_CPU_ON: /* its arguments are as wide as the registers */
		return sync_target(vcpu, frame->x[1], work);
	case HVC_FN_PSCI_CPU_ON:
		return sync_target(vcpu, affinity, work);
	case HVC_FN_PSCI_AFFINITY_INFO:
		return level > 3 ? 0 : sync_some(vcpu, affinity, level_mask(level));
	case HVC_FN_PSCI_MIGRATE:
	case HVC_FN_PSCI_NODE_HW_STATE:
		return sync_some(vcpu, affinity, AFFINITY_MASK);
	case HVC_FN_PSCI_SYSTEM_SUSPEND:
	case HVC_FN_PSCI_SET_SUSPEND_MODE:
		return sync_some(vcpu, 0, 0);
	default:
		return 0;
	}
}

int sync_settle(struct hvc_kvm_vcpu *vcpu, struct work *work, struct hvc_frame *frame)
{
	if (work->target == NULL) {
		return 0;
	}
	held = NULL;
	if (work->stage != WORK_HELD) {
		/* The kernel must not say that it is off when the caller was told that it starts. */
		return work->start ? work_begun(vcpu, work) : 0;
	}
	if (!work->start) {
		work_let(work);
		return 0;
	}
	work_go(work);
	if (work->error != 0) {
		frame->x[0] = (uint64_t)(int64_t)hvc_function_at(HVC_FN_PSCI_CPU_ON)->failure;
	}
	return 0;
}

/* It is off: held here; or it stopped after it was asked, which sync_settle() waits for, or has never run; it hears of it
 * when it comes. */
static bool start(struct hvc_kvm_vcpu *target)
{
	if (target == NULL || !target->initialised || held == NULL || held->target != target) {
		return false;
	}
	held->start = true;
	if (held->stage == WORK_HELD) {
		return true;
	}
	target->big_endian = held->big_endian;
	target->start_asked = true;
	held->start_number = ++target->start_number;
	work_given(target);
	return true;
}

bool sync_start(void *host, uint32_t index)
{
	struct hvc_kvm_vm *vm = host;
	bool started;

	pthread_mutex_lock(&vm->work_lock);
	started = start(vm->vcpus[index]);
	pthread_mutex_unlock(&vm->work_lock);
	return started;
}
