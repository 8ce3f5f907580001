/* SPDX-License-Identifier: BSD-2-Clause */
/* The filter of a VM: errors in KVM's order (reference: kvm.md B.2), edges, memory. */
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "world.h"

static enum hvc_err add(struct world *world, uint32_t base, uint32_t count, enum hvc_action action)
{
	return hvc_filter_add(world->vm, base, count, action);
}

static unsigned int action_at(const struct world *world, uint32_t id)
{
	return hvc_filter_query(world->vm, id).action;
}

static unsigned int decider_at(const struct world *world, uint32_t id)
{
	return hvc_filter_query(world->vm, id).decider;
}

static struct world *with_filter(void)
{
	return world_new(&(struct world_setup){.filter_ranges = 16});
}

/* Each error with everything wrong that is checked after it. */
static void test_order(void **state)
{
	struct world *world = with_filter();
	struct world *bare = world_new(&(struct world_setup){0});

	(void)state;
	/* EINVAL: nothing (also where base + count wraps to a full range), a wrap, no such action. */
	assert_int_equal(add(world, 0, 0, HVC_DENY), HVC_EINVAL);
	assert_int_equal(add(world, 0x80000000u, 0, HVC_DENY), HVC_EINVAL);
	assert_int_equal(add(world, UINT32_MAX, 2, HVC_DENY), HVC_EINVAL);
	assert_int_equal(add(world, 0x80000000u, 0x80000001u, HVC_DENY), HVC_EINVAL);
	assert_int_equal(add(world, 0x84000000u, 1, (enum hvc_action)4), HVC_EINVAL);
	assert_int_equal(add(world, 0x84000000u, 1, (enum hvc_action) - 1), HVC_EINVAL);
	assert_int_equal(add(bare, 0x80000000u, 0, HVC_DENY), HVC_EINVAL);
	/* EEXIST before ENOMEM, ENOMEM last. */
	assert_int_equal(add(bare, 0x80000000u, 1, HVC_DENY), HVC_EEXIST);
	assert_int_equal(add(bare, 0x84000000u, 1, HVC_DENY), HVC_ENOMEM);
	/* EBUSY before EEXIST and ENOMEM, behind EINVAL; no exception for what is there already. */
	assert_int_equal(add(world, 0x84000003u, 1, HVC_DENY), HVC_OK);
	hvc_vm_freeze(world->vm);
	hvc_vm_freeze(bare->vm);
	assert_int_equal(add(world, 0, 0, HVC_DENY), HVC_EINVAL);
	assert_int_equal(add(world, 0x84000003u, 1, HVC_DENY), HVC_EBUSY);
	assert_int_equal(add(world, 0x80000000u, 1, HVC_DENY), HVC_EBUSY);
	assert_int_equal(add(world, 0x85000000u, 1, HVC_DENY), HVC_EBUSY);
	assert_int_equal(add(bare, 0x84000000u, 1, HVC_DENY), HVC_EBUSY);
	world_free(bare);
	world_free(world);
}

/* Ranges that touch a reserved window are refused whole; beside it everything is free. */
static void test_reserved_edges(void **state)
{
	static const struct hvc_range refused[] = {
		{0x80000000u, 0x80000000u}, {0x8000ffffu, 0x8000ffffu}, {0x7fffffffu, 0x80000000u},
		{0x8000ffffu, 0x80010000u}, {0x00000000u, 0xfffffffeu}, {0x00000001u, UINT32_MAX},
		{0xbfffffffu, 0xc0000000u}, {0xc000ffffu, 0xc0010000u}, {0x80000000u, 0x8000ffffu},
		{0xc0000000u, 0xc000ffffu}, {0x7f000000u, 0x8fffffffu},
	};
	static const struct hvc_range taken[] = {
		{0x00000000u, 0x7fffffffu}, {0x80010000u, 0xbfffffffu}, {0xc0010000u, 0xffffffffu}};
	struct world *world = with_filter();

	(void)state;
	for (size_t i = 0; i < COUNT_OF(refused); i++) {
		const struct hvc_range *r = &refused[i];

		assert_int_equal(add(world, r->first, r->last - r->first + 1, HVC_DENY),
				 HVC_EEXIST);
		assert_int_equal(action_at(world, r->first), HVC_HANDLE);
		assert_int_equal(action_at(world, r->last), HVC_HANDLE);
	}
	for (size_t i = 0; i < COUNT_OF(taken); i++) {
		const struct hvc_range *r = &taken[i];

		assert_int_equal(add(world, r->first, r->last - r->first + 1, HVC_DENY), HVC_OK);
		assert_int_equal(decider_at(world, r->first), HVC_BY_RULE);
		assert_int_equal(decider_at(world, r->last), HVC_BY_RULE);
	}
	/* Everything but the reserved is now taken: no ID is free, and none of those works. */
	assert_int_equal(decider_at(world, 0x80000000u), HVC_BY_RESERVED);
	assert_int_equal(decider_at(world, 0x8000ffffu), HVC_BY_RESERVED);
	assert_int_equal(decider_at(world, 0xc000ffffu), HVC_BY_RESERVED);
	assert_int_equal(world_ask(world, 0x80000000u, 0, 0, 0), HVC_VERSION(1, 2));
	assert_int_equal(world_ask(world, 0x84000000u, 0, 0, 0), STATUS(NOT_SUPPORTED));
	world_free(world);
}

static void test_overlap_and_adjacency(void **state)
{
	struct world *world = with_filter();

	(void)state;
	assert_int_equal(add(world, 0x84000100u, 0x100, HVC_HANDLE), HVC_OK);
	/* Any intersection, the same range and action included. */
	assert_int_equal(add(world, 0x84000100u, 0x100, HVC_HANDLE), HVC_EEXIST);
	assert_int_equal(add(world, 0x84000100u, 1, HVC_DENY), HVC_EEXIST);
	assert_int_equal(add(world, 0x840001ffu, 1, HVC_DENY), HVC_EEXIST);
	assert_int_equal(add(world, 0x840000ffu, 2, HVC_DENY), HVC_EEXIST);
	assert_int_equal(add(world, 0x840001ffu, 2, HVC_DENY), HVC_EEXIST);
	assert_int_equal(add(world, 0x84000080u, 0x200, HVC_DENY), HVC_EEXIST);
	assert_int_equal(action_at(world, 0x840000ffu), HVC_HANDLE);
	assert_int_equal(action_at(world, 0x84000200u), HVC_HANDLE);
	/* Neighbours. */
	assert_int_equal(add(world, 0x840000ffu, 1, HVC_DENY), HVC_OK);
	assert_int_equal(add(world, 0x84000200u, 1, HVC_FORWARD), HVC_OK);
	assert_int_equal(action_at(world, 0x840000ffu), HVC_DENY);
	assert_int_equal(action_at(world, 0x84000100u), HVC_HANDLE);
	assert_int_equal(action_at(world, 0x840001ffu), HVC_HANDLE);
	assert_int_equal(action_at(world, 0x84000200u), HVC_FORWARD);
	assert_int_equal(action_at(world, 0x84000201u), HVC_HANDLE);
	assert_int_equal(add(world, 0x84000201u, 1, HVC_NOTIFY), HVC_OK);
	assert_int_equal(action_at(world, 0x84000201u), HVC_NOTIFY);
	world_free(world);
}

/* The image's own rules are earlier ranges; its default is none. */
static void test_over_image(void **state)
{
	static const struct paint rules[] = {{0x84000050u, 0x8400005fu, HVC_DENY}};
	struct world *world = world_new(&(struct world_setup){
		.rules = rules, .rule_count = 1, .otherwise = HVC_DENY, .filter_ranges = 4});
	struct hvc_image *image = world_image(
		&(struct world_setup){.rules = rules, .rule_count = 1, .otherwise = HVC_DENY},
		NULL);

	(void)state;
	assert_int_equal(add(world, 0x84000053u, 1, HVC_HANDLE), HVC_EEXIST);
	assert_int_equal(decider_at(world, 0x84000053u), HVC_BY_RULE);
	assert_int_equal(decider_at(world, 0x84000000u), HVC_BY_DEFAULT);
	assert_int_equal(add(world, 0x84000000u, 1, HVC_HANDLE), HVC_OK);
	assert_int_equal(decider_at(world, 0x84000000u), HVC_BY_SERVICE);
	assert_int_equal(world_ask(world, 0x84000000u, 0, 0, 0), HVC_VERSION(1, 1));
	/* The shared image was not written. */
	assert_memory_equal(world->image, image, image->bytes);
	free(image);
	world_free(world);
}

/* hvc_filter_size() suffices for the worst ranges, and one less memory is ENOMEM at some time. */
static void test_memory(void **state)
{
	enum { RANGES = 16 };
	struct world *world = world_new(&(struct world_setup){.filter_ranges = RANGES});

	(void)state;
	for (uint32_t i = 0; i < RANGES; i++) {
		uint32_t first = 0x01234567u + i * 0x02000000u; /* three levels at both ends */

		assert_int_equal(add(world, first, 0x01000000u, HVC_DENY), HVC_OK);
	}
	assert_int_equal(add(world, 0x81234567u, 0x01000000u, HVC_DENY), HVC_ENOMEM);
	assert_int_equal(action_at(world, 0x81234567u), HVC_HANDLE);
	assert_int_equal(add(world, 0x84000000u, 0x100, HVC_DENY), HVC_OK); /* takes no node */
	world_free(world);
}

/* Filter memory for no range at all is memory: for what splits no entry. */
static void test_least_memory(void **state)
{
	struct world *world = world_new(&(struct world_setup){0});
	size_t bytes = hvc_filter_size(world->image, 0);
	struct hvc_vm_config config = {.size = sizeof(config),
				       .vcpu_count = 1,
				       .image = world->image,
				       .filter_memory = malloc(bytes),
				       .filter_bytes = bytes};

	(void)state;
	assert_non_null(config.filter_memory);
	assert_int_equal(hvc_vm_init(world->vm, &config, world->vcpus), HVC_OK);
	assert_int_equal(add(world, 0x84000000u, 0x100, HVC_DENY), HVC_OK);
	assert_int_equal(add(world, 0x87000000u, 0x1000000u, HVC_DENY), HVC_OK);
	assert_int_equal(add(world, 0x88000000u, 1, HVC_DENY), HVC_ENOMEM);
	assert_int_equal(action_at(world, 0x84000003u), HVC_DENY);
	assert_int_equal(action_at(world, 0x87abcdefu), HVC_DENY);
	config.filter_bytes--;
	assert_int_equal(hvc_vm_init(world->vm, &config, world->vcpus), HVC_ENOMEM);
	free(config.filter_memory);
	world_free(world);
}

/* A query says what a call then does, for every function and both hints. */
static void test_query_is_call(void **state)
{
	struct hvc_settings settings;
	struct world *world;

	(void)state;
	hvc_settings_init(&settings);
	settings.smccc_version = HVC_VERSION(1, 3);
	world = world_new(&(struct world_setup){.settings = &settings, .filter_ranges = 4});
	assert_int_equal(add(world, 0x84000050u, 3, HVC_DENY), HVC_OK);
	assert_int_equal(add(world, 0xc4000001u, 2, HVC_FORWARD), HVC_OK);
	for (unsigned int slot = 1; slot < HVC_FN_COUNT; slot++) {
		const struct hvc_function *function = hvc_function_at(slot);
		const uint32_t ids[] = {function->id32, function->id64,
					function->id32 | HVC_ID_SVE_HINT,
					function->id64 | HVC_ID_SVE_HINT, function->id32 + 1};

		for (size_t i = 0; i < COUNT_OF(ids); i++) {
			struct hvc_frame frame = world_frame(ids[i], 3, 3, 3);
			struct hvc_outcome told = hvc_filter_query(world->vm, ids[i]), happened;

			hvc_call(world->vcpus[0], HVC_CONDUIT_SMC, 0, &frame);
			happened = hvc_vcpu_outcome(world->vcpus[0]);
			assert_memory_equal(&told, &happened, sizeof(told));
		}
	}
	world_free(world);
}

/* A dry run says what adding would, and what stands in the way. */
static void check_try(const struct world *world, uint32_t base, uint32_t count, unsigned int action,
		      enum hvc_err err, struct hvc_filter_detail want)
{
	struct hvc_filter_detail detail = {.size = sizeof(detail), .first = 77};

	want.size = sizeof(want);
	assert_int_equal(hvc_filter_try(world->vm, base, count, (enum hvc_action)action, &detail),
			 err);
	assert_memory_equal(&detail, &want, sizeof(want));
	assert_int_equal(hvc_filter_try(world->vm, base, count, (enum hvc_action)action, NULL),
			 err);
}

#define OBSTACLE(...)                   \
	(struct hvc_filter_detail)      \
	{                               \
		.obstacle = __VA_ARGS__ \
	}

static void test_try(void **state)
{
	static const struct paint rules[] = {{0x84000100u, 0x840002ffu, HVC_FORWARD},
					     {0x84000300u, 0x84000300u, HVC_DENY},
					     {0xbfffffffu, 0xbfffffffu, HVC_HANDLE}};
	struct world *world = world_new(
		&(struct world_setup){.rules = rules, .rule_count = 3, .filter_ranges = 1});
	struct world *bare = world_new(&(struct world_setup){0});
	struct hvc_filter_detail detail = {.size = sizeof(detail) - 1};

	(void)state;
	assert_int_equal(hvc_filter_try(world->vm, 1, 1, HVC_DENY, &detail), HVC_EINVAL);
	check_try(world, 0x84000000u, 0, HVC_DENY, HVC_EINVAL, OBSTACLE(HVC_OBSTACLE_EMPTY));
	check_try(world, 0x84000000u, 0x80000000u, HVC_DENY, HVC_EINVAL,
		  OBSTACLE(HVC_OBSTACLE_WRAP));
	check_try(world, 0x84000000u, 1, 4, HVC_EINVAL, OBSTACLE(HVC_OBSTACLE_ACTION));
	/* The lowest in the way, and all of it; neighbours of another action or kind are others. */
	check_try(world, 0x84000200u, 1, HVC_DENY, HVC_EEXIST,
		  OBSTACLE(HVC_OBSTACLE_RULE, .first = 0x84000100u, .last = 0x840002ffu,
			   .action = HVC_FORWARD));
	check_try(world, 0x84000300u, 16, HVC_DENY, HVC_EEXIST,
		  OBSTACLE(HVC_OBSTACLE_RULE, .first = 0x84000300u, .last = 0x84000300u,
			   .action = HVC_DENY));
	check_try(world, 0x81000000u, 0x7f000000u, HVC_DENY, HVC_EEXIST,
		  OBSTACLE(HVC_OBSTACLE_RULE, .first = 0x84000100u, .last = 0x840002ffu,
			   .action = HVC_FORWARD));
	check_try(world, 0x10000000u, 0xf0000000u, HVC_DENY, HVC_EEXIST,
		  OBSTACLE(HVC_OBSTACLE_RESERVED, .first = 0x80000000u, .last = 0x8000ffffu));
	check_try(world, 0xc0000000u, 1, HVC_DENY, HVC_EEXIST,
		  OBSTACLE(HVC_OBSTACLE_RESERVED, .first = 0xc0000000u, .last = 0xc000ffffu));
	check_try(world, 0xb0000000u, 0x10000001u, HVC_DENY, HVC_EEXIST,
		  OBSTACLE(HVC_OBSTACLE_RULE, .first = 0xbfffffffu, .last = 0xbfffffffu,
			   .action = HVC_HANDLE));
	check_try(bare, 0x84000000u, 1, HVC_DENY, HVC_ENOMEM, OBSTACLE(HVC_OBSTACLE_MEMORY));
	/* Nothing was added by asking. */
	check_try(world, 0x12345678u, 0x01000000u, HVC_DENY, HVC_OK, OBSTACLE(HVC_OBSTACLE_NONE));
	assert_int_equal(action_at(world, 0x12345678u), HVC_HANDLE);
	assert_int_equal(add(world, 0x12345678u, 0x01000000u, HVC_DENY), HVC_OK);
	check_try(world, 0x22345678u, 0x01000000u, HVC_DENY, HVC_ENOMEM,
		  OBSTACLE(HVC_OBSTACLE_MEMORY));
	hvc_vm_freeze(world->vm);
	check_try(world, 0x84000200u, 1, HVC_DENY, HVC_EBUSY, OBSTACLE(HVC_OBSTACLE_FROZEN));
	check_try(world, 0x84000200u, 0, HVC_DENY, HVC_EINVAL, OBSTACLE(HVC_OBSTACLE_EMPTY));
	world_free(bare);
	world_free(world);
}

/* Linux before 6.4. */
static void test_no_filter(void **state)
{
	static const uint8_t bytes[HVC_FILTER_BYTES] = {0, 0, 0, 0x84, 1, 0, 0, 0, HVC_DENY};
	struct hvc_settings settings;
	struct world *world;

	(void)state;
	hvc_settings_init(&settings);
	settings.filter = 0;
	world = world_new(&(struct world_setup){.settings = &settings, .filter_ranges = 1});
	assert_int_equal(add(world, 0x84000000u, 1, HVC_DENY), HVC_EINVAL);
	assert_int_equal(hvc_filter_add_bytes(world->vm, bytes), HVC_EINVAL);
	hvc_vm_freeze(world->vm);
	check_try(world, 0x80000000u, 1, HVC_DENY, HVC_EINVAL, OBSTACLE(HVC_OBSTACLE_NO_FILTER));
	world_free(world);
}

/* reference: kvm.md B.2: count 0 at base 0 is all IDs before the fix of 2026. */
static void test_empty_at_0(void **state)
{
	struct hvc_settings settings;
	struct world *world;

	(void)state;
	hvc_settings_init(&settings);
	settings.quirks = HVC_QUIRK_FILTER_EMPTY_AT_0;
	world = world_new(&(struct world_setup){.settings = &settings, .filter_ranges = 1});
	assert_int_equal(add(world, 0, 0, HVC_DENY), HVC_EEXIST);
	assert_int_equal(add(world, 1, 0, HVC_DENY), HVC_EINVAL);
	assert_int_equal(add(world, 0, 0, (enum hvc_action)4), HVC_EINVAL);
	check_try(world, 1, 0, HVC_DENY, HVC_EINVAL, OBSTACLE(HVC_OBSTACLE_EMPTY));
	check_try(world, 0, 0, HVC_DENY, HVC_EEXIST,
		  OBSTACLE(HVC_OBSTACLE_RESERVED, .first = 0x80000000u, .last = 0x8000ffffu));
	hvc_vm_freeze(world->vm);
	assert_int_equal(add(world, 0, 0, HVC_DENY), HVC_EBUSY);
	assert_int_equal(add(world, 0, 0, (enum hvc_action)4), HVC_EINVAL);
	world_free(world);
}

/* Bytes as an ioctl has them: padding first, then as the range would. */
static void test_bytes(void **state)
{
	static const uint8_t deny[HVC_FILTER_BYTES] = {3, 0, 0, 0x84, 2, 0, 0, 0, HVC_DENY};
	struct world *world = with_filter();
	uint8_t bytes[HVC_FILTER_BYTES];

	(void)state;
	for (unsigned int i = 9; i < HVC_FILTER_BYTES; i++) {
		memcpy(bytes, deny, sizeof(bytes));
		bytes[i] = 0x80;
		assert_int_equal(hvc_filter_add_bytes(world->vm, bytes), HVC_EINVAL);
	}
	for (unsigned int action = HVC_NOTIFY; action < 256; action += 84) {
		memcpy(bytes, deny, sizeof(bytes));
		bytes[8] = (uint8_t)action;
		assert_int_equal(hvc_filter_add_bytes(world->vm, bytes), HVC_EINVAL);
	}
	assert_int_equal(action_at(world, 0x84000003u), HVC_HANDLE);
	assert_int_equal(hvc_filter_add_bytes(world->vm, deny), HVC_OK);
	assert_int_equal(action_at(world, 0x84000002u), HVC_HANDLE);
	assert_int_equal(action_at(world, 0x84000003u), HVC_DENY);
	assert_int_equal(action_at(world, 0x84000004u), HVC_DENY);
	assert_int_equal(action_at(world, 0x84000005u), HVC_HANDLE);
	assert_int_equal(hvc_filter_add_bytes(world->vm, deny), HVC_EEXIST);
	memcpy(bytes, (uint8_t[]){0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0, HVC_FORWARD}, 9);
	assert_int_equal(hvc_filter_add_bytes(world->vm, bytes), HVC_OK);
	assert_int_equal(action_at(world, UINT32_MAX), HVC_FORWARD);
	bytes[4] = 2;
	assert_int_equal(hvc_filter_add_bytes(world->vm, bytes), HVC_EINVAL);
	hvc_vm_freeze(world->vm);
	assert_int_equal(hvc_filter_add_bytes(world->vm, deny), HVC_EBUSY);
	bytes[23] = 1;
	assert_int_equal(hvc_filter_add_bytes(world->vm, bytes), HVC_EINVAL);
	world_free(world);
}

/* The whole filter as a list. */
static void test_spans(void **state)
{
	static const struct paint rules[] = {{0x84000003u, 0x84000003u, HVC_DENY},
					     {0x84000004u, 0x840000ffu, HVC_FORWARD}};
	static const struct hvc_filter_span want[] = {
		{0, 0x7fffffffu, HVC_HANDLE, 0, 0, 0},
		{0x80000000u, 0x8000ffffu, HVC_HANDLE, 0, 1, 0},
		{0x80010000u, 0x84000002u, HVC_HANDLE, 0, 0, 0},
		{0x84000003u, 0x84000003u, HVC_DENY, 1, 0, 0},
		{0x84000004u, 0x840000ffu, HVC_FORWARD, 1, 0, 0},
		{0x84000100u, 0xbfffffffu, HVC_HANDLE, 0, 0, 0},
		{0xc0000000u, 0xc000ffffu, HVC_HANDLE, 0, 1, 0},
		{0xc0010000u, UINT32_MAX, HVC_HANDLE, 0, 0, 0},
	};
	struct world *world = world_new(&(struct world_setup){.rules = rules, .rule_count = 2});
	struct hvc_settings settings;
	struct hvc_filter_span span;
	uint32_t id = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(want); i++) {
		span = hvc_filter_span(world->vm, id);
		assert_memory_equal(&span, &want[i], sizeof(span));
		id = span.last + 1;
	}
	assert_int_equal(id, 0);
	world_free(world);
	/* From SMCCC 1.3 on a hint is no other ID. */
	hvc_settings_init(&settings);
	settings.smccc_version = HVC_VERSION(1, 3);
	world = world_new(
		&(struct world_setup){.settings = &settings, .rules = rules, .rule_count = 2});
	span = hvc_filter_span(world->vm, 0x80000000u);
	assert_int_equal(span.last, 0x8001ffffu);
	assert_int_equal(span.reserved, 1);
	span = hvc_filter_span(world->vm, 0x84010003u);
	assert_int_equal(span.last, 0x84010003u);
	assert_int_equal(span.action, HVC_DENY);
	span = hvc_filter_span(world->vm, 0x84000100u);
	assert_int_equal(span.last, 0x84010002u);
	span = hvc_filter_span(world->vm, 0x84010100u);
	assert_int_equal(span.last, 0xbfffffffu);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_reserved_edges),
		cmocka_unit_test(test_overlap_and_adjacency),
		cmocka_unit_test(test_over_image),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_least_memory),
		cmocka_unit_test(test_query_is_call),
		cmocka_unit_test(test_try),
		cmocka_unit_test(test_no_filter),
		cmocka_unit_test(test_empty_at_0),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_spans),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
