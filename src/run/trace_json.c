/* SPDX-License-Identifier: BSD-2-Clause */
/* The trace for programs: one JSON object a line. docs/trace.md describes it. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "json.h"
#include "run.h"

/* Registers are hexadecimal strings: JSON readers keep 53 bits of a number. */
static json_t *hex(uint64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "0x%llx", (unsigned long long)value);
	return json_string(text);
}

static char *line(json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(15));
	char *with_newline = run_format("%s\n", text == NULL ? "{}" : text);

	free(text);
	json_decref(object);
	return with_newline;
}

char *run_json_head(const struct run_trace *trace, const char *guest)
{
	const struct run_options *options = trace->options;
	const uint8_t *digest = hvc_policy_sha256(trace->policy);
	json_t *object = json_object(), *policy = json_object();
	char sha256[65];

	for (unsigned int i = 0; i < 32; i++) {
		snprintf(sha256 + 2 * i, 3, "%02x", digest[i]);
	}
	json_object_set_new(policy, "path", run_json_text(hvc_policy_path(trace->policy)));
	json_object_set_new(policy, "profile", run_json_text(hvc_policy_profile(trace->policy)));
	json_object_set_new(policy, "sha256", json_string(sha256));
	json_object_set_new(object, "type", json_string("head"));
	json_object_set_new(object, "format", json_integer(1));
	json_object_set_new(object, "policy", policy);
	json_object_set_new(object, "guest", run_json_text(guest));
	json_object_set_new(object, "cpus", json_integer(options->smp));
	json_object_set_new(object, "cpu_model", run_json_text(options->cpu));
	json_object_set_new(object, "memory_bytes", run_json_number(options->mem));
	json_object_set_new(object, "gic", json_integer(options->gic));
	json_object_set_new(object, "conduit", json_string(options->conduit_smc ? "smc" : "hvc"));
	json_object_set_new(object, "deterministic", json_boolean(options->deterministic));
	return line(object);
}

static json_t *arguments_of(const struct hvc_record *record, const struct hvc_function *function)
{
	json_t *arguments = json_object();

	for (unsigned int n = 0; n < function->arg_count && n + 1 < 8; n++) {
		char name[64];

		run_argument_name(function, n, name, sizeof(name));
		json_object_set_new(arguments, name,
				    hex((record->id & HVC_ID_64) == 0 ? (uint32_t)record->in[n + 1]
								      : record->in[n + 1]));
	}
	return arguments;
}

static json_t *registers(const uint64_t *values, unsigned int count)
{
	json_t *array = json_array();

	for (unsigned int i = 0; i < count; i++) {
		json_array_append_new(array, hex(values[i]));
	}
	return array;
}

static json_t *rule_of(const struct run_trace *trace, const struct hvc_record *record)
{
	const struct hvc_match match = hvc_policy_match(trace->policy, record->id);
	json_t *rule;

	/* Where the action is another one, it was revoked. */
	if (record->decider != HVC_BY_RULE || match.rule == NULL ||
	    match.action != (enum hvc_action)record->action) {
		return json_null();
	}
	rule = json_object();
	json_object_set_new(rule, "number", json_integer(match.rule->number));
	json_object_set_new(rule, "file", run_json_text(match.rule->file));
	json_object_set_new(rule, "line", json_integer(match.rule->line));
	json_object_set_new(rule, "target", run_json_text(match.rule->target));
	return rule;
}

char *run_json_call(const struct run_trace *trace, const struct hvc_record *record)
{
	const struct hvc_function *function = hvc_function_at(record->fn);
	const double seconds = trace->counter_hz == 0 ? 0.0
						      : (double)record->time / trace->counter_hz;
	json_t *object = json_object();
	char answer[128], decided[256];

	run_answer(record, answer, sizeof(answer));
	run_decided(trace, record, decided, sizeof(decided));
	json_object_set_new(object, "type", json_string("call"));
	json_object_set_new(object, "time", json_real(seconds));
	json_object_set_new(object, "cpu", json_integer(record->vcpu));
	json_object_set_new(object, "sequence", run_json_number(record->sequence));
	json_object_set_new(object, "conduit",
			    json_string(record->conduit == HVC_CONDUIT_SMC ? "smc" : "hvc"));
	json_object_set_new(object, "immediate", json_integer(record->immediate));
	json_object_set_new(object, "id", hex(record->id));
	json_object_set_new(object, "function",
			    run_json_text(function == NULL ? NULL : function->name));
	json_object_set_new(object, "arguments",
			    function == NULL ? json_object() : arguments_of(record, function));
	json_object_set_new(object, "in", registers(record->in, 8));
	json_object_set_new(object, "verdict",
			    json_string(hvc_verdict_name((enum hvc_verdict)record->verdict)));
	json_object_set_new(object, "out",
			    record->verdict == HVC_RESUME ? registers(record->out, 4)
							  : json_null());
	json_object_set_new(object, "answer", run_json_text(answer));
	json_object_set_new(object, "decider",
			    json_string(hvc_decider_name((enum hvc_decider)record->decider)));
	json_object_set_new(object, "action",
			    json_string(hvc_action_name((enum hvc_action)record->action)));
	json_object_set_new(object, "rule", rule_of(trace, record));
	json_object_set_new(object, "decided_by", run_json_text(decided));
	return line(object);
}

char *run_json_dropped(const struct run_trace *trace, uint64_t calls, int cpu)
{
	json_t *object = json_object();

	(void)trace;
	json_object_set_new(object, "type", json_string("dropped"));
	json_object_set_new(object, "cpu", cpu < 0 ? json_null() : json_integer(cpu));
	json_object_set_new(object, "calls", run_json_number(calls));
	return line(object);
}
