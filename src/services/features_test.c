/* SPDX-License-Identifier: BSD-2-Clause */
/* What discovery says of functions that somebody else answers: what the policy states of them, or that they are there.
 * PSCI_FEATURES has a test of its own. */
#include "cmocka_all.h"
#include "world.h"

#define ARCH_FEATURES    0x80000001u
#define TRNG_FEATURES    0x84000051u
#define TRNG_RND         0x84000053u
#define TRNG_RND_64      0xc4000053u
#define PV_TIME_FEATURES 0xc5000020u
#define PV_TIME_ST       0xc5000021u
#define KVM_FEATURES     0x86000000u
#define KVM_PTP          0x86000001u

static const struct hvc_tables stated = {
	.size = sizeof(stated),
	.feature_count = 5,
	.features = {{HVC_FN_PV_TIME_ST, 0, 5},
		     {HVC_FN_TRNG_RND, 0, 0x1234},
		     {HVC_FN_PV_TIME_FEATURES, 0, 7},
		     {HVC_FN_KVM_PTP, 0, 9},
		     {HVC_FN_SMCCC_ARCH_FEATURES, 0, 11}}, /* cannot be forwarded */
};

/* A VM in which [first, last] has an action. Its host tells no time, so that PV time is there only if forwarded. */
static struct world *ruled(uint32_t first, uint32_t last, enum hvc_action action,
			   const struct hvc_tables *tables, uint32_t flags)
{
	static struct hvc_settings settings;
	const struct paint rule = {first, last, action};

	assert_int_equal(hvc_settings_profile(&settings, 2), HVC_OK);
	return world_new(&(struct world_setup){.settings = &settings,
					       .rules = &rule,
					       .rule_count = 1,
					       .tables = tables,
					       .flags = flags});
}

static void test_stated(void **state)
{
	static const struct {
		uint32_t first, last; /* what is forwarded */
		uint32_t query;
		uint64_t of;
		int32_t value, unstated;
	} asks[] = {
		{TRNG_RND, TRNG_RND, TRNG_FEATURES, TRNG_RND, 0x1234, 0},
		{TRNG_RND, TRNG_RND, TRNG_FEATURES, 0xffffffff00000000ull | TRNG_RND, 0x1234, 0},
		/* The other form is ours, and so is what is said of it. */
		{TRNG_RND, TRNG_RND, TRNG_FEATURES, TRNG_RND_64, 0, 0},
		{TRNG_RND_64, TRNG_RND_64, TRNG_FEATURES, TRNG_RND_64, 0x1234, 0},
		{TRNG_RND, TRNG_RND, TRNG_FEATURES, TRNG_FEATURES, 0, 0},
		{PV_TIME_ST, PV_TIME_ST, PV_TIME_FEATURES, PV_TIME_ST, -1, -1}, /* itself absent */
		{PV_TIME_FEATURES, PV_TIME_FEATURES, ARCH_FEATURES, PV_TIME_FEATURES, 7, 0},
		{PV_TIME_ST, PV_TIME_ST, ARCH_FEATURES, PV_TIME_FEATURES, -1, -1},
		{PV_TIME_ST, PV_TIME_ST, ARCH_FEATURES, ARCH_FEATURES, 0, 0},
		/* What a FEATURES call does not speak of it still does not. */
		{PV_TIME_ST, PV_TIME_ST, ARCH_FEATURES, PV_TIME_ST, -1, -1},
		{TRNG_RND, TRNG_RND, ARCH_FEATURES, TRNG_RND, -1, -1},
		{KVM_PTP, KVM_PTP, TRNG_FEATURES, KVM_PTP, -1, -1},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(asks); i++) {
		for (unsigned int n = 0; n < 2; n++) {
			struct world *world = ruled(asks[i].first, asks[i].last, HVC_FORWARD,
						    n == 0 ? &stated : NULL, HVC_VM_FORWARD);
			int32_t right = n == 0 ? asks[i].value : asks[i].unstated;

			if (world_ask(world, asks[i].query, asks[i].of, 0, 0) != STATUS(right)) {
				fail_msg("ask %zu, %s", i, n == 0 ? "stated" : "not stated");
			}
			world_free(world);
		}
	}
}

/* Denied, or forwarded to nobody: absent. Ours, or raw discovery: what the policy states is of somebody else's. */
static void test_not_forwarded(void **state)
{
	static const struct {
		enum hvc_action action;
		uint32_t flags;
		int32_t answer;
	} rules[] = {
		{HVC_DENY, HVC_VM_FORWARD, -1},
		{HVC_FORWARD, 0, -1},
		{HVC_HANDLE, HVC_VM_FORWARD, 0},
	};
	struct hvc_settings settings;
	const struct paint rule = {TRNG_RND, TRNG_RND, HVC_FORWARD};
	struct world *world;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rules); i++) {
		world = ruled(TRNG_RND, TRNG_RND, rules[i].action, &stated, rules[i].flags);
		assert_int_equal(world_ask(world, TRNG_FEATURES, TRNG_RND, 0, 0),
				 STATUS(rules[i].answer));
		world_free(world);
	}
	assert_int_equal(hvc_settings_profile(&settings, 2), HVC_OK);
	settings.discovery = HVC_DISCOVERY_RAW;
	world = world_new(&(struct world_setup){.settings = &settings,
						.rules = &rule,
						.rule_count = 1,
						.tables = &stated,
						.flags = HVC_VM_FORWARD});
	assert_int_equal(world_ask(world, TRNG_FEATURES, TRNG_RND, 0, 0), 0);
	world_free(world);
}

/* Who answers PV_TIME_ST has the record: a vCPU without one of ours has stolen time all the same. */
static void test_pv_time(void **state)
{
	const struct paint rule = {PV_TIME_ST, PV_TIME_ST, HVC_FORWARD};
	struct hvc_settings settings;

	(void)state;
	assert_int_equal(hvc_settings_profile(&settings, 2), HVC_OK);
	for (unsigned int n = 0; n < 4; n++) {
		struct world *world;

		settings.discovery = n == 2 ? HVC_DISCOVERY_RAW : HVC_DISCOVERY_COHERENT;
		world = world_new(&(struct world_setup){.settings = &settings,
							.rules = &rule,
							.rule_count = n != 3,
							.tables = n == 0 ? &stated : NULL,
							.host_time = true,
							.flags = HVC_VM_FORWARD});
		assert_int_equal(world_ask(world, PV_TIME_FEATURES, PV_TIME_ST, 0, 0),
				 n == 0 ? 5 : STATUS(n == 1 ? 0 : -1));
		assert_int_equal(world_ask(world, PV_TIME_FEATURES, PV_TIME_FEATURES, 0, 0),
				 STATUS(-1)); /* that one is ours */
		world_free(world);
	}
}

/* The bitmap has bits, whatever is stated. */
static void test_bitmap(void **state)
{
	struct world *world = ruled(KVM_PTP, KVM_PTP, HVC_FORWARD, &stated, HVC_VM_FORWARD);

	(void)state;
	assert_int_equal(world_call(world, KVM_FEATURES, 0, 0, 0).x[0], 3);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stated),
		cmocka_unit_test(test_not_forwarded),
		cmocka_unit_test(test_pv_time),
		cmocka_unit_test(test_bitmap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
