/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls of a protected guest about its RAM: presence, arguments, what the host hears, and the books against a model. */
#include <string.h>

#include "cmocka_all.h"
#include "pkvm_state.h"
#include "world.h"

#define KVM_FEATURES 0x86000000u
#define MEMINFO      0xc6000002u
#define SHARE        0xc6000003u
#define UNSHARE      0xc6000004u
#define RELINQUISH   0xc6000009u
#define BASE         WORLD_SHARE_BASE
enum { GRANULE = 4096, GRANULES = 130, INVALID_PARAMETER = -3 };

static struct world *protected_world(struct world_setup setup)
{
	static struct hvc_settings settings;

	if (setup.settings == NULL) {
		assert_int_equal(hvc_settings_profile(&settings, 2), HVC_OK);
		setup.settings = &settings;
	}
	setup.share_ram = GRANULES * GRANULE;
	return world_new(&setup);
}

static void check_absent(struct world *world)
{
	for (uint32_t number = 2; number <= 11; number++) {
		assert_int_equal(world_ask(world, 0xc6000000u | number, BASE, 0, 0), STATUS(-1));
		assert_int_equal(world_call(world, KVM_FEATURES, 0, 0, 0).x[0] >> number & 1, 0);
	}
	world_free(world);
}

static void test_absent(void **state)
{
	struct hvc_settings settings;
	struct world *world;

	(void)state;
	hvc_settings_init(&settings); /* hvcgate-1 knows none of it */
	check_absent(protected_world((struct world_setup){.settings = &settings}));

	assert_int_equal(hvc_settings_profile(&settings, 2), HVC_OK);
	check_absent(world_new(&(struct world_setup){.settings = &settings})); /* no memory */

	settings.vendor_uid[0] ^= 1; /* not KVM's range */
	world = protected_world((struct world_setup){.settings = &settings});
	assert_int_equal(world_ask(world, MEMINFO, 0, 0, 0), STATUS(-1));
	assert_int_equal(world_ask(world, SHARE, BASE, 0, 0), STATUS(-1));
	world_free(world);
}

/* D: what discovery says is what dispatch does, function by function. */
static void test_features(void **state)
{
	static const struct paint rules[] = {{SHARE, SHARE, HVC_DENY},
					     {0xc6000008u, 0xc6000009u, HVC_DENY}};
	struct world *world = protected_world((struct world_setup){0});

	(void)state;
	assert_int_equal(world_call(world, KVM_FEATURES, 0, 0, 0).x[0], 0xffdu);
	world_free(world);

	world = protected_world((struct world_setup){.rules = rules, .rule_count = 2});
	assert_int_equal(world_call(world, KVM_FEATURES, 0, 0, 0).x[0],
			 0xffdu & ~(1u << 3 | 1u << 8 | 1u << 9));
	assert_int_equal(world_ask(world, SHARE, BASE, 0, 0), STATUS(-1));
	world_free(world);
}

static void test_meminfo(void **state)
{
	struct world *world = protected_world((struct world_setup){0});
	struct hvc_frame frame;

	(void)state;
	for (unsigned int n = 1; n <= 3; n++) {
		const uint64_t high = 1ull << 63;

		frame = world_call(world, MEMINFO, n == 1 ? high : 0, n == 2 ? high : 0,
				   n == 3 ? high : 0);
		assert_int_equal(frame.x[0], STATUS(INVALID_PARAMETER));
	}
	frame = world_call(world, MEMINFO, 0, 0, 0);
	assert_int_equal(frame.x[0], GRANULE);
	assert_int_equal(frame.x[1], 0); /* of ranges, which Android has here */
	world_free(world);
}

/* In turn, on one VM. */
static void test_arguments(void **state)
{
	static const struct {
		uint32_t id;
		uint64_t x1, x2, x3;
		int32_t status;
	} calls[] = {
		{UNSHARE, BASE, 0, 0, -3},
		{SHARE, BASE, 0, 0, 0},
		{SHARE, BASE, 0, 0, -3}, /* twice */
		{SHARE, BASE + GRANULE, 1, 0, -3},
		{SHARE, BASE + GRANULE, 1ull << 40, 0, -3},
		{SHARE, BASE + GRANULE, 0, 1, -3},
		{SHARE, BASE + GRANULE, 0, 1ull << 63, -3},
		{SHARE, BASE + GRANULE + 1, 0, 0, -3},
		{SHARE, BASE + GRANULE + 2048, 0, 0, -3},
		{SHARE, BASE - GRANULE, 0, 0, -3},
		{SHARE, BASE + GRANULES * GRANULE, 0, 0, -3},
		{SHARE, 0, 0, 0, -3},
		{SHARE, ~0ull << 12, 0, 0, -3},
		{SHARE, BASE | 1ull << 52, 0, 0, -3},
		{SHARE, BASE | 1ull << 63, 0, 0, -3},
		{SHARE, BASE + (GRANULES - 1) * GRANULE, 0, 0, 0},
		{UNSHARE, BASE, 1, 0, -3},
		{UNSHARE, BASE, 0, 1, -3},
		{UNSHARE, BASE + 8, 0, 0, -3},
		{UNSHARE, BASE, 0, 0, 0},
		{UNSHARE, BASE, 0, 0, -3}, /* twice */
		{UNSHARE, BASE + GRANULE, 0, 0, -3},
		{UNSHARE, BASE + GRANULES * GRANULE, 0, 0, -3},
		{SHARE, BASE, 0, 0, 0}, /* again */
		{RELINQUISH, BASE, 1, 0, -3},
		{RELINQUISH, BASE, 0, 1, -3},
		{RELINQUISH, BASE + 4, 0, 0, -3},
		{RELINQUISH, BASE - GRANULE, 0, 0, -3},
		{RELINQUISH, BASE, 0, 0, 0},
		{UNSHARE, BASE, 0, 0, -3}, /* it is not shared any more */
		{RELINQUISH, BASE, 0, 0, 0},
		{SHARE, BASE, 0, 0, 0},
	};
	struct world *world = protected_world((struct world_setup){0});

	(void)state;
	for (size_t i = 0; i < COUNT_OF(calls); i++) {
		unsigned int told = world->share_calls;
		struct hvc_frame frame = world_call(world, calls[i].id, calls[i].x1, calls[i].x2,
						    calls[i].x3);

		if (frame.x[0] != STATUS(calls[i].status)) {
			fail_msg("call %zu: 0x%llx", i, (unsigned long long)frame.x[0]);
		}
		assert_int_equal(frame.x[1], calls[i].x1);
		assert_int_equal(frame.x[2], calls[i].x2);
		assert_int_equal(frame.x[3], calls[i].x3);
		/* The host hears of what was done and of nothing else. */
		assert_int_equal(world->share_calls, told + (calls[i].status == 0));
		if (calls[i].status == 0) {
			assert_int_equal(world->shared.what, calls[i].id == SHARE ? HVC_SHARE_MEM
							     : calls[i].id == UNSHARE
								     ? HVC_SHARE_MEM_BACK
								     : HVC_SHARE_RELINQUISH);
			assert_int_equal(world->shared.ipa, calls[i].x1);
			assert_int_equal(world->shared.bytes, GRANULE);
			assert_int_equal(world->shared.vcpu, 0);
		}
	}
	world_free(world);
}

/* Hosts without the callback, or without any: the books are all there is. */
static void test_no_host(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		struct world *world = protected_world((struct world_setup){.no_platform = i == 1});

		world->platform.share = NULL;
		assert_int_equal(world_ask(world, SHARE, BASE, 0, 0), 0);
		assert_int_equal(world_ask(world, SHARE, BASE, 0, 0), STATUS(-3));
		assert_int_equal(world_ask(world, UNSHARE, BASE, 0, 0), 0);
		assert_int_equal(world_ask(world, RELINQUISH, BASE, 0, 0), 0);
		world_free(world);
	}
}

/* Which granules the books say are shared. */
static void read_books(const struct world *world, bool shared[GRANULES])
{
	struct share_range range = {0, 0};

	memset(shared, 0, GRANULES * sizeof(*shared));
	while (shares_next(world->vm->shares, range.ipa + range.bytes, &range)) {
		assert_int_equal(range.ipa % GRANULE, 0);
		assert_int_equal(range.bytes % GRANULE, 0);
		for (uint64_t ipa = range.ipa; ipa != range.ipa + range.bytes; ipa += GRANULE) {
			uint64_t i = (ipa - BASE) / GRANULE;

			assert_true(i < GRANULES && !shared[i]);
			shared[i] = true;
		}
	}
}

/* Random calls, and a host that does not always go along, against an array of booleans. */
static void test_model(void **state)
{
	static const uint32_t ids[] = {SHARE, UNSHARE, RELINQUISH};
	struct world *world = protected_world((struct world_setup){.vcpu_count = 2});
	bool model[GRANULES] = {false}, books[GRANULES];
	struct rng rng = {77};

	(void)state;
	for (unsigned int n = 0; n < 20000; n++) {
		uint32_t id = ids[rng_below(&rng, 3)];
		uint64_t i = rng_below(&rng, GRANULES);
		struct hvc_frame frame = world_frame(id, BASE + i * GRANULE, 0, 0);
		bool fits = id == RELINQUISH || model[i] == (id == UNSHARE);
		unsigned int vcpu = rng_below(&rng, 2);

		world->share_fails = rng_below(&rng, 4) == 0;
		hvc_call(world->vcpus[vcpu], HVC_CONDUIT_HVC, 0, &frame);
		if (fits) {
			assert_int_equal(world->shared.vcpu, vcpu);
		}
		fits = fits && !world->share_fails;
		assert_int_equal(frame.x[0], fits ? 0 : STATUS(INVALID_PARAMETER));
		model[i] = fits ? id == SHARE : model[i];
		if (n % 64 == 0) {
			read_books(world, books);
			assert_memory_equal(books, model, sizeof(model));
		}
	}
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_absent),  cmocka_unit_test(test_features),
		cmocka_unit_test(test_meminfo), cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_no_host), cmocka_unit_test(test_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
