/* SPDX-License-Identifier: BSD-2-Clause */
#define _POSIX_C_SOURCE 200809L
#include "handler_host.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include <hvcgate/forward.h>

#include "world.h"

enum { HANDLERS = 4, GUEST_THREADS = 64, QUEUE = 4096 };

#define FUNCTION 0x87000000u /* unknown: 17 arguments, failure value -1 */

/* A thread of the guest, run by one vCPU at a time. */
struct guest_thread {
	struct hvc_restart_key key;
	uint64_t number;     /* of its call */
	uint64_t sent;       /* the number of the last call that a request was sent for */
	uint64_t ticks_then; /* when it was interrupted last */
	bool restarts;       /* its call is to be made again */
};

struct requests {
	struct hvc_transaction at[QUEUE];
	unsigned int count;
};

struct host {
	const struct handler_host_setup *setup;
	struct world *world;
	atomic_bool over;
	atomic_uint handled; /* rounds of the handlers */
	_Atomic(const char *) fault;
	pthread_mutex_t tick_lock; /* one tick at a time */
	atomic_uint_least64_t ticks;
	/* The guest's scheduler. */
	pthread_mutex_t guest_lock;
	struct guest_thread threads[GUEST_THREADS];
	struct guest_thread *ready[GUEST_THREADS];
	unsigned int ready_count, live;
	/* What the handlers have: to do, and answered but to be answered again. */
	pthread_mutex_t lock;
	struct requests queue, again;
};

struct actor {
	struct host *host;
	struct rng rng;
	unsigned int cpu;
	struct handler_host_result result; /* its own part */
	pthread_t thread;
};

static void fault(struct host *host, const char *what)
{
	const char *none = NULL;

	atomic_compare_exchange_strong(&host->fault, &none, what);
}

static bool chance(struct actor *actor, unsigned int one_in)
{
	return one_in != 0 && rng_below(&actor->rng, one_in) == 0;
}

/* The one right answer to a call. Never -1, which is the failure value. */
static uint64_t answer_to(const struct hvc_frame *frame)
{
	struct rng rng = {frame->x[1] ^ frame->x[2] << 32};

	return rng_next(&rng) >> 1;
}

/* --- Handlers. */
static bool put(struct requests *requests, const struct hvc_transaction *request)
{
	if (requests->count == QUEUE) {
		return false;
	}
	requests->at[requests->count++] = *request;
	return true;
}

/* Any of them, not the oldest. */
static bool get(struct actor *actor, struct requests *requests, struct hvc_transaction *request)
{
	unsigned int n;

	if (requests->count == 0) {
		return false;
	}
	n = rng_below(&actor->rng, requests->count);
	*request = requests->at[n];
	requests->at[n] = requests->at[--requests->count];
	return true;
}

static void send_reply(struct actor *actor, const struct hvc_transaction *request)
{
	struct hvc_frame reply = {.x = {answer_to(&request->frame), 1, 2, 3}};
	enum hvc_err err = hvc_forward_reply(actor->host->world->vm, request->sequence, &reply,
					     0xf);

	if (err == HVC_OK) {
		actor->result.accepted++;
	} else {
		actor->result.refused++;
		if (err != HVC_ENOENT) {
			fault(actor->host, "a reply met another error than ENOENT");
		}
	}
}

/* Whatever is outstanding fails, and is never sent again; the next handler starts with nothing. */
static void crash(struct actor *actor)
{
	struct host *host = actor->host;
	struct hvc_transaction request;

	actor->result.crashes++;
	pthread_mutex_lock(&host->lock);
	while (get(actor, &host->queue, &request)) {
		enum hvc_err err = hvc_forward_fail(host->world->vm, request.sequence);

		if (err != HVC_OK && err != HVC_ENOENT) {
			fault(host, "failing a request met another error than ENOENT");
		}
	}
	pthread_mutex_unlock(&host->lock);
}

static void handle(struct actor *actor, const struct hvc_transaction *request)
{
	const struct handler_host_setup *setup = actor->host->setup;

	if (chance(actor, setup->crashes)) {
		pthread_mutex_lock(&actor->host->lock);
		put(&actor->host->queue, request);
		pthread_mutex_unlock(&actor->host->lock);
		crash(actor);
		return;
	}
	if (chance(actor, setup->lost)) {
		return;
	}
	send_reply(actor, request);
	if (chance(actor, setup->tardy)) {
		pthread_mutex_lock(&actor->host->lock);
		put(&actor->host->again, request);
		pthread_mutex_unlock(&actor->host->lock);
	}
}

static void *run_handler(void *argument)
{
	struct actor *actor = argument;
	struct host *host = actor->host;

	for (;;) {
		bool over = atomic_load(&host->over);
		struct hvc_transaction request, late;
		bool some, again;

		atomic_fetch_add(&host->handled, 1);
		pthread_mutex_lock(&host->lock);
		some = get(actor, &host->queue, &request);
		again = (over || host->again.count > QUEUE / 2 || chance(actor, 4)) &&
			get(actor, &host->again, &late);
		pthread_mutex_unlock(&host->lock);
		if (some) {
			handle(actor, &request);
		}
		if (again) {
			send_reply(actor, &late);
		}
		if (!some && !again) {
			if (over) {
				return NULL;
			}
			sched_yield();
		}
	}
}

/* --- The guest. */
static struct guest_thread *schedule(struct actor *actor, bool *all_done)
{
	struct host *host = actor->host;
	struct guest_thread *thread = NULL;

	pthread_mutex_lock(&host->guest_lock);
	if (host->ready_count != 0) {
		unsigned int n = rng_below(&actor->rng, host->ready_count);

		thread = host->ready[n];
		host->ready[n] = host->ready[--host->ready_count];
	}
	*all_done = host->live == 0;
	pthread_mutex_unlock(&host->guest_lock);
	return thread;
}

static void preempt(struct host *host, struct guest_thread *thread)
{
	pthread_mutex_lock(&host->guest_lock);
	host->ready[host->ready_count++] = thread;
	pthread_mutex_unlock(&host->guest_lock);
}

/* The thread's call is over; on with the next one. False: it was its last. */
static bool next_call(struct host *host, struct guest_thread *thread)
{
	thread->restarts = false;
	if (thread->number++ < host->setup->calls) {
		return true;
	}
	pthread_mutex_lock(&host->guest_lock);
	host->live--;
	pthread_mutex_unlock(&host->guest_lock);
	return false;
}

static struct hvc_frame frame_of(struct host *host, const struct guest_thread *thread)
{
	return world_frame(FUNCTION, (uint64_t)(thread - host->threads), thread->number, 0);
}

/* --- vCPUs. */
enum next { WAIT, DONE, INTERRUPTED };

/* What the guest finds behind its call. */
static enum next returned(struct actor *actor, const struct guest_thread *thread,
			  const struct hvc_frame *frame)
{
	struct hvc_frame asked = frame_of(actor->host, thread);

	if (frame->x[0] == answer_to(&asked)) {
		actor->result.answered++;
		if (frame->x[1] != 1 || frame->x[3] != 3) {
			fault(actor->host, "an answer is not whole");
		}
	} else if (frame->x[0] == STATUS(-1)) {
		actor->result.failed++;
		if (frame->x[1] != asked.x[1] || frame->x[2] != asked.x[2]) {
			fault(actor->host, "a failure wrote more than x0");
		}
	} else {
		fault(actor->host, "a call got another call's answer");
	}
	if (memcmp(&frame->x[4], &asked.x[4], sizeof(frame->x) - 4 * sizeof(frame->x[0])) != 0) {
		fault(actor->host, "registers behind x3 were written");
	}
	return DONE;
}

static enum next give_up(struct actor *actor, const struct guest_thread *thread,
			 struct hvc_frame *frame)
{
	if (hvc_forward_cancel(actor->host->world->vcpus[actor->cpu], frame) != HVC_OK) {
		fault(actor->host, "a pending call cannot be cancelled");
	}
	return returned(actor, thread, frame);
}

/* `begun`: there is a transaction, that can age from now on. */
static enum next interrupt(struct actor *actor, struct guest_thread *thread, bool begun)
{
	struct host *host = actor->host;

	if (begun) {
		/* Before it is left: from then on each tick makes it older, also while this thread does not run. */
		thread->ticks_then = atomic_load(&host->ticks);
		thread->restarts = true;
	}
	if (hvc_forward_leave(host->world->vcpus[actor->cpu]) != HVC_OK) {
		fault(host, "a pending call cannot be left");
	}
	if (chance(actor, host->setup->vanishing)) {
		actor->result.vanished++;
		return DONE;
	}
	return INTERRUPTED;
}

static void send_request(struct actor *actor, struct guest_thread *thread,
			 const struct hvc_transaction *request)
{
	struct host *host = actor->host;
	bool room;

	actor->result.requests++;
	if (thread->sent == thread->number) {
		actor->result.resent++;
		/* A tick may have been under way when it was left. */
		if (atomic_load(&host->ticks) - thread->ticks_then < HVC_FORWARD_TICKS - 1) {
			fault(host, "a request was sent twice");
		}
	}
	thread->sent = thread->number;
	pthread_mutex_lock(&host->lock);
	room = put(&host->queue, request);
	pthread_mutex_unlock(&host->lock);
	if (!room && hvc_forward_fail(host->world->vm, request->sequence) != HVC_OK) {
		fault(host, "a request that cannot be sent cannot fail");
	}
}

static enum next begin(struct actor *actor, struct guest_thread *thread, struct hvc_frame *frame,
		       enum hvc_forward_state *state)
{
	struct hvc_vcpu *vcpu = actor->host->world->vcpus[actor->cpu];
	struct hvc_transaction request;

	if (hvc_forward_begin(vcpu, HVC_CONDUIT_HVC, &thread->key, frame, &request, state) !=
	    HVC_OK) {
		fault(actor->host, "a forwarded call cannot begin");
	}
	switch (*state) {
	case HVC_FORWARD_NEW:
		send_request(actor, thread, &request);
		return WAIT;
	case HVC_FORWARD_WAITING:
		actor->result.restarted++;
		if (!thread->restarts) {
			fault(actor->host, "a new call was taken for an old one");
		}
		return WAIT;
	case HVC_FORWARD_ANSWERED:
		actor->result.restarted++;
		return returned(actor, thread, frame);
	case HVC_FORWARD_FULL:
	default:
		actor->result.full++;
		return WAIT;
	}
}

static void tick(struct actor *actor)
{
	struct host *host = actor->host;

	if (chance(actor, host->setup->ticks)) {
		pthread_mutex_lock(&host->tick_lock);
		atomic_fetch_add(&host->ticks, 1);
		actor->result.expired += hvc_forward_expire(host->world->vm);
		pthread_mutex_unlock(&host->tick_lock);
	}
}

/* Until the handlers have had a turn as well: how long a vCPU waits does not depend on who gets a CPU. */
static void let_handle(struct host *host)
{
	unsigned int before = atomic_load(&host->handled);

	while (atomic_load(&host->handled) == before) {
		sched_yield();
	}
}

/* One execution of the thread's call instruction, to where the guest goes on. */
static enum next execute(struct actor *actor, struct guest_thread *thread)
{
	const struct handler_host_setup *setup = actor->host->setup;
	struct hvc_vcpu *vcpu = actor->host->world->vcpus[actor->cpu];
	struct hvc_frame frame = frame_of(actor->host, thread);
	enum hvc_forward_state state = HVC_FORWARD_FULL;
	enum next next = WAIT;

	if (hvc_call(vcpu, HVC_CONDUIT_HVC, 0, &frame) != HVC_FORWARDED) {
		fault(actor->host, "a call is not forwarded");
		return DONE;
	}
	while (next == WAIT && atomic_load(&actor->host->fault) == NULL) {
		if (state == HVC_FORWARD_FULL) {
			next = begin(actor, thread, &frame, &state);
		} else if (hvc_forward_take(vcpu, &frame)) {
			next = returned(actor, thread, &frame);
		}
		if (next != WAIT) {
			break;
		}
		tick(actor);
		if (chance(actor, setup->timeouts)) {
			next = give_up(actor, thread, &frame);
		} else if (chance(actor, setup->interrupts)) {
			next = interrupt(actor, thread, state != HVC_FORWARD_FULL);
		} else {
			let_handle(actor->host);
		}
	}
	return next;
}

static void *run_vcpu(void *argument)
{
	struct actor *actor = argument;
	struct host *host = actor->host;
	bool all_done = false;

	while (!all_done && atomic_load(&host->fault) == NULL) {
		struct guest_thread *thread = schedule(actor, &all_done);

		if (thread == NULL) {
			tick(actor);
			sched_yield();
		} else if (execute(actor, thread) == INTERRUPTED || next_call(host, thread)) {
			preempt(host, thread);
		}
	}
	return NULL;
}

/* --- What it comes to. */
static void add_up(struct handler_host_result *all, const struct handler_host_result *part)
{
	all->answered += part->answered;
	all->failed += part->failed;
	all->requests += part->requests;
	all->restarted += part->restarted;
	all->resent += part->resent;
	all->full += part->full;
	all->vanished += part->vanished;
	all->expired += part->expired;
	all->accepted += part->accepted;
	all->refused += part->refused;
	all->crashes += part->crashes;
}

static void check_counts(struct host *host, const struct handler_host_result *all)
{
	struct hvc_forward_counts counts = {.size = sizeof(counts)};
	uint64_t answered = 0, failed = 0;

	hvc_forward_counts(host->world->vm, &counts);
	for (unsigned int i = 0; i < host->setup->vcpus; i++) {
		answered += host->world->counters[i].calls[0][HVC_ANSWERED];
		failed += host->world->counters[i].calls[0][HVC_FAILED];
	}
	if (all->answered + all->failed + all->vanished !=
	    (uint64_t)host->setup->guest_threads * host->setup->calls) {
		fault(host, "calls were lost or doubled");
	} else if (answered != all->answered || failed != all->failed) {
		fault(host, "counters and calls differ");
	} else if (counts.in_use != 0) {
		fault(host, "transactions remain");
	} else if (counts.begun != all->requests || counts.restarted != all->restarted ||
		   counts.full != all->full || counts.expired != all->expired) {
		fault(host, "counts of the table are wrong");
	} else if (counts.answered != all->answered || counts.cancelled > all->failed ||
		   counts.begun != counts.answered + counts.cancelled + counts.expired) {
		fault(host, "transactions were lost or doubled");
	} else if (all->accepted + all->refused != counts.answered + counts.late) {
		fault(host, "replies were lost or doubled");
	} else if (all->resent > counts.expired) {
		fault(host, "more requests were sent again than aged out");
	}
}

static void start(struct host *host, struct actor *actors, unsigned int first, unsigned int count,
		  void *(*run)(void *))
{
	for (unsigned int i = 0; i < count; i++) {
		struct actor *actor = &actors[first + i];

		*actor = (struct actor){
			.host = host, .cpu = i, .rng = {host->setup->seed * 1000 + first + i}};
		if (pthread_create(&actor->thread, NULL, run, actor) != 0) {
			abort();
		}
	}
}

static struct host *make(const struct handler_host_setup *setup)
{
	struct host *host = calloc(1, sizeof(*host));

	if (host == NULL || setup->guest_threads > GUEST_THREADS || setup->handlers > HANDLERS ||
	    pthread_mutex_init(&host->lock, NULL) != 0 ||
	    pthread_mutex_init(&host->tick_lock, NULL) != 0 ||
	    pthread_mutex_init(&host->guest_lock, NULL) != 0) {
		abort();
	}
	host->setup = setup;
	host->world = world_new(&(struct world_setup){.otherwise = HVC_FORWARD,
						      .vcpu_count = setup->vcpus,
						      .flags = HVC_VM_FORWARD,
						      .transactions = setup->transactions});
	for (unsigned int i = 0; i < setup->guest_threads; i++) {
		/* One system call of theirs, one stack each. */
		host->threads[i] = (struct guest_thread){.key = {0xffff800010000000u,
								 0xffff800020000000u + 0x4000u * i},
							 .number = 1};
		host->ready[i] = &host->threads[i];
	}
	host->ready_count = host->live = setup->guest_threads;
	return host;
}

static void destroy(struct host *host)
{
	pthread_mutex_destroy(&host->lock);
	pthread_mutex_destroy(&host->tick_lock);
	pthread_mutex_destroy(&host->guest_lock);
	world_free(host->world);
	free(host);
}

struct handler_host_result handler_host_run(const struct handler_host_setup *setup)
{
	struct host *host = make(setup);
	struct actor actors[WORLD_VCPUS + HANDLERS];
	struct handler_host_result all = {0};

	start(host, actors, 0, setup->vcpus, run_vcpu);
	start(host, actors, setup->vcpus, setup->handlers, run_handler);
	for (unsigned int i = 0; i < setup->vcpus; i++) {
		pthread_join(actors[i].thread, NULL);
	}
	atomic_store(&host->over, true);
	for (unsigned int i = 0; i < setup->handlers; i++) {
		pthread_join(actors[setup->vcpus + i].thread, NULL);
	}
	for (unsigned int i = 0; i < HVC_FORWARD_TICKS; i++) {
		all.expired += hvc_forward_expire(host->world->vm);
	}
	for (unsigned int i = 0; i < setup->vcpus + setup->handlers; i++) {
		add_up(&all, &actors[i].result);
	}
	check_counts(host, &all);
	all.fault = atomic_load(&host->fault);
	destroy(host);
	return all;
}
