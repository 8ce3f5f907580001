/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Included before the table of transactions and the queue of events (-include): in front of each atomic access a thread may lose its CPU, so
 * that others come in between where they hardly ever would. All of them are of 64 bits there.
 */
#ifndef TESTS_YIELD_POINTS_H
#define TESTS_YIELD_POINTS_H

#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

static inline void yield_point(void)
{
	static _Thread_local uint32_t state;

	state = state * 1664525u + 1013904223u;
	if (state >> 28 < 5) {
		sched_yield();
	}
}

static inline uint64_t yield_load(const _Atomic uint64_t *word)
{
	yield_point();
	return atomic_load_explicit(word, memory_order_acquire);
}

static inline void yield_store(_Atomic uint64_t *word, uint64_t value)
{
	yield_point();
	atomic_store_explicit(word, value, memory_order_release);
}

static inline bool yield_exchange(_Atomic uint64_t *word, uint64_t *is, uint64_t to)
{
	yield_point();
	return atomic_compare_exchange_strong_explicit(word, is, to, memory_order_acq_rel,
						       memory_order_acquire);
}

#undef atomic_load_explicit
#undef atomic_store_explicit
#undef atomic_compare_exchange_strong_explicit
#undef atomic_compare_exchange_weak_explicit
#define atomic_load_explicit(word, order)         yield_load(word)
#define atomic_store_explicit(word, value, order) yield_store(word, value)
#define atomic_compare_exchange_strong_explicit(word, is, to, order, otherwise) \
	yield_exchange(word, is, to)
#define atomic_compare_exchange_weak_explicit(word, is, to, order, otherwise) \
	yield_exchange(word, is, to)

#endif
