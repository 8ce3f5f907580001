/* SPDX-License-Identifier: BSD-2-Clause */
#include "lookup.h"

#include <hvcgate/image.h>

/*
 * The architecture owner's fast calls, both conventions, with bits 23:16 zero: discovery and the
 * speculation workarounds, which a guest must always find (KVM reserves the same).
 */
static const struct hvc_range reserved[] = {
	{HVC_ID_FAST, HVC_ID_FAST | 0xffffu},
	{HVC_ID_FAST | HVC_ID_64, HVC_ID_FAST | HVC_ID_64 | 0xffffu},
};

enum { RESERVED_COUNT = sizeof(reserved) / sizeof(reserved[0]) };

unsigned int hvc_reserved_ranges(const struct hvc_range **ranges)
{
	*ranges = reserved;
	return RESERVED_COUNT;
}

bool lookup_reserved(uint32_t id)
{
	return (id & ~(HVC_ID_64 | 0xffffu)) == HVC_ID_FAST;
}

/* The entries of a node at `base`, `shift` bits of an ID each, that [first, last] meets. */
static inline uint32_t first_index(uint32_t base, unsigned int shift, uint32_t first)
{
	return first > base ? (first - base) >> shift : 0;
}

static inline uint32_t last_index(uint32_t base, unsigned int shift, uint32_t last)
{
	uint32_t index = (last - base) >> shift;

	return index < LOOKUP_WIDTH - 1 ? index : LOOKUP_WIDTH - 1;
}

/* One change to a range of entries; `dry` only counts the nodes it would add. */
struct change {
	struct lookup *lookup;
	uint32_t first, last;
	uint16_t clear, set;
	bool dry;
	uint32_t added;
};

/*
 * An entry that does not branch yet gets a node of 256 copies of itself. Number of the node. Calls may be looking: they
 * see the entry, or a node that says the same.
 */
static uint32_t branch(struct lookup *lookup, uint16_t *entry)
{
	uint32_t node = lookup->nodes++;
	uint16_t *child = lookup->entries + (size_t)node * LOOKUP_WIDTH;

	for (unsigned int i = 0; i < LOOKUP_WIDTH; i++) {
		child[i] = *entry;
	}
	hvc_publish(entry, (uint16_t)(ENTRY_NODE | node));
	return node;
}

static void change_entry(const struct change *change, uint16_t *entry)
{
	hvc_store(entry, (uint16_t)((*entry & ~change->clear) | change->set));
}

/*
 * Apply a change below one node that starts at `base` and whose entries span 1 << shift IDs each.
 * `node` NULL: a node that a dry run would have added. `from`: first index that this node covers.
 */
static void change_node(struct change *change, uint16_t *node, unsigned int from, uint32_t base,
			unsigned int shift)
{
	uint32_t start = first_index(base, shift, change->first);
	uint32_t end = last_index(base, shift, change->last);
	uint32_t span = (1u << shift) - 1;

	for (uint32_t i = start > from ? start : from; i <= end; i++) {
		uint32_t low = base + (i << shift);
		bool whole = low >= change->first && low + span <= change->last;

		if (node != NULL && (node[i] & ENTRY_NODE)) {
			uint32_t child = node[i] & ~(uint32_t)ENTRY_NODE;

			change_node(change, change->lookup->entries + (size_t)child * LOOKUP_WIDTH,
				    0, low, shift - 8);
		} else if (whole) {
			if (node != NULL && !change->dry) {
				change_entry(change, &node[i]);
			}
		} else {
			uint16_t *child = NULL;

			change->added++;
			if (node != NULL && !change->dry) {
				uint32_t number = branch(change->lookup, &node[i]);

				child = change->lookup->entries + (size_t)number * LOOKUP_WIDTH;
			}
			change_node(change, child, 0, low, shift - 8);
		}
	}
}

/* One entry of a root: it covers [base, base + size - 1], and its node's entries span 1 << shift. */
static void change_root(struct change *change, unsigned int root, unsigned int owner, uint32_t base,
			uint32_t size, unsigned int shift)
{
	struct lookup *lookup = change->lookup;
	uint16_t *entry = &lookup->entries[root * LOOKUP_WIDTH + owner];
	/* Index 0 of the nodes below roots 1 and 2 belongs to the root before. */
	uint32_t top = (uint32_t)owner << 24;
	unsigned int from = root == 0 ? 0 : 1;
	uint32_t end = base + size - 1;

	if (end < change->first || base > change->last) {
		return;
	}
	if (*entry & ENTRY_NODE) {
		uint32_t child = *entry & ~(uint32_t)ENTRY_NODE;

		change_node(change, lookup->entries + (size_t)child * LOOKUP_WIDTH, from, top,
			    shift);
	} else if (base >= change->first && end <= change->last) {
		if (!change->dry) {
			change_entry(change, entry);
		}
	} else {
		uint16_t *child = NULL;

		change->added++;
		if (!change->dry) {
			child = lookup->entries + (size_t)branch(lookup, entry) * LOOKUP_WIDTH;
		}
		change_node(change, child, from, top, shift);
	}
}

static void change_all(struct change *change)
{
	for (uint32_t owner = change->first >> 24; owner <= change->last >> 24; owner++) {
		uint32_t top = owner << 24;

		change_root(change, 0, owner, top, 0x100, 0);
		change_root(change, 1, owner, top + 0x100, 0x10000 - 0x100, 8);
		change_root(change, 2, owner, top + 0x10000, 0x1000000 - 0x10000, 16);
	}
}

static enum hvc_err apply(struct lookup *lookup, uint32_t first, uint32_t last, uint16_t clear,
			  uint16_t set)
{
	struct change change = {.lookup = lookup,
				.first = first,
				.last = last,
				.clear = clear,
				.set = set,
				.dry = true};

	change_all(&change);
	if (lookup->nodes + change.added > lookup->capacity) {
		return HVC_ENOMEM;
	}
	change.dry = false;
	change_all(&change);
	return HVC_OK;
}

/* The part of [first, last] between reserved ranges that starts at or behind *first; false: none. */
static bool next_free(uint32_t *first, uint32_t last, uint32_t *end)
{
	*end = last;
	for (unsigned int i = 0; i < RESERVED_COUNT; i++) {
		if (*first >= reserved[i].first && *first <= reserved[i].last) {
			*first = reserved[i].last + 1;
		} else if (*first < reserved[i].first && last >= reserved[i].first) {
			*end = reserved[i].first - 1;
			return true;
		}
	}
	return *first <= last;
}

/* Change the parts of [first, last] that are not reserved. Number of nodes added. */
static uint32_t change_free(struct change change, uint32_t first, uint32_t last, bool dry)
{
	uint32_t start = first, end;

	change.dry = dry;
	while (next_free(&start, last, &end)) {
		change.first = start;
		change.last = end;
		change_all(&change);
		if (end == last) {
			break;
		}
		start = end + 1;
	}
	return change.added;
}

bool lookup_fits(const struct lookup *lookup, uint32_t first, uint32_t last)
{
	struct lookup same = *lookup;
	struct change change = {.lookup = &same};

	/* A parent that two parts share is counted twice: pessimistic by one node. */
	return lookup->nodes + change_free(change, first, last, true) <= lookup->capacity;
}

static enum hvc_err paint(struct lookup *lookup, uint32_t first, uint32_t last,
			  enum hvc_action action, uint16_t marks)
{
	struct change change = {
		.lookup = lookup,
		.clear = ENTRY_ACTION | ENTRY_CLAIMED,
		.set = (uint16_t)((unsigned int)action << ENTRY_ACTION_SHIFT | marks),
	};

	if (!lookup_fits(lookup, first, last)) {
		return HVC_ENOMEM; /* all or nothing */
	}
	change_free(change, first, last, false);
	return HVC_OK;
}

enum hvc_err lookup_paint(struct lookup *lookup, uint32_t first, uint32_t last,
			  enum hvc_action action, bool claim)
{
	return paint(lookup, first, last, action, claim ? ENTRY_CLAIMED : 0);
}

enum hvc_err lookup_paint_own(struct lookup *lookup, uint32_t first, uint32_t last,
			      enum hvc_action action)
{
	return paint(lookup, first, last, action, ENTRY_CLAIMED | ENTRY_OWN);
}

static enum hvc_err insert_function(struct lookup *lookup, uint32_t id, unsigned int slot)
{
	return id == 0 ? HVC_OK : apply(lookup, id, id, ENTRY_SLOT, (uint16_t)slot);
}

enum hvc_err lookup_init(struct lookup *lookup)
{
	enum hvc_err err = HVC_OK;

	if (lookup->capacity < LOOKUP_ROOTS) {
		return HVC_ENOMEM;
	}
	memset(lookup->entries, 0, LOOKUP_ROOTS * LOOKUP_WIDTH * sizeof(uint16_t));
	lookup->nodes = LOOKUP_ROOTS;
	for (unsigned int i = 0; i < RESERVED_COUNT && err == HVC_OK; i++) {
		err = apply(lookup, reserved[i].first, reserved[i].last, 0, ENTRY_CLAIMED);
	}
	for (unsigned int slot = 1; slot < HVC_FN_COUNT && err == HVC_OK; slot++) {
		const struct hvc_function *function = hvc_function_at(slot);

		err = insert_function(lookup, function->id32, slot);
		if (err == HVC_OK) {
			err = insert_function(lookup, function->id64, slot);
		}
	}
	return err;
}

/* The parts of an owner that the roots have, as offsets, and the bits that index a root's nodes. */
static const struct {
	uint32_t from, to;
	unsigned int shift;
} parts[LOOKUP_ROOTS] = {{0, 0xff, 0}, {0x100, 0xffff, 8}, {0x10000, 0xffffff, 16}};

uint32_t lookup_extent(const uint16_t *entries, uint32_t id, uint32_t *first, uint32_t *last)
{
	unsigned int root = (id & 0xff0000u) != 0 ? 2 : (id & 0xff00u) != 0 ? 1 : 0;
	unsigned int shift = parts[root].shift;
	uint32_t entry = (uint32_t)lookup_read(&entries[root * LOOKUP_WIDTH + (id >> 24)]);

	*first = (id & 0xff000000u) + parts[root].from;
	*last = (id & 0xff000000u) + parts[root].to;
	while (entry & ENTRY_NODE) {
		entry = (uint32_t)lookup_step(entries, entry, id >> shift);
		*first = id >> shift << shift;
		*last = *first + ((1u << shift) - 1);
		shift -= 8;
	}
	return entry;
}

/* Walk [first, last] below one node and report any entry that has a bit of `bits`. */
static bool node_any(const uint16_t *entries, const uint16_t *node, uint16_t bits,
		     unsigned int from, uint32_t base, unsigned int shift, uint32_t first,
		     uint32_t last)
{
	uint32_t start = first_index(base, shift, first);
	uint32_t end = last_index(base, shift, last);

	hvc_assert(shift <= 16);
	for (uint32_t i = start > from ? start : from; i <= end; i++) {
		if (!(node[i] & ENTRY_NODE)) {
			if (node[i] & bits) {
				return true;
			}
		} else if (node_any(entries,
				    entries + (size_t)(node[i] & ~ENTRY_NODE) * LOOKUP_WIDTH, bits,
				    0, base + (i << shift), shift - 8, first, last)) {
			return true;
		}
	}
	return false;
}

bool lookup_any(const uint16_t *entries, uint16_t bits, uint32_t first, uint32_t last)
{
	for (uint32_t owner = first >> 24; owner <= last >> 24; owner++) {
		for (unsigned int root = 0; root < LOOKUP_ROOTS; root++) {
			uint32_t top = owner << 24;
			uint16_t entry = entries[root * LOOKUP_WIDTH + owner];

			if (top + parts[root].to < first || top + parts[root].from > last) {
				continue;
			}
			if (!(entry & ENTRY_NODE)) {
				if (entry & bits) {
					return true;
				}
			} else if (node_any(entries,
					    entries + (size_t)(entry & ~ENTRY_NODE) * LOOKUP_WIDTH,
					    bits, root == 0 ? 0 : 1, top, parts[root].shift, first,
					    last)) {
				return true;
			}
		}
	}
	return false;
}

/* What a walk over all entries found. */
struct survey {
	const uint16_t *entries;
	uint32_t nodes;
	uint32_t slots; /* entries that name a function */
	uint64_t seen[LOOKUP_MAX_NODES /
		      64]; /* a bit a node: no two entries lead to it. 4 KiB; stacks have them. */
};

/* An entry that leads nowhere: one that stands for more IDs than one names no function. */
static bool leaf_sound(struct survey *survey, uint32_t entry, unsigned int levels)
{
	if (entry & ENTRY_OWN) {
		return false;
	}
	if ((entry & ENTRY_SLOT) == HVC_FN_NONE) {
		return true;
	}
	survey->slots++;
	return levels == 0;
}

/* An entry and all that is below it, `levels` levels above the leaves' entries. */
static bool entry_sound(struct survey *survey, uint32_t entry, unsigned int levels)
{
	uint64_t *seen, bit;

	if (!(entry & ENTRY_NODE)) {
		return leaf_sound(survey, entry, levels);
	}
	entry &= ~(uint32_t)ENTRY_NODE;
	seen = &survey->seen[entry / 64];
	bit = 1ull << entry % 64;
	if (levels == 0 || entry < LOOKUP_ROOTS || entry >= survey->nodes || (*seen & bit) != 0) {
		return false;
	}
	*seen |= bit;
	for (unsigned int i = 0; i < LOOKUP_WIDTH; i++) {
		if (!entry_sound(survey, survey->entries[(size_t)entry * LOOKUP_WIDTH + i],
				 levels - 1)) {
			return false;
		}
	}
	return true;
}

/* Does the ID, if it is one, lead to the slot? */
static bool slot_sound(const struct survey *survey, uint32_t id, unsigned int slot, uint32_t *ids)
{
	*ids += id != 0;
	return id == 0 || (lookup_entry(survey->entries, id) & ENTRY_SLOT) == slot;
}

/* Each function's IDs lead to its slot, and no other ID to any: there are no more entries than that. */
static bool slots_sound(const struct survey *survey)
{
	uint32_t ids = 0;

	for (unsigned int slot = 1; slot < HVC_FN_COUNT; slot++) {
		const struct hvc_function *function = hvc_function_at(slot);

		if (!slot_sound(survey, function->id32, slot, &ids) ||
		    !slot_sound(survey, function->id64, slot, &ids)) {
			return false;
		}
	}
	return survey->slots == ids;
}

/* Reserved IDs are handled, and claimed, so that no later rule takes them. */
static bool reserved_sound(const uint16_t *entries, const struct hvc_range *range)
{
	uint32_t first, last;

	for (uint32_t id = range->first; id >= range->first && id <= range->last; id = last + 1) {
		uint32_t entry = lookup_extent(entries, id, &first, &last);

		if ((entry & (ENTRY_ACTION | ENTRY_CLAIMED)) != ENTRY_CLAIMED) {
			return false;
		}
	}
	return true;
}

bool lookup_sound(const uint16_t *entries, uint32_t nodes)
{
	struct survey survey = {.entries = entries, .nodes = nodes};

	if (nodes < LOOKUP_ROOTS || nodes > LOOKUP_MAX_NODES) {
		return false;
	}
	for (unsigned int root = 0; root < LOOKUP_ROOTS; root++) {
		for (unsigned int i = 0; i < LOOKUP_WIDTH; i++) {
			if (!entry_sound(&survey, entries[root * LOOKUP_WIDTH + i], root + 1)) {
				return false;
			}
		}
	}
	for (unsigned int i = 0; i < RESERVED_COUNT; i++) {
		if (!reserved_sound(entries, &reserved[i])) {
			return false;
		}
	}
	return slots_sound(&survey);
}
