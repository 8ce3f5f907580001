/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * usage: syscalls OUT COMMAND...
 *
 * Runs COMMAND and counts the system calls of each thread of it and of what it starts, by ptrace. OUT gets, for each
 * thread and each program of one:
 *   thread PROCESS NAME     PROCESS is 1 for COMMAND's own, which execve() does not change
 *   call NUMBER COUNT       as the machine numbers them
 *   ioctl REQUEST COUNT     those of them, by request
 *   interrupted COUNT       KVM_RUN that ended with EINTR, if there are any
 * Exits with COMMAND's status.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define TASKS    256
#define CALLS    512
#define REQUESTS 256
#define OPTIONS                                                                                   \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | \
	 PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL)

struct task {
	pid_t tid; /* 0: free */
	pid_t process;
	bool counts; /* not before COMMAND is there */
	bool runs;   /* is in KVM_RUN */
	char name[32];
	unsigned long calls[CALLS];
	unsigned long request[REQUESTS], requests[REQUESTS];
	unsigned long interrupted;
};

static struct task tasks[TASKS];
static pid_t processes[TASKS]; /* in the order that they were seen in */
static FILE *out;

static void __attribute__((noreturn)) fail(const char *what)
{
	fprintf(stderr, "syscalls: %s: %s\n", what, strerror(errno));
	exit(125);
}

/* A line of /proc/TID/status. */
static bool status_line(pid_t tid, const char *key, char *value, size_t size)
{
	char path[64], line[256];
	const size_t length = strlen(key);
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)tid);
	file = fopen(path, "r");
	while (file != NULL && !found && fgets(line, sizeof(line), file) != NULL) {
		found = strncmp(line, key, length) == 0;
	}
	if (file != NULL) {
		fclose(file);
	}
	if (found) {
		line[strcspn(line, "\n")] = '\0';
		snprintf(value, size, "%s", line + length + strspn(line + length, "\t "));
	}
	return found;
}

static void look(struct task *task)
{
	char value[32];

	(void)status_line(task->tid, "Name:", task->name, sizeof(task->name));
	if (status_line(task->tid, "Tgid:", value, sizeof(value))) {
		task->process = (pid_t)strtol(value, NULL, 10);
	}
}

static struct task *find(pid_t tid)
{
	struct task *empty = NULL;

	for (unsigned int i = 0; i < TASKS; i++) {
		if (tasks[i].tid == tid) {
			return &tasks[i];
		}
		if (empty == NULL && tasks[i].tid == 0) {
			empty = &tasks[i];
		}
	}
	if (empty == NULL) {
		errno = ENOSPC;
		fail("more threads than this can count");
	}
	memset(empty, 0, sizeof(*empty));
	empty->tid = tid;
	empty->counts = processes[0] != 0;
	look(empty);
	return empty;
}

static unsigned int process_number(pid_t process)
{
	unsigned int i = 0;

	while (i < TASKS - 1 && processes[i] != 0 && processes[i] != process) {
		i++;
	}
	processes[i] = process;
	return i + 1;
}

/* What is counted is written, and counting begins anew. */
static void write_out(struct task *task)
{
	if (task->counts) {
		fprintf(out, "thread %u %s\n", process_number(task->process), task->name);
		for (unsigned int i = 0; i < CALLS; i++) {
			if (task->calls[i] != 0) {
				fprintf(out, "call %u %lu\n", i, task->calls[i]);
			}
		}
		for (unsigned int i = 0; i < REQUESTS && task->requests[i] != 0; i++) {
			fprintf(out, "ioctl %lx %lu\n", task->request[i], task->requests[i]);
		}
		if (task->interrupted != 0) {
			fprintf(out, "interrupted %lu\n", task->interrupted);
		}
	}
	memset(task->calls, 0, sizeof(task->calls));
	memset(task->requests, 0, sizeof(task->requests));
	task->interrupted = 0;
}

static void count_ioctl(struct task *task, unsigned long request)
{
	unsigned int i = 0;

	while (task->requests[i] != 0 && task->request[i] != request) {
		if (++i == REQUESTS) {
			errno = ENOSPC;
			fail("more kinds of ioctl than this can count");
		}
	}
	task->request[i] = request;
	task->requests[i]++;
	task->runs = request == KVM_RUN;
}

static void at_call(struct task *task)
{
	struct __ptrace_syscall_info info = {0};

	if (ptrace(PTRACE_GET_SYSCALL_INFO, task->tid, sizeof(info), &info) < 0) {
		return; /* killed meanwhile */
	}
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
		if (info.entry.nr >= CALLS) {
			errno = ERANGE;
			fail("number of a system call");
		}
		task->calls[info.entry.nr]++;
		if (info.entry.nr == SYS_ioctl) {
			count_ioctl(task, (unsigned int)info.entry.args[1]);
		}
	} else if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
		task->interrupted += task->runs && info.exit.rval == -EINTR;
		task->runs = false;
	}
}

/* Another program: what its process did before stays under the name of then. What led to COMMAND is nobody's. */
static void at_exec(struct task *task)
{
	write_out(task);
	if (processes[0] == 0) {
		(void)process_number(task->process);
		task->counts = true;
	}
	look(task);
}

static void stopped(pid_t tid, int status)
{
	struct task *task = find(tid);
	const int event = status >> 16, number = WSTOPSIG(status);
	long signal_number = 0;
	unsigned int request = PTRACE_SYSCALL;

	if (number == (SIGTRAP | 0x80)) {
		at_call(task);
	} else if (event == PTRACE_EVENT_EXEC) {
		at_exec(task);
	} else if (event == PTRACE_EVENT_EXIT) {
		if (task->counts) {
			look(task); /* threads are given names late */
		}
	} else if (event == PTRACE_EVENT_STOP && number != SIGTRAP) {
		request = PTRACE_LISTEN;
	} else if (event == 0) {
		signal_number = number;
	}
	(void)ptrace((enum __ptrace_request)request, tid, NULL, signal_number);
}

static pid_t start(char **command)
{
	pid_t child;
	int ends[2];
	char byte;

	if (pipe(ends) < 0 || (child = fork()) < 0) {
		fail("fork");
	}
	if (child == 0) {
		close(ends[1]);
		(void)!read(ends[0], &byte, 1);
		close(ends[0]);
		/* Where something is mapped decides how many calls a loader needs. */
		(void)personality(ADDR_NO_RANDOMIZE);
		execvp(command[0], command);
		fail(command[0]);
	}
	close(ends[0]);
	if (ptrace(PTRACE_SEIZE, child, NULL, OPTIONS) < 0 ||
	    ptrace(PTRACE_INTERRUPT, child, NULL, NULL) < 0) {
		fail("ptrace");
	}
	close(ends[1]);
	return child;
}

int main(int argc, char **argv)
{
	int result = 125, status;
	pid_t first, tid;

	if (argc < 3) {
		fputs("usage: syscalls OUT COMMAND...\n", stderr);
		return 125;
	}
	out = fopen(argv[1], "we");
	if (out == NULL) {
		fail(argv[1]);
	}
	first = start(argv + 2);
	while ((tid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
		if (tid > 0 && WIFSTOPPED(status)) {
			stopped(tid, status);
		} else if (tid > 0) {
			struct task *task = find(tid);

			write_out(task);
			task->tid = 0;
			if (tid == first) {
				result = WIFEXITED(status) ? WEXITSTATUS(status)
							   : 128 + WTERMSIG(status);
			}
		}
	}
	return fclose(out) == 0 ? result : 125;
}
