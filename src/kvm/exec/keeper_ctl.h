/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HVCGATE_KVM_EXEC_KEEPER_CTL_H
#define HVCGATE_KVM_EXEC_KEEPER_CTL_H

#include "keeper.h"

/* `hvcgate ctl` asks and tells. */
extern struct keeper_part keeper_ctl;

#endif
