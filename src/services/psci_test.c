/* SPDX-License-Identifier: BSD-2-Clause */
/* PSCI (DEN0022): what each version has, discovery, and the calls that end or reset the system. */
#include "cmocka_all.h"
#include "psci_calls.h"

#define FEATURES 0x8400000au
#define RESET2   0x84000012u
#define OFF2     0x84000015u

static struct world *with_version(uint32_t version)
{
	struct hvc_settings settings;

	hvc_settings_init(&settings);
	settings.regs[HVC_REG_PSCI_VERSION] = version;
	return world_new(&(struct world_setup){.settings = &settings});
}

static enum hvc_verdict call(struct world *world, struct hvc_frame *frame)
{
	return hvc_call(world->vcpus[0], HVC_CONDUIT_HVC, 0, frame);
}

static const uint32_t versions[] = {HVC_VERSION(0, 2), HVC_VERSION(1, 0), HVC_VERSION(1, 1),
				    HVC_VERSION(1, 2), HVC_VERSION(1, 3)};

/* Every ID that a version may have; by hand from DEN0022. */
static const struct {
	uint32_t id;
	uint32_t since;
	int32_t features; /* what PSCI_FEATURES says when it is there */
} functions[] = {
	{0x84000000u, HVC_VERSION(0, 2), 0}, /* VERSION */
	{0x84000001u, HVC_VERSION(0, 2), 0}, /* CPU_SUSPEND */
	{0xc4000001u, HVC_VERSION(0, 2), 0},
	{0x84000002u, HVC_VERSION(0, 2), 0}, /* CPU_OFF */
	{0x84000003u, HVC_VERSION(0, 2), 0}, /* CPU_ON */
	{0xc4000003u, HVC_VERSION(0, 2), 0},
	{0x84000004u, HVC_VERSION(0, 2), 0}, /* AFFINITY_INFO */
	{0xc4000004u, HVC_VERSION(0, 2), 0},
	{0x84000006u, HVC_VERSION(0, 2), 0}, /* MIGRATE_INFO_TYPE */
	{0x84000008u, HVC_VERSION(0, 2), 0}, /* SYSTEM_OFF */
	{0x84000009u, HVC_VERSION(0, 2), 0}, /* SYSTEM_RESET */
	{0x8400000au, HVC_VERSION(1, 0), 0}, /* FEATURES */
	{0x8400000eu, HVC_VERSION(1, 0), 0}, /* SYSTEM_SUSPEND */
	{0xc400000eu, HVC_VERSION(1, 0), 0},
	{0x84000012u, HVC_VERSION(1, 1), 0}, /* SYSTEM_RESET2 */
	{0xc4000012u, HVC_VERSION(1, 1), 0},
	{0x84000015u, HVC_VERSION(1, 3), 1}, /* SYSTEM_OFF2: HIBERNATE_OFF */
	{0xc4000015u, HVC_VERSION(1, 3), 1},
};

static int find(uint32_t id)
{
	for (size_t i = 0; i < COUNT_OF(functions); i++) {
		if (functions[i].id == id) {
			return (int)i;
		}
	}
	return -1;
}

/* The number range of PSCI in every spelling: width, type, reserved bits (D5, D6, D9, D11). */
static void test_versions(void **state)
{
	static const uint32_t spellings[] = {0x84000000u, 0xc4000000u, 0x04000000u,
					     0x44000000u, 0x84010000u, 0xc4800000u};

	(void)state;
	for (size_t v = 0; v < COUNT_OF(versions); v++) {
		struct world *world = with_version(versions[v]);

		assert_int_equal(world_ask(world, 0x84000000u, 0, 0, 0), versions[v]);
		for (uint32_t n = 0; n < 0x40u * COUNT_OF(spellings); n++) {
			uint32_t id = spellings[n / 0x40] | (n & 0x3fu);
			int i = find(id);
			bool there = i >= 0 && functions[i].since <= versions[v];
			struct hvc_outcome outcome = hvc_filter_query(world->vm, id);
			uint64_t says = world_ask(world, FEATURES, id, 0, 0);

			assert_int_equal(outcome.decider == HVC_BY_SERVICE, there);
			if (versions[v] == HVC_VERSION(0, 2) || !there) {
				assert_int_equal(says, STATUS(NOT_SUPPORTED));
			} else {
				assert_int_equal(says, STATUS(functions[i].features));
			}
			if (!there) {
				assert_int_equal(world_ask(world, id, 0, 0, 0),
						 STATUS(NOT_SUPPORTED));
			}
		}
		world_free(world);
	}
}

/* PSCI_FEATURES knows PSCI and SMCCC_VERSION, nothing else; its argument is 32 bits wide. */
static void test_features_scope(void **state)
{
	static const struct {
		uint64_t id;
		int32_t status;
	} queries[] = {
		{0x80000000u, 0},  {0x80000001u, -1},          {0x84000050u, -1}, {0x8600ff01u, -1},
		{0, -1},           {0xffffffff84000000ull, 0}, {0x95c1ba60u, -1}, {0xffffffffu, -1},
		{0x84000005u, -1}, {0x84000007u, -1},
	};
	struct world *world = with_version(HVC_VERSION(1, 3));

	(void)state;
	for (size_t i = 0; i < COUNT_OF(queries); i++) {
		assert_int_equal(world_ask(world, FEATURES, queries[i].id, 0, 0),
				 STATUS(queries[i].status));
	}
	assert_int_equal(world_ask(world, 0x84000006u, 0, 0, 0), 2); /* MIGRATE_INFO_TYPE */
	world_free(world);
}

/* Of what somebody else answers PSCI_FEATURES says what the policy states, by ID; else what the engine's own has. */
static void test_forwarded_features(void **state)
{
	static const struct paint forwarded[] = {
		{0x84000001u, 0x84000001u, HVC_FORWARD}, /* CPU_SUSPEND/32, not /64 */
		{0x84000003u, 0x84000003u, HVC_FORWARD}, /* CPU_ON/32: the policy states nothing */
		{0x84000007u, 0x84000007u, HVC_FORWARD}, /* MIGRATE_INFO_UP_CPU, absent itself */
		{0x84000015u, 0x84000015u, HVC_FORWARD}, /* SYSTEM_OFF2/32 likewise */
		{0x84000009u, 0x84000009u, HVC_DENY},    /* SYSTEM_RESET */
	};
	static const struct hvc_tables tables = {
		.size = sizeof(tables),
		.feature_count = 4,
		.features = {{.fn = HVC_FN_PSCI_CPU_SUSPEND, .value = 3},
			     {.fn = HVC_FN_PSCI_MIGRATE_INFO_UP_CPU, .value = 0x7fffffff},
			     {.fn = HVC_FN_PSCI_SYSTEM_RESET, .value = 5},
			     {.fn = HVC_FN_PSCI_VERSION, .value = 6}},
	};
	static const struct {
		uint32_t id;
		int32_t attached, alone, raw;
	} queries[] = {
		{0x84000001u, 3, -1, 0}, {0xc4000001u, 0, 0, 0},
		{0x84000003u, 0, -1, 0}, {0x84000007u, 0x7fffffff, -1, -1},
		{0x84000015u, 1, -1, 1}, {0x84000009u, -1, -1, 0},
		{0x84000000u, 0, 0, 0}, /* handled: what the policy states is not asked */
	};

	(void)state;
	for (unsigned int way = 0; way < 3; way++) {
		struct hvc_settings settings;
		struct world *world;

		assert_int_equal(hvc_settings_profile(&settings, 2), HVC_OK);
		settings.discovery = way == 2 ? HVC_DISCOVERY_RAW : HVC_DISCOVERY_COHERENT;
		world = world_new(&(struct world_setup){.settings = &settings,
							.rules = forwarded,
							.rule_count = COUNT_OF(forwarded),
							.tables = &tables,
							.flags = way == 1 ? 0 : HVC_VM_FORWARD});
		for (size_t i = 0; i < COUNT_OF(queries); i++) {
			int32_t want = way == 0   ? queries[i].attached
				       : way == 1 ? queries[i].alone
						  : queries[i].raw;

			assert_int_equal(world_ask(world, FEATURES, queries[i].id, 0, 0),
					 STATUS(want));
		}
		world_free(world);
	}
}

static const struct system_call {
	uint32_t id;
	uint64_t x1, x2;
	enum hvc_verdict verdict;
	int32_t status; /* x0 afterwards, also if the host lets it run on */
	uint32_t type;
	uint64_t cookie;
} system_calls[] = {
	{0x84000008u, 9, 9, HVC_SYSTEM_OFF, INTERNAL_FAILURE, 0, 0},
	{0x84000009u, 9, 9, HVC_SYSTEM_RESET, INTERNAL_FAILURE, 0, 0},
	{RESET2, 0, 9, HVC_SYSTEM_RESET, INTERNAL_FAILURE, 0, 9},
	{RESET2, 0, 0xaabbccdd11223344ull, HVC_SYSTEM_RESET, INTERNAL_FAILURE, 0, 0x11223344u},
	{RESET2 | HVC_ID_64, 0, 0xaabbccdd11223344ull, HVC_SYSTEM_RESET, INTERNAL_FAILURE, 0,
	 0xaabbccdd11223344ull},
	{RESET2, 0x80000000u, 1, HVC_SYSTEM_RESET, INTERNAL_FAILURE, 0x80000000u, 1},
	{RESET2 | HVC_ID_64, 0xffffffffu, 1, HVC_SYSTEM_RESET, INTERNAL_FAILURE, 0xffffffffu, 1},
	{RESET2, 0xffffffff00000000ull, 1, HVC_SYSTEM_RESET, INTERNAL_FAILURE, 0, 1},
	{RESET2, 1, 0, HVC_RESUME, INVALID_PARAMETERS, 0, 0},
	{RESET2 | HVC_ID_64, 1, 0, HVC_RESUME, INVALID_PARAMETERS, 0, 0},
	{RESET2, 0x7fffffffu, 0, HVC_RESUME, INVALID_PARAMETERS, 0, 0},
	{OFF2, 0, 0, HVC_SYSTEM_OFF, INTERNAL_FAILURE, 1, 0},
	{OFF2, 1, 0, HVC_SYSTEM_OFF, INTERNAL_FAILURE, 1, 0},
	{OFF2 | HVC_ID_64, 1, 0, HVC_SYSTEM_OFF, INTERNAL_FAILURE, 1, 0},
	{OFF2, 0xffffffff00000001ull, 0xffffffff00000000ull, HVC_SYSTEM_OFF, INTERNAL_FAILURE, 1,
	 0},
	{OFF2, 2, 0, HVC_RESUME, INVALID_PARAMETERS, 0, 0},
	{OFF2, 3, 0, HVC_RESUME, INVALID_PARAMETERS, 0, 0},
	{OFF2, 0x80000000u, 0, HVC_RESUME, INVALID_PARAMETERS, 0, 0},
	{OFF2, 1, 1, HVC_RESUME, INVALID_PARAMETERS, 0, 0},
	{OFF2 | HVC_ID_64, 1, 1ull << 32, HVC_RESUME, INVALID_PARAMETERS, 0, 0},
};

static void test_system_calls(void **state)
{
	struct world *world = with_version(HVC_VERSION(1, 3));

	(void)state;
	for (size_t i = 0; i < COUNT_OF(system_calls); i++) {
		const struct system_call *c = &system_calls[i];
		struct hvc_frame frame = world_frame(c->id, c->x1, c->x2, 77);
		struct hvc_request request;

		assert_int_equal(call(world, &frame), c->verdict);
		assert_int_equal(frame.x[0], STATUS(c->status));
		assert_int_equal(frame.x[1], c->x1);
		assert_int_equal(frame.x[2], c->x2);
		assert_int_equal(frame.x[3], 77);
		if (c->verdict != HVC_RESUME) {
			request = hvc_vcpu_request(world->vcpus[0]);
			assert_int_equal(request.type, c->type);
			assert_int_equal(request.cookie, c->cookie);
			assert_int_equal(request.function, hvc_function_by_id(c->id));
		}
	}
	world_free(world);
}

static void test_no_system_suspend(void **state)
{
	struct hvc_settings settings;
	struct world *world;

	(void)state;
	hvc_settings_init(&settings);
	settings.system_suspend = 0;
	world = world_new(&(struct world_setup){.settings = &settings});
	assert_int_equal(world_ask(world, 0xc400000eu, 0, 0, 0), STATUS(NOT_SUPPORTED));
	assert_int_equal(world_ask(world, FEATURES, 0xc400000eu, 0, 0), STATUS(NOT_SUPPORTED));
	assert_int_equal(world_ask(world, FEATURES, 0x8400000eu, 0, 0), STATUS(NOT_SUPPORTED));
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_versions),           cmocka_unit_test(test_features_scope),
		cmocka_unit_test(test_forwarded_features), cmocka_unit_test(test_system_calls),
		cmocka_unit_test(test_no_system_suspend),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
