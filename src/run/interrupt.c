/* SPDX-License-Identifier: BSD-2-Clause */
/* What ends a run from outside: signals, read from a descriptor where it suits. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "run.h"

static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

bool run_interrupt_open(int *fd)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]); i++) {
		struct sigaction now;

		/* Who started us with a signal ignored (nohup) wants it ignored. */
		if (sigaction(ending[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN) {
			sigaddset(&set, ending[i]);
		}
	}
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGCONT);
	signal(SIGCHLD, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0) {
		return run_fail("cannot block signals: %s", strerror(errno));
	}
	*fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (*fd < 0) {
		return run_fail("cannot make a signalfd: %s", strerror(errno));
	}
	return true;
}

int run_interrupt_read(int fd, bool *child_changed, bool *continued)
{
	struct signalfd_siginfo info;
	int end = 0;

	*child_changed = false;
	*continued = false;
	while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGCHLD) {
			*child_changed = true;
		} else if (info.ssi_signo == SIGCONT) {
			*continued = true;
		} else {
			end = (int)info.ssi_signo;
		}
	}
	return end;
}

void run_interrupt_raise(int signal_number)
{
	sigset_t set;

	signal(signal_number, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, signal_number);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	raise(signal_number);
	_exit(128 + signal_number);
}
