/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of a run: what the guest called and how it was settled, from the counters, which are exact. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "json.h"
#include "run.h"

struct row {
	uint64_t answered, denied, absent, failed, unknown;
};

/* The counters lie in shared memory and may be anything. */
static uint64_t plus(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static uint64_t row_calls(const struct row *row)
{
	return plus(plus(row->answered, row->denied),
		    plus(plus(row->absent, row->failed), row->unknown));
}

static void add_row(struct row *sum, const struct row *row)
{
	sum->answered = plus(sum->answered, row->answered);
	sum->denied = plus(sum->denied, row->denied);
	sum->absent = plus(sum->absent, row->absent);
	sum->failed = plus(sum->failed, row->failed);
	sum->unknown = plus(sum->unknown, row->unknown);
}

void run_counts(const struct run_counters *all, unsigned int slot, uint64_t count[HVC_COUNTS])
{
	memset(count, 0, HVC_COUNTS * sizeof(*count));
	for (unsigned int cpu = 0; cpu < all->count; cpu++) {
		const struct hvc_counters *counters = (const void *)(all->first +
								     cpu * all->stride);

		for (unsigned int what = 0; what < HVC_COUNTS; what++) {
			count[what] = plus(count[what],
					   __atomic_load_n(&counters->calls[slot][what],
							   __ATOMIC_RELAXED));
		}
	}
}

/* Slot 0 is every function the catalogue does not have and every call outside the convention: the engine counts
 * those as absent, and here they are unknown. */
static struct row read_row(const struct run_counters *all, unsigned int slot)
{
	uint64_t count[HVC_COUNTS];

	run_counts(all, slot, count);
	return (struct row){.answered = count[HVC_ANSWERED],
			    .unknown = slot == HVC_FN_NONE ? count[HVC_ABSENT] : 0,
			    .denied = count[HVC_DENIED],
			    .absent = slot == HVC_FN_NONE ? 0 : count[HVC_ABSENT],
			    .failed = count[HVC_FAILED]};
}

static const char *slot_name(unsigned int slot)
{
	const struct hvc_function *function = hvc_function_at(slot);

	return function == NULL ? "(unknown functions)" : function->name;
}

static char *join(char *text, char *more)
{
	char *both = run_format("%s%s", text, more);

	free(text);
	free(more);
	return both;
}

static char *table_row(const struct run_trace *trace, const char *name, const struct row *row,
		       bool head)
{
	const char *bold = trace->colour && head ? "\033[1m" : "";
	const char *plain = trace->colour ? "\033[0m" : "";
	const char *red = trace->colour && row->denied > 0 ? "\033[31m" : "";
	const char *yellow = trace->colour && row->absent + row->unknown > 0 ? "\033[33m" : "";
	char *line = run_format("%s%-32s %9llu %9llu %s%9llu%s %s%9llu %9llu%s", bold, name,
				(unsigned long long)row_calls(row),
				(unsigned long long)row->answered, red,
				(unsigned long long)row->denied, plain, yellow,
				(unsigned long long)row->absent, (unsigned long long)row->unknown,
				plain);

	if (row->failed > 0) {
		line = join(line, run_format("  (%llu forwarded, nobody attached)",
					     (unsigned long long)row->failed));
	}
	return join(line, run_format("\n"));
}

static bool is_unseen(const struct run_unseen *unseen, unsigned int slot)
{
	return (unseen->functions[slot / 64] >> slot % 64 & 1) != 0;
}

/* Not a row each: nothing is known of them, which is not 0. For people without those that no kernel serves. */
static char *unseen_text(const struct run_unseen *unseen)
{
	char *text = run_format("not observed, because the kernel answers or denies them:");
	size_t width = strlen(text);

	for (unsigned int slot = 1; slot < HVC_FN_COUNT; slot++) {
		const size_t length = strlen(slot_name(slot)) + 1;

		if (is_unseen(unseen, slot) &&
		    hvc_function_at(slot)->profile == HVC_SERVED_HVCGATE_1) {
			const bool fits = width + length <= 110;

			text = join(text, run_format("%s%s", fits ? " " : "\n  ", slot_name(slot)));
			width = fits ? width + length : length + 1;
		}
	}
	return join(text, run_format("\n"));
}

static json_t *unseen_json(const struct run_unseen *unseen)
{
	json_t *list = json_array();

	for (unsigned int slot = 1; slot < HVC_FN_COUNT; slot++) {
		if (is_unseen(unseen, slot)) {
			json_array_append_new(list, json_string(slot_name(slot)));
		}
	}
	return list;
}

static char *table(const struct run_trace *trace, const struct run_counters *counters,
		   const struct run_outcome *outcome)
{
	char *text = run_format("%-32s %9s %9s %9s %9s %9s\n", "function", "calls", "answered",
				"denied", "absent", "unknown");
	struct row total = {0};

	for (unsigned int i = 1; i <= HVC_FN_COUNT; i++) {
		const unsigned int slot = i % HVC_FN_COUNT; /* the unknown ones last */
		const struct row row = read_row(counters, slot);

		if (row_calls(&row) > 0) {
			text = join(text, table_row(trace, slot_name(slot), &row, false));
			add_row(&total, &row);
		}
	}
	text = join(text, table_row(trace, "total", &total, true));
	if (outcome->dropped > 0) {
		text = join(
			text,
			run_format(
				"%llu of these calls are not in the trace: they came faster than it could be read\n",
				(unsigned long long)outcome->dropped));
	}
	if (outcome->unseen != NULL) {
		text = join(text, unseen_text(outcome->unseen));
	}
	if (outcome->clock_bound_ns > 0) {
		text = join(text, run_format("KVM_PTP told the host's time within %.1f us\n",
					     (double)outcome->clock_bound_ns / 1e3));
	}
	return text;
}

static json_t *json_row(const char *name, const struct row *row)
{
	json_t *object = json_object();

	if (name != NULL) {
		json_object_set_new(object, "function", json_string(name));
	}
	json_object_set_new(object, "calls", run_json_number(row_calls(row)));
	json_object_set_new(object, "answered", run_json_number(row->answered));
	json_object_set_new(object, "denied", run_json_number(row->denied));
	json_object_set_new(object, "absent", run_json_number(row->absent));
	json_object_set_new(object, "failed", run_json_number(row->failed));
	json_object_set_new(object, "unknown", run_json_number(row->unknown));
	return object;
}

static char *json(const struct run_trace *trace, const struct run_counters *counters,
		  const struct run_outcome *outcome)
{
	json_t *object = json_object(), *functions = json_array();
	const uint8_t *digest = hvc_policy_sha256(trace->policy);
	struct row total = {0}, unknown;
	char sha256[65], *text, *line;

	for (unsigned int i = 0; i < 32; i++) {
		snprintf(sha256 + 2 * i, 3, "%02x", digest[i]);
	}
	for (unsigned int slot = 1; slot < HVC_FN_COUNT; slot++) {
		const struct row row = read_row(counters, slot);

		if (row_calls(&row) > 0) {
			json_array_append_new(functions, json_row(slot_name(slot), &row));
			add_row(&total, &row);
		}
	}
	unknown = read_row(counters, HVC_FN_NONE);
	add_row(&total, &unknown);
	json_object_set_new(object, "type", json_string("summary"));
	json_object_set_new(object, "format", json_integer(1));
	json_object_set_new(object, "policy_sha256", json_string(sha256));
	json_object_set_new(object, "status",
			    outcome->status < 0 ? json_null() : json_integer(outcome->status));
	json_object_set_new(object, "reason", run_json_text(outcome->reason));
	json_object_set_new(object, "seconds", json_real(outcome->seconds));
	json_object_set_new(object, "boots", json_integer(outcome->boots));
	json_object_set_new(object, "functions", functions);
	json_object_set_new(object, "unknown_functions", json_row(NULL, &unknown));
	json_object_set_new(object, "total", json_row(NULL, &total));
	json_object_set_new(object, "trace_dropped",
			    outcome->trace ? run_json_number(outcome->dropped) : json_null());
	json_object_set_new(object, "clock_bound_ns",
			    outcome->clock_bound_ns > 0 ? run_json_number(outcome->clock_bound_ns)
							: json_null());
	if (outcome->unseen != NULL) {
		json_object_set_new(object, "not_observed", unseen_json(outcome->unseen));
	}
	text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(15));
	line = run_format("%s\n", text == NULL ? "{}" : text);
	free(text);
	json_decref(object);
	return line;
}

char *run_summary(const struct run_trace *trace, const struct run_counters *counters,
		  const struct run_outcome *outcome, enum run_format format)
{
	return format == RUN_FORMAT_JSON ? json(trace, counters, outcome)
					 : table(trace, counters, outcome);
}
