/* SPDX-License-Identifier: BSD-2-Clause */
/* The interposer's end of the way to the keeper. */
#define _GNU_SOURCE
#include "channel.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "words.h"

enum {
	SLICE_MS =
		20, /* no wait is longer: then the keeper may be gone, or a signal came just before */
	SEND_MS = 10,    /* likewise, where the keeper is slow to take requests... */
	SEND_TRIES = 100 /* ...and so often */
};

/* The bell as this thread heard it last, with its pokes. */
static _Thread_local uint32_t heard[EXEC_VMS];

static void look_for_keeper(struct exec_channel *channel)
{
	struct pollfd end = {.fd = channel->fd};

	if (poll(&end, 1, 0) == 1 && (end.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0) {
		atomic_store(&channel->gone, 1);
	}
}

/* --- Requests. */
static bool transmit(struct exec_channel *channel, const struct hvc_kvm_request *request)
{
	for (unsigned int i = 0; i < SEND_TRIES; i++) {
		struct pollfd room = {.fd = channel->fd, .events = POLLOUT};

		if (send(channel->fd, request, sizeof(*request), MSG_NOSIGNAL | MSG_DONTWAIT) ==
		    (ssize_t)sizeof(*request)) {
			return true;
		}
		if (errno == EAGAIN) {
			(void)poll(&room, 1, SEND_MS);
		} else if (errno != EINTR && errno != ENOBUFS && errno != ENOMEM) {
			atomic_store(&channel->gone, 1);
			return false;
		}
	}
	return false;
}

static bool exchange(_Atomic uint64_t *word, uint64_t from, uint64_t to)
{
	return atomic_compare_exchange_strong(word, &from, to);
}

static _Atomic uint64_t *claim(struct exec_channel *channel, uint32_t vm, uint64_t sequence)
{
	for (uint32_t i = 0; i < EXEC_OUTSTANDING; i++) {
		_Atomic uint64_t *slot =
			&channel->outstanding[vm][(sequence + i) % EXEC_OUTSTANDING];

		if (atomic_load_explicit(slot, memory_order_relaxed) == 0 &&
		    exchange(slot, 0, sequence)) {
			return slot;
		}
	}
	return NULL;
}

static void settle(struct exec_channel *channel, uint32_t vm, uint64_t sequence)
{
	for (uint32_t i = 0; i < EXEC_OUTSTANDING; i++) {
		_Atomic uint64_t *slot =
			&channel->outstanding[vm][(sequence + i) % EXEC_OUTSTANDING];

		if (atomic_load_explicit(slot, memory_order_relaxed) == sequence) {
			(void)exchange(slot, sequence, 0);
			return;
		}
	}
}

static bool channel_send(void *context, const struct hvc_kvm_request *request)
{
	struct exec_channel *channel = context;
	_Atomic uint64_t *slot;

	if (request->vm >= EXEC_VMS || request->sequence == 0 || atomic_load(&channel->gone) != 0) {
		return false;
	}
	slot = claim(channel, request->vm, request->sequence);
	if (slot == NULL) {
		return false;
	}
	/* Not sent, but somebody who saw that the keeper is gone may have failed it already: then it has its reply. */
	return transmit(channel, request) || !exchange(slot, request->sequence, 0);
}

/* --- Replies. */
static bool take(struct exec_channel *channel, uint32_t vm, struct hvc_kvm_reply *reply)
{
	struct exec_replies *replies = &channel->shared->replies[vm];

	for (;;) {
		uint32_t tail = atomic_load(&replies->tail);

		if (atomic_load_explicit(&replies->head, memory_order_acquire) == tail) {
			return false;
		}
		words_load(reply, &replies->replies[tail % EXEC_REPLIES], sizeof(*reply));
		if (atomic_compare_exchange_strong(&replies->tail, &tail, tail + 1)) {
			settle(channel, vm, reply->sequence);
			return true;
		}
	}
}

/* The reply that the keeper will not send. */
static bool fail_one(struct exec_channel *channel, uint32_t vm, struct hvc_kvm_reply *reply)
{
	for (uint32_t i = 0; i < EXEC_OUTSTANDING; i++) {
		_Atomic uint64_t *slot = &channel->outstanding[vm][i];
		const uint64_t sequence = atomic_load(slot);

		if (sequence != 0 && exchange(slot, sequence, 0)) {
			memset(reply, 0, sizeof(*reply));
			reply->sequence = sequence;
			reply->outcome = HVC_KVM_FAILED;
			return true;
		}
	}
	return false;
}

static int futex_wait(_Atomic uint32_t *word, uint32_t value, int ms)
{
	const struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

	/* With a time-out a signal ends it, SA_RESTART or not. */
	return syscall(SYS_futex, word, FUTEX_WAIT, value, &time, NULL, 0) == 0 ? 0 : errno;
}

/* Was there a poke since this thread looked last? */
static bool is_poked(uint32_t vm, uint32_t bell)
{
	const uint32_t before = heard[vm];

	heard[vm] = bell;
	return (before ^ bell) >= EXEC_POKE;
}

static bool look(struct exec_channel *channel, uint32_t vm, struct hvc_kvm_reply *reply)
{
	return take(channel, vm, reply) ||
	       (atomic_load(&channel->gone) != 0 && fail_one(channel, vm, reply));
}

/* Longer waits are the caller's: 0 says to look again. */
static int channel_receive(void *context, uint32_t vm, struct hvc_kvm_reply *reply, int timeout_ms)
{
	struct exec_channel *channel = context;
	_Atomic uint32_t *word;
	uint32_t bell;
	int error;

	if (vm >= EXEC_VMS) {
		return 0;
	}
	word = &channel->shared->replies[vm].bell;
	bell = atomic_load(word);
	if (look(channel, vm, reply)) {
		return 1;
	}
	if (is_poked(vm, bell) || timeout_ms <= 0) {
		return 0;
	}
	error = futex_wait(word, bell, timeout_ms < SLICE_MS ? timeout_ms : SLICE_MS);
	if (error == ETIMEDOUT) {
		look_for_keeper(channel);
	}
	bell = atomic_load(word);
	if (look(channel, vm, reply)) {
		return 1;
	}
	(void)is_poked(vm, bell);
	return error == EINTR ? -1 : 0;
}

static void channel_poke(void *context, uint32_t vm)
{
	struct exec_channel *channel = context;

	if (vm < EXEC_VMS) {
		_Atomic uint32_t *word = &channel->shared->replies[vm].bell;

		atomic_fetch_add(word, EXEC_POKE);
		heard[vm] += EXEC_POKE; /* it is not news to who poked */
		(void)syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
	}
}

void exec_channel_init(struct exec_channel *channel, struct exec_shared *shared, int fd,
		       struct hvc_kvm_channel *out)
{
	channel->shared = shared;
	channel->fd = fd;
	*out = (struct hvc_kvm_channel){
		.size = sizeof(*out),
		.send = channel_send,
		.receive = channel_receive,
		.poke = channel_poke,
		.context = channel,
	};
}
