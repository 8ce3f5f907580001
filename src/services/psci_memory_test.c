/* SPDX-License-Identifier: BSD-2-Clause */
/* PSCI (DEN0022, 5.14 and 5.15): MEM_PROTECT and its range check. */
#include "cmocka_all.h"
#include "psci_calls.h"

#define FEATURES    0x8400000au
#define MEM_PROTECT 0x84000013u
#define CHECK_RANGE 0x84000014u
#define WIDE        HVC_ID_64
#define HIGH        0xffffffff00000000ull
#define RAM_END     0x80000000ull

static struct world *make(bool callbacks)
{
	struct hvc_settings settings;
	struct world *world;

	assert_int_equal(hvc_settings_profile(&settings, 2), HVC_OK);
	world = world_new(&(struct world_setup){.settings = &settings, .host_power = callbacks});
	world->ram_end = RAM_END;
	return world;
}

/* The answer is what was; anything but 0 is on; 32 bits of it. */
static void test_protect(void **state)
{
	static const struct {
		uint64_t enable;
		unsigned int before;
		bool after;
	} steps[] = {
		{0, 0, false}, {1, 0, true},     {1, 1, true}, {0x80000000u, 1, true},
		{0, 1, false}, {HIGH, 0, false}, {2, 0, true}, {HIGH, 1, false},
	};
	struct world *world = make(true);

	(void)state;
	assert_false(hvc_vm_mem_protected(world->vm));
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		assert_int_equal(world_ask(world, MEM_PROTECT, steps[i].enable, 7, 7),
				 steps[i].before);
		assert_int_equal(hvc_vm_mem_protected(world->vm), steps[i].after);
		assert_int_equal(world->protected, steps[i].after);
		assert_int_equal(world->protects, i + 1);
	}
	world_free(world);
}

/* A host that cannot: nothing has changed. */
static void test_host_cannot(void **state)
{
	struct world *world = make(true);

	(void)state;
	for (unsigned int on = 0; on < 2; on++) {
		world->protect_fails = false;
		world_ask(world, MEM_PROTECT, on, 0, 0);
		world->protect_fails = true;
		assert_int_equal(world_ask(world, MEM_PROTECT, !on, 0, 0),
				 STATUS(INTERNAL_FAILURE));
		assert_int_equal(hvc_vm_mem_protected(world->vm), on);
		assert_int_equal(world->protected, on);
	}
	world_free(world);
}

/* Another CPU asks for the opposite while the host is being told: it is told that, too. */
static bool tell_meanwhile(void *host, bool on)
{
	struct world *world = host;
	bool first = world->protects == 0;

	world->protects++;
	if (first) {
		struct hvc_frame frame = world_frame(MEM_PROTECT, 0, 0, 0);

		assert_int_equal(hvc_call(world->vcpus[1], HVC_CONDUIT_HVC, 0, &frame), HVC_RESUME);
		assert_int_equal(frame.x[0], 1);
	}
	world->protected = on;
	return true;
}

static void test_told_last(void **state)
{
	struct hvc_settings settings;
	struct world *world;

	(void)state;
	assert_int_equal(hvc_settings_profile(&settings, 2), HVC_OK);
	world = world_new(
		&(struct world_setup){.settings = &settings, .host_power = true, .vcpu_count = 2});
	world->platform.mem_protect = tell_meanwhile;
	assert_int_equal(world_ask(world, MEM_PROTECT, 1, 0, 0), 0);
	assert_false(hvc_vm_mem_protected(world->vm));
	assert_false(world->protected);
	world_free(world);
}

static const struct {
	uint32_t id;
	uint64_t base, length;
	int32_t status;  /* is_ram_range is asked */
	int32_t by_ends; /* is_ram is asked, of both ends */
} ranges[] = {
	{CHECK_RANGE, 0, 1, SUCCESS, SUCCESS},
	{CHECK_RANGE, 0, RAM_END, SUCCESS, SUCCESS},
	{CHECK_RANGE, 0, RAM_END + 1, DENIED, DENIED},
	{CHECK_RANGE, RAM_END - 1, 1, SUCCESS, SUCCESS},
	{CHECK_RANGE, RAM_END - 1, 2, DENIED, DENIED},
	{CHECK_RANGE, RAM_END, 1, DENIED, DENIED},
	{CHECK_RANGE, 0x1000, 0, DENIED, DENIED},
	{CHECK_RANGE, HIGH | 0x1000, HIGH | 0x1000, SUCCESS, SUCCESS},
	{CHECK_RANGE | WIDE, HIGH | 0x1000, 0x1000, DENIED, DENIED},
	{CHECK_RANGE | WIDE, 0x1000, HIGH | 0x1000, DENIED, DENIED},
	{CHECK_RANGE | WIDE, 0x1000, 0ull - 0x1000, DENIED, DENIED}, /* ends at 2^64 */
	{CHECK_RANGE | WIDE, 0x1000, 0ull - 0xfff, DENIED, DENIED},  /* wraps to 0, RAM */
	{CHECK_RANGE | WIDE, 0, UINT64_MAX, DENIED, DENIED},
	{CHECK_RANGE | WIDE, UINT64_MAX, 1, DENIED, DENIED},
	{CHECK_RANGE | WIDE, UINT64_MAX, 2, DENIED, DENIED},
};

static void test_ranges(void **state)
{
	struct world *world = make(true);

	(void)state;
	for (unsigned int on = 0; on < 2; on++) {
		bool (*const is_ram_range)(void *, uint64_t,
					   uint64_t) = world->platform.is_ram_range;

		world_ask(world, MEM_PROTECT, on, 0, 0); /* does not matter */
		for (size_t i = 0; i < COUNT_OF(ranges); i++) {
			assert_int_equal(world_ask(world, ranges[i].id, ranges[i].base,
						   ranges[i].length, 0),
					 STATUS(ranges[i].status));
		}
		world->platform.is_ram_range = NULL;
		for (size_t i = 0; i < COUNT_OF(ranges); i++) {
			assert_int_equal(world_ask(world, ranges[i].id, ranges[i].base,
						   ranges[i].length, 0),
					 STATUS(ranges[i].by_ends));
		}
		world->platform.is_ram_range = is_ram_range;
	}
	/* Nobody knows what is RAM: then nothing is known to be protected. */
	world->platform.is_ram_range = NULL;
	world->platform.is_ram = NULL;
	assert_int_equal(world_ask(world, CHECK_RANGE, 0, 1, 0), STATUS(DENIED));
	world_free(world);
}

/* Both or none, and PSCI_FEATURES says so. */
static void test_presence(void **state)
{
	static const uint32_t ids[] = {MEM_PROTECT, CHECK_RANGE, CHECK_RANGE | WIDE};

	(void)state;
	for (unsigned int callbacks = 0; callbacks < 2; callbacks++) {
		struct world *world = make(callbacks);

		for (size_t i = 0; i < COUNT_OF(ids); i++) {
			uint64_t want = callbacks ? SUCCESS : STATUS(NOT_SUPPORTED);

			assert_int_equal(world_ask(world, FEATURES, ids[i], 0, 0), want);
			assert_int_equal(world_ask(world, ids[i], 0, 1, 0), want);
		}
		assert_int_equal(world_ask(world, FEATURES, MEM_PROTECT | WIDE, 0, 0),
				 STATUS(NOT_SUPPORTED));
		world_free(world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_protect),   cmocka_unit_test(test_host_cannot),
		cmocka_unit_test(test_told_last), cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_presence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
