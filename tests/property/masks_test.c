/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers: whatever is called, by either conduit, with any immediate, under any policy, nothing
 * outside the expected masks changes. The same table runs in a guest at EL1 against the monitor.
 */
#include <string.h>

#include "cmocka_all.h"
#include "pattern_frame.h"
#include "world.h"

enum { RANDOM_IDS = 10000 };

/* Call in each way there is. */
static void check_all_ways(struct world *world, const struct hvc_frame *before)
{
	static const uint16_t immediates[] = {0, 1, 0xffff};

	for (unsigned int way = 0; way < 6; way++) {
		struct hvc_frame frame = *before;
		uint32_t id = (uint32_t)before->x[0];
		uint32_t right;

		hvc_call(world->vcpus[0], (enum hvc_conduit)(way % 2), immediates[way / 2], &frame);
		right = expected_changes(id, immediates[way / 2], frame.x[0]);
		if ((frame_changes(before, &frame) & ~right) != 0) {
			fail_msg("0x%08x, immediate %u: changed %05x, may change %05x", id,
				 immediates[way / 2], frame_changes(before, &frame), right);
		}
	}
}

static void check_world(struct world *world)
{
	struct rng rng = {3};

	for (size_t i = 0; i < COUNT_OF(expected_calls); i++) {
		struct hvc_frame frame = pattern_frame(expected_calls[i].id);

		check_all_ways(world, &frame);
		frame.x[1] = expected_calls[i].x1;
		frame.x[2] = expected_calls[i].x2;
		frame.x[3] = expected_calls[i].x3;
		check_all_ways(world, &frame);
	}
	for (unsigned int slot = 1; slot < HVC_FN_COUNT; slot++) {
		const struct hvc_function *function = hvc_function_at(slot);

		for (uint32_t spelling = 0; spelling < 8; spelling++) {
			uint32_t id = (function->id32 | function->id64) ^ (spelling & 3) << 30 ^
				      (spelling >> 2) << 16;
			struct hvc_frame frame = pattern_frame(id);

			check_all_ways(world, &frame);
		}
	}
	for (unsigned int i = 0; i < RANDOM_IDS; i++) {
		struct hvc_frame frame = pattern_frame((uint32_t)rng_next(&rng));

		check_all_ways(world, &frame);
	}
}

static void high_settings(struct hvc_settings *settings)
{
	assert_int_equal(hvc_settings_profile(settings, HVC_PROFILE_NEWEST), HVC_OK);
	settings->regs[HVC_REG_WORKAROUND_1] = 1;
	settings->regs[HVC_REG_WORKAROUND_2] = 3;
	settings->regs[HVC_REG_WORKAROUND_3] = 2;
	settings->workaround_4 = 1;
	settings->soc_id_present = 1;
	settings->soc_version = 0x043b0001u;
	settings->soc_revision = 3;
	settings->os_initiated = 1;
	settings->smccc_version = HVC_VERSION(1, 7);
}

/* What optional functions want to have. */
static const struct hvc_tables high_tables = {
	.size = sizeof(high_tables),
	.soc_name = "A name",
	.implementation_count = 1,
	.implementations = {{0x411fd0c1, 0x11, 0x22}},
};

/* A VM of profile hvcgate-1, or one that has all there is, with or without a trusted OS on CPU 0. */
static struct world *make_world(bool high, enum hvc_trusted_os trusted_os, struct world_setup setup)
{
	static struct hvc_settings settings;
	struct world *world;

	high_settings(&settings);
	settings.trusted_os = trusted_os;
	setup.settings = high ? &settings : NULL;
	setup.host_time = high;
	setup.host_power = high;
	setup.tables = high ? &high_tables : NULL;
	setup.share_ram = high ? 64 * 4096 : 0;
	world = world_new(&setup);
	if (high) {
		assert_int_equal(hvc_vcpu_set_stolen_time(world->vcpus[0], 0x40000000), HVC_OK);
	}
	return world;
}

static void test_worlds(void **state)
{
	static const struct paint all[] = {{0, UINT32_MAX, HVC_HANDLE}};

	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		for (unsigned int action = HVC_HANDLE; action <= HVC_NOTIFY; action++) {
			struct world *world = make_world(
				i % 2 == 1, i == 3 ? HVC_TRUSTED_OS_MIGRATES : HVC_TRUSTED_OS_NONE,
				(struct world_setup){.flags = i == 2 ? HVC_VM_PSCI_0_1 : 0,
						     .otherwise = (enum hvc_action)action,
						     .rules = all,
						     .rule_count = action == HVC_HANDLE,
						     .vcpu_count = 3});

			check_world(world);
			world->entropy_fails = world->start_fails = world->time_fails =
				world->protect_fails = true;
			world->ram_end = 0;
			check_world(world);
			world_free(world);
		}
	}
}

/* What KVM's profiles may write: x0 to x3, of FF-A's error x0 to x7; x0 alone of what is no call there. */
static uint32_t kvm_changes(uint32_t quirks, enum hvc_conduit conduit, uint16_t immediate,
			    uint64_t x0)
{
	bool smc = conduit == HVC_CONDUIT_SMC;

	if ((smc && ((quirks & HVC_QUIRK_SMC_UNKNOWN) != 0 || immediate != 0)) ||
	    (immediate != 0 && !(quirks & HVC_QUIRK_HVC_ANY_IMMEDIATE))) {
		return EXPECT_X0;
	}
	return x0 == 0x84000060u ? EXPECT_X0_X7 : EXPECT_X0_X3;
}

static void check_kvm_call(struct world *world, uint32_t quirks, uint32_t id)
{
	for (unsigned int way = 0; way < 4; way++) {
		enum hvc_conduit conduit = (enum hvc_conduit)(way % 2);
		uint16_t immediate = way / 2 ? 0x8001 : 0;
		struct hvc_frame frame = pattern_frame(id), before = frame;
		uint32_t may;

		hvc_call(world->vcpus[0], conduit, immediate, &frame);
		may = kvm_changes(quirks, conduit, immediate, frame.x[0]);
		if ((frame_changes(&before, &frame) & ~may) != 0) {
			fail_msg("0x%08x, quirks 0x%x: changed %05x, may change %05x", id, quirks,
				 frame_changes(&before, &frame), may);
		}
	}
}

/* Any quirks together: they widen what is written as they say, and no further. */
static void test_quirks(void **state)
{
	static const struct paint all[] = {{0x84000060u, 0x8400008eu, HVC_FORWARD}};
	struct rng rng = {4};

	(void)state;
	for (unsigned int run = 0; run < 64; run++) {
		struct hvc_settings settings;
		struct world *world;

		high_settings(&settings);
		settings.quirks = (uint32_t)rng_next(&rng) % HVC_QUIRK_END;
		settings.discovery = rng_below(&rng, 2);
		world = world_new(
			&(struct world_setup){.settings = &settings,
					      .otherwise = run % 8 ? HVC_HANDLE : HVC_DENY,
					      .rules = all,
					      .rule_count = 1,
					      .vcpu_count = 2});
		for (unsigned int slot = 1; slot < HVC_FN_COUNT; slot++) {
			const struct hvc_function *function = hvc_function_at(slot);

			check_kvm_call(world, settings.quirks, function->id32);
			check_kvm_call(world, settings.quirks, function->id64);
			check_kvm_call(world, settings.quirks, function->id64 ^ HVC_ID_SVE_HINT);
			check_kvm_call(world, settings.quirks, (uint32_t)rng_next(&rng));
		}
		world_free(world);
	}
}

/* With arguments that are right a served function changes exactly its registers; it is there at all
 * according to the table's flags. */
static void test_samples(void **state)
{
	(void)state;
	for (unsigned int pass = 0; pass < 2; pass++) {
		struct world *world = make_world(pass, HVC_TRUSTED_OS_NONE,
						 (struct world_setup){0});

		for (size_t i = 0; i < COUNT_OF(expected_calls); i++) {
			struct hvc_frame frame = pattern_frame(expected_calls[i].id), before;
			bool there = pass ||
				     !(expected_calls[i].flags & (EXPECT_OPTIONAL | EXPECT_LATER));
			enum hvc_verdict verdict;

			frame.x[1] = expected_calls[i].x1;
			frame.x[2] = expected_calls[i].x2;
			frame.x[3] = expected_calls[i].x3;
			before = frame;
			if (expected_calls[i].flags & EXPECT_NO_SAMPLE) {
				continue;
			}
			verdict = hvc_call(world->vcpus[0], HVC_CONDUIT_SMC, 0, &frame);
			assert_int_equal(verdict != HVC_RESUME && verdict != HVC_CPU_STANDBY,
					 there && (expected_calls[i].flags & EXPECT_GONE) != 0);
			assert_int_equal(verdict == HVC_CPU_STANDBY,
					 (expected_calls[i].flags & EXPECT_WAITS) != 0);
			if (verdict == HVC_RESUME) {
				assert_int_equal(frame.x[0] >> 63, !there);
				assert_int_equal(frame_changes(&before, &frame),
						 there ? expected_calls[i].changed
						       : (uint32_t)EXPECT_X0);
			}
		}
		world_free(world);
	}
}

/* The pattern is refused by everything that has arguments: a guest may call the whole table with it. */
static void test_pattern(void **state)
{
	struct world *world = make_world(true, HVC_TRUSTED_OS_NONE,
					 (struct world_setup){.vcpu_count = 2});

	(void)state;
	for (unsigned int slot = 1; slot < HVC_FN_COUNT; slot++) {
		const struct hvc_function *function = hvc_function_at(slot);
		const uint32_t ids[] = {function->id32, function->id64};

		for (unsigned int i = 0; i < 2; i++) {
			struct hvc_frame frame = pattern_frame(ids[i]);
			bool gone = false;

			for (size_t c = 0; c < COUNT_OF(expected_calls); c++) {
				gone |= expected_calls[c].id == ids[i] &&
					(expected_calls[c].flags & EXPECT_GONE);
			}
			assert_int_equal(hvc_call(world->vcpus[0], HVC_CONDUIT_HVC, 0, &frame) !=
						 HVC_RESUME,
					 gone);
		}
	}
	world_free(world);
}

/* Every function that the catalogue says is served is in the table, and no other. */
static void test_table_is_whole(void **state)
{
	static const struct {
		uint32_t ids[2];
		const char *served;
	} rows[] = {
#define HVC_FUNCTION(name, id32, id64, service, served, ...) {{id32, id64}, #served},
#include <hvcgate/catalog.def>
#undef HVC_FUNCTION
	};
	size_t served = 0;

	(void)state;
	for (size_t r = 0; r < COUNT_OF(rows); r++) {
		for (unsigned int i = 0; i < 2; i++) {
			size_t found = 0;

			for (size_t c = 0; c < COUNT_OF(expected_calls); c++) {
				found += expected_calls[c].id == rows[r].ids[i];
			}
			if (rows[r].ids[i] != 0) {
				assert_int_equal(found, strcmp(rows[r].served, "NO") != 0);
				served += found;
			}
		}
	}
	assert_int_equal(served, COUNT_OF(expected_calls));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_worlds),         cmocka_unit_test(test_quirks),
		cmocka_unit_test(test_samples),        cmocka_unit_test(test_pattern),
		cmocka_unit_test(test_table_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
