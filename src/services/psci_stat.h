/* SPDX-License-Identifier: BSD-2-Clause */
/* The block of statistics (DEN0022, 5.22): written by any vCPU, without locks. */
#ifndef HVC_PSCI_STAT_H
#define HVC_PSCI_STAT_H

#include "psci.h"

/* Of a vCPU, and, at the first vCPU of a node, of the node. */
struct cpu_stats {
	/* By level: since when it is in which declared state, us << 4 | index + 1; 0: it runs, or in none. */
	_Atomic uint64_t since[POWER_LEVELS];
	_Atomic uint64_t count[HVC_POWER_STATES];
	_Atomic uint64_t us[HVC_POWER_STATES];
};

struct hvc_stats {
	uint64_t cpu_count;
	struct cpu_stats cpus[];
};

/* Nothing was counted: after a reset. */
void stats_forget(struct hvc_vm *vm);
/* All that sleeps begins to do so now, and is not counted again: after a restore. */
void stats_resume(struct hvc_vm *vm);

#endif
