/* SPDX-License-Identifier: BSD-2-Clause */
/* Forwarded calls and events, for other parts of the engine: the call path, and who saves or restarts a VM. */
#ifndef HVC_FORWARD_STATE_H
#define HVC_FORWARD_STATE_H

#include <hvcgate/forward.h>

#include "state.h"

/* --- For the call path. */
/* A call with the action `notify` in a VM with event memory. */
HVC_HIDDEN enum hvc_verdict event_call(struct hvc_vcpu *vcpu, enum hvc_conduit conduit,
				       uint32_t entry, struct hvc_frame *frame);
/* What the vCPU had asked of others, if anything, is over without an answer, and its frame is gone. */
HVC_HIDDEN void forward_abandon(struct hvc_vcpu *vcpu);

/* --- For who saves and restores a VM, while no vCPU calls. */
/* Does a call wait for an answer: of a vCPU, or left by one that will make it again? *vcpu: whose it is (of one that
 * was left: who began it). One that was left and has its answer, or will get none, waits for its guest only. */
HVC_HIDDEN bool forwards_pending(const struct hvc_vm *vm, uint32_t *vcpu);
/* Such a one: what the guest finds when it makes the call again. */
struct left_call {
	uint64_t sequence;
	struct hvc_restart_key key;
	uint64_t args[HVC_ARGS_MAX];
	uint32_t id, vcpu;
	uint32_t mask; /* of `reply`, as it came */
	uint8_t conduit;
	bool failed; /* nobody answered */
	struct hvc_frame reply;
};
/* The one with the lowest sequence number above `after`. */
HVC_HIDDEN bool forwards_next_left(const struct hvc_vm *vm, uint64_t after, struct left_call *call);
/* How many there is room for; 0: no forward memory. */
HVC_HIDDEN size_t forwards_capacity(const struct hvc_vm *vm);
/* One more, of a number that none has; there is room. */
HVC_HIDDEN void forwards_add_left(struct hvc_vm *vm, const struct left_call *call);
/* The sequence number that the next request will have; 0: no forward memory. */
HVC_HIDDEN uint64_t forwards_next(const struct hvc_vm *vm);
/* Go on from there: HVC_ENOTSUP (no forward memory), HVC_EINVAL (0, or above 2^48), HVC_EBUSY (one is in use, or
 * that number was given already). */
HVC_HIDDEN enum hvc_err forwards_set_next(struct hvc_vm *vm, uint64_t next);
/* How many events nobody has taken yet. */
HVC_HIDDEN uint64_t events_waiting(const struct hvc_vm *vm);
/* hvc_event_next() is this from now on. Errors as of forwards_set_next(); HVC_EBUSY also while events wait. */
HVC_HIDDEN enum hvc_err events_set_next(struct hvc_vm *vm, uint64_t next);
#define SEQUENCE_LAST \
	(1ull << 48) /* the highest that is restored: there is no end to come near to */

#endif
