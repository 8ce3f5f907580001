/* SPDX-License-Identifier: BSD-2-Clause */
/* TRNG (DEN0098 1.0): packing, as other hypervisors got it wrong, and errors. */
#include "cmocka_all.h"
#include "world.h"

#define RND32 0x84000053u
#define RND64 0xc4000053u

enum { SUCCESS = 0, INVALID_PARAMETERS = -2, NO_ENTROPY = -3 };

/* From words 0x0706050403020100, 0x0f0e...08, 0x1716...10: by hand. x1 is the highest. */
static const struct golden {
	uint32_t id;
	uint32_t bits;
	uint64_t x1, x2, x3;
} golden[] = {
	{RND32, 1, 0, 0, 0},
	{RND32, 9, 0, 0, 0x100},
	{RND32, 31, 0, 0, 0x03020100},
	{RND32, 32, 0, 0, 0x03020100},
	{RND32, 33, 0, 0, 0x03020100},
	{RND32, 36, 0, 0x8, 0x03020100},
	{RND32, 63, 0, 0x0b0a0908, 0x03020100},
	{RND32, 64, 0, 0x0b0a0908, 0x03020100},
	{RND32, 65, 0, 0x0b0a0908, 0x03020100},
	{RND32, 69, 0x10, 0x0b0a0908, 0x03020100},
	{RND32, 95, 0x13121110, 0x0b0a0908, 0x03020100},
	{RND32, 96, 0x13121110, 0x0b0a0908, 0x03020100},
	{RND64, 1, 0, 0, 0},
	{RND64, 31, 0, 0, 0x03020100},
	{RND64, 32, 0, 0, 0x03020100},
	{RND64, 33, 0, 0, 0x03020100},
	{RND64, 63, 0, 0, 0x0706050403020100},
	{RND64, 64, 0, 0, 0x0706050403020100},
	{RND64, 65, 0, 0, 0x0706050403020100},
	{RND64, 68, 0, 0x8, 0x0706050403020100},
	{RND64, 95, 0, 0x0b0a0908, 0x0706050403020100},
	{RND64, 96, 0, 0x0b0a0908, 0x0706050403020100},
	{RND64, 128, 0, 0x0f0e0d0c0b0a0908, 0x0706050403020100},
	{RND64, 133, 0x10, 0x0f0e0d0c0b0a0908, 0x0706050403020100},
	{RND64, 192, 0x1716151413121110, 0x0f0e0d0c0b0a0908, 0x0706050403020100},
};

static void test_golden(void **state)
{
	struct world *world = world_new(&(struct world_setup){0});

	(void)state;
	for (size_t i = 0; i < COUNT_OF(golden); i++) {
		const struct golden *want = &golden[i];
		struct hvc_frame frame = world_call(world, want->id, want->bits, ~0ull, ~0ull);

		assert_int_equal(frame.x[0], SUCCESS);
		assert_int_equal(frame.x[1], want->x1);
		assert_int_equal(frame.x[2], want->x2);
		assert_int_equal(frame.x[3], want->x3);
		assert_int_equal(frame.x[4], 0xc0de000000000004ull);
	}
	world_free(world);
}

/* Every length, bit by bit: bit b of the request is bit b % width of x(3 - b / width). */
static void check_every_length(uint32_t id, unsigned int width, const uint64_t words[3])
{
	struct world *world = world_new(&(struct world_setup){0});

	for (unsigned int i = 0; i < 3; i++) {
		world->entropy[i] = words[i];
	}
	for (unsigned int bits = 1; bits <= 3 * width; bits++) {
		struct hvc_frame frame = world_call(world, id, bits, 5, 5);

		assert_int_equal(frame.x[0], SUCCESS);
		for (unsigned int b = 0; b < 192; b++) {
			uint64_t got = frame.x[3 - b / 64] >> b % 64 & 1;
			unsigned int at = b % 64; /* in its register */
			bool asked = at < width && b / 64 * width + at < bits;

			assert_int_equal(got, asked ? words[b / 64] >> at & 1 : 0);
		}
	}
	world_free(world);
}

static void test_every_length(void **state)
{
	static const uint64_t ones[3] = {~0ull, ~0ull, ~0ull};
	static const uint64_t mixed[3] = {0x9e3779b97f4a7c15ull, 0xbf58476d1ce4e5b9ull,
					  0x94d049bb133111ebull};

	(void)state;
	check_every_length(RND32, 32, ones);
	check_every_length(RND32, 32, mixed);
	check_every_length(RND64, 64, ones);
	check_every_length(RND64, 64, mixed);
}

static void test_lengths_refused(void **state)
{
	static const struct {
		uint32_t id;
		uint64_t bits;
		int32_t status;
	} calls[] = {
		{RND32, 0, INVALID_PARAMETERS}, /* D13: KVM says success */
		{RND32, 97, INVALID_PARAMETERS},
		{RND32, 192, INVALID_PARAMETERS},
		{RND32, 0xffffffffu, INVALID_PARAMETERS},
		{RND32, 0xffffffff00000000ull, INVALID_PARAMETERS},
		{RND32, 0x8000000000000020ull, SUCCESS}, /* arguments are 32 bits wide */
		{RND64, 0, INVALID_PARAMETERS},
		{RND64, 193, INVALID_PARAMETERS},
		{RND64, 0x8000000000000020ull, INVALID_PARAMETERS},
		{RND64, 0x0000000100000020ull, INVALID_PARAMETERS},
		{RND64, UINT64_MAX, INVALID_PARAMETERS},
	};
	struct world *world = world_new(&(struct world_setup){0});

	(void)state;
	for (size_t i = 0; i < COUNT_OF(calls); i++) {
		struct hvc_frame frame = world_call(world, calls[i].id, calls[i].bits, 5, 6);

		assert_int_equal(frame.x[0], STATUS(calls[i].status));
		if (calls[i].status != SUCCESS) {
			assert_int_equal(frame.x[1] | frame.x[2] | frame.x[3], 0);
		}
	}
	world_free(world);
}

/* Without a source: NO_ENTROPY, never a counter, never old registers. */
static void test_no_entropy(void **state)
{
	struct world *world = world_new(&(struct world_setup){0});
	struct world *bare = world_new(&(struct world_setup){.no_platform = true});

	(void)state;
	world->entropy_fails = true;
	for (uint32_t bits = 1; bits <= 96; bits++) {
		struct hvc_frame frame = world_call(world, RND32, bits, 5, 6);

		assert_int_equal(frame.x[0], STATUS(NO_ENTROPY));
		assert_int_equal(frame.x[1] | frame.x[2] | frame.x[3], 0);
		assert_int_equal(world_ask(bare, RND32, bits, 0, 0), STATUS(NO_ENTROPY));
		assert_int_equal(world_ask(bare, RND64, bits, 0, 0), STATUS(NO_ENTROPY));
	}
	world->entropy_fails = false;
	world->platform.entropy = NULL;
	assert_int_equal(world_ask(world, RND64, 64, 0, 0), STATUS(NO_ENTROPY));
	world_free(bare);
	world_free(world);
}

static void test_identity(void **state)
{
	struct world *world = world_new(&(struct world_setup){0});
	struct hvc_frame frame = world_call(world, 0x84000052u, 0, 0, 0);

	(void)state;
	assert_int_equal(world_ask(world, 0x84000050u, 0, 0, 0), 0x10000);
	/* 68f1a1a6-7a5e-4ac4-9e0b-6d8c1c5e90d2; the first word must not read as an error. */
	assert_int_equal(frame.x[0], 0xa6a1f168u);
	assert_int_equal(frame.x[1], 0xc44a5e7au);
	assert_int_equal(frame.x[2], 0x8c6d0b9eu);
	assert_int_equal(frame.x[3], 0xd2905e1cu);
	world_free(world);
}

static void test_features(void **state)
{
	static const struct {
		uint64_t id;
		int32_t status;
	} queries[] = {
		{0x84000050u, 0},  {0x84000051u, 0},  {0x84000052u, 0},
		{0x84000053u, 0},  {0xc4000053u, 0},  {0xffffffff84000053ull, 0}, /* W1 */
		{0xc4000050u, -1},                                       /* no such spelling */
		{0xc4000051u, -1}, {0xc4000052u, -1}, {0x04000053u, -1}, /* yielding */
		{0x84000054u, -1}, {0x8400004fu, -1}, {0x84000000u, -1}, /* another service's */
		{0x80000000u, -1}, {0, -1},           {0xffffffffu, -1},
	};
	struct world *world = world_new(&(struct world_setup){0});

	(void)state;
	for (size_t i = 0; i < COUNT_OF(queries); i++) {
		assert_int_equal(world_ask(world, 0x84000051u, queries[i].id, 0, 0),
				 STATUS(queries[i].status));
	}
	world_free(world);
}

/* KVM's identity, and its ways with arguments. */
static void test_kvm(void **state)
{
	static const struct {
		uint32_t id;
		uint64_t x1;
		int32_t status;
	} calls[] = {
		{RND32, 0, SUCCESS},
		{RND64, 0, SUCCESS},
		{RND32, 0xffffffff00000000ull, SUCCESS},
		{RND64, 0x100000000ull, SUCCESS}, /* 0 bits */
		{RND64, 0x100000001ull, SUCCESS}, /* 1 bit */
		{RND32, 97, INVALID_PARAMETERS},
		{RND64, 193, INVALID_PARAMETERS},
		{RND64, 0xffffffffu, INVALID_PARAMETERS},
		{0x84000051u, 0x84000053u, 0},
		{0x84000051u, 0xffffffff84000053ull, NOT_SUPPORTED},
		{0x84000051u, 0x84000054u, NOT_SUPPORTED},
	};
	struct hvc_settings settings;
	struct hvc_frame frame;
	struct world *world;

	(void)state;
	hvc_settings_init(&settings);
	settings.quirks = HVC_QUIRK_TRNG_ZERO_BITS | HVC_QUIRK_TRNG_FEATURES_64 |
			  HVC_QUIRK_TRNG_KVM_UUID;
	world = world_new(&(struct world_setup){.settings = &settings});
	for (size_t i = 0; i < COUNT_OF(calls); i++) {
		frame = world_call(world, calls[i].id, calls[i].x1, ~0ull, ~0ull);
		assert_int_equal(frame.x[0], STATUS(calls[i].status));
		if (calls[i].id != 0x84000051u) {
			assert_int_equal(frame.x[1] | frame.x[2], 0);
			assert_int_equal(frame.x[3], 0); /* bit 0 of the world's entropy is 0 */
		}
	}
	world->entropy[0] = ~0ull;
	assert_int_equal(world_call(world, RND64, 0x100000001ull, 5, 5).x[3], 1);
	frame = world_call(world, 0x84000052u, 0, 0, 0);
	assert_int_equal(frame.x[0], 0x00e0210du);
	assert_int_equal(frame.x[1], 0xeb118443u);
	assert_int_equal(frame.x[2], 0x44527080u);
	assert_int_equal(frame.x[3], 0x4c5a4e55u);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_every_length),
		cmocka_unit_test(test_lengths_refused),
		cmocka_unit_test(test_no_entropy),
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_features),
		cmocka_unit_test(test_kvm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
