/* SPDX-License-Identifier: BSD-2-Clause */
/* PSCI: how often and how long CPUs were in their power states (DEN0022, 5.12 and 5.13). */
#include "services.h"

struct hvc_stats {
	uint32_t capacity;
};

enum hvc_err stats_init(struct hvc_vm *vm, void *memory, size_t bytes)
{
	if (memory == NULL) {
		return HVC_OK;
	}
	if ((uintptr_t)memory % 8 != 0) {
		return HVC_EFAULT;
	}
	if (bytes < sizeof(struct hvc_stats)) {
		return HVC_ENOMEM;
	}
	vm->stats = memory;
	vm->stats->capacity = 0;
	return HVC_OK;
}
