/* SPDX-License-Identifier: BSD-2-Clause */
/* The keeper's life: made before the VMM begins, ends when the VMM has. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keeper.h"
#include "keeper_loop.h"

#define MS ((uint64_t)1000000)
/* How long last words may take when nobody reads them. */
#define FLUSH_NS (3000 * MS)
/* A process that made a VM may have left its parent: how often that is looked at when the parent has ended. */
#define LOOK_MS 200

/* What the keeper tells the launcher, once. */
struct verdict {
	bool ready;
	char why[512];
};

struct life {
	struct keeper keeper;
	int first,
		vmm; /* pidfds of the process that was started, of the one that made a VM; -1: none, or ended */
	int32_t vmm_pid; /* 0: no process has made a VM */
	bool hung_up;
};

/* --- For the parts. */

static void flush_sinks(struct keeper *keeper);

static void sink_ready(struct keeper *keeper, void *context, int fd, short events)
{
	struct run_sink *sink = context;

	(void)events;
	run_sink_flush(sink);
	if (sink->count == 0 || sink->failed) {
		keeper_unwatch(keeper, fd);
	}
}

static void flush_sinks(struct keeper *keeper)
{
	for (size_t i = 0; i < sizeof(keeper->sinks) / sizeof(keeper->sinks[0]); i++) {
		struct run_sink *sink = &keeper->sinks[i];

		if (sink->fd >= 0 && sink->count > 0 && !sink->failed) {
			keeper_watch(keeper, sink->fd, POLLOUT, sink_ready, sink);
		}
	}
}

void keeper_say(struct keeper *keeper, const char *format, ...)
{
	char *text = NULL, *line;
	va_list list;

	va_start(list, format);
	if (vasprintf(&text, format, list) < 0) {
		text = NULL;
	}
	va_end(list);
	if (text != NULL) {
		run_make_harmless(text);
		line = run_format("hvcgate: %s\n", text);
		run_sink_line(&keeper->sinks[0], line);
		free(line);
		free(text);
		flush_sinks(keeper);
	}
}

/* --- News. */

static void look_at_memory(struct keeper *keeper)
{
	struct exec_shared *shared = keeper->shared;
	const uint32_t whys = atomic_load_explicit(&shared->whys, memory_order_acquire);
	char why[sizeof(shared->why)];

	if (whys != keeper->whys_said) {
		keeper->whys_said = whys;
		memcpy(why, shared->why, sizeof(why));
		why[sizeof(why) - 1] = '\0';
		keeper_say(keeper, "refused to %s: %s", keeper->options->vmm, why);
	}
}

static void attention(struct keeper *keeper, void *context, int fd, short events)
{
	uint64_t count;

	(void)context;
	if (read(fd, &count, sizeof(count)) < 0 && (events & POLLIN) == 0) {
		keeper_unwatch(keeper, fd);
	}
	look_at_memory(keeper);
}

static void line_ended(struct keeper *keeper, void *context, int fd, short events)
{
	struct life *life = context;

	(void)events;
	life->hung_up = true;
	keeper_unwatch(keeper, fd);
}

/* --- Who may still run a VM. */

static int pidfd_of(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

static void process_ended(struct keeper *keeper, void *context, int fd, short events)
{
	struct life *life = context;
	int *which = fd == life->first ? &life->first : &life->vmm;

	(void)events;
	keeper_unwatch(keeper, fd);
	close(fd);
	*which = -1;
}

/* A wrapper may have forked the process that makes VMs, or that process may have sent its parent away (-daemonize). */
static void look_for_vmm(struct life *life)
{
	const int32_t pid = atomic_load_explicit(&life->keeper.shared->pid, memory_order_relaxed);

	if (pid == life->vmm_pid || pid <= 0) {
		return;
	}
	life->vmm_pid = pid;
	if (life->vmm >= 0) {
		keeper_unwatch(&life->keeper, life->vmm);
		close(life->vmm);
		life->vmm = -1;
	}
	if (pid == life->keeper.pid) {
		return;
	}
	life->vmm = pidfd_of(pid); /* -1: it has ended already */
	keeper_watch(&life->keeper, life->vmm, POLLIN, process_ended, life);
}

/* All that have the socket are gone; or all that could make a VM, or did. */
static bool is_over(const struct life *life)
{
	return life->first < 0 && life->vmm < 0 && (life->hung_up || life->vmm_pid != 0);
}

static void explain_end(struct keeper *keeper)
{
	struct exec_shared *shared = keeper->shared;
	const uint32_t stage = atomic_load_explicit(&shared->stage, memory_order_acquire);

	if (stage == EXEC_STARTED) {
		keeper_say(
			keeper,
			"%s ran without " EXEC_LIBRARY
			", so it could make no VM: is the library damaged, or did the loader say why not?",
			keeper->options->vmm);
	} else if (stage == EXEC_LOADED && atomic_load(&shared->pid) == 0 &&
		   atomic_load(&shared->left) == 0) {
		keeper_say(
			keeper,
			"%s lost " EXEC_LIBRARY
			", so it could make no VM: what it started is a static program, or was started with a "
			"clean environment (env -i, sudo) or in a chroot; let that start hvcgate exec",
			keeper->options->vmm);
	}
}

static bool sinks_pending(const struct keeper *keeper)
{
	for (size_t i = 0; i < sizeof(keeper->sinks) / sizeof(keeper->sinks[0]); i++) {
		if (keeper->sinks[i].fd >= 0 && keeper->sinks[i].count > 0 &&
		    !keeper->sinks[i].failed) {
			return true;
		}
	}
	return false;
}

static void finish(struct life *life)
{
	struct keeper *keeper = &life->keeper;
	const uint64_t last = run_now_ns() + FLUSH_NS;

	look_at_memory(keeper);
	for (size_t i = 0; keeper_parts[i] != NULL; i++) {
		if (keeper_parts[i]->stop != NULL) {
			keeper_parts[i]->stop(keeper);
		}
	}
	explain_end(keeper);
	flush_sinks(keeper);
	while (sinks_pending(keeper) && run_now_ns() < last) {
		keeper_loop_turn(keeper, 100);
	}
}

static void live(struct life *life)
{
	while (!is_over(life)) {
		/* Before anything else is seen of a process it has made its VM. */
		look_for_vmm(life);
		keeper_loop_turn(&life->keeper, life->first < 0 ? LOOK_MS : -1);
		look_for_vmm(life);
		flush_sinks(&life->keeper);
	}
	finish(life);
}

/* --- Its beginning. */

static bool start_parts(struct keeper *keeper, struct verdict *verdict)
{
	for (size_t i = 0; keeper_parts[i] != NULL; i++) {
		struct keeper_part *part = keeper_parts[i];

		if (part->start != NULL &&
		    !part->start(keeper, verdict->why, sizeof(verdict->why))) {
			return false;
		}
	}
	return true;
}

/* Others' descriptors are the VMM's business: somebody may wait for their last owner to end. */
static void close_others(const int *keep, size_t count)
{
	int from = 3;

	while (from >= 0) {
		int next = -1;

		for (size_t i = 0; i < count; i++) {
			if (keep[i] >= from && (next < 0 || keep[i] < next)) {
				next = keep[i];
			}
		}
		if (next != from) {
			syscall(SYS_close_range, from, next < 0 ? ~0u : (unsigned int)next - 1, 0);
		}
		from = next < 0 ? -1 : next + 1;
	}
}

static bool begin(struct life *life, const struct keeper_start *start, pid_t pid, int report,
		  struct verdict *verdict)
{
	struct keeper *keeper = &life->keeper;
	const int keep[] = {start->requests, start->attention, start->options->trace_fd,
			    start->options->summary_fd, report};
	const int null = open("/dev/null", O_RDWR);

	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	close_others(keep, sizeof(keep) / sizeof(keep[0]));
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	/* A service manager ends all of a service's processes at once; what this one has to say comes after. */
	signal(SIGTERM, SIG_IGN);
	*life = (struct life){.first = pidfd_of(pid), .vmm = -1};
	if (life->first < 0) {
		snprintf(verdict->why, sizeof(verdict->why), "pidfd_open: %s", strerror(errno));
		return false;
	}
	*keeper = (struct keeper){.shared = start->shared,
				  .plan = start->plan,
				  .policy = start->policy,
				  .options = start->options,
				  .requests = start->requests,
				  .pid = pid,
				  .started_ns = run_now_ns(),
				  .loop = keeper_loop_new()};
	run_sink_init(&keeper->sinks[0], STDERR_FILENO);
	run_sink_init(&keeper->sinks[1], start->options->trace_fd);
	run_sink_init(&keeper->sinks[2], start->options->summary_fd);
	keeper_watch(keeper, life->first, POLLIN, process_ended, life);
	keeper_watch(keeper, start->attention, POLLIN, attention, life);
	/* That nobody has the other end any more: a descriptor of its own, for a part watches `requests`, too. */
	keeper_watch(keeper, fcntl(keeper->requests, F_DUPFD_CLOEXEC, 3), 0, line_ended, life);
	return start_parts(keeper, verdict);
}

static void run_keeper(const struct keeper_start *start, pid_t pid, int report)
{
	struct verdict verdict = {.ready = false};
	struct life life;

	verdict.ready = begin(&life, start, pid, report, &verdict);
	if (write(report, &verdict, sizeof(verdict)) != (ssize_t)sizeof(verdict) ||
	    !verdict.ready) {
		_exit(1);
	}
	close(report);
	if (chdir("/") == 0) {
		live(&life);
	}
	_exit(0);
}

/* Twice, so that it is no child of the VMM, which may wait for all of its own. */
static bool fork_twice(const struct keeper_start *start, const int report[2])
{
	const pid_t pid = getpid(), child = fork();
	int status = 0;

	if (child < 0) {
		return run_fail("cannot fork: %s", strerror(errno));
	}
	if (child == 0) {
		setsid();
		close(report[0]);
		if (fork() == 0) {
			run_keeper(start, pid, report[1]);
		}
		_exit(0);
	}
	while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
	}
	return true;
}

bool keeper_fork(const struct keeper_start *start)
{
	struct verdict verdict = {.ready = false};
	int report[2];
	ssize_t n = 0;

	fflush(NULL);
	if (pipe2(report, O_CLOEXEC) < 0) {
		return run_fail("cannot make a pipe: %s", strerror(errno));
	}
	if (!fork_twice(start, report)) {
		close(report[0]);
		close(report[1]);
		return false;
	}
	close(report[1]);
	do {
		n = read(report[0], &verdict, sizeof(verdict));
	} while (n < 0 && errno == EINTR);
	close(report[0]);
	if (n != (ssize_t)sizeof(verdict)) {
		return run_fail("the keeper, the process beside the VMM, did not start");
	}
	verdict.why[sizeof(verdict.why) - 1] = '\0';
	return verdict.ready || run_fail("%s", verdict.why);
}
