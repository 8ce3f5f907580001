/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The keeper's desk: requests of the interposer go to handlers, their answers back, and `ctl` is answered. No thread; one
 * descriptor for the keeper's poll().
 */
#ifndef HVCGATE_KVM_DESK_H
#define HVCGATE_KVM_DESK_H

#include "../host/plan_bytes.h"
#include "shared.h"

struct desk_config {
	struct exec_shared *shared;
	const struct plan_view_of *plan;
	int requests;      /* the keeper's end of the SOCK_SEQPACKET; the desk's to close */
	int32_t pid;       /* the VMM's */
	char *const *argv; /* of the VMM: what the VM is called */
	/* A line for people: a handler is gone, is there again; a function was shut off. No newline. */
	void (*say)(void *context, const char *line);
	void *context;
};

struct desk;
/* `config` is copied; what it points to outlives the desk. NULL: no memory or no descriptors (errno). */
struct desk *desk_new(const struct desk_config *config);
/* Readable (POLLIN) when desk_work() has something to do: time-outs are in it. */
int desk_fd(const struct desk *desk);
/* Never waits. */
void desk_work(struct desk *desk);
/* Closes all; removes the socket of `ctl`. NULL is fine. */
void desk_free(struct desk *desk);

#endif
