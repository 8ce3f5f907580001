/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "diags.h"

struct entry {
	struct hvc_diag diag;
	unsigned int order;
	size_t sequence;
};

struct hvc_diags {
	struct arena arena;
	struct entry *entries;
	size_t count, capacity;
	size_t severity_count[3]; /* those beyond the bound too */
	bool oom;
};

struct hvc_diags *hvc_diags_new(void)
{
	return calloc(1, sizeof(struct hvc_diags));
}

void hvc_diags_free(struct hvc_diags *diags)
{
	if (diags == NULL) {
		return;
	}
	arena_free(&diags->arena);
	free(diags->entries);
	free(diags);
}

size_t hvc_diags_count(const struct hvc_diags *diags, enum hvc_severity severity)
{
	return (unsigned int)severity < 3 ? diags->severity_count[severity] : 0;
}

const struct hvc_diag *hvc_diags_at(const struct hvc_diags *diags, size_t n)
{
	return n < diags->count ? &diags->entries[n].diag : NULL;
}

bool diags_full(const struct hvc_diags *diags)
{
	return diags->severity_count[HVC_ERROR] > DIAGS_MAX;
}

bool diags_oom(const struct hvc_diags *diags)
{
	return diags->oom || diags->arena.oom;
}

size_t diags_total(const struct hvc_diags *diags)
{
	return diags->count;
}

/* What a file contains may stand in a message, but must not drive a terminal or fill it: control characters
 * (C0, DEL, C1 in UTF-8) become '?', and a long text is cut where a character ends. */
static void make_harmless(char *text)
{
	unsigned char *at = (unsigned char *)text;
	size_t length = strlen(text);

	if (length > DIAGS_MAX_TEXT) {
		for (length = DIAGS_MAX_TEXT; (at[length] & 0xc0) == 0x80; length--) {
		}
		memcpy(text + length, "...", 4);
	}
	for (; *at != '\0'; at++) {
		if (*at < 0x20 || *at == 0x7f) {
			*at = '?';
		} else if (at[0] == 0xc2 && at[1] >= 0x80 && at[1] <= 0x9f) {
			at[0] = at[1] = '?';
		}
	}
}

static void append(struct hvc_diags *diags, enum hvc_severity severity, const struct pol_mark *mark,
		   char *message)
{
	struct entry *entry;

	if (message == NULL ||
	    !array_reserve(&diags->entries, &diags->capacity, diags->count + 1, sizeof(*entry))) {
		diags->oom = true;
		return;
	}
	make_harmless(message);
	entry = &diags->entries[diags->count];
	entry->diag.severity = severity;
	entry->diag.file = arena_strndup(&diags->arena, mark->file, strlen(mark->file));
	entry->diag.line = mark->line;
	entry->diag.column = mark->column;
	entry->diag.message = message;
	entry->order = mark->order;
	entry->sequence = diags->count;
	if (entry->diag.file != NULL) {
		diags->count++;
	}
}

static char *format_message(struct arena *arena, const char *format, va_list args)
{
	va_list again;
	char *text;
	int length;

	va_copy(again, args);
	length = vsnprintf(NULL, 0, format, again);
	va_end(again);
	text = length < 0 ? NULL : arena_alloc(arena, (size_t)length + 1);
	if (text != NULL) {
		vsnprintf(text, (size_t)length + 1, format, args);
	}
	return text;
}

void diags_add(struct hvc_diags *diags, enum hvc_severity severity, const struct pol_mark *mark,
	       const char *format, ...)
{
	static const char *const names[] = {"errors", "warnings", "notes"};
	size_t seen = diags->severity_count[severity]++;
	struct pol_mark last = *mark;
	va_list args;

	if (seen > DIAGS_MAX) {
		return;
	}
	if (seen == DIAGS_MAX) {
		last.order = ~0u;
		append(diags, severity, &last,
		       arena_printf(&diags->arena, "too many %s: only the first %u are shown",
				    names[severity], DIAGS_MAX));
		return;
	}
	va_start(args, format);
	append(diags, severity, mark, format_message(&diags->arena, format, args));
	va_end(args);
}

static int compare(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;

	if (a->order != b->order) {
		return a->order < b->order ? -1 : 1;
	}
	if (a->diag.line != b->diag.line) {
		return a->diag.line < b->diag.line ? -1 : 1;
	}
	if (a->diag.column != b->diag.column) {
		return a->diag.column < b->diag.column ? -1 : 1;
	}
	return a->sequence < b->sequence ? -1 : 1;
}

void diags_sort(struct hvc_diags *diags, size_t from)
{
	if (from < diags->count) {
		qsort(diags->entries + from, diags->count - from, sizeof(*diags->entries), compare);
	}
}
