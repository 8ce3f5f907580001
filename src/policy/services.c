/* SPDX-License-Identifier: BSD-2-Clause */
/* The keys `services` (the ordinary way) and `registers` (the expert form): both turn the same knobs. */
#include <stdio.h>
#include <string.h>

#include "internal.h"
#include "suggest.h"
#include "values.h"

/* Parts of a service that `services` knows by a name of their own. */
static const struct part {
	const char *name;
	const char *whole;
	enum hvc_register reg;
	uint64_t bits;
} parts[] = {
	{"ptp", "kvm-vendor", HVC_REG_VENDOR_HYP_BMAP, 0x2},
	{"discover-impl", "kvm-vendor", HVC_REG_VENDOR_HYP_BMAP_2, 0x3},
};
#define PART_COUNT (sizeof(parts) / sizeof(parts[0]))

static const struct part *part_by_name(const char *name)
{
	for (size_t i = 0; i < PART_COUNT; i++) {
		if (strcmp(parts[i].name, name) == 0) {
			return &parts[i];
		}
	}
	return NULL;
}

/* Turn every feature bit of a service. Only its first function's bit is meant for sure by `on`:
 * the others may be turned off one by one. */
static void turn_service_bits(struct loader *loader, unsigned int service, bool on,
			      const struct pol_mark *mark, const char *key)
{
	bool first = true;

	for (unsigned int slot = 1; slot < hvc_function_count(); slot++) {
		const struct hvc_function *function = hvc_function_at(slot);

		if (function->service == service && function->reg != HVC_REG_NONE) {
			unsigned int knob = KNOB_OF_BIT(function->reg, function->reg_bit);
			const struct pol_knob *old = &loader->policy->knobs[knob];
			bool own = old->set && old->key == key;

			if (!own) {
				knob_set(loader, knob, on, on && !first, mark, key);
			}
			first = false;
		}
	}
}

static void turn_service(struct loader *loader, unsigned int service, const struct yaml_node *name,
			 bool on)
{
	const char *key = arena_printf(&loader->policy->arena, "services: %s: %s", name->text,
				       on ? "on" : "off");

	if (key == NULL) {
		return;
	}
	if (service == HVC_SERVICE_ARCH) {
		if (!on) {
			diags_error(
				loader->diags, &name->mark,
				"service arch cannot be off: its functions lie in the reserved ranges, which belong to the engine");
		}
		return;
	}
	knob_set(loader, KNOB_SERVICE + service, on, false, &name->mark, key);
	turn_service_bits(loader, service, on, &name->mark, key);
}

static void turn_part(struct loader *loader, const struct part *part, const struct yaml_node *name,
		      bool on)
{
	const char *key = arena_printf(&loader->policy->arena, "services: %s: %s", name->text,
				       on ? "on" : "off");
	const struct pol_knob *whole =
		&loader->policy->knobs[KNOB_SERVICE + hvc_service_by_name(part->whole)];

	if (key == NULL) {
		return;
	}
	if (on && whole->set && whole->value == 0 && whole->mark.order == name->mark.order) {
		diags_error(
			loader->diags, &name->mark,
			"'%s' contradicts '%s' at line %u: %s is a part of %s; keep one of them",
			key, whole->key, whole->mark.line, part->name, part->whole);
		return;
	}
	for (unsigned int bit = 0; bit < 64; bit++) {
		if (part->bits >> bit & 1) {
			knob_set(loader, KNOB_OF_BIT(part->reg, bit), on, false, &name->mark, key);
		}
	}
}

static void unknown_service(struct loader *loader, const struct yaml_node *name)
{
	const char *known[HVC_SERVICE_COUNT + PART_COUNT + 1];
	struct suggestion suggestion;
	size_t count = 0;

	for (unsigned int service = 1; service < HVC_SERVICE_COUNT; service++) {
		known[count++] = hvc_service_name(service);
	}
	for (size_t i = 0; i < PART_COUNT; i++) {
		known[count++] = parts[i].name;
	}
	known[count] = NULL;
	suggest_begin(&suggestion, name->text);
	for (size_t i = 0; i < count; i++) {
		suggest_try(&suggestion, known[i]);
	}
	if (suggestion.best != NULL) {
		diags_error(loader->diags, &name->mark, "unknown service '%s'; did you mean '%s'?",
			    name->text, suggestion.best);
	} else {
		unknown_key(loader, name, known, "'services'");
	}
}

/* One entry; parts are taken in the second pass, so that they narrow what the whole said. */
static void take_service(struct loader *loader, const struct yaml_node *name, bool second)
{
	const struct yaml_node *value = name->next;
	unsigned int service;
	const struct part *part;
	bool on = false;

	if (name->kind != YAML_SCALAR) {
		return;
	}
	service = hvc_service_by_name(name->text);
	part = part_by_name(name->text);
	if (service == HVC_SERVICE_NONE && part == NULL) {
		if (!second) {
			unknown_service(loader, name);
		}
		return;
	}
	if ((part != NULL) != second ||
	    !want_kind(loader, value, YAML_SCALAR, name->text, "on or off")) {
		return;
	}
	if (!parse_switch(value->text, &on)) {
		diags_error(loader->diags, &value->mark, "service %s is '%s'; write on or off",
			    name->text, value->text);
	} else if (part != NULL) {
		turn_part(loader, part, name, on);
	} else {
		turn_service(loader, service, name, on);
	}
}

void take_services(struct loader *loader, const struct yaml_node *value)
{
	if (!want_kind(loader, value, YAML_MAP, "services", "services: {trng: off}")) {
		return;
	}
	for (unsigned int pass = 0; pass < 2; pass++) {
		for (const struct yaml_node *name = value->child; name != NULL;
		     name = name->next->next) {
			take_service(loader, name, pass == 1);
		}
	}
}
