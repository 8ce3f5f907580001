/* SPDX-License-Identifier: BSD-2-Clause */
/* Forwarded calls: the verdict, who may write what, giving up, and what discovery says meanwhile. */
#include <string.h>

#include <hvcgate/forward.h>

#include "cmocka_all.h"
#include "world.h"

#define CPU_ON_64  0xc4000003u
#define TRNG_RND   0x84000053u
#define FFA_ID_GET 0x84000069u
#define UNKNOWN    0x87000000u

static const struct paint rules[] = {
	{0x84000003u, 0x84000003u, HVC_FORWARD}, {CPU_ON_64, CPU_ON_64, HVC_FORWARD},
	{TRNG_RND, TRNG_RND, HVC_FORWARD},       {FFA_ID_GET, FFA_ID_GET, HVC_FORWARD},
	{UNKNOWN, UNKNOWN, HVC_FORWARD},         {0x84000015u, 0x84000015u, HVC_FORWARD},
	{0x84000002u, 0x84000002u, HVC_NOTIFY}};

static struct world *forwarding(uint32_t quirks)
{
	struct hvc_settings settings;

	hvc_settings_init(&settings);
	settings.quirks = quirks;
	return world_new(&(struct world_setup){.settings = &settings,
					       .rules = rules,
					       .rule_count = COUNT_OF(rules),
					       .vcpu_count = 2,
					       .flags = HVC_VM_FORWARD});
}

/* A forwarded call: the frame is the guest's, nothing is counted yet. */
static struct hvc_frame forward(struct world *world, enum hvc_conduit conduit, uint32_t id)
{
	struct hvc_frame frame = world_frame(id, 1, 2, 3), before = frame;

	assert_int_equal(hvc_call(world->vcpus[0], conduit, 0, &frame), HVC_FORWARDED);
	assert_memory_equal(&frame, &before, sizeof(frame));
	assert_int_equal(hvc_vcpu_outcome(world->vcpus[0]).action, HVC_FORWARD);
	assert_int_equal(hvc_vcpu_outcome(world->vcpus[0]).decider, HVC_BY_RULE);
	assert_int_equal(hvc_vcpu_outcome(world->vcpus[0]).id, id);
	return frame;
}

/* Whatever the reply and its mask are, exactly `may` is written. */
static void check_complete(uint32_t quirks, uint32_t id, uint32_t may)
{
	static const uint32_t masks[] = {0, 1, 0xf, 0x3ffff, UINT32_MAX, 0x15555};
	struct world *world = forwarding(quirks);
	unsigned int slot = hvc_function_by_id(id);

	for (size_t m = 0; m < COUNT_OF(masks); m++) {
		struct hvc_frame frame = forward(world, (enum hvc_conduit)(m % 2), id);
		struct hvc_frame before = frame, reply;

		for (unsigned int i = 0; i < HVC_FRAME_REGS; i++) {
			reply.x[i] = 0xabc000 + i;
		}
		assert_int_equal(hvc_forward_complete(world->vcpus[0], &frame, &reply, masks[m]),
				 HVC_OK);
		for (unsigned int i = 0; i < HVC_FRAME_REGS; i++) {
			bool written = (masks[m] & may) >> i & 1;

			assert_int_equal(frame.x[i], written ? reply.x[i] : before.x[i]);
		}
		assert_int_equal(world->counters[0].calls[slot][HVC_ANSWERED], m + 1);
		assert_int_equal(world->counters[0].calls[slot][HVC_FAILED], 0);
	}
	world_free(world);
}

static void test_complete(void **state)
{
	(void)state;
	check_complete(0, CPU_ON_64, 0x1);
	check_complete(0, TRNG_RND, 0xf);
	check_complete(0, UNKNOWN, 0xf);
	check_complete(HVC_QUIRK_REPLY_ANY, CPU_ON_64, 0x3ffff);
	check_complete(HVC_QUIRK_REPLY_ANY, UNKNOWN, 0x3ffff);
}

static void test_cancel(void **state)
{
	static const struct {
		uint32_t id;
		uint64_t x0;
	} calls[] = {{CPU_ON_64, STATUS(-6)},
		     {TRNG_RND, STATUS(-3)},
		     {UNKNOWN, STATUS(-1)},
		     {FFA_ID_GET, 0x84000060u}};
	struct world *world = forwarding(0);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(calls); i++) {
		struct hvc_frame frame = forward(world, HVC_CONDUIT_HVC, calls[i].id);
		unsigned int slot = hvc_function_by_id(calls[i].id);

		assert_int_equal(hvc_forward_cancel(world->vcpus[0], &frame), HVC_OK);
		assert_int_equal(frame.x[0], calls[i].x0);
		assert_int_equal(frame.x[1], calls[i].id == FFA_ID_GET ? 0 : 1);
		assert_int_equal(world->counters[0].calls[slot][HVC_FAILED], 1);
	}
	world_free(world);
}

/* One answer a call, none without one; other vCPUs have their own. */
static void test_pending(void **state)
{
	struct world *world = forwarding(0);
	struct hvc_frame frame = world_frame(0, 0, 0, 0), reply = frame;

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(hvc_forward_complete(world->vcpus[0], &frame, &reply, 1),
				 HVC_ENOENT);
		assert_int_equal(hvc_forward_cancel(world->vcpus[0], &frame), HVC_ENOENT);
		assert_memory_equal(&frame, &reply, sizeof(frame));
		frame = forward(world, HVC_CONDUIT_SMC, CPU_ON_64);
		assert_int_equal(hvc_forward_cancel(world->vcpus[1], &frame), HVC_ENOENT);
		if (i == 1) {
			assert_int_equal(hvc_forward_cancel(world->vcpus[0], &frame), HVC_OK);
		} else if (i == 2) {
			/* It was turned off and on again: the call is over. */
			hvc_vcpu_started(world->vcpus[0]);
		} else {
			assert_int_equal(hvc_forward_complete(world->vcpus[0], &frame, &reply, 0),
					 HVC_OK);
			assert_int_equal(frame.x[0], CPU_ON_64);
		}
		reply = frame;
	}
	assert_int_equal(hvc_forward_cancel(world->vcpus[0], &frame), HVC_ENOENT);
	/* An immediate is no call that could be forwarded; notify is no forward. */
	frame.x[0] = CPU_ON_64;
	assert_int_equal(hvc_call(world->vcpus[0], HVC_CONDUIT_SMC, 1, &frame), HVC_RESUME);
	assert_int_equal(frame.x[0], STATUS(-1));
	assert_int_equal(world_ask(world, 0x84000002u, 0, 0, 0), STATUS(-6));
	world_free(world);
}

/* Coherent discovery: what somebody answers is present, also where the engine would not. */
static void test_discovery(void **state)
{
	struct world *attached = forwarding(0);
	struct world *alone = world_new(
		&(struct world_setup){.rules = rules, .rule_count = COUNT_OF(rules)});

	(void)state;
	assert_int_equal(world_ask(attached, 0x8400000au, CPU_ON_64, 0, 0), 0);
	assert_int_equal(world_ask(attached, 0x8400000au, 0x84000015u, 0, 0), 1); /* PSCI 1.3 */
	assert_int_equal(world_ask(attached, 0x8400000au, 0xc4000015u, 0, 0), STATUS(-1));
	assert_int_equal(world_ask(attached, 0x8400000au, 0x84000002u, 0, 0), STATUS(-1));
	assert_int_equal(world_ask(alone, 0x8400000au, CPU_ON_64, 0, 0), STATUS(-1));
	world_free(attached);
	world_free(alone);
}

/* Raw discovery does not look at rules, only at what there is. */
static void test_raw(void **state)
{
	static const struct paint deny[] = {{0x84000003u, 0x84000003u, HVC_DENY},
					    {TRNG_RND, TRNG_RND, HVC_DENY}};
	struct hvc_settings settings;
	struct world *world;

	(void)state;
	hvc_settings_init(&settings);
	settings.discovery = HVC_DISCOVERY_RAW;
	world = world_new(
		&(struct world_setup){.settings = &settings, .rules = deny, .rule_count = 2});
	assert_int_equal(world_ask(world, 0x8400000au, 0x84000003u, 0, 0), 0);
	assert_int_equal(world_ask(world, 0x8400000au, 0x84000015u, 0, 0), STATUS(-1));
	assert_int_equal(world_ask(world, 0x84000051u, TRNG_RND, 0, 0), 0);
	assert_int_equal(world_ask(world, 0x84000003u, 0, 0, 0), STATUS(-1));
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_complete), cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_pending),  cmocka_unit_test(test_discovery),
		cmocka_unit_test(test_raw),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
