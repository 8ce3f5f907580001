/* SPDX-License-Identifier: BSD-2-Clause */
/* PSCI 0.1: its functions exist in its VMs only, and nothing of later versions does. */
#include "cmocka_all.h"
#include "psci_calls.h"

#define CPU_SUSPEND 0x95c1ba5eu
#define CPU_OFF     0x95c1ba5fu
#define CPU_ON      0x95c1ba60u
#define MIGRATE     0x95c1ba61u
#define HIGH        0xffffffff00000000ull
#define RAM_END     0x80000000ull
#define CONTEXT     0x1122334455667788ull

static struct world *with(uint32_t quirks, uint32_t flags)
{
	struct hvc_settings settings;
	struct world *world;

	hvc_settings_init(&settings);
	settings.quirks = quirks;
	world = world_new(
		&(struct world_setup){.settings = &settings, .vcpu_count = 2, .flags = flags});
	world->ram_end = RAM_END;
	return world;
}

static enum hvc_verdict call(struct world *world, struct hvc_frame *frame)
{
	return hvc_call(world->vcpus[0], HVC_CONDUIT_HVC, 0, frame);
}

/* Every other number of PSCI in every spelling is unknown; what is not PSCI is as ever. */
static void test_others(void **state)
{
	static const uint32_t spellings[] = {0x84000000u, 0xc4000000u, 0x04000000u, 0x44000000u};
	static const uint32_t unknown[] = {0x95c1ba5du, 0x95c1ba62u, 0xd5c1ba60u,
					   0x15c1ba60u, 0x95c0ba60u, MIGRATE};
	struct world *world = with(0, HVC_VM_PSCI_0_1);

	(void)state;
	for (uint32_t n = 0; n < 0x40u * COUNT_OF(spellings); n++) {
		uint32_t id = spellings[n / 0x40] | (n & 0x3fu);

		assert_int_equal(world_ask(world, id, 1, 0x1000, 5), STATUS(NOT_SUPPORTED));
	}
	for (size_t i = 0; i < COUNT_OF(unknown); i++) {
		assert_int_equal(world_ask(world, unknown[i], 1, 0x1000, 5), STATUS(NOT_SUPPORTED));
	}
	assert_int_equal(world->starts, 0);
	assert_int_equal(world_ask(world, 0x80000000u, 0, 0, 0), HVC_VERSION(1, 2));
	assert_int_equal(world_ask(world, 0x84000050u, 0, 0, 0), HVC_VERSION(1, 0));
	world_free(world);
}

/* In a VM of a later version they are not there. */
static void test_later(void **state)
{
	static const uint32_t ids[] = {CPU_SUSPEND, CPU_OFF, CPU_ON, MIGRATE};
	struct world *world = with(0, 0);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(ids); i++) {
		assert_int_equal(world_ask(world, ids[i], 1, 0x1000, 5), STATUS(NOT_SUPPORTED));
		assert_int_equal(world_ask(world, 0x8400000au, ids[i], 0, 0),
				 STATUS(NOT_SUPPORTED));
	}
	assert_int_equal(world->starts, 0);
	world_free(world);
}

static const struct on {
	uint64_t mpidr, entry;
	int32_t status;
} ons[] = {
	{1, 0x1000, SUCCESS},
	{0, 0x1000, INVALID_PARAMETERS}, /* on */
	{7, 0x1000, INVALID_PARAMETERS},
	{0x80000001u, 0x1000, INVALID_PARAMETERS},
	{HIGH | 1, 0x1000, INVALID_PARAMETERS}, /* 64 bits wide */
	{1, 0x1001, INVALID_PARAMETERS},
	{1, HIGH | 0x1000, INVALID_PARAMETERS},
};

static void test_cpu_on(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(ons); i++) {
		struct world *world = with(0, HVC_VM_PSCI_0_1);
		struct hvc_frame frame = world_call(world, CPU_ON, ons[i].mpidr, ons[i].entry,
						    CONTEXT);

		assert_int_equal(frame.x[0], STATUS(ons[i].status));
		assert_int_equal(frame.x[1], ons[i].mpidr);
		assert_int_equal(frame.x[3], CONTEXT);
		assert_int_equal(world->starts, ons[i].status == SUCCESS);
		if (ons[i].status == SUCCESS) {
			assert_int_equal(hvc_vcpu_power(world->vcpus[1]), PENDING);
			assert_int_equal(world_ask(world, CPU_ON, 1, 0x1000, 0),
					 STATUS(INVALID_PARAMETERS));
			assert_int_equal(hvc_vcpu_started(world->vcpus[1]).context, CONTEXT);
			assert_int_equal(world_ask(world, CPU_ON, 1, 0x1000, 0),
					 STATUS(INVALID_PARAMETERS));
		}
		world_free(world);
	}
}

static void test_start_fails(void **state)
{
	struct world *world = with(0, HVC_VM_PSCI_0_1);

	(void)state;
	world->start_fails = true;
	assert_int_equal(world_ask(world, CPU_ON, 1, 0x1000, 0), STATUS(DENIED));
	assert_int_equal(hvc_vcpu_power(world->vcpus[1]), OFF);
	world_free(world);
}

/* As measured on Linux: any entry, 64 bits of it and of the context; zeroes. */
static void test_kvm(void **state)
{
	const uint32_t quirks = HVC_QUIRK_ZERO_X1_X3 | HVC_QUIRK_ANY_ENTRY | HVC_QUIRK_ON_AT_ONCE;
	struct world *world = with(quirks, HVC_VM_PSCI_0_1);
	struct hvc_frame frame = world_call(world, CPU_ON, 1, HIGH | 0x1235, CONTEXT);
	struct hvc_request request = hvc_vcpu_started(world->vcpus[1]);

	(void)state;
	assert_int_equal(frame.x[0], SUCCESS);
	assert_int_equal(frame.x[1] | frame.x[2] | frame.x[3], 0);
	assert_int_equal(request.entry, HIGH | 0x1235);
	assert_int_equal(request.context, CONTEXT);
	assert_int_equal(world_ask(world, CPU_ON, 1, 0x1000, 0), STATUS(INVALID_PARAMETERS));
	frame = world_frame(CPU_OFF, 1, 2, 3);
	assert_int_equal(call(world, &frame), HVC_CPU_OFF);
	assert_int_equal(frame.x[0] | frame.x[1] | frame.x[2] | frame.x[3], 0);
	assert_int_equal(hvc_vcpu_power(world->vcpus[0]), OFF);
	world_free(world);
}

static void test_suspend(void **state)
{
	struct world *world = with(0, HVC_VM_PSCI_0_1);
	struct hvc_frame frame = world_frame(CPU_SUSPEND, 0, 0x1001, CONTEXT);

	(void)state;
	assert_int_equal(call(world, &frame), HVC_CPU_STANDBY);
	assert_int_equal(frame.x[0], SUCCESS);
	frame = world_frame(CPU_SUSPEND, 0x00010000u, 0x2000, CONTEXT);
	assert_int_equal(call(world, &frame), HVC_CPU_POWERDOWN);
	assert_int_equal(hvc_vcpu_request(world->vcpus[0]).entry, 0x2000);
	assert_int_equal(hvc_vcpu_request(world->vcpus[0]).context, CONTEXT);
	assert_int_equal(hvc_vcpu_request(world->vcpus[0]).function, HVC_FN_PSCI_0_1_CPU_SUSPEND);
	assert_int_equal(world_ask(world, CPU_SUSPEND, 0x00010000u, 0x2002, 0),
			 STATUS(INVALID_PARAMETERS));
	assert_int_equal(world_ask(world, CPU_SUSPEND, 0x80000000u, 0x2000, 0),
			 STATUS(INVALID_PARAMETERS));
	frame = world_frame(CPU_OFF, 0, 0, 0);
	assert_int_equal(call(world, &frame), HVC_CPU_OFF);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_others), cmocka_unit_test(test_later),
		cmocka_unit_test(test_cpu_on), cmocka_unit_test(test_start_fails),
		cmocka_unit_test(test_kvm),    cmocka_unit_test(test_suspend),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
