/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guests that began elsewhere without hvcgate: their VMM sends every register of that host, and this one's has to take each
 * by its value, or nothing arrives. What the guest cannot see here or there may be made up for; what it was told is the
 * same here, or it does not come.
 */
#include <inttypes.h>
#include <stdio.h>

#include "moves.h"
#include "views_internal.h"

struct move {
	struct views *views;
	const struct compat_host *from, *to;
};

/* --- Feature registers: the policy says what the guest finds, so it has to say what the guest has found. */
static void say_pin(struct move *move, const struct compat_register *from, unsigned int reg)
{
	struct views *views = move->views;
	const struct hvc_plan *plan = views->plan;

	if (reg >= plan->shown) {
		views_refuse(views,
			     "%s: the guest has 0x%" PRIx64
			     ", and the policy hides the register; write show-registers: %u",
			     from->name, from->value, reg + 1);
	} else if (reg == HVC_REG_PSCI_VERSION) {
		views_refuse(views,
			     "%s: the guest has found 0x%" PRIx64 ", the policy has 0x%" PRIx64
			     "; write psci: \"%u.%u\"",
			     from->name, from->value, plan->seen[reg],
			     (unsigned int)(from->value >> 16 & 0xffff),
			     (unsigned int)(from->value & 0xffff));
	} else {
		views_refuse(views,
			     "%s: the guest has found 0x%" PRIx64 ", the policy has 0x%" PRIx64
			     "; write registers: {%s: 0x%" PRIx64 "}",
			     from->name, from->value, plan->seen[reg], from->name, from->value);
	}
}

static void workaround(struct move *move, const struct compat_register *from)
{
	const struct compat_register *to = compat_find(move->to, from->id);

	if (to == NULL && from->value == 0) {
		views_add(move->views, from->id, PLAN_PHANTOM, 0, 0);
	} else if (to == NULL || !compat_can_set(to, from->value)) {
		views_refuse(move->views,
			     "%s: assertion, 0x%" PRIx64
			     " there, and this kernel cannot keep that (%s)",
			     from->name, from->value, compat_class(from->name)->reason);
	}
}

static void feature(struct move *move, const struct compat_register *from, unsigned int reg)
{
	const struct hvc_plan *plan = move->views->plan;

	if (reg >= HVC_REG_WORKAROUND_1 && reg <= HVC_REG_WORKAROUND_3) {
		workaround(move, from);
	} else if (reg < plan->shown && plan->seen[reg] == from->value) {
		return; /* as it is, held, or a phantom already */
	} else if (reg >= plan->shown && from->value == 0 && plan->there[reg] == 0) {
		views_add(move->views, from->id, PLAN_PHANTOM, 0, 0);
	} else {
		say_pin(move, from, reg);
	}
}

/* --- System registers. */
static void unknown(struct move *move, const struct compat_register *from)
{
	const struct compat_class_row *row = compat_class(from->name);

	if (row->class == COMPAT_GATED && row->gate[0] != '\0' && from->has_value &&
	    views_gate_closed(move->from, row)) {
		/* Nobody could change what it was reset to. */
		views_add(move->views, from->id, PLAN_PHANTOM, from->value, 0);
	} else if (row->class == COMPAT_GATED && row->gate[0] != '\0') {
		views_refuse(
			move->views,
			"%s: gated, and the guest can use it there: %s says so (%s); this kernel has none",
			from->name, row->gate, row->reason);
	} else if (row->class == COMPAT_GATED) {
		views_refuse(
			move->views,
			"%s: gated, this kernel has none (%s); for guests that do not have it write hide: [%s]",
			from->name, row->reason, from->name);
	} else if (!views_alike(move->views, row, "none")) {
		views_refuse(move->views, "%s: %s, this kernel has none (%s)", from->name,
			     compat_class_name(row->class), row->reason);
	}
}

static void known(struct move *move, const struct compat_register *from,
		  const struct compat_register *to)
{
	const struct compat_class_row *row = compat_class(from->name);

	if ((row->class != COMPAT_IDENTITY && row->class != COMPAT_EQUAL) || !from->has_value ||
	    !to->has_value || from->value == to->value ||
	    compat_takes(move->to->series, from, to->value)) {
		return;
	}
	/* Values differ, so each has a line, but for the caches' many. */
	if (row->class == COMPAT_IDENTITY && row->pattern[0] == 'C' &&
	    views_alike(move->views, row, "value")) {
		return;
	}
	views_refuse(move->views,
		     "%s: %s, 0x%" PRIx64 " there, 0x%" PRIx64
		     " here, and the kernel takes no other (%s)",
		     from->name, compat_class_name(row->class), from->value, to->value,
		     row->reason);
}

static bool is_hidden(const struct hvc_policy *policy, uint64_t id)
{
	size_t count;
	const uint64_t *ids = policy_hidden(policy, &count);

	for (size_t i = 0; i < count; i++) {
		if (ids[i] == id) {
			return true;
		}
	}
	return false;
}

/* --- What only this host has. */
static void only_here(struct move *move, const struct compat_register *to)
{
	const struct compat_class_row *row = compat_class(to->name);
	const struct hvc_plan *plan = move->views->plan;
	const unsigned int reg = views_feature_register(to->id);

	if (reg < HVC_REG_COUNT) {
		if (reg >= plan->shown) {
			return; /* hidden */
		}
		if (reg >= HVC_REG_STD_BMAP && plan->seen[reg] == 0) {
			views_add(move->views, to->id, PLAN_HIDE, 0, 0);
		} else if (reg >= HVC_REG_STD_BMAP) {
			views_refuse(
				move->views,
				"%s: 0x%" PRIx64
				" here, and that host has no such register: the guest would find new services; write show-registers: %u",
				to->name, plan->seen[reg], reg);
		}
	} else if (row->class == COMPAT_GATED &&
		   (row->gate[0] == '\0' || views_gate_closed(move->to, row))) {
		views_add(move->views, to->id, PLAN_HIDE, 0, 0);
	}
}

static void every_register(struct move *move, const struct hvc_policy *policy)
{
	for (uint32_t i = 0; i < move->from->count; i++) {
		const struct compat_register *from = &move->from->registers[i],
					     *to = compat_find(move->to, from->id);
		const unsigned int reg = views_feature_register(from->id);

		if (is_hidden(policy, from->id)) {
			continue;
		}
		if (reg < HVC_REG_COUNT) {
			feature(move, from, reg);
		} else if (to == NULL) {
			unknown(move, from);
		} else {
			known(move, from, to);
		}
	}
	for (uint32_t i = 0; i < move->to->count; i++) {
		const struct compat_register *to = &move->to->registers[i];

		if (compat_find(move->from, to->id) == NULL && !is_hidden(policy, to->id)) {
			only_here(move, to);
		}
	}
}

void views_from(struct views *views, const struct hvc_policy *policy,
		const struct compat_host *from)
{
	struct move move = {.views = views, .from = from, .to = views->to};

	if (views->to == NULL) {
		views_refuse(
			views,
			"whether guests of %s can come, a record of this host says, not a profile",
			from->name);
	} else if (from->midr != views->to->midr) {
		views_refuse(views,
			     "%s has another CPU model (MIDR_EL1 0x%" PRIx64 ", 0x%" PRIx64
			     " here): no guest can come that has seen it",
			     from->name, from->midr, views->to->midr);
	} else {
		every_register(&move, policy);
	}
}
