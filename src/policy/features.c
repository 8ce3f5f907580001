/* SPDX-License-Identifier: BSD-2-Clause */
/* The key `features` of a rule: what discovery says of functions that somebody else answers. */
#include <inttypes.h>

#include "internal.h"
#include "values.h"

void take_features(struct loader *loader, const struct yaml_node *map, struct pol_rule *rule)
{
	const struct yaml_node *value = yaml_map_get(map, "features");
	uint64_t number;

	rule->rule.features = HVC_RULE_NO_FEATURES;
	if (value == NULL || !want_kind(loader, value, YAML_SCALAR, "features", "a number")) {
		return;
	}
	rule->features_mark = value->mark;
	if (rule->rule.action != HVC_FORWARD) {
		diags_error(
			loader->diags, &value->mark,
			"'features' belongs to forward; who answers a rule that says %s says its features: remove it",
			hvc_action_name(rule->rule.action));
	} else if (!parse_number(value->text, &number) || number > 0x7fffffffu) {
		diags_error(
			loader->diags, &value->mark,
			"features is '%s'; write what discovery says of the function being there, a number from 0 to 0x7fffffff",
			value->text);
	} else {
		rule->rule.features = (int32_t)number;
	}
}

/* Does PSCI_FEATURES, TRNG_FEATURES or PV_TIME_FEATURES tell of it? Those of ARCH_FEATURES cannot be forwarded. */
static bool is_told(const struct hvc_function *function)
{
	return (function->service == HVC_SERVICE_PSCI && function->since >= HVC_VERSION(0, 2)) ||
	       function->service == HVC_SERVICE_TRNG || function->service == HVC_SERVICE_PV_TIME;
}

/* The rule with features that decides an ID; NULL if none does. */
static const struct pol_rule *rule_of(const struct hvc_policy *policy, uint32_t id)
{
	const struct hvc_rule *rule = id != 0 ? hvc_policy_match(policy, id).rule : NULL;

	if (rule == NULL || rule->features == HVC_RULE_NO_FEATURES) {
		return NULL;
	}
	return &policy->rules[rule->number - 1];
}

static void contradiction(struct loader *loader, const struct hvc_function *function,
			  const struct pol_rule *a, const struct pol_rule *b)
{
	diags_error(loader->diags, &b->features_mark,
		    "rule %u says features 0x%" PRIx32
		    " of %s, and rule %u at line %u says 0x%" PRIx32
		    "; discovery has one value for both its IDs",
		    b->rule.number, (uint32_t)b->rule.features, function->name, a->rule.number,
		    a->rule.line, (uint32_t)a->rule.features);
}

static void settle_function(struct loader *loader, unsigned int slot, bool *told)
{
	const struct hvc_function *function = hvc_function_at(slot);
	const struct pol_rule *a = rule_of(loader->policy, function->id32);
	const struct pol_rule *b = rule_of(loader->policy, function->id64);
	struct hvc_tables *tables = &loader->policy->tables;
	const struct pol_rule *rule = a != NULL ? a : b;

	if (rule == NULL || !is_told(function)) {
		return;
	}
	told[rule->rule.number - 1] = true;
	if (a != NULL && b != NULL) {
		told[b->rule.number - 1] = true;
		if (a->rule.features != b->rule.features) {
			contradiction(loader, function, a, b);
			return;
		}
	}
	if (tables->feature_count < HVC_FEATURE_VALUES) {
		tables->features[tables->feature_count++] = (struct hvc_feature_value){
			.fn = (uint16_t)slot, .value = rule->rule.features};
	}
}

/* Rules that say features of nothing that is told of. */
static void lint_untold(struct loader *loader, const bool *told)
{
	const struct hvc_policy *policy = loader->policy;

	for (size_t i = 0; i < policy->rule_count; i++) {
		const struct pol_rule *rule = &policy->rules[i];

		if (rule->rule.features != HVC_RULE_NO_FEATURES && rule->rule.decided != 0 &&
		    !told[i]) {
			diags_error(
				loader->diags, &rule->features_mark,
				"no discovery function of the engine tells of %s, so 'features' means nothing; remove it",
				rule->rule.target);
		}
	}
}

void features_settle(struct loader *loader)
{
	bool *told = arena_alloc(&loader->scratch, loader->policy->rule_count + 1);

	if (told == NULL) {
		return;
	}
	for (unsigned int slot = 1; slot < HVC_FN_COUNT; slot++) {
		settle_function(loader, slot, told);
	}
	lint_untold(loader, told);
}
