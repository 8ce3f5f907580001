/* SPDX-License-Identifier: BSD-2-Clause */
#define _POSIX_C_SOURCE 200809L
#include <stdlib.h>
#include <string.h>

#include "../policy/diags.h"
#include "parse.h"
#include "transcript.h"

#define MAX_TRANSCRIPT ((size_t)64 << 20)
#define HEAD           "# hvcgate replay 1 "

struct entry {
	const char *file;
	unsigned long line;
	const char *command, *got;
};

struct scn_transcript {
	char *text; /* what the entries point into */
	const char *host;
	struct entry *entries;
	size_t count, capacity, cursor;
};

/* Directories differ from host to host. */
static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

void scn_transcript_head(FILE *out, const char *host, const struct abi_profile *profile)
{
	fprintf(out, HEAD "%s %s\n", host, abi_profile_name(profile));
}

void scn_transcript_file(FILE *out, const struct scn_script *script)
{
	fprintf(out, "file %s\n", base_name(script->path));
}

void scn_transcript_line(FILE *out, const struct scn_script *script, size_t n, const char *got)
{
	fprintf(out, "%u\t%s\t%s\n", script->lines[n].op.line, script->lines[n].text, got);
}

/* --- Reading one. */
static bool add_entry(struct scn_transcript *transcript, const char *file, char *line)
{
	char *end, *tab;
	struct entry entry = {.file = file};

	entry.line = strtoul(line, &end, 10);
	tab = *end == '\t' ? strchr(end + 1, '\t') : NULL;
	if (tab == NULL || file == NULL) {
		return false;
	}
	*tab = '\0';
	entry.command = end + 1;
	entry.got = tab + 1;
	if (transcript->count == transcript->capacity) {
		size_t capacity = transcript->capacity * 2 + 256;
		struct entry *grown = realloc(transcript->entries,
					      capacity * sizeof(*transcript->entries));

		if (grown == NULL) {
			return false;
		}
		transcript->entries = grown;
		transcript->capacity = capacity;
	}
	transcript->entries[transcript->count++] = entry;
	return true;
}

static bool read_entries(struct scn_transcript *transcript, const char *path,
			 struct hvc_diags *diags)
{
	struct pol_mark mark = {.file = path, .line = 1, .column = 1};
	const char *file = NULL;
	char *at = transcript->text, *next;

	if (strncmp(at, HEAD, strlen(HEAD)) != 0) {
		diags_error(diags, &mark, "no transcript of hvcgate replay --transcript");
		return false;
	}
	transcript->host = at + strlen(HEAD);
	for (; *at != '\0'; at = next, mark.line++) {
		size_t length = strcspn(at, "\n");

		next = at + length + (at[length] == '\n');
		at[length] = '\0';
		if (strncmp(at, "file ", 5) == 0) {
			file = at + 5;
		} else if (at[0] != '#' && !add_entry(transcript, file, at)) {
			diags_error(diags, &mark, "no line of a transcript");
			return false;
		}
	}
	return true;
}

struct scn_transcript *scn_transcript_load(const char *path, struct hvc_diags *diags)
{
	struct scn_transcript *transcript = calloc(1, sizeof(*transcript));
	size_t bytes;

	if (transcript == NULL) {
		return NULL;
	}
	transcript->text = scn_read(path, MAX_TRANSCRIPT, &bytes, diags);
	if (transcript->text == NULL || !read_entries(transcript, path, diags)) {
		scn_transcript_free(transcript);
		return NULL;
	}
	return transcript;
}

void scn_transcript_free(struct scn_transcript *transcript)
{
	if (transcript != NULL) {
		free(transcript->entries);
		free(transcript->text);
		free(transcript);
	}
}

const char *scn_transcript_host(const struct scn_transcript *transcript)
{
	return transcript->host;
}

/* --- Comparing. */
static const struct entry *find(struct scn_transcript *transcript, const char *file,
				unsigned int line)
{
	/* Both go through the same files in the same order, so that it is nearly always the next. */
	for (size_t i = 0; i < transcript->count; i++) {
		size_t index = (transcript->cursor + i) % transcript->count;
		const struct entry *entry = &transcript->entries[index];

		if (entry->line == line && strcmp(entry->file, file) == 0) {
			transcript->cursor = index + 1;
			return entry;
		}
	}
	return NULL;
}

/* Of "x0=" in "x0=5"; 0 where there is none. */
static size_t name_length(const char *word, size_t length)
{
	const char *equals = memchr(word, '=', length);

	return equals != NULL ? (size_t)(equals + 1 - word) : 0;
}

/* "5", "x0=5", "flags=5" */
static bool value_of(const char *word, size_t length, uint64_t *value)
{
	size_t name = name_length(word, length);
	char text[SCN_NUMBER_TEXT + 1];

	word += name;
	length -= name;
	if (length >= sizeof(text)) {
		return false;
	}
	memcpy(text, word, length);
	text[length] = '\0';
	return parse_plain(text, value);
}

/* How the line states the value that a word of its result shows. */
static const struct scn_pattern *pattern_of(const struct scn_stated *stated, const char *word)
{
	static const struct scn_pattern none;
	unsigned int reg;
	const char *value;

	if (stated->kind == STATED_NUMBER || strncmp(word, "pc=", 3) == 0 ||
	    strncmp(word, "flags=", 6) == 0) {
		return &stated->number;
	}
	return parse_register(word, &reg, &value) && reg < HVC_FRAME_REGS ? &stated->x[reg] : &none;
}

static bool same_word(const struct scn_stated *stated, const char *a, size_t a_length,
		      const char *b, size_t b_length)
{
	const struct scn_pattern *pattern = pattern_of(stated, a);
	uint64_t left, right;

	if (a_length == b_length && memcmp(a, b, a_length) == 0) {
		return true;
	}
	if (strncmp(a, b, name_length(a, a_length)) != 0) {
		return false;
	}
	if (pattern->kind == PATTERN_ANY) {
		return true;
	}
	return pattern->kind == PATTERN_MASKED && value_of(a, a_length, &left) &&
	       value_of(b, b_length, &right) && ((left ^ right) & pattern->mask) == 0;
}

static bool same(const struct scn_stated *stated, const char *a, const char *b)
{
	if (stated->kind == STATED_ANY) {
		return true;
	}
	while (*a != '\0' && *b != '\0') {
		size_t a_length = strcspn(a, " "), b_length = strcspn(b, " ");

		if (!same_word(stated, a, a_length, b, b_length)) {
			return false;
		}
		a += a_length + (a[a_length] == ' ');
		b += b_length + (b[b_length] == ' ');
	}
	return *a == *b;
}

bool scn_transcript_agrees(struct scn_transcript *transcript, const struct scn_script *script,
			   size_t n, const char *got, char *why, size_t size)
{
	const struct scn_line *line = &script->lines[n];
	const struct entry *entry = find(transcript, base_name(script->path), line->op.line);

	if (entry == NULL || strncmp(entry->got, "unsupported", 11) == 0 ||
	    strcmp(entry->got, "not run") == 0) {
		return true;
	}
	if (strcmp(entry->command, line->text) != 0) {
		snprintf(why, size,
			 "the transcript is of another version of this file: there it is '%s'",
			 entry->command);
		return false;
	}
	if (same(&line->stated, got, entry->got)) {
		return true;
	}
	snprintf(why, size, "%s answered: %s", transcript->host, entry->got);
	return false;
}
