/* SPDX-License-Identifier: BSD-2-Clause */
/* The keys that say which hypercall ABI a policy starts from, and how closely it is followed. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"
#include "suggest.h"
#include "values.h"

/* "hvcgate-1, linux-5.10, ...": each once, revisions left out. */
static void profile_list(char *text, size_t size)
{
	const char *last = "";
	size_t used = 0;

	text[0] = '\0';
	for (size_t n = 0; abi_profile_at(n) != NULL && used < size; n++) {
		const char *name = abi_profile_name(abi_profile_at(n));
		size_t length = strcspn(name, "@");
		int more;

		if (strncmp(name, last, length + 1) == 0) {
			continue;
		}
		more = snprintf(text + used, size - used, "%s%.*s", used == 0 ? "" : ", ",
				(int)length, name);
		used += more > 0 ? (size_t)more : 0;
		last = name;
	}
}

static void unknown_profile(struct loader *loader, const struct yaml_node *value)
{
	struct suggestion suggestion;
	char text[400], series[64];
	const struct abi_profile *newest;

	snprintf(series, sizeof(series), "%.*s", (int)strcspn(value->text, "@"), value->text);
	newest = abi_profile_find(series);
	if (newest != NULL) {
		diags_error(loader->diags, &value->mark,
			    "there is no '%s'; the newest revision is %s", value->text,
			    abi_profile_name(newest));
		return;
	}
	suggest_begin(&suggestion, value->text);
	for (size_t n = 0; abi_profile_at(n) != NULL; n++) {
		suggest_try(&suggestion, abi_profile_name(abi_profile_at(n)));
	}
	profile_list(text, sizeof(text));
	if (suggestion.best != NULL) {
		diags_error(loader->diags, &value->mark,
			    "unknown profile '%s'; did you mean '%s'? There are: %s", value->text,
			    suggestion.best, text);
	} else {
		diags_error(loader->diags, &value->mark, "unknown profile '%s'; there are: %s",
			    value->text, text);
	}
}

void take_profile(struct loader *loader, const struct yaml_node *value)
{
	const struct abi_profile *profile;

	if (!want_kind(loader, value, YAML_SCALAR, "profile", "profile: " POL_PROFILE)) {
		return;
	}
	profile = abi_profile_find(value->text);
	if (profile == NULL) {
		unknown_profile(loader, value);
		return;
	}
	for (size_t n = 0; abi_profile_at(n) != NULL; n++) {
		if (abi_profile_at(n) == profile) {
			knob_set(loader, KNOB_PROFILE, n, false, &value->mark, "profile");
		}
	}
}

void take_mode(struct loader *loader, const struct yaml_node *value, unsigned int knob,
	       const char *key, const char *zero, const char *one)
{
	if (!want_kind(loader, value, YAML_SCALAR, key, zero)) {
		return;
	}
	if (strcmp(value->text, zero) != 0 && strcmp(value->text, one) != 0) {
		diags_error(loader->diags, &value->mark, "%s is '%s'; write %s or %s", key,
			    value->text, zero, one);
		return;
	}
	knob_set(loader, knob, strcmp(value->text, one) == 0, false, &value->mark, key);
}

void take_strictness(struct loader *loader, const struct yaml_node *value)
{
	take_mode(loader, value, KNOB_STRICTNESS, "strictness", "spec", "kvm");
}

void take_discovery(struct loader *loader, const struct yaml_node *value)
{
	take_mode(loader, value, KNOB_DISCOVERY, "discovery", "coherent", "raw");
}

/* A number of feature registers. */
static void take_count(struct loader *loader, const struct yaml_node *value, unsigned int knob,
		       const char *key)
{
	uint64_t count;

	if (!want_kind(loader, value, YAML_SCALAR, key, "a number of feature registers")) {
		return;
	}
	if (!parse_number(value->text, &count) || count == 0 || count > HVC_REG_COUNT) {
		diags_error(loader->diags, &value->mark,
			    "%s is '%s'; write a number of feature registers, from 1 to %u", key,
			    value->text, (unsigned int)HVC_REG_COUNT);
		return;
	}
	knob_set(loader, knob, count, false, &value->mark, key);
}

void take_show_registers(struct loader *loader, const struct yaml_node *value)
{
	take_count(loader, value, KNOB_SHOW, "show-registers");
}

void take_known(struct loader *loader, const struct yaml_node *value)
{
	take_count(loader, value, KNOB_KNOWN, "registers: known");
}

void take_unknown(struct loader *loader, const struct yaml_node *value)
{
	take_mode(loader, value, KNOB_UNKNOWN, "registers: unknown", "keep", "clear");
}
