/* SPDX-License-Identifier: BSD-2-Clause */
/* Feature registers of a VM, for who restores them. Registers by enum hvc_register. */
#ifndef HVC_REGISTERS_H
#define HVC_REGISTERS_H

#include "state.h"

/* Can the register, which the list shows, be restored to that value? A workaround's level up to the host's own. */
bool register_restorable(const struct hvc_vm *vm, unsigned int reg, uint64_t value);
/* The value that means nothing of it, of any register that the profile has. */
uint64_t register_nothing_of(const struct hvc_vm *vm, unsigned int reg);
/* The first `shown` registers get these values, the others mean nothing from now on. */
void registers_restore(struct hvc_vm *vm, const uint64_t *values, unsigned int shown);

#endif
