/* SPDX-License-Identifier: BSD-2-Clause */
/* PSCI's numbers (DEN0022, 5.2.2 and 5.7), and calls by vCPUs of a world, for tests. */
#ifndef HVCGATE_TESTS_PSCI_CALLS_H
#define HVCGATE_TESTS_PSCI_CALLS_H

#include "world.h"

enum {
	SUCCESS = 0,
	INVALID_PARAMETERS = -2,
	DENIED = -3,
	ALREADY_ON = -4,
	ON_PENDING = -5,
	INTERNAL_FAILURE = -6,
	NOT_PRESENT = -7,
	INVALID_ADDRESS = -9
};

/* AFFINITY_INFO's. */
enum { ON = 0, OFF = 1, PENDING = 2 };

/* A call that comes back at once, with its arguments as they were: its answer. */
static inline uint64_t psci_ask(enum hvc_conduit conduit, struct world *world, unsigned int cpu,
				uint32_t id, uint64_t x1, uint64_t x2)
{
	struct hvc_frame frame = world_frame(id, x1, x2, 0xc0);

	assert_int_equal(hvc_call(world->vcpus[cpu], conduit, 0, &frame), HVC_RESUME);
	assert_int_equal(frame.x[1], x1);
	assert_int_equal(frame.x[2], x2);
	assert_int_equal(frame.x[3], 0xc0);
	return frame.x[0];
}

/* By CPU 0, and it runs. */
static inline void psci_turn_on(enum hvc_conduit conduit, struct world *world, unsigned int cpu,
				uint64_t mpidr)
{
	const uint32_t id = hvc_function_at(HVC_FN_PSCI_CPU_ON)->id64;

	assert_int_equal(psci_ask(conduit, world, 0, id, mpidr, 0x1000), SUCCESS);
	hvc_vcpu_started(world->vcpus[cpu]);
}

#endif
