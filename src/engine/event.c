/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The queue of `notify`: a ring that vCPUs append to, each in three steps: take the next place, serve the call, say
 * that the place is filled. So there is room for the event before anything is done, and the order of places is the
 * order of calls. Each place says whose turn it is, n being the number of events before its own:
 *
 *   2 * n                 free for that event
 *   2 * n + 1             filled with it
 *   2 * (n + capacity)    taken, and free for the one a round later
 */
#include <hvcgate/event.h>

#include "forward_state.h"
#include "outcome.h"

struct place {
	_Atomic uint64_t turn;
	struct hvc_event event;
};

struct hvc_events {
	uint64_t capacity; /* a power of two */
	uint64_t pad0[7];
	_Atomic uint64_t head; /* places handed to vCPUs */
	uint64_t pad1[7];
	_Atomic uint64_t tail; /* events taken */
	uint64_t pad2[7];
	struct place places[];
};

static struct place *place_at(struct hvc_events *events, uint64_t n)
{
	return &events->places[n & (events->capacity - 1)];
}

static uint64_t turn_of(const struct place *place)
{
	return atomic_load_explicit(&place->turn, memory_order_acquire);
}

static void set_turn(struct place *place, uint64_t turn)
{
	atomic_store_explicit(&place->turn, turn, memory_order_release);
}

size_t hvc_event_size(unsigned int events)
{
	size_t capacity = 1;

	if (events == 0 || events > HVC_EVENT_MAX) {
		return 0;
	}
	while (capacity < events) {
		capacity *= 2;
	}
	return sizeof(struct hvc_events) + capacity * sizeof(struct place);
}

/* Empty, with n events before the first. */
static void start_at(struct hvc_events *events, uint64_t n)
{
	for (uint64_t i = 0; i < events->capacity; i++) {
		set_turn(place_at(events, n + i), 2 * (n + i));
	}
	atomic_store_explicit(&events->head, n, memory_order_relaxed);
	atomic_store_explicit(&events->tail, n, memory_order_relaxed);
}

enum hvc_err events_init(struct hvc_vm *vm, void *memory, size_t bytes)
{
	unsigned int capacity = HVC_EVENT_MAX;

	if (memory == NULL) {
		return HVC_OK;
	}
	if ((uintptr_t)memory % 8 != 0) {
		return HVC_EFAULT;
	}
	while (capacity != 0 && hvc_event_size(capacity) > bytes) {
		capacity /= 2;
	}
	if (capacity == 0) {
		return HVC_ENOMEM;
	}
	vm->events = memory;
	vm->events->capacity = capacity;
	start_at(vm->events, 0);
	return HVC_OK;
}

/* The next place, the caller's alone until it is published; *n is its number. NULL: all are full. */
static struct place *reserve(struct hvc_events *events, uint64_t *n)
{
	*n = atomic_load_explicit(&events->head, memory_order_relaxed);
	for (;;) {
		struct place *place = place_at(events, *n);
		int64_t ahead = (int64_t)(turn_of(place) - 2 * *n);

		if (ahead < 0) {
			return NULL;
		}
		if (ahead > 0) { /* another has it by now */
			*n = atomic_load_explicit(&events->head, memory_order_relaxed);
		} else if (atomic_compare_exchange_weak_explicit(&events->head, n, *n + 1,
								 memory_order_relaxed,
								 memory_order_relaxed)) {
			return place;
		}
	}
}

/* Of x0 to x7 those that `mask` has. */
static void copy(uint64_t to[HVC_EVENT_REGS], const struct hvc_frame *from, uint32_t mask)
{
	for (unsigned int i = 0; i < HVC_EVENT_REGS; i++) {
		to[i] = mask >> i & 1 ? from->x[i] : 0;
	}
}

static uint32_t argument_mask(const struct hvc_function *function, uint32_t id)
{
	return function == NULL ? HVC_X0_X7 : (2u << hvc_function_arg_count(function, id)) - 1;
}

/* What the guest was answered. Nothing where it does not go on behind the call; the status alone where that is a
 * failure, because then the other registers are as they were. */
static uint32_t result_mask(const struct hvc_function *function, uint32_t id,
			    enum hvc_verdict verdict, const struct hvc_frame *frame)
{
	if (verdict != HVC_RESUME && verdict != HVC_CPU_STANDBY) {
		return 0;
	}
	if (function == NULL || (function->flags & HVC_FLAG_SECRET) != 0 ||
	    (int64_t)frame->x[0] < 0) {
		return HVC_X0;
	}
	return hvc_function_results(function, id);
}

static void describe_call(struct hvc_event *event, const struct hvc_vcpu *vcpu,
			  enum hvc_conduit conduit, const struct hvc_frame *frame)
{
	unsigned int slot = vcpu->last_entry & ENTRY_SLOT;

	event->vcpu = vcpu->index;
	event->id = vcpu->last_id;
	event->fn = (uint16_t)slot;
	event->conduit = (uint8_t)conduit;
	event->reserved = 0;
	copy(event->args, frame, argument_mask(hvc_function_at(slot), event->id));
}

static enum hvc_verdict serve(struct hvc_vcpu *vcpu, enum hvc_conduit conduit, uint32_t entry,
			      struct hvc_frame *frame)
{
	size_t slot = entry & ENTRY_SLOT;
	size_t fate = hvc_load(&vcpu->vm->fate[slot]);

	count(vcpu, slot, fate);
	if (fate != HVC_ANSWERED) {
		return answer(vcpu, frame, SMCCC_NOT_SUPPORTED);
	}
	return vcpu->vm->serve[slot](vcpu, conduit, entry, frame);
}

enum hvc_verdict event_call(struct hvc_vcpu *vcpu, enum hvc_conduit conduit, uint32_t entry,
			    struct hvc_frame *frame)
{
	const struct hvc_function *function = hvc_function_at(entry & ENTRY_SLOT);
	uint32_t id = vcpu->last_id;
	uint64_t n;
	struct place *place = reserve(vcpu->vm->events, &n);
	enum hvc_verdict verdict;

	if (place == NULL) {
		return HVC_EVENTS_FULL;
	}
	describe_call(&place->event, vcpu, conduit, frame);
	verdict = serve(vcpu, conduit, entry, frame);
	place->event.sequence = n + 1;
	place->event.verdict = (uint8_t)verdict;
	copy(place->event.results, frame, result_mask(function, id, verdict, frame));
	set_turn(place, 2 * n + 1);
	return verdict;
}

bool hvc_event_take(struct hvc_vm *vm, struct hvc_event *event)
{
	struct hvc_events *events = vm->events;
	struct place *place;
	uint64_t n;

	if (events == NULL) {
		return false;
	}
	n = atomic_load_explicit(&events->tail, memory_order_relaxed);
	place = place_at(events, n);
	if (turn_of(place) != 2 * n + 1) {
		return false;
	}
	*event = place->event;
	set_turn(place, 2 * (n + events->capacity));
	atomic_store_explicit(&events->tail, n + 1, memory_order_relaxed);
	return true;
}

uint64_t hvc_event_next(const struct hvc_vm *vm)
{
	if (vm->events == NULL) {
		return 0;
	}
	return atomic_load_explicit(&vm->events->head, memory_order_relaxed) + 1;
}

bool hvc_event_room(const struct hvc_vm *vm)
{
	uint64_t n;

	if (vm->events == NULL) {
		return false;
	}
	n = atomic_load_explicit(&vm->events->head, memory_order_relaxed);
	/* Beyond n: another vCPU has taken that place since, and the question is a moment older than its answer. */
	return (int64_t)(turn_of(place_at(vm->events, n)) - 2 * n) >= 0;
}

uint64_t events_waiting(const struct hvc_vm *vm)
{
	if (vm->events == NULL) {
		return 0;
	}
	return atomic_load_explicit(&vm->events->head, memory_order_relaxed) -
	       atomic_load_explicit(&vm->events->tail, memory_order_relaxed);
}

enum hvc_err events_set_next(struct hvc_vm *vm, uint64_t next)
{
	if (vm->events == NULL) {
		return HVC_ENOTSUP;
	}
	if (next == 0 || next > SEQUENCE_LAST) {
		return HVC_EINVAL;
	}
	if (events_waiting(vm) != 0 || next < hvc_event_next(vm)) {
		return HVC_EBUSY;
	}
	start_at(vm->events, next - 1);
	return HVC_OK;
}
