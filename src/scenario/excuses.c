/* SPDX-License-Identifier: BSD-2-Clause */
/* The committed list of what a host need not support. */
#define _POSIX_C_SOURCE 200809L
#include <stdlib.h>
#include <string.h>

#include "parse.h"
#include "parse_commands.h"
#include "transcript.h"

#define MAX_EXCUSES 1000u

struct excuse {
	const char *host, *reason;
	enum scn_command command;
	bool all_profiles;
	struct scn_range range;
};

struct scn_excuses {
	char *text;
	size_t count;
	struct excuse list[MAX_EXCUSES];
};

/* Cut the next word off. */
static char *word_of(char **at)
{
	char *word = *at + strspn(*at, " \t"), *end = word + strcspn(word, " \t");

	*at = end + (*end != '\0');
	*end = '\0';
	return word;
}

static bool read_excuse(struct parser *parser, char *line, struct excuse *excuse)
{
	struct word where = {.column = 1};
	char *at = line, *profiles, *command;

	excuse->host = word_of(&at);
	profiles = word_of(&at);
	command = word_of(&at);
	excuse->reason = at + strspn(at, " \t");
	if (excuse->reason[0] == '\0') {
		return parse_error(
			parser, &where,
			"a line is HOST PROFILES COMMAND REASON, such as 'kvm * show no such ioctl'");
	}
	if (strcmp(excuse->host, "engine") != 0 && strcmp(excuse->host, "el2") != 0 &&
	    strcmp(excuse->host, "kvm") != 0) {
		return parse_error(parser, &where, "'%s' is no host: it is engine, el2 or kvm",
				   excuse->host);
	}
	where.column = (unsigned int)(command - line) + 1;
	if (!scn_command_find(command, &excuse->command)) {
		return parse_error(parser, &where, "unknown command '%s'", command);
	}
	where.column = (unsigned int)(profiles - line) + 1;
	excuse->all_profiles = strcmp(profiles, "*") == 0;
	return excuse->all_profiles || parse_profiles(parser, &where, profiles, &excuse->range);
}

static bool read_excuses(struct scn_excuses *excuses, size_t bytes, struct parser *parser)
{
	char *next = excuses->text, *end = next + bytes;

	for (parser->line = 1; next < end; parser->line++) {
		char *line = next, *newline = memchr(line, '\n', (size_t)(end - line));
		size_t length = (size_t)((newline != NULL ? newline : end) - line);
		char *comment = memchr(line, '#', length);

		next += length + 1;
		length = comment != NULL ? (size_t)(comment - line) : length;
		line[length] = '\0';
		if (!scn_is_plain(line, length)) {
			return parse_error(parser, NULL,
					   "outside comments a line is plain ASCII text");
		}
		if (line[strspn(line, " \t")] == '\0') {
			continue;
		}
		if (excuses->count == MAX_EXCUSES) {
			return parse_error(parser, NULL, "more than %u lines", MAX_EXCUSES);
		}
		if (!read_excuse(parser, line, &excuses->list[excuses->count])) {
			return false;
		}
		excuses->count++;
	}
	return true;
}

struct scn_excuses *scn_excuses_load(const char *path, struct hvc_diags *diags)
{
	struct scn_excuses *excuses = calloc(1, sizeof(*excuses));
	struct parser *parser = calloc(1, sizeof(*parser));
	size_t bytes;
	bool good = excuses != NULL && parser != NULL;

	if (good) {
		parser->path = path;
		parser->diags = diags;
		excuses->text = scn_read(path, SCN_MAX_BYTES, &bytes, diags);
		good = excuses->text != NULL && read_excuses(excuses, bytes, parser);
	}
	free(parser);
	if (good) {
		return excuses;
	}
	scn_excuses_free(excuses);
	return NULL;
}

void scn_excuses_free(struct scn_excuses *excuses)
{
	if (excuses != NULL) {
		free(excuses->text);
		free(excuses);
	}
}

const char *scn_excuse(const struct scn_excuses *excuses, const char *host,
		       const struct abi_profile *profile, enum scn_command command)
{
	for (size_t i = 0; excuses != NULL && i < excuses->count; i++) {
		const struct excuse *excuse = &excuses->list[i];

		if (excuse->command == command && strcmp(excuse->host, host) == 0 &&
		    (excuse->all_profiles || scn_range_has(&excuse->range, profile))) {
			return excuse->reason;
		}
	}
	return NULL;
}
