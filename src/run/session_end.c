/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of a session: what was still on its way, why it ended, the table. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "session.h"

#define DRAIN_NS  (1000 * MS)
#define DRAIN_MAX 1024 /* reads of each: more than pipes hold */

/* What is still in the pipes. Their writers are gone, so they end; if one has escaped us, or a signal comes, the rest
 * is left. */
static void drain(struct session_state *state)
{
	const struct run_child *child = state->session->child;
	const uint64_t last = run_now_ns() + DRAIN_NS;
	struct pollfd fds[3] = {{.fd = child->out, .events = POLLIN},
				{.fd = child->err, .events = POLLIN},
				{.fd = state->session->interrupt, .events = POLLIN}};
	bool ignored;
	int signal_number = 0;

	for (int round = 0; round < DRAIN_MAX && (fds[0].fd >= 0 || fds[1].fd >= 0) &&
			    run_now_ns() < last && signal_number == 0;
	     round++) {
		if (poll(fds, 3, 100) < 0 && errno != EINTR) {
			break;
		}
		if (fds[0].fd >= 0 && fds[0].revents != 0 &&
		    !session_take_console(state, fds[0].fd)) {
			fds[0].fd = -1;
		}
		if (fds[1].fd >= 0 && fds[1].revents != 0 &&
		    !session_take_errors(state, fds[1].fd)) {
			fds[1].fd = -1;
		}
		signal_number = run_interrupt_read(fds[2].fd, &ignored, &ignored);
	}
	state->signal = signal_number != 0 ? signal_number : state->signal;
	session_put_error_line(state);
}

/* How long the last lines may take when nobody reads them. */
static uint64_t flush_patience_ns(const struct session_state *state)
{
	switch (state->ended) {
	case BY_ITSELF:
		return UINT64_MAX / 2;
	case BY_SIGNAL:
		return 500 * MS;
	default:
		return 3000 * MS;
	}
}

/* Write everything out, unless a signal comes or it takes too long. */
static void flush_all(struct session_state *state)
{
	const uint64_t last = run_now_ns() + flush_patience_ns(state);
	bool ignored;

	while (run_now_ns() < last) {
		struct pollfd fds[1 + SESSION_SINKS] = {
			{.fd = state->session->interrupt, .events = POLLIN}};
		bool pending = false;
		int signal_number;

		for (unsigned int i = 0; i < SESSION_SINKS; i++) {
			const bool more = state->sinks[i].count > 0;

			fds[1 + i] = (struct pollfd){.fd = more ? state->sinks[i].fd : -1,
						     .events = POLLOUT};
			pending = pending || more;
		}
		if (!pending || (poll(fds, 1 + SESSION_SINKS, 100) < 0 && errno != EINTR)) {
			return;
		}
		for (unsigned int i = 0; i < SESSION_SINKS; i++) {
			if (fds[1 + i].fd >= 0 && fds[1 + i].revents != 0) {
				run_sink_flush(&state->sinks[i]);
			}
		}
		signal_number = run_interrupt_read(state->session->interrupt, &ignored, &ignored);
		if (signal_number != 0) {
			state->signal = signal_number;
			return;
		}
	}
}

/* The call that ended it, and the kind of reset where there are some (DEN0022, 5.21). */
static char *named(const char *what, const struct run_end *end)
{
	const struct hvc_function *function = hvc_function_at(end->function);

	if (function == NULL) {
		return run_format("%s", what);
	}
	if (end->function != HVC_FN_PSCI_SYSTEM_RESET2) {
		return run_format("%s (%s)", what, function->name);
	}
	if (end->type == 0) {
		return run_format("%s (%s, warm)", what, function->name);
	}
	return run_format("%s (%s, type 0x%x, cookie 0x%llx)", what, function->name, end->type,
			  (unsigned long long)end->cookie);
}

/* QEMU ended without having been told to: the mailbox says whether the guest asked for it. */
static char *judge_exit(const struct session_state *state, const struct run_end *end, int *status)
{
	const bool regular = WIFEXITED(state->wait_status) && WEXITSTATUS(state->wait_status) == 0;

	*status = 1;
	switch (end->exit) {
	case EL2_EXIT_FAULT:
		return run_format("fault of the monitor itself: %s", end->report);
	case EL2_EXIT_ALL_OFF:
		return run_format("every CPU of the guest is off: nothing can start it again");
	case EL2_EXIT_REFUSED:
		*status = 2;
		return run_format("the monitor refused to start: %s", end->report);
	case EL2_EXIT_OFF:
		if (regular) {
			*status = 0;
			return named("the guest powered off", end);
		}
		break;
	case EL2_EXIT_RESET:
		if (regular && !state->session->options->reset_continues) {
			return named("the guest reset the machine", end);
		}
		break;
	default:
		break;
	}
	*status = 2;
	if (WIFSIGNALED(state->wait_status)) {
		return run_format("QEMU died of signal %d (%s)", WTERMSIG(state->wait_status),
				  strsignal(WTERMSIG(state->wait_status)));
	}
	return run_format("QEMU ended with status %d, and the guest did not ask for it",
			  WEXITSTATUS(state->wait_status));
}

static char *judge(const struct session_state *state, const struct run_end *end, int *status)
{
	*status = 1;
	switch (state->ended) {
	case BY_KEY:
		return run_format("ended from the keyboard");
	case BY_SIGNAL:
		return run_format("ended by signal %d (%s)", state->signal,
				  strsignal(state->signal));
	case BY_TIMEOUT:
		return run_format("timeout: %g seconds are over%s",
				  state->session->options->timeout,
				  end->boots == 0 ? ", and the monitor has not even started" : "");
	case BY_OUTPUT:
		if (state->output_error == EPIPE) {
			return run_format("output is closed");
		}
		*status = 2;
		return run_format("output cannot be written: %s", strerror(state->output_error));
	default:
		return judge_exit(state, end, status);
	}
}

static void put_summary(struct session_state *state, const struct run_outcome *outcome)
{
	const struct run_session *session = state->session;
	struct run_trace trace = state->trace;
	const struct run_counters counters = run_counters_of(session->shared,
							     session->options->smp);
	char *text;

	if (session->options->summary == RUN_FORMAT_NONE) {
		return;
	}
	trace.colour = session->summary_fd < 0 && run_colour(STDERR_FILENO);
	text = run_summary(&trace, &counters, outcome, session->options->summary);
	if (session->summary_fd < 0) {
		run_sink_line(state->err, text);
	} else {
		run_sink_init(&state->sinks[SESSION_SUMMARY], session->summary_fd);
		run_sink_put(&state->sinks[SESSION_SUMMARY], text, strlen(text));
	}
	free(text);
}

int session_finish(struct session_state *state)
{
	const struct run_session *session = state->session;
	struct run_end end;
	struct run_outcome outcome = {.trace = session->options->trace};
	char *reason, *line;

	outcome.seconds = (double)(run_now_ns() - state->started_ns) / 1e9;
	if (session->child->pid > 0) {
		state->wait_status = run_child_kill(session->child);
	}
	drain(state);
	run_console_close(&state->console);
	session_trace_pump(state, true);
	run_mailbox_read(session->shared, &end);
	outcome.dropped = run_reader_dropped(state->reader);
	if (session->options->trace && outcome.dropped > state->left_out) {
		session_trace_dropped(state, outcome.dropped - state->left_out, -1);
	}
	if (run_reader_damaged(state->reader) > 0) {
		line = run_format("%llu trace records were damaged and left out",
				  (unsigned long long)run_reader_damaged(state->reader));
		session_say(state, line);
		free(line);
	}
	reason = judge(state, &end, &outcome.status);
	outcome.reason = reason;
	outcome.boots = end.boots;
	outcome.clock_bound_ns = end.clock_bound_ns;
	put_summary(state, &outcome);
	line = run_format("%s; %.1f s", reason, outcome.seconds);
	session_say(state, line);
	free(line);
	free(reason);
	flush_all(state);
	if (state->sinks[SESSION_SUMMARY].failed) {
		session_say(state, "the summary cannot be written");
		flush_all(state);
	}
	return outcome.status;
}
