/* SPDX-License-Identifier: BSD-2-Clause */
/* What stands behind "->". */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "../policy/suggest.h"
#include "parse.h"

struct expected {
	struct parser *parser;
	struct scn_stated *stated;
	unsigned int next; /* index into words */
	unsigned int may;
	const char *command;
};

static const struct word *peek(const struct expected *expected)
{
	const struct parser *parser = expected->parser;

	return expected->next < parser->total ? &parser->words[expected->next] : NULL;
}

static const struct word *take(struct expected *expected)
{
	const struct word *word = peek(expected);

	expected->next += word != NULL;
	return word;
}

static bool no_more(struct expected *expected)
{
	const struct word *word = peek(expected);

	return word == NULL || parse_error(expected->parser, word,
					   "'%s' is too much: the line ends before it", word->text);
}

static bool need(struct expected *expected, const char *what, const struct word **word)
{
	struct word end;

	*word = take(expected);
	if (*word == NULL) {
		end = parse_end(expected->parser);
		return parse_error(expected->parser, &end, "%s is missing behind '->'", what);
	}
	return true;
}

/* A number, *, =in, value/mask, random(n), time. */
static bool read_pattern(struct expected *expected, const struct word *word, const char *text,
			 bool registers, struct scn_pattern *pattern)
{
	struct parser *parser = expected->parser;
	struct word value = parse_part(word, text);
	const char *slash = isupper((unsigned char)text[0]) ? NULL : strchr(text, '/');
	char number[40];

	if (strcmp(text, "*") == 0) {
		pattern->kind = PATTERN_ANY;
		return true;
	}
	if (registers && (strcmp(text, "=in") == 0 || strcmp(text, "in") == 0)) {
		pattern->kind = PATTERN_IN;
		return true;
	}
	if (registers && strcmp(text, "time") == 0) {
		pattern->kind = PATTERN_TIME;
		return true;
	}
	if (registers && strncmp(text, "random(", 7) == 0) {
		size_t length = strcspn(text + 7, ")");

		pattern->kind = PATTERN_RANDOM;
		if (length < sizeof(number)) {
			memcpy(number, text + 7, length);
			number[length] = '\0';
		}
		return (length < sizeof(number) && strcmp(text + 7 + length, ")") == 0 &&
			parse_plain(number, &pattern->value) && pattern->value <= 64) ||
		       parse_error(parser, word, "'%s': random(n) is of 0 to 64 bits", text);
	}
	if (slash == NULL) {
		pattern->kind = PATTERN_NUMBER;
		return parse_value(parser, &value, "what it must be", &pattern->value);
	}
	pattern->kind = PATTERN_MASKED;
	if ((size_t)(slash - text) < sizeof(number)) {
		memcpy(number, text, (size_t)(slash - text));
		number[slash - text] = '\0';
		if (parse_plain(number, &pattern->value) &&
		    parse_plain(slash + 1, &pattern->mask)) {
			return (pattern->value & ~pattern->mask) == 0 ||
			       parse_error(parser, word,
					   "'%s' can never be: the value has bits the mask has not",
					   text);
		}
	}
	return parse_error(parser, word, "'%s' is no value/mask; write 0x3/0xff", text);
}

/* x0=... to the end of the line. */
static bool read_registers(struct expected *expected)
{
	const struct word *word;
	unsigned int reg;
	const char *value;

	while ((word = take(expected)) != NULL) {
		if (!parse_register(word->text, &reg, &value) || reg >= HVC_FRAME_REGS) {
			return parse_error(expected->parser, word,
					   "'%s' is no register; write x0=... to x%d=...",
					   word->text, HVC_FRAME_REGS - 1);
		}
		if (expected->stated->x[reg].kind != PATTERN_NONE) {
			return parse_error(expected->parser, word, "x%u was stated before", reg);
		}
		if (!read_pattern(expected, word, value, true, &expected->stated->x[reg])) {
			return false;
		}
	}
	return true;
}

static bool read_forward(struct expected *expected)
{
	struct parser *parser = expected->parser;
	const struct word *id, *conduit;
	uint64_t value;

	expected->stated->kind = STATED_FORWARD;
	if (!need(expected, "the function", &id) ||
	    !parse_limited(parser, id, "a function ID", UINT32_MAX, &value) ||
	    !need(expected, "hvc or smc", &conduit) ||
	    !parse_conduit(parser, conduit, &expected->stated->conduit)) {
		return false;
	}
	expected->stated->id = (uint32_t)value;
	return read_registers(expected);
}

static bool unknown_event(struct expected *expected, const struct word *word)
{
	return parse_error(
		expected->parser, word,
		"'%s' is no event: it is cpu-off N, cpu-freeze N, system-off, system-reset, system-suspend or wakeup",
		word->text);
}

static bool read_event(struct expected *expected)
{
	struct parser *parser = expected->parser;
	struct scn_stated *stated = expected->stated;
	const struct word *word;
	uint64_t cpu;
	int event;

	stated->kind = STATED_EVENT;
	if (!need(expected, "the event", &word)) {
		return false;
	}
	for (event = SCN_CPU_OFF; event < SCN_EVENT_KINDS; event++) {
		if (strcmp(word->text, scn_event_name((enum scn_event)event)) == 0) {
			break;
		}
	}
	if (event == SCN_EVENT_KINDS) {
		return unknown_event(expected, word);
	}
	stated->event = (enum scn_event)event;
	if (event == SCN_CPU_OFF || event == SCN_CPU_FREEZE) {
		if (!need(expected, "the CPU that is off", &word)) {
			return false;
		}
		if (!parse_plain(word->text, &cpu) || cpu != parser->out.op.cpu) {
			return parse_error(parser, word, "the CPU that goes off is the caller, %u",
					   parser->out.op.cpu);
		}
		return no_more(expected);
	}
	word = peek(expected);
	if (word != NULL && strncmp(word->text, "flags=", 6) == 0) {
		if (!read_pattern(expected, take(expected), word->text + 6, false,
				  &stated->number)) {
			return false;
		}
	}
	return read_registers(expected);
}

static bool read_arrived(struct expected *expected)
{
	const struct word *word = take(expected);

	expected->stated->kind = STATED_ARRIVED;
	return read_pattern(expected, word, word->text + 3, false, &expected->stated->number) &&
	       read_registers(expected);
}

/* What stands in the way: of `try` and `tighten`. */
static bool read_detail(struct expected *expected)
{
	struct hvc_filter_detail *detail = &expected->stated->detail;
	const struct word *word = take(expected);
	uint64_t first, last;
	enum hvc_action action;

	if (word == NULL) {
		return true;
	}
	for (detail->obstacle = HVC_OBSTACLE_NO_FILTER; detail->obstacle <= HVC_OBSTACLE_MEMORY;
	     detail->obstacle++) {
		if (strcmp(word->text, scn_obstacle_name(detail->obstacle)) == 0) {
			break;
		}
	}
	if (detail->obstacle > HVC_OBSTACLE_MEMORY) {
		return parse_error(
			expected->parser, word,
			"'%s' is nothing that stands in the way: that is no-filter, empty, wrap, action, frozen, "
			"reserved, rule or memory",
			word->text);
	}
	if ((detail->obstacle != HVC_OBSTACLE_RESERVED && detail->obstacle != HVC_OBSTACLE_RULE) ||
	    (word = take(expected)) == NULL) {
		return no_more(expected);
	}
	if (!parse_range(expected->parser, word, &first, &last)) {
		return false;
	}
	detail->first = (uint32_t)first;
	detail->last = (uint32_t)last;
	expected->stated->detail_range = true;
	word = detail->obstacle == HVC_OBSTACLE_RULE ? take(expected) : NULL;
	if (word != NULL) {
		if (!parse_action(expected->parser, word, &action)) {
			return false;
		}
		expected->stated->action_said = true;
		expected->stated->action = (uint8_t)action;
	}
	return no_more(expected);
}

/* What is missing: of `restore`. */
static bool read_missing(struct expected *expected)
{
	const struct word *word = take(expected);
	uint32_t *missing = &expected->stated->missing;

	if (word == NULL) {
		return true;
	}
	for (*missing = HVC_MISSING_FORMAT; *missing < HVC_MISSING_COUNT; (*missing)++) {
		if (strcmp(word->text, scn_missing_name(*missing)) == 0) {
			return no_more(expected);
		}
	}
	return parse_error(expected->parser, word,
			   "'%s' is nothing that a restored VM can miss: that is policy, vcpus, "
			   "register, value, filter...",
			   word->text);
}

static bool read_error(struct expected *expected)
{
	const struct word *word = take(expected);
	struct suggestion suggestion;

	expected->stated->kind = STATED_ERROR;
	suggest_begin(&suggestion, word->text);
	for (int number = -1; number > -256; number--) {
		expected->stated->err = (enum hvc_err)number;
		if (strcmp(word->text, hvc_err_name(expected->stated->err)) == 0 &&
		    strcmp(word->text, "E?") != 0) {
			return expected->may & MAY_DETAIL    ? read_detail(expected)
			       : expected->may & MAY_MISSING ? read_missing(expected)
							     : no_more(expected);
		}
		suggest_try(&suggestion, hvc_err_name(expected->stated->err));
	}
	return parse_error(expected->parser, word, "unknown error '%s'%s%s%s", word->text,
			   suggestion.best != NULL ? "; did you mean " : "",
			   suggestion.best != NULL ? suggestion.best : "",
			   suggestion.best != NULL ? "?" : "");
}

static bool read_decision(struct expected *expected)
{
	const struct word *word = take(expected);
	enum hvc_action action;

	expected->stated->kind = STATED_DECISION;
	if (!parse_action(expected->parser, word, &action)) {
		return false;
	}
	expected->stated->action = (uint8_t)action;
	word = take(expected);
	if (word == NULL) {
		return true;
	}
	expected->stated->decider_said = true;
	for (int i = 0; i < HVC_DECIDER_COUNT; i++) {
		if (strcmp(word->text, hvc_decider_name((enum hvc_decider)i)) == 0) {
			expected->stated->decider = (uint8_t)i;
			return no_more(expected);
		}
	}
	return parse_error(
		expected->parser, word,
		"'%s' decides nothing: it is convention, reserved, rule, default, feature, service or "
		"unknown",
		word->text);
}

/* SEQUENCE:CPU:CONDUIT:FUNCTION */
static bool read_event_item(struct expected *expected, const struct word *word)
{
	struct scn_stated *stated = expected->stated;
	uint64_t number[2] = {0, 0};
	const char *at = word->text;
	struct word part;
	uint64_t id;
	bool good = true;

	for (unsigned int i = 0; i < 2 && good; i++) {
		char digits[SCN_NUMBER_TEXT];
		size_t length = strcspn(at, ":");

		snprintf(digits, sizeof(digits), "%.*s", (int)length, at);
		good = length < sizeof(digits) && at[length] == ':' &&
		       parse_plain(digits, &number[i]);
		at += good ? length + 1 : 0;
	}
	if (!good || number[1] >= SCN_CPUS ||
	    (strncmp(at, "hvc:", 4) != 0 && strncmp(at, "smc:", 4) != 0)) {
		return parse_error(expected->parser, word,
				   "'%s' is no event; write SEQUENCE:CPU:CONDUIT:FUNCTION, "
				   "1:0:hvc:PSCI_VERSION, say",
				   word->text);
	}
	part = parse_part(word, at + 4);
	if (!parse_limited(expected->parser, &part, "a function ID", UINT32_MAX, &id)) {
		return false;
	}
	stated->list[stated->list_count++] = number[0];
	stated->list[stated->list_count++] = SCN_EVENT_WORD(number[1], at[0] == 's', id);
	return true;
}

static bool read_item(struct expected *expected, const struct word *word)
{
	struct scn_stated *stated = expected->stated;
	uint64_t *list = stated->list + stated->list_count;
	unsigned int reg;
	enum hvc_action action;

	if (expected->may & MAY_EVENTS) {
		return read_event_item(expected, word);
	}
	if (expected->may & MAY_IDS) {
		reg = hvc_register_by_name(word->text);
		stated->list_count++;
		list[0] = reg != HVC_REG_NONE ? abi_register_id(reg) : 0;
		return reg != HVC_REG_NONE || parse_plain(word->text, list) ||
		       parse_error(expected->parser, word,
				   "'%s' is no register; write a name such as STD_BMAP or its ID",
				   word->text);
	}
	stated->list_count += 2;
	if (!parse_range(expected->parser, word, &list[0], &list[1])) {
		return false;
	}
	if (expected->may & MAY_RULES) {
		if (!need(expected, "the action", &word) ||
		    !parse_action(expected->parser, word, &action)) {
			return false;
		}
		stated->actions[(stated->list_count - 1) / 2] = (uint8_t)action;
	}
	return true;
}

static bool read_list(struct expected *expected)
{
	const struct word *word;

	expected->stated->kind = STATED_LIST;
	if (peek(expected) != NULL && strcmp(peek(expected)->text, "none") == 0) {
		take(expected);
		return no_more(expected);
	}
	while ((word = take(expected)) != NULL) {
		if (strcmp(word->text, "...") == 0) {
			expected->stated->more = true;
			return no_more(expected);
		}
		if (expected->stated->list_count + 2 > SCN_LIST_MAX) {
			return parse_error(expected->parser, word,
					   "a list has at most %d numbers; end it with ...",
					   SCN_LIST_MAX);
		}
		if (!read_item(expected, word)) {
			return false;
		}
	}
	return true;
}

static bool read_number(struct expected *expected)
{
	const struct word *word = take(expected);

	expected->stated->kind = STATED_NUMBER;
	return read_pattern(expected, word, word->text, false, &expected->stated->number) &&
	       no_more(expected);
}

static bool simple(struct expected *expected, enum scn_stated_kind kind)
{
	take(expected);
	expected->stated->kind = kind;
	return no_more(expected);
}

static const struct {
	unsigned int may;
	const char *what;
} forms[] = {
	{MAY_OK, "ok"},
	{MAY_NUMBER, "a number"},
	{MAY_IDS, "registers"},
	{MAY_RANGES, "ranges"},
	{MAY_RULES, "ranges with actions"},
	{MAY_EVENTS, "events"},
	{MAY_DECISION, "an action and what decides"},
	{MAY_END, "x0=..., forward, event, blocked"},
	{MAY_ARRIVE, "pc=..."},
	{MAY_FAIL, "an error such as EINVAL"},
};

static bool wrong_form(struct expected *expected, const struct word *word)
{
	char text[160] = "*";

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (expected->may & forms[i].may) {
			size_t length = strlen(text);

			snprintf(text + length, sizeof(text) - length, ", %s", forms[i].what);
		}
	}
	return parse_error(expected->parser, word, "'%s' is nothing that %s answers; it answers %s",
			   word->text, expected->command, text);
}

static bool read_any(struct expected *expected, const struct word *word)
{
	unsigned int may = expected->may, reg;
	const char *value, *text = word->text;

	if (strcmp(text, "*") == 0) {
		return simple(expected, STATED_ANY);
	}
	if ((may & MAY_OK) && strcmp(text, "ok") == 0) {
		return simple(expected, STATED_OK);
	}
	if (may & MAY_END) {
		if (strcmp(text, "blocked") == 0) {
			return simple(expected, STATED_BLOCKED);
		}
		if (strcmp(text, "forward") == 0) {
			return take(expected) != NULL && read_forward(expected);
		}
		if (strcmp(text, "event") == 0) {
			return take(expected) != NULL && read_event(expected);
		}
		if (parse_register(text, &reg, &value)) {
			expected->stated->kind = STATED_FRAME;
			return read_registers(expected);
		}
	}
	if ((may & MAY_ARRIVE) && strncmp(text, "pc=", 3) == 0) {
		return read_arrived(expected);
	}
	if ((may & MAY_FAIL) && text[0] == 'E' && isupper((unsigned char)text[1])) {
		return read_error(expected);
	}
	if ((may & MAY_DECISION) && islower((unsigned char)text[0])) {
		return read_decision(expected);
	}
	if (may & (MAY_IDS | MAY_RANGES | MAY_RULES | MAY_EVENTS)) {
		return read_list(expected);
	}
	if ((may & MAY_NUMBER) && (isdigit((unsigned char)text[0]) || text[0] == '-')) {
		return read_number(expected);
	}
	return wrong_form(expected, word);
}

bool parse_stated(struct parser *parser, const char *command, unsigned int may)
{
	struct expected expected = {.parser = parser,
				    .stated = &parser->out.stated,
				    .next = parser->count + 1,
				    .may = may,
				    .command = command};
	struct word end;

	if (parser->count == parser->total) {
		return true;
	}
	if (expected.next == parser->total) {
		end = parse_end(parser);
		return parse_error(parser, &end,
				   "nothing stands behind '->'; write * for anything");
	}
	if (may == 0) {
		return parse_error(parser, &parser->words[parser->count],
				   "%s answers nothing: leave '->' out", command);
	}
	return read_any(&expected, peek(&expected));
}
