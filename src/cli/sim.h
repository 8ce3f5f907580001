/* SPDX-License-Identifier: BSD-2-Clause */
/* The real engine in this process: a VM under a policy, with a simulated host. */
#ifndef HVCGATE_CLI_SIM_H
#define HVCGATE_CLI_SIM_H

#include <hvcgate/engine.h>
#include <hvcgate/policy.h>

struct sim {
	struct hvc_image *image;
	struct hvc_vm *vm;
	struct hvc_vcpu **vcpus;
	unsigned int count;
	void *stats, *shares;
};

/* False: said on standard error, nothing to free. */
bool sim_make(struct sim *sim, const struct hvc_policy *policy, unsigned int cpus);
void sim_free(struct sim *sim);

#endif
