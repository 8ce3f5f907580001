/* SPDX-License-Identifier: BSD-2-Clause */
/* Until src/scenario/el2_host.c is there. */
#include "scenario.h"

struct scn_host *scn_el2_host(char *why, size_t size)
{
	snprintf(why, size, "the host el2 is not in this build");
	return NULL;
}
