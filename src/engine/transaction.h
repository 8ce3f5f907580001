/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of transactions, for the vCPUs whose calls they are. */
#ifndef HVC_TRANSACTION_H
#define HVC_TRANSACTION_H

#include <hvcgate/forward.h>

#include "state.h"

/* What a vCPU finds of its transaction. */
enum transaction_found {
	TRANSACTION_WAITS = 0, /* no answer yet */
	TRANSACTION_ANSWERED,  /* ended: `reply` and `mask` are the answer */
	TRANSACTION_FAILED     /* ended: nobody will answer */
};

/* A new one; fills in transaction->sequence. `key` may be NULL. False: the table is full. */
HVC_HIDDEN bool transaction_open(struct hvc_forwards *forwards, const struct hvc_restart_key *key,
				 struct hvc_transaction *transaction);
/* One that was left by this same call is the caller's from now on; fills in sequence and vcpu. False: there is none. */
HVC_HIDDEN bool transaction_rejoin(struct hvc_forwards *forwards, const struct hvc_restart_key *key,
				   struct hvc_transaction *transaction);
/* These by the vCPU that opened or rejoined it and has not left it since. */
/* Who opened it. */
HVC_HIDDEN uint32_t transaction_vcpu(struct hvc_forwards *forwards, uint64_t sequence);
HVC_HIDDEN enum transaction_found transaction_poll(struct hvc_forwards *forwards, uint64_t sequence,
						   struct hvc_frame *reply, uint32_t *mask);
/* HVC_EINVAL: it has no key. */
HVC_HIDDEN enum hvc_err transaction_leave(struct hvc_forwards *forwards, uint64_t sequence);
/* Over without the table's answer; `answered`: with another one. */
HVC_HIDDEN void transaction_close(struct hvc_forwards *forwards, uint64_t sequence, bool answered);

#endif
