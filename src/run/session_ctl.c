/* SPDX-License-Identifier: BSD-2-Clause */
/* What `hvcgate ctl` is told of a run, and what it can do to it. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "session.h"

/* For the ways out that have no argument. */
static char socket_path[108];

static void remove_socket(void)
{
	if (socket_path[0] != '\0') {
		(void)unlink(socket_path);
	}
}

static void tell_state(struct session_state *state)
{
	const struct el2_mailbox *mailbox = state->session->shared;
	const uint32_t refused = __atomic_load_n(&mailbox->revoked.refused, __ATOMIC_RELAXED);
	char *text = state->ctl_state;
	const size_t size = sizeof(state->ctl_state);

	if (state->boots == 0) {
		snprintf(text, size, "has not started yet");
	} else if (refused != 0) {
		snprintf(text, size, "runs, boot %u; IDs that could not be denied: %u",
			 state->boots, refused);
	} else {
		snprintf(text, size, "runs, boot %u", state->boots);
	}
}

static void about(void *context, struct ctl_about *about)
{
	struct session_state *state = context;
	const struct run_session *session = state->session;

	tell_state(state);
	*about = (struct ctl_about){.name = state->ctl_name,
				    .host = "el2",
				    .policy = hvc_policy_path(session->policy),
				    .profile = hvc_policy_profile(session->policy),
				    .state = state->ctl_state,
				    .policy_sha256 = hvc_policy_sha256(session->policy),
				    .pid = (int32_t)getpid(),
				    .vcpus = session->options->smp,
				    .started_ns = state->started_ns,
				    .revocable = state->revoker.revocable};
}

static enum ctl_seen counters(void *context, unsigned int slot, uint64_t count[HVC_COUNTS])
{
	const struct session_state *state = context;
	const struct run_counters all = run_counters_of(state->session->shared,
							state->session->options->smp);

	run_counts(&all, slot, count);
	return CTL_SEEN;
}

static bool revoked(void *context, unsigned int slot)
{
	const struct session_state *state = context;

	return run_revoked(&state->revoker, slot);
}

static enum hvc_err deny(void *context, unsigned int slot, bool *pending, char *why,
			 size_t why_size)
{
	struct session_state *state = context;
	const bool already = run_revoked(&state->revoker, slot);
	char *text;

	if (!run_revoke(&state->revoker, slot)) {
		snprintf(why, why_size, "the function is not revocable");
		return HVC_EPERM;
	}
	*pending = false;
	if (!already) {
		text = run_format("ctl: %s is denied from now on", hvc_function_at(slot)->name);
		session_say(state, text);
		free(text);
	}
	return HVC_OK;
}

void session_ctl_open(struct session_state *state)
{
	const struct run_session *session = state->session;
	const struct ctl_subject subject = {.size = sizeof(subject),
					    .context = state,
					    .about = about,
					    .counters = counters,
					    .revoked = revoked,
					    .deny = deny};
	char why[256], *text;

	run_revoke_init(&state->revoker, session->shared, session->revocable);
	if (session->options->name != NULL) {
		snprintf(state->ctl_name, sizeof(state->ctl_name), "%s", session->options->name);
	} else {
		snprintf(state->ctl_name, sizeof(state->ctl_name), "%d", (int)getpid());
	}
	state->ctl = ctl_server_new(&subject, why, sizeof(why));
	if (state->ctl != NULL && run_at_end(remove_socket)) {
		snprintf(socket_path, sizeof(socket_path), "%s", ctl_server_path(state->ctl));
	}
	/* Where nobody has asked for it, it is no news. */
	if (state->ctl == NULL && (session->options->name != NULL || session->revocable != NULL)) {
		text = run_format("warning: hvcgate ctl does not reach this run: %s", why);
		session_say(state, text);
		free(text);
	}
}

int session_ctl_fd(const struct session_state *state)
{
	return state->ctl == NULL ? -1 : ctl_server_fd(state->ctl);
}

void session_ctl_work(struct session_state *state)
{
	ctl_server_work(state->ctl);
}

void session_ctl_close(struct session_state *state)
{
	socket_path[0] = '\0';
	ctl_server_free(state->ctl);
	state->ctl = NULL;
}
