/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keeper of `hvcgate exec`: a process beside the VMM, in a session of its own, that ends when the VMM has. One thread,
 * one loop (keeper_loop.c): descriptors with a function each, and times. What it does is in parts (struct keeper_part):
 * handlers, `ctl`, trace and summary; keeper.c is its life.
 *
 * Nothing in it may block: files of ours are written by sinks (run.h), sockets do not wait.
 */
#ifndef HVCGATE_KVM_EXEC_KEEPER_H
#define HVCGATE_KVM_EXEC_KEEPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <hvcgate/policy.h>

#include "../../run/run.h"
#include "../host/plan_bytes.h"
#include "shared.h"

struct keeper;

/* --- keeper_loop.c. Functions may watch, unwatch, set and stop whatever they like, themselves, too. */
typedef void keeper_fd_call(struct keeper *keeper, void *context, int fd, short events);
/* Have `call` called when poll() reports of `fd` what is in `events` (POLLERR, POLLHUP, POLLNVAL always). Again for the
 * same descriptor: replaces. It stays the caller's, who unwatches it before closing it. */
void keeper_watch(struct keeper *keeper, int fd, short events, keeper_fd_call *call, void *context);
void keeper_unwatch(struct keeper *keeper, int fd);

/* A time; the caller's memory, zeroed at first, which stays where it is while it is set. */
struct keeper_timer {
	struct keeper_timer *next;
	uint64_t due_ns;
	void (*call)(struct keeper *keeper, void *context);
	void *context;
	bool set;
};
/* Once, at `due_ns` of run_now_ns() or soon after. Set again: moved. */
void keeper_timer_set(struct keeper *keeper, struct keeper_timer *timer, uint64_t due_ns);
void keeper_timer_stop(struct keeper *keeper, struct keeper_timer *timer);

/* --- keeper_parts.c lists the parts. What a part does not need is NULL. */
struct keeper_part {
	const char *name;
	/* In the keeper, before the VMM begins, the descriptors of the launcher still open. False: `why` says what is
	 * wrong and what would be right, and the VMM is not started. */
	bool (*start)(struct keeper *keeper, char *why, size_t size);
	/* The VMM has ended; what it wrote can still be read. */
	void (*stop)(struct keeper *keeper);
	void *state; /* the part's own */
};
extern struct keeper_part *const keeper_parts[]; /* ends in NULL */

/* --- keeper.c */
struct keeper_options {
	const char *vmm;   /* for people: what is run */
	char *const *argv; /* of the VMM */
	bool trace, trace_json;
	int trace_fd; /* -1: stderr */
	enum run_format summary;
	int summary_fd; /* -1: stderr */
};

struct keeper {
	struct exec_shared *shared; /* the VMM writes in it, too */
	struct plan_view_of plan;
	const struct hvc_policy *policy;
	const struct keeper_options *options;
	int requests; /* our end; for the one part that answers them, which may close it */
	pid_t pid;    /* that was started; shared->pid, which made a VM, may be another */
	uint64_t started_ns;
	struct run_sink sinks[3]; /* stderr, trace, summary; unused ones have fd -1 */
	struct keeper_loop *loop;
	uint32_t whys_said; /* refusals, of shared->whys */
};

/* What the launcher has opened. The keeper closes what it does not need of that. */
struct keeper_start {
	struct exec_shared *shared;
	struct plan_view_of plan;
	const struct hvc_policy *policy;
	const struct keeper_options *options;
	int requests;
	int attention;
};
/* Fork the keeper of this process, which is to become the VMM, and wait until it is ready. False: said. */
bool keeper_fork(const struct keeper_start *start);

/* "hvcgate: ..." on stderr. */
void keeper_say(struct keeper *keeper, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
