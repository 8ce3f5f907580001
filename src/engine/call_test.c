/* SPDX-License-Identifier: BSD-2-Clause */
/* The call path where a profile departs from the Arm documents: immediates, SMCs, registers beside -1. */
#include <string.h>

#include <hvcgate/forward.h>

#include "cmocka_all.h"
#include "world.h"

#define PSCI_VERSION 0x84000000u
#define OFF2         0x84000015u /* PSCI 1.3, not the default */
#define DENIED       0x84000006u
#define FORWARDED    0xc4000003u
#define FFA_ID_GET   0x84000069u
#define UNKNOWN      0x8400ff77u
#define HIGH         0xbf00deadu

static const struct paint rules[] = {{DENIED, DENIED, HVC_DENY},
				     {FORWARDED, FORWARDED, HVC_FORWARD},
				     {FFA_ID_GET, FFA_ID_GET, HVC_FORWARD}};

static struct world *with_quirks(uint32_t quirks, uint32_t flags)
{
	struct hvc_settings settings;

	hvc_settings_init(&settings);
	settings.quirks = quirks;
	return world_new(&(struct world_setup){
		.settings = &settings, .rules = rules, .rule_count = 3, .flags = flags});
}

/* A call and what it changed: mask of registers, x0 in *x0. */
static uint32_t changed(struct world *world, enum hvc_conduit conduit, uint16_t immediate,
			uint32_t id, uint64_t *x0)
{
	struct hvc_frame frame = world_frame(id, 0x11, 0x22, 0x33), before = frame;
	uint32_t mask = 0;

	assert_int_equal(hvc_call(world->vcpus[0], conduit, immediate, &frame), HVC_RESUME);
	for (unsigned int i = 0; i < HVC_FRAME_REGS; i++) {
		mask |= (frame.x[i] != before.x[i] ? 1u : 0u) << i;
		assert_true(i == 0 || i >= 8 || frame.x[i] == before.x[i] || frame.x[i] == 0 ||
			    id == FFA_ID_GET);
	}
	*x0 = frame.x[0];
	return mask;
}

static void check(struct world *world, enum hvc_conduit conduit, uint16_t immediate, uint32_t id,
		  uint64_t x0, uint32_t mask, enum hvc_decider decider)
{
	uint64_t is;

	assert_int_equal(changed(world, conduit, immediate, id, &is), mask);
	assert_int_equal(is, x0);
	assert_int_equal(hvc_vcpu_outcome(world->vcpus[0]).decider, decider);
}

#define HVC HVC_CONDUIT_HVC
#define SMC HVC_CONDUIT_SMC

/* An answer that nobody gave: x0 alone, or x0 to x3 with the quirk. */
static void test_beside_minus_1(void **state)
{
	(void)state;
	for (unsigned int zero = 0; zero < 2; zero++) {
		struct world *world = with_quirks(zero ? HVC_QUIRK_ZERO_X1_X3 : 0, 0);
		uint32_t mask = zero ? 0xf : 0x1;

		for (unsigned int i = 0; i < 2; i++) {
			enum hvc_conduit conduit = (enum hvc_conduit)i;

			check(world, conduit, 0, UNKNOWN, STATUS(-1), mask, HVC_BY_UNKNOWN);
			check(world, conduit, 0, HIGH, STATUS(-1), mask, HVC_BY_UNKNOWN);
			check(world, conduit, 0, HIGH | 0x10000, STATUS(-1), mask, HVC_BY_UNKNOWN);
			check(world, conduit, 0, OFF2, STATUS(-1), mask, HVC_BY_FEATURE);
			check(world, conduit, 0, DENIED, STATUS(-1), mask, HVC_BY_RULE);
			check(world, conduit, 0, FORWARDED, STATUS(-6), mask, HVC_BY_RULE);
			check(world, conduit, 0, FFA_ID_GET, 0x84000060u, 0xff, HVC_BY_RULE);
			/* A call outside the convention writes x0 and nothing else. */
			check(world, conduit, 1, UNKNOWN, STATUS(-1), 0x1, HVC_BY_CONVENTION);
		}
		world_free(world);
	}
}

/* Nobody answers a forwarded call: that is an answer, too. */
static void test_cancelled(void **state)
{
	struct world *world = with_quirks(HVC_QUIRK_ZERO_X1_X3, HVC_VM_FORWARD);
	struct hvc_frame frame = world_frame(FORWARDED, 1, 2, 3), reply = {.x = {9, 9}};

	(void)state;
	assert_int_equal(hvc_call(world->vcpus[0], HVC, 0, &frame), HVC_FORWARDED);
	assert_int_equal(frame.x[1], 1);
	assert_int_equal(hvc_forward_cancel(world->vcpus[0], &frame), HVC_OK);
	assert_int_equal(frame.x[0], STATUS(-6));
	assert_int_equal(frame.x[1] | frame.x[2] | frame.x[3], 0);
	assert_int_equal(frame.x[4], 0xc0de000000000004ull);
	/* Who answers writes what it wants to write. */
	frame = world_frame(FORWARDED, 1, 2, 3);
	assert_int_equal(hvc_call(world->vcpus[0], HVC, 0, &frame), HVC_FORWARDED);
	assert_int_equal(hvc_forward_complete(world->vcpus[0], &frame, &reply, 1), HVC_OK);
	assert_int_equal(frame.x[0], 9);
	assert_int_equal(frame.x[1], 1);
	world_free(world);
}

static void test_any_immediate(void **state)
{
	static const uint16_t immediates[] = {1, 0xff, 0x100, 0x8000, 0xffff};
	struct world *world = with_quirks(HVC_QUIRK_HVC_ANY_IMMEDIATE | HVC_QUIRK_ZERO_X1_X3,
					  HVC_VM_FORWARD);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(immediates); i++) {
		uint16_t immediate = immediates[i];
		struct hvc_frame frame = world_frame(FORWARDED, 1, 2, 3);
		const uint64_t *count = world->counters[0].calls[HVC_FN_PSCI_VERSION];

		check(world, HVC, immediate, PSCI_VERSION, HVC_VERSION(1, 1), 0xf, HVC_BY_SERVICE);
		assert_int_equal(count[HVC_ANSWERED], i + 1);
		check(world, HVC, immediate, DENIED, STATUS(-1), 0xf, HVC_BY_RULE);
		check(world, HVC, immediate, HIGH, STATUS(-1), 0xf, HVC_BY_UNKNOWN);
		/* Not so an SMC's: -1, nothing else, and it is never forwarded. */
		check(world, SMC, immediate, PSCI_VERSION, STATUS(-1), 0x1, HVC_BY_CONVENTION);
		check(world, SMC, immediate, FORWARDED, STATUS(-1), 0x1, HVC_BY_CONVENTION);
		assert_int_equal(hvc_call(world->vcpus[0], HVC, immediate, &frame), HVC_FORWARDED);
		assert_int_equal(hvc_forward_cancel(world->vcpus[0], &frame), HVC_OK);
	}
	world_free(world);
}

/* Linux before 6.4: whatever an SMC asks for, it is not there. */
static void test_smc_unknown(void **state)
{
	static const uint32_t ids[] = {PSCI_VERSION, 0x80000000u, DENIED, FORWARDED, FFA_ID_GET,
				       UNKNOWN,      HIGH,        OFF2,   0,         UINT32_MAX};
	struct world *world = with_quirks(HVC_QUIRK_SMC_UNKNOWN | HVC_QUIRK_ZERO_X1_X3 |
						  HVC_QUIRK_HVC_ANY_IMMEDIATE,
					  HVC_VM_FORWARD);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(ids); i++) {
		for (unsigned int immediate = 0; immediate < 2; immediate++) {
			check(world, SMC, (uint16_t)immediate, ids[i], STATUS(-1), 0x1,
			      HVC_BY_CONVENTION);
		}
		assert_int_equal(world->counters[0].calls[0][HVC_ABSENT], 2 * (i + 1));
	}
	check(world, HVC, 0, PSCI_VERSION, HVC_VERSION(1, 1), 0xf, HVC_BY_SERVICE);
	check(world, HVC, 0, 0x80000000u, HVC_VERSION(1, 2), 0xf, HVC_BY_RESERVED);
	world_free(world);
}

/* What the profile does not list is not there, and discovery says so. */
static void test_functions(void **state)
{
	struct hvc_settings settings;
	struct world *world;

	(void)state;
	hvc_settings_init(&settings);
	settings.functions[HVC_FN_PSCI_CPU_ON / 64] ^= 1ull << HVC_FN_PSCI_CPU_ON % 64;
	settings.functions[HVC_FN_SMCCC_VERSION / 64] ^= 1ull << HVC_FN_SMCCC_VERSION % 64;
	world = world_new(&(struct world_setup){.settings = &settings, .vcpu_count = 2});
	check(world, HVC, 0, 0xc4000003u, STATUS(-1), 0x1, HVC_BY_FEATURE);
	check(world, HVC, 0, 0x84000003u, STATUS(-1), 0x1, HVC_BY_FEATURE);
	check(world, HVC, 0, 0x80000000u, STATUS(-1), 0x1, HVC_BY_RESERVED);
	assert_int_equal(world_ask(world, 0x8400000au, 0xc4000003u, 0, 0), STATUS(-1));
	assert_int_equal(world_ask(world, 0x8400000au, 0x84000004u, 0, 0), 0);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_beside_minus_1), cmocka_unit_test(test_cancelled),
		cmocka_unit_test(test_any_immediate),  cmocka_unit_test(test_smc_unknown),
		cmocka_unit_test(test_functions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
