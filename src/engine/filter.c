/* SPDX-License-Identifier: BSD-2-Clause */
/* The filter a VMM adds to a VM by itself, range by range, as KVM's. */
#include "service.h"

size_t hvc_filter_size(const struct hvc_image *image, unsigned int ranges)
{
	/* A range splits entries at its two ends, at most three levels deep each. */
	return ((size_t)image->node_count + 6 * (size_t)ranges) * LOOKUP_WIDTH * sizeof(uint16_t);
}

enum hvc_err hvc_filter_add(struct hvc_vm *vm, uint32_t base, uint32_t count,
			    enum hvc_action action)
{
	uint32_t last = base + count - 1;

	if (count == 0 || last < base || (unsigned int)action > HVC_NOTIFY) {
		return HVC_EINVAL;
	}
	if (vm->frozen) {
		return HVC_EBUSY;
	}
	if (lookup_any(vm->filter.entries, ENTRY_CLAIMED, base, last)) {
		return HVC_EEXIST;
	}
	if (vm->filter.entries == (const uint16_t *)(vm->image + 1)) {
		return HVC_ENOMEM; /* no filter memory: the image is shared and never written */
	}
	return lookup_paint(&vm->filter, base, last, action, true);
}
