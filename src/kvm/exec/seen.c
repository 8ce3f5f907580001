/* SPDX-License-Identifier: BSD-2-Clause */
#include "seen.h"

static bool is_forwarded(const struct plan_view_of *plan, uint32_t id)
{
	for (uint32_t i = 0; i < plan->header->filters.count; i++) {
		const struct plan_filter *range = &plan->filters[i];

		if (id - range->base < range->count) {
			return range->action == HVC_FORWARD;
		}
	}
	return false;
}

static enum ctl_seen unknown_seen(const struct plan_view_of *plan)
{
	for (uint32_t i = 0; i < plan->header->filters.count; i++) {
		if (plan->filters[i].action == HVC_FORWARD) {
			return CTL_SEEN_PART;
		}
	}
	return CTL_UNSEEN;
}

enum ctl_seen exec_seen(const struct plan_view_of *plan, unsigned int slot)
{
	const struct hvc_function *function = hvc_function_at(slot);
	bool some = false, all = true;

	if (function == NULL) {
		return unknown_seen(plan);
	}
	if (function->id32 != 0) {
		const bool seen = is_forwarded(plan, function->id32);

		some = some || seen;
		all = all && seen;
	}
	if (function->id64 != 0) {
		const bool seen = is_forwarded(plan, function->id64);

		some = some || seen;
		all = all && seen;
	}
	return !some ? CTL_UNSEEN : all ? CTL_SEEN : CTL_SEEN_PART;
}
