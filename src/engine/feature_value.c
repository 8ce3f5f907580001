/* SPDX-License-Identifier: BSD-2-Clause */
/* What discovery says of a function that somebody else answers: the policy states it. */
#include "outcome.h"
#include "service.h"

/* Is a call of this ID forwarded, as discovery sees it? In raw discovery rules do not count. */
static bool forwarded(const struct hvc_vm *vm, uint32_t id)
{
	return vm->image->settings.discovery != HVC_DISCOVERY_RAW &&
	       (vm->flags & HVC_VM_FORWARD) != 0 &&
	       action_of(lookup_entry(hvc_follow(&vm->filter.entries), id)) == HVC_FORWARD;
}

bool vm_feature_value(const struct hvc_vm *vm, uint32_t id, int32_t *value)
{
	const struct hvc_tables *tables = hvc_image_tables(vm->image);
	unsigned int slot;

	if (tables->feature_count == 0 || !forwarded(vm, id)) {
		return false;
	}
	slot = hvc_function_by_id(id);
	for (uint32_t i = 0; i < tables->feature_count; i++) {
		if (tables->features[i].fn == slot) {
			*value = tables->features[i].value;
			return true;
		}
	}
	return false;
}
