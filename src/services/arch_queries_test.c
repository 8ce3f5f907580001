/* SPDX-License-Identifier: BSD-2-Clause */
/* The general queries of an owner: counts that agree with dispatch, UUIDs, revisions. */
#include "cmocka_all.h"
#include "world.h"

#define CALL_COUNT(owner) (0x8000ff00u | (uint32_t)(owner) << 24)
#define CALL_UID(owner)   (CALL_COUNT(owner) + 1)
#define REVISION(owner)   (CALL_COUNT(owner) + 3)

static struct world *with(const struct hvc_settings *settings)
{
	return world_new(&(struct world_setup){.settings = settings});
}

/* D4: by hand for the defaults. Both IDs of a function count, the count itself too. */
static void test_call_counts(void **state)
{
	struct world *world = world_new(&(struct world_setup){0});
	struct hvc_settings settings;

	(void)state;
	/* PSCI 1.1: VERSION, SUSPEND x2, OFF, ON x2, AFFINITY x2, INFO_TYPE, SYSTEM_OFF, RESET,
	 * FEATURES, SYSTEM_SUSPEND x2, RESET2 x2: 16. TRNG: 5. CALL_COUNT: 1. */
	assert_int_equal(world_ask(world, 0x8400ff00u, 0, 0, 0), 22);
	assert_int_equal(world_ask(world, 0x8500ff00u, 0, 0, 0), 1);
	assert_int_equal(world_ask(world, 0x8600ff00u, 0, 0, 0), 3); /* UID, FEATURES, COUNT */
	world_free(world);

	hvc_settings_init(&settings);
	settings.regs[HVC_REG_PSCI_VERSION] = HVC_VERSION(1, 3); /* OFF2 x2 */
	settings.regs[HVC_REG_STD_BMAP] = 0;                     /* no TRNG */
	settings.system_suspend = 0;
	world = with(&settings);
	assert_int_equal(world_ask(world, 0x8400ff00u, 0, 0, 0), 22 + 2 - 5 - 2);
	world_free(world);
}

/* By hand for hvcgate-2 without host, share memory, policy tables: what each adds is in its own test. */
static void test_call_counts_2(void **state)
{
	struct hvc_settings settings;
	struct world *world;

	(void)state;
	assert_int_equal(hvc_settings_profile(&settings, 2), HVC_OK);
	world = world_new(&(struct world_setup){.settings = &settings, .no_platform = true});
	assert_int_equal(world_ask(world, CALL_COUNT(5), 0, 0, 0), 3); /* COUNT, UID, REVISION */
	assert_int_equal(world_ask(world, CALL_COUNT(6), 0, 0, 0), 4); /* these and FEATURES */
	world_free(world);

	/* PV time: both. PTP. MEMINFO to RGUARD_UNMAP: ten. DISCOVER_IMPL: two. */
	const struct hvc_tables tables = {
		.size = sizeof(tables), .implementation_count = 1, .implementations = {{1, 2, 3}}};

	world = world_new(&(struct world_setup){
		.settings = &settings, .host_time = true, .share_ram = 4096, .tables = &tables});
	assert_int_equal(world_ask(world, CALL_COUNT(5), 0, 0, 0), 3 + 2);
	assert_int_equal(world_ask(world, CALL_COUNT(6), 0, 0, 0), 4 + 1 + 10 + 2);
	world_free(world);
}

/* A fixed UUID each, byte 0 of its text in bits 7:0 of x0 (DEN0028, 6.3). Once released they stay. */
static void test_uids(void **state)
{
	static const struct {
		unsigned int owner;
		uint32_t words[4];
	} uids[] = {
		{4, {0x8d9ebc6c, 0x7847ac8c, 0x7e40049c, 0xf8388c8d}},
		{5, {0x45a354e2, 0x1d49f7e8, 0x9f169f97, 0x5c0aed4e}},
		{6, {0xb66fb428, 0xe911c52e, 0x564bcaa9, 0x743a004d}}, /* KVM's */
	};
	struct hvc_settings settings;
	struct world *world;

	(void)state;
	assert_int_equal(hvc_settings_profile(&settings, 2), HVC_OK);
	world = with(&settings);
	for (size_t i = 0; i < COUNT_OF(uids); i++) {
		struct hvc_frame frame = world_call(world, CALL_UID(uids[i].owner), 9, 9, 9);

		for (unsigned int n = 0; n < 4; n++) {
			assert_int_equal(frame.x[n], uids[i].words[n]);
		}
	}
	world_free(world);
}

static void test_revisions(void **state)
{
	struct hvc_settings settings;
	struct world *world;

	(void)state;
	assert_int_equal(hvc_settings_profile(&settings, 2), HVC_OK);
	world = with(&settings);
	for (unsigned int owner = 4; owner <= 6; owner++) {
		struct hvc_frame frame = world_call(world, REVISION(owner), 9, 9, 9);

		assert_int_equal(frame.x[0], 1);
		assert_int_equal(frame.x[1], 0);
		assert_int_equal(frame.x[2], 9);
	}
	world_free(world);
}

/* Owners without such queries, the SMC64 spellings, and the number between UID and REVISION. */
static void test_unknown(void **state)
{
	struct hvc_settings settings;
	struct world *world;

	(void)state;
	assert_int_equal(hvc_settings_profile(&settings, 2), HVC_OK);
	world = with(&settings);
	for (uint32_t owner = 0; owner < 64; owner++) {
		for (uint32_t number = 0; number < 4; number++) {
			uint32_t id = CALL_COUNT(owner) + number;

			assert_int_equal(world_ask(world, id | HVC_ID_64, 0, 0, 0), STATUS(-1));
			if (owner < 4 || owner > 6 || number == 2) {
				assert_int_equal(world_ask(world, id, 0, 0, 0), STATUS(-1));
			}
		}
	}
	world_free(world);
}

/* Who has no name has no count and no revision; in hvcgate-1, which never changes, there was only a count. */
static void test_no_identity(void **state)
{
	struct hvc_settings settings;
	struct world *world;

	(void)state;
	assert_int_equal(hvc_settings_profile(&settings, 2), HVC_OK);
	settings.vendor_uid_present = 0;
	world = with(&settings);
	for (uint32_t number = 0; number < 4; number++) {
		assert_int_equal(world_ask(world, CALL_COUNT(6) + number, 0, 0, 0), STATUS(-1));
	}
	assert_int_equal(world_ask(world, REVISION(4), 0, 0, 0), 1);
	assert_int_equal(world_ask(world, REVISION(5), 0, 0, 0), 1);
	world_free(world);

	hvc_settings_init(&settings);
	settings.vendor_uid_present = 0;
	world = with(&settings);
	assert_int_equal(world_ask(world, CALL_COUNT(6), 0, 0, 0), 1);
	for (unsigned int owner = 4; owner <= 6; owner++) {
		assert_int_equal(world_ask(world, CALL_UID(owner), 0, 0, 0), STATUS(-1));
		assert_int_equal(world_ask(world, REVISION(owner), 0, 0, 0), STATUS(-1));
	}
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_call_counts), cmocka_unit_test(test_call_counts_2),
		cmocka_unit_test(test_uids),        cmocka_unit_test(test_revisions),
		cmocka_unit_test(test_unknown),     cmocka_unit_test(test_no_identity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
