/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Filter ranges. Of each ID: does the kernel by itself what the policy says, or must it be denied, or forwarded? Most
 * IDs are nobody's and -1 either way. Ranges reach over these, so that there are as few of them as the others allow;
 * a forwarded one only within its block of 64 K IDs, since what it takes along costs an exit.
 */
#include <stdlib.h>

#include "plan_internal.h"

/* IDs that need something, and how far the policy's own range around them goes. */
struct segment {
	uint32_t first, last;
	uint32_t wide_first, wide_last;
	uint8_t action; /* HVC_HANDLE: must be left alone */
};

struct segments {
	struct segment *all;
	size_t count, capacity;
	bool oom;
};

/* Room for one more, or NULL: then all is as it was. */
static void *grown(void *array, size_t count, size_t *capacity, size_t size)
{
	const size_t room = *capacity * 2 + 64;
	void *more = array;

	if (count == *capacity) {
		more = realloc(array, room * size);
		*capacity = more != NULL ? room : *capacity;
	}
	return more;
}

static void add_segment(struct segments *segments, struct segment segment)
{
	struct segment *all = grown(segments->all, segments->count, &segments->capacity,
				    sizeof(*all));

	segments->oom |= all == NULL;
	if (all != NULL) {
		segments->all = all;
		all[segments->count++] = segment;
	}
}

/* --- What an ID needs. */
static void add_forward(struct planner *planner, struct segments *segments, uint32_t id,
			enum hvc_plan_why why, const struct hvc_plan_difference *first)
{
	struct hvc_plan *plan = planner->plan;
	struct hvc_plan_forward *forwards = grown(plan->forwards, plan->forward_count,
						  &planner->forward_capacity, sizeof(*forwards));

	segments->oom |= forwards == NULL;
	if (forwards != NULL) {
		plan->forwards = forwards;
		forwards[plan->forward_count++] = (struct hvc_plan_forward){
			.id = id, .fn = (uint16_t)hvc_function_by_id(id), .why = (uint8_t)why};
		if (first != NULL) {
			forwards[plan->forward_count - 1].first = *first;
		}
	}
}

/* Is what this function answers about other functions? */
static bool tells(unsigned int slot)
{
	return plan_is_discovery(slot) || slot == HVC_FN_KVM_FEATURES ||
	       slot == HVC_FN_PSCI_VERSION || slot == HVC_FN_SMCCC_STD_CALL_COUNT ||
	       slot == HVC_FN_SMCCC_STD_HYP_CALL_COUNT ||
	       slot == HVC_FN_SMCCC_VENDOR_HYP_CALL_COUNT;
}

static bool is_revocable(const struct planner *planner, unsigned int slot)
{
	return (hvc_policy_revocable(planner->policy)[slot / 64] >> slot % 64 & 1) != 0;
}

/* May the policy's answer change while the guest runs? Of coherent discovery, too, where it tells of what may. */
static bool may_change(const struct planner *planner, unsigned int slot)
{
	if (is_revocable(planner, slot)) {
		return true;
	}
	if (!tells(slot) || slot == HVC_FN_PSCI_VERSION ||
	    hvc_policy_settings(planner->policy)->discovery != HVC_DISCOVERY_COHERENT) {
		return false;
	}
	for (unsigned int other = 1; other < HVC_FN_COUNT; other++) {
		if (is_revocable(planner, other) &&
		    hvc_function_at(other)->service == hvc_function_at(slot)->service) {
			return true;
		}
	}
	return false;
}

/* An ID of the catalogue that no rule forwards. */
static void judge(struct planner *planner, struct segments *segments, struct segment segment)
{
	const bool smc = (planner->kernel_settings.quirks & HVC_QUIRK_SMC_UNKNOWN) == 0;
	const uint32_t id = segment.first;
	const bool there = plan_kernel_serves(planner, id);
	struct plan_comparison comparison;

	if (!plan_own_serves(planner, id)) {
		segment.action = HVC_DENY;
		if (there) {
			add_segment(segments, segment);
		}
		return;
	}
	segment.action = HVC_FORWARD;
	if (!there) {
		add_forward(planner, segments, id, PLAN_MISSING, NULL);
		add_segment(segments, segment);
		return;
	}
	plan_compare(planner, id, HVC_CONDUIT_HVC, &comparison);
	if (comparison.differences == 0 && smc) {
		plan_compare(planner, id, HVC_CONDUIT_SMC, &comparison);
	}
	if (comparison.differences == 0 && may_change(planner, hvc_function_by_id(id))) {
		add_forward(planner, segments, id, PLAN_REVOCABLE, NULL);
	} else if (comparison.differences == 0) {
		segment.action = HVC_HANDLE;
	} else {
		add_forward(planner, segments, id,
			    tells(hvc_function_by_id(id)) ? PLAN_DISCOVERY : PLAN_OTHERWISE,
			    &comparison.first);
	}
	add_segment(segments, segment);
}

/* --- All IDs of the catalogue, ascending. */
static int by_id(const void *left, const void *right)
{
	const uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

	return (a > b) - (a < b);
}

static size_t catalogue_ids(uint32_t ids[2 * HVC_FN_COUNT])
{
	size_t count = 0;

	for (unsigned int slot = 1; slot < HVC_FN_COUNT; slot++) {
		const struct hvc_function *function = hvc_function_at(slot);

		if (function->id32 != 0) {
			ids[count++] = function->id32;
		}
		if (function->id64 != 0) {
			ids[count++] = function->id64;
		}
	}
	qsort(ids, count, sizeof(*ids), by_id);
	return count;
}

static bool same(const struct hvc_match *a, const struct hvc_match *b)
{
	return a->action == b->action && a->reserved == b->reserved;
}

/* The IDs of one span: forwarded as a whole, or looked at. */
static void take_span(struct planner *planner, struct segments *segments, uint32_t first,
		      uint32_t last, enum hvc_action action)
{
	const bool whole = action == HVC_FORWARD || action == HVC_NOTIFY;
	const bool wide = action == HVC_DENY;
	uint32_t ids[2 * HVC_FN_COUNT];
	const size_t count = catalogue_ids(ids);

	if (whole) {
		add_segment(segments, (struct segment){.first = first,
						       .last = last,
						       .wide_first = first,
						       .wide_last = last,
						       .action = HVC_FORWARD});
	}
	for (size_t i = 0; i < count; i++) {
		if (ids[i] < first || ids[i] > last) {
			continue;
		}
		if (whole) {
			add_forward(planner, segments, ids[i],
				    action == HVC_NOTIFY ? PLAN_NOTIFIED : PLAN_TO_HANDLER, NULL);
		} else {
			judge(planner, segments,
			      (struct segment){.first = ids[i],
					       .last = ids[i],
					       .wide_first = wide ? first : ids[i],
					       .wide_last = wide ? last : ids[i]});
		}
	}
}

static void take_all(struct planner *planner, struct segments *segments)
{
	const struct hvc_policy *policy = planner->policy;
	const size_t count = hvc_policy_span_count(policy);

	for (size_t i = 0; i < count; i++) {
		const struct hvc_span *span = hvc_policy_span(policy, i);
		uint32_t last = span->last;

		while (i + 1 < count &&
		       same(&hvc_policy_span(policy, i + 1)->match, &span->match)) {
			last = hvc_policy_span(policy, ++i)->last;
		}
		if (!span->match.reserved) {
			take_span(planner, segments, span->first, last, span->match.action);
		}
	}
}

/* --- From segments to ranges. */
static bool reserved_between(uint32_t first, uint32_t last)
{
	const struct hvc_range *ranges;
	const unsigned int count = hvc_reserved_ranges(&ranges);

	for (unsigned int i = 0; i < count; i++) {
		if (ranges[i].first > first && ranges[i].last < last) {
			return true;
		}
	}
	return false;
}

static bool joins(const struct segment *range, const struct segment *next)
{
	if (range->action != next->action || reserved_between(range->last, next->first)) {
		return false;
	}
	return range->action == HVC_DENY || next->first == range->last + 1 ||
	       range->last >> 16 == next->first >> 16;
}

static void add_range(struct planner *planner, struct segments *segments, uint32_t first,
		      uint32_t last, uint8_t action)
{
	struct hvc_plan *plan = planner->plan;
	struct hvc_plan_range *ranges = grown(plan->ranges, plan->range_count,
					      &planner->range_capacity, sizeof(*ranges));

	segments->oom |= ranges == NULL;
	if (ranges != NULL) {
		plan->ranges = ranges;
		ranges[plan->range_count++] = (struct hvc_plan_range){
			.base = first, .count = last - first + 1, .action = action};
	}
}

/* A denied range costs the same if it is as wide as the policy's. */
static void put_ranges(struct planner *planner, struct segments *segments)
{
	const struct segment *all = segments->all;
	uint64_t free_from = 0; /* behind the last segment */

	for (size_t i = 0; i < segments->count;) {
		struct segment range = all[i++];
		uint64_t until;

		while (i < segments->count && joins(&range, &all[i])) {
			range.last = all[i].last;
			range.wide_last = all[i++].wide_last;
		}
		until = i < segments->count ? (uint64_t)all[i].first - 1 : UINT32_MAX;
		if (range.action != HVC_HANDLE) {
			add_range(planner, segments,
				  range.wide_first > free_from ? range.wide_first
							       : (uint32_t)free_from,
				  range.wide_last < until ? range.wide_last : (uint32_t)until,
				  range.action);
		}
		free_from = (uint64_t)range.last + 1;
	}
}

enum hvc_err plan_ranges(struct planner *planner)
{
	struct segments segments = {0};

	take_all(planner, &segments);
	if (!segments.oom) {
		put_ranges(planner, &segments);
	}
	free(segments.all);
	return segments.oom ? HVC_ENOMEM : HVC_OK;
}
