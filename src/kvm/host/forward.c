/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls that handlers answer. The vCPU's thread waits; whoever waits takes replies for the whole VM. If the VMM calls the
 * vCPU away the call is left, to be made again by the guest: its transaction goes on without it, and the request is not
 * sent twice.
 */
#include <errno.h>
#include <time.h>

#include "internal.h"

#define SLICE_MS   20
#define SLACK_MS   2000u             /* beyond the longest time-out of a handler */
#define FULL_TICKS (1000 / SLICE_MS) /* slices in a tick of hvc_forward_expire() */
#define CALL_SIZE  4

uint64_t forward_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t forward_deadline(const struct hvc_kvm_vm *vm)
{
	const struct plan_view_of *plan = &vm->kvm->plan;
	uint64_t longest = 0;

	for (uint32_t i = 0; i < plan->header->handlers.count; i++) {
		longest = plan->handlers[i].timeout_ms > longest ? plan->handlers[i].timeout_ms
								 : longest;
	}
	return forward_now() + longest + SLACK_MS;
}

static int find_key(const struct hvc_kvm_vcpu *vcpu, struct hvc_restart_key *key)
{
	int error = sys_get(vcpu, UAPI_CORE_PC, &key->pc);

	key->pc -= CALL_SIZE;
	return error != 0 ? error : sys_get(vcpu, UAPI_CORE_SP_EL1, &key->sp);
}

/* --- Requests. */
static bool find_handler(const struct plan_view_of *plan, uint32_t id, uint32_t *handler)
{
	for (uint32_t i = 0; i < plan->header->routes.count; i++) {
		if (id >= plan->routes[i].first && id <= plan->routes[i].last) {
			*handler = plan->routes[i].handler;
			return true;
		}
	}
	return false;
}

static void send(const struct hvc_kvm_vcpu *vcpu, const struct hvc_transaction *transaction)
{
	const struct hvc_kvm_channel *channel = vcpu->vm->kvm->options.channel;
	struct hvc_kvm_request request = {
		.sequence = transaction->sequence,
		.vm = vcpu->vm->number,
		.vcpu = vcpu->id,
		.id = transaction->id,
		.fn = transaction->fn,
		.conduit = transaction->conduit,
		.arg_count = transaction->arg_count,
		.frame = transaction->frame,
	};

	if (!find_handler(&vcpu->vm->kvm->plan, transaction->id, &request.handler) ||
	    !channel->send(channel->context, &request)) {
		hvc_forward_fail(vcpu->vm->engine, transaction->sequence);
	}
}

/* --- Replies: of any vCPU's calls. */
static void deliver(struct hvc_kvm_vm *vm, const struct hvc_kvm_reply *reply)
{
	const struct hvc_kvm_channel *channel = vm->kvm->options.channel;

	/* One that nobody waits for any more is dropped, and counted. */
	if (reply->outcome == HVC_KVM_ANSWERED) {
		hvc_forward_reply(vm->engine, reply->sequence, &reply->frame, reply->mask);
	} else {
		hvc_forward_fail(vm->engine, reply->sequence);
	}
	if (atomic_load(&vm->waiting) > 1) {
		atomic_fetch_add(&vm->pokes, 1);
		channel->poke(channel->context, vm->number);
	}
}

/* 1: one was taken; 0: none; EINTR, negative: a signal that is none of ours. */
static int receive(struct hvc_kvm_vm *vm, int timeout_ms)
{
	const struct hvc_kvm_channel *channel = vm->kvm->options.channel;
	const uint32_t pokes = atomic_load(&vm->pokes);
	struct hvc_kvm_reply reply;
	int got;

	kick_seen();
	atomic_fetch_add(&vm->waiting, 1);
	got = channel->receive(channel->context, vm->number, &reply, timeout_ms);
	if (got == 1) {
		deliver(vm, &reply);
	}
	atomic_fetch_sub(&vm->waiting, 1);
	if (got < 0) {
		/* By us: there is something to look at. */
		return kick_seen() || atomic_load(&vm->pokes) != pokes ? 0 : -EINTR;
	}
	return got;
}

int call_drain(struct hvc_kvm_vm *vm, int timeout_ms)
{
	int got;

	if (vm->kvm->options.channel == NULL) {
		return 0;
	}
	got = receive(vm, timeout_ms);
	while (got == 1) {
		got = receive(vm, 0);
	}
	return got < 0 ? EINTR : 0;
}

/* --- Waiting. */
static bool must_leave(struct hvc_kvm_vcpu *vcpu)
{
	bool stopped = false;

	if (vcpu->settle_until != 0) {
		return forward_now() >= vcpu->settle_until;
	}
	if (atomic_load(&vcpu->todo)) {
		kick_retract(vcpu);
		stopped = work_within(vcpu);
	}
	return stopped || kick_wanted(vcpu);
}

/* One slice. 0: look again; EINTR: away. */
static int wait_slice(struct hvc_kvm_vcpu *vcpu)
{
	if (must_leave(vcpu)) {
		return EINTR;
	}
	if (receive(vcpu->vm, SLICE_MS) < 0 && vcpu->settle_until == 0) {
		vcpu->called_away = true;
		return EINTR;
	}
	return 0;
}

/* The answer is in the frame: 0. */
static int wait_answer(struct hvc_kvm_vcpu *vcpu, struct hvc_frame *frame)
{
	int error = 0;

	while (!hvc_forward_take(vcpu->engine, frame)) {
		if (error != 0) {
			return error;
		}
		error = wait_slice(vcpu);
	}
	return 0;
}

/* The table is full of calls that were left; those nobody comes back for go in the end. */
static int wait_room(struct hvc_kvm_vcpu *vcpu, unsigned int *slices)
{
	if (++*slices % FULL_TICKS == 0) {
		hvc_forward_expire(vcpu->vm->engine);
	}
	return wait_slice(vcpu);
}

static int leave(struct hvc_kvm_vcpu *vcpu)
{
	hvc_forward_leave(vcpu->engine);
	return EINTR;
}

int forward_call(struct hvc_kvm_vcpu *vcpu, enum hvc_conduit conduit, struct hvc_frame *frame)
{
	struct hvc_restart_key key;
	unsigned int slices = 0;
	int error = find_key(vcpu, &key);

	if (error != 0) {
		hvc_forward_cancel(vcpu->engine, frame);
		return error;
	}
	for (;;) {
		struct hvc_transaction transaction;
		enum hvc_forward_state state;

		hvc_forward_begin(vcpu->engine, conduit, &key, frame, &transaction, &state);
		if (state == HVC_FORWARD_ANSWERED) {
			return 0;
		}
		if (state == HVC_FORWARD_NEW) {
			send(vcpu, &transaction);
		}
		error = state == HVC_FORWARD_FULL ? wait_room(vcpu, &slices)
						  : wait_answer(vcpu, frame);
		if (error != 0) {
			return leave(vcpu);
		}
		if (state != HVC_FORWARD_FULL) {
			return 0;
		}
	}
}

void forward_forget(struct hvc_kvm_vm *vm)
{
	for (unsigned int tick = 0; tick < HVC_FORWARD_TICKS; tick++) {
		hvc_forward_expire(vm->engine);
	}
}
