/* SPDX-License-Identifier: BSD-2-Clause */
/* The handlers of a policy: who answers what is forwarded, by position in the order of their names. */
#ifndef HVCGATE_POLICY_HANDLERS_H
#define HVCGATE_POLICY_HANDLERS_H

#include <hvcgate/policy.h>

struct policy_handler {
	const char *name, *socket; /* the policy's */
	uint32_t timeout_ms;
};

size_t policy_handler_count(const struct hvc_policy *policy);
/* False past the end. */
bool policy_handler(const struct hvc_policy *policy, size_t n, struct policy_handler *handler);
/* Who answers, or is told of, what matched; the count: nobody. */
size_t policy_handler_of(const struct hvc_policy *policy, const struct hvc_match *match);

#endif
