/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Eight vCPUs on the engine, a thread each, that start and stop one another at random, and what each of them saw.
 *
 * Time is one counter that is moved on before an operation and after it. Who finds a later number than another finds
 * all that the other had done before: that is what "after" means in these histories. The thread sanitizer does not see
 * the counter, so that it orders nothing that the engine should have.
 */
#ifndef RACE_MACHINE_H
#define RACE_MACHINE_H

#include "history.h"

enum { MACHINE_CPUS = 8 };

struct machine_result {
	struct op *ops[MACHINE_CPUS]; /* by target; to be freed */
	size_t op_count[MACHINE_CPUS];
	uint64_t calls; /* CPU_ON, AFFINITY_INFO, CPU_OFF and hvc_vcpu_started(), all together */
	uint64_t seen[OP_NEVER + 1]; /* operations by kind */
	uint64_t refused_pending, asked_pending, failures;
	const char *surprise; /* something that no history is needed for; NULL: nothing */
};

/* Run until there were so many operations. Thread schedules differ from run to run, choices follow from `seed`. */
void machine_run(uint64_t seed, uint64_t operations, struct machine_result *result);
void machine_result_free(struct machine_result *result);

/* The guest's way to take a CPU away (Linux: cpu_kill): start it, wait until AFFINITY_INFO says OFF, then use what it
 * wrote last. For the thread sanitizer; the values are compared as well. False: an old value. */
bool machine_kill_rounds(unsigned int rounds);

#endif
