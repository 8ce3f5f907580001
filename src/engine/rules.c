/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules.h"

#include "outcome.h"

enum hvc_err rules_take(struct lookup *rules, const struct hvc_image *image, void *memory,
			size_t bytes)
{
	size_t node_bytes = LOOKUP_WIDTH * sizeof(uint16_t);

	rules->nodes = image->node_count;
	rules->capacity = image->node_count;
	/* Not written through: capacity leaves no room, and who writes asks for filter memory. */
	rules->entries = (uint16_t *)(uintptr_t)(image + 1);
	if (memory == NULL) {
		return HVC_OK;
	}
	if (bytes / node_bytes < image->node_count) {
		return HVC_ENOMEM;
	}
	memcpy(memory, image + 1, image->node_count * node_bytes);
	rules->entries = memory;
	rules->capacity = bytes / node_bytes < LOOKUP_MAX_NODES ? (uint32_t)(bytes / node_bytes)
								: LOOKUP_MAX_NODES;
	return HVC_OK;
}

bool rules_are_own(const struct hvc_vm *vm)
{
	return vm->filter.entries != (const uint16_t *)(vm->image + 1);
}

bool rules_meet_reserved(uint32_t first, uint32_t last, struct hvc_filter_detail *detail)
{
	const struct hvc_range *ranges;
	unsigned int count = hvc_reserved_ranges(&ranges);

	for (unsigned int i = 0; i < count; i++) {
		if (first <= ranges[i].last && last >= ranges[i].first) {
			detail->obstacle = HVC_OBSTACLE_RESERVED;
			detail->first = ranges[i].first;
			detail->last = ranges[i].last;
			return true;
		}
	}
	return false;
}

bool rules_next_own(const struct lookup *rules, uint64_t *id, struct own_range *range)
{
	bool found = false;

	while (*id <= UINT32_MAX) {
		uint32_t first, last;
		uint32_t entry = lookup_extent(rules->entries, (uint32_t)*id, &first, &last);
		bool own = (entry & ENTRY_OWN) != 0;

		if (found && (!own || action_of(entry) != range->action)) {
			break;
		}
		if (own && !found) {
			range->first = (uint32_t)*id;
			range->action = action_of(entry);
			found = true;
		}
		range->last = last;
		*id = (uint64_t)last + 1;
	}
	return found;
}
