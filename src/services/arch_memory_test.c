/* SPDX-License-Identifier: BSD-2-Clause */
/* SMCCC (DEN0028 1.7, 7.10 and 7.11): memory cleaned out of caches. */
#include "cmocka_all.h"
#include "world.h"

enum { SUCCESS = 0, INVALID_PARAMETER = -3, BUSY = -5 };

#define ARCH_FEATURES 0x80000001u
#define CLEAN_INV     0xc0000005u
#define ATTRIBUTES    0xc0000006u
#define RAM_END       0x80000000ull

static struct world *make(uint32_t smccc, unsigned int profile, bool callbacks)
{
	struct hvc_settings settings;
	struct world *world;

	assert_int_equal(hvc_settings_profile(&settings, profile), HVC_OK);
	settings.smccc_version = smccc;
	world = world_new(&(struct world_setup){.settings = &settings, .host_power = callbacks});
	world->ram_end = RAM_END;
	return world;
}

static const struct {
	uint64_t base, length, flags;
	int32_t status;
	bool cleans;
} calls[] = {
	{0x1000, 0x2000, 0, SUCCESS, true},
	{0, RAM_END, 0, SUCCESS, true},
	{1, 1, 0, SUCCESS, true},
	{0x1000, 0x2000, 1, SUCCESS, false}, /* a dry run */
	{0x1000, 0x2000, 2, INVALID_PARAMETER, false},
	{0x1000, 0x2000, 1ull << 63, INVALID_PARAMETER, false},
	{0x1000, 0, 0, INVALID_PARAMETER, false},
	{RAM_END, 1, 0, INVALID_PARAMETER, false},
	{RAM_END - 1, 2, 0, INVALID_PARAMETER, false},
	{RAM_END - 1, 2, 1, INVALID_PARAMETER, false},
	{0x1000, 0ull - 0xfff, 0, INVALID_PARAMETER, false}, /* wraps */
	{1ull << 32, 1, 0, INVALID_PARAMETER, false},
};

static void test_calls(void **state)
{
	struct world *world = make(HVC_VERSION(1, 7), 2, true);

	(void)state;
	for (unsigned int fails = 0; fails < 2; fails++) {
		world->clean_fails = fails;
		for (size_t i = 0; i < COUNT_OF(calls); i++) {
			int32_t status = calls[i].cleans && fails ? BUSY : calls[i].status;

			world->cleaned[1] = 0;
			assert_int_equal(world_ask(world, CLEAN_INV, calls[i].base, calls[i].length,
						   calls[i].flags),
					 STATUS(status));
			assert_int_equal(world->cleaned[1], calls[i].cleans ? calls[i].length : 0);
			assert_true(!calls[i].cleans || world->cleaned[0] == calls[i].base);
		}
	}
	world_free(world);
}

static void test_attributes(void **state)
{
	struct world *world = make(HVC_VERSION(1, 7), 2, true);
	struct hvc_frame frame = world_call(world, ATTRIBUTES, 7, 8, 9);

	(void)state;
	for (unsigned int i = 0; i <= 4; i++) {
		assert_int_equal(frame.x[i], 0);
	}
	assert_int_equal(frame.x[5], 0xc0de000000000005ull);
	world_free(world);
}

/* With SMCCC 1.7, a host that can, and a profile that has them. */
static void test_presence(void **state)
{
	static const uint32_t ids[] = {CLEAN_INV, ATTRIBUTES};

	(void)state;
	for (unsigned int i = 0; i < 8; i++) {
		bool version = i & 1, callbacks = i & 2, newest = i & 4;
		struct world *world = make(HVC_VERSION(1, version ? 7 : 6), newest ? 2 : 1,
					   callbacks);
		uint64_t want = version && callbacks && newest ? SUCCESS : STATUS(NOT_SUPPORTED);

		for (size_t j = 0; j < COUNT_OF(ids); j++) {
			assert_int_equal(world_ask(world, ARCH_FEATURES, ids[j], 0, 0), want);
			assert_int_equal(world_ask(world, ids[j], 0x1000, 0x1000, 0), want);
		}
		world_free(world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_attributes),
		cmocka_unit_test(test_presence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
