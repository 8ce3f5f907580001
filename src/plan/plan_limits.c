/* SPDX-License-Identifier: BSD-2-Clause */
/* What of a policy a kernel cannot be brought to. */
#include "allow.h"
#include "plan_internal.h"

static const struct {
	const char *why, *since, *instead;
} texts[ALLOW_COUNT] = {
	[ALLOW_SMCCC] = {"the kernel tells its own SMCCC version, and the call cannot be forwarded",
			 NULL, "smccc: \"1.1\""},
	[ALLOW_ARCH_FEATURES] = {"SMCCC_ARCH_FEATURES is the kernel's and does not look at rules",
				 NULL, "rules for all of pv-time's functions alike"},
	[ALLOW_WORKAROUNDS] = {"workarounds are the host's, and called by HVC only", NULL,
			       "no levels under registers, and workaround-4: not-available"},
	[ALLOW_SOC_ID] = {"the kernel has no SOC_ID, and the call cannot be forwarded", NULL,
			  "soc-id: none"},
	[ALLOW_ARCH_CALLS] =
		{"the kernel keeps architecture calls to itself and has not all of them", NULL,
		 NULL},
	[ALLOW_SMC] = {"the kernel answers -1 to every SMC", "6.4", NULL},
	[ALLOW_NO_FILTER] = {"the kernel has no filter: what no register turns off is there", "6.4",
			     NULL},
};

_Static_assert(ALLOW_COUNT <=
		       sizeof(((struct hvc_plan *)0)->limits) / sizeof(struct hvc_plan_limit),
	       "room for a limit a word");

static const char *const differs_texts[] = {
	"x1 to x3 are zero behind every answer where they hold no result (SMCCC lets them)",
	"HVC with an immediate that is not 0 is a call like any other",
	"SMCCC_ARCH_FEATURES says -1 of itself and of SMCCC_VERSION; PSCI_FEATURES tells of the latter",
	"workarounds that do nothing on this host are 0 by HVC and -1 by SMC, whatever their level",
	"protected VMs of this kernel have no filter: none can be made under a policy",
};

const char *hvc_plan_differs_text(unsigned int bit)
{
	return bit < sizeof(differs_texts) / sizeof(differs_texts[0]) ? differs_texts[bit] : NULL;
}

static struct hvc_plan_limit *limit(struct planner *planner, unsigned int allow)
{
	struct hvc_plan *plan = planner->plan;

	for (size_t i = 0; i < plan->limit_count; i++) {
		if (plan->limits[i].allow == allow) {
			return &plan->limits[i];
		}
	}
	plan->limits[plan->limit_count] = (struct hvc_plan_limit){
		.allow = (uint8_t)allow,
		.allowed = policy_allows(planner->policy, allow),
		.why = texts[allow].why,
		.since = texts[allow].since,
		.instead = texts[allow].instead,
	};
	return &plan->limits[plan->limit_count++];
}

static void put(struct plan_set *set, unsigned int slot)
{
	set->bits[slot / 64] |= 1ull << slot % 64;
}

/* --- Architecture calls: no filter range can take them. */
static bool is_workaround(unsigned int slot)
{
	return slot == HVC_FN_SMCCC_ARCH_WORKAROUND_1 || slot == HVC_FN_SMCCC_ARCH_WORKAROUND_2 ||
	       slot == HVC_FN_SMCCC_ARCH_WORKAROUND_3 || slot == HVC_FN_SMCCC_ARCH_WORKAROUND_4;
}

static unsigned int allow_of(unsigned int slot)
{
	if (is_workaround(slot)) {
		return ALLOW_WORKAROUNDS;
	}
	switch (slot) {
	case HVC_FN_SMCCC_VERSION:
		return ALLOW_SMCCC;
	case HVC_FN_SMCCC_ARCH_SOC_ID:
	case HVC_FN_SMCCC_ARCH_SOC_ID_NAME:
		return ALLOW_SOC_ID;
	case HVC_FN_NONE:
	case HVC_FN_PV_TIME_FEATURES:
		return ALLOW_ARCH_FEATURES;
	default:
		return ALLOW_ARCH_CALLS;
	}
}

/* A workaround that the guest is told it needs must be there; others it need not call. */
static bool is_harmless(const struct planner *planner, unsigned int slot)
{
	const unsigned int reg = slot == HVC_FN_SMCCC_ARCH_WORKAROUND_1   ? HVC_REG_WORKAROUND_1
				 : slot == HVC_FN_SMCCC_ARCH_WORKAROUND_2 ? HVC_REG_WORKAROUND_2
									  : HVC_REG_WORKAROUND_3;

	return is_workaround(slot) && slot != HVC_FN_SMCCC_ARCH_WORKAROUND_4 &&
	       planner->own.image->settings.regs[reg] != 1;
}

static void told(struct planner *planner, const struct plan_set *set)
{
	for (unsigned int slot = 0; slot < HVC_FN_COUNT; slot++) {
		if (!plan_set_has(set, slot)) {
			continue;
		}
		if (slot == HVC_FN_SMCCC_VERSION || slot == HVC_FN_SMCCC_ARCH_FEATURES) {
			planner->plan->differs |= PLAN_DIFFERS_ARCH_SELF;
		} else {
			put(&limit(planner, allow_of(slot))->told, slot);
		}
	}
}

static void arch_call(struct planner *planner, unsigned int slot, uint32_t id,
		      enum hvc_conduit conduit)
{
	struct plan_comparison comparison;

	plan_compare(planner, id, conduit, &comparison);
	if (comparison.differences == 0) {
		return;
	}
	if (slot == HVC_FN_SMCCC_ARCH_FEATURES) {
		told(planner, &comparison.told);
	} else if (is_harmless(planner, slot)) {
		planner->plan->differs |= PLAN_DIFFERS_HARMLESS;
	} else {
		put(&limit(planner, allow_of(slot))->answers, slot);
	}
}

static bool is_reserved(uint32_t id)
{
	const struct hvc_range *ranges;
	const unsigned int count = hvc_reserved_ranges(&ranges);

	for (unsigned int i = 0; i < count; i++) {
		if (id >= ranges[i].first && id <= ranges[i].last) {
			return true;
		}
	}
	return false;
}

/* ARCH_FEATURES goes on telling of it when it is shut off. */
static void revocable_told(struct planner *planner)
{
	const unsigned int slot = HVC_FN_PV_TIME_FEATURES;

	if ((hvc_policy_revocable(planner->policy)[slot / 64] >> slot % 64 & 1) != 0 &&
	    hvc_policy_settings(planner->policy)->discovery == HVC_DISCOVERY_COHERENT &&
	    plan_own_serves(planner, hvc_function_at(slot)->id64)) {
		put(&limit(planner, ALLOW_ARCH_FEATURES)->told, slot);
	}
}

static void arch_calls(struct planner *planner)
{
	const bool smc = (planner->kernel_settings.quirks & HVC_QUIRK_SMC_UNKNOWN) == 0;

	for (unsigned int slot = 1; slot < HVC_FN_COUNT; slot++) {
		const struct hvc_function *function = hvc_function_at(slot);
		const uint32_t ids[2] = {function->id32, function->id64};

		for (unsigned int i = 0; i < 2; i++) {
			if (is_reserved(ids[i])) {
				arch_call(planner, slot, ids[i], HVC_CONDUIT_HVC);
			}
			if (is_reserved(ids[i]) && smc) {
				arch_call(planner, slot, ids[i], HVC_CONDUIT_SMC);
			}
		}
	}
}

/* --- Old kernels. */
/* Has the policy rules that forward, IDs of no function among them? */
static bool forwards_any(const struct planner *planner)
{
	for (size_t i = 0; i < hvc_policy_span_count(planner->policy); i++) {
		const enum hvc_action action = hvc_policy_span(planner->policy, i)->match.action;

		if (action == HVC_FORWARD || action == HVC_NOTIFY) {
			return true;
		}
	}
	return false;
}

static void no_smc(struct planner *planner)
{
	struct plan_comparison comparison;

	for (unsigned int slot = 1; slot < HVC_FN_COUNT; slot++) {
		const struct hvc_function *function = hvc_function_at(slot);
		const uint32_t ids[2] = {function->id32, function->id64};

		for (unsigned int i = 0; i < 2; i++) {
			comparison.differences = 0;
			if (ids[i] != 0) {
				plan_compare(planner, ids[i], HVC_CONDUIT_SMC, &comparison);
			}
			if (comparison.differences != 0) {
				put(&limit(planner, ALLOW_SMC)->answers, slot);
			}
		}
	}
	/* A policy of such a kernel's profile does not forward them either. */
	if (forwards_any(planner) &&
	    (planner->own.image->settings.quirks & HVC_QUIRK_SMC_UNKNOWN) == 0) {
		put(&limit(planner, ALLOW_SMC)->answers, HVC_FN_NONE);
	}
}

static bool in_ranges(const struct hvc_plan *plan, uint32_t id)
{
	for (size_t i = 0; i < plan->range_count; i++) {
		if (id - plan->ranges[i].base < plan->ranges[i].count) {
			return true;
		}
	}
	return false;
}

/* The ranges go; what they were for is said. */
static void no_filter(struct planner *planner)
{
	struct hvc_plan *plan = planner->plan;

	if (plan->range_count == 0) {
		return;
	}
	(void)limit(planner, ALLOW_NO_FILTER);
	for (unsigned int slot = 1; slot < HVC_FN_COUNT; slot++) {
		const struct hvc_function *function = hvc_function_at(slot);
		const uint32_t ids[2] = {function->id32, function->id64};

		for (unsigned int i = 0; i < 2; i++) {
			if (ids[i] != 0 && in_ranges(plan, ids[i]) &&
			    (plan_kernel_serves(planner, ids[i]) ||
			     plan_own_serves(planner, ids[i]))) {
				put(&limit(planner, ALLOW_NO_FILTER)->answers, slot);
			}
		}
	}
	for (size_t i = 0; i < plan->forward_count; i++) {
		put(&limit(planner, ALLOW_NO_FILTER)->answers, plan->forwards[i].fn);
	}
	if (forwards_any(planner)) {
		put(&limit(planner, ALLOW_NO_FILTER)->answers, HVC_FN_NONE);
	}
	plan->range_count = 0;
	plan->forward_count = 0;
}

static void departures(struct planner *planner)
{
	const uint32_t kernel = planner->kernel_settings.quirks;
	const uint32_t own = planner->own.image->settings.quirks;
	struct hvc_plan *plan = planner->plan;

	/* A VM that knows no SMC leaves x1 to x3 as well. */
	if ((kernel & HVC_QUIRK_ZERO_X1_X3) != 0 &&
	    ((own & HVC_QUIRK_ZERO_X1_X3) == 0 || (~kernel & own & HVC_QUIRK_SMC_UNKNOWN) != 0)) {
		plan->differs |= PLAN_DIFFERS_ZEROES;
	}
	if ((kernel & ~own & HVC_QUIRK_HVC_ANY_IMMEDIATE) != 0) {
		plan->differs |= PLAN_DIFFERS_IMMEDIATE;
	}
}

void plan_limits(struct planner *planner)
{
	struct hvc_plan *plan = planner->plan;

	arch_calls(planner);
	revocable_told(planner);
	if (planner->kernel_settings.quirks & HVC_QUIRK_SMC_UNKNOWN) {
		no_smc(planner);
	}
	if (!plan->filter) {
		no_filter(planner);
	}
	departures(planner);
	for (size_t i = 0; i < plan->limit_count; i++) {
		plan->refused |= !plan->limits[i].allowed;
	}
}
