/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stolen time (DEN0057): what calls of a CPU waited for somebody else. A record for each CPU in one page of the
 * monitor's, which the guest sees read-only beside its RAM, as it would see a device.
 */
#include <stdatomic.h>

#include "el2.h"

/* DEN0057, 3.2.2: 64-byte aligned; revision and attributes 0 */
struct record {
	uint32_t revision, attributes;
	uint64_t stolen_ns;
	uint8_t pad[48];
};

static struct record records[PAGE_SIZE / sizeof(struct record)] __attribute__((aligned(4096)));

_Static_assert(sizeof(struct record) == EL2_STOLEN_STRIDE, "DEN0057, 3.2.2");
_Static_assert(sizeof(records) == PAGE_SIZE, "the guest sees nothing else");

uint64_t stolen_page(void)
{
	return (uint64_t)records;
}

/* Asked for again, when a CPU was off, it goes on: it never goes back. */
bool stolen_start(void *host, uint32_t vcpu, uint64_t ipa)
{
	(void)host;
	(void)ipa;
	el2_cpus[vcpu].stolen_counts = 1;
	return true;
}

void stolen_add(uint64_t ticks)
{
	struct el2_cpu *cpu = el2_this_cpu();
	_Atomic uint64_t *ns = (_Atomic uint64_t *)&records[cpu->index].stolen_ns;

	if (cpu->stolen_counts != 0) {
		cpu->stolen_ticks += ticks;
		atomic_store_explicit(ns, interval_ns(cpu->stolen_ticks, counter_hz()),
				      memory_order_relaxed);
	}
}
