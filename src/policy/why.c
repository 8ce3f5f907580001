/* SPDX-License-Identifier: BSD-2-Clause */
/* What decides an ID, in words. */
#include <stdio.h>
#include <string.h>

#include "internal.h"

bool hvc_policy_rule_names(const struct hvc_policy *policy, size_t index, uint32_t id)
{
	struct hvc_range ranges[TARGET_MAX_RANGES];

	if (index >= policy->rule_count) {
		return false;
	}
	for (size_t t = 0; t < policy->rules[index].target_count; t++) {
		unsigned int count = target_ranges(
			&policy->targets[policy->rules[index].target + t], ranges);

		for (unsigned int i = 0; i < count; i++) {
			if (ranges[i].first <= id && id <= ranges[i].last) {
				return true;
			}
		}
	}
	return false;
}

static void why_rule(const struct hvc_policy *policy, const struct hvc_match *match,
		     enum hvc_action action, char *text, size_t size)
{
	const struct hvc_rule *rule = match->rule;

	if (action == HVC_DENY && match->action != HVC_DENY) {
		snprintf(text, size, "revoked");
	} else if (rule == NULL) {
		snprintf(text, size, "a filter range");
	} else if (strcmp(rule->file, policy->path) == 0) {
		snprintf(text, size, "rule %u at line %u", rule->number, rule->line);
	} else {
		snprintf(text, size, "rule %u at %s:%u", rule->number, rule->file, rule->line);
	}
}

static void why_default(const struct hvc_policy *policy, const struct hvc_match *match, char *text,
			size_t size)
{
	if (match->service != HVC_SERVICE_NONE) {
		snprintf(text, size, "service %s is off", hvc_service_name(match->service));
	} else {
		snprintf(text, size, "default: %s",
			 hvc_action_name((enum hvc_action)knob_value(policy, KNOB_DEFAULT)));
	}
}

const char *hvc_policy_why(const struct hvc_policy *policy, const struct hvc_outcome *outcome,
			   char *text, size_t size)
{
	struct hvc_match match = hvc_policy_match(policy, outcome->id);
	const struct hvc_function *function = hvc_function_at(outcome->fn);
	const char *absent = hvc_policy_absent(policy, outcome->fn);

	switch ((enum hvc_decider)outcome->decider) {
	case HVC_BY_CONVENTION:
		snprintf(text, size, "the calling convention: the immediate is not 0");
		break;
	case HVC_BY_RESERVED:
		snprintf(text, size, "reserved%s%s", absent != NULL ? ": " : "",
			 absent != NULL ? absent : "");
		break;
	case HVC_BY_RULE:
		why_rule(policy, &match, (enum hvc_action)outcome->action, text, size);
		break;
	case HVC_BY_DEFAULT:
		why_default(policy, &match, text, size);
		break;
	case HVC_BY_FEATURE:
		snprintf(text, size, "%s", absent != NULL ? absent : "a feature register");
		break;
	case HVC_BY_SERVICE:
		snprintf(text, size, "service %s",
			 function != NULL ? hvc_service_name(function->service) : "?");
		break;
	case HVC_BY_UNKNOWN:
		snprintf(text, size, "no such function");
		break;
	default:
		snprintf(text, size, "?");
		break;
	}
	return text;
}
