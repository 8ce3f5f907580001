/* SPDX-License-Identifier: BSD-2-Clause */
/* The function IDs that the kernel's filter refuses, measured. */
#ifndef HVCGATE_KVM_RESERVED_H
#define HVCGATE_KVM_RESERVED_H

#include "machine.h"

#define KVM_RANGES 32
struct kvm_range {
	uint32_t first, last; /* inclusive */
};
struct kvm_ranges {
	unsigned int count;
	struct kvm_range range[KVM_RANGES]; /* ascending, not adjacent */
};

/*
 * Tries all 2^32 IDs, a refused one by itself: some 100 000 ioctls on a scratch VM, about a second in the lab. 0, or an
 * errno: the kernel has no filter (what KVM_HAS_DEVICE_ATTR says), E2BIG (more than KVM_RANGES), ENODEV (no machine:
 * `why`).
 */
int kvm_reserved_ranges(struct kvm_ranges *ranges, char *why, size_t size);

#endif
