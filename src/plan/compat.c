/* SPDX-License-Identifier: BSD-2-Clause */
/* Two hosts, compared register by register. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compat.h"

struct compare {
	struct compat_result *result;
	const struct compat_host *to;
	const char *vmm;
	struct compat_host from; /* under the policy */
	bool *refused;
};

/* --- The source as a policy leaves it. */
static bool is_hidden(const struct compat_options *options, uint64_t id)
{
	for (size_t i = 0; i < options->hidden_count; i++) {
		if (options->hidden[i] == id) {
			return true;
		}
	}
	return false;
}

/* False: the register is not shown. */
static bool under_policy(struct compat_register *reg, const struct hvc_settings *settings)
{
	for (unsigned int which = 0; which < HVC_REG_COUNT; which++) {
		if (reg->id != abi_register_id(which)) {
			continue;
		}
		if (which >= settings->reg_count) {
			return false;
		}
		/* What the kernel does not take, no policy can choose there. */
		if (compat_can_set(reg, settings->regs[which])) {
			reg->value = settings->regs[which];
		}
	}
	return true;
}

static void copy_host(struct compat_host *copy, const struct compat_host *host,
		      const struct compat_options *options, bool firmware_only)
{
	struct compat_register *registers = copy->registers;

	*copy = *host;
	copy->registers = registers;
	copy->count = 0;
	for (uint32_t i = 0; i < host->count; i++) {
		struct compat_register *reg = &registers[copy->count];

		*reg = host->registers[i];
		if ((firmware_only && !reg->firmware) ||
		    (options != NULL && is_hidden(options, reg->id)) ||
		    (options != NULL && options->settings != NULL &&
		     !under_policy(reg, options->settings))) {
			continue;
		}
		copy->count++;
	}
}

/* --- What is in the way. */
/* The greatest value below the source's that both can have, for workarounds and versions. */
static bool common(const struct compat_register *from, const struct compat_register *to,
		   uint64_t *value)
{
	bool found = false;

	for (unsigned int i = 0; i < to->accepted_count; i++) {
		uint64_t one = to->accepted[i];

		if (one <= from->value && compat_can_set(from, one) && (!found || one > *value)) {
			*value = one;
			found = true;
		}
	}
	return found;
}

static void pin(struct compat_obstacle *obstacle, const struct compat_register *to)
{
	const struct compat_register *from = &obstacle->from;
	uint64_t value = from->value & to->legal;

	if (from->bitmap) {
		snprintf(obstacle->line, sizeof(obstacle->line),
			 "registers: {%.24s: 0x%" PRIx64 "}", from->name, value);
	} else if (!common(from, to, &value)) {
		obstacle->need = COMPAT_IMPOSSIBLE;
		return;
	} else if (strcmp(from->name, "PSCI_VERSION") == 0) {
		snprintf(obstacle->line, sizeof(obstacle->line), "psci: \"%u.%u\"",
			 (unsigned int)(value >> 16 & 0xffff), (unsigned int)(value & 0xffff));
	} else {
		snprintf(obstacle->line, sizeof(obstacle->line),
			 "registers: {%.24s: 0x%" PRIx64 "}", from->name, value);
	}
	obstacle->need = COMPAT_SOURCE;
}

static unsigned int place(uint64_t id)
{
	unsigned int which = 0;

	while (which < HVC_REG_COUNT && abi_register_id(which) != id) {
		which++;
	}
	return which;
}

static void unknown_firmware(struct compat_obstacle *obstacle, const struct compat_host *to)
{
	const unsigned int which = place(obstacle->from.id), count = compat_shown(&to, 1);

	/* Its neutral value need not be told; a destination under exec takes that, and no other. */
	obstacle->need = COMPAT_SOURCE;
	if (obstacle->from.value == 0) {
		obstacle->need = COMPAT_DESTINATION;
		obstacle->class = COMPAT_ASSERTION;
	}
	if (which < HVC_REG_COUNT && count > 0) {
		snprintf(obstacle->line, sizeof(obstacle->line), "show-registers: %u", count);
	} else if (obstacle->need == COMPAT_SOURCE) {
		obstacle->need = COMPAT_IMPOSSIBLE;
	}
}

static void gated(struct compat_obstacle *obstacle, const struct compat_host *from)
{
	const struct compat_register *gate = NULL;

	if (obstacle->row->gate[0] == '\0') {
		obstacle->need = COMPAT_SOURCE;
		snprintf(obstacle->line, sizeof(obstacle->line), "hide: [%.40s]",
			 obstacle->from.name);
		return;
	}
	for (uint32_t i = 0; i < from->count && gate == NULL; i++) {
		gate = strcmp(from->registers[i].name, obstacle->row->gate) == 0
			       ? &from->registers[i]
			       : NULL;
	}
	obstacle->need = gate != NULL && gate->has_value &&
					 (gate->value >> obstacle->row->shift & 15) == 0
				 ? COMPAT_DESTINATION
				 : COMPAT_IMPOSSIBLE;
}

static void judge(const struct compare *compare, struct compat_obstacle *obstacle,
		  const struct compat_register *to)
{
	const enum compat_class class = obstacle->row->class;

	obstacle->class = class;
	obstacle->need = COMPAT_IMPOSSIBLE;
	if (obstacle->unknown && obstacle->from.firmware) {
		unknown_firmware(obstacle, compare->to);
	} else if (obstacle->unknown && class == COMPAT_GATED) {
		gated(obstacle, &compare->from);
	} else if (!obstacle->unknown && (class == COMPAT_PIN || class == COMPAT_ASSERTION)) {
		pin(obstacle, to);
	}
	if (obstacle->need != COMPAT_DESTINATION) {
		snprintf(obstacle->lost, sizeof(obstacle->lost), "%s", obstacle->row->lost);
	}
}

/* Does the destination's kernel refuse the value? What the guest changes is not compared. */
static bool refuses(const struct compare *compare, const struct compat_register *from,
		    const struct compat_register *to)
{
	if (!from->has_value || !to->has_value || from->value == to->value) {
		return false;
	}
	if (to->firmware) {
		return !compat_can_set(to, from->value);
	}
	switch (compat_class(from->name)->class) {
	case COMPAT_IDENTITY:
	case COMPAT_EQUAL:
		return !compat_takes(compare->to->series, from, to->value);
	default:
		return false;
	}
}

static void look(struct compare *compare, uint32_t v)
{
	const struct compat_register *from = &compare->from.registers[v],
				     *to = compat_find(compare->to, from->id);
	struct compat_result *result = compare->result;
	struct compat_obstacle *obstacle = &result->obstacles[result->obstacle_count];

	compare->refused[v] = to != NULL && refuses(compare, from, to);
	if (to != NULL && !compare->refused[v]) {
		return;
	}
	*obstacle = (struct compat_obstacle){.row = compat_class(from->name),
					     .unknown = to == NULL,
					     .from = *from,
					     .to = to != NULL ? to->value : 0};
	judge(compare, obstacle, to);
	/* The VMM does of itself what exec at the destination would. */
	if (obstacle->need == COMPAT_DESTINATION && compat_tolerates(compare->vmm, from)) {
		return;
	}
	result->obstacle_count++;
}

/* A VMM that loads the guest has no trouble with neutral values either: they are none then. */
static void conclude(struct compat_result *result)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < result->obstacle_count; i++) {
		struct compat_obstacle *obstacle = &result->obstacles[i];

		if (obstacle->need == COMPAT_DESTINATION && result->loads) {
			continue;
		}
		result->need = obstacle->need > result->need ? obstacle->need : result->need;
		result->obstacles[kept++] = *obstacle;
	}
	result->obstacle_count = kept;
}

static void compare_all(struct compare *compare)
{
	struct compat_result *result = compare->result;

	result->source_count = compare->from.count;
	result->destination_count = compare->to->count;
	for (uint32_t v = 0; v < compare->from.count; v++) {
		look(compare, v);
	}
	compat_predict(result, compare->vmm, &compare->from, compare->to, compare->refused);
	conclude(result);
}

struct compat_result *compat_new(const struct compat_host *from, const struct compat_host *to,
				 const struct compat_options *options)
{
	struct compat_result *result = calloc(1, sizeof(*result));
	struct compat_register *left = calloc(from->count + 1u, sizeof(*left)),
			       *right = calloc(to->count + 1u, sizeof(*right));
	struct compat_host there = {.registers = right};
	struct compare compare = {.result = result, .to = &there, .from = {.registers = left}};

	compare.vmm = options != NULL && options->vmm != NULL ? options->vmm : "qemu-10.0";
	compare.refused = calloc(from->count + 1u, sizeof(bool));
	if (result != NULL) {
		result->obstacles = calloc(from->count + 1u, sizeof(result->obstacles[0]));
	}
	if (result != NULL && result->obstacles != NULL && left != NULL && right != NULL &&
	    compare.refused != NULL) {
		result->all_compared = from->midr == to->midr;
		copy_host(&compare.from, from, options, !result->all_compared);
		copy_host(&there, to, NULL, !result->all_compared);
		compare_all(&compare);
	} else {
		compat_free(result);
		result = NULL;
	}
	free(left);
	free(right);
	free(compare.refused);
	return result;
}

void compat_free(struct compat_result *result)
{
	if (result != NULL) {
		free(result->obstacles);
		free(result);
	}
}
