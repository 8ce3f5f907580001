/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of transactions. Each slot has one atomic word that says all about it: the sequence number of the
 * transaction in it, what has become of the request, and who waits. Because the number is part of the word, and no
 * number comes twice, whoever changes the word from what it saw has changed that transaction and no later one.
 *
 *   63..12 sequence   11..8 age   7..4 enum waiter   3..0 enum phase
 *
 * What stands beside the word belongs, while it is OPENING, to who opens it; while it is REPLYING, the reply belongs
 * to who replies; and once it is there, to the vCPU that waits.
 */
#include "transaction.h"

#include "forward_state.h"

enum phase {
	FREE = 0,
	OPENING,  /* taken, and not shown yet */
	SENT,     /* no answer yet */
	REPLYING, /* one is being written */
	ANSWERED,
	FAILED, /* nobody will answer */
};

enum waiter {
	ATTACHED = 0, /* a vCPU, that knows the sequence number */
	LEFT,         /* none for now: one that makes the same call may join */
	NOBODY,       /* it is over; only while REPLYING, until that is done */
};

#define PHASE(word)    ((enum phase)((word)&0xf))
#define WAITER(word)   ((enum waiter)((word) >> 4 & 0xf))
#define AGE(word)      ((unsigned int)((word) >> 8 & 0xf))
#define SEQUENCE_SHIFT 12
#define SEQUENCE(word) ((word) >> SEQUENCE_SHIFT)
#define AGE_ONE        0x100u
#define WORD(s, w, p)  ((uint64_t)(s) << SEQUENCE_SHIFT | (uint64_t)(w) << 4 | (uint64_t)(p))
#define AS(word, w, p) WORD(SEQUENCE(word), w, p)
_Static_assert(HVC_FORWARD_TICKS <= 0xf, "an age fits");
_Static_assert((SEQUENCE_LAST << SEQUENCE_SHIFT) >> SEQUENCE_SHIFT == SEQUENCE_LAST,
	       "a sequence number fits, and there are numbers behind the last restored");

struct slot {
	/* Read by vCPUs that look for theirs while others may write them: hvc_load() and hvc_store(). */
	struct hvc_restart_key key;
	uint64_t args[HVC_ARGS_MAX]; /* x1 and on; 0 where the function has none */
	uint32_t id;
	uint32_t vcpu;
	uint8_t conduit;
	uint8_t restarts; /* it has a key */
	uint32_t mask;
	struct hvc_frame reply;
};

struct hvc_forwards {
	uint32_t capacity;
	uint32_t pad;
	_Atomic uint64_t next; /* sequence number */
	_Atomic uint64_t begun, answered, cancelled, restarted, late, expired, full;
	uint64_t pad1[7];
	_Atomic uint64_t
		words[]; /* one a slot, side by side, so that a search is short; then the slots */
};

/* Left, and nothing will come any more. */
static bool is_over(uint64_t word)
{
	return WAITER(word) == LEFT && (PHASE(word) == ANSWERED || PHASE(word) == FAILED);
}

static struct slot *slot_at(struct hvc_forwards *forwards, size_t n)
{
	return (struct slot *)(void *)(forwards->words + forwards->capacity) + n;
}

static uint64_t word_at(const struct hvc_forwards *forwards, size_t n)
{
	return atomic_load_explicit(&forwards->words[n], memory_order_acquire);
}

/* From `*word` to `to`; or *word is what it is now. */
static bool change(struct hvc_forwards *forwards, size_t n, uint64_t *word, uint64_t to)
{
	return atomic_compare_exchange_strong_explicit(&forwards->words[n], word, to,
						       memory_order_acq_rel, memory_order_acquire);
}

static void set(struct hvc_forwards *forwards, size_t n, uint64_t word)
{
	atomic_store_explicit(&forwards->words[n], word, memory_order_release);
}

static void add(_Atomic uint64_t *counter)
{
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static uint64_t read(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

/* --- Memory. */
size_t hvc_forward_size(unsigned int transactions)
{
	if (transactions == 0 || transactions > HVC_FORWARD_MAX) {
		return 0;
	}
	return sizeof(struct hvc_forwards) +
	       transactions * (sizeof(uint64_t) + sizeof(struct slot));
}

enum hvc_err forwards_init(struct hvc_vm *vm, void *memory, size_t bytes)
{
	struct hvc_forwards *forwards = memory;
	size_t capacity;

	if (memory == NULL) {
		return HVC_OK;
	}
	if ((uintptr_t)memory % 8 != 0) {
		return HVC_EFAULT;
	}
	if (bytes < hvc_forward_size(1)) {
		return HVC_ENOMEM;
	}
	capacity = (bytes - sizeof(*forwards)) / (sizeof(uint64_t) + sizeof(struct slot));
	if (capacity > HVC_FORWARD_MAX) {
		capacity = HVC_FORWARD_MAX;
	}
	memset(forwards, 0, hvc_forward_size((unsigned int)capacity));
	forwards->capacity = (uint32_t)capacity;
	atomic_init(&forwards->next, 1);
	vm->forwards = forwards;
	return HVC_OK;
}

/* --- Looking for one. Where the number leads to is where it was put, unless that was taken then. */
static size_t home(const struct hvc_forwards *forwards, uint64_t sequence)
{
	return sequence % forwards->capacity;
}

static size_t behind(const struct hvc_forwards *forwards, size_t n)
{
	return n + 1 == forwards->capacity ? 0 : n + 1;
}

/* The slot of a sequence number, and its word; or `capacity`. */
static size_t find(const struct hvc_forwards *forwards, uint64_t sequence, uint64_t *word)
{
	size_t n = home(forwards, sequence);

	for (size_t i = 0; i < forwards->capacity && sequence != 0; i++) {
		*word = word_at(forwards, n);
		if (SEQUENCE(*word) == sequence) {
			return n;
		}
		n = behind(forwards, n);
	}
	return forwards->capacity;
}

/* That of a transaction that a vCPU waits for: it stays until that vCPU takes its answer, leaves or closes it. */
static size_t find_own(const struct hvc_forwards *forwards, uint64_t sequence, uint64_t *word)
{
	size_t n = find(forwards, sequence, word);

	hvc_assert(n != forwards->capacity && WAITER(*word) == ATTACHED);
	return n;
}

static bool same_call(const struct slot *slot, const struct hvc_restart_key *key,
		      const struct hvc_transaction *call)
{
	bool same = hvc_load(&slot->key.pc) == key->pc && hvc_load(&slot->key.sp) == key->sp &&
		    hvc_load(&slot->id) == call->id && hvc_load(&slot->conduit) == call->conduit;

	for (unsigned int i = 0; same && i < call->arg_count; i++) {
		same = hvc_load(&slot->args[i]) == call->frame.x[i + 1];
	}
	return same;
}

/* --- The vCPU's side. */
static void describe(struct slot *slot, const struct hvc_restart_key *key,
		     const struct hvc_transaction *call)
{
	hvc_store(&slot->key.pc, key == NULL ? 0 : key->pc);
	hvc_store(&slot->key.sp, key == NULL ? 0 : key->sp);
	hvc_store(&slot->id, call->id);
	hvc_store(&slot->vcpu, call->vcpu);
	hvc_store(&slot->conduit, call->conduit);
	hvc_store(&slot->restarts, key != NULL);
	for (unsigned int i = 0; i < HVC_ARGS_MAX; i++) {
		hvc_store(&slot->args[i], call->frame.x[i + 1]);
	}
}

bool transaction_open(struct hvc_forwards *forwards, const struct hvc_restart_key *key,
		      struct hvc_transaction *call)
{
	size_t n = home(forwards, read(&forwards->next));

	for (size_t i = 0; i < forwards->capacity; i++) {
		uint64_t word = FREE;

		if (change(forwards, n, &word, OPENING)) {
			call->sequence = atomic_fetch_add_explicit(&forwards->next, 1,
								   memory_order_relaxed);
			describe(slot_at(forwards, n), key, call);
			add(&forwards->begun);
			set(forwards, n, WORD(call->sequence, ATTACHED, SENT));
			return true;
		}
		n = behind(forwards, n);
	}
	add(&forwards->full);
	return false;
}

bool transaction_rejoin(struct hvc_forwards *forwards, const struct hvc_restart_key *key,
			struct hvc_transaction *call)
{
	for (size_t n = 0; n < forwards->capacity; n++) {
		const struct slot *slot = slot_at(forwards, n);
		uint64_t word = word_at(forwards, n);

		/* What was read of the slot is this transaction's if the word is still the same afterwards. */
		while (WAITER(word) == LEFT && same_call(slot, key, call)) {
			if (change(forwards, n, &word, AS(word, ATTACHED, PHASE(word)))) {
				call->sequence = SEQUENCE(word);
				call->vcpu = hvc_load(&slot->vcpu);
				add(&forwards->restarted);
				return true;
			}
		}
	}
	return false;
}

uint32_t transaction_vcpu(struct hvc_forwards *forwards, uint64_t sequence)
{
	uint64_t word;

	return slot_at(forwards, find_own(forwards, sequence, &word))->vcpu;
}

enum transaction_found transaction_poll(struct hvc_forwards *forwards, uint64_t sequence,
					struct hvc_frame *reply, uint32_t *mask)
{
	uint64_t word;
	size_t n = find_own(forwards, sequence, &word);

	if (PHASE(word) == ANSWERED) {
		*reply = slot_at(forwards, n)->reply;
		*mask = slot_at(forwards, n)->mask;
		add(&forwards->answered);
		set(forwards, n, FREE);
		return TRANSACTION_ANSWERED;
	}
	if (PHASE(word) == FAILED) {
		add(&forwards->cancelled);
		set(forwards, n, FREE);
		return TRANSACTION_FAILED;
	}
	return TRANSACTION_WAITS;
}

enum hvc_err transaction_leave(struct hvc_forwards *forwards, uint64_t sequence)
{
	uint64_t word;
	size_t n = find_own(forwards, sequence, &word);

	if (!slot_at(forwards, n)->restarts) {
		return HVC_EINVAL;
	}
	while (!change(forwards, n, &word, AS(word, LEFT, PHASE(word)))) {
		;
	}
	return HVC_OK;
}

/* Over, from what *word says: a reply that is being written finds it out and frees the slot. False: *word is
 * another by now. */
static bool end(struct hvc_forwards *forwards, size_t n, uint64_t *word)
{
	uint64_t to = PHASE(*word) == REPLYING ? AS(*word, NOBODY, REPLYING) : (uint64_t)FREE;
	bool answered = PHASE(*word) == ANSWERED;

	if (!change(forwards, n, word, to)) {
		return false;
	}
	if (answered) {
		add(&forwards->late);
	}
	return true;
}

void transaction_close(struct hvc_forwards *forwards, uint64_t sequence, bool answered)
{
	uint64_t word;
	size_t n = find_own(forwards, sequence, &word);

	while (!end(forwards, n, &word)) {
		;
	}
	add(answered ? &forwards->answered : &forwards->cancelled);
}

/* --- The other side. */
/* The reply is in the slot. */
static enum hvc_err finish_reply(struct hvc_forwards *forwards, size_t n, uint64_t sequence)
{
	uint64_t word = WORD(sequence, ATTACHED, REPLYING);

	for (;;) {
		bool over = WAITER(word) == NOBODY;
		uint64_t to = over ? (uint64_t)FREE : word - REPLYING + ANSWERED;

		if (change(forwards, n, &word, to)) {
			return over ? HVC_ENOENT : HVC_OK;
		}
	}
}

/* From SENT to REPLYING or FAILED: one caller can. The slot, or `capacity`: nobody waits for an answer to this. */
static size_t advance(struct hvc_forwards *forwards, uint64_t sequence, enum phase phase)
{
	uint64_t word;
	size_t n = find(forwards, sequence, &word);

	if (n == forwards->capacity) {
		return n;
	}
	do {
		if (SEQUENCE(word) != sequence || PHASE(word) != SENT) {
			return forwards->capacity;
		}
	} while (!change(forwards, n, &word, word - SENT + phase));
	return n;
}

static enum hvc_err write_reply(struct hvc_forwards *forwards, uint64_t sequence,
				const struct hvc_frame *reply, uint32_t mask)
{
	size_t n = advance(forwards, sequence, REPLYING);

	if (n == forwards->capacity) {
		return HVC_ENOENT;
	}
	slot_at(forwards, n)->reply = *reply;
	slot_at(forwards, n)->mask = mask;
	return finish_reply(forwards, n, sequence);
}

enum hvc_err hvc_forward_reply(struct hvc_vm *vm, uint64_t sequence, const struct hvc_frame *reply,
			       uint32_t mask)
{
	enum hvc_err err;

	if (vm->forwards == NULL) {
		return HVC_ENOTSUP;
	}
	err = write_reply(vm->forwards, sequence, reply, mask);
	if (err != HVC_OK) {
		add(&vm->forwards->late);
	}
	return err;
}

enum hvc_err hvc_forward_fail(struct hvc_vm *vm, uint64_t sequence)
{
	if (vm->forwards == NULL) {
		return HVC_ENOTSUP;
	}
	return advance(vm->forwards, sequence, FAILED) == vm->forwards->capacity ? HVC_ENOENT
										 : HVC_OK;
}

/* One tick of a transaction that waits without a vCPU. True: it was dropped. */
static bool grow_old(struct hvc_forwards *forwards, size_t n)
{
	uint64_t word = word_at(forwards, n);

	while (WAITER(word) == LEFT) {
		bool old = AGE(word) + 1 == HVC_FORWARD_TICKS;

		if (old ? end(forwards, n, &word) : change(forwards, n, &word, word + AGE_ONE)) {
			return old;
		}
	}
	return false;
}

unsigned int hvc_forward_expire(struct hvc_vm *vm)
{
	unsigned int dropped = 0;

	for (size_t n = 0; vm->forwards != NULL && n < vm->forwards->capacity; n++) {
		if (grow_old(vm->forwards, n)) {
			add(&vm->forwards->expired);
			dropped++;
		}
	}
	return dropped;
}

/* --- Questions. */
enum hvc_err hvc_forward_counts(const struct hvc_vm *vm, struct hvc_forward_counts *counts)
{
	const struct hvc_forwards *forwards = vm->forwards;

	if (counts->size != sizeof(*counts)) {
		return HVC_EINVAL;
	}
	if (forwards == NULL) {
		return HVC_ENOTSUP;
	}
	*counts = (struct hvc_forward_counts){
		.size = sizeof(*counts),
		.begun = read(&forwards->begun),
		.answered = read(&forwards->answered),
		.cancelled = read(&forwards->cancelled),
		.restarted = read(&forwards->restarted),
		.late = read(&forwards->late),
		.expired = read(&forwards->expired),
		.full = read(&forwards->full),
	};
	for (size_t n = 0; n < forwards->capacity; n++) {
		counts->in_use += word_at(forwards, n) != FREE;
	}
	return HVC_OK;
}

bool forwards_pending(const struct hvc_vm *vm, uint32_t *vcpu)
{
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		if (vm->vcpus[i]->pending) {
			*vcpu = i;
			return true;
		}
	}
	for (size_t n = 0; vm->forwards != NULL && n < vm->forwards->capacity; n++) {
		uint64_t word = word_at(vm->forwards, n);

		if (word != FREE && !is_over(word)) {
			*vcpu = slot_at(vm->forwards, n)->vcpu;
			return true;
		}
	}
	return false;
}

/* --- Calls that were left and are over: part of a VM's state. */
size_t forwards_capacity(const struct hvc_vm *vm)
{
	return vm->forwards == NULL ? 0 : vm->forwards->capacity;
}

static void describe_left(const struct slot *slot, uint64_t word, struct left_call *call)
{
	*call = (struct left_call){
		.sequence = SEQUENCE(word),
		.key = slot->key,
		.id = slot->id,
		.vcpu = slot->vcpu,
		.conduit = slot->conduit,
		.failed = PHASE(word) == FAILED,
	};
	memcpy(call->args, slot->args, sizeof(call->args));
	if (!call->failed) {
		call->mask = slot->mask;
		call->reply = slot->reply;
	}
}

bool forwards_next_left(const struct hvc_vm *vm, uint64_t after, struct left_call *call)
{
	bool found = false;

	for (size_t n = 0; n < forwards_capacity(vm); n++) {
		uint64_t word = word_at(vm->forwards, n);

		if (is_over(word) && SEQUENCE(word) > after &&
		    (!found || SEQUENCE(word) < call->sequence)) {
			describe_left(slot_at(vm->forwards, n), word, call);
			found = true;
		}
	}
	return found;
}

void forwards_add_left(struct hvc_vm *vm, const struct left_call *call)
{
	struct hvc_forwards *forwards = vm->forwards;
	size_t n = home(forwards, call->sequence);
	struct slot *slot;

	while (word_at(forwards, n) != FREE) {
		n = behind(forwards, n);
	}
	slot = slot_at(forwards, n);
	*slot = (struct slot){
		.key = call->key,
		.id = call->id,
		.vcpu = call->vcpu,
		.conduit = call->conduit,
		.restarts = true,
		.mask = call->mask,
		.reply = call->reply,
	};
	memcpy(slot->args, call->args, sizeof(slot->args));
	add(&forwards->begun);
	set(forwards, n, WORD(call->sequence, LEFT, call->failed ? FAILED : ANSWERED));
}

uint64_t forwards_next(const struct hvc_vm *vm)
{
	return vm->forwards == NULL ? 0 : read(&vm->forwards->next);
}

enum hvc_err forwards_set_next(struct hvc_vm *vm, uint64_t next)
{
	uint32_t vcpu;

	if (vm->forwards == NULL) {
		return HVC_ENOTSUP;
	}
	if (next == 0 || next > SEQUENCE_LAST) {
		return HVC_EINVAL;
	}
	if (forwards_pending(vm, &vcpu) || next < forwards_next(vm)) {
		return HVC_EBUSY;
	}
	atomic_store_explicit(&vm->forwards->next, next, memory_order_relaxed);
	return HVC_OK;
}
