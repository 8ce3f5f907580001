/* SPDX-License-Identifier: BSD-2-Clause */
/* The filter a VMM adds to a VM by itself, range by range, as KVM's; and what the whole filter says. */
#include "outcome.h"
#include "rules.h"

size_t hvc_filter_size(const struct hvc_image *image, unsigned int ranges)
{
	/* A range splits entries at its two ends, at most three levels deep each. */
	return ((size_t)image->node_count + 6 * (size_t)ranges) * LOOKUP_WIDTH * sizeof(uint16_t);
}

/* IDs are told apart by these bits of an entry, and by whether they are reserved. */
enum { ENTRY_LOOK = ENTRY_ACTION | ENTRY_CLAIMED };

static bool same_look(uint32_t entry, uint32_t id, uint32_t other_entry, uint32_t other_id)
{
	return ((entry ^ other_entry) & ENTRY_LOOK) == 0 &&
	       lookup_reserved(id) == lookup_reserved(other_id);
}

/* The first claimed ID from `id` on; there is one. */
static uint32_t first_claimed(const uint16_t *entries, uint32_t id)
{
	uint32_t first, last;

	while (!(lookup_extent(entries, id, &first, &last) & ENTRY_CLAIMED)) {
		id = last + 1;
	}
	return id;
}

/* Everything around a claimed ID that looks the same. */
static void describe(const uint16_t *entries, uint32_t id, struct hvc_filter_detail *detail)
{
	uint32_t entry = lookup_extent(entries, id, &detail->first, &detail->last);
	uint32_t first, last;

	while (detail->first != 0 &&
	       same_look(entry, id, lookup_extent(entries, detail->first - 1, &first, &last),
			 detail->first - 1)) {
		detail->first = first;
	}
	while (detail->last != UINT32_MAX &&
	       same_look(entry, id, lookup_extent(entries, detail->last + 1, &first, &last),
			 detail->last + 1)) {
		detail->last = last;
	}
	detail->obstacle = lookup_reserved(id) ? HVC_OBSTACLE_RESERVED : HVC_OBSTACLE_RULE;
	detail->action = lookup_reserved(id) ? 0 : action_of(entry);
}

/* What is wrong with the range as such; *last is its end. */
static enum hvc_obstacle range_obstacle(const struct hvc_vm *vm, uint32_t base, uint32_t count,
					enum hvc_action action, uint32_t *last)
{
	*last = base + count - 1;
	if (!vm->image->settings.filter) {
		return HVC_OBSTACLE_NO_FILTER;
	}
	/* With the quirk count 0 at base 0 goes on as what it wraps to: all IDs. */
	if (count == 0 && (base != 0 || !(vm->quirks & HVC_QUIRK_FILTER_EMPTY_AT_0))) {
		return HVC_OBSTACLE_EMPTY;
	}
	if (*last < base) {
		return HVC_OBSTACLE_WRAP;
	}
	return (unsigned int)action > HVC_NOTIFY ? HVC_OBSTACLE_ACTION : HVC_OBSTACLE_NONE;
}

/* In KVM's order (reference: kvm.md B.2). */
static enum hvc_err look(const struct hvc_vm *vm, uint32_t base, uint32_t count,
			 enum hvc_action action, struct hvc_filter_detail *detail)
{
	uint32_t last;

	detail->obstacle = range_obstacle(vm, base, count, action, &last);
	if (detail->obstacle != HVC_OBSTACLE_NONE) {
		return HVC_EINVAL;
	}
	if (vm->frozen) {
		detail->obstacle = HVC_OBSTACLE_FROZEN;
		return HVC_EBUSY;
	}
	if (lookup_any(vm->filter.entries, ENTRY_CLAIMED, base, last)) {
		describe(vm->filter.entries, first_claimed(vm->filter.entries, base), detail);
		return HVC_EEXIST;
	}
	if (!rules_are_own(vm) || !lookup_fits(&vm->filter, base, last)) {
		detail->obstacle = HVC_OBSTACLE_MEMORY;
		return HVC_ENOMEM;
	}
	return HVC_OK;
}

enum hvc_err hvc_filter_try(const struct hvc_vm *vm, uint32_t base, uint32_t count,
			    enum hvc_action action, struct hvc_filter_detail *detail)
{
	struct hvc_filter_detail found = {.size = sizeof(found)};
	enum hvc_err err;

	if (detail != NULL && detail->size != sizeof(*detail)) {
		return HVC_EINVAL;
	}
	err = look(vm, base, count, action, &found);
	if (detail != NULL) {
		*detail = found;
	}
	return err;
}

enum hvc_err hvc_filter_add(struct hvc_vm *vm, uint32_t base, uint32_t count,
			    enum hvc_action action)
{
	enum hvc_err err = hvc_filter_try(vm, base, count, action, NULL);

	return err == HVC_OK ? lookup_paint_own(&vm->filter, base, base + count - 1, action) : err;
}

static uint32_t word_at(const uint8_t *bytes)
{
	return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
	       (uint32_t)bytes[3] << 24;
}

enum hvc_err hvc_filter_add_bytes(struct hvc_vm *vm, const uint8_t bytes[HVC_FILTER_BYTES])
{
	for (unsigned int i = 9; i < HVC_FILTER_BYTES; i++) {
		if (bytes[i] != 0) {
			return HVC_EINVAL;
		}
	}
	if (bytes[8] > HVC_FORWARD) {
		return HVC_EINVAL;
	}
	return hvc_filter_add(vm, word_at(bytes), word_at(bytes + 4), (enum hvc_action)bytes[8]);
}

/* The entry that a call of an ID meets, and up to where that goes on: a hint is no other ID, but the IDs that
 * have it lie between those that do not. */
static uint32_t extent_of_call(const struct hvc_vm *vm, uint32_t id, uint32_t *meets,
			       uint32_t *last)
{
	uint32_t mask = vm_hint_mask(vm), entry, first, block;

	*meets = clear_hint(mask, id);
	entry = lookup_extent(hvc_follow(&vm->filter.entries), *meets, &first, last);
	block = *meets & 0xffff0000u;
	/* What reaches beyond the block that a hint makes of this one begins in this one or before: one look for both. */
	if (mask != 0 && (id & HVC_ID_FAST) != 0 && *last < (block | 0x1ffffu)) {
		block |= 0xffffu;
		*last = (*last < block ? *last : block) | (*meets ^ id);
	}
	return entry;
}

struct hvc_filter_span hvc_filter_span(const struct hvc_vm *vm, uint32_t id)
{
	uint32_t last, meets, next_last, next_meets;
	uint32_t entry = extent_of_call(vm, id, &meets, &last);

	while (last != UINT32_MAX) {
		uint32_t next = extent_of_call(vm, last + 1, &next_meets, &next_last);

		if (!same_look(entry, meets, next, next_meets)) {
			break;
		}
		last = next_last;
	}
	return (struct hvc_filter_span){
		.first = id,
		.last = last,
		.action = (uint8_t)action_of(entry),
		.claimed = (entry & ENTRY_CLAIMED) != 0 && !lookup_reserved(meets),
		.reserved = lookup_reserved(meets),
	};
}
