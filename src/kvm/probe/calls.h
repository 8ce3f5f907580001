/* SPDX-License-Identifier: BSD-2-Clause */
/* The calls a record has answers of, and their configurations: docs/records.md, "answers". */
#ifndef HVCGATE_KVM_PROBE_CALLS_H
#define HVCGATE_KVM_PROBE_CALLS_H

#include "internal.h"

#define CONFIGS_MAX (2 * VERSIONS_MAX + 3)
struct configuration {
	char name[32];
	bool psci_0_2, system_suspend, stolen_time;
	uint32_t version; /* to set; 0: as it starts */
};

#define CALLS_MAX 1024
struct listed_call {
	enum hvc_fn function;
	struct call call;
};

/* Both return how many. */
size_t probe_call_list(struct listed_call *list);
size_t probe_configurations(struct probe *probe, struct configuration *list);
/* A machine of that configuration; NULL and not failed: this host cannot make one. */
struct kvm_machine *probe_configured(struct probe *probe, const struct configuration *config);

#endif
