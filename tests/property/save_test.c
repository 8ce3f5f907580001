/* SPDX-License-Identifier: BSD-2-Clause */
/* Saved VMs come back as they were: random ones, by all that the host and the guest can see, and what they do from there. */
#include <stdlib.h>
#include <string.h>

#include "psci.h"
#include "random_vm.h"

enum { RUNS = 150 };

static struct full full;

/* --- What the host and the guest can see. */
static void same_registers(const struct world *a, const struct world *b)
{
	uint32_t count = hvc_vm_check(a->vm, HVC_CAP_FEATURE_REGS);

	assert_int_equal(count, hvc_vm_check(b->vm, HVC_CAP_FEATURE_REGS));
	for (unsigned int i = 0; i < count; i++) {
		uint64_t id = hvc_feature_reg_id(a->vm, i), x = 1, y = 2;

		assert_int_equal(id, hvc_feature_reg_id(b->vm, i));
		assert_int_equal(hvc_vm_get_reg(a->vm, id, &x), HVC_OK);
		assert_int_equal(hvc_vm_get_reg(b->vm, id, &y), HVC_OK);
		assert_int_equal(x, y);
	}
}

static void same_rules(const struct world *a, const struct world *b)
{
	uint64_t id = 0;

	while (id <= UINT32_MAX) {
		struct hvc_filter_span x = hvc_filter_span(a->vm, (uint32_t)id);
		struct hvc_filter_span y = hvc_filter_span(b->vm, (uint32_t)id);

		assert_memory_equal(&x, &y, sizeof(x));
		id = (uint64_t)x.last + 1;
	}
}

static void same_functions(const struct world *a, const struct world *b)
{
	for (unsigned int i = 2; i < 2 * HVC_FN_COUNT; i++) {
		const struct hvc_function *function = hvc_function_at(i / 2);
		uint32_t id = i % 2 == 0 ? function->id32 : function->id64;
		struct hvc_outcome x = hvc_filter_query(a->vm, id), y = hvc_filter_query(b->vm, id);

		assert_memory_equal(&x, &y, sizeof(x));
	}
}

static void same_vcpus(const struct world *a, const struct world *b)
{
	for (unsigned int i = 0; i < 4; i++) {
		struct hvc_request x, y;

		assert_int_equal(hvc_vcpu_power(a->vcpus[i]), hvc_vcpu_power(b->vcpus[i]));
		if ((b->vcpus[i]->power & POWER_ASLEEP) == 0) {
			hvc_vcpu_woke(a->vcpus[i]); /* it has, and made calls */
		}
		if (b->vcpus[i]->power & POWER_DOWN) {
			x = hvc_vcpu_request(a->vcpus[i]);
			y = hvc_vcpu_request(b->vcpus[i]);
			assert_memory_equal(&x, &y, sizeof(x));
		}
		if (hvc_vcpu_power(a->vcpus[i]) == POWER_ON_PENDING) {
			x = hvc_vcpu_started(a->vcpus[i]);
			y = hvc_vcpu_started(b->vcpus[i]);
			assert_memory_equal(&x, &y, sizeof(x));
		}
	}
}

/* From here on the two live the same life: every call has the same end. */
static void same_future(struct world *a, struct world *b, struct rng *rng)
{
	for (unsigned int i = 0; i < 40; i++) {
		unsigned int fn = 1 + rng_below(rng, HVC_FN_COUNT - 1), vcpu = rng_below(rng, 4);
		uint64_t x1 = rng_below(rng, 4), x = 1, y = 2;
		struct rng other = *rng;

		live(a, &other);
		live(b, rng);
		if (hvc_vcpu_power(a->vcpus[vcpu]) == POWER_ON &&
		    hvc_function_at(fn)->service == HVC_SERVICE_PSCI && fn != HVC_FN_PSCI_CPU_OFF &&
		    /* What goes on begins anew where it is restored. */
		    fn != HVC_FN_PSCI_STAT_RESIDENCY) {
			assert_int_equal(call_by(a, vcpu, (enum hvc_fn)fn, x1, 0, 0, &x),
					 call_by(b, vcpu, (enum hvc_fn)fn, x1, 0, 0, &y));
			assert_int_equal(x, y);
		}
	}
}

static void test_round_trip(void **state)
{
	struct rng rng = {71};
	size_t longest = 0;

	(void)state;
	for (unsigned int run = 0; run < RUNS; run++) {
		struct world *there = random_vm(&full.setup, &rng);
		struct target here = target_new(&full.setup);
		struct saved saved = saved_of(there), again;

		longest = saved.size > longest ? saved.size : longest;
		assert_int_equal(target_restore(&here, &saved), HVC_OK);
		again = saved_of(here.world);
		assert_true(saved_equal(&saved, &again));
		same_registers(there, here.world);
		same_rules(there, here.world);
		same_functions(there, here.world);
		same_vcpus(there, here.world);
		here.world->us = there->us;
		same_future(there, here.world, &rng);
		free(saved.bytes);
		free(again.bytes);
		target_free(&here);
		world_free(there);
	}
	print_message("%u random VMs came back, of %zu bytes at most\n", RUNS, longest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
	};

	full_init(&full);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
