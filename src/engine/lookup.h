/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lookup nodes: from a function ID to a catalogue slot and an action in at most four loads.
 *
 * A node is a table of 256 16-bit entries. Three root tables are indexed by bits 31:24 of the ID
 * (type, convention, owner) and cover disjoint parts of that owner's space, so that the dense part
 * costs two loads and the sparse part no memory until a rule tells its IDs apart:
 *
 *   root 0   bits 23:8 zero              -> leaf, by bits 7:0
 *   root 1   bits 23:16 zero, 15:8 not   -> node by 15:8 -> leaf
 *   root 2   bits 23:16 not zero         -> node by 23:16 -> node by 15:8 -> leaf
 */
#ifndef HVC_LOOKUP_H
#define HVC_LOOKUP_H

#include <hvcgate/call.h>
#include <hvcgate/err.h>

#include "env.h"

enum {
	LOOKUP_WIDTH = 256,
	LOOKUP_ROOTS = 3,
	ENTRY_NODE = 0x8000,    /* the rest is the number of a node */
	ENTRY_CLAIMED = 0x4000, /* a rule claims it, or it is reserved */
	ENTRY_ACTION = 0x3000,  /* enum hvc_action */
	ENTRY_ACTION_SHIFT = 12,
	ENTRY_OWN =
		0x0800, /* added to this VM's filter or tightened: not the image's, which has it nowhere */
	ENTRY_SLOT = 0x07ff, /* enum hvc_fn */
	LOOKUP_MAX_NODES = 0x8000,
	/* Enough for the catalogue without any rule; a test compares it with what is used. */
	LOOKUP_BASE_NODES = 64,
};
_Static_assert((int)HVC_FN_COUNT <= (int)ENTRY_SLOT, "a slot fits an entry");

/* Node tables under construction. */
struct lookup {
	uint16_t *entries;
	uint32_t nodes;    /* in use */
	uint32_t capacity; /* nodes that fit */
};

/*
 * One load of an entry that may be painted meanwhile: old or new, either is right. The number it becomes is what is
 * used from then on; the compiler cannot go back to memory for it and find another. hvc_follow() would say the same,
 * but volatile 16-bit loads take two more instructions each.
 */
static inline size_t lookup_read(const uint16_t *entry)
{
#ifdef HVC_RELAXED_BUILTINS
	return hvc_follow(entry);
#else
	size_t value = *entry;

	__asm__("" : "+r"(value));
	return value;
#endif
}

/* Below an entry that is a node: its entry for the low 8 bits of `index`. */
static inline size_t lookup_step(const uint16_t *entries, size_t entry, uint32_t index)
{
	const uint16_t *node = entries + (entry << 8 & 0x7fff00u);

	return lookup_read(&node[index & 0xffu]);
}

/* Root 0 has the IDs whose bits 23:8 are zero, which nearly every call's are. */
static inline uint32_t lookup_sparse_bits(uint32_t id)
{
	return id >> 8 & 0xffffu;
}

static inline size_t lookup_dense(const uint16_t *entries, uint32_t id)
{
	size_t entry = lookup_read(&entries[(size_t)(id >> 24)]);

	return hvc_likely(entry & ENTRY_NODE) ? lookup_step(entries, entry, id) : entry;
}

/* From an entry for bits 31:16 down. */
static inline size_t lookup_below(const uint16_t *entries, size_t entry, uint32_t id)
{
	if (entry & ENTRY_NODE) {
		entry = lookup_step(entries, entry, id >> 8);
	}
	return entry & ENTRY_NODE ? lookup_step(entries, entry, id) : entry;
}

/* Root 1: a number above 0xff. */
static inline size_t lookup_numbered(const uint16_t *entries, uint32_t id)
{
	const uint16_t *root = entries + LOOKUP_WIDTH;

	return lookup_below(entries, lookup_read(&root[(size_t)(id >> 24)]), id);
}

/* Root 2: bits 23:16 are not zero. */
static inline size_t lookup_reserved_bits(const uint16_t *entries, uint32_t id)
{
	const uint16_t *root = entries + (size_t)2 * LOOKUP_WIDTH;
	size_t entry = lookup_read(&root[(size_t)(id >> 24)]);

	if (entry & ENTRY_NODE) {
		entry = lookup_step(entries, entry, id >> 16);
	}
	return lookup_below(entries, entry, id);
}

static inline uint32_t lookup_entry(const uint16_t *entries, uint32_t id)
{
	size_t entry;

	if (lookup_sparse_bits(id) == 0) {
		entry = lookup_dense(entries, id);
	} else if ((id & 0x00ff0000u) == 0) {
		entry = lookup_numbered(entries, id);
	} else {
		entry = lookup_reserved_bits(entries, id);
	}
	return (uint32_t)entry;
}

/* Everything handled, nothing claimed, every function of the catalogue in its slot, reserved ranges
 * claimed. HVC_ENOMEM: give LOOKUP_BASE_NODES nodes. */
enum hvc_err lookup_init(struct lookup *lookup);

/* Give [first, last] an action; reserved IDs are passed over. All or nothing: HVC_ENOMEM. */
enum hvc_err lookup_paint(struct lookup *lookup, uint32_t first, uint32_t last,
			  enum hvc_action action, bool claim);

/* The same, claimed and marked ENTRY_OWN. Calls may be looking things up meanwhile: each finds what was or what is. */
enum hvc_err lookup_paint_own(struct lookup *lookup, uint32_t first, uint32_t last,
			      enum hvc_action action);

/* Would lookup_paint() of [first, last] find room? */
bool lookup_fits(const struct lookup *lookup, uint32_t first, uint32_t last);

/* The entry of an ID, and the IDs around it that it stands for. */
uint32_t lookup_extent(const uint16_t *entries, uint32_t id, uint32_t *first, uint32_t *last);

/* Has any ID of [first, last] one of these bits (ENTRY_CLAIMED, ENTRY_ACTION) in its entry? */
bool lookup_any(const uint16_t *entries, uint16_t bits, uint32_t first, uint32_t last);

/* Are `nodes` tables an image's: a tree, that leads each function's IDs to its slot and others to none; reserved IDs are
 * handled and claimed; no entry is a VM's own? Safe on any content. */
bool lookup_sound(const uint16_t *entries, uint32_t nodes);

bool lookup_reserved(uint32_t id);

#endif
