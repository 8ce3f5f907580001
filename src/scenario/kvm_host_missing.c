/* SPDX-License-Identifier: BSD-2-Clause */
/* Until src/scenario/kvm_host.c is there. */
#include "scenario.h"

struct scn_host *scn_kvm_host(const struct abi_profile **profile, char *why, size_t size)
{
	(void)profile;
	snprintf(why, size, "the host kvm is not in this build");
	return NULL;
}
