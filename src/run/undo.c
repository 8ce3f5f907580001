/* SPDX-License-Identifier: BSD-2-Clause */
/* What must not stay behind, whichever way this process ends: by exit() or by a deadly signal. */
#define _GNU_SOURCE
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>

#include "run.h"

#define UNDO_MAX 4

static const int deadly[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};
static void (*undo[UNDO_MAX])(void);
static volatile sig_atomic_t undo_count;

static void undo_all(void)
{
	for (int i = 0; i < undo_count; i++) {
		undo[i]();
	}
}

/* The action is reset, so the signal kills after this. */
static void on_deadly(int number)
{
	undo_all();
	raise(number);
}

bool run_at_end(void (*function)(void))
{
	const struct sigaction action = {.sa_handler = on_deadly, .sa_flags = (int)SA_RESETHAND};

	for (int i = 0; i < undo_count; i++) {
		if (undo[i] == function) {
			return true;
		}
	}
	if (undo_count == UNDO_MAX || (undo_count == 0 && atexit(undo_all) != 0)) {
		return false;
	}
	for (size_t i = 0; undo_count == 0 && i < sizeof(deadly) / sizeof(deadly[0]); i++) {
		struct sigaction now;

		/* A sanitizer has handlers of its own. */
		if (sigaction(deadly[i], NULL, &now) == 0 && now.sa_handler == SIG_DFL) {
			sigaction(deadly[i], &action, NULL);
		}
	}
	undo[undo_count] = function;
	undo_count++;
	return true;
}
