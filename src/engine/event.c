/* SPDX-License-Identifier: BSD-2-Clause */
/* The queue of `notify`. */
#include <hvcgate/event.h>

#include "state.h"

struct hvc_events {
	uint32_t capacity;
};

enum hvc_err events_init(struct hvc_vm *vm, void *memory, size_t bytes)
{
	if (memory == NULL) {
		return HVC_OK;
	}
	if ((uintptr_t)memory % 8 != 0) {
		return HVC_EFAULT;
	}
	if (bytes < sizeof(struct hvc_events)) {
		return HVC_ENOMEM;
	}
	vm->events = memory;
	vm->events->capacity = 0;
	return HVC_OK;
}
