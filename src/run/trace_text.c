/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A call as a line for people:
 *
 *    1.204312 cpu0 hvc PSCI_CPU_ON(target_cpu=0x1, ...) = SUCCESS  [service psci]
 *
 * Seconds are the guest's counter: since the machine started, through its resets.
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

#define DIM    "\033[2m"
#define BOLD   "\033[1m"
#define RED    "\033[31m"
#define YELLOW "\033[33m"
#define GREEN  "\033[32m"
#define PLAIN  "\033[0m"

struct text {
	char *data;
	size_t bytes;
};

static void add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct text *text, const char *format, ...)
{
	char part[512];
	va_list list;
	size_t length;
	int n;

	va_start(list, format);
	n = vsnprintf(part, sizeof(part), format, list);
	va_end(list);
	length = n < 0 ? 0 : (size_t)n < sizeof(part) ? (size_t)n : sizeof(part) - 1;
	text->data = run_realloc(text->data, text->bytes + length + 1);
	memcpy(text->data + text->bytes, part, length);
	text->bytes += length;
	text->data[text->bytes] = '\0';
}

static const char *colour(const struct run_trace *trace, const char *code)
{
	return trace->colour ? code : "";
}

/* Unknown functions: x1 to x3, which is what most of them would use. */
#define UNKNOWN_ARGUMENTS 3u

/* Discovery calls ask for a function by its ID: say its name, and the width where it has two. */
static void add_value(struct text *text, const char *name, uint64_t value)
{
	const size_t length = strlen(name);
	const struct hvc_function *function = NULL;

	if (length > 7 && value <= UINT32_MAX &&
	    (strcmp(name + length - 7, "func_id") == 0 ||
	     strcmp(name + length - 7, "call_id") == 0)) {
		function = hvc_function_at(hvc_function_by_id((uint32_t)value));
	}
	if (function == NULL) {
		add(text, "0x%llx", (unsigned long long)value);
	} else if (function->id32 != 0 && function->id64 != 0) {
		add(text, "%s/%s", function->name, (value & HVC_ID_64) != 0 ? "64" : "32");
	} else {
		add(text, "%s", function->name);
	}
}

static void add_arguments(struct text *text, const struct hvc_record *record,
			  const struct hvc_function *function)
{
	unsigned int count = function == NULL ? UNKNOWN_ARGUMENTS : function->arg_count;
	const bool narrow = (record->id & HVC_ID_64) == 0;

	for (unsigned int n = 0; n < count; n++) {
		char name[64];

		if (n + 1 >= sizeof(record->in) / sizeof(record->in[0])) {
			add(text, ", ...");
			break;
		}
		run_argument_name(function, n, name, sizeof(name));
		/* A 32-bit call passes 32 bits; what stands above them is not an argument. */
		add(text, "%s%s=", n == 0 ? "" : ", ", name);
		add_value(text, name, narrow ? (uint32_t)record->in[n + 1] : record->in[n + 1]);
	}
}

static const char *decided_colour(const struct hvc_record *record)
{
	switch ((enum hvc_decider)record->decider) {
	case HVC_BY_RULE:
	case HVC_BY_DEFAULT:
		return record->action == HVC_HANDLE ? GREEN : RED;
	case HVC_BY_SERVICE:
	case HVC_BY_RESERVED:
		return GREEN;
	default:
		return YELLOW;
	}
}

char *run_text_call(const struct run_trace *trace, const struct hvc_record *record)
{
	const struct hvc_function *function = hvc_function_at(record->fn);
	const double seconds = trace->counter_hz == 0 ? 0.0
						      : (double)record->time / trace->counter_hz;
	char answer[128], decided[256];
	struct text text = {0};

	run_answer(record, answer, sizeof(answer));
	run_decided(trace, record, decided, sizeof(decided));
	add(&text, "%s%11.6f cpu%u %s", colour(trace, DIM), seconds, record->vcpu,
	    record->conduit == HVC_CONDUIT_SMC ? "smc" : "hvc");
	if (record->immediate != 0) {
		add(&text, "#%u", record->immediate);
	}
	add(&text, "%s %s", colour(trace, PLAIN), colour(trace, BOLD));
	if (function == NULL) {
		add(&text, "0x%08x", record->id);
	} else {
		add(&text, "%s", function->name);
	}
	add(&text, "%s(", colour(trace, PLAIN));
	add_arguments(&text, record, function);
	add(&text, ") = %s  %s[%s]%s\n", answer, colour(trace, decided_colour(record)), decided,
	    colour(trace, PLAIN));
	return text.data;
}

char *run_text_head(const struct run_trace *trace, const char *guest)
{
	const uint8_t *digest = hvc_policy_sha256(trace->policy);
	struct text text = {0};

	add(&text, "%spolicy %s (%s, sha256 ", colour(trace, DIM), hvc_policy_path(trace->policy),
	    hvc_policy_profile(trace->policy));
	for (unsigned int i = 0; i < 32; i++) {
		add(&text, "%02x", digest[i]);
	}
	add(&text, ")\nguest %s, %u CPUs (%s), %llu MiB, GICv%u, %s%s\n", guest,
	    trace->options->smp, trace->options->cpu,
	    (unsigned long long)(trace->options->mem / RUN_MIB), trace->options->gic,
	    trace->options->conduit_smc ? "smc" : "hvc", colour(trace, PLAIN));
	return text.data;
}

char *run_text_dropped(const struct run_trace *trace, uint64_t calls, int cpu)
{
	struct text text = {0};

	add(&text, "%s", colour(trace, YELLOW));
	if (cpu >= 0) {
		add(&text, "%11s cpu%d ", "...", cpu);
	}
	add(&text, "%llu calls are not in the trace: they came faster than it could be read%s\n",
	    (unsigned long long)calls, colour(trace, PLAIN));
	return text.data;
}
