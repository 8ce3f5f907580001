/* SPDX-License-Identifier: BSD-2-Clause */
/* The key `allow`. */
#include "allow.h"

#include <string.h>

#include "internal.h"
#include "suggest.h"

static const char *const names[ALLOW_COUNT] = {
	[ALLOW_SMCCC] = "smccc",
	[ALLOW_ARCH_FEATURES] = "arch-features",
	[ALLOW_WORKAROUNDS] = "workarounds",
	[ALLOW_SOC_ID] = "soc-id",
	[ALLOW_ARCH_CALLS] = "arch-calls",
	[ALLOW_SMC] = "smc",
	[ALLOW_NO_FILTER] = "no-filter",
};
#define NAMES "smccc, arch-features, workarounds, soc-id, arch-calls, smc, no-filter"
#define RIGHT "[] or some of " NAMES

const char *policy_allow_name(unsigned int allow)
{
	return allow < ALLOW_COUNT ? names[allow] : NULL;
}

bool policy_allows(const struct hvc_policy *policy, unsigned int allow)
{
	return allow < ALLOW_COUNT && (knob_value(policy, KNOB_ALLOW) >> allow & 1) != 0;
}

bool policy_says_register(const struct hvc_policy *policy, unsigned int reg)
{
	return reg < HVC_REG_COUNT && policy->knobs[KNOB_REG + reg].set;
}

uint64_t policy_register_bits(unsigned int reg)
{
	return register_mask(reg);
}

static void unknown_name(struct loader *loader, const struct yaml_node *name)
{
	struct suggestion suggestion;

	suggest_begin(&suggestion, name->text);
	for (unsigned int i = 0; i < ALLOW_COUNT; i++) {
		suggest_try(&suggestion, names[i]);
	}
	if (suggestion.best != NULL) {
		diags_error(loader->diags, &name->mark,
			    "nothing called '%s' can be allowed; did you mean '%s'? There are: %s",
			    name->text, suggestion.best, NAMES);
	} else {
		diags_error(loader->diags, &name->mark,
			    "nothing called '%s' can be allowed; write " RIGHT, name->text);
	}
}

/* One name into the set; false: said. */
static bool take_name(struct loader *loader, const struct yaml_node *name, uint64_t *set)
{
	unsigned int i = 0;

	if (!want_kind(loader, name, YAML_SCALAR, "allow", RIGHT)) {
		return false;
	}
	while (i < ALLOW_COUNT && strcmp(name->text, names[i]) != 0) {
		i++;
	}
	if (i == ALLOW_COUNT) {
		unknown_name(loader, name);
		return false;
	}
	if (*set >> i & 1) {
		diags_error(loader->diags, &name->mark,
			    "'%s' stands in the list already; remove it", name->text);
		return false;
	}
	*set |= 1ull << i;
	return true;
}

void take_allow(struct loader *loader, const struct yaml_node *value)
{
	uint64_t set = 0;

	if (value->kind == YAML_SCALAR) {
		if (!take_name(loader, value, &set)) {
			return;
		}
	} else if (!want_kind(loader, value, YAML_LIST, "allow", RIGHT)) {
		return;
	}
	for (const struct yaml_node *name = value->kind == YAML_LIST ? value->child : NULL;
	     name != NULL; name = name->next) {
		if (!take_name(loader, name, &set)) {
			return;
		}
	}
	knob_set(loader, KNOB_ALLOW, set, false, &value->mark, "allow");
}
