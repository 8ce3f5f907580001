/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Discovery as kernels have it, and how a call's ID is read: random versions, registers and rules. That coherent discovery
 * agrees with dispatch is coherence.c's.
 */
#include "cmocka_all.h"
#include "world.h"

enum { POLICIES = 400, MAX_RULES = 24 };

#define PSCI_FEATURES    0x8400000au
#define ARCH_FEATURES    0x80000001u
#define TRNG_FEATURES    0x84000051u
#define KVM_FEATURES     0x86000000u
#define PV_TIME_FEATURES 0xc5000020u

/* Is it answered by its service when called? */
static bool answered(struct world *world, uint32_t id)
{
	struct hvc_frame frame = world_frame(id, 1, 1, 1);
	unsigned int slot = hvc_function_by_id(id & ~HVC_ID_SVE_HINT);
	const uint64_t *count = &world->counters[0].calls[slot][HVC_ANSWERED];
	uint64_t before = *count;

	hvc_call(world->vcpus[0], HVC_CONDUIT_HVC, 0, &frame);
	return slot != HVC_FN_NONE && *count == before + 1;
}

static void random_settings(struct rng *rng, struct hvc_settings *settings)
{
	static const uint32_t psci[] = {HVC_VERSION(0, 2), HVC_VERSION(1, 0), HVC_VERSION(1, 1),
					HVC_VERSION(1, 2), HVC_VERSION(1, 3)};

	hvc_settings_init(settings);
	settings->smccc_version = HVC_VERSION(1, rng_below(rng, 6));
	settings->regs[HVC_REG_PSCI_VERSION] = psci[rng_below(rng, 5)];
	settings->regs[HVC_REG_WORKAROUND_1] = rng_below(rng, 3);
	settings->regs[HVC_REG_WORKAROUND_2] = rng_below(rng, 2) * 3;
	settings->regs[HVC_REG_WORKAROUND_3] = rng_below(rng, 3);
	settings->regs[HVC_REG_STD_BMAP] &= rng_next(rng) | rng_next(rng);
	settings->regs[HVC_REG_STD_HYP_BMAP] &= rng_next(rng) | rng_next(rng);
	settings->regs[HVC_REG_VENDOR_HYP_BMAP] &= rng_next(rng) | rng_next(rng);
	settings->regs[HVC_REG_VENDOR_HYP_BMAP_2] &= rng_next(rng);
	settings->workaround_4 = rng_below(rng, 3);
	settings->soc_id_present = rng_below(rng, 2);
	settings->system_suspend = rng_below(rng, 2);
	settings->vendor_uid_present = rng_below(rng, 4) != 0;
	settings->vendor_uid[0] ^= rng_below(rng, 4) == 0;
}

/* Single IDs of functions, or ranges around them. */
static void random_rules(struct rng *rng, struct paint *rules, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct hvc_function *function = hvc_function_at(
			1 + rng_below(rng, HVC_FN_COUNT - 1));
		uint32_t id = rng_below(rng, 2) ? function->id32 : function->id64;
		uint32_t width = rng_below(rng, 3) ? 0 : rng_below(rng, 8);

		rules[i] = (struct paint){id, id + width, (enum hvc_action)rng_below(rng, 4)};
	}
}

static struct world *random_world(struct rng *rng)
{
	static struct hvc_settings settings;
	struct paint rules[MAX_RULES];
	size_t count = rng_below(rng, MAX_RULES + 1);
	struct world *world;

	random_settings(rng, &settings);
	/* Any quirk but those that make discovery say less than dispatch does. */
	settings.quirks = rng_below(rng, 2) * rng_below(rng, HVC_QUIRK_END);
	settings.quirks &= ~(uint32_t)(HVC_QUIRK_ARCH_FEATURES_FEW | HVC_QUIRK_TRNG_FEATURES_64 |
				       HVC_QUIRK_WORKAROUND_HVC_ONLY);
	random_rules(rng, rules, count);
	world = world_new(&(struct world_setup){
		.settings = &settings,
		.rules = rules,
		.rule_count = count,
		.otherwise = rng_below(rng, 4) ? HVC_HANDLE : (enum hvc_action)rng_below(rng, 4),
		.host_time = rng_below(rng, 2) == 0,
		.no_platform = rng_below(rng, 4) == 0,
		.flags = settings.smccc_version < HVC_VERSION(1, 3) && rng_below(rng, 8) == 0
				 ? HVC_VM_PSCI_0_1
				 : 0});
	assert_int_equal(hvc_vcpu_set_stolen_time(world->vcpus[0], 0x40000000), HVC_OK);
	return world;
}

/* Ask of each ID, in each spelling, in both worlds: rules make no difference to what is said. */
static void check_same(struct world *ruled, struct world *free, uint32_t query, bool *seen)
{
	if (hvc_filter_query(ruled->vm, query).action != HVC_HANDLE) {
		return;
	}
	for (unsigned int slot = 1; slot < HVC_FN_COUNT; slot++) {
		const struct hvc_function *function = hvc_function_at(slot);

		for (uint32_t spelling = 0; spelling < 4; spelling++) {
			uint32_t id = (function->id32 | function->id64) ^ spelling << 30;
			uint64_t told = world_ask(ruled, query, id, 0, 0);

			assert_int_equal(told, world_ask(free, query, id, 0, 0));
			*seen |= told != STATUS(NOT_SUPPORTED) &&
				 hvc_filter_query(ruled->vm, id).action == HVC_DENY;
		}
	}
}

/* KVM's own answers: present is what the version and the bitmaps say, whoever takes the call. */
static void check_raw(struct world *ruled, struct world *free, bool seen[4])
{
	const struct hvc_settings *settings = &ruled->image->settings;
	struct hvc_frame frame;

	check_same(ruled, free, PSCI_FEATURES, &seen[0]);
	check_same(ruled, free, TRNG_FEATURES, &seen[1]);
	check_same(ruled, free, ARCH_FEATURES, &seen[2]);
	check_same(ruled, free, PV_TIME_FEATURES, &seen[3]);
	if (answered(ruled, KVM_FEATURES)) {
		frame = world_call(ruled, KVM_FEATURES, 5, 5, 5);
		assert_int_equal(frame.x[0], settings->regs[HVC_REG_VENDOR_HYP_BMAP]);
		assert_int_equal(frame.x[1], 0);
		assert_int_equal(frame.x[2], settings->regs[HVC_REG_VENDOR_HYP_BMAP_2]);
		assert_int_equal(frame.x[3], 0);
	}
}

static void test_raw(void **state)
{
	bool seen[4] = {false, false, false, false};
	struct rng rng = {13};

	(void)state;
	for (unsigned int i = 0; i < POLICIES; i++) {
		struct hvc_settings settings;
		struct paint rules[MAX_RULES];
		struct world *ruled, *free;

		random_settings(&rng, &settings);
		settings.discovery = HVC_DISCOVERY_RAW;
		settings.quirks = rng_below(&rng, HVC_QUIRK_END);
		random_rules(&rng, rules, MAX_RULES);
		ruled = world_new(&(struct world_setup){.settings = &settings,
							.rules = rules,
							.rule_count = MAX_RULES,
							.host_time = true});
		free = world_new(&(struct world_setup){.settings = &settings, .host_time = true});
		hvc_vcpu_set_stolen_time(ruled->vcpus[0], 0x40000000);
		hvc_vcpu_set_stolen_time(free->vcpus[0], 0x40000000);
		check_raw(ruled, free, seen);
		world_free(free);
		world_free(ruled);
	}
	for (unsigned int i = 0; i < 4; i++) {
		assert_true(seen[i]); /* ... of a denied function */
	}
}

/* From 1.3 on a fast ID with the hint is that ID; below, and for yielding IDs, another, unknown one.
 * So the hint never walks around a deny. */
static void check_hint(struct world *world, uint32_t id)
{
	bool cleared = world->image->settings.smccc_version >= HVC_VERSION(1, 3) && id >> 31 != 0;
	uint32_t hinted = id ^ HVC_ID_SVE_HINT;
	struct hvc_outcome plain = hvc_filter_query(world->vm, id & ~HVC_ID_SVE_HINT);
	struct hvc_frame frame = world_frame(hinted, 1, 1, 1);
	struct hvc_outcome outcome;

	hvc_call(world->vcpus[0], HVC_CONDUIT_HVC, 0, &frame);
	outcome = hvc_vcpu_outcome(world->vcpus[0]);
	if (cleared) {
		assert_memory_equal(&outcome, &plain, sizeof(outcome));
	} else {
		assert_int_equal(outcome.id, hinted);
		assert_int_equal(outcome.fn, hvc_function_by_id(hinted));
	}
	if (plain.action == HVC_DENY && cleared) {
		assert_int_equal(frame.x[0], STATUS(NOT_SUPPORTED));
	}
}

static void test_hint(void **state)
{
	struct rng rng = {12};

	(void)state;
	for (unsigned int i = 0; i < POLICIES; i++) {
		struct world *world = random_world(&rng);

		for (unsigned int slot = 1; slot < HVC_FN_COUNT; slot++) {
			check_hint(world, hvc_function_at(slot)->id32);
			check_hint(world, hvc_function_at(slot)->id64);
			check_hint(world, (uint32_t)rng_next(&rng));
		}
		world_free(world);
	}
}

/* D5: the SMC64 spelling of a function that has none, and the other way round, is unknown. */
static void test_spellings(void **state)
{
	struct world *world = world_new(&(struct world_setup){0});

	(void)state;
	for (unsigned int slot = 1; slot < HVC_FN_COUNT; slot++) {
		const struct hvc_function *function = hvc_function_at(slot);

		for (uint32_t spelling = 0; spelling < 4; spelling++) {
			uint32_t id = ((function->id32 | function->id64) & 0x3fffffffu) |
				      spelling << 30;

			if (id != function->id32 && id != function->id64) {
				assert_false(answered(world, id));
				assert_int_equal(world_ask(world, id, 1, 1, 1),
						 STATUS(NOT_SUPPORTED));
			}
		}
	}
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_raw),
		cmocka_unit_test(test_hint),
		cmocka_unit_test(test_spellings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
