/* SPDX-License-Identifier: BSD-2-Clause */
/* Parts of the parser. Every bool: false means an error was said, and the line is given up. */
#ifndef HVCGATE_SCENARIO_PARSE_H
#define HVCGATE_SCENARIO_PARSE_H

#include "../policy/diags.h"
#include "script.h"

#define PARSE_MAX_WORDS 512u

struct word {
	const char *text;
	unsigned int column;
};

#define SCN_SAVE_NAME 16
struct parser {
	const char *path;
	const struct scn_options *options;
	struct hvc_diags *diags;
	struct scn_script *script;
	unsigned int line;
	bool full;                     /* no more lines fit, which was said once */
	char buffer[SCN_MAX_LINE + 1]; /* the line's words */
	struct word words[PARSE_MAX_WORDS];
	unsigned int count; /* of words before "->" (or all), from words[0] on */
	unsigned int next;  /* the one to be read */
	unsigned int total; /* words in all; words[count] is "->" if that is more */
	struct scn_line out;
	const struct scn_vm *vm; /* NULL before the first */
	bool vm_left_out;
	char saves[SCN_SAVES][SCN_SAVE_NAME]; /* names of states, "" where none is */
	bool call_seen[SCN_CPUS], forward_seen;
	size_t last_call[SCN_CPUS]; /* index in the script, or SCN_NO_CALL */
	size_t last_open;           /* the call that may wait for `reply` */
};

/* What may stand behind "->" of a command. */
#define MAY_OK       0x001u
#define MAY_FAIL     0x002u
#define MAY_NUMBER   0x004u
#define MAY_IDS      0x008u
#define MAY_RANGES   0x010u
#define MAY_RULES    0x020u
#define MAY_DECISION 0x040u
#define MAY_END      0x080u /* how a call ends: registers, forward, event, blocked */
#define MAY_ARRIVE   0x100u
#define MAY_EVENTS   0x400u /* events of `notify` */
#define MAY_MISSING  0x800u /* errors of `restore` */
#define MAY_DETAIL   0x200u /* errors of `try` and `tighten` */

bool parse_error(struct parser *parser, const struct word *word, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The next word before "->"; NULL at the end. */
const struct word *parse_next(struct parser *parser);
/* The same; at the end an error that says what is missing. */
const struct word *parse_need(struct parser *parser, const char *what);
/* A place behind the last word, for what is missing. */
struct word parse_end(const struct parser *parser);

/* The part of a word from `text` on. */
struct word parse_part(const struct word *word, const char *text);

/* A number alone; says nothing. */
bool parse_plain(const char *text, uint64_t *value);
/* A number, entry(n), mpidr(n), NAME[/32|/64]. `what` for the message: "the base". */
bool parse_value(struct parser *parser, const struct word *word, const char *what, uint64_t *value);
bool parse_limited(struct parser *parser, const struct word *word, const char *what, uint64_t most,
		   uint64_t *value);
/* NAME[/32|/64] to an ID. */
bool parse_function(struct parser *parser, const struct word *word, const char *text, uint32_t *id);
bool parse_action(struct parser *parser, const struct word *word, enum hvc_action *action);
bool parse_conduit(struct parser *parser, const struct word *word, enum hvc_conduit *conduit);
/* "x5=..." gives 5 and the text behind "="; false if it is no such word (nothing said). */
bool parse_register(const char *text, unsigned int *reg, const char **value);
/* "0x10-0x1f" */
bool parse_range(struct parser *parser, const struct word *word, uint64_t *first, uint64_t *last);
/* "linux-6.1..linux-6.12" and the like. */
bool parse_profiles(struct parser *parser, const struct word *word, const char *text,
		    struct scn_range *range);

bool parse_vm(struct parser *parser);
bool parse_stated(struct parser *parser, const char *command, unsigned int may);

#endif
