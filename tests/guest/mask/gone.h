/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions that do not return: listed, and seen by another CPU, by the CPU that wakes elsewhere, or by
 * the next boot. Options: psci=1.3 functions too with off2=1; off=smc for a power off by SMC.
 */
#ifndef HVCGATE_GUEST_GONE_H
#define HVCGATE_GUEST_GONE_H

#include <stdbool.h>

/* At a boot after one of them: carries on, and is true. */
bool gone_continues(void);
/* All of them in turn; ends with the machine off. */
void gone(void);

#endif
