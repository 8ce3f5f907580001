/* SPDX-License-Identifier: BSD-2-Clause */
#include "plan_policy.h"

#include <string.h>

#include <hvcgate/image.h>

uint32_t plan_some_id(struct rng *rng)
{
	for (;;) {
		const struct hvc_function *function = hvc_function_at(
			1 + rng_below(rng, HVC_FN_COUNT - 1));
		const uint32_t id = rng_below(rng, 2) ? function->id32 : function->id64;

		if (id != 0) {
			return id;
		}
	}
}

void plan_policy_write(FILE *file, uint64_t seed)
{
	struct rng state = {seed}, *rng = &state;
	static const char *const actions[] = {"deny", "handle", "forward", "notify"};
	static const char *const heads[] = {
		"profile: hvcgate-1\nsmccc: \"1.1\"\n",
		"profile: hvcgate-1\nallow: smccc\npsci: \"1.0\"\n",
		"profile: hvcgate-2\npsci: \"1.3\"\n",
		"profile: hvcgate-2\nsmccc: \"1.1\"\nservices: {trng: off, ptp: off}\n",
		"profile: linux-6.1\nstrictness: kvm\nservices: {pv-time: off}\n",
		"profile: linux-6.12\nstrictness: kvm\ndiscovery: raw\n",
		"profile: linux-7.3\nstrictness: kvm\npsci: \"1.1\"\n",
		"profile: linux-6.16\ndiscovery: coherent\n",
	};
	static const char *const defaults[] = {"handle", "handle", "deny", "{forward: h}"};
	uint64_t used[HVC_FN_WORDS] = {0};
	const unsigned int rules = 1 + rng_below(rng, 25);

	fprintf(file, "hvcgate: 1\n%sdefault: %s\nhandlers: {h: {socket: /run/h}}\nrules:\n",
		heads[rng_below(rng, sizeof(heads) / sizeof(heads[0]))],
		defaults[rng_below(rng, 4)]);
	for (unsigned int i = 0; i < rules; i++) {
		const unsigned int slot = hvc_function_by_id(plan_some_id(rng));
		const char *action = actions[rng_below(rng, 4)];
		const struct hvc_function *function = hvc_function_at(slot);

		if (function->service == HVC_SERVICE_ARCH || (used[slot / 64] >> slot % 64 & 1)) {
			continue;
		}
		used[slot / 64] |= 1ull << slot % 64;
		fprintf(file, "  - %s: %s%s%s", action, function->name,
			function->id32 != 0 && function->id64 != 0 && rng_below(rng, 3) == 0 ? "/64"
											     : "",
			strcmp(action, "forward") == 0 || strcmp(action, "notify") == 0
				? "\n    to: h\n"
				: "\n");
	}
	fprintf(file, "  - deny: {range: 0x12345678-0x12345679}\n");
}
