/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading a loaded policy. */
#include <stdlib.h>

#include "internal.h"

void hvc_policy_free(struct hvc_policy *policy)
{
	if (policy == NULL) {
		return;
	}
	free(policy->rules);
	free(policy->targets);
	free(policy->handlers);
	free(policy->spans);
	arena_free(&policy->arena);
	free(policy);
}

const char *hvc_policy_path(const struct hvc_policy *policy)
{
	return policy->path;
}

const char *hvc_policy_profile(const struct hvc_policy *policy)
{
	return abi_profile_name(policy->profile);
}

const struct hvc_settings *hvc_policy_settings(const struct hvc_policy *policy)
{
	return &policy->settings;
}

size_t hvc_policy_rule_count(const struct hvc_policy *policy)
{
	return policy->rule_count;
}

const struct hvc_rule *hvc_policy_rule(const struct hvc_policy *policy, size_t index)
{
	return index < policy->rule_count ? &policy->rules[index].rule : NULL;
}

size_t hvc_policy_span_count(const struct hvc_policy *policy)
{
	return policy->span_count;
}

const struct hvc_span *hvc_policy_span(const struct hvc_policy *policy, size_t index)
{
	return index < policy->span_count ? &policy->spans[index] : NULL;
}

size_t span_index(const struct hvc_policy *policy, uint32_t id)
{
	size_t low = 0, high = policy->span_count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (policy->spans[middle].first <= id) {
			low = middle;
		} else {
			high = middle;
		}
	}
	return low;
}

struct hvc_match hvc_policy_match(const struct hvc_policy *policy, uint32_t id)
{
	return policy->spans[span_index(policy, id)].match;
}

const char *hvc_policy_flat(const struct hvc_policy *policy)
{
	return policy->flat;
}

const uint8_t *hvc_policy_sha256(const struct hvc_policy *policy)
{
	return policy->sha256;
}
