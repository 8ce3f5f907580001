/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `hvcgate ctl`: a VM's process (the keeper of `exec`, or `run`) is asked and told by another one.
 *
 * The process listens on a socket of its own, DIRECTORY/PID, mode 0600, where DIRECTORY is the first of
 *
 *   $HVCGATE_RUNTIME_DIR       for tests, and for whoever wants it elsewhere
 *   $XDG_RUNTIME_DIR/hvcgate   a user's
 *   /run/hvcgate               else
 *
 * and `ctl` looks in all three, or in the first alone. A peer is of our own user, or root. One packet (SOCK_SEQPACKET) is
 * one JSON object: a request {"ctl": 1, "do": "show" | "deny", "function": NAME}, then its reply {"ctl": 1, ...}, which has
 * "error" where it was refused. "show" has all that is known; `list` and `top` are made of it.
 */
#ifndef HVCGATE_CTL_H
#define HVCGATE_CTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include <hvcgate/call.h>
#include <hvcgate/err.h>
#include <hvcgate/image.h>

#define CTL_VERSION     1
#define CTL_NAME_MAX    96 /* bytes of a VM's name with its NUL */
#define CTL_PEERS       8u /* at once; a ninth waits */
#define CTL_REQUEST_MAX 4096u
#define CTL_REPLY_MAX   (128u << 10)

/* --- What a process tells of its VM. */
struct ctl_about {
	const char *name;    /* for people; never NULL */
	const char *host;    /* "kvm", "el2" */
	const char *policy;  /* its path */
	const char *profile; /* "linux-6.12@1" */
	const char *kernel;  /* that the plan is for; NULL: none */
	const char *state;   /* a line: "runs", "has not started its first vCPU", "refused: ..." */
	const char *plan;    /* a line: "2 registers, 3 filter ranges"; NULL: none */
	const uint8_t *policy_sha256; /* 32 bytes */
	int32_t pid;                  /* of the VMM */
	uint32_t vcpus;               /* that have run */
	uint64_t started_ns;          /* CLOCK_MONOTONIC */
	const uint64_t *revocable;    /* HVC_FN_WORDS words, a bit a function; NULL: none */
};

/* Can all calls of a function be counted here? */
enum ctl_seen {
	CTL_SEEN = 0,
	CTL_SEEN_PART, /* some: by one of its IDs, say */
	CTL_UNSEEN     /* the kernel answers them: no number is true */
};

struct ctl_handler_state {
	const char *name, *socket;
	const char *state; /* "attached", "not there: connection refused" */
	uint64_t requests, answered, timed_out, failed, garbage, late;
};

/* Strings and memory that it gives stay as they are until its next call. Called by ctl_server_work() only. */
struct ctl_subject {
	uint32_t size; /* sizeof(struct ctl_subject) */
	void *context;
	void (*about)(void *context, struct ctl_about *about); /* *about is zeroed */
	/* Of a catalogue slot (0: unknown functions), all vCPUs together. */
	enum ctl_seen (*counters)(void *context, unsigned int slot, uint64_t count[HVC_COUNTS]);
	/* The n-th handler; false past the end. NULL: none. */
	bool (*handler)(void *context, unsigned int n, struct ctl_handler_state *state);
	/* Has it been shut off? */
	bool (*revoked)(void *context, unsigned int slot);
	/*
	 * Shut a function off: it is one of `revocable`, and may be off already, which is fine. From the return on calls
	 * that begin are denied, or *pending is set true: soon. HVC_OK, or an error and why.
	 */
	enum hvc_err (*deny)(void *context, unsigned int slot, bool *pending, char *why,
			     size_t why_size);
};

/* --- The listening side: no thread, one descriptor for the caller's poll(). */
struct ctl_server;
/* Makes the directory where it is missing, removes sockets of the dead in it. `subject` is copied. NULL: `why`. The VM
 * runs as well without. */
struct ctl_server *ctl_server_new(const struct ctl_subject *subject, char *why, size_t why_size);
/* Readable (POLLIN) when ctl_server_work() has something to do. */
int ctl_server_fd(const struct ctl_server *server);
/* Never waits. */
void ctl_server_work(struct ctl_server *server);
const char *ctl_server_path(const struct ctl_server *server);
/* Removes the socket, where it is this process that made it: not in a fork's child. NULL is fine. */
void ctl_server_free(struct ctl_server *server);

/* What ctl_server_work() answers to a request; never NULL but without memory. For tests. */
json_t *ctl_answer(const struct ctl_subject *subject, const json_t *request);

/* --- The asking side. */
struct ctl_peer {
	int fd;
	int32_t pid; /* of who listens; the VMM's is in the reply */
	char path[108];
};
/* A socket per process that lives, at most `capacity`; ones of the dead are removed. Returns how many there are. */
size_t ctl_find(struct ctl_peer *peers, size_t capacity);
/* The reply, the caller's to free, which waits up to `timeout_ms`; NULL: `why`. */
json_t *ctl_ask(const struct ctl_peer *peer, const json_t *request, int timeout_ms, char *why,
		size_t why_size);
json_t *ctl_request(const char *verb, const char *function); /* `function` may be NULL */
void ctl_close(struct ctl_peer *peer);

/* --- Names. */
/* What a VMM's arguments call the VM: QEMU's -name (guest=), else -uuid, else the PID. */
void ctl_name(char *const *argv, int32_t pid, char name[CTL_NAME_MAX]);

/* dirs.c: the n-th directory to look in; false past the end. */
bool ctl_directory(unsigned int n, char *path, size_t size);

#endif
