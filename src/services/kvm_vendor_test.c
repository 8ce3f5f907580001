/* SPDX-License-Identifier: BSD-2-Clause */
/* KVM's vendor range: whose it is, the bitmap, and the CPU implementations a guest may meet. */
#include "cmocka_all.h"
#include "world.h"

#define VENDOR_UID    0x8600ff01u
#define KVM_FEATURES  0x86000000u
#define DISCOVER_VER  0xc6000040u
#define DISCOVER_CPUS 0xc6000041u

static struct world *with(const struct hvc_settings *settings)
{
	return world_new(&(struct world_setup){.settings = settings});
}

static void test_vendor(void **state)
{
	struct hvc_settings settings;
	struct world *world;
	struct hvc_frame frame;

	(void)state;
	hvc_settings_init(&settings);
	world = with(&settings);
	frame = world_call(world, VENDOR_UID, 5, 5, 5);
	assert_int_equal(frame.x[0], 0xb66fb428u);
	assert_int_equal(frame.x[1], 0xe911c52eu);
	assert_int_equal(frame.x[2], 0x564bcaa9u);
	assert_int_equal(frame.x[3], 0x743a004du);
	frame = world_call(world, KVM_FEATURES, 5, 5, 5);
	assert_int_equal(frame.x[0], 1); /* itself; PTP and DISCOVER_IMPL are served by nobody */
	assert_int_equal(frame.x[1], 0);
	assert_int_equal(frame.x[2], 0);
	assert_int_equal(frame.x[3], 0);
	world_free(world);

	/* Another hypervisor's UID: KVM's numbers mean nothing any more. */
	settings.vendor_uid[3] ^= 1;
	world = with(&settings);
	assert_int_equal(world_call(world, VENDOR_UID, 0, 0, 0).x[3], 0x743a004cu);
	assert_int_equal(world_ask(world, KVM_FEATURES, 0, 0, 0), STATUS(-1));
	world_free(world);

	settings.vendor_uid_present = 0;
	world = with(&settings);
	assert_int_equal(world_ask(world, VENDOR_UID, 0, 0, 0), STATUS(-1));
	assert_int_equal(world_ask(world, KVM_FEATURES, 0, 0, 0), STATUS(-1));
	world_free(world);
}

static const struct hvc_tables two_cpus = {
	.size = sizeof(two_cpus),
	.implementation_count = 2,
	.implementations = {{0x413fd0c1, 0x11, 0x21}, {0xffffffff410fd4f0ull, 0, ~0ull}},
};

static void test_implementations(void **state)
{
	struct hvc_settings settings;
	struct hvc_frame frame;
	struct world *world;

	(void)state;
	assert_int_equal(hvc_settings_profile(&settings, 2), HVC_OK);
	world = world_new(&(struct world_setup){.settings = &settings, .tables = &two_cpus});
	assert_int_equal(world_call(world, KVM_FEATURES, 0, 0, 0).x[2], 3);

	frame = world_call(world, DISCOVER_VER, 0, 8, 9);
	assert_int_equal(frame.x[0], 0);
	assert_int_equal(frame.x[1], HVC_VERSION(1, 0));
	assert_int_equal(frame.x[2], 2);
	assert_int_equal(frame.x[3], 9);
	assert_int_equal(world_ask(world, DISCOVER_VER, 1, 0, 0), STATUS(-3));
	frame = world_call(world, DISCOVER_VER, 1ull << 63, 8, 9);
	assert_int_equal(frame.x[0], STATUS(-3));
	assert_int_equal(frame.x[1], 1ull << 63);
	assert_int_equal(frame.x[2], 8);

	for (unsigned int i = 0; i < 2; i++) {
		frame = world_call(world, DISCOVER_CPUS, i, 8, 9);
		assert_int_equal(frame.x[0], 0);
		assert_int_equal(frame.x[1], two_cpus.implementations[i].midr);
		assert_int_equal(frame.x[2], two_cpus.implementations[i].revidr);
		assert_int_equal(frame.x[3], two_cpus.implementations[i].aidr);
	}
	assert_int_equal(world_ask(world, DISCOVER_CPUS, 2, 0, 0), STATUS(-3));
	assert_int_equal(world_ask(world, DISCOVER_CPUS, 16, 0, 0), STATUS(-3));
	assert_int_equal(world_ask(world, DISCOVER_CPUS, 1ull << 32, 0, 0), STATUS(-3));
	frame = world_call(world, DISCOVER_CPUS, UINT64_MAX, 8, 9);
	assert_int_equal(frame.x[0], STATUS(-3));
	assert_int_equal(frame.x[1], UINT64_MAX);
	assert_int_equal(frame.x[3], 9);
	world_free(world);
}

/* As many as there can be. */
static void test_most(void **state)
{
	struct hvc_tables tables = {.size = sizeof(tables),
				    .implementation_count = HVC_IMPLEMENTATIONS};
	struct hvc_settings settings;
	struct world *world;

	(void)state;
	for (uint64_t i = 0; i < HVC_IMPLEMENTATIONS; i++) {
		tables.implementations[i] = (struct hvc_implementation){i, i + 100, i + 200};
	}
	assert_int_equal(hvc_settings_profile(&settings, 2), HVC_OK);
	world = world_new(&(struct world_setup){.settings = &settings, .tables = &tables});
	assert_int_equal(world_call(world, DISCOVER_VER, 0, 0, 0).x[2], HVC_IMPLEMENTATIONS);
	for (uint64_t i = 0; i < HVC_IMPLEMENTATIONS; i++) {
		struct hvc_frame frame = world_call(world, DISCOVER_CPUS, i, 0, 0);

		assert_int_equal(frame.x[1], i);
		assert_int_equal(frame.x[3], i + 200);
	}
	assert_int_equal(world_ask(world, DISCOVER_CPUS, HVC_IMPLEMENTATIONS, 0, 0), STATUS(-3));
	world_free(world);
}

static void check_absent(struct world *world, uint64_t bits)
{
	assert_int_equal(world_ask(world, DISCOVER_VER, 0, 0, 0), bits & 1 ? 0 : STATUS(-1));
	assert_int_equal(world_ask(world, DISCOVER_CPUS, 0, 0, 0), bits & 2 ? 0 : STATUS(-1));
	if (world_ask(world, KVM_FEATURES, 0, 0, 0) != STATUS(-1)) {
		assert_int_equal(world_call(world, KVM_FEATURES, 0, 0, 0).x[2], bits);
	}
	world_free(world);
}

/* Without any, without the register's bit, behind another's UID, or in hvcgate-1. */
static void test_absent(void **state)
{
	struct hvc_settings settings;
	struct world_setup setup = {.settings = &settings, .tables = &two_cpus};

	(void)state;
	assert_int_equal(hvc_settings_profile(&settings, 2), HVC_OK);
	check_absent(with(&settings), 0);
	for (uint64_t bits = 0; bits < 4; bits++) {
		settings.regs[HVC_REG_VENDOR_HYP_BMAP_2] = bits;
		check_absent(world_new(&setup), bits);
	}
	settings.vendor_uid[2] ^= 1;
	check_absent(world_new(&setup), 0);
	settings.vendor_uid[2] ^= 1;
	settings.vendor_uid_present = 0;
	check_absent(world_new(&setup), 0);
	hvc_settings_init(&settings);
	check_absent(world_new(&setup), 0);
}

/* A register written at run time: the list of what there is follows it, and nothing else. */
static void test_register(void **state)
{
	struct hvc_settings settings;
	struct world *world;
	uint64_t id;

	(void)state;
	assert_int_equal(hvc_settings_profile(&settings, 2), HVC_OK);
	world = world_new(&(struct world_setup){.settings = &settings, .tables = &two_cpus});
	id = hvc_feature_reg_id(world->vm, HVC_REG_VENDOR_HYP_BMAP_2);
	assert_int_equal(hvc_vm_set_reg(world->vm, id, 1), HVC_OK);
	assert_int_equal(world_ask(world, DISCOVER_VER, 0, 0, 0), 0);
	assert_int_equal(world_ask(world, DISCOVER_CPUS, 0, 0, 0), STATUS(-1));
	assert_int_equal(hvc_vm_set_reg(world->vm, id, 3), HVC_OK);
	assert_int_equal(world_ask(world, DISCOVER_CPUS, 0, 0, 0), 0);
	assert_int_equal(world_call(world, KVM_FEATURES, 0, 0, 0).x[0], 1); /* PTP has no host */
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vendor),   cmocka_unit_test(test_implementations),
		cmocka_unit_test(test_most),     cmocka_unit_test(test_absent),
		cmocka_unit_test(test_register),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
