/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interposer's end of the way to the keeper: struct hvc_kvm_channel (hvcgate/kvm.h) over a socket and shared memory.
 * libc only, no thread, no lock, no allocation: any thread may die, fork or be interrupted in it.
 *
 * When the keeper is gone, send() is false, and receive() makes the replies that it will not send: each request that is
 * outstanding fails.
 */
#ifndef HVCGATE_KVM_CHANNEL_H
#define HVCGATE_KVM_CHANNEL_H

#include "shared.h"

/* Requests of one VM that are outstanding at once; one more is not sent, and fails. */
#define EXEC_OUTSTANDING 1024u

struct exec_channel {
	struct exec_shared *shared;
	int fd; /* the SOCK_SEQPACKET; nobody else in this process has the keeper's end */
	_Atomic uint32_t gone;                                    /* the keeper is */
	_Atomic uint64_t outstanding[EXEC_VMS][EXEC_OUTSTANDING]; /* sequence numbers; 0: free */
};

/* `channel` is zeroed memory that outlives all use; *out is filled in, and is for hvc_kvm_options. */
void exec_channel_init(struct exec_channel *channel, struct exec_shared *shared, int fd,
		       struct hvc_kvm_channel *out);

#endif
