/* SPDX-License-Identifier: BSD-2-Clause */
/* A made-up KVM: what a guest's HVC or SMC does. The engine is the kernel, but for which CPU is on: that is mp_state. */
#include "arm_kvm_internal.h"

#include <string.h>

enum { ON = 0, OFF = 1, INVALID = -2, ALREADY_ON = -4 };
#define AFFINITY_BITS 0xff00ffffffull

static uint64_t affinity_of(const struct arm_vcpu *vcpu)
{
	for (uint32_t n = 0; n <= vcpu->vm->kvm->register_count; n++) {
		if (vcpu->registers[n].id == UAPI_MPIDR_EL1) {
			return vcpu->registers[n].value & AFFINITY_BITS;
		}
	}
	arm_die("no MPIDR_EL1");
}

static struct arm_vcpu *by_affinity(struct arm_vm *vm, uint64_t affinity)
{
	for (unsigned int n = 0; n < ARM_VCPUS; n++) {
		struct arm_vcpu *vcpu = atomic_load(&vm->vcpus[n]);

		if (vcpu != NULL && affinity_of(vcpu) == affinity) {
			return vcpu;
		}
	}
	return NULL;
}

/* --- PSCI's power functions. */
static int cpu_on(struct arm_vcpu *caller, const uint64_t *x, bool psci_0_1)
{
	struct arm_vcpu *target;
	int status = 0;

	if ((x[1] & ~AFFINITY_BITS) != 0 || (target = by_affinity(caller->vm, x[1])) == NULL) {
		return INVALID;
	}
	pthread_mutex_lock(&caller->vm->power);
	if (target->mp_state != KVM_MP_STATE_STOPPED) {
		status = psci_0_1 ? INVALID : ALREADY_ON;
	} else {
		target->reset = true;
		target->entry = x[2];
		target->context = x[3];
		target->mp_state = KVM_MP_STATE_RUNNABLE;
	}
	pthread_mutex_unlock(&caller->vm->power);
	if (status == 0) {
		arm_vcpu_wake(target);
	}
	return status;
}

static int affinity_info(struct arm_vcpu *caller, const uint64_t *x)
{
	struct arm_vm *vm = caller->vm;
	int status = INVALID;

	if ((x[1] & ~AFFINITY_BITS) != 0 || x[2] > 3) {
		return INVALID;
	}
	const uint64_t mask = AFFINITY_BITS & ~0ull << x[2] * 8;
	pthread_mutex_lock(&vm->power);
	for (unsigned int n = 0; n < ARM_VCPUS && status != ON; n++) {
		const struct arm_vcpu *vcpu = atomic_load(&vm->vcpus[n]);

		if (vcpu != NULL && ((affinity_of(vcpu) ^ x[1]) & mask) == 0) {
			status = vcpu->mp_state == KVM_MP_STATE_STOPPED ? OFF : ON;
		}
	}
	pthread_mutex_unlock(&vm->power);
	return status;
}

static void stop(struct arm_vcpu *vcpu)
{
	pthread_mutex_lock(&vcpu->vm->power);
	vcpu->mp_state = KVM_MP_STATE_STOPPED;
	pthread_mutex_unlock(&vcpu->vm->power);
}

static bool is_power(unsigned int fn)
{
	return fn == HVC_FN_PSCI_CPU_ON || fn == HVC_FN_PSCI_CPU_OFF ||
	       fn == HVC_FN_PSCI_AFFINITY_INFO || fn == HVC_FN_PSCI_0_1_CPU_ON ||
	       fn == HVC_FN_PSCI_0_1_CPU_OFF;
}

static void power_call(struct arm_vcpu *vcpu, struct hvc_outcome outcome, struct hvc_frame *frame)
{
	uint64_t x[4];
	int status = 0;

	for (unsigned int n = 0; n < 4; n++) {
		const bool narrow = outcome.fn != HVC_FN_PSCI_0_1_CPU_ON &&
				    (outcome.id & HVC_ID_64) == 0;
		x[n] = narrow ? (uint32_t)frame->x[n] : frame->x[n];
	}
	if (outcome.fn == HVC_FN_PSCI_CPU_OFF || outcome.fn == HVC_FN_PSCI_0_1_CPU_OFF) {
		stop(vcpu);
	} else if (outcome.fn == HVC_FN_PSCI_AFFINITY_INFO) {
		status = affinity_info(vcpu, x);
	} else {
		status = cpu_on(vcpu, x, outcome.fn == HVC_FN_PSCI_0_1_CPU_ON);
	}
	frame->x[0] = (uint64_t)(int64_t)status;
	frame->x[1] = frame->x[2] = frame->x[3] = 0;
}

/* --- What leaves the kernel. */
static bool exit_hypercall(struct arm_vcpu *vcpu, enum hvc_conduit conduit)
{
	struct kvm_run *run = vcpu->run;
	uint8_t *bytes = (void *)&run->hypercall;

	memset(bytes, 0, 72);
	run->exit_reason = KVM_EXIT_HYPERCALL;
	run->hypercall.nr = (uint32_t)vcpu->guest.x[0];
	if (conduit == HVC_CONDUIT_SMC) {
		const uint64_t flags = KVM_HYPERCALL_EXIT_SMC;
		memcpy(bytes + 64, &flags, sizeof(flags));
	}
	return false;
}

static void stop_all(struct arm_vm *vm)
{
	for (unsigned int n = 0; n < ARM_VCPUS; n++) {
		struct arm_vcpu *vcpu = atomic_load(&vm->vcpus[n]);

		if (vcpu != NULL) {
			stop(vcpu);
			arm_vcpu_wake(vcpu);
		}
	}
}

static bool exit_event(struct arm_vcpu *vcpu, uint32_t type)
{
	const struct hvc_request request = hvc_vcpu_request(vcpu->engine);
	struct kvm_run *run = vcpu->run;

	run->exit_reason = KVM_EXIT_SYSTEM_EVENT;
	memset(&run->system_event, 0, sizeof(run->system_event));
	run->system_event.type = type;
	if (type != KVM_SYSTEM_EVENT_SUSPEND) {
		run->system_event.ndata = 1;
		run->system_event.data[0] = request.function == HVC_FN_PSCI_SYSTEM_RESET2 ||
					    request.function == HVC_FN_PSCI_SYSTEM_OFF2;
		stop_all(vcpu->vm);
	}
	return false;
}

static bool settle(struct arm_vcpu *vcpu, enum hvc_verdict verdict, enum hvc_conduit conduit,
		   uint64_t held)
{
	switch (verdict) {
	case HVC_RESUME:
		return true;
	case HVC_CPU_STANDBY:
		arm_guest_wait(vcpu, held);
		return true;
	case HVC_SYSTEM_OFF:
		return exit_event(vcpu, KVM_SYSTEM_EVENT_SHUTDOWN);
	case HVC_SYSTEM_RESET:
		return exit_event(vcpu, KVM_SYSTEM_EVENT_RESET);
	case HVC_SYSTEM_SUSPEND:
		return exit_event(vcpu, KVM_SYSTEM_EVENT_SUSPEND);
	case HVC_FORWARDED:
		return exit_hypercall(vcpu, conduit);
	default:
		arm_die("a verdict that no kernel has");
	}
}

bool arm_guest_call(struct arm_vcpu *vcpu, enum hvc_conduit conduit, uint16_t immediate,
		    uint64_t held)
{
	struct hvc_vm *engine = vcpu->vm->engine;
	const struct hvc_outcome outcome = hvc_filter_query(engine, (uint32_t)vcpu->guest.x[0]);
	const bool refused = conduit == HVC_CONDUIT_SMC &&
			     (immediate != 0 ||
			      (vcpu->vm->kvm->settings.quirks & HVC_QUIRK_SMC_UNKNOWN) != 0);
	enum hvc_verdict verdict = HVC_RESUME;
	struct hvc_frame frame;

	memcpy(frame.x, vcpu->guest.x, sizeof(frame.x));
	if (!refused && outcome.decider == HVC_BY_SERVICE && is_power(outcome.fn)) {
		power_call(vcpu, outcome, &frame);
	} else {
		verdict = hvc_call(vcpu->engine, conduit, immediate, &frame);
	}
	if (verdict == HVC_FORWARDED) {
		/* Nothing is pending here: whoever answers writes registers. */
		hvc_forward_complete(vcpu->engine, &frame, &frame, 0);
	}
	memcpy(vcpu->guest.x, frame.x, sizeof(frame.x));
	return settle(vcpu, verdict, conduit, held);
}
