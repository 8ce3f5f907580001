/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A host whose handlers answer from their own threads: vCPU threads run a guest of many threads whose every call is
 * forwarded; interrupts make vCPUs leave calls, which come back on whichever vCPU runs that guest thread next;
 * handlers answer out of order, twice, too late, never, or crash. All of it happens by chance, from a seed.
 *
 * It checks as it goes: each call ends once, with the answer to this very call or with the failure value; no request is
 * sent twice unless the first had aged out; and in the end that counters and counts add up. What is wrong is told in
 * `fault`.
 */
#ifndef TESTS_HANDLER_HOST_H
#define TESTS_HANDLER_HOST_H

#include <stdint.h>

struct handler_host_setup {
	unsigned int vcpus;         /* 1 to WORLD_VCPUS: a thread each */
	unsigned int handlers;      /* 1 to 4: likewise */
	unsigned int guest_threads; /* 1 to 64 */
	unsigned int calls;         /* that each of them makes */
	unsigned int transactions;  /* size of the table */
	uint64_t seed;
	/* One in so many; 0: never. */
	unsigned int interrupts; /* times that a waiting vCPU looks for its answer */
	unsigned int timeouts;   /* likewise: it gives up */
	unsigned int vanishing;  /* interrupted calls that are not made again */
	unsigned int lost;       /* requests that nobody answers; there have to be timeouts */
	unsigned int tardy;      /* answers given again after others */
	unsigned int crashes;    /* requests that kill the handler, which is started again */
	unsigned int ticks;      /* times that a vCPU looks for its answer: hvc_forward_expire() */
};

struct handler_host_result {
	uint64_t answered, failed; /* calls, as the guest saw it */
	uint64_t requests, restarted, resent, full, vanished, expired;
	uint64_t accepted, refused; /* replies */
	uint64_t crashes;
	const char *fault; /* NULL: all is well */
};

struct handler_host_result handler_host_run(const struct handler_host_setup *setup);

#endif
