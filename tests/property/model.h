/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A second opinion on rules: what decides a function ID, worked out from the rules in source order.
 * It shares no code with the policy compiler or the lookup: it reads a rule's target as text and
 * knows functions from catalog.def alone.
 */
#ifndef TESTS_MODEL_H
#define TESTS_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hvcgate/call.h>

/* Of the ranges that hold an ID the first in this list decides. */
struct model_range {
	uint32_t first, last;
	enum hvc_action action;
	bool by_default; /* no rule of the file: the profile says so */
};

struct model {
	struct model_range *ranges;
	size_t count, room;
	enum hvc_action otherwise;
	bool hints; /* SMCCC 1.3 or later: bit 16 of a fast ID does not count */
};

/* Append what a target as written stands for: "PSCI_CPU_ON/64", "{owner: sip}", "[A, B]"...
 * False if it cannot be understood. */
bool model_add(struct model *model, enum hvc_action action, const char *target);
/* The default action, and the services that profile hvcgate-1 shuts unless a rule opens them. After
 * the rules. */
void model_add_defaults(struct model *model, enum hvc_action otherwise);
void model_free(struct model *model);

/* An expectation: slot of the function, action << 12, and whether a rule or a reservation holds it. */
enum { MODEL_SLOT = 0x07ff, MODEL_ACTION_SHIFT = 12, MODEL_CLAIMED = 0x4000 };
enum { MODEL_BLOCK = 0x10000 };

bool model_reserved(uint32_t id);
/* For one ID, from the first rule to the last. */
unsigned int model_one(const struct model *model, uint32_t id);
/* For the 64 Ki IDs from block << 16, painted from the last rule to the first. */
void model_block(const struct model *model, uint32_t block, uint16_t expected[MODEL_BLOCK]);

/* Does no range begin or end in that block, and no function lie in it? */
bool model_is_plain(const struct model *model, uint32_t block);

/* The n-th ID of the catalogue, 0 behind the last one; the slot it belongs to. */
uint32_t model_id(size_t n, unsigned int *slot);
/* A target's text for one of a catalogue row's IDs: its name. NULL behind the last row (from 0). */
const char *model_name(size_t row);

#endif
