/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A vCPU's power: what the engine decides becomes the kernel's mp_state, its only home, so that PSCI functions of the
 * kernel and of user space mix.
 *
 * A start is KVM_ARM_VCPU_INIT, as the kernel's own CPU_ON resets a vCPU. After a power-down that is a wake-up the timers
 * are put back: they belong to what is always on (the guest's device tree says so), and one of them may be what woke it.
 */
#include <errno.h>

#include "internal.h"

/* CNTV_CVAL (which KVM knows by CNTVCT's number), CNTV_CTL, CNTP_CVAL, CNTP_CTL: a timer is enabled when its value is
 * there. */
static const uint64_t timers[] = {0x603000000013df02, 0x603000000013df19, 0x603000000013df12,
				  0x603000000013df11};
#define TIMERS        (sizeof(timers) / sizeof(timers[0]))

#define POWER_PENDING 2u /* hvc_vcpu_power(): about to start */

/* struct kvm_run's event, as PSCI has flags. */
#define EVENT_RESET2 1ull
#define EVENT_OFF2   1ull

static int set_state(struct hvc_kvm_vcpu *vcpu, uint32_t state)
{
	struct kvm_mp_state mp = {.mp_state = state};

	return sys(vcpu->vm->kvm, vcpu->fd, KVM_SET_MP_STATE, &mp);
}

static void tell(struct hvc_kvm_vcpu *vcpu, bool on)
{
	if (vcpu->engine != NULL) {
		hvc_vcpu_tell_power(vcpu->engine, on);
	}
}

/* The engine told somebody that he starts it, who has not come to ask for that yet (sync_start()). */
static bool is_claimed(const struct hvc_kvm_vcpu *vcpu)
{
	return vcpu->engine != NULL && hvc_vcpu_power(vcpu->engine) == POWER_PENDING;
}

bool power_stopped(struct hvc_kvm_vcpu *vcpu)
{
	struct kvm_mp_state mp = {.mp_state = KVM_MP_STATE_STOPPED};
	bool stopped;

	if (vcpu->start_asked) {
		return true; /* and the engine knows that it is about to start */
	}
	stopped = !vcpu->initialised || sys(vcpu->vm->kvm, vcpu->fd, KVM_GET_MP_STATE, &mp) != 0 ||
		  mp.mp_state == KVM_MP_STATE_STOPPED;
	if (!stopped || !is_claimed(vcpu)) {
		tell(vcpu, !stopped);
	}
	return stopped;
}

int power_stop(struct hvc_kvm_vcpu *vcpu)
{
	tell(vcpu, false);
	vcpu->asleep = ASLEEP_NOT;
	return set_state(vcpu, KVM_MP_STATE_STOPPED);
}

/* --- A start. */
static int reset(struct hvc_kvm_vcpu *vcpu)
{
	struct kvm_vcpu_init init = vcpu->init;

	init.features[0] &= ~(1u << KVM_ARM_VCPU_POWER_OFF);
	return sys(vcpu->vm->kvm, vcpu->fd, KVM_ARM_VCPU_INIT, &init);
}

/* The exception endianness is the caller's (DEN0022, 6.4). */
static int set_endianness(struct hvc_kvm_vcpu *vcpu)
{
	uint64_t value = 0;
	int error = sys_get(vcpu, UAPI_SCTLR_EL1, &value);

	return error != 0 ? error : sys_set(vcpu, UAPI_SCTLR_EL1, value | UAPI_SCTLR_EE);
}

static int start_at(struct hvc_kvm_vcpu *vcpu, const struct hvc_request *request)
{
	int error = reset(vcpu);

	if (error == 0) {
		error = sys_set(vcpu, UAPI_CORE_PC, request->entry);
	}
	if (error == 0) {
		error = sys_set(vcpu, UAPI_CORE_X(0), request->context);
	}
	if (error == 0 && vcpu->big_endian) {
		error = set_endianness(vcpu);
	}
	return error;
}

int power_begin(struct hvc_kvm_vcpu *vcpu)
{
	const struct hvc_request request = hvc_vcpu_started(vcpu->engine);
	int error = start_at(vcpu, &request);

	vcpu->asleep = ASLEEP_NOT;
	if (error != 0) {
		power_stop(vcpu);
	}
	return error;
}

void power_withdraw(struct hvc_kvm_vcpu *vcpu)
{
	vcpu->start_asked = false;
	tell(vcpu, false);
}

static int wake_down(struct hvc_kvm_vcpu *vcpu)
{
	const struct hvc_request request = hvc_vcpu_request(vcpu->engine);
	uint64_t values[TIMERS];
	bool has[TIMERS];
	int error;

	for (size_t i = 0; i < TIMERS; i++) {
		has[i] = sys_get(vcpu, timers[i], &values[i]) == 0;
	}
	error = start_at(vcpu, &request);
	for (size_t i = 0; i < TIMERS && error == 0; i++) {
		error = has[i] ? sys_set(vcpu, timers[i], values[i]) : 0;
	}
	return error;
}

/* --- Sleep. */
static int wake(struct hvc_kvm_vcpu *vcpu)
{
	const bool down = vcpu->asleep == ASLEEP_DOWN;

	vcpu->asleep = ASLEEP_NOT;
	hvc_vcpu_woke(vcpu->engine);
	return down ? wake_down(vcpu) : set_state(vcpu, KVM_MP_STATE_RUNNABLE);
}

static int sleep_until_woken(struct hvc_kvm_vcpu *vcpu, enum asleep how, struct hvc_frame *frame)
{
	uint64_t self;

	/* A VMM that makes it runnable lets it return: PSCI allows that of any suspend (DEN0022, 5.4.4). */
	frame->x[0] = 0;
	vcpu->asleep = how;
	/* Its own endianness, should it start anew. */
	vcpu->big_endian = how == ASLEEP_DOWN && sys_get(vcpu, UAPI_SCTLR_EL1, &self) == 0 &&
			   (self & UAPI_SCTLR_EE) != 0;
	/* A kernel that has no such state (before 6.0) has no filter either; it would be awake at once. */
	return set_state(vcpu, KVM_MP_STATE_SUSPENDED) == 0 ? 0 : wake(vcpu);
}

int power_event(struct hvc_kvm_vcpu *vcpu)
{
	int error;

	if (vcpu->asleep == ASLEEP_NOT || vcpu->run->system_event.type != KVM_SYSTEM_EVENT_WAKEUP) {
		return 0;
	}
	error = wake(vcpu);
	return error == 0 ? CALL_AGAIN : error;
}

/* --- The end of the system: an event for the VMM, as KVM makes it. */
static int event(struct hvc_kvm_vcpu *vcpu, uint32_t type, uint32_t count, uint64_t data)
{
	struct kvm_run *run = vcpu->run;

	run->exit_reason = KVM_EXIT_SYSTEM_EVENT;
	run->system_event.type = type;
	run->system_event.ndata = count;
	run->system_event.data[0] = data;
	return 0;
}

static int stop_all(struct hvc_kvm_vcpu *vcpu)
{
	struct hvc_kvm_vm *vm = vcpu->vm;
	int error;

	pthread_mutex_lock(&vm->work_lock);
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		if (vm->vcpus[i] != NULL && vm->vcpus[i] != vcpu) {
			vm->vcpus[i]->stop_asked = true;
			work_given(vm->vcpus[i]);
		}
	}
	error = power_stop(vcpu);
	pthread_mutex_unlock(&vm->work_lock);
	return error;
}

/* If the VMM lets the guest go on after all, the call failed. */
static int end(struct hvc_kvm_vcpu *vcpu, uint32_t type, struct hvc_frame *frame)
{
	const struct hvc_request request = hvc_vcpu_request(vcpu->engine);
	const int error = stop_all(vcpu);
	uint64_t flags = 0;

	frame->x[0] = (uint64_t)(int64_t)hvc_function_at(request.function)->failure;
	if (request.function == HVC_FN_PSCI_SYSTEM_RESET2) {
		flags = EVENT_RESET2;
	} else if (request.function == HVC_FN_PSCI_SYSTEM_OFF2) {
		flags = EVENT_OFF2;
	}
	return error != 0 ? error : event(vcpu, type, 1, flags);
}

/* The VMM reads entry and context in x1 and x2, and resets this vCPU, or writes an error to x0. */
static int suspend_system(struct hvc_kvm_vcpu *vcpu, struct hvc_frame *frame)
{
	const struct hvc_request request = hvc_vcpu_request(vcpu->engine);

	frame->x[1] = request.entry;
	frame->x[2] = request.context;
	return event(vcpu, KVM_SYSTEM_EVENT_SUSPEND, 0, 0);
}

static int stop_self(struct hvc_kvm_vcpu *vcpu)
{
	/* Not power_stop(): the engine knows, and may have been told to start it already. */
	return set_state(vcpu, KVM_MP_STATE_STOPPED);
}

static int again(int error)
{
	return error == 0 ? CALL_AGAIN : error;
}

int power_verdict(struct hvc_kvm_vcpu *vcpu, enum hvc_verdict verdict, struct hvc_frame *frame)
{
	switch (verdict) {
	case HVC_RESUME:
	case HVC_FORWARDED:
		return CALL_AGAIN;
	case HVC_CPU_STANDBY:
		return again(sleep_until_woken(vcpu, ASLEEP_STANDBY, frame));
	case HVC_CPU_POWERDOWN:
		return again(sleep_until_woken(vcpu, ASLEEP_DOWN, frame));
	case HVC_CPU_OFF:
	case HVC_CPU_FREEZE:
		return again(stop_self(vcpu));
	case HVC_SYSTEM_OFF:
		return end(vcpu, KVM_SYSTEM_EVENT_SHUTDOWN, frame);
	case HVC_SYSTEM_RESET:
		return end(vcpu, KVM_SYSTEM_EVENT_RESET, frame);
	case HVC_SYSTEM_SUSPEND:
		return atomic_load(&vcpu->vm->suspend_wanted)
			       ? suspend_system(vcpu, frame)
			       : again(sleep_until_woken(vcpu, ASLEEP_DOWN, frame));
	case HVC_EVENTS_FULL:
	case HVC_VERDICT_COUNT:
	default:
		return because(EPERM, "the engine's verdict %d is none that this host knows",
			       (int)verdict);
	}
}

/* --- From outside. */
void power_forget(struct hvc_kvm_vcpu *vcpu, bool on)
{
	vcpu->stop_asked = false;
	vcpu->start_asked = false;
	vcpu->asleep = ASLEEP_NOT;
	/* Frozen counts as stopped, and is over as well. */
	tell(vcpu, true);
	tell(vcpu, on);
}

void power_tell_all(struct hvc_kvm_vm *vm)
{
	pthread_mutex_lock(&vm->work_lock);
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		struct hvc_kvm_vcpu *vcpu = vm->vcpus[i];

		if (vcpu == NULL) {
			continue;
		}
		/* A state that arrived may have one on its way. */
		vcpu->start_asked = hvc_vcpu_power(vcpu->engine) == POWER_PENDING;
		atomic_store(&vcpu->todo, vcpu->start_asked || vcpu->queue != NULL);
		power_stopped(vcpu);
	}
	pthread_mutex_unlock(&vm->work_lock);
}
