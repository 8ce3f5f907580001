/* SPDX-License-Identifier: BSD-2-Clause */
/* The thread that sees KVM_RUN sleep: internal.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "internal.h"

static struct {
	bool started;
	pid_t process, runner; /* the thread that runs vCPUs */
	int stat, status;      /* of /proc/self/task/RUNNER */
	int signal;
	unsigned long endless; /* ticks of CPU time */
	_Atomic unsigned long
		switches;          /* times that the runner had gone to sleep before its turn */
	_Atomic unsigned int turn; /* odd: the runner is in KVM_RUN */
	_Atomic bool asleep;       /* the watcher is, until the turn changes */
	_Atomic unsigned int turn_found;
	_Atomic int found; /* enum watch_finding of turn_found */
} watch;

static long futex(int operation, unsigned int value)
{
	return syscall(SYS_futex, &watch.turn, operation | FUTEX_PRIVATE_FLAG, value, NULL, NULL,
		       0);
}

/* The runner's state, 'S' or 'R' or ..., and the CPU time it has had. 0: not to be read. */
static char state_of_runner(unsigned long *ticks)
{
	/* "PID (NAME) S PPID ... UTIME STIME ...": proc(5); these two are 11 and 12 behind the state. */
	enum { USER_TIME = 11 };
	char text[512];
	const ssize_t got = pread(watch.stat, text, sizeof(text) - 1, 0);

	if (got <= 0) {
		return 0;
	}
	text[got] = 0;
	const char *field = strrchr(text, ')');
	if (field == NULL || field[1] != ' ') {
		return 0;
	}
	const char state = field[2];
	field += 2;
	for (unsigned int n = 0; n < USER_TIME && field != NULL; n++) {
		field = strchr(field + 1, ' ');
	}
	if (field != NULL) {
		char *end;

		*ticks = strtoul(field, &end, 10);
		*ticks += strtoul(end, NULL, 10);
	}
	return state;
}

/*
 * It has gone to sleep since its turn began: 'S' alone is said of one, too, that was about to look whether it has to and
 * lost its CPU there, as on the way through KVM's request of a vCPU that was off.
 */
static bool has_gone_to_sleep(void)
{
	static const char name[] = "\nvoluntary_ctxt_switches:";
	char text[4096];
	const ssize_t got = pread(watch.status, text, sizeof(text) - 1, 0);

	if (got <= 0) {
		return false;
	}
	text[got] = 0;
	const char *field = strstr(text, name);
	return field == NULL || /* a /proc that does not tell */
	       strtoul(field + sizeof(name) - 1, NULL, 10) > atomic_load(&watch.switches);
}

/* A signal that comes where the runner slept on its way into KVM_RUN ends nothing there: again, now and then. One too
 * many is another signal to enter(), which goes on. */
static void end_turn(unsigned int turn)
{
	enum { YIELDS = 4096 };

	for (unsigned int n = 0; atomic_load(&watch.turn) == turn; n++) {
		if (n % YIELDS == 0) {
			(void)syscall(SYS_tgkill, watch.process, watch.runner, watch.signal);
		}
		sched_yield();
	}
}

/* The runner is in KVM_RUN, until `turn` changes. */
static void watch_turn(unsigned int turn)
{
	unsigned long first = 0, ticks = 0;
	bool looked = false;

	while (atomic_load(&watch.turn) == turn) {
		const char state = state_of_runner(&ticks);
		enum watch_finding found = WATCH_NOTHING;

		if (!looked) {
			first = ticks;
			looked = true;
		}
		if (state == 'S' && has_gone_to_sleep()) {
			found = WATCH_ASLEEP;
		} else if (ticks - first > watch.endless) {
			found = WATCH_ENDLESS;
		}
		/* The state is that of this turn only if the turn is not over. */
		if (found != WATCH_NOTHING && atomic_load(&watch.turn) == turn) {
			atomic_store(&watch.found, (int)found);
			atomic_store(&watch.turn_found, turn);
			end_turn(turn);
			return;
		}
		sched_yield();
	}
}

static void *watcher(void *unused)
{
	const struct sched_param priority = {.sched_priority = 0};

	(void)unused;
	(void)sched_setscheduler(0, SCHED_IDLE, &priority);
	for (;;) {
		const unsigned int turn = atomic_load(&watch.turn);

		if (turn % 2 == 1) {
			watch_turn(turn);
			continue;
		}
		atomic_store(&watch.asleep, true);
		(void)futex(FUTEX_WAIT, turn);
		atomic_store(&watch.asleep, false);
	}
	return NULL;
}

static void on_signal(int number)
{
	(void)number; /* that it came is enough: KVM_RUN ends with EINTR */
}

static int start_thread(void)
{
	pthread_attr_t attributes;
	pthread_t thread;
	sigset_t all, before;

	/* Signals of the process are the other threads'. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	const int error = pthread_create(&thread, &attributes, watcher, NULL);
	pthread_attr_destroy(&attributes);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

int kvm_watch_start(void)
{
	const struct sigaction action = {.sa_handler = on_signal};
	char path[64];
	sigset_t ours;

	if (watch.started) {
		return 0;
	}
	watch.process = getpid();
	watch.runner = (pid_t)syscall(SYS_gettid);
	watch.signal = SIGRTMIN + 3;
	watch.endless = WATCH_CPU_SECONDS * (unsigned long)sysconf(_SC_CLK_TCK);
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)watch.runner);
	watch.stat = open(path, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/self/task/%d/status", (int)watch.runner);
	watch.status = open(path, O_RDONLY | O_CLOEXEC);
	if (watch.stat < 0 || watch.status < 0) {
		return errno;
	}
	sigemptyset(&ours);
	sigaddset(&ours, watch.signal);
	int error = sigaction(watch.signal, &action, NULL) == 0 ? 0 : errno;
	if (error == 0) {
		error = pthread_sigmask(SIG_UNBLOCK, &ours, NULL);
	}
	if (error == 0) {
		error = start_thread();
	}
	if (error != 0) {
		close(watch.stat);
		close(watch.status);
		return error;
	}
	watch.started = true;
	return 0;
}

void kvm_watch_begin(void)
{
	struct rusage usage;

	if (getrusage(RUSAGE_THREAD, &usage) == 0) {
		atomic_store(&watch.switches, (unsigned long)usage.ru_nvcsw);
	}
	atomic_fetch_add(&watch.turn, 1);
	if (atomic_load(&watch.asleep)) {
		(void)futex(FUTEX_WAKE, 1);
	}
}

enum watch_finding kvm_watch_end(void)
{
	const unsigned int turn = atomic_fetch_add(&watch.turn, 1);

	return atomic_load(&watch.turn_found) == turn
		       ? (enum watch_finding)atomic_load(&watch.found)
		       : WATCH_NOTHING;
}
