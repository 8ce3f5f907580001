/* SPDX-License-Identifier: BSD-2-Clause */
/* The keys `rules` and `default`. */
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "suggest.h"
#include "targets.h"

static const char *const rule_keys[] = {"handle", "deny",     "forward", "notify",
					"to",     "features", NULL};

static bool action_by_name(const struct yaml_node *node, enum hvc_action *action)
{
	for (unsigned int i = HVC_HANDLE; i <= HVC_NOTIFY; i++) {
		if (key_is(node, hvc_action_name((enum hvc_action)i))) {
			*action = (enum hvc_action)i;
			return true;
		}
	}
	return false;
}

static void add_target(struct loader *loader, const struct yaml_node *node, struct pol_rule *rule)
{
	struct hvc_policy *policy = loader->policy;
	struct pol_target target;

	if (node->kind == YAML_BAD || !target_take(loader, node, &target)) {
		return;
	}
	if (!array_reserve(&policy->targets, &policy->target_capacity, policy->target_count + 1,
			   sizeof(target))) {
		loader->oom = true;
		return;
	}
	policy->targets[policy->target_count++] = target;
	rule->target_count++;
}

static void add_targets(struct loader *loader, const struct yaml_node *node, struct pol_rule *rule)
{
	rule->target = loader->policy->target_count;
	rule->list = node->kind == YAML_LIST;
	if (!rule->list) {
		add_target(loader, node, rule);
		return;
	}
	if (node->child == NULL) {
		diags_error(
			loader->diags, &node->mark,
			"a rule with an empty list does nothing; name a function or remove the rule");
	}
	for (const struct yaml_node *entry = node->child;
	     entry != NULL && !diags_full(loader->diags); entry = entry->next) {
		add_target(loader, entry, rule);
	}
}

/* What the target looks like in a listing: as written, one space after a comma. */
static const char *rule_text(struct loader *loader, const struct pol_rule *rule)
{
	const struct pol_target *targets = loader->policy->targets + rule->target;
	size_t bytes = 3, used = 0;
	char *text;

	if (!rule->list && rule->target_count == 1) {
		return targets[0].text;
	}
	for (size_t i = 0; i < rule->target_count; i++) {
		bytes += strlen(targets[i].text) + 2;
	}
	text = arena_alloc(&loader->policy->arena, bytes);
	if (text == NULL) {
		return NULL;
	}
	text[used++] = '[';
	for (size_t i = 0; i < rule->target_count; i++) {
		size_t length = strlen(targets[i].text);

		if (i != 0) {
			text[used++] = ',';
			text[used++] = ' ';
		}
		memcpy(text + used, targets[i].text, length);
		used += length;
	}
	text[used] = ']';
	return text;
}

/* The action's key and value; others are complained about. */
static const struct yaml_node *find_action(struct loader *loader, const struct yaml_node *map,
					   enum hvc_action *action)
{
	const struct yaml_node *found = NULL;

	for (const struct yaml_node *key = map->child; key != NULL; key = key->next->next) {
		enum hvc_action this;

		if (!action_by_name(key, &this)) {
			if (!key_is(key, "to") && !key_is(key, "features")) {
				unknown_key(loader, key, rule_keys, "a rule");
			}
		} else if (found != NULL) {
			diags_error(
				loader->diags, &key->mark,
				"a rule has one action and this one has '%s' and '%s'; make it two rules",
				found->text, key->text);
		} else {
			found = key;
			*action = this;
		}
	}
	if (found == NULL && (map->count == 0 || yaml_map_get(map, "to") != NULL ||
			      yaml_map_get(map, "features") != NULL)) {
		diags_error(loader->diags, &map->mark,
			    "a rule without an action; write handle, deny, forward or notify");
	}
	return found;
}

static void take_to(struct loader *loader, const struct yaml_node *map, struct pol_rule *rule)
{
	const struct yaml_node *to = yaml_map_get(map, "to");

	if (to == NULL && rule->rule.action == HVC_FORWARD) {
		diags_error(
			loader->diags, &rule->mark,
			"forward to whom? add 'to: NAME' to the rule and NAME under 'handlers'");
	}
	if (to == NULL || !want_kind(loader, to, YAML_SCALAR, "to", "the name of a handler")) {
		return;
	}
	if (rule->rule.action == HVC_HANDLE || rule->rule.action == HVC_DENY) {
		diags_error(
			loader->diags, &to->mark,
			"'to' belongs to forward and notify; a rule that says %s goes nowhere: remove it",
			hvc_action_name(rule->rule.action));
		return;
	}
	rule->rule.handler = arena_strndup(&loader->policy->arena, to->text, strlen(to->text));
	rule->to_mark = to->mark;
}

static void take_rule(struct loader *loader, const struct yaml_node *map)
{
	struct hvc_policy *policy = loader->policy;
	struct pol_rule rule = {.mark = map->mark};
	enum hvc_action action = HVC_HANDLE;
	const struct yaml_node *key;

	if (map->kind == YAML_BAD ||
	    !want_kind(loader, map, YAML_MAP, "rule", "- deny: PSCI_SYSTEM_SUSPEND")) {
		return;
	}
	key = find_action(loader, map, &action);
	if (key == NULL) {
		return;
	}
	rule.rule.action = action;
	add_targets(loader, key->next, &rule);
	take_to(loader, map, &rule);
	take_features(loader, map, &rule);
	if (rule.target_count == 0) {
		return;
	}
	rule.rule.file = rule.mark.file;
	rule.rule.line = rule.mark.line;
	rule.rule.target = rule_text(loader, &rule);
	if (!array_reserve(&policy->rules, &policy->rule_capacity, policy->rule_count + 1,
			   sizeof(rule))) {
		loader->oom = true;
		return;
	}
	policy->rules[policy->rule_count++] = rule;
}

void take_rules(struct loader *loader, const struct yaml_node *value)
{
	if (!want_kind(loader, value, YAML_LIST, "rules",
		       "rules: [] or lines such as '  - deny: PSCI_SYSTEM_SUSPEND'")) {
		return;
	}
	for (const struct yaml_node *rule = value->child;
	     rule != NULL && !diags_full(loader->diags); rule = rule->next) {
		take_rule(loader, rule);
	}
}

static void take_default_forward(struct loader *loader, const struct yaml_node *map)
{
	static const char *const keys[] = {"forward", NULL};
	const struct yaml_node *key = map->child;

	if (map->count != 1 || !key_is(key, "forward")) {
		for (; key != NULL; key = key->next->next) {
			unknown_key(loader, key, keys, "'default'");
		}
		return;
	}
	if (want_kind(loader, key->next, YAML_SCALAR, "forward", "the name of a handler")) {
		loader->policy->default_to = arena_strndup(&loader->policy->arena, key->next->text,
							   strlen(key->next->text));
		loader->policy->default_to_mark = key->next->mark;
		knob_set(loader, KNOB_DEFAULT, HVC_FORWARD, false, &map->mark, "default");
	}
}

void take_default(struct loader *loader, const struct yaml_node *value)
{
	static const char right[] = "handle, deny or {forward: HANDLER}";
	enum hvc_action action;

	if (value->kind == YAML_MAP) {
		take_default_forward(loader, value);
	} else if (!want_kind(loader, value, YAML_SCALAR, "default", right)) {
		return;
	} else if (!action_by_name(value, &action) || action == HVC_NOTIFY) {
		diags_error(loader->diags, &value->mark, "default is '%s'; write %s", value->text,
			    right);
	} else {
		loader->policy->default_to = NULL;
		loader->policy->default_to_mark = value->mark;
		knob_set(loader, KNOB_DEFAULT, action, false, &value->mark, "default");
	}
}

/* Copy a rule and its targets behind what was copied so far. */
static void move_rule(struct hvc_policy *policy, struct pol_rule *rule, struct pol_target *targets,
		      size_t *used, size_t number)
{
	memcpy(targets + *used, policy->targets + rule->target,
	       rule->target_count * sizeof(*targets));
	rule->target = *used;
	for (size_t i = 0; i < rule->target_count; i++) {
		targets[(*used)++].rule = number;
	}
	rule->rule.number = (unsigned int)number + 1;
}

bool rules_arrange(struct hvc_policy *policy, const size_t *groups, size_t group_count)
{
	struct pol_rule *rules = calloc(policy->rule_count + 1, sizeof(*rules));
	struct pol_target *targets = calloc(policy->target_count + 1, sizeof(*targets));
	size_t end = policy->rule_count, used = 0, number = 0;

	if (rules == NULL || targets == NULL) {
		free(rules);
		free(targets);
		return false;
	}
	for (size_t group = group_count; group-- > 0;) {
		size_t start = end - groups[group];

		for (size_t i = start; i < end; i++) {
			rules[number] = policy->rules[i];
			move_rule(policy, &rules[number], targets, &used, number);
			number++;
		}
		end = start;
	}
	free(policy->rules);
	free(policy->targets);
	policy->rules = rules;
	policy->targets = targets;
	policy->target_count = used;
	return true;
}
