/* SPDX-License-Identifier: BSD-2-Clause */
/* Share memory, and the books as who saves and restores them sees them. */
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "pkvm_state.h"
#include "world.h"

#define BASE WORLD_SHARE_BASE
enum { GRANULE = 4096, GRANULES = 200 };

static struct world *protected_world(void)
{
	struct hvc_settings settings;

	assert_int_equal(hvc_settings_profile(&settings, 2), HVC_OK);
	return world_new(
		&(struct world_setup){.settings = &settings, .share_ram = GRANULES * GRANULE});
}

static void test_size(void **state)
{
	const size_t word = sizeof(struct share_word);

	(void)state;
	print_message("share memory: %zu bytes, and %zu a GiB of RAM\n", hvc_share_size(0),
		      hvc_share_size(1u << 30) - hvc_share_size(0));
	assert_int_equal(hvc_share_size(0), sizeof(struct hvc_shares));
	assert_int_equal(hvc_share_size(1), hvc_share_size(0) + word);
	assert_int_equal(hvc_share_size(64 * GRANULE), hvc_share_size(0) + word);
	assert_int_equal(hvc_share_size(64 * GRANULE + 1), hvc_share_size(0) + 2 * word);
	assert_int_equal(hvc_share_size(1u << 30), hvc_share_size(0) + 4096 * word);
	assert_true(hvc_share_size(UINT64_MAX) > hvc_share_size(1ull << 52)); /* no wrap */
}

static void test_init(void **state)
{
	struct world *world = protected_world();
	const uint64_t ram = 65 * GRANULE;
	const size_t bytes = hvc_share_size(ram);
	/* A byte more would be seen by the address sanitizer. */
	char *memory = malloc(bytes);
	const struct hvc_vm_config good = {
		.size = sizeof(good),
		.vcpu_count = 1,
		.image = world->image,
		.share_memory = memory,
		.share_bytes = bytes,
		.share_base = BASE,
		.share_ram = ram,
	};
	struct hvc_vm_config config;

	(void)state;
	assert_non_null(memory);
	memset(memory, 0xa5, bytes);
#define TRY(field, value, err)                                                        \
	do {                                                                          \
		config = good;                                                        \
		config.field = (value);                                               \
		assert_int_equal(hvc_vm_init(world->vm, &config, world->vcpus), err); \
	} while (0)
	TRY(share_memory, NULL, HVC_EINVAL); /* but a range */
	TRY(share_memory, memory + 4, HVC_EFAULT);
	TRY(share_bytes, bytes - 1, HVC_ENOMEM);
	TRY(share_bytes, 0, HVC_ENOMEM);
	TRY(share_ram, 0, HVC_EINVAL);
	TRY(share_ram, ram - 1, HVC_EINVAL);
	TRY(share_ram, ram + 64 * GRANULE, HVC_ENOMEM);
	TRY(share_ram, (1ull << 52) - BASE + GRANULE, HVC_EINVAL);
	TRY(share_ram, ~0ull << 12, HVC_EINVAL);
	TRY(share_base, BASE + 1, HVC_EINVAL);
	TRY(share_base, BASE + 2048, HVC_EINVAL);
	TRY(share_base, 1ull << 52, HVC_EINVAL);
	TRY(share_base, (1ull << 52) - ram + GRANULE, HVC_EINVAL);
	TRY(share_base, (1ull << 52) - ram, HVC_OK);
	TRY(share_base, 0, HVC_OK);
	TRY(share_base, BASE, HVC_OK);
#undef TRY
	assert_int_equal(world_ask(world, 0xc6000003u, BASE + ram - GRANULE, 0, 0), 0);
	assert_int_equal(world_ask(world, 0xc6000003u, BASE + ram, 0, 0), STATUS(-3));
	free(memory);
	world_free(world);
}

/* Ranges come back as they were given, joined where they touch. */
static void test_ranges(void **state)
{
	static const struct {
		uint64_t first, count;
		enum hvc_err err;
	} adds[] = {
		{0, 1, HVC_OK},
		{0, 1, HVC_EEXIST},
		{3, 100, HVC_OK},
		{103, 25, HVC_OK},
		{127, 2, HVC_EEXIST},
		{2, 2, HVC_EEXIST},
		{199, 2, HVC_EINVAL},
		{199, 1, HVC_OK},
		{200, 1, HVC_EINVAL},
		{5, 0, HVC_EINVAL},
		{150, UINT64_MAX / GRANULE, HVC_EINVAL},
	};
	static const uint64_t expected[][2] = {{0, 1}, {3, 125}, {199, 1}};
	struct world *world = protected_world();
	struct hvc_shares *shares = world->vm->shares;
	struct share_range range = {0, 0};

	(void)state;
	assert_false(shares_next(shares, 0, &range));
	for (size_t i = 0; i < COUNT_OF(adds); i++) {
		range.ipa = BASE + adds[i].first * GRANULE;
		range.bytes = adds[i].count * GRANULE;
		assert_int_equal(shares_add(shares, &range), adds[i].err);
	}
	range = (struct share_range){BASE + 140 * GRANULE + 8, GRANULE};
	assert_int_equal(shares_add(shares, &range), HVC_EINVAL);
	range = (struct share_range){BASE + 140 * GRANULE, GRANULE + 8};
	assert_int_equal(shares_add(shares, &range), HVC_EINVAL);
	range = (struct share_range){BASE - GRANULE, GRANULE};
	assert_int_equal(shares_add(shares, &range), HVC_EINVAL);

	range = (struct share_range){0, 0};
	for (size_t i = 0; i < COUNT_OF(expected); i++) {
		assert_true(shares_next(shares, range.ipa + range.bytes, &range));
		assert_int_equal(range.ipa, BASE + expected[i][0] * GRANULE);
		assert_int_equal(range.bytes, expected[i][1] * GRANULE);
	}
	assert_false(shares_next(shares, range.ipa + range.bytes, &range));
	/* From inside a range, also not at a granule: what is left of it. */
	assert_true(shares_next(shares, BASE + 100 * GRANULE + 1, &range));
	assert_int_equal(range.ipa, BASE + 101 * GRANULE);
	assert_int_equal(range.bytes, 27 * GRANULE);
	assert_false(shares_next(shares, UINT64_MAX, &range));
	assert_false(shares_next(shares, BASE + 200 * GRANULE, &range));
	world_free(world);
}

static void test_mmio(void **state)
{
	struct world *world = protected_world();
	struct hvc_shares *shares = world->vm->shares;
	unsigned int count = 0;
	uint64_t ipa;

	(void)state;
	assert_int_equal(shares_mmio_add(shares, BASE), HVC_EINVAL);
	assert_int_equal(shares_mmio_add(shares, 1), HVC_EINVAL);
	assert_int_equal(shares_mmio_add(shares, 1ull << 52), HVC_EINVAL);
	for (uint64_t i = 0; i < SHARE_MMIO_SLOTS; i++) {
		assert_int_equal(shares_mmio_add(shares, i * GRANULE * 3), HVC_OK);
		assert_int_equal(shares_mmio_add(shares, i * GRANULE * 3), HVC_EEXIST);
	}
	assert_int_equal(shares_mmio_add(shares, GRANULE), HVC_ENOMEM);
	for (unsigned int slot = 0; slot < SHARE_MMIO_SLOTS; slot++) {
		count += shares_mmio_at(shares, slot, &ipa) && ipa % (3 * GRANULE) == 0;
	}
	assert_int_equal(count, SHARE_MMIO_SLOTS);
	/* A guest goes on with what was restored. */
	assert_int_equal(world_ask(world, 0xc6000008u, 0, 0, 0), 0);
	assert_int_equal(world->shared.what, HVC_SHARE_MMIO_BACK);
	world_free(world);
}

static void test_clear(void **state)
{
	struct world *world = protected_world();
	struct hvc_shares *shares = world->vm->shares;
	struct share_range range;
	uint64_t ipa;

	(void)state;
	assert_int_equal(world_ask(world, 0xc6000003u, BASE + 199 * GRANULE, 0, 0), 0);
	assert_int_equal(world_ask(world, 0xc6000007u, 0x9000000, 0, 0), 0);
	assert_int_equal(world_ask(world, 0xc6000006u, 0, 0, 0), 0);
	shares_clear(shares);
	assert_false(shares_next(shares, 0, &range));
	for (unsigned int slot = 0; slot < SHARE_MMIO_SLOTS; slot++) {
		assert_false(shares_mmio_at(shares, slot, &ipa));
	}
	assert_int_equal(shares->enrolled, 0);
	assert_int_equal(world_ask(world, 0xc6000003u, BASE + 199 * GRANULE, 0, 0), 0);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_size),   cmocka_unit_test(test_init),
		cmocka_unit_test(test_ranges), cmocka_unit_test(test_mmio),
		cmocka_unit_test(test_clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
