/* SPDX-License-Identifier: BSD-2-Clause */
/* PSCI where Linux KVM departs from DEN0022: each quirk alone, and what it was measured to do. */
#include "cmocka_all.h"
#include "psci_calls.h"

#define CPU_SUSPEND    0x84000001u
#define CPU_ON         0x84000003u
#define AFFINITY_INFO  0x84000004u
#define SYSTEM_SUSPEND 0x8400000eu
#define WIDE           HVC_ID_64
#define HIGH           0xffffffff00000000ull
#define RAM_END        0x80000000ull

/* Two vCPUs, with one quirk or none. */
static struct world *with(uint32_t quirks)
{
	struct hvc_settings settings;
	struct world *world;

	hvc_settings_init(&settings);
	settings.quirks = quirks;
	world = world_new(&(struct world_setup){.settings = &settings, .vcpu_count = 2});
	world->ram_end = RAM_END;
	return world;
}

static void test_on_at_once(void **state)
{
	(void)state;
	for (unsigned int quirk = 0; quirk < 2; quirk++) {
		struct world *world = with(quirk ? HVC_QUIRK_ON_AT_ONCE : 0);

		assert_int_equal(world_ask(world, AFFINITY_INFO, 1, 0, 0), OFF);
		assert_int_equal(world_ask(world, CPU_ON, 1, 0x1000, 0), SUCCESS);
		assert_int_equal(world_ask(world, AFFINITY_INFO, 1, 0, 0), quirk ? ON : PENDING);
		assert_int_equal(world_ask(world, AFFINITY_INFO, 0xff, 1, 0), ON);
		assert_int_equal(world_ask(world, CPU_ON, 1, 0x1000, 0),
				 STATUS(quirk ? ALREADY_ON : ON_PENDING));
		assert_int_equal(world->starts, 1);
		/* The host is told the truth. */
		assert_int_equal(hvc_vcpu_power(world->vcpus[1]), PENDING);
		hvc_vcpu_started(world->vcpus[1]);
		assert_int_equal(world_ask(world, AFFINITY_INFO, 1, 0, 0), ON);
		world_free(world);
	}
}

static void test_any_entry(void **state)
{
	static const uint64_t entries[] = {0x1001, 0x1002, RAM_END, UINT64_MAX, 0xfeedf00d};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(entries) * 2; i++) {
		struct world *world = with(i % 2 ? HVC_QUIRK_ANY_ENTRY : 0);
		uint64_t entry = entries[i / 2];
		struct hvc_frame frame = world_frame(SYSTEM_SUSPEND | WIDE, entry, 5, 0);
		int32_t want = i % 2 ? SUCCESS : INVALID_ADDRESS;

		assert_int_equal(hvc_call(world->vcpus[0], HVC_CONDUIT_HVC, 0, &frame),
				 i % 2 ? HVC_SYSTEM_SUSPEND : HVC_RESUME);
		assert_int_equal(world_ask(world, CPU_ON | WIDE, 1, entry, 7), STATUS(want));
		if (i % 2) {
			assert_int_equal(hvc_vcpu_request(world->vcpus[0]).entry, entry);
			assert_int_equal(hvc_vcpu_started(world->vcpus[1]).entry, entry);
		}
		world_free(world);
	}
}

/* The arguments mean nothing: never a power-down, never an error. */
static void test_suspend_waits(void **state)
{
	static const uint64_t states[] = {0, 0x00010000, 0x04000000, 0x00030000, UINT64_MAX};
	struct world *world = with(HVC_QUIRK_SUSPEND_WAITS);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(states) * 2; i++) {
		struct hvc_frame frame = world_frame(CPU_SUSPEND | (i % 2 ? WIDE : 0),
						     states[i / 2], 0x1001, 5);

		assert_int_equal(hvc_call(world->vcpus[0], HVC_CONDUIT_HVC, 0, &frame),
				 HVC_CPU_STANDBY);
		assert_int_equal(frame.x[0], SUCCESS);
	}
	world_free(world);
}

static void test_suspend_unchecked(void **state)
{
	(void)state;
	for (unsigned int quirk = 0; quirk < 2; quirk++) {
		struct world *world = with(quirk ? HVC_QUIRK_SUSPEND_UNCHECKED : 0);
		struct hvc_frame frame = world_frame(SYSTEM_SUSPEND, HIGH | 0x1000, HIGH | 5, 0);

		assert_int_equal(world_ask(world, CPU_ON, 1, 0x1000, 0), SUCCESS);
		hvc_vcpu_started(world->vcpus[1]);
		if (quirk) {
			assert_int_equal(hvc_call(world->vcpus[0], HVC_CONDUIT_HVC, 0, &frame),
					 HVC_SYSTEM_SUSPEND);
			assert_int_equal(hvc_vcpu_request(world->vcpus[0]).entry, 0x1000);
			assert_int_equal(hvc_vcpu_request(world->vcpus[0]).context, 5);
		} else {
			assert_int_equal(hvc_call(world->vcpus[0], HVC_CONDUIT_HVC, 0, &frame),
					 HVC_RESUME);
			assert_int_equal(frame.x[0], STATUS(DENIED));
		}
		world_free(world);
	}
}

/* Linux 5.10: bits that are no affinity field are passed over; the fields count as ever. */
static void test_mpidr_masked(void **state)
{
	static const struct {
		uint64_t mpidr;
		bool found; /* with the quirk; without, only 1 is */
	} targets[] = {
		{1, true},           {0x80000001, true},
		{0x01000001, true},  {0xffffff00ff000001ull, true},
		{0x101, false},      {0x100000001ull, false},
		{0x80000002, false}, {UINT64_MAX, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(targets) * 2; i++) {
		struct world *world = with(i % 2 ? HVC_QUIRK_MPIDR_MASKED : 0);
		uint64_t mpidr = targets[i / 2].mpidr;
		bool found = i % 2 ? targets[i / 2].found : mpidr == 1;

		assert_int_equal(world_ask(world, AFFINITY_INFO | WIDE, mpidr, 0, 0),
				 found ? OFF : STATUS(INVALID_PARAMETERS));
		assert_int_equal(world_ask(world, CPU_ON | WIDE, mpidr, 0x1000, 0),
				 found ? SUCCESS : STATUS(INVALID_PARAMETERS));
		assert_int_equal(world->starts, found);
		world_free(world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_on_at_once),    cmocka_unit_test(test_any_entry),
		cmocka_unit_test(test_suspend_waits), cmocka_unit_test(test_suspend_unchecked),
		cmocka_unit_test(test_mpidr_masked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
