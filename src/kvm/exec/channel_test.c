/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests and replies between the interposer's threads and a keeper, which is a thread or a process here: each request
 * gets one reply, also when the ring is full, when another thread takes it, and when the keeper is killed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka_all.h>

#include "channel.h"
#include "replies.h"

enum { VMS = 2, THREADS = 6, CALLS = 3000, PATIENCE_MS = 20000 };

static struct exec_shared *shared;
static struct exec_channel channel;
static struct hvc_kvm_channel way;
static int ends[2];

static int setup(void **state)
{
	(void)state;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	assert_true(shared != MAP_FAILED);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	memset(&channel, 0, sizeof(channel));
	exec_channel_init(&channel, shared, ends[0], &way);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	close(ends[0]);
	close(ends[1]);
	munmap(shared, sizeof(*shared));
	return 0;
}

/* --- A keeper that answers x0 = x1 + 1, some of it out of order. Ends at the end of the socket. */
static struct replies_item *answer(const struct hvc_kvm_request *request)
{
	struct replies_item *item = calloc(1, sizeof(*item));

	if (item == NULL) {
		abort();
	}
	item->reply.sequence = request->sequence;
	item->reply.mask = 1;
	item->reply.frame.x[0] = request->frame.x[1] + 1;
	return item;
}

static void free_items(struct replies_item *item)
{
	while (item != NULL) {
		struct replies_item *next = item->next;

		free(item);
		item = next;
	}
}

static void *keep(void *unused)
{
	struct replies replies[VMS];
	struct replies_item *held = NULL; /* one is answered behind the next one */
	uint32_t held_vm = 0;
	struct hvc_kvm_request request;

	for (unsigned int vm = 0; vm < VMS; vm++) {
		replies_init(&replies[vm], &shared->replies[vm]);
	}
	for (;;) {
		struct pollfd ready = {.fd = ends[1], .events = POLLIN};
		int waits = poll(&ready, 1, 1);
		ssize_t n = waits == 1 ? recv(ends[1], &request, sizeof(request), MSG_DONTWAIT)
				       : -1;

		if (n == 0) {
			break;
		}
		if (n == (ssize_t)sizeof(request) && held == NULL && request.sequence % 7 == 0) {
			held = answer(&request);
			held_vm = request.vm;
			continue;
		}
		if (n == (ssize_t)sizeof(request)) {
			replies_add(&replies[request.vm], answer(&request));
		}
		if (held != NULL) {
			replies_add(&replies[held_vm], held);
			held = NULL;
		}
		for (unsigned int vm = 0; vm < VMS; vm++) {
			free_items(replies_pump(&replies[vm]));
		}
	}
	free_items(held);
	for (unsigned int vm = 0; vm < VMS; vm++) {
		free_items(replies[vm].first);
	}
	return unused;
}

/* --- vCPUs. Who gets another's reply puts it where that one looks. */
struct mailbox {
	_Atomic uint64_t answered, failed; /* 0, or the sequence number and what it was */
	_Atomic uint64_t x0;
};
static struct mailbox mail[VMS][THREADS * (CALLS + 1) + 1];
static _Atomic uint32_t twice, wrong, sent_by_nobody;

static void deliver(uint32_t vm, const struct hvc_kvm_reply *reply)
{
	struct mailbox *box = &mail[vm][reply->sequence % (THREADS * (CALLS + 1) + 1)];

	if (reply->outcome == HVC_KVM_FAILED) {
		atomic_fetch_add(&twice, atomic_exchange(&box->failed, 1) != 0);
	} else {
		atomic_store(&box->x0, reply->frame.x[0]);
		atomic_fetch_add(&twice, atomic_exchange(&box->answered, 1) != 0);
	}
}

static bool settled(uint32_t vm, uint64_t sequence)
{
	const struct mailbox *box = &mail[vm][sequence];

	return atomic_load(&box->answered) != 0 || atomic_load(&box->failed) != 0;
}

struct vcpu {
	unsigned int number;
	unsigned int answered, failed, unsent;
	pthread_t thread;
};

static void call(struct vcpu *vcpu, unsigned int n)
{
	const uint32_t vm = vcpu->number % VMS;
	const uint64_t sequence = 1 + vcpu->number + (uint64_t)n * THREADS;
	const struct hvc_kvm_request request = {
		.sequence = sequence, .vm = vm, .frame = {.x = {0, sequence * 3}}};
	struct hvc_kvm_reply reply;

	if (!way.send(way.context, &request)) {
		vcpu->unsent++;
		atomic_fetch_add(&sent_by_nobody, settled(vm, sequence));
		return;
	}
	while (!settled(vm, sequence)) {
		if (way.receive(way.context, vm, &reply, PATIENCE_MS) == 1) {
			deliver(vm, &reply);
			if (reply.sequence != sequence) {
				way.poke(way.context, vm);
			}
		}
	}
	if (atomic_load(&mail[vm][sequence].failed) != 0) {
		vcpu->failed++;
	} else {
		vcpu->answered++;
		atomic_fetch_add(&wrong, atomic_load(&mail[vm][sequence].x0) != sequence * 3 + 1);
	}
}

static void *run_vcpu(void *argument)
{
	for (unsigned int n = 0; n < CALLS; n++) {
		call(argument, n);
	}
	return NULL;
}

static struct vcpu run_all(void)
{
	static struct vcpu vcpus[THREADS];
	struct vcpu sum = {0};

	memset(mail, 0, sizeof(mail));
	atomic_store(&twice, 0);
	atomic_store(&wrong, 0);
	for (unsigned int i = 0; i < THREADS; i++) {
		vcpus[i] = (struct vcpu){.number = i};
		assert_int_equal(pthread_create(&vcpus[i].thread, NULL, run_vcpu, &vcpus[i]), 0);
	}
	for (unsigned int i = 0; i < THREADS; i++) {
		pthread_join(vcpus[i].thread, NULL);
		sum.answered += vcpus[i].answered;
		sum.failed += vcpus[i].failed;
		sum.unsent += vcpus[i].unsent;
	}
	assert_int_equal(atomic_load(&wrong), 0);
	assert_int_equal(atomic_load(&sent_by_nobody), 0);
	assert_int_equal(sum.answered + sum.failed + sum.unsent, THREADS * CALLS);
	return sum;
}

static void every_call_is_answered(void **state)
{
	pthread_t keeper;
	struct vcpu sum;

	(void)state;
	assert_int_equal(pthread_create(&keeper, NULL, keep, NULL), 0);
	sum = run_all();
	assert_int_equal(atomic_load(&twice), 0);
	assert_int_equal(sum.answered, THREADS * CALLS);
	for (unsigned int vm = 0; vm < VMS; vm++) {
		for (unsigned int i = 0; i < EXEC_OUTSTANDING; i++) {
			assert_int_equal(channel.outstanding[vm][i], 0);
		}
	}
	shutdown(ends[0], SHUT_WR);
	pthread_join(keeper, NULL);
}

/* It is killed in the middle: what was outstanding fails, what comes later is not sent, nothing hangs. */
static void a_killed_keeper_fails_calls(void **state)
{
	pid_t keeper = fork(), killer;
	struct vcpu sum;
	int status;

	(void)state;
	if (keeper == 0) {
		close(ends[0]);
		keep(NULL);
		_exit(0);
	}
	close(ends[1]);
	ends[1] = -1;
	killer = fork();
	if (killer == 0) {
		/* When some thousand are answered: what the readers took tells. */
		while (atomic_load(&shared->replies[0].tail) < CALLS / 2) {
			usleep(100);
		}
		kill(keeper, SIGKILL);
		_exit(0);
	}
	sum = run_all();
	assert_int_equal(waitpid(keeper, &status, 0), keeper);
	assert_true(WIFSIGNALED(status));
	waitpid(killer, &status, 0);
	assert_true(sum.answered >= CALLS / 2);
	assert_true(sum.unsent > 0);
	assert_true(sum.failed <= THREADS);
	assert_int_not_equal(atomic_load(&channel.gone), 0);
}

/* --- One at a time. */
static bool send_one(uint64_t sequence)
{
	const struct hvc_kvm_request request = {.sequence = sequence,
						.frame = {.x = {0, sequence}}};

	return way.send(way.context, &request);
}

static void a_full_ring_waits(void **state)
{
	enum { MANY = 5 * EXEC_REPLIES + 3 };
	struct replies replies;
	struct hvc_kvm_reply reply;
	unsigned int freed = 0;

	(void)state;
	replies_init(&replies, &shared->replies[0]);
	for (unsigned int i = 1; i <= MANY; i++) {
		const struct hvc_kvm_request request = {.sequence = i, .frame = {.x = {0, i}}};

		replies_add(&replies, answer(&request));
	}
	for (unsigned int i = 1; i <= MANY; i++) {
		struct replies_item *item = replies_pump(&replies);

		for (const struct replies_item *at = item; at != NULL; at = at->next) {
			freed++;
		}
		free_items(item);
		assert_int_equal(replies_wait(&replies), i + EXEC_REPLIES <= MANY);
		assert_int_equal(way.receive(way.context, 0, &reply, 0), 1);
		assert_int_equal(reply.sequence, i);
		assert_int_equal(reply.frame.x[0], i + 1);
	}
	assert_int_equal(freed, MANY);
	assert_int_equal(way.receive(way.context, 0, &reply, 0), 0);
	/* A reader that runs wild: nothing is overwritten, nothing read behind the end. */
	replies_add(&replies, answer(&(struct hvc_kvm_request){.sequence = 1}));
	atomic_store(&shared->replies[0].tail, atomic_load(&shared->replies[0].head) + 9);
	assert_null(replies_pump(&replies));
	assert_true(replies_wait(&replies));
	atomic_store(&shared->replies[0].tail, atomic_load(&shared->replies[0].head));
	free_items(replies_pump(&replies));
	assert_int_equal(way.receive(way.context, 0, &reply, 0), 1);
}

static void refuses_what_cannot_be(void **state)
{
	struct hvc_kvm_request request = {.sequence = 1, .vm = EXEC_VMS};
	struct hvc_kvm_reply reply;
	unsigned int sent = 0;

	(void)state;
	assert_false(way.send(way.context, &request));
	assert_int_equal(way.receive(way.context, EXEC_VMS, &reply, 0), 0);
	way.poke(way.context, EXEC_VMS);
	assert_false(send_one(0));
	/* As many as there are places, if the socket has room; somebody reads it. */
	for (unsigned int i = 1; i <= EXEC_OUTSTANDING + 1; i++) {
		sent += send_one(i);
		(void)recv(ends[1], &request, sizeof(request), MSG_DONTWAIT);
	}
	assert_int_equal(sent, EXEC_OUTSTANDING);
	/* The keeper goes: each fails once. */
	close(ends[1]);
	ends[1] = -1;
	for (unsigned int i = 0; i < EXEC_OUTSTANDING;) {
		int got = way.receive(way.context, 0, &reply, PATIENCE_MS);

		if (got == 1) {
			assert_int_equal(reply.outcome, HVC_KVM_FAILED);
			i++;
		}
	}
	assert_int_equal(way.receive(way.context, 0, &reply, 0), 0);
	assert_false(send_one(5000));
}

static void *poke(void *unused)
{
	way.poke(way.context, 0);
	return unused;
}

/* Each receive that is answered waits for nothing: the time is a day. */
static void a_poke_is_no_reply(void **state)
{
	struct hvc_kvm_reply reply;
	struct replies replies;
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, poke, NULL), 0);
	assert_int_equal(way.receive(way.context, 0, &reply, 86400000), 0);
	pthread_join(thread, NULL);
	way.poke(way.context, 0);
	way.poke(way.context, 1);
	assert_int_equal(way.receive(way.context, 0, &reply, 86400000), 0);
	/* Replies come first. */
	replies_init(&replies, &shared->replies[0]);
	replies_add(&replies, answer(&(struct hvc_kvm_request){.sequence = 1}));
	free_items(replies_pump(&replies));
	assert_int_equal(pthread_create(&thread, NULL, poke, NULL), 0);
	pthread_join(thread, NULL);
	assert_int_equal(way.receive(way.context, 0, &reply, 0), 1);
	assert_int_equal(reply.sequence, 1);
	assert_int_equal(way.receive(way.context, 0, &reply, 86400000), 0);
}

static _Atomic int waiting;

static void on_signal(int number)
{
	(void)number;
}

static void *wait_for_signal(void *result)
{
	struct hvc_kvm_reply reply;

	atomic_store(&waiting, 1);
	while ((*(int *)result = way.receive(way.context, 0, &reply, PATIENCE_MS)) == 0) {
	}
	return NULL;
}

/* With SA_RESTART, too. */
static void a_signal_interrupts(void **state)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	pthread_t thread;
	int result = 7;
	struct timespec soon;

	(void)state;
	sigaction(SIGUSR1, &action, NULL);
	assert_int_equal(pthread_create(&thread, NULL, wait_for_signal, &result), 0);
	while (atomic_load(&waiting) == 0) {
		sched_yield();
	}
	do {
		pthread_kill(thread, SIGUSR1);
		clock_gettime(CLOCK_REALTIME, &soon);
		soon.tv_nsec = (soon.tv_nsec + 3000000) % 1000000000;
		soon.tv_sec += soon.tv_nsec < 3000000;
	} while (pthread_timedjoin_np(thread, NULL, &soon) != 0);
	assert_int_equal(result, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_call_is_answered, setup, teardown),
		cmocka_unit_test_setup_teardown(a_killed_keeper_fails_calls, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_ring_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_what_cannot_be, setup, teardown),
		cmocka_unit_test_setup_teardown(a_poke_is_no_reply, setup, teardown),
		cmocka_unit_test_setup_teardown(a_signal_interrupts, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
