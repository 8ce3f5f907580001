/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "explain.h"
#include "out.h"

static const char *state_of(const struct hvc_policy *policy, const struct hvc_outcome *outcome)
{
	static const char *const taken[] = {"answered", "denied", "forwarded", "notified"};

	switch ((enum hvc_decider)outcome->decider) {
	case HVC_BY_RULE:
	case HVC_BY_DEFAULT:
		return taken[outcome->action & 3];
	case HVC_BY_RESERVED:
		if (outcome->fn == HVC_FN_NONE) {
			return "unknown";
		}
		return hvc_policy_absent(policy, outcome->fn) != NULL ? "absent" : "answered";
	case HVC_BY_SERVICE:
		return "answered";
	case HVC_BY_FEATURE:
		return "absent";
	default:
		return "unknown";
	}
}

void fate_of(const struct hvc_policy *policy, const struct sim *sim, uint32_t id, struct fate *fate)
{
	struct hvc_outcome outcome = hvc_filter_query(sim->vm, id);

	fate->id = id;
	fate->decided_as = outcome.id;
	fate->slot = outcome.fn;
	fate->state = state_of(policy, &outcome);
	fate->match = hvc_policy_match(policy, outcome.id);
	hvc_policy_why(policy, &outcome, fate->why, sizeof(fate->why));
	if (strcmp(fate->state, "answered") == 0 && hvc_policy_needs_host(policy, outcome.fn)) {
		const size_t used = strlen(fate->why);

		snprintf(fate->why + used, sizeof(fate->why) - used,
			 ", where the host has what it takes");
	}
}

const char *rule_place(const struct hvc_policy *policy, const struct hvc_rule *rule, char *text,
		       size_t size)
{
	if (strcmp(rule->file, hvc_policy_path(policy)) == 0) {
		snprintf(text, size, "rule %u at line %u", rule->number, rule->line);
	} else {
		snprintf(text, size, "rule %u at %s:%u", rule->number, rule->file, rule->line);
	}
	return text;
}

bool fate_same(const struct fate *a, const struct fate *b)
{
	return strcmp(a->state, b->state) == 0 && strcmp(a->why, b->why) == 0;
}

long fate_other_rule(const struct hvc_policy *policy, const struct fate *fate, long after)
{
	for (size_t i = (size_t)(after + 1); i < hvc_policy_rule_count(policy); i++) {
		if (hvc_policy_rule(policy, i) != fate->match.rule &&
		    hvc_policy_rule_names(policy, i, fate->decided_as)) {
			return (long)i;
		}
	}
	return -1;
}

json_t *fate_json(const struct hvc_policy *policy, const struct fate *fate)
{
	const struct hvc_function *function = hvc_function_at(fate->slot);
	json_t *json = json_object(), *others = json_array();
	char id[16];

	snprintf(id, sizeof(id), "0x%08" PRIx32, fate->id);
	json_object_set_new(json, "id", json_string(id));
	json_object_set_new(json, "function",
			    function != NULL ? json_string(function->name) : json_null());
	json_object_set_new(json, "state", json_string(fate->state));
	json_object_set_new(json, "why", out_text_json(fate->why));
	if (fate->match.rule != NULL) {
		json_object_set_new(json, "rule", json_integer(fate->match.rule->number));
		json_object_set_new(json, "file", out_text_json(fate->match.rule->file));
		json_object_set_new(json, "line", json_integer(fate->match.rule->line));
		if (fate->match.rule->features != HVC_RULE_NO_FEATURES) {
			json_object_set_new(json, "features",
					    json_integer(fate->match.rule->features));
		}
	}
	for (long i = fate_other_rule(policy, fate, -1); i >= 0;
	     i = fate_other_rule(policy, fate, i)) {
		json_array_append_new(others, json_integer(i + 1));
	}
	json_object_set_new(json, "other_rules", others);
	return json;
}
