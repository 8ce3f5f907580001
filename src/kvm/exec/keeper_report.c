/* SPDX-License-Identifier: BSD-2-Clause */
/* Trace and summary of `exec`: from the rings and counters that the VMM writes, printed as `run` prints them. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../run/json.h"
#include "keeper_report.h"
#include "seen.h"

#define MS       ((uint64_t)1000000)
#define QUICK_NS (5 * MS)  /* how soon the rings are read again when something came */
#define IDLE_NS  (20 * MS) /* and when nothing did */

struct report {
	struct keeper_timer timer;
	struct run_trace trace;
	struct run_reader *reader;
	unsigned int known;            /* vCPUs */
	uint64_t sequence[EXEC_VCPUS]; /* of the next record of each */
	uint64_t left_out;             /* calls that the trace has said it lacks */
};

static struct run_sink *trace_sink(struct keeper *keeper)
{
	return keeper->options->trace_fd >= 0 ? &keeper->sinks[1] : &keeper->sinks[0];
}

static void put_line(struct keeper *keeper, char *line)
{
	run_sink_line(trace_sink(keeper), line);
	free(line);
}

static void put_dropped(struct keeper *keeper, struct report *report, uint64_t calls, int cpu)
{
	if (calls > 0) {
		put_line(keeper, (keeper->options->trace_json
					  ? run_json_dropped
					  : run_text_dropped)(&report->trace, calls, cpu));
		report->left_out += calls;
	}
}

static void put_record(struct keeper *keeper, struct report *report, struct hvc_record *record)
{
	const unsigned int index = record->vcpu % EXEC_VCPUS;
	uint64_t *next = &report->sequence[index];
	const uint64_t started = keeper->shared->started;

	record->vcpu = (uint16_t)keeper->shared->vcpus[index].id;
	record->time = record->time > started ? record->time - started : 0;
	if (record->sequence > *next) {
		put_dropped(keeper, report, record->sequence - *next, record->vcpu);
	}
	*next = record->sequence + 1;
	put_line(keeper, (keeper->options->trace_json ? run_json_call
						      : run_text_call)(&report->trace, record));
}

/* From the rings to the sink what is settled. Returns whether something came. */
static bool pump(struct keeper *keeper, struct report *report, bool final)
{
	const uint64_t now = run_now_ns();
	const uint32_t count = atomic_load_explicit(&keeper->shared->vcpu_count,
						    memory_order_acquire);
	struct hvc_record record;
	bool came;

	/* A reader of ours that is slower than the guest: what is too much is dropped, and counted. */
	if (run_sink_full(trace_sink(keeper)) && !final) {
		return false;
	}
	report->known = count < EXEC_VCPUS ? count : EXEC_VCPUS;
	run_reader_grow(report->reader, report->known);
	came = run_reader_poll(report->reader, now) > 0;
	while (run_reader_next(report->reader, now, final, &record)) {
		put_record(keeper, report, &record);
	}
	return came;
}

static void on_time(struct keeper *keeper, void *context)
{
	struct report *report = context;
	const bool came = pump(keeper, report, false);

	keeper_timer_set(keeper, &report->timer, run_now_ns() + (came ? QUICK_NS : IDLE_NS));
}

static void put_head(struct keeper *keeper)
{
	const struct plan_header *header = keeper->plan.header;
	const char *format =
		keeper->options->trace_json
			? "{\"type\":\"head\",\"format\":1,\"policy\":{\"path\":%s,\"profile\":%s,\"sha256\":\"%s\"},"
			  "\"guest\":%s,\"kernel\":%s}\n"
			: "policy %s (%s, sha256 %s)\nguest of %s, on Linux %s\n";
	const char *texts[4] = {hvc_policy_path(keeper->policy), hvc_policy_profile(keeper->policy),
				keeper->options->vmm, header->kernel};
	char sha256[65], *quoted[4];

	for (unsigned int i = 0; i < 32; i++) {
		snprintf(sha256 + 2 * (size_t)i, 3, "%02x", header->policy_sha256[i]);
	}
	for (unsigned int i = 0; i < 4; i++) {
		json_t *text = run_json_text(texts[i]);

		quoted[i] = keeper->options->trace_json ? json_dumps(text, JSON_ENCODE_ANY)
							: run_format("%s", texts[i]);
		json_decref(text);
		if (!keeper->options->trace_json) {
			run_make_harmless(quoted[i]);
		}
	}
	put_line(keeper, run_format(format, quoted[0], quoted[1], sha256, quoted[2], quoted[3]));
	for (unsigned int i = 0; i < 4; i++) {
		free(quoted[i]);
	}
}

static bool start(struct keeper *keeper, char *why, size_t size)
{
	struct report *report = run_realloc(NULL, sizeof(*report));
	const struct run_rings rings = {.first = (uint8_t *)&keeper->shared->vcpus[0].ring,
					.stride = sizeof(struct exec_vcpu),
					.records = EXEC_RECORDS};

	(void)why;
	(void)size;
	memset(report, 0, sizeof(*report));
	report->trace = (struct run_trace){
		.policy = keeper->policy,
		.colour = keeper->options->trace_fd < 0 && !keeper->options->trace_json &&
			  run_colour(STDERR_FILENO),
		.counter_hz = (uint32_t)exec_clock_hz(),
	};
	report->reader = run_reader_over(&rings, false);
	report->timer.call = on_time;
	report->timer.context = report;
	keeper_report.state = report;
	if (keeper->options->trace) {
		put_head(keeper);
		keeper_timer_set(keeper, &report->timer, run_now_ns() + IDLE_NS);
	}
	return true;
}

/* --- The end. */

/* What the kernel answers by itself, or denies: functions of which some ID is not forwarded. */
static void find_unseen(const struct plan_view_of *plan, struct run_unseen *unseen)
{
	for (unsigned int slot = 1; slot < HVC_FN_COUNT; slot++) {
		if (exec_seen(plan, slot) != CTL_SEEN) {
			unseen->functions[slot / 64] |= (uint64_t)1 << slot % 64;
		}
	}
}

static void put_summary(struct keeper *keeper, struct report *report)
{
	const enum run_format format = keeper->options->summary;
	const uint32_t count = atomic_load_explicit(&keeper->shared->vcpu_count,
						    memory_order_acquire);
	const struct run_counters counters = {
		.first = (const uint8_t *)&keeper->shared->vcpus[0].counters,
		.stride = sizeof(struct exec_vcpu),
		.count = count < EXEC_VCPUS ? count : EXEC_VCPUS};
	struct run_unseen unseen = {{0}};
	const struct run_outcome outcome = {.reason = "the VMM ended",
					    .status = -1,
					    .seconds = (double)(run_now_ns() - keeper->started_ns) /
						       1e9,
					    .dropped = run_reader_dropped(report->reader),
					    .trace = keeper->options->trace,
					    .unseen = &unseen};
	const bool file = keeper->options->summary_fd >= 0;
	struct run_trace trace = report->trace;
	char *text;

	/* Nobody wants a table of a VMM that made no VM (-version, or a refusal). */
	if (format == RUN_FORMAT_NONE || (format == RUN_FORMAT_TEXT && !file && count == 0)) {
		return;
	}
	find_unseen(&keeper->plan, &unseen);
	trace.colour = !file && run_colour(STDERR_FILENO);
	text = run_summary(&trace, &counters, &outcome, format);
	run_sink_line(&keeper->sinks[file ? 2 : 0], text);
	free(text);
}

static void stop(struct keeper *keeper)
{
	struct report *report = keeper_report.state;

	if (keeper->options->trace) {
		uint64_t dropped;

		while (pump(keeper, report, true)) {
		}
		dropped = run_reader_dropped(report->reader);
		if (dropped > report->left_out) {
			put_dropped(keeper, report, dropped - report->left_out, -1);
		}
		if (run_reader_damaged(report->reader) > 0) {
			keeper_say(keeper, "the trace is damaged: records that nobody wrote");
		}
	}
	put_summary(keeper, report);
	run_reader_free(report->reader);
	free(report);
}

struct keeper_part keeper_report = {.name = "report", .start = start, .stop = stop};
