/* SPDX-License-Identifier: BSD-2-Clause */
#define _POSIX_C_SOURCE 200809L
#include <stdlib.h>
#include <string.h>

#include "../policy/diags.h"
#include "parse.h"
#include "transcript.h"

#define MAX_TRANSCRIPT ((size_t)64 << 20)
#define HEAD           "# hvcgate replay 1 "

/* A line; lines of a file ascend. Texts are offsets, for there may be millions. */
struct entry {
	uint32_t line, command, got;
};

/* What one file became: entries from `first` up to the next file's. */
struct file {
	const char *name;
	size_t first;
};

struct scn_transcript {
	char *text; /* what names and entries point into */
	const char *host;
	struct entry *entries;
	struct file *files;
	size_t count, capacity, file_count, file_capacity;
	const struct scn_script *script; /* the one that is compared now */
	size_t at;                       /* its file */
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
/* `array` with room for one more element; NULL: out of memory, and it is as before. */
static void *room(void *array, size_t count, size_t *capacity, size_t size)
{
	size_t wanted = *capacity * 2 + 64;
	void *grown;

	if (count < *capacity) {
		return array;
	}
	grown = realloc(array, wanted * size);
	if (grown != NULL) {
		*capacity = wanted;
	}
	return grown;
}

static bool add_file(struct scn_transcript *transcript, const char *name)
{
	struct file *files = room(transcript->files, transcript->file_count,
				  &transcript->file_capacity, sizeof(*files));

	if (files == NULL) {
		return false;
	}
	transcript->files = files;
	files[transcript->file_count++] = (struct file){.name = name, .first = transcript->count};
	return true;
}

/* The line before it in its file; 0: it is the first. */
static uint32_t line_before(const struct scn_transcript *transcript)
{
	return transcript->count == transcript->files[transcript->file_count - 1].first
		       ? 0
		       : transcript->entries[transcript->count - 1].line;
}

static bool add_entry(struct scn_transcript *transcript, char *line)
{
	char *end, *tab;
	unsigned long number = strtoul(line, &end, 10);
	struct entry *entries;

	tab = *end == '\t' ? strchr(end + 1, '\t') : NULL;
	if (tab == NULL || transcript->file_count == 0 || number <= line_before(transcript) ||
	    number > UINT32_MAX) {
		return false;
	}
	entries = room(transcript->entries, transcript->count, &transcript->capacity,
		       sizeof(*entries));
	if (entries == NULL) {
		return false;
	}
	*tab = '\0';
	transcript->entries = entries;
	entries[transcript->count++] = (struct entry){
		.line = (uint32_t)number,
		.command = (uint32_t)(end + 1 - transcript->text),
		.got = (uint32_t)(tab + 1 - transcript->text)};
	return true;
}

static bool read_line(struct scn_transcript *transcript, char *line, size_t length)
{
	if (strncmp(line, "file ", 5) == 0) {
		return strlen(line) == length && add_file(transcript, line + 5);
	}
	return scn_is_plain(line, length) && (line[0] == '#' || add_entry(transcript, line));
}

static bool read_lines(struct scn_transcript *transcript, size_t bytes, const char *path,
		       struct hvc_diags *diags)
{
	struct pol_mark mark = {.file = path, .line = 1, .column = 1};
	char *at = transcript->text, *end = at + bytes;

	if (strncmp(at, HEAD, strlen(HEAD)) != 0) {
		diags_error(diags, &mark, "no transcript of hvcgate replay --transcript");
		return false;
	}
	transcript->host = at + strlen(HEAD);
	for (; at < end; mark.line++) {
		char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t length = (size_t)((newline != NULL ? newline : end) - at);

		at[length] = '\0';
		if (!read_line(transcript, at, length)) {
			diags_error(diags, &mark, "no line of a transcript");
			return false;
		}
		at += length + 1;
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
	if (transcript->text == NULL || !read_lines(transcript, bytes, path, diags)) {
		scn_transcript_free(transcript);
		return NULL;
	}
	return transcript;
}

void scn_transcript_free(struct scn_transcript *transcript)
{
	if (transcript != NULL) {
		free(transcript->entries);
		free(transcript->files);
		free(transcript->text);
		free(transcript);
	}
}

const char *scn_transcript_host(const struct scn_transcript *transcript)
{
	return transcript->host;
}

/* --- Comparing. */
/* The file of a script, from the `from`-th on, around; file_count if there is none. */
static size_t file_of(const struct scn_transcript *transcript, const struct scn_script *script,
		      size_t from)
{
	for (size_t i = 0; i < transcript->file_count; i++) {
		size_t n = (from + i) % transcript->file_count;

		if (strcmp(transcript->files[n].name, base_name(script->path)) == 0) {
			return n;
		}
	}
	return transcript->file_count;
}

bool scn_transcript_has(const struct scn_transcript *transcript, const struct scn_script *script)
{
	return file_of(transcript, script, 0) != transcript->file_count;
}

static int by_line(const void *key, const void *entry)
{
	const uint32_t line = *(const uint32_t *)key, its = ((const struct entry *)entry)->line;

	return line < its ? -1 : line > its;
}

static const struct entry *find(struct scn_transcript *transcript, const struct scn_script *script,
				uint32_t line)
{
	size_t first, next;

	/* A file may stand there twice: scripts come in the same order. */
	if (transcript->script != script) {
		transcript->at = file_of(transcript, script,
					 transcript->script == NULL ? 0 : transcript->at + 1);
		transcript->script = script;
	}
	if (transcript->at >= transcript->file_count) {
		return NULL;
	}
	first = transcript->files[transcript->at].first;
	next = transcript->at + 1 < transcript->file_count
		       ? transcript->files[transcript->at + 1].first
		       : transcript->count;
	return next == first ? NULL
			     : bsearch(&line, transcript->entries + first, next - first,
				       sizeof(struct entry), by_line);
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
	const struct entry *entry = find(transcript, script, line->op.line);
	const char *command, *theirs;

	if (entry == NULL) {
		return true;
	}
	command = transcript->text + entry->command;
	theirs = transcript->text + entry->got;
	if (strncmp(theirs, "unsupported", 11) == 0 || strcmp(theirs, "not run") == 0) {
		return true;
	}
	if (strcmp(command, line->text) != 0) {
		snprintf(why, size,
			 "the transcript is of another version of this file: there it is '%s'",
			 command);
		return false;
	}
	if (same(&line->stated, got, theirs)) {
		return true;
	}
	snprintf(why, size, "%s answered: %s", transcript->host, theirs);
	return false;
}
