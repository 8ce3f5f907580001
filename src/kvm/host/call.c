/* SPDX-License-Identifier: BSD-2-Clause */
/* A call that the kernel did not answer: registers in, the engine, registers out. */
#include <errno.h>

#include <hvcgate/event.h>
#include <hvcgate/live.h>

#include "internal.h"

#define CALL_SIZE 4 /* bytes of an HVC or SMC */

struct call {
	enum hvc_conduit conduit;
	uint32_t id;
	unsigned int fn;    /* slot of the catalogue */
	uint32_t registers; /* that it has for arguments, or may write: what is read */
	struct hvc_frame before, frame;
};

/* --- Which registers. */
static uint32_t up_to(unsigned int last)
{
	return (2u << last) - 1;
}

static uint32_t registers_of(const struct hvc_settings *settings, const struct call *call)
{
	const struct hvc_function *function = hvc_function_at(call->fn);
	uint32_t mask;

	if (function == NULL) {
		return settings->smccc_version >= HVC_VERSION(1, 2) ? HVC_X0_X17 : HVC_X0_X7;
	}
	mask = up_to(hvc_function_arg_count(function, call->id)) |
	       hvc_function_results(function, call->id) | function->zeroes;
	if ((settings->quirks & HVC_QUIRK_ZERO_X1_X3) != 0) {
		mask |= HVC_X0_X3;
	}
	return (function->flags & HVC_FLAG_FFA_ERROR) != 0 ? mask | HVC_X0_X7 : mask;
}

static int fetch(const struct hvc_kvm_vcpu *vcpu, struct hvc_frame *frame, uint32_t mask)
{
	int error = 0;

	for (unsigned int n = 0; n < HVC_FRAME_REGS && error == 0; n++) {
		if ((mask >> n & 1) != 0) {
			error = sys_get(vcpu, UAPI_CORE_X(n), &frame->x[n]);
		}
	}
	return error;
}

static int begin(const struct hvc_kvm_vcpu *vcpu, struct call *call)
{
	const struct hvc_settings *settings = &vcpu->vm->kvm->plan.image->settings;
	const bool smc = (uapi_hypercall_flags(vcpu->run) & KVM_HYPERCALL_EXIT_SMC) != 0;
	int error;

	*call = (struct call){.conduit = smc ? HVC_CONDUIT_SMC : HVC_CONDUIT_HVC,
			      .id = (uint32_t)vcpu->run->hypercall.nr};
	if (settings->smccc_version >= HVC_VERSION(1, 3) && (call->id & HVC_ID_FAST) != 0) {
		call->id &= ~HVC_ID_SVE_HINT;
	}
	call->fn = hvc_function_by_id(call->id);
	call->registers = registers_of(settings, call);
	error = fetch(vcpu, &call->frame, call->registers);
	call->before = call->frame;
	return error;
}

/* What has changed. */
static int write_back(const struct hvc_kvm_vcpu *vcpu, const struct call *call)
{
	int error = 0;

	for (unsigned int n = 0; n < HVC_FRAME_REGS && error == 0; n++) {
		if (call->frame.x[n] != call->before.x[n]) {
			error = sys_set(vcpu, UAPI_CORE_X(n), call->frame.x[n]);
		}
	}
	return error;
}

/* --- Functions shut off meanwhile. */
static uint64_t newly(const struct hvc_kvm_vm *vm, unsigned int word)
{
	return __atomic_load_n(&vm->kvm->options.revoked[word], __ATOMIC_RELAXED) &
	       vm->kvm->plan.header->revocable[word] &
	       ~atomic_load_explicit(&vm->revoked[word], memory_order_acquire);
}

static enum hvc_err deny(struct hvc_vm *engine, const struct hvc_function *function)
{
	enum hvc_err err = HVC_OK;

	if (function->id32 != 0) {
		err = hvc_vm_tighten(engine, function->id32, 1, NULL);
	}
	if (err == HVC_OK && function->id64 != 0) {
		err = hvc_vm_tighten(engine, function->id64, 1, NULL);
	}
	return err;
}

static int revoke(struct hvc_kvm_vm *vm)
{
	enum hvc_err err = HVC_OK;

	pthread_mutex_lock(&vm->lock);
	for (unsigned int slot = 1; slot < HVC_FN_COUNT && err == HVC_OK; slot++) {
		const uint64_t bit = 1ull << slot % 64;

		if ((newly(vm, slot / 64) & bit) != 0) {
			err = deny(vm->engine, hvc_function_at(slot));
			if (err == HVC_OK) {
				atomic_fetch_or_explicit(&vm->revoked[slot / 64], bit,
							 memory_order_release);
			}
		}
	}
	pthread_mutex_unlock(&vm->lock);
	return err == HVC_OK ? 0
			     : because(EPERM, "a revoked function cannot be denied: %s",
				       hvc_err_name(err));
}

static int revoke_new(struct hvc_kvm_vm *vm)
{
	uint64_t any = 0;

	for (unsigned int i = 0; vm->kvm->options.revoked != NULL && i < HVC_FN_WORDS; i++) {
		any |= newly(vm, i);
	}
	return any == 0 ? 0 : revoke(vm);
}

/* --- Events of `notify`: who watches has options.called; the queue only has to have room. */
static void take_events(struct hvc_kvm_vm *vm)
{
	struct hvc_event event;

	pthread_mutex_lock(&vm->event_lock);
	while (hvc_event_take(vm->engine, &event)) {
		atomic_fetch_add_explicit(&vm->events, 1, memory_order_relaxed);
	}
	pthread_mutex_unlock(&vm->event_lock);
}

/* --- The call. */
static enum hvc_verdict ask(struct hvc_kvm_vcpu *vcpu, struct call *call)
{
	enum hvc_verdict verdict;

	/* Only vCPUs that are on make calls: the kernel may have turned it on. */
	if (hvc_vcpu_power(vcpu->engine) != 0) {
		hvc_vcpu_tell_power(vcpu->engine, true);
	}
	do {
		/* KVM does not tell the immediate; SMCs with one do not come here. */
		verdict = hvc_call(vcpu->engine, call->conduit, 0, &call->frame);
		if (verdict == HVC_EVENTS_FULL ||
		    hvc_vcpu_outcome(vcpu->engine).action == HVC_NOTIFY) {
			take_events(vcpu->vm);
		}
	} while (verdict == HVC_EVENTS_FULL);
	return verdict;
}

/* A handler may write more than the function has, where the profile lets it. */
static int forward(struct hvc_kvm_vcpu *vcpu, struct call *call)
{
	const uint32_t quirks = vcpu->vm->kvm->plan.image->settings.quirks;
	int error = 0;

	if ((quirks & HVC_QUIRK_REPLY_ANY) != 0) {
		error = fetch(vcpu, &call->frame, HVC_X0_X17 & ~call->registers);
		call->before = call->frame;
	}
	if (error != 0) {
		hvc_forward_cancel(vcpu->engine, &call->frame);
		return error;
	}
	return forward_call(vcpu, call->conduit, &call->frame);
}

/* The guest makes the call again when it runs again. */
static int rewind_call(const struct hvc_kvm_vcpu *vcpu, int error)
{
	uint64_t pc = 0;
	int failed = sys_get(vcpu, UAPI_CORE_PC, &pc);

	if (failed == 0) {
		failed = sys_set(vcpu, UAPI_CORE_PC, pc - CALL_SIZE);
	}
	return failed != 0 ? failed : error;
}

static int finish(struct hvc_kvm_vcpu *vcpu, struct call *call, enum hvc_verdict verdict)
{
	const struct hvc_kvm_options *options = &vcpu->vm->kvm->options;
	int result, error;

	if (verdict == HVC_CPU_OFF || verdict == HVC_CPU_FREEZE) {
		/* As soon as it is off a CPU_ON of the kernel's may give it other registers. */
		error = write_back(vcpu, call);
		result = power_verdict(vcpu, verdict, &call->frame);
	} else {
		result = power_verdict(vcpu, verdict, &call->frame);
		error = write_back(vcpu, call);
	}
	if (options->called != NULL) {
		options->called(options->called_context, vcpu, &call->before, &call->frame,
				call->conduit, verdict);
	}
	return error != 0 ? error : result;
}

static void note_left(struct hvc_kvm_vcpu *vcpu, enum hvc_verdict verdict, int error)
{
	if (verdict == HVC_FORWARDED && error == EINTR &&
	    sys_get(vcpu, UAPI_CORE_PC, &vcpu->left_pc) == 0) {
		atomic_store(&vcpu->left, true);
	}
}

int call_exit(struct hvc_kvm_vcpu *vcpu)
{
	enum hvc_verdict verdict;
	struct call call;
	struct work work;
	int error = begin(vcpu, &call);

	if (error == 0) {
		error = revoke_new(vcpu->vm);
	}
	if (error != 0) {
		return error;
	}
	error = sync_power(vcpu, call.fn, call.id, &call.frame, &work);
	if (error != 0) {
		return rewind_call(vcpu, error);
	}
	verdict = ask(vcpu, &call);
	error = sync_settle(vcpu, &work, &call.frame);
	if (error == 0 && verdict == HVC_FORWARDED) {
		error = forward(vcpu, &call);
	}
	if (error != 0) {
		error = rewind_call(vcpu, error);
		note_left(vcpu, verdict, error);
		return error;
	}
	return finish(vcpu, &call, verdict);
}

/* Behind the call again, as when it left the kernel. */
static int forward_pc(struct hvc_kvm_vcpu *vcpu)
{
	uint64_t pc = 0;
	const int error = sys_get(vcpu, UAPI_CORE_PC, &pc);

	if (error == 0 && pc != vcpu->left_pc) {
		return EINVAL; /* the VMM, or a reset, moved it */
	}
	return error != 0 ? error : sys_set(vcpu, UAPI_CORE_PC, pc + CALL_SIZE);
}

void call_settle(struct hvc_kvm_vcpu *vcpu)
{
	enum hvc_verdict verdict;
	struct call call;
	int error = 0;

	if (!atomic_exchange(&vcpu->left, false) || begin(vcpu, &call) != 0 ||
	    forward_pc(vcpu) != 0) {
		return;
	}
	verdict = ask(vcpu, &call);
	if (verdict == HVC_FORWARDED) {
		vcpu->settle_until = forward_deadline(vcpu->vm);
		error = forward(vcpu, &call);
		vcpu->settle_until = 0;
	}
	if (error == 0) {
		error = finish(vcpu, &call, verdict);
	} else {
		error = rewind_call(vcpu, error);
	}
	(void)error; /* it is made again by the guest, and the state says that it is under way */
}
