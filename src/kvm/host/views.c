/* SPDX-License-Identifier: BSD-2-Clause */
/* Which registers a VMM sees otherwise: feature registers that the policy hides or has beyond the kernel's. */
#include "views.h"

#include <stdlib.h>

static void add(struct plan_view *views, size_t *count, uint64_t id, enum plan_view_kind kind,
		uint64_t value)
{
	views[(*count)++] = (struct plan_view){.id = id, .value = value, .kind = kind};
}

/* What hangs on PSCI_VERSION is answered here, so that it may be newer than any that the kernel has. */
static void feature_registers(const struct hvc_plan *plan, struct plan_view *views, size_t *count)
{
	for (unsigned int reg = 0; reg < HVC_REG_COUNT; reg++) {
		const uint64_t id = abi_register_id(reg);

		if (reg >= plan->shown && reg < plan->registers_there) {
			add(views, count, id, PLAN_HIDE, 0);
		} else if (reg < plan->shown && reg >= plan->registers_there) {
			add(views, count, id, PLAN_PHANTOM, plan->seen[reg]);
		} else if (reg < plan->shown && plan->seen[reg] != plan->there[reg]) {
			add(views, count, id, PLAN_HELD, plan->seen[reg]);
		}
	}
}

enum hvc_err plan_views(const struct hvc_policy *policy, const struct hvc_plan *plan,
			const struct hvc_plan_host *host, const struct compat_host *from,
			struct plan_view **views, size_t *count, char *why, size_t why_size)
{
	(void)policy, (void)host, (void)from, (void)why, (void)why_size;
	*count = 0;
	*views = calloc(HVC_REG_COUNT, sizeof(**views));
	if (*views == NULL) {
		return HVC_ENOMEM;
	}
	feature_registers(plan, *views, count);
	return HVC_OK;
}
