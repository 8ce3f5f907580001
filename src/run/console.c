/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The terminal: raw for the guest, restored on every way out, that by a deadly signal included.
 * Output processing stays on, so that lines of ours need no carriage return.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "run.h"

#define CTRL_A '\001'
#define CTRL_C '\003'

/* For the ways out that have no argument: exit() and deadly signals. */
static struct termios saved;
static volatile sig_atomic_t is_raw;

/* tcsetattr() is async-signal-safe. */
static void restore(void)
{
	if (is_raw) {
		is_raw = 0;
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &saved);
	}
}

static bool make_raw(void)
{
	struct termios raw = saved;

	raw.c_iflag &= ~(tcflag_t)(BRKINT | ICRNL | INLCR | IGNCR | INPCK | ISTRIP | IXON);
	raw.c_cflag |= CS8;
	raw.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | IEXTEN | ISIG);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	is_raw = 1;
	if (tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) < 0) {
		is_raw = 0;
	}
	return is_raw != 0;
}

void run_console_open(struct run_console *console)
{
	*console = (struct run_console){0};
	console->input = true;
	if (!isatty(STDIN_FILENO)) {
		return;
	}
	/* In the background: reading or setting the terminal would stop us. */
	if (tcgetpgrp(STDIN_FILENO) != getpgrp() || tcgetattr(STDIN_FILENO, &saved) < 0) {
		console->input = false;
		return;
	}
	console->terminal = run_at_end(restore) && make_raw();
}

void run_console_resume(struct run_console *console)
{
	if (console->terminal && tcgetpgrp(STDIN_FILENO) == getpgrp()) {
		make_raw();
	}
}

void run_console_close(struct run_console *console)
{
	restore();
	console->terminal = false;
}

size_t run_console_filter(struct run_console *console, char *data, size_t count, bool *end)
{
	size_t kept = 0;

	if (!console->terminal) {
		return count;
	}
	for (size_t i = 0; i < count && !*end; i++) {
		const char key = data[i];

		if (console->escape) {
			console->escape = false;
			if (key == 'x') {
				*end = true;
			} else if (key == 'c') {
				data[kept++] = CTRL_C;
			} else if (key == CTRL_A) {
				data[kept++] = CTRL_A;
			}
		} else if (key == CTRL_A) {
			console->escape = true;
		} else if (key == CTRL_C) {
			*end = true;
		} else {
			data[kept++] = key;
		}
	}
	return kept;
}
