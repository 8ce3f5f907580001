/* SPDX-License-Identifier: BSD-2-Clause */
/* Which calls come out of the kernel under a plan: only these can be counted. */
#ifndef HVCGATE_KVM_EXEC_SEEN_H
#define HVCGATE_KVM_EXEC_SEEN_H

#include "../../ctl/ctl.h"
#include "../host/plan_bytes.h"

/* Of a catalogue slot; 0: unknown functions. */
enum ctl_seen exec_seen(const struct plan_view_of *plan, unsigned int slot);

#endif
