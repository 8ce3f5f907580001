/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page that the monitor and we share. What we read may be anything: every field is copied once
 * and judged after.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "run.h"

void run_random(void *bytes, size_t count, bool deterministic)
{
	uint8_t *at = bytes;
	size_t have = 0;

	if (deterministic) {
		for (size_t i = 0; i < count; i++) {
			at[i] = (uint8_t)(0xa5u + 7u * i);
		}
		return;
	}
	while (have < count) {
		ssize_t n = getrandom(at + have, count - have, 0);

		if (n < 0 && errno != EINTR) {
			run_fail("the kernel gives no random bytes: %s", strerror(errno));
			exit(2);
		}
		have += n > 0 ? (size_t)n : 0;
	}
}

void run_mailbox_feed(void *shared, bool deterministic)
{
	struct el2_mailbox *mailbox = shared;

	if (__atomic_load_n(&mailbox->seed_full, __ATOMIC_ACQUIRE) != 0) {
		return;
	}
	run_random(mailbox->seed, sizeof(mailbox->seed), deterministic);
	__atomic_store_n(&mailbox->seed_full, 1u, __ATOMIC_RELEASE);
}

void run_mailbox_init(void *shared, bool deterministic)
{
	struct el2_mailbox *mailbox = shared;

	mailbox->magic = EL2_MAILBOX_MAGIC;
	run_mailbox_feed(shared, deterministic);
}

void run_mailbox_tell_time(void *shared)
{
	struct el2_mailbox *mailbox = shared;

	for (unsigned int i = 0; i < EL2_MAX_CPUS; i++) {
		struct el2_clock *clock = &mailbox->clocks[i];
		const uint32_t asked = __atomic_load_n(&clock->asked, __ATOMIC_ACQUIRE);
		struct timespec now;

		if (__atomic_load_n(&clock->answered, __ATOMIC_RELAXED) == asked ||
		    clock_gettime(CLOCK_REALTIME, &now) < 0) {
			continue;
		}
		__atomic_store_n(&clock->wall_ns,
				 (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec,
				 __ATOMIC_RELAXED);
		__atomic_store_n(&clock->answered, asked, __ATOMIC_RELEASE);
	}
}

uint32_t run_mailbox_counter_hz(const void *shared)
{
	const struct el2_mailbox *mailbox = shared;

	return __atomic_load_n(&mailbox->counter_hz, __ATOMIC_RELAXED);
}

struct run_counters run_counters_of(const void *shared, unsigned int cpus)
{
	return (struct run_counters){.first = (const uint8_t *)shared + EL2_COUNTERS_OFFSET,
				     .stride = EL2_COUNTERS_STRIDE,
				     .count = cpus < EL2_MAX_CPUS ? cpus : EL2_MAX_CPUS};
}

void run_mailbox_read(const void *shared, struct run_end *end)
{
	const struct el2_mailbox *mailbox = shared;
	const uint32_t exit = __atomic_load_n(&mailbox->exit, __ATOMIC_ACQUIRE);

	end->exit = exit <= EL2_EXIT_ALL_OFF ? (enum el2_exit)exit : EL2_EXIT_NONE;
	end->type = __atomic_load_n(&mailbox->exit_type, __ATOMIC_RELAXED);
	end->function = __atomic_load_n(&mailbox->exit_function, __ATOMIC_RELAXED);
	end->cookie = __atomic_load_n(&mailbox->exit_cookie, __ATOMIC_RELAXED);
	end->boots = __atomic_load_n(&mailbox->ready, __ATOMIC_RELAXED);
	end->clock_bound_ns = __atomic_load_n(&mailbox->clock_bound_ns, __ATOMIC_RELAXED);
	end->counter_hz = run_mailbox_counter_hz(shared);
	memcpy(end->report, mailbox->report, sizeof(end->report));
	end->report[sizeof(end->report) - 1] = '\0';
	run_make_harmless(end->report);
}
