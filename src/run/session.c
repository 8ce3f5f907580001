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
#include <sys/wait.h>
#include <unistd.h>

#include "run.h"

#define MS ((uint64_t)1000000)

/* How long a trace line waits for the console to end its own line. */
#define GATE_QUIET_NS   (50 * MS)
#define GATE_LONGEST_NS (500 * MS)

enum ended { RUNNING, BY_ITSELF, BY_KEY, BY_SIGNAL, BY_TIMEOUT, BY_OUTPUT };

enum slot {
	AT_OUT,
	AT_ERR,
	AT_STDIN,
	AT_IN,
	AT_INTERRUPT,
	AT_DOORBELL,
	AT_SINKS,
	AT_COUNT = AT_SINKS + 3
};

struct state {
	const struct run_session *session;
	struct run_console console;
	struct run_sink sinks[3]; /* stdout, stderr, a trace file; fd -1: not used */
	struct run_sink *out, *err, *trace_sink;
	struct run_trace trace;
	struct run_reader *reader;
	bool head_done, stdin_done, traced;
	char typed[512]; /* on its way to the guest */
	size_t typed_count;
	uint64_t started_ns, console_ns, gated_ns;
	uint32_t boots;
	enum ended ended;
	int wait_status, signal;
	char errors[512]; /* QEMU's stderr: a line not yet complete */
	size_t error_count;
};

/* --- Lines of ours, in between what the guest writes. */

static void say(struct state *state, const char *text)
{
	char *line = run_format("hvcgate: %s\n", text);

	run_sink_line(state->err, line);
	free(line);
}

static void put_trace(struct state *state, char *line)
{
	run_sink_line(state->trace_sink, line);
	free(line);
}

/* A line on the guest's unfinished one would tear it apart: wait a little for its end. */
static bool gate_is_open(struct state *state, uint64_t now)
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

static void put_head(struct state *state)
{
	if (!state->head_done) {
		state->head_done = true;
		put_trace(state, (state->session->options->trace_json
					  ? run_json_head
					  : run_text_head)(&state->trace, state->session->guest));
	}
}

static void pump_trace(struct state *state, bool final)
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
	while (run_reader_next(state->reader, now, final, &record)) {
		put_head(state);
		put_trace(state, (json ? run_json_call : run_text_call)(&state->trace, &record));
	}
}

/* --- What the child writes. */

static void put_error_line(struct state *state)
{
	char *line;

	if (state->error_count > 0) {
		line = run_format("QEMU: %.*s", (int)state->error_count, state->errors);
		say(state, line);
		free(line);
		state->error_count = 0;
	}
}

/* False at the end of the stream. */
static bool take_errors(struct state *state, int fd)
{
	char part[512];
	ssize_t n = read(fd, part, sizeof(part));

	if (n <= 0) {
		return n < 0 && (errno == EINTR || errno == EAGAIN);
	}
	for (ssize_t i = 0; i < n; i++) {
		if (part[i] == '\n' || state->error_count == sizeof(state->errors)) {
			put_error_line(state);
		}
		if (part[i] != '\n' && part[i] != '\r') {
			state->errors[state->error_count++] = part[i];
		}
	}
	return true;
}

static bool take_console(struct state *state, int fd)
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

static void take_stdin(struct state *state)
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

static void give_typed(struct state *state)
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

static void look_at_child(struct state *state)
{
	struct run_child *child = state->session->child;
	int status = 0;

	if (child->pid > 0 && waitpid(child->pid, &status, WNOHANG) == child->pid) {
		child->pid = 0;
		state->wait_status = status;
		if (state->ended == RUNNING) {
			state->ended = BY_ITSELF;
		}
	}
}

static void look_at_signals(struct state *state)
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

static void look_at_boots(struct state *state)
{
	const struct el2_mailbox *mailbox = state->session->shared;
	const uint32_t boots = __atomic_load_n(&mailbox->ready, __ATOMIC_ACQUIRE);

	if (boots != state->boots && state->boots != 0) {
		char *text = run_format("the guest reset the machine: boot %u", boots);

		say(state, text);
		free(text);
	}
	state->boots = boots;
}

static void look_at_clock(struct state *state)
{
	const double limit = state->session->options->timeout;

	if (limit > 0.0 && (double)(run_now_ns() - state->started_ns) >= limit * 1e9) {
		state->ended = BY_TIMEOUT;
	}
}

static int patience_ms(const struct state *state)
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

static void fill(const struct state *state, struct pollfd *fds)
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
	for (unsigned int i = 0; i < 3; i++) {
		fds[AT_SINKS + i] = want(state->sinks[i].fd, POLLOUT, state->sinks[i].count > 0);
	}
}

static void serve_sinks(struct state *state, const struct pollfd *fds)
{
	for (unsigned int i = 0; i < 3; i++) {
		if (fds[AT_SINKS + i].fd >= 0 && fds[AT_SINKS + i].revents != 0) {
			run_sink_flush(&state->sinks[i]);
		}
		if (state->sinks[i].failed && state->ended == RUNNING) {
			state->ended = BY_OUTPUT;
		}
	}
}

static void close_child(int *fd)
{
	close(*fd);
	*fd = -1;
}

static void serve(struct state *state, const struct pollfd *fds)
{
	struct run_child *child = state->session->child;
	char bells[256];

	if (fds[AT_OUT].revents != 0 && !take_console(state, child->out)) {
		close_child(&child->out);
	}
	if (fds[AT_ERR].revents != 0 && !take_errors(state, child->err)) {
		close_child(&child->err);
	}
	if (fds[AT_STDIN].revents != 0) {
		take_stdin(state);
	}
	if (fds[AT_IN].revents != 0) {
		give_typed(state);
	}
	if (fds[AT_DOORBELL].revents != 0) {
		while (read(state->session->doorbell, bells, sizeof(bells)) > 0) {
		}
	}
	if (fds[AT_INTERRUPT].revents != 0) {
		look_at_signals(state);
	}
	serve_sinks(state, fds);
}

static void loop(struct state *state)
{
	struct pollfd fds[AT_COUNT];

	while (state->ended == RUNNING) {
		fill(state, fds);
		if (poll(fds, AT_COUNT, patience_ms(state)) < 0 && errno != EINTR) {
			say(state, "poll failed");
			state->ended = BY_OUTPUT;
			break;
		}
		serve(state, fds);
		run_mailbox_feed(state->session->shared, state->session->options->deterministic);
		look_at_boots(state);
		pump_trace(state, false);
		look_at_clock(state);
	}
}

/* --- The end. */

/* What is still in the pipes; their writer is gone, so they end. */
static void drain(struct state *state)
{
	struct run_child *child = state->session->child;

	while (child->out >= 0 && take_console(state, child->out)) {
	}
	while (child->err >= 0 && take_errors(state, child->err)) {
	}
	put_error_line(state);
}

/* How long the last lines may take when nobody reads them. */
static uint64_t flush_patience_ns(const struct state *state)
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
static void flush_all(struct state *state)
{
	const uint64_t last = run_now_ns() + flush_patience_ns(state);
	bool ignored;

	while (run_now_ns() < last) {
		struct pollfd fds[AT_COUNT];
		bool pending = false;
		int signal_number;

		for (unsigned int i = 0; i < AT_SINKS; i++) {
			fds[i].fd = -1;
		}
		fds[AT_INTERRUPT] = want(state->session->interrupt, POLLIN, true);
		for (unsigned int i = 0; i < 3; i++) {
			pending = pending || state->sinks[i].count > 0;
			fds[AT_SINKS + i] = want(state->sinks[i].fd, POLLOUT,
						 state->sinks[i].count > 0);
		}
		if (!pending) {
			return;
		}
		if (poll(fds, AT_COUNT, 100) < 0 && errno != EINTR) {
			return;
		}
		serve_sinks(state, fds);
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
static char *judge_exit(const struct state *state, const struct run_end *end, int *status)
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

static char *judge(const struct state *state, const struct run_end *end, int *status)
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
		return run_format("output is closed");
	default:
		return judge_exit(state, end, status);
	}
}

static void put_summary(struct state *state, const struct run_outcome *outcome)
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
			say(state, "the summary cannot be written");
		}
		run_sink_free(&file);
	}
	free(text);
}

static int finish(struct state *state)
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
	pump_trace(state, true);
	run_mailbox_read(session->shared, &end);
	outcome.dropped = run_reader_dropped(state->reader);
	if (session->options->trace && outcome.dropped > 0) {
		put_trace(state, (session->options->trace_json
					  ? run_json_dropped
					  : run_text_dropped)(&state->trace, outcome.dropped));
	}
	if (run_reader_damaged(state->reader) > 0) {
		line = run_format("%llu trace records were damaged and left out",
				  (unsigned long long)run_reader_damaged(state->reader));
		say(state, line);
		free(line);
	}
	reason = judge(state, &end, &outcome.status);
	outcome.reason = reason;
	outcome.boots = end.boots;
	put_summary(state, &outcome);
	line = run_format("%s; %.1f s", reason, outcome.seconds);
	say(state, line);
	free(line);
	free(reason);
	flush_all(state);
	return outcome.status;
}

static void open_sinks(struct state *state)
{
	const struct run_session *session = state->session;

	run_sink_init(&state->sinks[0], STDOUT_FILENO);
	run_sink_init(&state->sinks[1], STDERR_FILENO);
	state->sinks[2].fd = -1;
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
	struct state state = {.session = session, .started_ns = run_now_ns()};
	int status;

	state.trace.policy = session->policy;
	state.trace.options = session->options;
	state.reader = run_reader_new(session->shared, session->options->smp,
				      session->options->deterministic);
	open_sinks(&state);
	fcntl(session->child->in, F_SETFL, O_NONBLOCK);
	run_console_open(&state.console);
	if (state.console.terminal) {
		say(&state, "Ctrl-C or Ctrl-A x ends the run; Ctrl-A c sends Ctrl-C to the guest");
	}
	if (session->options->trace) {
		put_head(&state);
	}
	loop(&state);
	status = finish(&state);
	for (unsigned int i = 0; i < 3; i++) {
		run_sink_free(&state.sinks[i]);
	}
	run_reader_free(state.reader);
	*signal_number = state.signal;
	return status;
}
