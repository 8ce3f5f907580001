/* SPDX-License-Identifier: BSD-2-Clause */
/* Does a result fit what its line states? */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "script.h"

struct judge {
	const struct scn_script *script;
	size_t n;
	const struct scn_line *line;
	const struct scn_stated *stated;
	const struct scn_result *result;
	char *why;
	size_t size;
};

static bool say(const struct judge *judge, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static bool say(const struct judge *judge, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(judge->why, judge->size, format, args);
	va_end(args);
	return false;
}

/* A plain value: of a register of the list, a count, pc. */
static bool fits(const struct judge *judge, const char *name, const struct scn_pattern *pattern,
		 uint64_t value)
{
	char is[SCN_NUMBER_TEXT], stated[SCN_NUMBER_TEXT];

	if (pattern->kind == PATTERN_NUMBER && value != pattern->value) {
		return say(judge, "%s is %s, stated %s", name, scn_number_text(value, is),
			   scn_number_text(pattern->value, stated));
	}
	if (pattern->kind == PATTERN_MASKED && (value & pattern->mask) != pattern->value) {
		return say(judge, "%s is %s, of which 0x%" PRIx64 " counts; stated %s", name,
			   scn_number_text(value, is), pattern->mask,
			   scn_number_text(pattern->value, stated));
	}
	return true;
}

/* The line's call was made four times: the same bits each time are none. */
static bool varies(const struct judge *judge, unsigned int reg)
{
	const struct scn_result *result = judge->result;

	if (judge->line->repeat != 3) {
		return true;
	}
	for (int back = 1; back <= 3; back++) {
		if (result[-back].kind != SCN_FRAME ||
		    result[-back].frame.x[reg] != result->frame.x[reg]) {
			return true;
		}
	}
	return say(judge, "x%u is 0x%" PRIx64 " in four calls, stated random", reg,
		   result->frame.x[reg]);
}

static bool fits_in(const struct judge *judge, unsigned int reg, uint64_t value)
{
	char is[SCN_NUMBER_TEXT], came[SCN_NUMBER_TEXT];
	uint64_t in;

	if (judge->line->in == SCN_NO_CALL) {
		return say(judge, "x%u is stated =in, but no call of this line's host came in",
			   reg);
	}
	in = judge->script->lines[judge->line->in].op.frame.x[reg];
	return value == in || say(judge, "x%u is %s, stated =in (%s)", reg,
				  scn_number_text(value, is), scn_number_text(in, came));
}

static bool fits_time(const struct judge *judge, unsigned int reg)
{
	const uint64_t *x = judge->result->frame.x;
	char is[SCN_NUMBER_TEXT];

	if (!scn_is_time(judge->script, judge->n, judge->result, reg)) {
		return say(judge, "x%u is %s, stated time: no time was answered", reg,
			   scn_number_text(x[reg], is));
	}
	if (x[reg] >> 32 != 0 || (x[0] == 0 && x[1] == 0)) {
		return say(judge, "x%u is %s, which is no half of a time", reg,
			   scn_number_text(x[reg], is));
	}
	return true;
}

static bool fits_register(const struct judge *judge, unsigned int reg)
{
	const struct scn_pattern *pattern = &judge->stated->x[reg];
	uint64_t value = judge->result->frame.x[reg];
	char name[8], is[SCN_NUMBER_TEXT];

	switch (pattern->kind) {
	case PATTERN_IN:
		return fits_in(judge, reg, value);
	case PATTERN_TIME:
		return fits_time(judge, reg);
	case PATTERN_RANDOM:
		if (pattern->value < 64 && value >> pattern->value != 0) {
			return say(judge,
				   "x%u is %s, stated random(%" PRIu64 "): bits above are set", reg,
				   scn_number_text(value, is), pattern->value);
		}
		return pattern->value < 16 || varies(judge, reg);
	default:
		snprintf(name, sizeof(name), "x%u", reg);
		return fits(judge, name, pattern, value);
	}
}

static bool fits_frame(const struct judge *judge)
{
	for (unsigned int reg = 0; reg < HVC_FRAME_REGS; reg++) {
		if (!fits_register(judge, reg)) {
			return false;
		}
	}
	return true;
}

static bool fits_error(const struct judge *judge)
{
	const struct hvc_filter_detail *is = &judge->result->detail;
	const struct hvc_filter_detail *stated = &judge->stated->detail;

	if (judge->result->err != judge->stated->err) {
		return say(judge, "%s, stated %s", hvc_err_name(judge->result->err),
			   hvc_err_name(judge->stated->err));
	}
	if (judge->stated->missing != HVC_MISSING_NOTHING &&
	    judge->stated->missing != judge->result->missing) {
		return say(judge, "missing is %s, stated %s",
			   scn_missing_name(judge->result->missing),
			   scn_missing_name(judge->stated->missing));
	}
	if (stated->obstacle == HVC_OBSTACLE_NONE) {
		return true;
	}
	if (is->obstacle != stated->obstacle) {
		return say(judge, "%s is in the way, stated %s", scn_obstacle_name(is->obstacle),
			   scn_obstacle_name(stated->obstacle));
	}
	if (judge->stated->detail_range &&
	    (is->first != stated->first || is->last != stated->last)) {
		return say(judge, "0x%08x-0x%08x is in the way, stated 0x%08x-0x%08x", is->first,
			   is->last, stated->first, stated->last);
	}
	if (judge->stated->action_said && is->action != judge->stated->action) {
		return say(judge, "the rule in the way is %s, stated %s",
			   hvc_action_name((enum hvc_action)is->action),
			   hvc_action_name((enum hvc_action)judge->stated->action));
	}
	return true;
}

static bool fits_list(const struct judge *judge)
{
	const struct scn_stated *stated = judge->stated;
	const struct scn_result *result = judge->result;
	bool ranges = judge->line->op.command != SCN_LIST;
	bool rules = judge->line->op.command == SCN_RULES;
	bool events = judge->line->op.command == SCN_EVENTS;

	if (result->list_count > SCN_LIST_MAX) {
		return say(judge, "%u are more than a list can have", result->list_count);
	}
	for (uint32_t i = 0; i < stated->list_count && i < result->list_count; i++) {
		if (stated->list[i] != result->list[i]) {
			return say(judge, "%s %u %s 0x%" PRIx64 ", stated 0x%" PRIx64,
				   events   ? "event"
				   : ranges ? "range"
					    : "number",
				   (ranges ? i / 2 : i) + 1,
				   events       ? "differs:"
				   : !ranges    ? "is"
				   : i % 2 == 0 ? "begins at"
						: "ends at",
				   result->list[i], stated->list[i]);
		}
		if (rules && stated->actions[i / 2] != result->actions[i / 2]) {
			return say(judge, "range %u is %s, stated %s", i / 2 + 1,
				   hvc_action_name((enum hvc_action)result->actions[i / 2]),
				   hvc_action_name((enum hvc_action)stated->actions[i / 2]));
		}
	}
	if (result->list_count < stated->list_count ||
	    (!stated->more && result->list_count != stated->list_count)) {
		return say(judge, "there are %u, stated %u",
			   ranges ? result->list_count / 2 : result->list_count,
			   ranges ? stated->list_count / 2 : stated->list_count);
	}
	return true;
}

static bool fits_decision(const struct judge *judge)
{
	const struct hvc_outcome *is = &judge->result->decision;
	const struct scn_stated *stated = judge->stated;

	if (is->action != stated->action) {
		return say(judge, "it is %s, stated %s",
			   hvc_action_name((enum hvc_action)is->action),
			   hvc_action_name((enum hvc_action)stated->action));
	}
	return !stated->decider_said || is->decider == stated->decider ||
	       say(judge, "%s decides, stated %s", hvc_decider_name((enum hvc_decider)is->decider),
		   hvc_decider_name((enum hvc_decider)stated->decider));
}

static bool fits_forward(const struct judge *judge)
{
	const struct scn_result *result = judge->result;

	if (result->id != judge->stated->id) {
		return say(judge, "0x%08x is forwarded, stated 0x%08x", result->id,
			   judge->stated->id);
	}
	if (result->conduit != judge->stated->conduit) {
		return say(judge, "it came by %s, stated %s",
			   result->conduit == HVC_CONDUIT_HVC ? "hvc" : "smc",
			   judge->stated->conduit == HVC_CONDUIT_HVC ? "hvc" : "smc");
	}
	return fits_frame(judge);
}

static bool fits_event(const struct judge *judge)
{
	if (judge->result->event != judge->stated->event) {
		return say(judge, "the event is %s, stated %s",
			   scn_event_name(judge->result->event),
			   scn_event_name(judge->stated->event));
	}
	return fits(judge, "flags", &judge->stated->number, judge->result->event_flags) &&
	       fits_frame(judge);
}

static const struct {
	enum scn_kind kind;
	const char *what;
	bool (*fits)(const struct judge *judge);
} forms[] = {
	[STATED_OK] = {SCN_OK, "ok", NULL},
	[STATED_ERROR] = {SCN_ERROR, "an error", fits_error},
	[STATED_NUMBER] = {SCN_NUMBER, "a number", NULL},
	[STATED_LIST] = {SCN_IDS, "a list", fits_list},
	[STATED_DECISION] = {SCN_DECISION, "a decision", fits_decision},
	[STATED_FRAME] = {SCN_FRAME, "registers", fits_frame},
	[STATED_FORWARD] = {SCN_FORWARDED, "forward", fits_forward},
	[STATED_EVENT] = {SCN_EVENT, "an event", fits_event},
	[STATED_BLOCKED] = {SCN_WAITS, "blocked", NULL},
	[STATED_ARRIVED] = {SCN_ARRIVED, "pc", fits_frame},
};

static const char *kind_text(const struct scn_result *result)
{
	static const char *const texts[] = {
		[SCN_NOT_RUN] = "it was not run",
		[SCN_OK] = "ok",
		[SCN_ERROR] = "an error",
		[SCN_NUMBER] = "a number",
		[SCN_IDS] = "a list",
		[SCN_DECISION] = "a decision",
		[SCN_FRAME] = "the call returned",
		[SCN_FORWARDED] = "the call was forwarded",
		[SCN_EVENT] = "an event",
		[SCN_WAITS] = "the CPU waits",
		[SCN_ARRIVED] = "the CPU is at its entry",
		[SCN_UNSUPPORTED] = "unsupported",
		[SCN_BROKEN] = "broken",
	};

	return result->kind == SCN_ERROR   ? hvc_err_name(result->err)
	       : result->kind == SCN_EVENT ? scn_event_name(result->event)
					   : texts[result->kind];
}

static bool fits_statement(const struct judge *judge)
{
	enum scn_stated_kind stated = judge->stated->kind;
	const struct scn_result *result = judge->result;

	if (result->kind == SCN_NOT_RUN && stated == STATED_NOTHING &&
	    judge->line->op.command != SCN_VM) {
		return true;
	}
	if (result->kind == SCN_BROKEN || result->kind == SCN_NOT_RUN) {
		return say(judge, "%s", result->reason != NULL ? result->reason : "it was not run");
	}
	if (stated == STATED_NOTHING && judge->line->op.command == SCN_VM) {
		return result->kind == SCN_OK ||
		       say(judge, "the vm cannot be made: %s", kind_text(result));
	}
	if (stated == STATED_NOTHING || stated == STATED_ANY) {
		return true;
	}
	if (result->kind != forms[stated].kind) {
		return say(judge, "%s, stated %s", kind_text(result),
			   stated == STATED_ERROR ? hvc_err_name(judge->stated->err)
						  : forms[stated].what);
	}
	if (stated == STATED_NUMBER) {
		return fits(judge, "it", &judge->stated->number, result->value);
	}
	if (stated == STATED_ARRIVED && !fits(judge, "pc", &judge->stated->number, result->value)) {
		return false;
	}
	return forms[stated].fits == NULL || forms[stated].fits(judge);
}

enum scn_verdict scn_judge(const struct scn_script *script, size_t n,
			   const struct scn_result *result, char *why, size_t size)
{
	const struct judge judge = {.script = script,
				    .n = n,
				    .line = &script->lines[n],
				    .stated = &script->lines[n].stated,
				    .result = result,
				    .why = why,
				    .size = size};

	if (size != 0) {
		why[0] = '\0';
	}
	if (result->kind == SCN_UNSUPPORTED) {
		say(&judge, "unsupported: %s",
		    result->reason != NULL ? result->reason : "no reason given");
		return SCN_NO_SUPPORT;
	}
	return fits_statement(&judge) ? SCN_AGREED : SCN_DIFFERED;
}
