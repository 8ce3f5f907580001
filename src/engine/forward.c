/* SPDX-License-Identifier: BSD-2-Clause */
/* Forwarded calls as their vCPUs see them: one is pending, until it has an answer or is left. */
#include <hvcgate/forward.h>

#include "forward_state.h"
#include "outcome.h"
#include "transaction.h"

/* Nobody answered in time. */
enum hvc_verdict answer_failure(const struct hvc_vcpu *vcpu, struct hvc_frame *frame,
				unsigned int slot)
{
	const struct hvc_function *function = hvc_function_at(slot);

	if (function == NULL) {
		return answer(vcpu, frame, SMCCC_NOT_SUPPORTED);
	}
	if (!(function->flags & HVC_FLAG_FFA_ERROR)) {
		return answer(vcpu, frame, function->failure);
	}
	/* DEN0077, FFA_ERROR: x1 is the target information, x2 the code, x3 to x7 must be zero. */
	memset(frame->x, 0, 8 * sizeof(frame->x[0]));
	frame->x[0] = hvc_function_at(HVC_FN_FFA_ERROR)->id32;
	frame->x[2] = (uint32_t)function->failure;
	return HVC_RESUME;
}

/* The registers that the answer to a forwarded call may write. */
static uint32_t reply_mask(const struct hvc_vcpu *vcpu)
{
	const struct hvc_function *function = hvc_function_at(vcpu->last_entry & ENTRY_SLOT);

	if (vm_quirk(vcpu->vm, HVC_QUIRK_REPLY_ANY)) {
		return HVC_X0_X17;
	}
	return function == NULL ? HVC_X0_X3
				: hvc_function_results(function, vcpu->last_id) | function->zeroes;
}

/* The vCPU's pending call is over, and its counters hear of it. */
static void settle(struct hvc_vcpu *vcpu, enum hvc_count what)
{
	vcpu->pending = false;
	vcpu->forward = 0;
	count(vcpu, vcpu->last_entry & ENTRY_SLOT, what);
}

static void settle_answered(struct hvc_vcpu *vcpu, struct hvc_frame *frame,
			    const struct hvc_frame *reply, uint32_t mask)
{
	mask &= reply_mask(vcpu);
	for (unsigned int i = 0; i < HVC_FRAME_REGS; i++) {
		if (mask >> i & 1) {
			frame->x[i] = reply->x[i];
		}
	}
	settle(vcpu, HVC_ANSWERED);
}

static void settle_failed(struct hvc_vcpu *vcpu, struct hvc_frame *frame)
{
	answer_failure(vcpu, frame, vcpu->last_entry & ENTRY_SLOT);
	settle(vcpu, HVC_FAILED);
}

/* The answer comes by another way than the table, or not at all. */
static void close_transaction(const struct hvc_vcpu *vcpu, bool answered)
{
	if (vcpu->forward != 0) {
		transaction_close(vcpu->vm->forwards, vcpu->forward, answered);
	}
}

enum hvc_err hvc_forward_complete(struct hvc_vcpu *vcpu, struct hvc_frame *frame,
				  const struct hvc_frame *reply, uint32_t mask)
{
	if (!vcpu->pending) {
		return HVC_ENOENT;
	}
	close_transaction(vcpu, true);
	settle_answered(vcpu, frame, reply, mask);
	return HVC_OK;
}

enum hvc_err hvc_forward_cancel(struct hvc_vcpu *vcpu, struct hvc_frame *frame)
{
	if (!vcpu->pending) {
		return HVC_ENOENT;
	}
	close_transaction(vcpu, false);
	settle_failed(vcpu, frame);
	return HVC_OK;
}

void forward_abandon(struct hvc_vcpu *vcpu)
{
	if (vcpu->pending) {
		close_transaction(vcpu, false);
		settle(vcpu, HVC_FAILED);
	}
}

/* What the vCPU's last call asks, without its sequence number. */
static void describe(const struct hvc_vcpu *vcpu, enum hvc_conduit conduit,
		     const struct hvc_frame *frame, struct hvc_transaction *transaction)
{
	unsigned int slot = vcpu->last_entry & ENTRY_SLOT;
	const struct hvc_function *function = hvc_function_at(slot);

	*transaction = (struct hvc_transaction){
		.sequence = vcpu->forward,
		.vcpu = vcpu->index,
		.id = vcpu->last_id,
		.fn = (uint16_t)slot,
		.conduit = (uint8_t)conduit,
		.arg_count = HVC_ARGS_MAX,
	};
	if (function != NULL) {
		transaction->arg_count = (uint8_t)hvc_function_arg_count(function, transaction->id);
	}
	for (unsigned int i = 0; i <= transaction->arg_count; i++) {
		transaction->frame.x[i] = frame->x[i];
	}
}

enum hvc_err hvc_forward_begin(struct hvc_vcpu *vcpu, enum hvc_conduit conduit,
			       const struct hvc_restart_key *key, struct hvc_frame *frame,
			       struct hvc_transaction *transaction, enum hvc_forward_state *state)
{
	struct hvc_forwards *forwards = vcpu->vm->forwards;

	*state = HVC_FORWARD_FULL;
	if (forwards == NULL) {
		return HVC_ENOTSUP;
	}
	if (!vcpu->pending) {
		return HVC_ENOENT;
	}
	describe(vcpu, conduit, frame, transaction);
	if (vcpu->forward != 0) {
		transaction->vcpu = transaction_vcpu(forwards, vcpu->forward);
	} else if (key == NULL || !transaction_rejoin(forwards, key, transaction)) {
		if (transaction_open(forwards, key, transaction)) {
			vcpu->forward = transaction->sequence;
			*state = HVC_FORWARD_NEW;
		}
		return HVC_OK;
	}
	vcpu->forward = transaction->sequence;
	*state = hvc_forward_take(vcpu, frame) ? HVC_FORWARD_ANSWERED : HVC_FORWARD_WAITING;
	return HVC_OK;
}

bool hvc_forward_take(struct hvc_vcpu *vcpu, struct hvc_frame *frame)
{
	struct hvc_frame reply;
	uint32_t mask;

	if (vcpu->forward == 0) {
		return false;
	}
	switch (transaction_poll(vcpu->vm->forwards, vcpu->forward, &reply, &mask)) {
	case TRANSACTION_ANSWERED:
		settle_answered(vcpu, frame, &reply, mask);
		return true;
	case TRANSACTION_FAILED:
		settle_failed(vcpu, frame);
		return true;
	case TRANSACTION_WAITS:
	default:
		return false;
	}
}

enum hvc_err hvc_forward_leave(struct hvc_vcpu *vcpu)
{
	enum hvc_err err = HVC_OK;

	if (!vcpu->pending) {
		return HVC_ENOENT;
	}
	if (vcpu->forward != 0) {
		err = transaction_leave(vcpu->vm->forwards, vcpu->forward);
	}
	if (err == HVC_OK) {
		vcpu->pending = false;
		vcpu->forward = 0;
	}
	return err;
}
