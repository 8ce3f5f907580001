/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside of the launcher: launch.c, and what launch_print.c says of it. */
#ifndef HVCGATE_KVM_EXEC_LAUNCH_H
#define HVCGATE_KVM_EXEC_LAUNCH_H

#include <hvcgate/policy.h>

#include "../host/plan_bytes.h"
#include "exec.h"
#include "shared.h"

struct launch_fds {
	int shared, plan, requests, attention;
};

struct launch {
	const struct exec_options *options;
	char *program, *library; /* paths; library NULL for no_run */
	struct hvc_policy *policy;
	void *bytes; /* the plan; the next is over it */
	size_t size;
	struct plan_view_of plan;
	struct exec_shared *shared;
	struct launch_fds fds; /* of the interposer */
	int keeper_requests;
	int status; /* of a refusal */
};

/* --dry-run: what would be executed and done, on standard output. */
void launch_print(const struct launch *launch);

#endif
