/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The writing end of a trace ring (trace.h). Its memory is shared, so only `tail` is read from it, and
 * whatever it says can at most lose records.
 */
#include <stdatomic.h>

#include "el2.h"

static struct hvc_ring *ring_of(const struct el2_cpu *cpu)
{
	return (struct hvc_ring *)(EL2_SHARED_PA + EL2_RINGS_OFFSET + cpu->index * EL2_RING_STRIDE);
}

/* The rings go on over a reset: the reader need not know of one. */
void ring_init(struct el2_cpu *cpu)
{
	cpu->ring.head = ring_of(cpu)->head;
	cpu->ring.dropped = ring_of(cpu)->dropped;
}

void ring_put(struct el2_cpu *cpu, const struct hvc_record *record)
{
	struct hvc_ring *ring = ring_of(cpu);
	struct hvc_record *slot = (struct hvc_record *)(ring + 1) +
				  (cpu->ring.head & (EL2_RING_RECORDS - 1));
	uint64_t tail = atomic_load_explicit((_Atomic uint64_t *)&ring->tail, memory_order_acquire);
	uint64_t used = cpu->ring.head - tail;
	uint64_t sequence = cpu->ring.head + cpu->ring.dropped;

	if (used >= EL2_RING_RECORDS) {
		cpu->ring.dropped++;
		atomic_store_explicit((_Atomic uint64_t *)&ring->dropped, cpu->ring.dropped,
				      memory_order_release);
		return;
	}
	*slot = *record;
	slot->sequence = sequence;
	cpu->ring.head++;
	atomic_store_explicit((_Atomic uint64_t *)&ring->head, cpu->ring.head,
			      memory_order_release);
	if (used + 1 == EL2_RING_RECORDS / 2) {
		doorbell_ring();
	}
}
