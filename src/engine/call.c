/* SPDX-License-Identifier: BSD-2-Clause */
/* The call path: normalise, reserved and rules (one lookup), feature bit, service. */
#include "service.h"

static inline void count(struct hvc_vcpu *vcpu, size_t slot, size_t what)
{
	if (hvc_likely(vcpu->counters != NULL)) {
		uint64_t *calls = &vcpu->counters->calls[slot][what];

		/* One writer, any reader: no read-modify-write is needed, nor an order. */
		__atomic_store_n(calls, __atomic_load_n(calls, __ATOMIC_RELAXED) + 1,
				 __ATOMIC_RELAXED);
	}
}

/* Nobody answered in time. */
static enum hvc_verdict fail(struct hvc_frame *frame, unsigned int slot)
{
	const struct hvc_function *function = hvc_function_at(slot);

	if (function == NULL) {
		return serve_status(frame, SMCCC_NOT_SUPPORTED);
	}
	if (!(function->flags & HVC_FLAG_FFA_ERROR)) {
		return serve_status(frame, function->failure);
	}
	/* DEN0077, FFA_ERROR: x1 is the target information, x2 the code, x3 to x7 must be zero. */
	memset(frame->x, 0, 8 * sizeof(frame->x[0]));
	frame->x[0] = hvc_function_at(HVC_FN_FFA_ERROR)->id32;
	frame->x[2] = (uint32_t)function->failure;
	return HVC_RESUME;
}

static enum hvc_action action_of(uint32_t entry)
{
	return (enum hvc_action)((entry & ENTRY_ACTION) >> ENTRY_ACTION_SHIFT);
}

/* A rule or the default took the call away. Where nobody is attached to a forward the function's failure value is
 * its answer. */
static HVC_COLD enum hvc_verdict refuse(struct hvc_vcpu *vcpu, struct hvc_frame *frame,
					uint32_t entry)
{
	unsigned int slot = entry & ENTRY_SLOT;
	enum hvc_action action = action_of(entry);

	if (action == HVC_DENY) {
		count(vcpu, slot, HVC_DENIED);
		return serve_status(frame, SMCCC_NOT_SUPPORTED);
	}
	if (action == HVC_FORWARD && (vcpu->vm->flags & HVC_VM_FORWARD) != 0) {
		vcpu->pending = true; /* and counted when it is over */
		return HVC_FORWARDED;
	}
	count(vcpu, slot, HVC_FAILED);
	return fail(frame, slot);
}

/* The registers that the answer to a forwarded call may write. */
static uint32_t reply_mask(const struct hvc_vcpu *vcpu)
{
	const struct hvc_function *function = hvc_function_at(vcpu->last_entry & ENTRY_SLOT);

	if (vcpu->vm->quirks & HVC_QUIRK_REPLY_ANY) {
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
	fail(frame, slot);
	return HVC_OK;
}

/* DEN0028, 2.9: immediate 0 is the calling convention; others are not SMCCC calls. */
static HVC_COLD enum hvc_verdict not_convention(struct hvc_vcpu *vcpu, struct hvc_frame *frame)
{
	vcpu->last_id = (uint32_t)frame->x[0];
	vcpu->last_entry = LAST_CONVENTION;
	count(vcpu, HVC_FN_NONE, HVC_ABSENT);
	return serve_status(frame, SMCCC_NOT_SUPPORTED);
}

/* What the lookup said is carried out. */
static HVC_INLINE enum hvc_verdict decide(struct hvc_vcpu *vcpu, enum hvc_conduit conduit,
					  uint16_t immediate, struct hvc_frame *frame, uint32_t id,
					  size_t entry)
{
	size_t slot = entry & ENTRY_SLOT;
	size_t fate;

	vcpu->last_id = id;
	vcpu->last_entry = (uint32_t)entry;
	if (hvc_unlikely(entry & ENTRY_ACTION)) {
		return refuse(vcpu, frame, (uint32_t)entry);
	}
	fate = __atomic_load_n(&vcpu->vm->fate[slot], __ATOMIC_RELAXED);
	count(vcpu, slot, fate);
	if (hvc_unlikely(fate != HVC_ANSWERED)) {
		return serve_status(frame, SMCCC_NOT_SUPPORTED);
	}
	return vcpu->vm->serve[slot](vcpu, conduit, immediate, frame);
}

/* Not SMCCC's immediate, or an ID with bits set in 23:16: a fast call's hint, or nothing known. */
static HVC_COLD enum hvc_verdict call_odd(struct hvc_vcpu *vcpu, enum hvc_conduit conduit,
					  uint16_t immediate, struct hvc_frame *frame)
{
	uint32_t id = clear_hint(vcpu->hint_mask, (uint32_t)frame->x[0]);

	if (immediate != 0) {
		return not_convention(vcpu, frame);
	}
	return decide(vcpu, conduit, immediate, frame, id, lookup_entry(vcpu->entries, id));
}

/* What hvc_call() found rare; a number above 0xff is not as rare as the rest. */
static HVC_NOINLINE enum hvc_verdict call_rare(struct hvc_vcpu *vcpu, enum hvc_conduit conduit,
					       uint16_t immediate, struct hvc_frame *frame,
					       uint32_t id, uint32_t rare)
{
	if (hvc_unlikely(rare > 0xff)) {
		return call_odd(vcpu, conduit, immediate, frame);
	}
	return decide(vcpu, conduit, immediate, frame, id,
		      lookup_numbered(vcpu->entries, vcpu->numbered, id));
}

enum hvc_verdict hvc_call(struct hvc_vcpu *vcpu, enum hvc_conduit conduit, uint16_t immediate,
			  struct hvc_frame *frame)
{
	uint32_t id = (uint32_t)frame->x[0];
	/* One test for all that is rare: bits 23:8 of the ID, and above them the immediate. */
	uint32_t rare = lookup_sparse_bits(id) | (uint32_t)immediate << 16;

	if (hvc_unlikely(rare != 0)) {
		return call_rare(vcpu, conduit, immediate, frame, id, rare);
	}
	return decide(vcpu, conduit, immediate, frame, id, lookup_dense(vcpu->entries, id));
}

static uint8_t decider_of(const struct hvc_vm *vm, uint32_t id, uint32_t entry)
{
	unsigned int slot = entry & ENTRY_SLOT;

	if (lookup_reserved(id)) {
		return HVC_BY_RESERVED;
	}
	if (entry & ENTRY_ACTION) {
		return entry & ENTRY_CLAIMED ? HVC_BY_RULE : HVC_BY_DEFAULT;
	}
	if (vm_has(vm, slot)) {
		return HVC_BY_SERVICE;
	}
	return slot == HVC_FN_NONE ? HVC_BY_UNKNOWN : HVC_BY_FEATURE;
}

static struct hvc_outcome outcome_of(const struct hvc_vm *vm, uint32_t id, uint32_t entry)
{
	return (struct hvc_outcome){
		.id = id,
		.fn = (uint16_t)(entry & ENTRY_SLOT),
		.action = (uint8_t)action_of(entry),
		.decider = decider_of(vm, id, entry),
	};
}

struct hvc_outcome hvc_vcpu_outcome(const struct hvc_vcpu *vcpu)
{
	if (vcpu->last_entry == LAST_CONVENTION) {
		return (struct hvc_outcome){.id = vcpu->last_id, .decider = HVC_BY_CONVENTION};
	}
	return outcome_of(vcpu->vm, vcpu->last_id, vcpu->last_entry);
}

struct hvc_outcome hvc_filter_query(const struct hvc_vm *vm, uint32_t id)
{
	id = clear_hint(vm_hint_mask(vm), id);
	return outcome_of(vm, id, lookup_entry(vm->filter.entries, id));
}

unsigned int vm_served(const struct hvc_vm *vm, uint32_t id)
{
	uint32_t entry = lookup_entry(vm->filter.entries, id);
	unsigned int slot = entry & ENTRY_SLOT;
	enum hvc_action action = action_of(entry);

	if (vm->image->settings.discovery == HVC_DISCOVERY_RAW) {
		action = HVC_HANDLE;
	}
	if (action == HVC_FORWARD && (vm->flags & HVC_VM_FORWARD) != 0) {
		return slot;
	}
	return action == HVC_HANDLE && vm_has(vm, slot) ? slot : HVC_FN_NONE;
}
