/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HVCGATE_GUEST_POWER_WAKE_H
#define HVCGATE_GUEST_POWER_WAKE_H

void power_wake(void);

#endif
