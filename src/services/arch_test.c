/* SPDX-License-Identifier: BSD-2-Clause */
/* Architecture calls: each answer by settings and version. */
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "world.h"

#define ARCH_FEATURES 0x80000001u
#define SOC_ID        0x80000002u
#define FEATURE_AVAIL 0xc0000003u
#define WORKAROUND_4  0x80000004u
#define WORKAROUND_1  0x80008000u
#define WORKAROUND_2  0x80007fffu
#define WORKAROUND_3  0x80003fffu

static struct world *with(const struct hvc_settings *settings)
{
	return world_new(&(struct world_setup){.settings = settings});
}

static uint64_t feature(struct world *world, uint32_t id)
{
	return world_ask(world, ARCH_FEATURES, id, 0, 0);
}

static void test_version(void **state)
{
	(void)state;
	for (uint32_t minor = 0; minor <= 6; minor++) {
		struct hvc_settings settings;
		struct world *world;

		hvc_settings_init(&settings);
		settings.smccc_version = HVC_VERSION(1, minor);
		world = with(&settings);
		/* SMCCC 1.0 has neither: the guest reads "not supported" and knows (DEN0028, 7.2). */
		assert_int_equal(world_ask(world, 0x80000000u, 0, 0, 0),
				 minor == 0 ? STATUS(NOT_SUPPORTED) : HVC_VERSION(1, minor));
		assert_int_equal(feature(world, 0x80000000u), minor == 0 ? STATUS(-1) : 0);
		assert_int_equal(feature(world, ARCH_FEATURES), minor == 0 ? STATUS(-1) : 0);
		assert_int_equal(world_ask(world, 0x8400000au, 0x80000000u, 0, 0),
				 minor == 0 ? STATUS(-1) : 0); /* D6 */
		world_free(world);
	}
}

/* What ARCH_FEATURES says at each level, and whether the call then works. */
static void test_workarounds(void **state)
{
	static const struct {
		uint32_t id;
		unsigned int reg; /* HVC_REG_NONE: workaround_4 */
		uint64_t level;
		int32_t feature;
	} levels[] = {
		{WORKAROUND_1, HVC_REG_WORKAROUND_1, 0, -1},
		{WORKAROUND_1, HVC_REG_WORKAROUND_1, 1, 0},
		{WORKAROUND_1, HVC_REG_WORKAROUND_1, 2, 1},
		{WORKAROUND_2, HVC_REG_WORKAROUND_2, 0, -1},
		{WORKAROUND_2, HVC_REG_WORKAROUND_2, 3, -2},
		{WORKAROUND_3, HVC_REG_WORKAROUND_3, 0, -1},
		{WORKAROUND_3, HVC_REG_WORKAROUND_3, 1, 0},
		{WORKAROUND_3, HVC_REG_WORKAROUND_3, 2, 1},
		{WORKAROUND_4, HVC_REG_NONE, 0, -1},
		{WORKAROUND_4, HVC_REG_NONE, 1, 0},
		{WORKAROUND_4, HVC_REG_NONE, 2, 1},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(levels); i++) {
		struct hvc_settings settings;
		struct world *world;

		hvc_settings_init(&settings);
		settings.smccc_version = HVC_VERSION(1, 5);
		if (levels[i].reg == HVC_REG_NONE) {
			settings.workaround_4 = (uint32_t)levels[i].level;
		} else {
			settings.regs[levels[i].reg] = levels[i].level;
		}
		world = with(&settings);
		assert_int_equal(feature(world, levels[i].id), STATUS(levels[i].feature));
		assert_int_equal(world_ask(world, levels[i].id, 0, 0, 0),
				 levels[i].feature == -1 ? STATUS(NOT_SUPPORTED) : 0);
		/* The other three are not there. */
		assert_int_equal(feature(world, levels[i].id ^ HVC_ID_64), STATUS(-1));
		world_free(world);
	}
}

static void test_feature_availability(void **state)
{
	struct hvc_settings settings;
	struct world *world, *bare;
	struct hvc_frame frame;

	(void)state;
	hvc_settings_init(&settings);
	settings.smccc_version = HVC_VERSION(1, 5);
	world = with(&settings);
	frame = world_call(world, FEATURE_AVAIL, 0x1e1100, 8, 9);
	assert_int_equal(frame.x[0], 0);
	assert_int_equal(frame.x[1], 0x8000000000000421ull);
	assert_int_equal(frame.x[2], 8);
	frame = world_call(world, FEATURE_AVAIL, 0x1e1101, 8, 9);
	assert_int_equal(frame.x[0], STATUS(-3));
	assert_int_equal(frame.x[1], 0x1e1101);
	assert_int_equal(feature(world, FEATURE_AVAIL), 0);
	assert_int_equal(feature(world, FEATURE_AVAIL ^ HVC_ID_64), STATUS(-1));
	world_free(world);

	bare = world_new(&(struct world_setup){.settings = &settings, .no_platform = true});
	assert_int_equal(feature(bare, FEATURE_AVAIL), STATUS(-1));
	assert_int_equal(world_ask(bare, FEATURE_AVAIL, 0x1e1100, 0, 0), STATUS(-1));
	world_free(bare);

	settings.smccc_version = HVC_VERSION(1, 4);
	world = with(&settings);
	assert_int_equal(world_ask(world, FEATURE_AVAIL, 0x1e1100, 0, 0), STATUS(-1));
	world_free(world);
}

/* ARCH_FEATURES speaks of the architecture's range and of PV time only. */
static void test_arch_features_scope(void **state)
{
	static const uint32_t absent[] = {0x84000000u, 0x84000003u, 0x84000050u, 0x8600ff01u,
					  0xc5000020u, 0x80000003u, 0xc0000000u, 0x00000000u,
					  0x8000ffffu, 0xffffffffu};
	struct world *world = world_new(&(struct world_setup){0});

	(void)state;
	for (size_t i = 0; i < COUNT_OF(absent); i++) {
		assert_int_equal(feature(world, absent[i]), STATUS(-1));
	}
	assert_int_equal(world_ask(world, ARCH_FEATURES, 0xffffffff80000000ull, 0, 0), 0);
	world_free(world);
}

/* KVM's ARCH_FEATURES knows the workarounds and PV time; the workarounds are there at any level. */
static void test_arch_features_few(void **state)
{
	static const struct {
		uint32_t id;
		int32_t feature;
	} asks[] = {
		{WORKAROUND_1, 1},   {WORKAROUND_2, -2}, {WORKAROUND_3, -1}, {0x80000000u, -1},
		{ARCH_FEATURES, -1}, {SOC_ID, -1},       {WORKAROUND_4, -1}, {0xc0008000u, -1},
	};
	struct hvc_settings settings;
	struct world *world;

	(void)state;
	hvc_settings_init(&settings);
	settings.quirks = HVC_QUIRK_ARCH_FEATURES_FEW | HVC_QUIRK_WORKAROUND_HVC_ONLY;
	settings.regs[HVC_REG_WORKAROUND_1] = 2;
	settings.regs[HVC_REG_WORKAROUND_2] = 3;
	settings.soc_id_present = 1;
	world = with(&settings);
	for (size_t i = 0; i < COUNT_OF(asks); i++) {
		assert_int_equal(feature(world, asks[i].id), STATUS(asks[i].feature));
	}
	assert_int_equal(world_ask(world, WORKAROUND_3, 0, 0, 0), 0);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_version),
		cmocka_unit_test(test_workarounds),
		cmocka_unit_test(test_feature_availability),
		cmocka_unit_test(test_arch_features_scope),
		cmocka_unit_test(test_arch_features_few),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
