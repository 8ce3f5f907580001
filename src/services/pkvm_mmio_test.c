/* SPDX-License-Identifier: BSD-2-Clause */
/* The MMIO guard: where, how many, ranges, and what the host hears. */
#include "cmocka_all.h"
#include "pkvm_state.h"
#include "world.h"

#define INFO        0xc6000005u
#define ENROLL      0xc6000006u
#define GUARD       0xc6000007u
#define UNMAP       0xc6000008u
#define RANGE       0xc600000au
#define RANGE_UNMAP 0xc600000bu
#define RAM         WORLD_SHARE_BASE
#define DEVICE      0x09000000ull
enum { GRANULE = 4096, RAM_BYTES = 16 * GRANULE, STEP = 32, INVALID_PARAMETER = -3 };

static struct world *protected_world(const struct paint *rule)
{
	struct hvc_settings settings;

	assert_int_equal(hvc_settings_profile(&settings, 2), HVC_OK);
	return world_new(&(struct world_setup){.settings = &settings,
					       .rules = rule,
					       .rule_count = rule != NULL,
					       .share_ram = RAM_BYTES});
}

static bool is_guarded(const struct world *world, uint64_t ipa)
{
	unsigned int found = 0;
	uint64_t at;

	for (unsigned int slot = 0; slot < SHARE_MMIO_SLOTS; slot++) {
		found += shares_mmio_at(world->vm->shares, slot, &at) && at == ipa;
	}
	assert_true(found <= 1);
	return found == 1;
}

static void test_info(void **state)
{
	static const struct paint rule = {RANGE_UNMAP, RANGE_UNMAP, HVC_DENY};
	struct world *world = protected_world(NULL);
	struct hvc_frame frame = world_call(world, INFO, 7, 8, 9);

	(void)state;
	assert_int_equal(frame.x[0], GRANULE);
	assert_int_equal(frame.x[1], 1); /* there are ranges */
	assert_int_equal(frame.x[2], 8);
	world_free(world);

	world = protected_world(&rule);
	frame = world_call(world, INFO, 7, 8, 9);
	assert_int_equal(frame.x[0], GRANULE);
	assert_int_equal(frame.x[1], 0);
	world_free(world);
}

/* In turn, on one VM. */
static void test_arguments(void **state)
{
	static const struct {
		uint32_t id;
		uint64_t x1, x2, x3;
		int32_t status;
		bool told;
	} calls[] = {
		{UNMAP, DEVICE, 0, 0, 0, false}, /* nothing to do */
		{GUARD, DEVICE, 0, 0, 0, true},
		{GUARD, DEVICE, 0, 0, 0, false}, /* it is */
		{GUARD, DEVICE + 8, 0, 0, -3, false},
		{GUARD, DEVICE + GRANULE, 1, 0, -3, false},
		{GUARD, DEVICE + GRANULE, 0, 1ull << 63, -3, false},
		{GUARD, RAM, 0, 0, -3, false},
		{GUARD, RAM + RAM_BYTES - GRANULE, 0, 0, -3, false},
		{GUARD, RAM - GRANULE, 0, 0, 0, true},
		{GUARD, RAM + RAM_BYTES, 0, 0, 0, true},
		{GUARD, 0, 0, 0, 0, true},
		{GUARD, 0, 0, 0, 0, false},
		{GUARD, (1ull << 52) - GRANULE, 0, 0, 0, true},
		{GUARD, 1ull << 52, 0, 0, -3, false},
		{GUARD, ~0ull << 12, 0, 0, -3, false},
		{UNMAP, DEVICE, 1, 0, -3, false},
		{UNMAP, DEVICE, 0, 1, -3, false},
		{UNMAP, DEVICE + 1, 0, 0, -3, false},
		{UNMAP, RAM, 0, 0, -3, false},
		{UNMAP, DEVICE, 0, 0, 0, true},
		{UNMAP, DEVICE, 0, 0, 0, false},
		{GUARD, DEVICE, 0, 0, 0, true},
		{UNMAP, 0, 0, 0, 0, true},
	};
	struct world *world = protected_world(NULL);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(calls); i++) {
		unsigned int told = world->share_calls;
		uint64_t x0 = world_ask(world, calls[i].id, calls[i].x1, calls[i].x2, calls[i].x3);

		if (x0 != STATUS(calls[i].status)) {
			fail_msg("call %zu: 0x%llx", i, (unsigned long long)x0);
		}
		assert_int_equal(world->share_calls, told + calls[i].told);
		if (calls[i].told) {
			assert_int_equal(world->shared.what, calls[i].id == GUARD
								     ? HVC_SHARE_MMIO
								     : HVC_SHARE_MMIO_BACK);
			assert_int_equal(world->shared.ipa, calls[i].x1);
			assert_int_equal(world->shared.bytes, GRANULE);
		}
		if (x0 == 0) {
			assert_int_equal(is_guarded(world, calls[i].x1), calls[i].id == GUARD);
		}
	}
	world_free(world);
}

static void test_host_refuses(void **state)
{
	struct world *world = protected_world(NULL);

	(void)state;
	world->share_fails = true;
	assert_int_equal(world_ask(world, GUARD, DEVICE, 0, 0), STATUS(INVALID_PARAMETER));
	assert_false(is_guarded(world, DEVICE));
	world->share_fails = false;
	assert_int_equal(world_ask(world, GUARD, DEVICE, 0, 0), 0);
	world->share_fails = true;
	assert_int_equal(world_ask(world, UNMAP, DEVICE, 0, 0), STATUS(INVALID_PARAMETER));
	assert_true(is_guarded(world, DEVICE));
	world->share_fails = false;
	assert_int_equal(world_ask(world, UNMAP, DEVICE, 0, 0), 0);
	assert_false(is_guarded(world, DEVICE));
	world_free(world);
}

/* Every granule keeps its slot, so that this many different ones and no more can be guarded. */
static void test_full(void **state)
{
	struct world *world = protected_world(NULL);
	const uint64_t far = 7777 * (uint64_t)GRANULE; /* they all want the same slot */

	(void)state;
	for (uint64_t i = 0; i < SHARE_MMIO_SLOTS; i++) {
		assert_int_equal(
			world_ask(world, GUARD, far + i * SHARE_MMIO_SLOTS * GRANULE, 0, 0), 0);
	}
	assert_int_equal(world_ask(world, GUARD, DEVICE, 0, 0), STATUS(INVALID_PARAMETER));
	assert_int_equal(world_ask(world, UNMAP, DEVICE, 0, 0), 0);
	assert_int_equal(world_ask(world, UNMAP, far, 0, 0), 0);
	assert_int_equal(world_ask(world, GUARD, DEVICE, 0, 0), STATUS(INVALID_PARAMETER));
	assert_int_equal(world_ask(world, GUARD, far, 0, 0), 0);
	for (uint64_t i = 0; i < SHARE_MMIO_SLOTS; i++) {
		assert_true(is_guarded(world, far + i * SHARE_MMIO_SLOTS * GRANULE));
	}
	world_free(world);
}

static void test_ranges(void **state)
{
	static const struct {
		uint32_t id;
		uint64_t x1, x2, x3;
		int32_t status;
		uint64_t done;
	} calls[] = {
		{RANGE, DEVICE, 0, 0, -3, 0},
		{RANGE, DEVICE, 1, 1, -3, 0},
		{RANGE, DEVICE + 1, 4, 0, -3, 0},
		{RANGE, RAM, 4, 0, -3, 0},
		{RANGE, DEVICE, 40, 0, 0, STEP},
		{RANGE, DEVICE + STEP * GRANULE, 8, 0, 0, 8},
		{RANGE, DEVICE, UINT64_MAX, 0, 0, STEP}, /* they are */
		{RANGE, RAM - 3 * GRANULE, 8, 0, 0, 3},  /* up to RAM */
		{RANGE, (1ull << 52) - 2 * GRANULE, 8, 0, 0, 2},
		{RANGE, ~0ull << 12, 8, 0, -3, 0}, /* and not on at 0 */
		{RANGE_UNMAP, DEVICE, 0, 0, -3, 0},
		{RANGE_UNMAP, DEVICE, 2, 7, -3, 0},
		{RANGE_UNMAP, RAM, 1, 0, -3, 0},
		{RANGE_UNMAP, DEVICE, 40, 0, 0, STEP},
		{RANGE_UNMAP, DEVICE + STEP * GRANULE, 8, 0, 0, 8},
	};
	struct world *world = protected_world(NULL);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(calls); i++) {
		struct hvc_frame frame = world_call(world, calls[i].id, calls[i].x1, calls[i].x2,
						    calls[i].x3);

		if (frame.x[0] != STATUS(calls[i].status)) {
			fail_msg("call %zu: 0x%llx", i, (unsigned long long)frame.x[0]);
		}
		assert_int_equal(frame.x[1], frame.x[0] == 0 ? calls[i].done : calls[i].x1);
		assert_int_equal(frame.x[2], calls[i].x2);
		for (uint64_t n = 0; n < calls[i].done; n++) {
			assert_int_equal(is_guarded(world, calls[i].x1 + n * GRANULE),
					 calls[i].id == RANGE);
		}
	}
	world_free(world);
}

/* For the whole VM, and the host hears of it once. */
static void test_enroll(void **state)
{
	struct world *world = protected_world(NULL);

	(void)state;
	world->share_fails = true;
	assert_int_equal(world_ask(world, ENROLL, 5, 5, 5), STATUS(INVALID_PARAMETER));
	assert_int_equal(world->vm->shares->enrolled, 0);
	world->share_fails = false;
	assert_int_equal(world_ask(world, ENROLL, 5, 5, 5), 0);
	assert_int_equal(world->vm->shares->enrolled, 1);
	assert_int_equal(world->shared.what, HVC_SHARE_ENROLL);
	assert_int_equal(world->share_calls, 2);
	assert_int_equal(world_ask(world, ENROLL, 5, 5, 5), 0);
	assert_int_equal(world->share_calls, 2);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_info),         cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_host_refuses), cmocka_unit_test(test_full),
		cmocka_unit_test(test_ranges),       cmocka_unit_test(test_enroll),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
