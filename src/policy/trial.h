/* SPDX-License-Identifier: BSD-2-Clause */
/* A VM with a policy's settings and tables and without any rule, to ask the engine itself what it has. */
#ifndef HVCGATE_POLICY_PROBE_H
#define HVCGATE_POLICY_PROBE_H

#include <hvcgate/engine.h>

#include "internal.h"

struct trial {
	struct hvc_image *image;
	struct hvc_vm *vm;
	struct hvc_vcpu *vcpu;
	struct hvc_counters *counters;
	void *stats, *shares;
	struct hvc_platform platform;
};

/* On a host that has all there is, or that can only start CPUs and has entropy. To be freed whatever comes back. */
enum hvc_err trial_make(struct trial *trial, const struct hvc_policy *policy, bool whole);
void trial_free(struct trial *trial);
/* Would a call of the function be answered? */
bool trial_answers(const struct trial *trial, unsigned int slot);

#endif
