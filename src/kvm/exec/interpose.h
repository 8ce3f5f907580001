/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interposer: hvcgate/kvm.h over descriptors, under a VMM that knows nothing of it. preload.c has the functions that
 * take libc's place; this is what they do, and what tests call.
 */
#ifndef HVCGATE_KVM_EXEC_INTERPOSE_H
#define HVCGATE_KVM_EXEC_INTERPOSE_H

#include <stdbool.h>
#include <stddef.h>

#include "shared.h"

struct interpose_system {
	/* As libc's ioctl(): for requests that are not ours. */
	int (*next)(int fd, unsigned long request, void *argument);
	/* The same with the cookie in the other three arguments: for all that we ask ourselves. */
	int (*raw)(int fd, unsigned long request, void *argument, const uint64_t cookie[3]);
	int (*close)(int fd);
	/* The process has made a VM: environment and descriptors are no longer for others. May be NULL. */
	void (*settled)(void);
};

/* Once, before all else. `requests` and `attention` as in the environment; -1: none. False: `why`. */
bool interpose_start(const struct interpose_system *system, struct exec_shared *shared,
		     const void *plan, size_t size, int requests, int attention, char *why,
		     size_t why_size);
/* The process exits: its program was not replaced by one that has no interposer. */
void interpose_end(void);

/* As ioctl(). */
int interpose_ioctl(int fd, unsigned long request, void *argument);
/* A descriptor is about to be closed, or was made a duplicate of another. errno stays. */
void interpose_closing(int fd);
void interpose_duplicated(int from, int to);

#endif
