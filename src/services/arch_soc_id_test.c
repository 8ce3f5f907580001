/* SPDX-License-Identifier: BSD-2-Clause */
/* SOC_ID: version and revision by both forms, the name by the SMC64 one. */
#include <string.h>

#include "cmocka_all.h"
#include "world.h"

#define ARCH_FEATURES 0x80000001u
#define SOC_ID        0x80000002u
#define SOC_ID_64     0xc0000002u

static struct world *with(const struct hvc_settings *settings)
{
	return world_new(&(struct world_setup){.settings = settings});
}

static uint64_t feature(struct world *world, uint32_t id)
{
	return world_ask(world, ARCH_FEATURES, id, 0, 0);
}

static void test_soc_id(void **state)
{
	struct hvc_settings settings;
	struct world *world;

	(void)state;
	hvc_settings_init(&settings);
	world = with(&settings);
	assert_int_equal(feature(world, SOC_ID), STATUS(-1));
	assert_int_equal(world_ask(world, SOC_ID, 0, 0, 0), STATUS(-1));
	world_free(world);

	settings.soc_id_present = 1;
	settings.soc_version = 0x043b0123u;
	settings.soc_revision = 7;
	world = with(&settings);
	assert_int_equal(feature(world, SOC_ID), 0);
	assert_int_equal(world_ask(world, SOC_ID, 0, 0, 0), 0x043b0123u);
	assert_int_equal(world_ask(world, SOC_ID, 0xffffffff00000000ull, 0, 0), 0x043b0123u);
	assert_int_equal(world_ask(world, SOC_ID, 1, 0, 0), 7);
	assert_int_equal(world_ask(world, SOC_ID, 2, 0, 0), STATUS(-3)); /* the name is SMC64's */
	assert_int_equal(world_ask(world, SOC_ID, 0xffffffffu, 0, 0), STATUS(-3));
	world_free(world);

	settings.smccc_version = HVC_VERSION(1, 1); /* it came with 1.2 */
	world = with(&settings);
	assert_int_equal(feature(world, SOC_ID), STATUS(-1));
	assert_int_equal(world_ask(world, SOC_ID, 0, 0, 0), STATUS(-1));
	world_free(world);
}

/* A machine of hvcgate-2 that says what it is, with this name. */
static struct world *named(const char *name, uint32_t minor)
{
	static struct hvc_settings settings;
	static struct hvc_tables tables;

	assert_int_equal(hvc_settings_profile(&settings, 2), HVC_OK);
	settings.smccc_version = HVC_VERSION(1, minor);
	settings.soc_id_present = 1;
	settings.soc_version = 0x043b0123u;
	settings.soc_revision = 7;
	tables = (struct hvc_tables){.size = sizeof(tables)};
	assert_true(strlen(name) < sizeof(tables.soc_name));
	memcpy(tables.soc_name, name, strlen(name));
	return world_new(&(struct world_setup){.settings = &settings, .tables = &tables});
}

/* Eight characters a register, the first in the lowest byte, then zeroes (DEN0028, 7.4). */
static void check_name(const char *name)
{
	struct world *world = named(name, 6);
	struct hvc_frame frame = world_frame(SOC_ID_64, 0xffffffff00000002ull, 3, 4);
	char text[HVC_SOC_NAME];

	assert_int_equal(hvc_call(world->vcpus[0], HVC_CONDUIT_SMC, 0, &frame), HVC_RESUME);
	assert_int_equal(frame.x[0], 0);
	for (unsigned int i = 0; i < HVC_SOC_NAME; i++) {
		text[i] = (char)(frame.x[1 + i / 8] >> i % 8 * 8 & 0xff);
		assert_int_equal(text[i], i < strlen(name) ? name[i] : 0);
	}
	assert_string_equal(text, name);
	world_free(world);
}

static void test_name(void **state)
{
	char longest[HVC_SOC_NAME];
	struct world *world;

	(void)state;
	check_name("A");
	check_name("Example");
	check_name("Example!"); /* a register to the last byte */
	check_name("Cloud machine, second of its kind");
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	check_name(longest);

	world = named("Example machine", 6);
	/* By hand: "Example machine". */
	assert_int_equal(world_call(world, SOC_ID_64, 2, 0, 0).x[1], 0x20656c706d617845ull);
	assert_int_equal(world_call(world, SOC_ID_64, 2, 0, 0).x[2], 0x00656e696863616dull);
	assert_int_equal(world_call(world, SOC_ID_64, 2, 0, 0).x[3], 0);
	assert_int_equal(world_call(world, SOC_ID_64, 2, 0, 0).x[17], 0);
	world_free(world);
}

/* Types 0 and 1 are the SMC32 form's, and write x0 alone. */
static void test_types(void **state)
{
	struct world *world = named("Example", 6);
	struct hvc_frame frame = world_call(world, SOC_ID_64, 0, 5, 6);

	(void)state;
	assert_int_equal(feature(world, SOC_ID), 0);
	assert_int_equal(feature(world, SOC_ID_64), 0);
	assert_int_equal(frame.x[0], 0x043b0123u);
	assert_int_equal(frame.x[1], 0);
	assert_int_equal(frame.x[2], 5);
	assert_int_equal(frame.x[17], world_frame(0, 0, 0, 0).x[17]);
	assert_int_equal(world_ask(world, SOC_ID_64, 1, 0, 0), 7);
	assert_int_equal(world_ask(world, SOC_ID_64, 1ull << 32, 0, 0), 0x043b0123u);
	frame = world_call(world, SOC_ID_64, 3, 5, 6);
	assert_int_equal(frame.x[0], STATUS(-3));
	assert_int_equal(frame.x[1], 3);
	assert_int_equal(world_ask(world, SOC_ID_64, UINT32_MAX, 0, 0), STATUS(-3));
	/* The name does not fit the SMC32 form. */
	assert_int_equal(world_ask(world, SOC_ID, 2, 0, 0), STATUS(-3));
	world_free(world);
}

static void check_no_name(struct world *world)
{
	struct hvc_frame frame = world_call(world, SOC_ID_64, 2, 5, 6);

	assert_int_equal(feature(world, SOC_ID_64), STATUS(-1));
	assert_int_equal(frame.x[0], STATUS(-1));
	assert_int_equal(frame.x[1], 2);
	assert_int_equal(world_ask(world, SOC_ID_64, 0, 0, 0), STATUS(-1));
	world_free(world);
}

static void test_no_name(void **state)
{
	struct hvc_settings settings;
	struct hvc_tables tables = {.size = sizeof(tables), .soc_name = "Example"};

	(void)state;
	check_no_name(named("", 6));
	check_no_name(named("Example", 5)); /* it came with 1.6 */
	assert_int_equal(hvc_settings_profile(&settings, 2), HVC_OK);
	check_no_name(world_new(
		&(struct world_setup){.settings = &settings, .tables = &tables})); /* no SOC_ID */
	hvc_settings_init(&settings);
	settings.smccc_version = HVC_VERSION(1, 6);
	settings.soc_id_present = 1;
	check_no_name(
		world_new(&(struct world_setup){.settings = &settings, .tables = &tables})); /* 1 */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_soc_id),
		cmocka_unit_test(test_name),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_no_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
