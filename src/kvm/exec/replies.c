/* SPDX-License-Identifier: BSD-2-Clause */
/* The keeper's end of the replies of one VM. */
#define _GNU_SOURCE
#include "replies.h"

#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "words.h"

_Static_assert(sizeof(struct hvc_kvm_reply) % 8 == 0, "copied in words");

void replies_init(struct replies *replies, struct exec_replies *shared)
{
	replies->shared = shared;
	replies->head = atomic_load(&shared->head);
	replies->first = NULL;
	replies->last = &replies->first;
}

void replies_add(struct replies *replies, struct replies_item *item)
{
	item->next = NULL;
	*replies->last = item;
	replies->last = &item->next;
}

bool replies_wait(const struct replies *replies)
{
	return replies->first != NULL;
}

/* A tail that cannot be is one of a reader that runs wild: the ring is full as long as it says so. */
static bool room(const struct replies *replies)
{
	return replies->head - atomic_load(&replies->shared->tail) < EXEC_REPLIES;
}

struct replies_item *replies_pump(struct replies *replies)
{
	struct replies_item *done = replies->first, **end = &done;
	uint32_t count = 0;

	while (*end != NULL && room(replies)) {
		words_store(&replies->shared->replies[replies->head % EXEC_REPLIES], &(*end)->reply,
			    sizeof((*end)->reply));
		atomic_store(&replies->shared->head, ++replies->head);
		count++;
		end = &(*end)->next;
	}
	replies->first = *end;
	if (replies->first == NULL) {
		replies->last = &replies->first;
	}
	*end = NULL;
	if (count != 0) {
		atomic_fetch_add(&replies->shared->bell, count);
		(void)syscall(SYS_futex, &replies->shared->bell, FUTEX_WAKE, INT_MAX, NULL, NULL,
			      0);
	}
	return done;
}
