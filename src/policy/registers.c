/* SPDX-License-Identifier: BSD-2-Clause */
/* The key `registers`: feature registers by name, as bit names, levels, a version or a number. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"
#include "suggest.h"
#include "values.h"

static bool is_bitmap(unsigned int reg)
{
	return reg >= HVC_REG_STD_BMAP && reg < HVC_REG_COUNT;
}

/* "features, ptp" */
static void bit_list(char *text, size_t size, unsigned int reg)
{
	size_t used = 0;

	text[0] = '\0';
	for (unsigned int bit = 0; bit < 64 && used < size; bit++) {
		if (bit_name(reg, bit) != NULL) {
			int n = snprintf(text + used, size - used, "%s%s", used == 0 ? "" : ", ",
					 bit_name(reg, bit));

			used += n > 0 ? (size_t)n : 0;
		}
	}
}

static void unknown_bit(struct loader *loader, unsigned int reg, const struct yaml_node *node)
{
	struct suggestion suggestion;
	char names[200];

	suggest_begin(&suggestion, node->text);
	for (unsigned int bit = 0; bit < 64; bit++) {
		if (bit_name(reg, bit) != NULL) {
			suggest_try(&suggestion, bit_name(reg, bit));
		}
	}
	bit_list(names, sizeof(names), reg);
	if (suggestion.best != NULL) {
		diags_error(loader->diags, &node->mark,
			    "unknown bit '%s' of %s; did you mean '%s'?", node->text,
			    hvc_register_name(reg), suggestion.best);
	} else {
		diags_error(loader->diags, &node->mark, "unknown bit '%s' of %s; it has: %s",
			    node->text, hvc_register_name(reg), names);
	}
}

static void set_bitmap(struct loader *loader, unsigned int reg, uint64_t value,
		       const struct pol_mark *mark)
{
	const char *key = arena_printf(&loader->policy->arena, "registers: %s",
				       hvc_register_name(reg));

	for (unsigned int bit = 0; bit < 64 && key != NULL; bit++) {
		if (register_mask(reg) >> bit & 1) {
			knob_set(loader, KNOB_OF_BIT(reg, bit), value >> bit & 1, false, mark, key);
		}
	}
}

static bool bit_of(unsigned int reg, const char *name, uint64_t *value)
{
	for (unsigned int bit = 0; bit < 64; bit++) {
		if (bit_name(reg, bit) != NULL && strcmp(bit_name(reg, bit), name) == 0) {
			*value |= 1ull << bit;
			return true;
		}
	}
	return false;
}

static void take_bit_names(struct loader *loader, unsigned int reg, const struct yaml_node *list)
{
	uint64_t value = 0;
	bool sound = true;

	for (const struct yaml_node *node = list->child; node != NULL && !diags_full(loader->diags);
	     node = node->next) {
		if (!want_kind(loader, node, YAML_SCALAR, hvc_register_name(reg),
			       "names of bits")) {
			sound = false;
		} else if (!bit_of(reg, node->text, &value)) {
			unknown_bit(loader, reg, node);
			sound = false;
		}
	}
	if (sound) {
		set_bitmap(loader, reg, value, &list->mark);
	}
}

static void take_bitmap(struct loader *loader, unsigned int reg, const struct yaml_node *node)
{
	char names[200];
	uint64_t value;

	bit_list(names, sizeof(names), reg);
	if (node->kind == YAML_LIST) {
		take_bit_names(loader, reg, node);
	} else if (node->kind != YAML_SCALAR || !parse_number(node->text, &value)) {
		if (node->kind != YAML_BAD) {
			diags_error(
				loader->diags, &node->mark,
				"'%s' wants a list of bits or a number; write [%s] or 0x%" PRIx64,
				hvc_register_name(reg), names, register_mask(reg));
		}
	} else if ((value & ~register_mask(reg)) != 0) {
		diags_error(loader->diags, &node->mark,
			    "%s has no bits 0x%" PRIx64 "; its bits are 0x%" PRIx64 " (%s)",
			    hvc_register_name(reg), value & ~register_mask(reg), register_mask(reg),
			    names);
	} else {
		set_bitmap(loader, reg, value, &node->mark);
	}
}

/* WORKAROUND_2 counts differently: 0 not available, 3 not required, and nothing between is offered. */
static bool level_value(unsigned int reg, const char *text, uint64_t *value)
{
	uint32_t level;

	if (!parse_level(text, &level) || (reg == HVC_REG_WORKAROUND_2 && level == 1)) {
		return false;
	}
	*value = reg == HVC_REG_WORKAROUND_2 && level == 2 ? 3 : level;
	return true;
}

static void take_level(struct loader *loader, unsigned int reg, const struct yaml_node *node)
{
	const char *right = reg == HVC_REG_WORKAROUND_2
				    ? "not-available or not-required"
				    : "not-available, available or not-required";
	const char *key = arena_printf(&loader->policy->arena, "registers: %s",
				       hvc_register_name(reg));
	uint64_t value;

	if (key == NULL || !want_kind(loader, node, YAML_SCALAR, hvc_register_name(reg), right)) {
		return;
	}
	if (level_value(reg, node->text, &value) ||
	    (parse_number(node->text, &value) &&
	     (reg == HVC_REG_WORKAROUND_2 ? value == 0 || value == 3 : value <= 2))) {
		knob_set(loader, KNOB_REG + reg, value, false, &node->mark, key);
	} else {
		diags_error(loader->diags, &node->mark, "%s is '%s'; write %s",
			    hvc_register_name(reg), node->text, right);
	}
}

static void take_register(struct loader *loader, const struct yaml_node *name)
{
	unsigned int reg = hvc_register_by_name(name->text);
	const char *near = reg == HVC_REG_NONE ? suggest_register(name->text) : NULL;

	if (reg == HVC_REG_NONE && near != NULL) {
		diags_error(loader->diags, &name->mark, "unknown register '%s'; did you mean '%s'?",
			    name->text, near);
	} else if (reg == HVC_REG_NONE) {
		diags_error(
			loader->diags, &name->mark,
			"unknown register '%s'; there are: PSCI_VERSION, WORKAROUND_1 to _3, STD_BMAP, STD_HYP_BMAP, VENDOR_HYP_BMAP, VENDOR_HYP_BMAP_2; and known, unknown",
			name->text);
	} else if (is_bitmap(reg)) {
		take_bitmap(loader, reg, name->next);
	} else if (reg == HVC_REG_PSCI_VERSION) {
		take_psci(loader, name->next, "registers: PSCI_VERSION");
	} else {
		take_level(loader, reg, name->next);
	}
}

void take_registers(struct loader *loader, const struct yaml_node *value)
{
	if (!want_kind(loader, value, YAML_MAP, "registers",
		       "registers: {VENDOR_HYP_BMAP: [features]}")) {
		return;
	}
	for (const struct yaml_node *name = value->child; name != NULL; name = name->next->next) {
		if (key_is(name, "known")) {
			take_known(loader, name->next);
		} else if (key_is(name, "unknown")) {
			take_unknown(loader, name->next);
		} else if (name->kind == YAML_SCALAR) {
			take_register(loader, name);
		}
	}
}
