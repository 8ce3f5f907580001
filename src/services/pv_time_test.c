/* SPDX-License-Identifier: BSD-2-Clause */
/* Time the host tells: stolen time (DEN0057) and KVM's PTP. */
#include "cmocka_all.h"
#include "world.h"

#define ARCH_FEATURES    0x80000001u
#define PV_TIME_FEATURES 0xc5000020u
#define PV_TIME_ST       0xc5000021u
#define KVM_FEATURES     0x86000000u
#define KVM_PTP          0x86000001u
#define RECORD           0x40010000ull

static struct world *with(uint32_t quirks, bool host_time)
{
	struct hvc_settings settings;

	hvc_settings_init(&settings);
	settings.quirks = quirks;
	return world_new(&(struct world_setup){
		.settings = &settings, .vcpu_count = 2, .host_time = host_time});
}

static uint64_t ask(struct world *world, unsigned int cpu, uint32_t id, uint64_t x1)
{
	struct hvc_frame frame = world_frame(id, x1, 2, 3);

	assert_int_equal(hvc_call(world->vcpus[cpu], HVC_CONDUIT_SMC, 0, &frame), HVC_RESUME);
	assert_int_equal(frame.x[1], x1);
	assert_int_equal(frame.x[2], 2);
	return frame.x[0];
}

static void test_record(void **state)
{
	static const struct {
		uint64_t id;
		int32_t status;
	} queries[] = {
		{PV_TIME_FEATURES, 0},
		{PV_TIME_ST, 0},
		{0xffffffffc5000021ull, 0},
		{0xc5000022u, -1},
		{0x85000021u, -1},
		{0x84000053u, -1},
		{0, -1},
	};
	struct world *world = with(0, true);

	(void)state;
	assert_int_equal(hvc_vcpu_set_stolen_time(world->vcpus[0], RECORD + 32), HVC_EINVAL);
	assert_int_equal(hvc_vcpu_set_stolen_time(world->vcpus[0], RECORD), HVC_OK);
	assert_int_equal(hvc_vcpu_set_stolen_time(world->vcpus[0], RECORD + 64), HVC_EEXIST);
	assert_int_equal(ask(world, 0, ARCH_FEATURES, PV_TIME_FEATURES), 0);
	for (size_t i = 0; i < COUNT_OF(queries); i++) {
		assert_int_equal(ask(world, 0, PV_TIME_FEATURES, queries[i].id),
				 STATUS(queries[i].status));
	}
	assert_int_equal(world->record, 0);
	assert_int_equal(ask(world, 0, PV_TIME_ST, 9), RECORD);
	assert_int_equal(world->record, RECORD);
	world->time_fails = true;
	assert_int_equal(ask(world, 0, PV_TIME_ST, 9), STATUS(NOT_SUPPORTED));
	/* A vCPU without a record has no stolen time. */
	assert_int_equal(ask(world, 1, ARCH_FEATURES, PV_TIME_FEATURES), 0);
	assert_int_equal(ask(world, 1, PV_TIME_FEATURES, PV_TIME_FEATURES), STATUS(NOT_SUPPORTED));
	assert_int_equal(ask(world, 1, PV_TIME_FEATURES, PV_TIME_ST), STATUS(NOT_SUPPORTED));
	world->time_fails = false;
	world->record = 0;
	assert_int_equal(ask(world, 1, PV_TIME_ST, 9), STATUS(NOT_SUPPORTED));
	assert_int_equal(world->record, 0);
	world_free(world);
}

/* A record at 0 is a record. */
static void test_record_at_0(void **state)
{
	struct world *world = with(0, true);

	(void)state;
	assert_int_equal(hvc_vcpu_set_stolen_time(world->vcpus[1], 0), HVC_OK);
	assert_int_equal(ask(world, 1, PV_TIME_FEATURES, PV_TIME_ST), 0);
	assert_int_equal(ask(world, 1, PV_TIME_ST, 9), 0);
	world_free(world);
}

/* Denying one of the two: the other says so. */
static void test_denied(void **state)
{
	static const struct paint rules[] = {{PV_TIME_ST, PV_TIME_ST, HVC_DENY}};

	(void)state;
	for (unsigned int raw = 0; raw < 2; raw++) {
		struct hvc_settings settings;
		struct world *world;

		hvc_settings_init(&settings);
		settings.discovery = raw ? HVC_DISCOVERY_RAW : HVC_DISCOVERY_COHERENT;
		world = world_new(&(struct world_setup){
			.settings = &settings, .rules = rules, .rule_count = 1, .host_time = true});
		assert_int_equal(hvc_vcpu_set_stolen_time(world->vcpus[0], RECORD), HVC_OK);
		assert_int_equal(ask(world, 0, PV_TIME_FEATURES, PV_TIME_ST),
				 raw ? 0 : STATUS(NOT_SUPPORTED));
		assert_int_equal(ask(world, 0, PV_TIME_FEATURES, PV_TIME_FEATURES), 0);
		assert_int_equal(ask(world, 0, PV_TIME_ST, 0), STATUS(NOT_SUPPORTED));
		world_free(world);
	}
}

/* A host that has neither: absent, and discovery says so. */
static void test_no_callbacks(void **state)
{
	struct world *world = with(0, false);
	struct world *bare = world_new(&(struct world_setup){.no_platform = true});

	(void)state;
	assert_int_equal(hvc_vcpu_set_stolen_time(world->vcpus[0], RECORD), HVC_OK);
	assert_int_equal(ask(world, 0, ARCH_FEATURES, PV_TIME_FEATURES), STATUS(NOT_SUPPORTED));
	assert_int_equal(ask(world, 0, PV_TIME_FEATURES, PV_TIME_ST), STATUS(NOT_SUPPORTED));
	assert_int_equal(ask(world, 0, PV_TIME_ST, 0), STATUS(NOT_SUPPORTED));
	assert_int_equal(ask(world, 0, KVM_PTP, 0), STATUS(NOT_SUPPORTED));
	assert_int_equal(world_ask(world, KVM_FEATURES, 0, 0, 0), 1);
	assert_int_equal(world_ask(bare, PV_TIME_ST, 0, 0, 0), STATUS(NOT_SUPPORTED));
	assert_int_equal(world_ask(bare, KVM_PTP, 0, 0, 0), STATUS(NOT_SUPPORTED));
	world_free(bare);
	world_free(world);
}

static void test_ptp(void **state)
{
	static const struct {
		uint64_t which;
		bool fine;
		uint64_t high, low;
	} calls[] = {
		{0, true, 0x11, 0xfffffff0u},
		{1, true, 0x12345678u, 0x87654321u},
		{0xffffffff00000000ull, true, 0x11, 0xfffffff0u},
		{0xffffffff00000001ull, true, 0x12345678u, 0x87654321u},
		{2, false, 0, 0},
		{0xffffffffu, false, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(calls) * 2; i++) {
		bool zeroes = i % 2;
		struct world *world = with(zeroes ? HVC_QUIRK_ZERO_X1_X3 : 0, true);
		uint64_t which = calls[i / 2].which;
		struct hvc_frame frame = world_call(world, KVM_PTP, which, 2, 3);

		if (calls[i / 2].fine) {
			assert_int_equal(frame.x[0], 0x18ea46b8u);
			assert_int_equal(frame.x[1], 0x88220ca0u);
			assert_int_equal(frame.x[2], calls[i / 2].high);
			assert_int_equal(frame.x[3], calls[i / 2].low);
		}
		world->time_fails = calls[i / 2].fine;
		frame = world_call(world, KVM_PTP, which, 2, 3);
		assert_int_equal(frame.x[0], STATUS(NOT_SUPPORTED));
		assert_int_equal(frame.x[1], zeroes ? 0 : which);
		assert_int_equal(frame.x[2], zeroes ? 0 : 2);
		assert_int_equal(frame.x[3], zeroes ? 0 : 3);
		world_free(world);
	}
}

/* Each by its own bit; PTP does not need the bit of UID and features. */
static void test_gates(void **state)
{
	(void)state;
	for (unsigned int bits = 0; bits < 4; bits++) {
		struct hvc_settings settings;
		struct world *world;

		hvc_settings_init(&settings);
		settings.regs[HVC_REG_VENDOR_HYP_BMAP] = bits;
		settings.regs[HVC_REG_STD_HYP_BMAP] = bits & 1;
		world = world_new(&(struct world_setup){.settings = &settings, .host_time = true});
		assert_int_equal(hvc_vcpu_set_stolen_time(world->vcpus[0], RECORD), HVC_OK);
		assert_int_equal(world_ask(world, KVM_FEATURES, 0, 0, 0),
				 bits & 1 ? bits : STATUS(NOT_SUPPORTED));
		assert_int_equal(world_ask(world, KVM_PTP, 0, 0, 0) == STATUS(NOT_SUPPORTED),
				 !(bits & 2));
		assert_int_equal(ask(world, 0, ARCH_FEATURES, PV_TIME_FEATURES),
				 bits & 1 ? 0 : STATUS(NOT_SUPPORTED));
		assert_int_equal(ask(world, 0, PV_TIME_ST, 0),
				 bits & 1 ? RECORD : STATUS(NOT_SUPPORTED));
		world_free(world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_record), cmocka_unit_test(test_record_at_0),
		cmocka_unit_test(test_denied), cmocka_unit_test(test_no_callbacks),
		cmocka_unit_test(test_ptp),    cmocka_unit_test(test_gates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
