/* SPDX-License-Identifier: BSD-2-Clause */
/* Which registers a VMM sees otherwise than the kernel has them. */
#ifndef HVCGATE_KVM_VIEWS_H
#define HVCGATE_KVM_VIEWS_H

#include "compat.h"
#include "plan.h"
#include "plan_bytes.h"

/*
 * Of a plan of `policy` for `host`; `from` may be NULL. *views is malloc()ed, ascending. HVC_EINVAL (`why` says which
 * registers are in the way), HVC_ENOMEM.
 */
enum hvc_err plan_views(const struct hvc_policy *policy, const struct hvc_plan *plan,
			const struct hvc_plan_host *host, const struct compat_host *from,
			struct plan_view **views, size_t *count, char *why, size_t why_size);

#endif
