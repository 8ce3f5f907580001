/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Forwarded calls: a transaction from the verdict HVC_FORWARDED to the answer.
 *
 * A host that keeps the vCPU waiting in its place needs only hvc_forward_complete() and hvc_forward_cancel(): one
 * call is pending on the vCPU, its frame is as the guest left it, and the vCPU makes no other call before it is
 * settled. (hvc_vcpu_started() settles it, too: a CPU that was turned off waits for nothing.)
 *
 * A host whose handler answers from another thread, or that must let the vCPU take an interrupt before the answer is
 * there, uses the table of transactions (hvc_vm_config.forward_memory):
 *
 *   hvc_call() == HVC_FORWARDED -> hvc_forward_begin()
 *     HVC_FORWARD_NEW:     send the request, with its sequence number; wait
 *     HVC_FORWARD_WAITING: the same call again, sent earlier; wait
 *     HVC_FORWARD_ANSWERED: the frame has the answer; go on behind the call
 *     HVC_FORWARD_FULL:    no room: cancel; or wait and begin again; or leave, and the guest calls again
 *   while it waits  -> hvc_forward_reply() by any thread; hvc_forward_take() by the vCPU's, then go on
 *   an interrupt    -> hvc_forward_leave(), move the program counter back to the call, let the guest run. It makes
 *                      the call again, on this vCPU or another one: same key, same conduit, same ID (bits that
 *                      say nothing aside), same arguments. It is that vCPU's from then on.
 *
 * A request is sent at most once: at NEW, and no other time. A reply that comes when nobody waits for it any more is
 * dropped and counted. Reply and cancel may meet: who comes second hears of it. hvc_forward_cancel() and
 * hvc_forward_complete() win over an answer that has come and was not taken; ask hvc_forward_take() first.
 *
 * One call is counted once (struct hvc_counters), by the vCPU that took its answer, when it did. An orphan, whose
 * guest did not come back, is counted in `expired` only. A call that comes back when its function is no longer
 * forwarded (hvcgate/live.h) has no way to its transaction: it is what the new rules make of it, and the transaction
 * an orphan.
 *
 * One call is one record of a trace, however often it is restarted. Either the host writes it at NEW, with the
 * verdict HVC_FORWARDED: then there is a record of each request that was sent, without its answer. Or it writes it
 * where the answer is in the frame (ANSWERED, take, complete, cancel), with the registers as they were when the call
 * was last made, which are those of the first time: then there is one of each call that the guest got back from.
 * WAITING and FULL and leave write none.
 *
 * A VM that is made anew (hvc_vm_init(), for a reset) begins at sequence 1: replies to the requests of its former
 * life are not to reach it. What a host hands to its handler beside the number has to tell the lives apart.
 *
 * Threads: begin, take, leave, complete and cancel belong to the vCPU's thread; reply, fail, expire and counts to any,
 * at once, and while vCPUs call. Nothing here waits for another thread.
 */
#ifndef HVCGATE_FORWARD_H
#define HVCGATE_FORWARD_H

#include <hvcgate/engine.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Take the answer: registers of `reply` whose bit is set in `mask` (bit n is xn) go into the frame. The function's
 * `results` and `zeroes` may be written, of an unknown function x0 to x3 (x0 to x17 with HVC_QUIRK_REPLY_ANY);
 * others are left out. mask 0 leaves the frame as it is: the guest reads its own function ID. HVC_ENOENT: none is
 * pending.
 */
HVC_API enum hvc_err hvc_forward_complete(struct hvc_vcpu *vcpu, struct hvc_frame *frame,
					  const struct hvc_frame *reply, uint32_t mask);
/* Nobody answers: the function's failure value goes into the frame. HVC_ENOENT: none is pending. */
HVC_API enum hvc_err hvc_forward_cancel(struct hvc_vcpu *vcpu, struct hvc_frame *frame);

/* --- The table. */
/* Bytes of hvc_vm_config.forward_memory for so many transactions at once, 1 to 4096; 0 for other numbers. A guest
 * with n vCPUs has n calls that wait in their place, and as many as it has threads that were interrupted: some 2n
 * are plenty. */
#define HVC_FORWARD_MAX 4096
HVC_API size_t hvc_forward_size(unsigned int transactions);

/* Where a call was made: what makes a restarted call the same call, beside its ID and arguments. */
struct hvc_restart_key {
	uint64_t pc; /* of the HVC or SMC */
	uint64_t sp; /* SP_EL1 */
};

enum hvc_forward_state {
	HVC_FORWARD_NEW = 0,
	HVC_FORWARD_WAITING,
	HVC_FORWARD_ANSWERED,
	HVC_FORWARD_FULL
};

/* What a request says. */
struct hvc_transaction {
	uint64_t sequence; /* from 1, never used again in this VM's life, saved with it */
	uint32_t vcpu;     /* index of the one that began it */
	uint32_t id;       /* function ID, normalised */
	uint16_t fn;       /* enum hvc_fn, 0 for unknown */
	uint8_t conduit;   /* enum hvc_conduit */
	uint8_t arg_count; /* of `frame`, x1 to so many are arguments */
	struct hvc_frame
		frame; /* x0 as the guest had it; behind the arguments 0: not the handler's to see */
};

/*
 * The vCPU's last call was HVC_FORWARDED: find its transaction or begin one. `key` NULL: the host does not restart
 * calls, every call is new. Writes *state always, *transaction where it returns HVC_OK (its sequence is 0 with FULL),
 * the answer (or the failure value, if there will be none) into `frame` with ANSWERED: then nothing is pending any
 * more. Called again after WAITING it says how the same transaction is now. HVC_ENOENT: the vCPU has no pending call;
 * HVC_ENOTSUP: the VM has no forward memory (*state is FULL).
 */
HVC_API enum hvc_err hvc_forward_begin(struct hvc_vcpu *vcpu, enum hvc_conduit conduit,
				       const struct hvc_restart_key *key, struct hvc_frame *frame,
				       struct hvc_transaction *transaction,
				       enum hvc_forward_state *state);
/* The answer to a request, masked as hvc_forward_complete() does it. HVC_ENOENT: nobody waits for it (answered,
 * cancelled, expired, never sent): dropped and counted. HVC_ENOTSUP: the VM has no forward memory. */
HVC_API enum hvc_err hvc_forward_reply(struct hvc_vm *vm, uint64_t sequence,
				       const struct hvc_frame *reply, uint32_t mask);
/* Nobody will answer this request: its vCPU finds the failure value. Of each that is outstanding when the handler is
 * gone. HVC_ENOENT as above, but not counted; HVC_ENOTSUP. */
HVC_API enum hvc_err hvc_forward_fail(struct hvc_vm *vm, uint64_t sequence);
/* Has the answer of this vCPU's pending call come, or that there is none? True: it, or the failure value, is in the
 * frame, and nothing is pending any more. */
HVC_API bool hvc_forward_take(struct hvc_vcpu *vcpu, struct hvc_frame *frame);
/* The vCPU will make its call again, it or another one: its transaction waits without it, and nothing is pending on the
 * vCPU. A call that was not begun (FULL) leaves nothing behind. HVC_ENOENT: none pending; HVC_EINVAL: it was begun
 * without a key. */
HVC_API enum hvc_err hvc_forward_leave(struct hvc_vcpu *vcpu);
/* A tick of the host's choice, a second, say: transactions that nobody has come back for in HVC_FORWARD_TICKS of them
 * are dropped. Returns how many. */
#define HVC_FORWARD_TICKS 8
HVC_API unsigned int hvc_forward_expire(struct hvc_vm *vm);

struct hvc_forward_counts {
	uint32_t size; /* sizeof(struct hvc_forward_counts), by the caller */
	uint32_t in_use;
	/* begun = answered + cancelled + expired + in_use, when nobody is at it. */
	uint64_t begun;     /* requests: NEW */
	uint64_t answered;  /* the guest has a handler's answer */
	uint64_t cancelled; /* the guest has the failure value, or was turned off */
	uint64_t restarted; /* calls that found their transaction */
	uint64_t
		late; /* replies that no guest got: refused, or dropped with a call that was cancelled or expired */
	uint64_t expired; /* orphans dropped */
	uint64_t full;    /* FULL */
};
/* Since the VM was made. HVC_EINVAL: another size; HVC_ENOTSUP: no forward memory. */
HVC_API enum hvc_err hvc_forward_counts(const struct hvc_vm *vm, struct hvc_forward_counts *counts);

#ifdef __cplusplus
}
#endif
#endif
