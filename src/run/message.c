/* SPDX-License-Identifier: BSD-2-Clause */
/* What this command says to people, and the few helpers that cannot fail. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "run.h"

static char *into;
static size_t into_size;

void run_say_into(char *text, size_t size)
{
	into = text;
	into_size = size;
}

static void say(const char *format, va_list list)
{
	char *text = NULL;

	if (into != NULL) {
		vsnprintf(into, into_size, format, list);
		return;
	}
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

size_t run_utf8_length(const char *text)
{
	static const struct {
		unsigned char lead, lead_last, second, second_last, bytes;
	} forms[] = {
		{0x01, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2},
		{0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
		{0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
		{0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4},
		{0xf4, 0xf4, 0x80, 0x8f, 4},
	};
	const unsigned char *s = (const unsigned char *)text;

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		size_t n = 1;

		if (s[0] < forms[i].lead || s[0] > forms[i].lead_last) {
			continue;
		}
		if (forms[i].bytes > 1 && (s[1] < forms[i].second || s[1] > forms[i].second_last)) {
			return 0;
		}
		/* The text ends in NUL, which is none of these. */
		for (n = 2; n < forms[i].bytes; n++) {
			if ((s[n] & 0xc0) != 0x80) {
				return 0;
			}
		}
		return forms[i].bytes;
	}
	return 0;
}

void run_make_harmless(char *text)
{
	while (*text != '\0') {
		const unsigned char *s = (const unsigned char *)text;
		const size_t length = run_utf8_length(text);

		if (length == 0 || (length == 1 && (s[0] < 0x20 || s[0] == 0x7f) && s[0] != '\n' &&
				    s[0] != '\t')) {
			*text++ = '?';
		} else if (length == 2 && s[0] == 0xc2 && s[1] <= 0x9f) {
			*text++ = '?';
			*text++ = '?';
		} else {
			text += length;
		}
	}
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
