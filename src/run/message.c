/* SPDX-License-Identifier: BSD-2-Clause */
/* What this command says to people, and the few helpers that cannot fail. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "run.h"

static void say(const char *format, va_list list)
{
	char *text = NULL;

	if (vasprintf(&text, format, list) < 0) {
		return;
	}
	fprintf(stderr, "hvcgate: %s\n", text);
	free(text);
}

void run_say(const char *format, ...)
{
	va_list list;

	va_start(list, format);
	say(format, list);
	va_end(list);
}

bool run_fail(const char *format, ...)
{
	va_list list;

	va_start(list, format);
	say(format, list);
	va_end(list);
	return false;
}

static void no_memory(void)
{
	fputs("hvcgate: out of memory\n", stderr);
	exit(2);
}

char *run_format(const char *format, ...)
{
	va_list list;
	char *text = NULL;

	va_start(list, format);
	if (vasprintf(&text, format, list) < 0) {
		no_memory();
	}
	va_end(list);
	return text;
}

void *run_realloc(void *memory, size_t bytes)
{
	void *grown = realloc(memory, bytes == 0 ? 1 : bytes);

	if (grown == NULL) {
		no_memory();
	}
	return grown;
}

bool run_colour(int fd)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	return isatty(fd) && (no_color == NULL || *no_color == '\0') &&
	       !(term != NULL && term[0] == 'd' && term[1] == 'u'); /* TERM=dumb */
}

uint64_t run_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
