/* SPDX-License-Identifier: BSD-2-Clause */
/* The keeper's end of the replies of one VM: a ring in shared memory, and a queue of what does not fit yet. */
#ifndef HVCGATE_KVM_REPLIES_H
#define HVCGATE_KVM_REPLIES_H

#include <stdbool.h>

#include "shared.h"

/* A reply with its place in the queue; the caller's. */
struct replies_item {
	struct hvc_kvm_reply reply;
	struct replies_item *next;
};

struct replies {
	struct exec_replies *shared;
	uint32_t head; /* ours: what stands in the shared memory is not believed */
	struct replies_item *first, **last;
};

void replies_init(struct replies *replies, struct exec_replies *shared);
/* Behind those that wait already. It may be in the ring at once: ask replies_pump(). */
void replies_add(struct replies *replies, struct replies_item *item);
/* Moves what fits into the ring and rings the bell; returns the items that are free again, a list. */
struct replies_item *replies_pump(struct replies *replies);
/* Is there something that waits for the readers? */
bool replies_wait(const struct replies *replies);

#endif
