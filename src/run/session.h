/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside of a session: its state, and what session.c, session_trace.c and session_end.c call of each other. */
#ifndef HVCGATE_RUN_SESSION_H
#define HVCGATE_RUN_SESSION_H

#include "../ctl/ctl.h"
#include "run.h"

#define MS ((uint64_t)1000000) /* in nanoseconds */

enum session_ended { RUNNING, BY_ITSELF, BY_KEY, BY_SIGNAL, BY_TIMEOUT, BY_OUTPUT };

/* stdout, stderr, a trace file, a summary file; fd -1: not used */
#define SESSION_SINKS   4
#define SESSION_SUMMARY 3

struct session_state {
	const struct run_session *session;
	struct run_console console;
	struct run_sink sinks[SESSION_SINKS];
	struct run_sink *out, *err, *trace_sink;
	struct run_trace trace;
	struct run_reader *reader;
	bool stdin_done, traced;
	char typed[512]; /* on its way to the guest */
	size_t typed_count;
	uint64_t started_ns, console_ns, gated_ns;
	uint64_t sequence[EL2_MAX_CPUS]; /* of the next call of each CPU */
	uint64_t left_out;               /* calls that the trace has said it lacks */
	uint32_t boots;
	enum session_ended ended;
	int output_error;
	int wait_status, signal;
	struct ctl_server *ctl; /* NULL: nobody can ask */
	char ctl_name[CTL_NAME_MAX], ctl_state[128];
	struct run_revoker revoker;
	char errors[512]; /* QEMU's stderr: a line not yet complete */
	size_t error_count;
};

/* session.c */
/* "hvcgate: TEXT" on a line of its own. */
void session_say(struct session_state *state, const char *text);
/* What QEMU wrote; false at the end of the stream. */
bool session_take_console(struct session_state *state, int fd);
bool session_take_errors(struct session_state *state, int fd);
void session_put_error_line(struct session_state *state);

/* session_trace.c */
void session_trace_head(struct session_state *state);
/* From the rings to the sink what is settled; `final`: everything. */
void session_trace_pump(struct session_state *state, bool final);
/* Calls that the trace lacks; `cpu` -1: nobody knows of which. */
void session_trace_dropped(struct session_state *state, uint64_t calls, int cpu);

/* session_ctl.c */
void session_ctl_open(struct session_state *state);
int session_ctl_fd(const struct session_state *state); /* to be read from, or -1 */
void session_ctl_work(struct session_state *state);
/* The socket is gone from here on. */
void session_ctl_close(struct session_state *state);

/* session_end.c */
/* QEMU is gone or to be ended: say why, show the table. Returns the exit status. */
int session_finish(struct session_state *state);

#endif
