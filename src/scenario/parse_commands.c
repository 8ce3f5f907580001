/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands, one row each in the table below. */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "../policy/suggest.h"
#include "parse_commands.h"

struct command {
	const char *name;
	enum scn_command command; /* SCN_COMMANDS: no op */
	bool (*read)(struct parser *parser);
	unsigned int may;
	const char *usage;
};

static bool nothing(struct parser *parser)
{
	(void)parser;
	return true;
}

static bool read_cpu(struct parser *parser, const struct word *word)
{
	unsigned int cpus = parser->vm->cpus;
	uint64_t cpu;

	if (!isdigit((unsigned char)word->text[0]) || !parse_plain(word->text, &cpu)) {
		return parse_error(parser, word, "'%s' is no CPU: it is a number from 0",
				   word->text);
	}
	if (cpu >= cpus) {
		return parse_error(parser, word, "CPU %s is not there: the vm has cpus=%u, 0 to %u",
				   word->text, cpus, cpus - 1);
	}
	parser->out.op.cpu = (unsigned int)cpu;
	return true;
}

static bool read_only_cpu(struct parser *parser)
{
	const struct word *word = parse_need(parser, "the CPU");

	return word != NULL && read_cpu(parser, word);
}

static bool read_number(struct parser *parser, const char *what, uint64_t most, uint64_t *value)
{
	const struct word *word = parse_need(parser, what);

	return word != NULL && parse_limited(parser, word, what, most, value);
}

static bool read_index(struct parser *parser)
{
	return read_number(parser, "the number of registers", UINT32_MAX, &parser->out.op.value);
}

/* cpu=1 at the end of get and set. */
static bool read_reg_cpu(struct parser *parser)
{
	const struct word *word = parse_next(parser);
	struct word cpu;

	if (word == NULL) {
		return true;
	}
	if (strncmp(word->text, "cpu=", 4) != 0) {
		return parse_error(parser, word, "'%s' is too much; only cpu=N may follow",
				   word->text);
	}
	cpu = parse_part(word, word->text + 4);
	return read_cpu(parser, &cpu);
}

static bool read_reg_name(struct parser *parser)
{
	const struct word *word = parse_need(parser, "the register");
	unsigned int reg;
	const char *near;

	if (word == NULL) {
		return false;
	}
	reg = hvc_register_by_name(word->text);
	if (reg != HVC_REG_NONE) {
		parser->out.op.id = abi_register_id(reg);
		return true;
	}
	if (isdigit((unsigned char)word->text[0])) {
		return parse_error(parser, word, "'%s' is a number: getraw and setraw take those",
				   word->text);
	}
	near = suggest_register(word->text);
	return parse_error(parser, word, "unknown register '%s'; %s%s", word->text,
			   near != NULL ? "did you mean " : "write a name such as STD_BMAP",
			   near != NULL ? near : "");
}

static bool read_reg_id(struct parser *parser)
{
	return read_number(parser, "the register's ID", UINT64_MAX, &parser->out.op.id);
}

static bool read_get(struct parser *parser)
{
	return read_reg_name(parser) && read_reg_cpu(parser);
}

static bool read_getraw(struct parser *parser)
{
	return read_reg_id(parser) && read_reg_cpu(parser);
}

static bool read_set(struct parser *parser)
{
	return read_reg_name(parser) &&
	       read_number(parser, "the value", UINT64_MAX, &parser->out.op.value) &&
	       read_reg_cpu(parser);
}

static bool read_setraw(struct parser *parser)
{
	return read_reg_id(parser) &&
	       read_number(parser, "the value", UINT64_MAX, &parser->out.op.value) &&
	       read_reg_cpu(parser);
}

static bool read_base_count(struct parser *parser)
{
	uint64_t base, count;

	if (!read_number(parser, "the base", UINT32_MAX, &base) ||
	    !read_number(parser, "the count", UINT32_MAX, &count)) {
		return false;
	}
	parser->out.op.base = (uint32_t)base;
	parser->out.op.count = (uint32_t)count;
	return true;
}

static bool read_filter(struct parser *parser)
{
	const struct word *word;

	if (!read_base_count(parser)) {
		return false;
	}
	word = parse_need(parser, "the action");
	return word != NULL && parse_action(parser, word, &parser->out.op.action);
}

static int hex_digit(char c)
{
	const char *digits = "0123456789abcdef";
	const char *found = c != '\0' ? strchr(digits, tolower((unsigned char)c)) : NULL;

	return found != NULL ? (int)(found - digits) : -1;
}

/* 48 digits, in as many words as one likes. */
static bool read_bytes(struct parser *parser)
{
	const struct word *word = parse_need(parser, "48 hex digits, 24 bytes,");
	unsigned int digits = 0;
	struct word end;

	for (; word != NULL; word = parse_next(parser)) {
		for (const char *at = word->text; *at != '\0'; at++, digits++) {
			int digit = hex_digit(*at);

			if (digit < 0 || digits == 2 * HVC_FILTER_BYTES) {
				return parse_error(
					parser, word,
					"'%s': filterraw takes 48 hex digits, 24 bytes, and no 0x",
					word->text);
			}
			parser->out.op.bytes[digits / 2] |= (uint8_t)(digits % 2 == 0 ? digit << 4
										      : digit);
		}
	}
	end = parse_end(parser);
	return digits == 2 * HVC_FILTER_BYTES ||
	       (digits != 0 &&
		parse_error(parser, &end, "these are %u hex digits, not 48 (24 bytes)", digits));
}

/* The name of a state; `save` may make a new one. */
static bool read_state(struct parser *parser, bool make)
{
	const struct word *word = parse_need(parser, "the name of the state");
	unsigned int n = 0;

	if (word == NULL) {
		return false;
	}
	if (!isalpha((unsigned char)word->text[0]) || strlen(word->text) >= SCN_SAVE_NAME) {
		return parse_error(
			parser, word,
			"'%s' is no name of a state: that is a word of at most %d letters",
			word->text, SCN_SAVE_NAME - 1);
	}
	while (n < SCN_SAVES && parser->saves[n][0] != '\0' &&
	       strcmp(parser->saves[n], word->text) != 0) {
		n++;
	}
	if (n == SCN_SAVES) {
		return parse_error(parser, word, "a script keeps at most %u states", SCN_SAVES);
	}
	if (parser->saves[n][0] == '\0' && !make) {
		return parse_error(parser, word, "no 'save %s' stands before it", word->text);
	}
	memcpy(parser->saves[n], word->text, strlen(word->text) + 1);
	parser->out.op.value = n;
	return true;
}

static bool read_save(struct parser *parser)
{
	return read_state(parser, true);
}

static bool read_restore(struct parser *parser)
{
	return read_state(parser, false);
}

static bool read_query(struct parser *parser)
{
	return read_number(parser, "the function", UINT32_MAX, &parser->out.op.id);
}

/* --- Calls. */
static bool read_function(struct parser *parser)
{
	const struct word *word = parse_need(parser, "the function");
	struct scn_op *op = &parser->out.op;

	if (word == NULL || !parse_value(parser, word, "the function", &op->frame.x[0])) {
		return false;
	}
	op->id = (uint32_t)op->frame.x[0];
	return true;
}

/* x0=V: the function ID with something in the upper half of the register. */
static bool read_whole_x0(struct parser *parser, const struct word *word, uint32_t *said)
{
	struct scn_op *op = &parser->out.op;
	uint64_t value;

	if (!parse_value(parser, word, "x0", &value)) {
		return false;
	}
	if ((uint32_t)value != (uint32_t)op->id || (*said & 1) != 0) {
		return parse_error(parser, word,
				   "x0 is the function, 0x%08" PRIx32
				   ", and once something in its upper half",
				   (uint32_t)op->id);
	}
	*said |= 1;
	op->frame.x[0] = value;
	return true;
}

/* x1 in its place, imm=N, xN=V. */
static bool read_argument(struct parser *parser, const struct word *word, unsigned int *next,
			  uint32_t *said)
{
	struct scn_op *op = &parser->out.op;
	unsigned int reg;
	uint64_t value;
	const char *text = word->text;
	struct word part;

	if (strncmp(word->text, "imm=", 4) == 0) {
		part = parse_part(word, word->text + 4);
		if (!parse_limited(parser, &part, "imm=", 0xffff, &value)) {
			return false;
		}
		op->immediate = (uint16_t)value;
		return true;
	}
	if (!parse_register(word->text, &reg, &text)) {
		text = word->text;
		reg = (*next)++;
		if (*said >> 1 > (1u << reg) - 1) {
			return parse_error(parser, word,
					   "'%s': arguments in their places come before xN=...",
					   word->text);
		}
	}
	if (reg >= HVC_FRAME_REGS) {
		return parse_error(parser, word, "arguments are x1 to x%d; x0 is the function",
				   HVC_FRAME_REGS - 1);
	}
	part = parse_part(word, text);
	if (reg == 0) {
		return read_whole_x0(parser, &part, said);
	}
	if (*said >> reg & 1) {
		return parse_error(parser, word, "x%u was said before", reg);
	}
	*said |= 1u << reg;
	return parse_value(parser, &part, "an argument", &op->frame.x[reg]);
}

static bool read_call(struct parser *parser)
{
	const struct word *word;
	unsigned int next = 1;
	uint32_t said = 0;

	if (!read_only_cpu(parser) || (word = parse_need(parser, "hvc or smc")) == NULL ||
	    !parse_conduit(parser, word, &parser->out.op.conduit)) {
		return false;
	}
	for (unsigned int i = 1; i < HVC_FRAME_REGS; i++) {
		parser->out.op.frame.x[i] = SCN_PATTERN(i);
	}
	if (!read_function(parser)) {
		return false;
	}
	while ((word = parse_next(parser)) != NULL) {
		if (!read_argument(parser, word, &next, &said)) {
			return false;
		}
	}
	parser->call_seen[parser->out.op.cpu] = parser->forward_seen = true;
	return true;
}

static bool need_call(struct parser *parser)
{
	return parser->forward_seen || parse_error(parser, &parser->words[parser->next - 1],
						   "no call stands before it that it could answer");
}

static bool read_reply(struct parser *parser)
{
	struct scn_op *op = &parser->out.op;
	const struct word *word;
	struct word part;
	unsigned int reg;
	const char *text;

	if (!need_call(parser)) {
		return false;
	}
	word = parse_need(parser, "a register, x0=...,");
	for (; word != NULL; word = parse_next(parser)) {
		if (!parse_register(word->text, &reg, &text) || reg >= HVC_FRAME_REGS) {
			return parse_error(parser, word,
					   "'%s' is no register; write x0=... to x%d=...",
					   word->text, HVC_FRAME_REGS - 1);
		}
		if (op->mask >> reg & 1) {
			return parse_error(parser, word, "x%u was said before", reg);
		}
		op->mask |= 1u << reg;
		part = parse_part(word, text);
		if (!parse_value(parser, &part, "the answer", &op->frame.x[reg])) {
			return false;
		}
	}
	return op->mask != 0;
}

static bool read_resume(struct parser *parser)
{
	const struct word *word;

	if (!need_call(parser)) {
		return false;
	}
	word = parse_need(parser, "nowrite");
	return word != NULL &&
	       (strcmp(word->text, "nowrite") == 0 ||
		parse_error(parser, word, "'%s': it is 'resume nowrite', or 'reply x0=...'",
			    word->text));
}

static bool read_wake(struct parser *parser)
{
	return read_only_cpu(parser) &&
	       (parser->call_seen[parser->out.op.cpu] ||
		parse_error(parser, &parser->words[parser->next - 1],
			    "CPU %u waits for nothing: no call of its stands before",
			    parser->out.op.cpu));
}

/* cpu 1 entry */
static bool read_label(struct parser *parser)
{
	const struct word *word;

	if (!read_only_cpu(parser) || (word = parse_need(parser, "entry")) == NULL) {
		return false;
	}
	return strcmp(word->text, "entry") == 0 ||
	       parse_error(parser, word, "'%s': a CPU has one label, entry", word->text);
}

#define MAY_SET (MAY_OK | MAY_FAIL)
static const struct command commands[] = {
	{"vm", SCN_VM, parse_vm, MAY_SET, "vm [cpus=2] [profile=linux-6.12] ..."},
	{"count", SCN_COUNT, nothing, MAY_NUMBER, "count -> 7"},
	{"list", SCN_LIST, nothing, MAY_IDS, "list -> PSCI_VERSION ..."},
	{"show", SCN_SHOW, read_index, MAY_SET, "show 6"},
	{"clearfrom", SCN_CLEAR_FROM, read_index, MAY_SET, "clearfrom 4"},
	{"get", SCN_GET, read_get, MAY_NUMBER | MAY_FAIL, "get STD_BMAP"},
	{"getraw", SCN_GET, read_getraw, MAY_NUMBER | MAY_FAIL, "getraw 0x6030000000160000"},
	{"set", SCN_SET, read_set, MAY_SET, "set STD_BMAP 0"},
	{"setraw", SCN_SET, read_setraw, MAY_SET, "setraw 0x6030000000160000 0"},
	{"filter", SCN_FILTER, read_filter, MAY_SET, "filter 0x84000000 1 deny"},
	{"filterraw", SCN_FILTER_RAW, read_bytes, MAY_SET, "filterraw HEX"},
	{"try", SCN_TRY, read_filter, MAY_SET | MAY_DETAIL, "try 0x84000000 1 deny"},
	{"tighten", SCN_TIGHTEN, read_base_count, MAY_SET | MAY_DETAIL, "tighten 0x84000053 1"},
	{"query", SCN_QUERY, read_query, MAY_DECISION, "query PSCI_VERSION"},
	{"rules", SCN_RULES, nothing, MAY_RULES, "rules"},
	{"reserved", SCN_RESERVED, nothing, MAY_RANGES, "reserved"},
	{"save", SCN_SAVE, read_save, MAY_SET, "save A"},
	{"restore", SCN_RESTORE, read_restore, MAY_SET | MAY_MISSING, "restore A"},
	{"events", SCN_EVENTS, nothing, MAY_EVENTS, "events -> 1:0:hvc:0x84000000"},
	{"call", SCN_CALL, read_call, MAY_END, "call 0 hvc PSCI_VERSION"},
	{"reply", SCN_REPLY, read_reply, MAY_END, "reply x0=7"},
	{"resume", SCN_RESUME, read_resume, MAY_END, "resume nowrite"},
	{"cancel", SCN_CANCEL, need_call, MAY_END, "cancel"},
	{"arrive", SCN_ARRIVE, read_only_cpu, MAY_ARRIVE, "arrive 1"},
	{"wake", SCN_WAKE, read_wake, MAY_END | MAY_ARRIVE, "wake 0"},
	{"cpu", SCN_COMMANDS, read_label, 0, "cpu 1 entry"},
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

const char *scn_command_name(enum scn_command command)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		if (commands[i].command == command) {
			return commands[i].name;
		}
	}
	return "?";
}

bool scn_command_find(const char *name, enum scn_command *command)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(name, commands[i].name) == 0) {
			*command = commands[i].command;
			return *command != SCN_COMMANDS;
		}
	}
	return false;
}

static bool unknown_command(struct parser *parser, const struct word *word)
{
	struct suggestion suggestion;

	suggest_begin(&suggestion, word->text);
	for (size_t i = 0; i < COMMANDS; i++) {
		suggest_try(&suggestion, commands[i].name);
	}
	if (suggestion.best != NULL) {
		return parse_error(parser, word, "unknown command '%s'; did you mean %s?",
				   word->text, suggestion.best);
	}
	return parse_error(
		parser, word,
		"unknown command '%s'; docs/scenarios.md lists them: vm, get, set, filter, call...",
		word->text);
}

bool parse_command(struct parser *parser, bool guarded, bool *is_op)
{
	const struct word *word = parse_need(parser, "the command");
	const struct command *command = commands;

	if (word == NULL) {
		return false;
	}
	while (command < commands + COMMANDS && strcmp(word->text, command->name) != 0) {
		command++;
	}
	if (command == commands + COMMANDS) {
		return unknown_command(parser, word);
	}
	*is_op = command->command != SCN_COMMANDS;
	if (command->command == SCN_VM && guarded) {
		return parse_error(parser, word, "a vm says profile=... itself");
	}
	if (command->command != SCN_VM && parser->vm == NULL) {
		return parse_error(parser, word, "no vm stands before '%s': begin with 'vm cpus=1'",
				   word->text);
	}
	parser->out.op.command = command->command;
	parser->out.op.vm = parser->vm;
	if (!command->read(parser)) {
		return false;
	}
	word = parse_next(parser);
	if (word != NULL) {
		return parse_error(parser, word, "'%s' is too much; it is: %s", word->text,
				   command->usage);
	}
	return parse_stated(parser, command->name, command->may);
}
