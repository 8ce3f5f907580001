/* SPDX-License-Identifier: BSD-2-Clause */
/* The rules of one VM: the image's nodes, or a copy of them in filter memory with what was added and tightened. */
#ifndef HVC_RULES_H
#define HVC_RULES_H

#include "state.h"

/* Has the VM filter memory? Without it the nodes are the image's, which is shared and never written. */
bool rules_are_own(const struct hvc_vm *vm);

/* Does [first, last] meet a reserved range? If so *detail says which is the lowest. */
bool rules_meet_reserved(uint32_t first, uint32_t last, struct hvc_filter_detail *detail);

#endif
