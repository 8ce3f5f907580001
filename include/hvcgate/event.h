/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events of `notify`: the engine answers the call, and who watches is told, in order.
 *
 * The queue is bounded (hvc_vm_config.event_memory) and never drops: where it is full, hvc_call() answers
 * HVC_EVENTS_FULL and has done nothing: the frame is the guest's, nothing is counted. The host makes room
 * (hvc_event_take()) and makes the same call again, from the same frame; or it lets the vCPU take an interrupt and
 * execute its instruction again. So no call is carried out twice and none goes unseen.
 *
 * A vCPU has its place in the queue before its call is served: the order of events is the order of calls. The event
 * can be taken once the call is done, before its verdict is returned, so also of a call that ends the CPU or the
 * system; until then it holds back those behind it. Of functions that the VM does not have there is one as well: the
 * guest reads NOT_SUPPORTED, and who watches sees the attempt. Without event memory a call of `notify` gets the
 * function's failure value, and discovery says that there is no such function.
 *
 * Threads: events are appended by any vCPU, without locks; one thread at a time takes them.
 */
#ifndef HVCGATE_EVENT_H
#define HVCGATE_EVENT_H

#include <hvcgate/engine.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of hvc_vm_config.event_memory for so many events at once, 1 to 65536, rounded up to a power of two; 0 for
 * other numbers. */
#define HVC_EVENT_MAX 65536
HVC_API size_t hvc_event_size(unsigned int events);

#define HVC_EVENT_REGS 8
struct hvc_event {
	uint64_t sequence; /* from 1, without gaps, in the order that the calls were taken in */
	uint32_t vcpu;     /* index */
	uint32_t id;       /* function ID, normalised */
	uint16_t fn;       /* enum hvc_fn, 0 for unknown */
	uint8_t conduit;   /* enum hvc_conduit */
	uint8_t verdict;   /* enum hvc_verdict */
	uint32_t reserved; /* 0 */
	/* x0 to x7 as the guest called; what is no argument is 0. Of unknown functions all, for nobody knows theirs. */
	uint64_t args[HVC_EVENT_REGS];
	/* x0 to x7 of the answer; what is no result of a call that succeeded, or is secret, is 0. All 0 if the guest does
	 * not go on behind the call. */
	uint64_t results[HVC_EVENT_REGS];
};

/* The oldest event not taken yet. False: there is none. */
HVC_API bool hvc_event_take(struct hvc_vm *vm, struct hvc_event *event);
/* The sequence number that the next event will have: what was seen up to a point, saved with the VM. 0: no event
 * memory. */
HVC_API uint64_t hvc_event_next(const struct hvc_vm *vm);
/* Is there room for one more? What is true may be another vCPU's when it calls. */
HVC_API bool hvc_event_room(const struct hvc_vm *vm);

#ifdef __cplusplus
}
#endif
#endif
