/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions that are denied while the guest runs: this side of struct el2_revoked. */
#include <hvcgate/engine.h>

#include "run.h"

static bool has(const uint64_t *functions, unsigned int slot)
{
	return (functions[slot / 64] >> slot % 64 & 1) != 0;
}

/* IDs that tightening tells apart from those around them. */
static unsigned int id_count(const uint64_t *functions)
{
	unsigned int count = 0;

	for (unsigned int slot = 1; slot < HVC_FN_COUNT; slot++) {
		const struct hvc_function *function = hvc_function_at(slot);

		if (has(functions, slot)) {
			count += function->id32 != 0 ? 1 : 0;
			count += function->id64 != 0 ? 1 : 0;
		}
	}
	return count;
}

bool run_revoke_memory(const struct hvc_image *image, const uint64_t *revocable, uint64_t *bytes)
{
	const unsigned int count = revocable == NULL ? 0 : id_count(revocable);

	*bytes = count == 0 ? 0 : hvc_filter_size(image, count);
	if (*bytes > EL2_FILTER_SIZE) {
		return run_fail(
			"the policy's rules take %llu KiB, where functions are revocable, and there is room "
			"for %llu: take the densest rules out, or what is revocable",
			(unsigned long long)(*bytes >> 10), EL2_FILTER_SIZE >> 10);
	}
	return true;
}

void run_revoke_init(struct run_revoker *revoker, void *shared, const uint64_t *revocable)
{
	struct el2_mailbox *mailbox = shared;

	*revoker = (struct run_revoker){.shared = &mailbox->revoked, .revocable = revocable};
}

bool run_revoked(const struct run_revoker *revoker, unsigned int slot)
{
	return slot < HVC_FN_COUNT && has(revoker->functions, slot);
}

bool run_revoke(struct run_revoker *revoker, unsigned int slot)
{
	const unsigned int word = slot / 64;

	if (slot == HVC_FN_NONE || slot >= HVC_FN_COUNT || revoker->revocable == NULL ||
	    !has(revoker->revocable, slot)) {
		return false;
	}
	if (!has(revoker->functions, slot)) {
		revoker->functions[word] |= (uint64_t)1 << slot % 64;
		revoker->news = revoker->news == UINT32_MAX ? 1 : revoker->news + 1;
		__atomic_store_n(&revoker->shared->functions[word], revoker->functions[word],
				 __ATOMIC_RELEASE);
		__atomic_store_n(&revoker->shared->news, revoker->news, __ATOMIC_RELEASE);
	}
	return true;
}
