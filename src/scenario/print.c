/* SPDX-License-Identifier: BSD-2-Clause */
/* The canonical text of a result. */
#include <inttypes.h>
#include <string.h>

#include "script.h"

const char *scn_number_text(uint64_t value, char *text)
{
	if (value < 10) {
		snprintf(text, SCN_NUMBER_TEXT, "%" PRIu64, value);
	} else if ((int64_t)value < 0 && (int64_t)value > -100) {
		snprintf(text, SCN_NUMBER_TEXT, "%" PRId64, (int64_t)value);
	} else {
		snprintf(text, SCN_NUMBER_TEXT, "0x%" PRIx64, value);
	}
	return text;
}

/* The catalogue's function that a call was answered for; 0 if it was not answered at once. */
static unsigned int answered(const struct scn_script *script, size_t n,
			     const struct scn_result *result)
{
	const struct scn_op *op = scn_op_at(script, n);
	uint32_t hint = HVC_ID_FAST | HVC_ID_SVE_HINT, id = (uint32_t)op->id;

	if (op->command != SCN_CALL || result->kind != SCN_FRAME) {
		return HVC_FN_NONE;
	}
	if ((id & hint) == hint && op->vm->settings.smccc_version >= HVC_VERSION(1, 3)) {
		id &= ~HVC_ID_SVE_HINT;
	}
	return hvc_function_by_id(id);
}

unsigned int scn_random_bits(const struct scn_script *script, size_t n,
			     const struct scn_result *result, unsigned int reg)
{
	const struct scn_op *op = scn_op_at(script, n);
	unsigned int width = op->id & HVC_ID_64 ? 64 : 32;
	uint32_t bits = (uint32_t)op->frame.x[1], below;

	if (reg < 1 || reg > 3 || answered(script, n, result) != HVC_FN_TRNG_RND ||
	    result->frame.x[0] != 0) {
		return 0;
	}
	below = (3 - reg) * width; /* x3 has the lowest */
	if (bits <= below) {
		return 0;
	}
	return bits - below < width ? bits - below : width;
}

bool scn_is_time(const struct scn_script *script, size_t n, const struct scn_result *result,
		 unsigned int reg)
{
	return reg < 4 && answered(script, n, result) == HVC_FN_KVM_PTP &&
	       result->frame.x[0] != UINT64_MAX;
}

static void print_register(FILE *out, const struct scn_script *script, size_t n,
			   const struct scn_result *result, unsigned int reg)
{
	const struct scn_line *line = &script->lines[n];
	unsigned int bits = scn_random_bits(script, n, result, reg);
	uint64_t value = result->frame.x[reg];
	char text[SCN_NUMBER_TEXT];

	fprintf(out, "x%u=", reg);
	scn_number_text(value, text);
	if (scn_is_time(script, n, result, reg)) {
		fputs("time", out);
	} else if (bits != 0 && (bits == 64 || value >> bits == 0)) {
		fprintf(out, "random(%u)", bits);
	} else if (line->in != SCN_NO_CALL && value == script->lines[line->in].op.frame.x[reg] &&
		   text[0] == '0' && text[1] == 'x') {
		fputs("in", out);
	} else {
		fputs(text, out);
	}
}

/* `first`: a blank if something stands before. */
static void print_frame(FILE *out, const struct scn_script *script, size_t n,
			const struct scn_result *result, const char *first)
{
	for (unsigned int reg = 0; reg < HVC_FRAME_REGS; reg++) {
		fputs(reg == 0 ? first : " ", out);
		print_register(out, script, n, result, reg);
	}
}

const char *scn_event_name(enum scn_event event)
{
	static const char *const names[] = {
		[SCN_CPU_OFF] = "cpu-off",
		[SCN_SYSTEM_OFF] = "system-off",
		[SCN_SYSTEM_RESET] = "system-reset",
		[SCN_SYSTEM_SUSPEND] = "system-suspend",
		[SCN_WAKEUP] = "wakeup",
		[SCN_CPU_FREEZE] = "cpu-freeze",
	};

	return (unsigned int)event < sizeof(names) / sizeof(names[0]) ? names[event] : "?";
}

static void print_event(FILE *out, const struct scn_script *script, size_t n,
			const struct scn_result *result)
{
	fprintf(out, "event %s", scn_event_name(result->event));
	if (result->event == SCN_CPU_OFF || result->event == SCN_CPU_FREEZE) {
		fprintf(out, " %u", scn_op_at(script, n)->cpu);
		return;
	}
	if (result->event == SCN_SYSTEM_OFF || result->event == SCN_SYSTEM_RESET) {
		fprintf(out, " flags=%" PRIu64, result->event_flags);
	}
	print_frame(out, script, n, result, " ");
}

const char *scn_obstacle_name(unsigned int obstacle)
{
	static const char *const names[] = {
		[HVC_OBSTACLE_NONE] = "nothing",      [HVC_OBSTACLE_NO_FILTER] = "no-filter",
		[HVC_OBSTACLE_EMPTY] = "empty",       [HVC_OBSTACLE_WRAP] = "wrap",
		[HVC_OBSTACLE_ACTION] = "action",     [HVC_OBSTACLE_FROZEN] = "frozen",
		[HVC_OBSTACLE_RESERVED] = "reserved", [HVC_OBSTACLE_RULE] = "rule",
		[HVC_OBSTACLE_MEMORY] = "memory",
	};

	return obstacle < sizeof(names) / sizeof(names[0]) ? names[obstacle] : "?";
}

const char *scn_missing_name(unsigned int missing)
{
	static const char *const names[HVC_MISSING_COUNT] = {
		[HVC_MISSING_NOTHING] = "nothing",    [HVC_MISSING_FORMAT] = "format",
		[HVC_MISSING_POLICY] = "policy",      [HVC_MISSING_VCPUS] = "vcpus",
		[HVC_MISSING_VCPU] = "vcpu",          [HVC_MISSING_REGISTER] = "register",
		[HVC_MISSING_VALUE] = "value",        [HVC_MISSING_FILTER] = "filter",
		[HVC_MISSING_STATS] = "stats",        [HVC_MISSING_EVENTS] = "events",
		[HVC_MISSING_FORWARD] = "forward",    [HVC_MISSING_SHARE] = "share",
		[HVC_MISSING_STOLEN] = "stolen-time", [HVC_MISSING_SECTION] = "section",
		[HVC_MISSING_FUNCTION] = "function",
	};

	return missing < HVC_MISSING_COUNT && names[missing] != NULL ? names[missing] : "?";
}

static void print_error(FILE *out, const struct scn_op *op, const struct scn_result *result)
{
	const struct hvc_filter_detail *detail = &result->detail;

	fputs(hvc_err_name(result->err), out);
	if (op->command == SCN_RESTORE && result->missing != HVC_MISSING_NOTHING) {
		fprintf(out, " %s", scn_missing_name(result->missing));
	}
	if ((op->command != SCN_TRY && op->command != SCN_TIGHTEN) ||
	    detail->obstacle == HVC_OBSTACLE_NONE) {
		return;
	}
	fprintf(out, " %s", scn_obstacle_name(detail->obstacle));
	if (detail->obstacle == HVC_OBSTACLE_RESERVED || detail->obstacle == HVC_OBSTACLE_RULE) {
		fprintf(out, " 0x%08" PRIx32 "-0x%08" PRIx32, detail->first, detail->last);
	}
	if (detail->obstacle == HVC_OBSTACLE_RULE) {
		fprintf(out, " %s", hvc_action_name((enum hvc_action)detail->action));
	}
}

static void print_events(FILE *out, const struct scn_result *result)
{
	if (result->list_count == 0) {
		fputs("none", out);
	}
	for (uint32_t i = 0; i + 1 < result->list_count && i + 1 < SCN_LIST_MAX; i += 2) {
		uint64_t word = result->list[i + 1];

		fprintf(out, "%s%" PRIu64 ":%" PRIu64 ":%s:0x%08" PRIx32, i == 0 ? "" : " ",
			result->list[i], word >> 33, word >> 32 & 1 ? "smc" : "hvc",
			(uint32_t)word);
	}
}

static void print_list(FILE *out, const struct scn_op *op, const struct scn_result *result)
{
	const char *blank = "";

	if (result->list_count == 0) {
		fputs("none", out);
	}
	for (uint32_t i = 0; i < result->list_count && i < SCN_LIST_MAX; i++) {
		if (op->command == SCN_LIST) {
			fprintf(out, "%s0x%" PRIx64, blank, result->list[i]);
		} else if (i % 2 == 0) {
			fprintf(out, "%s0x%08" PRIx64, blank, result->list[i]);
		} else {
			fprintf(out, "-0x%08" PRIx64, result->list[i]);
			if (op->command == SCN_RULES) {
				fprintf(out, " %s",
					hvc_action_name((enum hvc_action)result->actions[i / 2]));
			}
		}
		blank = " ";
	}
}

static void print_arrived(FILE *out, const struct scn_result *result)
{
	char text[SCN_NUMBER_TEXT];
	unsigned int cpu = 0;

	while (cpu < SCN_CPUS && result->value != SCN_ENTRY_ADDRESS(cpu)) {
		cpu++;
	}
	if (cpu < SCN_CPUS) {
		fprintf(out, "pc=entry(%u)", cpu);
	} else {
		fprintf(out, "pc=%s", scn_number_text(result->value, text));
	}
	fprintf(out, " x0=%s", scn_number_text(result->frame.x[0], text));
}

static void print_forward(FILE *out, const struct scn_script *script, size_t n,
			  const struct scn_result *result)
{
	fprintf(out, "forward 0x%08" PRIx32 " %s", result->id,
		result->conduit == HVC_CONDUIT_HVC ? "hvc" : "smc");
	print_frame(out, script, n, result, " ");
}

static const char *reason(const struct scn_result *result)
{
	return result->reason != NULL ? result->reason : "no reason given";
}

void scn_print(FILE *out, const struct scn_script *script, size_t n,
	       const struct scn_result *result)
{
	const struct scn_op *op = scn_op_at(script, n);
	char text[SCN_NUMBER_TEXT];

	switch (result->kind) {
	case SCN_OK:
		fputs("ok", out);
		return;
	case SCN_ERROR:
		print_error(out, op, result);
		return;
	case SCN_NUMBER:
		fputs(scn_number_text(result->value, text), out);
		return;
	case SCN_IDS:
		if (op->command == SCN_EVENTS) {
			print_events(out, result);
			return;
		}
		print_list(out, op, result);
		return;
	case SCN_DECISION:
		fprintf(out, "%s %s", hvc_action_name((enum hvc_action)result->decision.action),
			hvc_decider_name((enum hvc_decider)result->decision.decider));
		return;
	case SCN_FRAME:
		print_frame(out, script, n, result, "");
		return;
	case SCN_FORWARDED:
		print_forward(out, script, n, result);
		return;
	case SCN_EVENT:
		print_event(out, script, n, result);
		return;
	case SCN_WAITS:
		fputs("blocked", out);
		return;
	case SCN_ARRIVED:
		print_arrived(out, result);
		return;
	case SCN_UNSUPPORTED:
		fprintf(out, "unsupported: %s", reason(result));
		return;
	case SCN_BROKEN:
		fprintf(out, "broken: %s", reason(result));
		return;
	case SCN_NOT_RUN:
		break;
	}
	fputs("not run", out);
}
