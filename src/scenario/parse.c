/* SPDX-License-Identifier: BSD-2-Clause */
/* A scenario file to a script: lines to words, words to commands. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parse.h"
#include "parse_commands.h"

bool parse_error(struct parser *parser, const struct word *word, const char *format, ...)
{
	struct pol_mark mark = {.file = parser->path,
				.line = parser->line,
				.column = word != NULL ? word->column : 1};
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	diags_error(parser->diags, &mark, "%s", text);
	return false;
}

const struct word *parse_next(struct parser *parser)
{
	return parser->next < parser->count ? &parser->words[parser->next++] : NULL;
}

struct word parse_end(const struct parser *parser)
{
	const struct word *last = &parser->words[parser->total - 1];

	return (struct word){.text = "", .column = last->column + (unsigned int)strlen(last->text)};
}

const struct word *parse_need(struct parser *parser, const char *what)
{
	const struct word *word = parse_next(parser);
	struct word end;

	if (word == NULL) {
		end = parser->count < parser->total ? parser->words[parser->count]
						    : parse_end(parser);
		parse_error(parser, &end, "%s is missing", what);
	}
	return word;
}

/* --- Words. */
static bool harmless(struct parser *parser, const char *text, size_t length)
{
	struct word where = {0};

	if (length > SCN_MAX_LINE) {
		return parse_error(parser, NULL, "the line is longer than %u bytes", SCN_MAX_LINE);
	}
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];

		where.column = (unsigned int)i + 1;
		if (text[i] == '#') {
			return true;
		}
		if (c == '\r' && i + 1 == length) {
			return parse_error(parser, &where,
					   "the line ends as on Windows; it ends with LF alone");
		}
		if ((c < 0x20 && c != '\t') || c >= 0x7f) {
			return parse_error(
				parser, &where,
				"byte 0x%02x: outside comments a line is plain ASCII text", c);
		}
	}
	return true;
}

static bool add_word(struct parser *parser, char *at)
{
	struct word *word = &parser->words[parser->total];

	word->text = at;
	word->column = (unsigned int)(at - parser->buffer) + 1;
	if (parser->total == PARSE_MAX_WORDS - 1) {
		return parse_error(parser, word, "more than %u words on a line",
				   PARSE_MAX_WORDS - 1);
	}
	if (strcmp(at, "->") == 0) {
		if (parser->count != parser->total) {
			return parse_error(parser, word, "a second '->'");
		}
		parser->total++;
		return true;
	}
	if (parser->count == parser->total) {
		parser->count++;
	}
	parser->total++;
	return true;
}

/* parser->words of one line without its comment; total 0 for an empty one. */
static bool split(struct parser *parser, const char *text, size_t length)
{
	char *at = parser->buffer;

	parser->count = parser->next = parser->total = 0;
	if (!harmless(parser, text, length)) {
		return false;
	}
	memcpy(at, text, length);
	at[length] = '\0';
	at[strcspn(at, "#")] = '\0';
	for (;;) {
		char *end;
		bool last;

		at += strspn(at, " \t");
		if (*at == '\0') {
			return true;
		}
		end = at + strcspn(at, " \t");
		last = *end == '\0';
		*end = '\0';
		if (!add_word(parser, at)) {
			return false;
		}
		if (last) {
			return true;
		}
		at = end + 1;
	}
}

/* --- The script. */
/* Words from one to another with single blanks. Belongs to the script. */
static const char *keep(struct parser *parser, unsigned int from, unsigned int to)
{
	size_t size = 1;
	struct scn_kept *kept;

	for (unsigned int i = from; i < to; i++) {
		size += strlen(parser->words[i].text) + 1;
	}
	kept = malloc(sizeof(*kept) + size);
	if (kept == NULL) {
		return NULL;
	}
	kept->text[0] = '\0';
	size = 0;
	for (unsigned int i = from; i < to; i++) {
		size_t length = strlen(parser->words[i].text);

		memcpy(kept->text + size, parser->words[i].text, length);
		size += length;
		kept->text[size++] = ' ';
	}
	kept->text[size > 0 ? size - 1 : 0] = '\0';
	kept->next = parser->script->kept;
	parser->script->kept = kept;
	return kept->text;
}

static bool append(struct parser *parser, const struct scn_line *line)
{
	struct scn_script *script = parser->script;

	if (script->count == SCN_MAX_OPS) {
		parser->full = true;
		return parse_error(parser, NULL, "more than %u lines: make it several files",
				   SCN_MAX_OPS);
	}
	if (script->count == script->capacity) {
		size_t capacity = script->capacity * 2 + 64;
		struct scn_line *grown = realloc(script->lines, capacity * sizeof(*grown));

		if (grown == NULL) {
			return parse_error(parser, NULL, "out of memory");
		}
		script->lines = grown;
		script->capacity = capacity;
	}
	script->lines[script->count++] = *line;
	return true;
}

/* Randomness shows in several calls: the line's is made four times. */
static unsigned int repeats(const struct scn_line *line)
{
	for (unsigned int reg = 0; reg < HVC_FRAME_REGS; reg++) {
		if (line->op.command == SCN_CALL && line->stated.kind == STATED_FRAME &&
		    line->stated.x[reg].kind == PATTERN_RANDOM && line->stated.x[reg].value >= 16) {
			return 3;
		}
	}
	return 0;
}

static bool store(struct parser *parser, unsigned int from)
{
	struct scn_line *line = &parser->out;
	size_t index = parser->script->count;

	line->text = keep(parser, from, parser->count);
	line->expected = parser->count < parser->total
				 ? keep(parser, parser->count + 1, parser->total)
				 : "";
	if (line->text == NULL || line->expected == NULL) {
		return parse_error(parser, NULL, "out of memory");
	}
	if (line->op.command == SCN_CALL) {
		line->in = index;
		parser->last_call[line->op.cpu] = index;
		if (line->stated.kind != STATED_FRAME && line->stated.kind != STATED_BLOCKED) {
			parser->last_open = index;
		}
	} else if (line->op.command == SCN_WAKE) {
		line->in = parser->last_call[line->op.cpu];
	} else if (line->op.command == SCN_REPLY || line->op.command == SCN_RESUME ||
		   line->op.command == SCN_CANCEL) {
		line->in = parser->last_open;
	}
	for (unsigned int i = 0, most = repeats(line); i <= most; i++) {
		line->repeat = i;
		line->in = line->op.command == SCN_CALL ? parser->script->count : line->in;
		if (!append(parser, line)) {
			return false;
		}
	}
	return true;
}

/* "[linux-6.12..]" in front: does the line hold? */
static bool guard(struct parser *parser, bool *holds)
{
	const struct word *word = &parser->words[0];
	size_t length = strlen(word->text);
	struct scn_range range;
	char text[96];

	*holds = true;
	if (word->text[0] != '[') {
		return true;
	}
	parser->next++;
	if (length < 3 || length >= sizeof(text) || word->text[length - 1] != ']') {
		return parse_error(
			parser, word,
			"a line that holds for some kernels only begins with [linux-6.1..linux-6.12], "
			"without blanks");
	}
	memcpy(text, word->text + 1, length - 2);
	text[length - 2] = '\0';
	if (!parse_profiles(parser, word, text, &range)) {
		return false;
	}
	if (parser->vm == NULL) {
		return parse_error(parser, word, "the first line is a vm; it says profile= itself");
	}
	*holds = scn_range_has(&range, parser->vm->profile);
	return true;
}

static bool parse_line(struct parser *parser)
{
	unsigned int from;
	bool holds, guarded, is_op;

	parser->out = (struct scn_line){.op = {.line = parser->line}, .in = SCN_NO_CALL};
	if (!guard(parser, &holds)) {
		return false;
	}
	guarded = parser->next != 0;
	from = parser->next;
	if (!parse_command(parser, guarded, &is_op)) {
		return false;
	}
	if (!is_op) {
		return true;
	}
	if (parser->vm_left_out || !holds) {
		parser->script->left_out++;
		return true;
	}
	return store(parser, from);
}

static void parse_lines(struct parser *parser, const char *text, size_t bytes)
{
	const char *end = text + bytes;

	for (parser->line = 1; text < end && !parser->full && !diags_full(parser->diags);
	     parser->line++) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t length = (size_t)((newline != NULL ? newline : end) - text);

		if (split(parser, text, length) && parser->total != 0) {
			parse_line(parser);
		}
		text += length + 1;
	}
}

static struct scn_script *new_script(const char *path)
{
	struct scn_script *script = calloc(1, sizeof(*script));

	if (script == NULL) {
		return NULL;
	}
	script->path = malloc(strlen(path) + 1);
	if (script->path == NULL) {
		free(script);
		return NULL;
	}
	memcpy(script->path, path, strlen(path) + 1);
	return script;
}

struct scn_script *scn_parse(const char *path, const char *text, size_t bytes,
			     const struct scn_options *options, struct hvc_diags *diags)
{
	struct parser *parser = calloc(1, sizeof(*parser));
	struct scn_script *script = new_script(path);
	size_t before = hvc_diags_count(diags, HVC_ERROR);
	struct pol_mark mark = {.file = path};

	if (parser == NULL || script == NULL) {
		diags_error(diags, &mark, "out of memory");
		free(parser);
		scn_free(script);
		return NULL;
	}
	*parser = (struct parser){
		.path = path, .options = options, .diags = diags, .script = script};
	if (bytes > SCN_MAX_BYTES) {
		diags_error(diags, &mark, "the file is larger than %zu KiB: make it several files",
			    SCN_MAX_BYTES >> 10);
	} else {
		parse_lines(parser, text, bytes);
	}
	free(parser);
	if (hvc_diags_count(diags, HVC_ERROR) != before || diags_oom(diags)) {
		scn_free(script);
		return NULL;
	}
	return script;
}

void scn_free(struct scn_script *script)
{
	if (script == NULL) {
		return;
	}
	while (script->vms != NULL) {
		struct scn_made_vm *made = script->vms;

		script->vms = made->next;
		free(made);
	}
	while (script->policies != NULL) {
		struct scn_policy *read = script->policies;

		script->policies = read->next;
		hvc_policy_free(read->policy);
		free(read);
	}
	while (script->kept != NULL) {
		struct scn_kept *kept = script->kept;

		script->kept = kept->next;
		free(kept);
	}
	free(script->lines);
	free(script->path);
	free(script);
}
