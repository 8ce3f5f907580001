/* SPDX-License-Identifier: BSD-2-Clause */
/* Trace lines, in between what the guest writes. */
#include <stdlib.h>

#include "session.h"

/* How long a trace line waits for the console to end its own line. */
#define GATE_QUIET_NS   (50 * MS)
#define GATE_LONGEST_NS (500 * MS)

static void put_line(struct session_state *state, char *line)
{
	run_sink_line(state->trace_sink, line);
	free(line);
}

/* A line on the guest's unfinished one would tear it apart: wait a little for its end. */
static bool gate_is_open(struct session_state *state, uint64_t now)
{
	if (state->trace_sink != state->out || state->out->at_line_start) {
		state->gated_ns = 0;
		return true;
	}
	if (state->gated_ns == 0) {
		state->gated_ns = now;
	}
	return now - state->console_ns >= GATE_QUIET_NS || now - state->gated_ns >= GATE_LONGEST_NS;
}

void session_trace_head(struct session_state *state)
{
	const bool json = state->session->options->trace_json;

	put_line(state,
		 (json ? run_json_head : run_text_head)(&state->trace, state->session->guest));
}

void session_trace_dropped(struct session_state *state, uint64_t calls, int cpu)
{
	const bool json = state->session->options->trace_json;

	if (calls > 0) {
		put_line(state,
			 (json ? run_json_dropped : run_text_dropped)(&state->trace, calls, cpu));
		state->left_out += calls;
	}
}

/* Calls that found the ring full leave a gap in the numbers. */
static void put_gap(struct session_state *state, const struct hvc_record *record)
{
	uint64_t *next = &state->sequence[record->vcpu % EL2_MAX_CPUS];

	if (record->sequence > *next) {
		session_trace_dropped(state, record->sequence - *next, record->vcpu);
	}
	*next = record->sequence + 1;
}

void session_trace_pump(struct session_state *state, bool final)
{
	const uint64_t now = run_now_ns();
	const bool json = state->session->options->trace_json;
	struct hvc_record record;

	if (!state->session->options->trace) {
		return;
	}
	/* A reader that is slower than the guest: leave it in the ring, which counts what it drops. */
	if (run_sink_full(state->trace_sink) && !final) {
		return;
	}
	state->traced = run_reader_poll(state->reader, now) > 0;
	state->trace.counter_hz = run_mailbox_counter_hz(state->session->shared);
	if (!final && !gate_is_open(state, now)) {
		return;
	}
	/* At the end more than once: the reader may be full before the rings are empty. */
	for (int round = final ? 0 : 3; round < 4; round++) {
		while (run_reader_next(state->reader, now, final, &record)) {
			put_gap(state, &record);
			put_line(state,
				 (json ? run_json_call : run_text_call)(&state->trace, &record));
		}
		if (final && run_reader_poll(state->reader, now) == 0) {
			return;
		}
	}
}
