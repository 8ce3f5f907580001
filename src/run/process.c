/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QEMU as a child that cannot outlive us: killed when we die, in a process group of its own so that
 * Ctrl-C reaches only us, without new privileges, confined (confine.c), and with no descriptor but those it
 * is given.
 *
 * What is started as QEMU may be a script that starts QEMU as its child. At the end the whole process group is killed,
 * and then what has left the group: orphans become our children (subreaper), and we have no other ones.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run.h"

struct pipes {
	int in[2], out[2], err[2], status[2];
};

static void close_pair(int pair[2])
{
	for (int i = 0; i < 2; i++) {
		if (pair[i] >= 0) {
			close(pair[i]);
		}
	}
}

static void close_pipes(struct pipes *pipes)
{
	close_pair(pipes->in);
	close_pair(pipes->out);
	close_pair(pipes->err);
	close_pair(pipes->status);
}

static bool open_pipes(struct pipes *pipes)
{
	*pipes = (struct pipes){{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}};
	if (pipe2(pipes->in, O_CLOEXEC) == 0 && pipe2(pipes->out, O_CLOEXEC) == 0 &&
	    pipe2(pipes->err, O_CLOEXEC) == 0 && pipe2(pipes->status, O_CLOEXEC) == 0) {
		return true;
	}
	run_fail("cannot make pipes: %s", strerror(errno));
	close_pipes(pipes);
	return false;
}

/* In the child, after fork(): only what is safe there. Says what failed by errno through the pipe. */
static void become(const struct run_args *args, const int *keep, size_t keep_count,
		   const struct pipes *pipes, pid_t parent, int confinement)
{
	const struct rlimit no_core = {0, 0};
	sigset_t none;
	int error;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent) {
		_exit(127);
	}
	setpgid(0, 0);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	setrlimit(RLIMIT_CORE, &no_core);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (dup2(pipes->in[0], 0) < 0 || dup2(pipes->out[1], 1) < 0 || dup2(pipes->err[1], 2) < 0) {
		goto failed;
	}
	/* Descriptors we inherited ourselves without close-on-exec. Older kernels: they stay open. */
	close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
	for (size_t i = 0; i < keep_count; i++) {
		if (fcntl(keep[i], F_SETFD, 0) < 0) {
			goto failed;
		}
	}
	if (!run_confine_enter(confinement)) {
		goto failed;
	}
	execvp(args->argv[0], args->argv);
failed:
	error = errno;
	while (write(pipes->status[1], &error, sizeof(error)) < 0 && errno == EINTR) {
	}
	_exit(127);
}

/* 0 when the program was started, else why not. */
static int exec_error(int fd)
{
	int error = 0;
	ssize_t n;

	do {
		n = read(fd, &error, sizeof(error));
	} while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(error) ? error : 0;
}

/* Our children's PIDs; a kernel without CONFIG_PROC_CHILDREN tells none. */
static size_t read_children(pid_t *pids, size_t room)
{
	char path[64], text[4096], *at = text;
	size_t count = 0;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0) {
		close(fd);
	}
	text[n < 0 ? 0 : n] = '\0';
	while (count < room) {
		char *end;
		const long pid = strtol(at, &end, 10);

		/* A number cut off by the end of the buffer is not one. */
		if (end == at || *end != ' ') {
			break;
		}
		pids[count++] = (pid_t)pid;
		at = end;
	}
	return count;
}

static bool adopts;

/* Not if we were started with children, by an exec of who had them: theirs would come to us, too. */
static void adopt_orphans(void)
{
	pid_t first;

	if (!adopts && read_children(&first, 1) == 0) {
		adopts = prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0;
	}
}

/* Each one killed may leave us children of its own; a child that is not one of these is gone at once. */
static void kill_orphans(void)
{
	for (int round = 0; adopts && round < 64; round++) {
		pid_t pids[64];
		const size_t count = read_children(pids, sizeof(pids) / sizeof(pids[0]));

		for (size_t i = 0; i < count; i++) {
			kill(pids[i], SIGKILL);
		}
		for (size_t i = 0; i < count; i++) {
			while (waitpid(pids[i], NULL, 0) < 0 && errno == EINTR) {
			}
		}
		if (count == 0) {
			return;
		}
	}
}

bool run_child_start(const struct run_args *args, const int *keep, size_t keep_count,
		     struct run_child *child)
{
	struct pipes pipes;
	const pid_t parent = getpid();
	pid_t pid;
	int error, confinement;

	*child = (struct run_child){.in = -1, .out = -1, .err = -1};
	if (!open_pipes(&pipes)) {
		return false;
	}
	adopt_orphans();
	confinement = run_confine_open(args->argv[0]);
	pid = fork();
	if (pid == 0) {
		become(args, keep, keep_count, &pipes, parent, confinement);
	}
	if (confinement >= 0) {
		close(confinement);
	}
	if (pid < 0) {
		run_fail("cannot start a process: %s", strerror(errno));
		close_pipes(&pipes);
		return false;
	}
	close(pipes.status[1]);
	pipes.status[1] = -1;
	error = exec_error(pipes.status[0]);
	child->pid = pid;
	if (error != 0) {
		run_child_end(child);
		close_pipes(&pipes);
		if (error == ENOENT && strchr(args->argv[0], '/') == NULL) {
			return run_fail(
				"%s is not installed: on Debian it is in the package qemu-system-arm",
				args->argv[0]);
		}
		return run_fail("cannot start %s: %s", args->argv[0], strerror(error));
	}
	child->in = pipes.in[1];
	child->out = pipes.out[0];
	child->err = pipes.err[0];
	pipes.in[1] = pipes.out[0] = pipes.err[0] = -1;
	close_pipes(&pipes);
	return true;
}

static void close_one(int *fd)
{
	if (*fd >= 0) {
		close(*fd);
	}
	*fd = -1;
}

int run_child_kill(struct run_child *child)
{
	int status = -1;

	if (child->pid > 0) {
		/* Not yet waited for, so the PID is still the child's, running or not, and its group's. */
		kill(child->pid, SIGKILL);
		kill(-child->pid, SIGKILL);
		while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR) {
		}
		child->pid = 0;
		kill_orphans();
	}
	return status;
}

bool run_child_ended(struct run_child *child, int *status)
{
	siginfo_t info = {.si_pid = 0};

	if (child->pid <= 0 ||
	    waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
	    info.si_pid != child->pid) {
		return false;
	}
	*status = run_child_kill(child);
	return true;
}

int run_child_end(struct run_child *child)
{
	const int status = run_child_kill(child);

	close_one(&child->in);
	close_one(&child->out);
	close_one(&child->err);
	return status;
}
