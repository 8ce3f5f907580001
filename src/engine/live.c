/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules of a running VM that become narrower. */
#include <hvcgate/live.h>

#include "rules.h"

/* What stands in the way of a range, in the order that live.h tells. */
static enum hvc_err look(const struct hvc_vm *vm, uint32_t base, uint32_t count,
			 enum hvc_action action, struct hvc_filter_detail *detail)
{
	uint32_t last = base + count - 1;

	if (count == 0 || last < base) {
		detail->obstacle = count == 0 ? HVC_OBSTACLE_EMPTY : HVC_OBSTACLE_WRAP;
		return HVC_EINVAL;
	}
	if (action != HVC_DENY) {
		detail->obstacle = HVC_OBSTACLE_ACTION;
		return HVC_EPERM;
	}
	if (rules_meet_reserved(base, last, detail)) {
		return HVC_EEXIST;
	}
	if (!rules_are_own(vm)) {
		detail->obstacle = HVC_OBSTACLE_MEMORY;
		return HVC_ENOTSUP;
	}
	if (!lookup_fits(&vm->filter, base, last)) {
		detail->obstacle = HVC_OBSTACLE_MEMORY;
		return HVC_ENOMEM;
	}
	return HVC_OK;
}

enum hvc_err hvc_vm_tighten_to(struct hvc_vm *vm, uint32_t base, uint32_t count,
			       enum hvc_action action, struct hvc_filter_detail *detail)
{
	struct hvc_filter_detail found = {.size = sizeof(found)};
	enum hvc_err err;

	if (detail != NULL && detail->size != sizeof(*detail)) {
		return HVC_EINVAL;
	}
	err = look(vm, base, count, action, &found);
	if (detail != NULL) {
		*detail = found;
	}
	return err == HVC_OK ? lookup_paint_own(&vm->filter, base, base + count - 1, HVC_DENY)
			     : err;
}

enum hvc_err hvc_vm_tighten(struct hvc_vm *vm, uint32_t base, uint32_t count,
			    struct hvc_filter_detail *detail)
{
	return hvc_vm_tighten_to(vm, base, count, HVC_DENY, detail);
}
