/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of a session: what was still on its way, why it ended, the table. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "session.h"

/* What is still in the pipes; their writer is gone, so they end. */
static void drain(struct session_state *state)
{
	struct run_child *child = state->session->child;

	while (child->out >= 0 && session_take_console(state, child->out)) {
	}
	while (child->err >= 0 && session_take_errors(state, child->err)) {
	}
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
		struct pollfd fds[4] = {{.fd = state->session->interrupt, .events = POLLIN}};
		bool pending = false;
		int signal_number;

		for (unsigned int i = 0; i < 3; i++) {
			const bool more = state->sinks[i].count > 0;

			fds[1 + i] = (struct pollfd){.fd = more ? state->sinks[i].fd : -1,
						     .events = POLLOUT};
			pending = pending || more;
		}
		if (!pending || (poll(fds, 4, 100) < 0 && errno != EINTR)) {
			return;
		}
		for (unsigned int i = 0; i < 3; i++) {
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

static char *named(const char *what, const struct run_end *end)
{
	const struct hvc_function *function = hvc_function_at(end->function);

	return function == NULL ? run_format("%s", what)
				: run_format("%s (%s)", what, function->name);
}

/* QEMU ended without having been told to: the mailbox says whether the guest asked for it. */
static char *judge_exit(const struct session_state *state, const struct run_end *end, int *status)
{
	const bool regular = WIFEXITED(state->wait_status) && WEXITSTATUS(state->wait_status) == 0;

	*status = 1;
	switch (end->exit) {
	case EL2_EXIT_FAULT:
		return run_format("fault of the monitor itself: %s", end->report);
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
	struct run_sink file;
	char *text;

	if (session->options->summary == RUN_FORMAT_NONE) {
		return;
	}
	trace.colour = session->summary_fd < 0 && run_colour(STDERR_FILENO);
	text = run_summary(&trace, session->shared, session->options->smp, outcome,
			   session->options->summary);
	if (session->summary_fd < 0) {
		run_sink_line(state->err, text);
	} else {
		run_sink_init(&file, session->summary_fd);
		run_sink_put(&file, text, strlen(text));
		while (file.count > 0 && !file.failed) {
			run_sink_flush(&file);
		}
		if (file.failed) {
			session_say(state, "the summary cannot be written");
		}
		run_sink_free(&file);
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
		kill(session->child->pid, SIGKILL);
		while (waitpid(session->child->pid, &state->wait_status, 0) < 0 && errno == EINTR) {
		}
		session->child->pid = 0;
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
	put_summary(state, &outcome);
	line = run_format("%s; %.1f s", reason, outcome.seconds);
	session_say(state, line);
	free(line);
	free(reason);
	flush_all(state);
	return outcome.status;
}
