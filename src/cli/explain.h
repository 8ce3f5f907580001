/* SPDX-License-Identifier: BSD-2-Clause */
/* What happens to one ID under a policy, and why: asked of the engine, told with the policy's words. */
#ifndef HVCGATE_CLI_EXPLAIN_H
#define HVCGATE_CLI_EXPLAIN_H

#include <jansson.h>

#include "sim.h"

struct fate {
	uint32_t id;         /* as asked for */
	uint32_t decided_as; /* without the SVE hint */
	unsigned int slot;   /* of the function, or 0 */
	const char *state; /* "answered", "denied", "forwarded", "notified", "absent", "unknown" */
	struct hvc_match match;
	char why[256];
};

void fate_of(const struct hvc_policy *policy, const struct sim *sim, uint32_t id,
	     struct fate *fate);
/* "rule 3 at line 12", or "rule 3 at base.yaml:12" for a parent's. */
const char *rule_place(const struct hvc_policy *policy, const struct hvc_rule *rule, char *text,
		       size_t size);
/* Do both read the same in a table? */
bool fate_same(const struct fate *a, const struct fate *b);
/* {"id", "function", "state", "why", "rule", "line", "file", "other_rules"} */
json_t *fate_json(const struct hvc_policy *policy, const struct fate *fate);
/* Index of the next rule behind `after` (start with -1) that names the ID without deciding it; -1: none. */
long fate_other_rule(const struct hvc_policy *policy, const struct fate *fate, long after);

#endif
