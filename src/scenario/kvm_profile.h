/* SPDX-License-Identifier: BSD-2-Clause */
/* Which profile a running kernel has. */
#ifndef HVCGATE_SCENARIO_KVM_PROFILE_H
#define HVCGATE_SCENARIO_KVM_PROFILE_H

#include "../abi/abi.h"

/* Of the newest kernel that is not newer than `release`: "6.13.5-arm64" is linux-6.12's. NULL: older than all. */
const struct abi_profile *kvm_profile_of(const char *release);

#endif
