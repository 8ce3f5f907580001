/* SPDX-License-Identifier: BSD-2-Clause */
/* What `hvcgate compat` prints. */
#ifndef HVCGATE_CLI_COMPAT_PRINT_H
#define HVCGATE_CLI_COMPAT_PRINT_H

#include <jansson.h>

#include "compat.h"

/* For people, at most 14 lines. `policy`: the source's, or NULL. */
void compat_print(const struct compat_host *from, const struct compat_host *to, const char *vmm,
		  const struct compat_result *result, const char *policy);
json_t *compat_json(const struct compat_host *from, const struct compat_host *to, const char *vmm,
		    const struct compat_result *result, const char *policy);

#endif
