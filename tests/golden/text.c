/* SPDX-License-Identifier: BSD-2-Clause */
#define _POSIX_C_SOURCE 200809L
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "golden.h"

void *must(void *memory)
{
	if (memory == NULL) {
		fputs("golden: out of memory\n", stderr);
		exit(2);
	}
	return memory;
}

void text_put(struct text *text, const char *format, ...)
{
	va_list args, again;
	int length;

	va_start(args, format);
	va_copy(again, args);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (text->length + (size_t)length + 1 > text->capacity) {
		text->capacity = (text->length + (size_t)length + 1) * 2;
		text->bytes = must(realloc(text->bytes, text->capacity));
	}
	vsnprintf(text->bytes + text->length, (size_t)length + 1, format, again);
	va_end(again);
	text->length += (size_t)length;
}

char *text_copy(const char *bytes)
{
	return must(strdup(bytes));
}

char *text_take(struct text *text)
{
	char *copy = text_copy(text->length != 0 ? text->bytes : "");

	text->length = 0;
	return copy;
}
