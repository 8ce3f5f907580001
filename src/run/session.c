/* SPDX-License-Identifier: BSD-2-Clause */
/* From QEMU's start to its end: console, trace, mailbox, and why it ended. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "session.h"

enum slot {
	AT_OUT,
	AT_ERR,
	AT_STDIN,
	AT_IN,
	AT_INTERRUPT,
	AT_DOORBELL,
	AT_CTL,
	AT_SINKS,
	AT_COUNT = AT_SINKS + SESSION_SINKS
};

void session_say(struct session_state *state, const char *text)
{
	char *line = run_format("hvcgate: %s\n", text);

	run_sink_line(state->err, line);
	free(line);
}

/* --- What the child writes. */

void session_put_error_line(struct session_state *state)
{
	char *line;

	if (state->error_count > 0) {
		state->errors[state->error_count] = '\0';
		run_make_harmless(state->errors);
		line = run_format("QEMU: %s", state->errors);
		session_say(state, line);
		free(line);
		state->error_count = 0;
	}
}

/* False at the end of the stream. */
bool session_take_errors(struct session_state *state, int fd)
{
	char part[512];
	ssize_t n = read(fd, part, sizeof(part));

	if (n <= 0) {
		return n < 0 && (errno == EINTR || errno == EAGAIN);
	}
	for (ssize_t i = 0; i < n; i++) {
		if (part[i] == '\n' || state->error_count == sizeof(state->errors) - 1) {
			session_put_error_line(state);
		}
		if (part[i] != '\n' && part[i] != '\r') {
			state->errors[state->error_count++] = part[i] == '\0' ? '?' : part[i];
		}
	}
	return true;
}

bool session_take_console(struct session_state *state, int fd)
{
	char part[4096];
	ssize_t n = read(fd, part, sizeof(part));

	if (n <= 0) {
		return n < 0 && (errno == EINTR || errno == EAGAIN);
	}
	run_sink_put(state->out, part, (size_t)n);
	state->console_ns = run_now_ns();
	return true;
}

static void take_stdin(struct session_state *state)
{
	bool end = false;
	ssize_t n = read(STDIN_FILENO, state->typed, sizeof(state->typed));

	if (n < 0 && (errno == EINTR || errno == EAGAIN)) {
		return;
	}
	if (n <= 0) {
		/* The guest keeps running; a terminal that is gone sends SIGHUP besides. */
		state->stdin_done = true;
		return;
	}
	state->typed_count = run_console_filter(&state->console, state->typed, (size_t)n, &end);
	if (end) {
		state->ended = BY_KEY;
	}
}

static void give_typed(struct session_state *state)
{
	ssize_t n = write(state->session->child->in, state->typed, state->typed_count);

	if (n > 0) {
		state->typed_count -= (size_t)n;
		memmove(state->typed, state->typed + n, state->typed_count);
	} else if (n < 0 && errno != EAGAIN && errno != EINTR) {
		state->typed_count = 0;
		state->stdin_done = true;
	}
}

/* --- Events. */

static void look_at_child(struct session_state *state)
{
	struct run_child *child = state->session->child;

	if (run_child_ended(child, &state->wait_status) && state->ended == RUNNING) {
		state->ended = BY_ITSELF;
	}
}

static void look_at_signals(struct session_state *state)
{
	bool child_changed, continued;
	const int signal_number = run_interrupt_read(state->session->interrupt, &child_changed,
						     &continued);

	if (continued) {
		run_console_resume(&state->console);
	}
	if (child_changed) {
		look_at_child(state);
	}
	if (signal_number != 0) {
		state->ended = BY_SIGNAL;
		state->signal = signal_number;
	}
}

static void look_at_boots(struct session_state *state)
{
	const struct el2_mailbox *mailbox = state->session->shared;
	const uint32_t boots = __atomic_load_n(&mailbox->ready, __ATOMIC_ACQUIRE);

	if (boots != state->boots && state->boots != 0) {
		char *text = run_format("the guest reset the machine: boot %u", boots);

		session_say(state, text);
		free(text);
	}
	state->boots = boots;
}

static void look_at_clock(struct session_state *state)
{
	const double limit = state->session->options->timeout;

	if (limit > 0.0 && (double)(run_now_ns() - state->started_ns) >= limit * 1e9) {
		state->ended = BY_TIMEOUT;
	}
}

static int patience_ms(const struct session_state *state)
{
	const struct run_options *options = state->session->options;
	double patience = options->trace ? (state->traced ? 5 : 20) : 50;

	if (options->timeout > 0.0) {
		const double left = options->timeout * 1e3 -
				    (double)(run_now_ns() - state->started_ns) / 1e6;

		patience = left < patience ? left : patience;
	}
	return patience < 0.0 ? 0 : (int)patience + 1;
}

static struct pollfd want(int fd, short events, bool wanted)
{
	return (struct pollfd){.fd = wanted ? fd : -1, .events = events};
}

static void fill(const struct session_state *state, struct pollfd *fds)
{
	const struct run_session *session = state->session;
	const bool typing = state->typed_count > 0;

	fds[AT_OUT] = want(session->child->out, POLLIN, !run_sink_full(state->out));
	fds[AT_ERR] = want(session->child->err, POLLIN, !run_sink_full(state->err));
	fds[AT_STDIN] = want(STDIN_FILENO, POLLIN,
			     state->console.input && !state->stdin_done && !typing);
	fds[AT_IN] = want(session->child->in, POLLOUT, typing);
	fds[AT_INTERRUPT] = want(session->interrupt, POLLIN, true);
	fds[AT_DOORBELL] = want(session->doorbell, POLLIN, true);
	fds[AT_CTL] = want(session_ctl_fd(state), POLLIN, state->ctl != NULL);
	for (unsigned int i = 0; i < SESSION_SINKS; i++) {
		fds[AT_SINKS + i] = want(state->sinks[i].fd, POLLOUT, state->sinks[i].count > 0);
	}
}

static void serve_sinks(struct session_state *state, const struct pollfd *fds)
{
	for (unsigned int i = 0; i < SESSION_SINKS; i++) {
		if (fds[AT_SINKS + i].fd >= 0 && fds[AT_SINKS + i].revents != 0) {
			run_sink_flush(&state->sinks[i]);
		}
		if (state->sinks[i].failed && state->ended == RUNNING) {
			state->ended = BY_OUTPUT;
			state->output_error = state->sinks[i].error;
		}
	}
}

static void close_child(int *fd)
{
	close(*fd);
	*fd = -1;
}

static void serve(struct session_state *state, const struct pollfd *fds)
{
	struct run_child *child = state->session->child;
	char bells[4096];

	if (fds[AT_OUT].revents != 0 && !session_take_console(state, child->out)) {
		close_child(&child->out);
	}
	if (fds[AT_ERR].revents != 0 && !session_take_errors(state, child->err)) {
		close_child(&child->err);
	}
	if (fds[AT_STDIN].revents != 0) {
		take_stdin(state);
	}
	if (fds[AT_IN].revents != 0) {
		give_typed(state);
	}
	if (fds[AT_DOORBELL].revents != 0) {
		/* Once: who rings without end must not keep us here. That it rang is all there is to know. */
		(void)!read(state->session->doorbell, bells, sizeof(bells));
	}
	if (fds[AT_CTL].revents != 0) {
		session_ctl_work(state);
	}
	if (fds[AT_INTERRUPT].revents != 0) {
		look_at_signals(state);
	}
	serve_sinks(state, fds);
}

static void loop(struct session_state *state)
{
	struct pollfd fds[AT_COUNT];

	while (state->ended == RUNNING) {
		fill(state, fds);
		if (poll(fds, AT_COUNT, patience_ms(state)) < 0 && errno != EINTR) {
			state->ended = BY_OUTPUT;
			state->output_error = errno;
			break;
		}
		run_mailbox_tell_time(state->session->shared);
		serve(state, fds);
		run_mailbox_feed(state->session->shared, state->session->options->deterministic);
		look_at_boots(state);
		session_trace_pump(state, false);
		look_at_clock(state);
	}
}

static void open_sinks(struct session_state *state)
{
	const struct run_session *session = state->session;

	run_sink_init(&state->sinks[0], STDOUT_FILENO);
	run_sink_init(&state->sinks[1], STDERR_FILENO);
	state->sinks[2].fd = state->sinks[SESSION_SUMMARY].fd = -1;
	state->out = &state->sinks[0];
	/* One terminal for both: one sink, so that it is known where a line begins. */
	state->err = run_same_file(STDOUT_FILENO, STDERR_FILENO) ? &state->sinks[0]
								 : &state->sinks[1];
	state->trace_sink = state->err;
	if (session->trace_fd >= 0) {
		run_sink_init(&state->sinks[2], session->trace_fd);
		state->trace_sink = &state->sinks[2];
	}
	state->trace.colour = session->trace_fd < 0 && !session->options->trace_json &&
			      run_colour(STDERR_FILENO);
}

int run_session(const struct run_session *session, int *signal_number)
{
	struct session_state state = {.session = session, .started_ns = run_now_ns()};
	int status;

	state.trace.policy = session->policy;
	state.trace.options = session->options;
	state.reader = run_reader_new(session->shared, session->options->smp,
				      session->options->deterministic);
	open_sinks(&state);
	fcntl(session->child->in, F_SETFL, O_NONBLOCK);
	run_console_open(&state.console);
	if (state.console.terminal) {
		session_say(&state,
			    "Ctrl-C or Ctrl-A x ends the run; Ctrl-A c sends Ctrl-C to the guest");
	}
	if (session->options->trace) {
		session_trace_head(&state);
	}
	session_ctl_open(&state);
	loop(&state);
	session_ctl_close(&state);
	status = session_finish(&state);
	for (unsigned int i = 0; i < SESSION_SINKS; i++) {
		run_sink_free(&state.sinks[i]);
	}
	run_reader_free(state.reader);
	*signal_number = state.signal;
	return status;
}
