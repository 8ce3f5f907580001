/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptors and times of the keeper. Few of each, so lists do. */
#define _GNU_SOURCE
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "keeper_loop.h"

struct watched {
	int fd; /* -1: free */
	short events;
	keeper_fd_call *call;
	void *context;
	uint64_t
		since; /* a turn does not call who came in it: its poll() knew another file by this number */
};

struct keeper_loop {
	struct watched *watched;
	struct pollfd *polled; /* as many */
	size_t count, room;
	uint64_t turn;
	struct keeper_timer *timers; /* ascending by time */
};

struct keeper_loop *keeper_loop_new(void)
{
	struct keeper_loop *loop = run_realloc(NULL, sizeof(*loop));

	*loop = (struct keeper_loop){.turn = 1};
	return loop;
}

void keeper_loop_free(struct keeper_loop *loop)
{
	if (loop != NULL) {
		free(loop->watched);
		free(loop->polled);
		free(loop);
	}
}

static struct watched *find(struct keeper_loop *loop, int fd)
{
	for (size_t i = 0; i < loop->count; i++) {
		if (loop->watched[i].fd == fd) {
			return &loop->watched[i];
		}
	}
	return NULL;
}

static struct watched *add(struct keeper_loop *loop)
{
	struct watched *entry = find(loop, -1);

	if (entry != NULL) {
		return entry;
	}
	if (loop->count == loop->room) {
		loop->room = loop->room == 0 ? 16 : 2 * loop->room;
		loop->watched = run_realloc(loop->watched, loop->room * sizeof(*loop->watched));
		loop->polled = run_realloc(loop->polled, loop->room * sizeof(*loop->polled));
	}
	return &loop->watched[loop->count++];
}

void keeper_watch(struct keeper *keeper, int fd, short events, keeper_fd_call *call, void *context)
{
	struct keeper_loop *loop = keeper->loop;
	struct watched *entry = find(loop, fd);
	const uint64_t since = entry != NULL ? entry->since : loop->turn;

	if (fd < 0) {
		return;
	}
	entry = entry != NULL ? entry : add(loop);
	*entry = (struct watched){fd, events, call, context, since};
}

void keeper_unwatch(struct keeper *keeper, int fd)
{
	struct watched *entry = fd < 0 ? NULL : find(keeper->loop, fd);

	if (entry != NULL) {
		*entry = (struct watched){.fd = -1};
	}
}

void keeper_timer_stop(struct keeper *keeper, struct keeper_timer *timer)
{
	struct keeper_timer **at = &keeper->loop->timers;

	while (timer->set && *at != NULL) {
		if (*at == timer) {
			*at = timer->next;
			break;
		}
		at = &(*at)->next;
	}
	timer->set = false;
}

void keeper_timer_set(struct keeper *keeper, struct keeper_timer *timer, uint64_t due_ns)
{
	struct keeper_timer **at = &keeper->loop->timers;

	keeper_timer_stop(keeper, timer);
	while (*at != NULL && (*at)->due_ns <= due_ns) {
		at = &(*at)->next;
	}
	timer->due_ns = due_ns;
	timer->next = *at;
	timer->set = true;
	*at = timer;
}

/* Milliseconds until the next time, rounded up so that it is over then. */
static int patience(const struct keeper_loop *loop, int longest_ms)
{
	const uint64_t now = run_now_ns();
	uint64_t left;

	if (loop->timers == NULL) {
		return longest_ms;
	}
	left = loop->timers->due_ns > now ? (loop->timers->due_ns - now + 999999) / 1000000 : 0;
	if (longest_ms >= 0 && left > (uint64_t)longest_ms) {
		return longest_ms;
	}
	return left > 3600000 ? 3600000 : (int)left;
}

static void serve_timers(struct keeper *keeper)
{
	const uint64_t now = run_now_ns();
	struct keeper_timer *timer;

	/* Bounded: who always sets another time does not keep the loop here. */
	for (int round = 0; round < 1024; round++) {
		timer = keeper->loop->timers;
		if (timer == NULL || timer->due_ns > now) {
			return;
		}
		keeper_timer_stop(keeper, timer);
		timer->call(keeper, timer->context);
	}
}

void keeper_loop_turn(struct keeper *keeper, int longest_ms)
{
	struct keeper_loop *loop = keeper->loop;
	const size_t count = loop->count;
	int ready;

	loop->turn++;
	for (size_t i = 0; i < count; i++) {
		loop->polled[i] = (struct pollfd){.fd = loop->watched[i].fd,
						  .events = loop->watched[i].events};
	}
	ready = poll(loop->polled, (nfds_t)count, patience(loop, longest_ms));
	for (size_t i = 0; i < count && ready > 0; i++) {
		const struct pollfd polled = loop->polled[i];
		const struct watched entry = loop->watched[i];

		if (polled.revents != 0 && entry.fd == polled.fd && entry.since < loop->turn) {
			entry.call(keeper, entry.context, entry.fd, polled.revents);
		}
	}
	serve_timers(keeper);
}
