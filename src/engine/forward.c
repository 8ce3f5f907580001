/* SPDX-License-Identifier: BSD-2-Clause */
/* Forwarded calls: who takes them answers here. */
#include <hvcgate/forward.h>

#include "outcome.h"

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

enum hvc_err hvc_forward_complete(struct hvc_vcpu *vcpu, struct hvc_frame *frame,
				  const struct hvc_frame *reply, uint32_t mask)
{
	if (!vcpu->pending) {
		return HVC_ENOENT;
	}
	vcpu->pending = false;
	mask &= reply_mask(vcpu);
	for (unsigned int i = 0; i < HVC_FRAME_REGS; i++) {
		if (mask >> i & 1) {
			frame->x[i] = reply->x[i];
		}
	}
	count(vcpu, vcpu->last_entry & ENTRY_SLOT, HVC_ANSWERED);
	return HVC_OK;
}

enum hvc_err hvc_forward_cancel(struct hvc_vcpu *vcpu, struct hvc_frame *frame)
{
	unsigned int slot = vcpu->last_entry & ENTRY_SLOT;

	if (!vcpu->pending) {
		return HVC_ENOENT;
	}
	vcpu->pending = false;
	count(vcpu, slot, HVC_FAILED);
	answer_failure(vcpu, frame, slot);
	return HVC_OK;
}

struct hvc_forwards {
	uint32_t capacity;
};

enum hvc_err forwards_init(struct hvc_vm *vm, void *memory, size_t bytes)
{
	if (memory == NULL) {
		return HVC_OK;
	}
	if ((uintptr_t)memory % 8 != 0) {
		return HVC_EFAULT;
	}
	if (bytes < sizeof(struct hvc_forwards)) {
		return HVC_ENOMEM;
	}
	vm->forwards = memory;
	vm->forwards->capacity = 0;
	return HVC_OK;
}
