/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions that are denied while the guest runs (launch.h, struct el2_revoked). Whichever CPU finds news takes it for
 * all. What is said there is not believed, but all it can do is deny.
 */
#include <stdatomic.h>

#include <hvcgate/live.h>

#include "el2.h"
#include "sysreg.h"

static struct hvc_vm *vm;
static uint64_t taken[HVC_FN_WORDS];
static atomic_flag busy;

static struct el2_revoked *revoked(void)
{
	return &el2_mailbox()->revoked;
}

static void deny(uint32_t id)
{
	if (id != 0 && hvc_vm_tighten(vm, id, 1, NULL) != HVC_OK) {
		revoked()->refused++;
	}
}

static void take(void)
{
	for (unsigned int slot = 1; slot < HVC_FN_COUNT; slot++) {
		const unsigned int word = slot / 64;
		const uint64_t bit = 1ull << slot % 64;
		const uint64_t bits = atomic_load_explicit(
			(const _Atomic uint64_t *)&revoked()->functions[word],
			memory_order_acquire);

		if ((bits & ~taken[word] & bit) != 0) {
			taken[word] |= bit;
			deny(hvc_function_at(slot)->id32);
			deny(hvc_function_at(slot)->id64);
		}
	}
}

void revoke_init(struct hvc_vm *of)
{
	vm = of;
	if (el2_launch()->filter_bytes != 0) {
		take();
	}
}

/* What comes while this CPU is at it is news for the next call. */
void revoke_take(void)
{
	_Atomic uint32_t *news = (_Atomic uint32_t *)&revoked()->news;
	uint32_t seen;

	while (atomic_flag_test_and_set_explicit(&busy, memory_order_acquire)) {
		yield();
	}
	seen = atomic_load_explicit(news, memory_order_acquire);
	take();
	/* Who reads this 0 sees the rules. */
	atomic_compare_exchange_strong_explicit(news, &seen, 0, memory_order_release,
						memory_order_relaxed);
	atomic_flag_clear_explicit(&busy, memory_order_release);
}
