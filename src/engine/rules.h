/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rules of one VM: the image's nodes, shared and never written, or a copy of them in the VM's filter memory. What
 * was added and tightened is marked there with ENTRY_OWN, so that it can go along to other rules or another host.
 */
#ifndef HVC_RULES_H
#define HVC_RULES_H

#include "state.h"

/* The image's nodes, or a copy in `memory`, which has room for `bytes`. HVC_ENOMEM. */
enum hvc_err rules_take(struct lookup *rules, const struct hvc_image *image, void *memory,
			size_t bytes);

/* Has the VM filter memory? */
bool rules_are_own(const struct hvc_vm *vm);

/* Does [first, last] meet a reserved range? If so *detail says which is the lowest. */
bool rules_meet_reserved(uint32_t first, uint32_t last, struct hvc_filter_detail *detail);

/* What was added or tightened, with one action, as long as it goes on. */
struct own_range {
	uint32_t first, last;
	enum hvc_action action;
};
/* The lowest such range at or behind *id, whose first ID that is not in it becomes *id. False: there is none. */
bool rules_next_own(const struct lookup *rules, uint64_t *id, struct own_range *range);

#endif
