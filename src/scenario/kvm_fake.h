/* SPDX-License-Identifier: BSD-2-Clause */
/* In tests: a machine (src/kvm/machine.h) that says what a test wants. */
#ifndef HVCGATE_SCENARIO_KVM_FAKE_H
#define HVCGATE_SCENARIO_KVM_FAKE_H

#include <hvcgate/engine.h>

#include "../kvm/reserved.h"

#define FAKE_STOPS 16
#define FAKE_BYTE  0x77 /* of which all registers are made */

struct kvm_fake {
	struct kvm_machine_config config; /* of the last one */
	bool impossible, no_machine, no_filter;
	int error;   /* of registers, the list, the filter */
	size_t list; /* firmware registers in the list */
	struct kvm_stop stop[FAKE_STOPS];
	unsigned int stops; /* how many were asked for */
	uint32_t state[KVM_MACHINE_CPUS];
	uint8_t filter[HVC_FILTER_BYTES]; /* the last one */
	uint64_t entry, context;          /* of the last wake-up */
	const struct kvm_range *reserved; /* up to one that is {1, 0} */
};
extern struct kvm_fake fake;

#endif
