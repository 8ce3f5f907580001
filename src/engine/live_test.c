/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules of a VM that become narrower while it runs. */
#include <stdlib.h>
#include <string.h>

#include <hvcgate/forward.h>
#include <hvcgate/live.h>

#include "cmocka_all.h"
#include "world.h"

#define PSCI_VERSION  0x84000000u
#define CPU_ON        0xc4000003u
#define PSCI_FEATURES 0x8400000au
#define TRNG_VERSION  0x84000050u

static enum hvc_err tighten(struct world *world, uint32_t base, uint32_t count)
{
	return hvc_vm_tighten(world->vm, base, count, NULL);
}

static struct world *running(const struct world_setup *setup)
{
	struct world *world = world_new(setup);

	hvc_vm_freeze(world->vm);
	return world;
}

static struct world *with_filter(void)
{
	return running(&(struct world_setup){.filter_ranges = 4, .vcpu_count = 2});
}

static unsigned int action_at(const struct world *world, uint32_t id)
{
	return hvc_filter_query(world->vm, id).action;
}

/* What was handled is denied from the next call on, for every vCPU and for discovery; its neighbours are not. */
static void test_denies(void **state)
{
	struct world *world = with_filter();
	struct hvc_frame frame = world_frame(TRNG_VERSION, 0, 0, 0);

	(void)state;
	assert_int_equal(world_ask(world, TRNG_VERSION, 0, 0, 0), HVC_VERSION(1, 0));
	assert_int_equal(world_ask(world, PSCI_FEATURES, CPU_ON, 0, 0), 0);
	assert_int_equal(tighten(world, TRNG_VERSION, 1), HVC_OK);
	assert_int_equal(tighten(world, CPU_ON, 1), HVC_OK);
	assert_int_equal(world_ask(world, TRNG_VERSION, 0, 0, 0), STATUS(NOT_SUPPORTED));
	assert_int_equal(hvc_call(world->vcpus[1], HVC_CONDUIT_SMC, 0, &frame), HVC_RESUME);
	assert_int_equal(frame.x[0], STATUS(NOT_SUPPORTED));
	assert_int_equal(hvc_vcpu_outcome(world->vcpus[1]).decider, HVC_BY_RULE);
	assert_int_equal(world->counters[1].calls[HVC_FN_TRNG_VERSION][HVC_DENIED], 1);
	assert_int_equal(world_ask(world, PSCI_FEATURES, CPU_ON, 0, 0), STATUS(NOT_SUPPORTED));
	assert_int_equal(world_ask(world, PSCI_FEATURES, CPU_ON ^ HVC_ID_64, 0, 0), 0);
	assert_int_equal(world_ask(world, PSCI_VERSION, 0, 0, 0), HVC_VERSION(1, 1));
	assert_int_equal(action_at(world, TRNG_VERSION - 1), HVC_HANDLE);
	assert_int_equal(action_at(world, TRNG_VERSION + 1), HVC_HANDLE);
	/* Once more, and over a part: it stays. */
	assert_int_equal(tighten(world, TRNG_VERSION, 1), HVC_OK);
	assert_int_equal(tighten(world, TRNG_VERSION - 1, 3), HVC_OK);
	assert_int_equal(action_at(world, TRNG_VERSION - 1), HVC_DENY);
	assert_int_equal(action_at(world, TRNG_VERSION), HVC_DENY);
	world_free(world);
}

/* Any action, by rule, by default or added, becomes a deny that is a rule. */
static void test_any_action(void **state)
{
	static const struct paint rules[] = {{0x05000000u, 0x050000ffu, HVC_DENY},
					     {0x05000100u, 0x050001ffu, HVC_FORWARD},
					     {0x05000200u, 0x050002ffu, HVC_NOTIFY},
					     {0x05000300u, 0x050003ffu, HVC_HANDLE}};
	static const enum hvc_action defaults[] = {HVC_HANDLE, HVC_DENY, HVC_FORWARD, HVC_NOTIFY};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(defaults); i++) {
		struct world *world = world_new(&(struct world_setup){.rules = rules,
								      .rule_count = COUNT_OF(rules),
								      .otherwise = defaults[i],
								      .filter_ranges = 2});
		struct hvc_filter_span span;

		assert_int_equal(hvc_filter_add(world->vm, 0x05000500u, 0x100, HVC_NOTIFY), HVC_OK);
		assert_int_equal(tighten(world, 0x05000080u, 0x600), HVC_OK);
		span = hvc_filter_span(world->vm, 0x05000080u);
		assert_int_equal(span.last, 0x0500067fu);
		assert_int_equal(span.action, HVC_DENY);
		assert_int_equal(span.claimed, 1);
		assert_int_equal(action_at(world, 0x05000680u), defaults[i]);
		/* Before the first run it is in the way of other rules: what was tightened cannot be widened. */
		assert_int_equal(hvc_filter_add(world->vm, 0x05000400u, 1, HVC_HANDLE), HVC_EEXIST);
		world_free(world);
	}
}

static void test_errors(void **state)
{
	static const struct {
		uint32_t base, count, action;
		enum hvc_err err;
		enum hvc_obstacle obstacle;
		uint32_t first, last;
	} cases[] = {
		{0x84000000u, 0, HVC_DENY, HVC_EINVAL, HVC_OBSTACLE_EMPTY, 0, 0},
		{0, 0, HVC_DENY, HVC_EINVAL, HVC_OBSTACLE_EMPTY, 0, 0},
		{UINT32_MAX, 2, HVC_DENY, HVC_EINVAL, HVC_OBSTACLE_WRAP, 0, 0},
		{0x80000000u, 0, HVC_HANDLE, HVC_EINVAL, HVC_OBSTACLE_EMPTY, 0, 0},
		{0x84000000u, 1, HVC_HANDLE, HVC_EPERM, HVC_OBSTACLE_ACTION, 0, 0},
		{0x84000000u, 1, HVC_FORWARD, HVC_EPERM, HVC_OBSTACLE_ACTION, 0, 0},
		{0x84000000u, 1, HVC_NOTIFY, HVC_EPERM, HVC_OBSTACLE_ACTION, 0, 0},
		{0x84000000u, 1, 4, HVC_EPERM, HVC_OBSTACLE_ACTION, 0, 0},
		{0x80000000u, 1, HVC_FORWARD, HVC_EPERM, HVC_OBSTACLE_ACTION, 0, 0},
		{0x80000000u, 1, HVC_DENY, HVC_EEXIST, HVC_OBSTACLE_RESERVED, 0x80000000u,
		 0x8000ffffu},
		{0x7fffffffu, 2, HVC_DENY, HVC_EEXIST, HVC_OBSTACLE_RESERVED, 0x80000000u,
		 0x8000ffffu},
		{0xc000ffffu, 1, HVC_DENY, HVC_EEXIST, HVC_OBSTACLE_RESERVED, 0xc0000000u,
		 0xc000ffffu},
		{0, UINT32_MAX, HVC_DENY, HVC_EEXIST, HVC_OBSTACLE_RESERVED, 0x80000000u,
		 0x8000ffffu},
		{0x80010000u, 1, HVC_DENY, HVC_OK, HVC_OBSTACLE_NONE, 0, 0},
		{0x84000000u, 1, HVC_DENY, HVC_OK, HVC_OBSTACLE_NONE, 0, 0},
	};
	struct world *world = with_filter();
	struct hvc_filter_detail detail = {.size = sizeof(detail) - 1};

	(void)state;
	assert_int_equal(hvc_vm_tighten(world->vm, 0x84000000u, 1, &detail), HVC_EINVAL);
	assert_int_equal(action_at(world, 0x84000000u), HVC_HANDLE);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		detail = (struct hvc_filter_detail){.size = sizeof(detail), .first = 1, .last = 1};
		assert_int_equal(hvc_vm_tighten_to(world->vm, cases[i].base, cases[i].count,
						   (enum hvc_action)cases[i].action, &detail),
				 cases[i].err);
		assert_int_equal(detail.size, sizeof(detail));
		assert_int_equal(detail.obstacle, cases[i].obstacle);
		assert_int_equal(detail.first, cases[i].first);
		assert_int_equal(detail.last, cases[i].last);
		assert_int_equal(detail.action, 0);
	}
	world_free(world);
}

/* No filter memory, or too little: nothing of the range is denied. */
static void test_memory(void **state)
{
	struct world *bare = running(&(struct world_setup){0});
	struct world *world = world_new(&(struct world_setup){.filter_ranges = 1});
	struct hvc_filter_detail detail = {.size = sizeof(detail)};

	(void)state;
	assert_int_equal(hvc_vm_tighten(bare->vm, 0x84000000u, 1, &detail), HVC_ENOTSUP);
	assert_int_equal(detail.obstacle, HVC_OBSTACLE_MEMORY);
	assert_int_equal(tighten(bare, 0x80000000u, 1), HVC_EEXIST);
	assert_int_equal(hvc_image_check(bare->image, bare->image->bytes), HVC_OK);
	world_free(bare);
	/* The worst range takes what hvc_filter_size() gave for one; then there is none for another. */
	assert_int_equal(tighten(world, 0x07ffff80u, 0x1000002u), HVC_OK);
	assert_int_equal(hvc_vm_tighten(world->vm, 0x17123456u, 2, &detail), HVC_ENOMEM);
	assert_int_equal(detail.obstacle, HVC_OBSTACLE_MEMORY);
	assert_int_equal(action_at(world, 0x17123456u), HVC_HANDLE);
	assert_int_equal(action_at(world, 0x17123457u), HVC_HANDLE);
	/* What needs no node has room still. */
	assert_int_equal(tighten(world, 0x17000000u, 0x1000000u), HVC_OK);
	assert_int_equal(action_at(world, 0x17123456u), HVC_DENY);
	world_free(world);
}

/* A forwarded call that is pending is answered by who has it; the next one is denied. */
static void test_pending_forward(void **state)
{
	static const struct paint rules[] = {{0x83000000u, 0x830000ffu, HVC_FORWARD}};
	struct world *world = running(&(struct world_setup){
		.rules = rules, .rule_count = 1, .filter_ranges = 1, .flags = HVC_VM_FORWARD});
	struct hvc_frame frame = world_frame(0x83000001u, 1, 2, 3);
	const struct hvc_frame reply = {.x = {42}};

	(void)state;
	assert_int_equal(hvc_call(world->vcpus[0], HVC_CONDUIT_HVC, 0, &frame), HVC_FORWARDED);
	assert_int_equal(tighten(world, 0x83000000u, 0x100), HVC_OK);
	assert_int_equal(hvc_vcpu_outcome(world->vcpus[0]).action, HVC_FORWARD);
	assert_int_equal(hvc_forward_complete(world->vcpus[0], &frame, &reply, 1), HVC_OK);
	assert_int_equal(frame.x[0], 42);
	assert_int_equal(world_ask(world, 0x83000001u, 1, 2, 3), STATUS(NOT_SUPPORTED));
	world_free(world);
}

/* A profile without a filter to add to has one to tighten. */
static void test_profile_without_filter(void **state)
{
	struct hvc_settings settings;
	struct world *world;

	(void)state;
	hvc_settings_init(&settings);
	settings.filter = 0;
	world = running(&(struct world_setup){.settings = &settings, .filter_ranges = 1});
	assert_int_equal(hvc_filter_add(world->vm, TRNG_VERSION, 1, HVC_DENY), HVC_EINVAL);
	assert_int_equal(tighten(world, TRNG_VERSION, 1), HVC_OK);
	assert_int_equal(world_ask(world, TRNG_VERSION, 0, 0, 0), STATUS(NOT_SUPPORTED));
	world_free(world);
}

/* From 1.3 on a hint is no other ID: it is no way around a deny. */
static void test_hint(void **state)
{
	struct hvc_settings settings;
	struct world *world;

	(void)state;
	hvc_settings_init(&settings);
	settings.smccc_version = HVC_VERSION(1, 3);
	world = running(&(struct world_setup){.settings = &settings, .filter_ranges = 1});
	assert_int_equal(tighten(world, TRNG_VERSION, 1), HVC_OK);
	assert_int_equal(world_ask(world, TRNG_VERSION | HVC_ID_SVE_HINT, 0, 0, 0),
			 STATUS(NOT_SUPPORTED));
	assert_int_equal(world_ask(world, PSCI_VERSION | HVC_ID_SVE_HINT, 0, 0, 0),
			 HVC_VERSION(1, 1));
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_denies),
		cmocka_unit_test(test_any_action),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_pending_forward),
		cmocka_unit_test(test_profile_without_filter),
		cmocka_unit_test(test_hint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
