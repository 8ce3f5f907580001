/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From targets to spans: every claim is a range with a precedence (its index); one sweep over the
 * ranges sorted by their start, with a heap of those that are open, yields who decides each ID.
 * O(n log n) for n ranges, however they overlap.
 */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

struct sweep {
	struct hvc_policy *policy;
	struct pol_range *ranges; /* by precedence */
	size_t count, capacity;
	uint32_t *starts; /* indices of ranges, by first */
	uint32_t *heap;   /* indices of open ranges, least (first in precedence) on top */
	size_t heap_count;
	bool oom;
};

static void claim(struct sweep *sweep, uint32_t first, uint32_t last, uint32_t who)
{
	if (!array_reserve(&sweep->ranges, &sweep->capacity, sweep->count + 1,
			   sizeof(*sweep->ranges))) {
		sweep->oom = true;
		return;
	}
	sweep->ranges[sweep->count++] = (struct pol_range){
		.first = first, .last = last, .claim = who};
}

static unsigned int function_ranges(const struct hvc_function *function, struct hvc_range *ranges)
{
	unsigned int count = 0;

	if (function->id32 != 0) {
		ranges[count++] = (struct hvc_range){function->id32, function->id32};
	}
	if (function->id64 != 0) {
		ranges[count++] = (struct hvc_range){function->id64, function->id64};
	}
	return count;
}

/* `only_ungated`: without the functions that hang on a feature register. */
static unsigned int service_ranges(unsigned int service, bool only_ungated,
				   struct hvc_range *ranges)
{
	unsigned int count = 0;

	for (unsigned int slot = 1; slot < hvc_function_count(); slot++) {
		const struct hvc_function *function = hvc_function_at(slot);

		if (function->service == service &&
		    !(only_ungated && function->reg != HVC_REG_NONE)) {
			count += function_ranges(function, ranges + count);
		}
	}
	return count;
}

unsigned int target_ranges(const struct pol_target *target, struct hvc_range *ranges)
{
	uint32_t ids[2];
	unsigned int count = 0;

	switch (target->kind) {
	case TARGET_FUNCTION:
		target_ids(target, ids, &count);
		for (unsigned int i = 0; i < count; i++) {
			ranges[i] = (struct hvc_range){ids[i], ids[i]};
		}
		break;
	case TARGET_OWNER: /* yielding and fast, both widths */
		for (uint32_t kind = 0; kind < 4; kind++) {
			ranges[count++] = (struct hvc_range){kind << 30 | target->first << 24,
							     kind << 30 | target->last << 24 |
								     0xffffffu};
		}
		break;
	case TARGET_RANGE:
		ranges[count++] = (struct hvc_range){target->first, target->last};
		break;
	case TARGET_SERVICE:
		count = service_ranges(target->first, false, ranges);
		break;
	}
	return count;
}

static void claim_ranges(struct sweep *sweep, const struct hvc_range *ranges, unsigned int count,
			 uint32_t who)
{
	for (unsigned int i = 0; i < count; i++) {
		claim(sweep, ranges[i].first, ranges[i].last, who);
	}
}

static void claim_all(struct sweep *sweep)
{
	struct hvc_range ranges[TARGET_MAX_RANGES];
	const struct hvc_range *reserved;
	unsigned int count = hvc_reserved_ranges(&reserved);

	claim_ranges(sweep, reserved, count, CLAIM_RESERVED);
	for (size_t i = 0; i < sweep->policy->target_count; i++) {
		count = target_ranges(&sweep->policy->targets[i], ranges);
		claim_ranges(sweep, ranges, count, (uint32_t)i);
	}
	for (unsigned int service = 1; service < HVC_SERVICE_COUNT; service++) {
		if (service_denied(sweep->policy, service)) {
			count = service_ranges(service, true, ranges);
			claim_ranges(sweep, ranges, count, CLAIM_SERVICE + service);
		}
	}
}

/* qsort has no context argument: sort pairs instead. */
struct start {
	uint32_t first, index;
};

static int by_first(const void *left, const void *right)
{
	const struct start *a = left, *b = right;

	if (a->first != b->first) {
		return a->first < b->first ? -1 : 1;
	}
	return a->index < b->index ? -1 : a->index > b->index;
}

static bool sort_starts(struct sweep *sweep)
{
	struct start *pairs = calloc(sweep->count + 1, sizeof(*pairs));

	sweep->starts = calloc(sweep->count + 1, sizeof(*sweep->starts));
	sweep->heap = calloc(sweep->count + 1, sizeof(*sweep->heap));
	if (pairs == NULL || sweep->starts == NULL || sweep->heap == NULL) {
		free(pairs);
		return false;
	}
	for (size_t i = 0; i < sweep->count; i++) {
		pairs[i] = (struct start){.first = sweep->ranges[i].first, .index = (uint32_t)i};
	}
	qsort(pairs, sweep->count, sizeof(*pairs), by_first);
	for (size_t i = 0; i < sweep->count; i++) {
		sweep->starts[i] = pairs[i].index;
	}
	free(pairs);
	return true;
}

static void heap_push(struct sweep *sweep, uint32_t index)
{
	size_t at = sweep->heap_count++;

	while (at > 0 && sweep->heap[(at - 1) / 2] > index) {
		sweep->heap[at] = sweep->heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	sweep->heap[at] = index;
}

static void heap_pop(struct sweep *sweep)
{
	uint32_t moved = sweep->heap[--sweep->heap_count];
	size_t at = 0, child;

	while ((child = 2 * at + 1) < sweep->heap_count) {
		if (child + 1 < sweep->heap_count && sweep->heap[child + 1] < sweep->heap[child]) {
			child++;
		}
		if (sweep->heap[child] >= moved) {
			break;
		}
		sweep->heap[at] = sweep->heap[child];
		at = child;
	}
	sweep->heap[at] = moved;
}

static struct hvc_match match_of(const struct hvc_policy *policy, uint32_t who)
{
	struct hvc_match match = {.action = HVC_HANDLE};

	if (who == CLAIM_RESERVED) {
		match.reserved = true;
	} else if (who >= CLAIM_SERVICE) {
		match.action = HVC_DENY;
		match.service = (uint8_t)(who - CLAIM_SERVICE);
	} else {
		match.rule = &policy->rules[policy->targets[who].rule].rule;
		match.action = match.rule->action;
	}
	return match;
}

static void count_reached(struct hvc_policy *policy, uint32_t who, uint64_t ids)
{
	if (who < policy->target_count) {
		policy->targets[who].reached += ids;
		policy->rules[policy->targets[who].rule].rule.decided += ids;
	}
}

static bool same_match(const struct hvc_match *a, const struct hvc_match *b)
{
	return a->action == b->action && a->reserved == b->reserved && a->service == b->service &&
	       a->rule == b->rule;
}

/* Spans come out in order; one that is decided as its neighbour is becomes part of it. */
static bool emit(struct sweep *sweep, uint64_t first, uint64_t last, struct hvc_match match)
{
	struct hvc_policy *policy = sweep->policy;
	struct hvc_span *span;

	if (policy->span_count != 0) {
		span = &policy->spans[policy->span_count - 1];
		if (same_match(&span->match, &match)) {
			span->last = (uint32_t)last;
			return true;
		}
	}
	if (!array_reserve(&policy->spans, &policy->span_capacity, policy->span_count + 1,
			   sizeof(*span))) {
		return false;
	}
	span = &policy->spans[policy->span_count++];
	*span = (struct hvc_span){.first = (uint32_t)first, .last = (uint32_t)last, .match = match};
	return true;
}

static bool run_sweep(struct sweep *sweep)
{
	struct hvc_match nobody = {
		.action = (enum hvc_action)knob_value(sweep->policy, KNOB_DEFAULT)};
	uint64_t at = 0, end;
	size_t next = 0;
	bool sound = true;

	while (sound && at <= 0xffffffffu) {
		while (next < sweep->count && sweep->ranges[sweep->starts[next]].first <= at) {
			heap_push(sweep, sweep->starts[next++]);
		}
		while (sweep->heap_count != 0 && sweep->ranges[sweep->heap[0]].last < at) {
			heap_pop(sweep);
		}
		end = next < sweep->count ? (uint64_t)sweep->ranges[sweep->starts[next]].first - 1
					  : 0xffffffffu;
		if (sweep->heap_count == 0) {
			sound = emit(sweep, at, end, nobody);
		} else {
			const struct pol_range *top = &sweep->ranges[sweep->heap[0]];

			end = end < top->last ? end : top->last;
			count_reached(sweep->policy, top->claim, end - at + 1);
			sound = emit(sweep, at, end, match_of(sweep->policy, top->claim));
		}
		at = end + 1;
	}
	return sound;
}

/* --- IDs that a rule names, each counted once, without reserved ones. */
static uint64_t reserved_ids(uint32_t first, uint32_t last)
{
	const struct hvc_range *reserved;
	unsigned int count = hvc_reserved_ranges(&reserved);
	uint64_t ids = 0;

	for (unsigned int i = 0; i < count; i++) {
		uint32_t from = first > reserved[i].first ? first : reserved[i].first;
		uint32_t to = last < reserved[i].last ? last : reserved[i].last;

		ids += from <= to ? (uint64_t)to - from + 1 : 0;
	}
	return ids;
}

static int by_range(const void *left, const void *right)
{
	const struct hvc_range *a = left, *b = right;

	if (a->first != b->first) {
		return a->first < b->first ? -1 : 1;
	}
	return a->last < b->last ? -1 : a->last > b->last;
}

static uint64_t count_union(struct hvc_range *ranges, size_t count)
{
	uint64_t ids = 0, next = 0; /* the first ID not counted yet */

	if (count > 1) {
		qsort(ranges, count, sizeof(*ranges), by_range);
	}
	for (size_t i = 0; i < count; i++) {
		uint64_t from = ranges[i].first > next ? ranges[i].first : next;

		if (from <= ranges[i].last) {
			ids += ranges[i].last - from + 1 -
			       reserved_ids((uint32_t)from, ranges[i].last);
			next = (uint64_t)ranges[i].last + 1;
		}
	}
	return ids;
}

static bool count_claimed(struct hvc_policy *policy)
{
	struct hvc_range *ranges = NULL;
	size_t capacity = 0;

	for (size_t r = 0; r < policy->rule_count; r++) {
		struct pol_rule *rule = &policy->rules[r];
		size_t count = 0;

		for (size_t t = 0; t < rule->target_count; t++) {
			if (!array_reserve(&ranges, &capacity, count + TARGET_MAX_RANGES,
					   sizeof(*ranges))) {
				free(ranges);
				return false;
			}
			count += target_ranges(&policy->targets[rule->target + t], ranges + count);
		}
		rule->rule.claimed = count_union(ranges, count);
	}
	free(ranges);
	return true;
}

bool spans_build(struct hvc_policy *policy)
{
	struct sweep sweep = {.policy = policy};
	bool sound;

	claim_all(&sweep);
	sound = !sweep.oom && sort_starts(&sweep) && run_sweep(&sweep);
	free(sweep.ranges);
	free(sweep.starts);
	free(sweep.heap);
	return sound && count_claimed(policy);
}
