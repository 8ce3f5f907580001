/* SPDX-License-Identifier: BSD-2-Clause */
/* The call path: normalise, reserved and rules (one lookup), feature bit, service. */
#include "forward_state.h"
#include "outcome.h"
#include "service.h"

/* A rule or the default says something else than `handle`. Where nobody is attached to a forward, or there is no room
 * for events at all, the function's failure value is its answer. */
static HVC_COLD enum hvc_verdict refuse(struct hvc_vcpu *vcpu, enum hvc_conduit conduit,
					uint32_t entry, struct hvc_frame *frame)
{
	unsigned int slot = entry & ENTRY_SLOT;
	enum hvc_action action = action_of(entry);

	if (action == HVC_DENY) {
		count(vcpu, slot, HVC_DENIED);
		return answer(vcpu, frame, SMCCC_NOT_SUPPORTED);
	}
	if (action == HVC_NOTIFY && vcpu->vm->events != NULL) {
		return event_call(vcpu, conduit, entry, frame);
	}
	if (action == HVC_FORWARD && (vcpu->vm->flags & HVC_VM_FORWARD) != 0) {
		hvc_assert(!vcpu->pending); /* the host has forgotten a call */
		vcpu->pending = true;       /* and counted when it is over */
		return HVC_FORWARDED;
	}
	count(vcpu, slot, HVC_FAILED);
	return answer_failure(vcpu, frame, slot);
}

/* Is it a call that SMCCC, or the profile, knows nothing about? DEN0028, 2.9: immediate 0 is the calling convention;
 * others are not SMCCC calls. */
static bool outside(const struct hvc_vcpu *vcpu, enum hvc_conduit conduit, uint32_t immediate)
{
	if (conduit == HVC_CONDUIT_SMC && vm_quirk(vcpu->vm, HVC_QUIRK_SMC_UNKNOWN)) {
		return true;
	}
	return immediate != 0 &&
	       (conduit == HVC_CONDUIT_SMC || !vm_quirk(vcpu->vm, HVC_QUIRK_HVC_ANY_IMMEDIATE));
}

/* x0 alone, whatever the profile. */
static HVC_COLD enum hvc_verdict not_convention(struct hvc_vcpu *vcpu, struct hvc_frame *frame)
{
	vcpu->last_id = (uint32_t)frame->x[0];
	vcpu->last_entry = LAST_CONVENTION;
	count(vcpu, HVC_FN_NONE, HVC_ABSENT);
	return serve_status(frame, SMCCC_NOT_SUPPORTED);
}

/*
 * What the lookup said is carried out. Here and below arguments stand where hvc_call() has them, so that on the way to
 * a service none has to be moved.
 */
static HVC_INLINE enum hvc_verdict decide(struct hvc_vcpu *vcpu, enum hvc_conduit conduit,
					  size_t entry, struct hvc_frame *frame, uint32_t id)
{
	size_t slot = entry & ENTRY_SLOT;
	size_t fate;

	vcpu->last_id = id;
	vcpu->last_entry = (uint32_t)entry;
	if (hvc_unlikely(entry & ENTRY_ACTION)) {
		return refuse(vcpu, conduit, (uint32_t)entry, frame);
	}
	fate = hvc_load(&vcpu->vm->fate[slot]);
	count(vcpu, slot, fate);
	if (hvc_unlikely(fate != HVC_ANSWERED)) {
		return answer(vcpu, frame, SMCCC_NOT_SUPPORTED);
	}
	return vcpu->vm->serve[slot](vcpu, conduit, (uint32_t)entry, frame);
}

/* Another immediate than SMCCC's, an ID with bits set in 23:16 (a fast call's hint, or nothing known), or an SMC in a
 * VM that knows none. */
static HVC_COLD enum hvc_verdict call_odd(struct hvc_vcpu *vcpu, enum hvc_conduit conduit,
					  uint32_t rare, struct hvc_frame *frame)
{
	uint32_t id = clear_hint(vcpu->hint_mask, (uint32_t)frame->x[0]);

	if (outside(vcpu, conduit, rare >> 16)) {
		return not_convention(vcpu, frame);
	}
	return decide(vcpu, conduit, lookup_entry(hvc_follow(&vcpu->entries), id), frame, id);
}

/* What hvc_call() found rare; a number above 0xff is not as rare as the rest. */
static HVC_NOINLINE enum hvc_verdict call_rare(struct hvc_vcpu *vcpu, enum hvc_conduit conduit,
					       uint32_t rare, struct hvc_frame *frame, uint32_t id)
{
	if (hvc_unlikely(rare > 0xff)) {
		return call_odd(vcpu, conduit, rare, frame);
	}
	return decide(vcpu, conduit, lookup_numbered(hvc_follow(&vcpu->entries), id), frame, id);
}

/* As hvc_call(), where it has to be asked first whether there are SMCs at all. */
static HVC_NOINLINE enum hvc_verdict call_smc(struct hvc_vcpu *vcpu, enum hvc_conduit conduit,
					      uint32_t rare, struct hvc_frame *frame, uint32_t id)
{
	if (hvc_unlikely(vm_quirk(vcpu->vm, HVC_QUIRK_SMC_UNKNOWN))) {
		return call_odd(vcpu, conduit, rare, frame);
	}
	if (hvc_unlikely(rare != 0)) {
		return call_rare(vcpu, conduit, rare, frame, id);
	}
	return decide(vcpu, conduit, lookup_dense(hvc_follow(&vcpu->entries), id), frame, id);
}

enum hvc_verdict hvc_call(struct hvc_vcpu *vcpu, enum hvc_conduit conduit, uint16_t immediate,
			  struct hvc_frame *frame)
{
	uint32_t id = (uint32_t)frame->x[0];
	/* One test for all that is rare: bits 23:8 of the ID, and above them the immediate. */
	uint32_t rare = lookup_sparse_bits(id) | (uint32_t)immediate << 16;

	if (hvc_unlikely(conduit != HVC_CONDUIT_HVC)) {
		return call_smc(vcpu, conduit, rare, frame, id);
	}
	if (hvc_unlikely(rare != 0)) {
		return call_rare(vcpu, conduit, rare, frame, id);
	}
	return decide(vcpu, conduit, lookup_dense(hvc_follow(&vcpu->entries), id), frame, id);
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
	return outcome_of(vm, id, lookup_entry(hvc_follow(&vm->filter.entries), id));
}

unsigned int vm_served(const struct hvc_vm *vm, uint32_t id)
{
	uint32_t entry = lookup_entry(hvc_follow(&vm->filter.entries), id);
	unsigned int slot = entry & ENTRY_SLOT;
	enum hvc_action action = action_of(entry);

	if (vm->image->settings.discovery == HVC_DISCOVERY_RAW ||
	    (action == HVC_NOTIFY && vm->events != NULL)) {
		action = HVC_HANDLE;
	}
	if (action == HVC_FORWARD && (vm->flags & HVC_VM_FORWARD) != 0) {
		/* Where the hint is cleared, no call gets as far as an ID that has it. */
		return clear_hint(vm_hint_mask(vm), id) == id ? slot : HVC_FN_NONE;
	}
	return action == HVC_HANDLE && vm_has(vm, slot) ? slot : HVC_FN_NONE;
}
