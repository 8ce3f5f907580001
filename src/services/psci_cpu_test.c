/* SPDX-License-Identifier: BSD-2-Clause */
/* PSCI (DEN0022): the power of CPUs, one thread. */
#include "cmocka_all.h"
#include "psci_calls.h"

#define ask(...)            psci_ask(HVC_CONDUIT_SMC, __VA_ARGS__)
#define turn_on(world, cpu) psci_turn_on(HVC_CONDUIT_SMC, world, cpu, mpidrs[cpu])

#define CPU_SUSPEND         0x84000001u
#define CPU_OFF             0x84000002u
#define CPU_ON              0x84000003u
#define AFFINITY_INFO       0x84000004u
#define CPU_FREEZE          0x8400000bu
#define SYSTEM_SUSPEND      0x8400000eu
#define WIDE                HVC_ID_64

#define HIGH                0xffffffff00000000ull /* what SMC32 does not see */
#define RAM_END             0x80000000ull

/* Two clusters of two, and one CPU with Aff3. */
static const uint64_t mpidrs[5] = {0x000, 0x001, 0x100, 0x101, 0x500000102ull};

static struct world *cluster(uint32_t version)
{
	struct hvc_settings settings;
	struct world *world;

	hvc_settings_init(&settings);
	settings.regs[HVC_REG_PSCI_VERSION] = version;
	world = world_new(&(struct world_setup){.settings = &settings, .vcpu_count = 5});
	for (unsigned int i = 0; i < 5; i++) {
		assert_int_equal(hvc_vcpu_setup(world->vcpus[i], mpidrs[i], &world->counters[i]),
				 HVC_OK);
	}
	world->ram_end = RAM_END;
	return world;
}

static void turn_off(struct world *world, unsigned int cpu)
{
	struct hvc_frame frame = world_frame(CPU_OFF, 0, 0, 0);

	assert_int_equal(hvc_call(world->vcpus[cpu], HVC_CONDUIT_HVC, 0, &frame), HVC_CPU_OFF);
}

static void test_life(void **state)
{
	struct world *world = cluster(HVC_VERSION(1, 1));
	struct hvc_frame frame = world_frame(CPU_ON, 1, 0x4000, 0x1122334455667788ull);
	struct hvc_request request;

	(void)state;
	assert_int_equal(hvc_call(world->vcpus[0], HVC_CONDUIT_HVC, 0, &frame), HVC_RESUME);
	assert_int_equal(frame.x[0], SUCCESS);
	assert_int_equal(world->starts, 1);
	assert_int_equal(world->last_start, 1);
	assert_int_equal(hvc_vcpu_power(world->vcpus[1]), PENDING);
	assert_int_equal(ask(world, 0, CPU_ON, 1, 0x4000), STATUS(ON_PENDING));
	assert_int_equal(ask(world, 0, AFFINITY_INFO, 1, 0), PENDING);
	request = hvc_vcpu_started(world->vcpus[1]);
	assert_int_equal(request.entry, 0x4000);
	assert_int_equal(request.context, 0x55667788u); /* SMC32 */
	assert_int_equal(ask(world, 0, AFFINITY_INFO, 1, 0), ON);
	assert_int_equal(ask(world, 0, CPU_ON, 1, 0x4000), STATUS(ALREADY_ON));
	turn_off(world, 1);
	assert_int_equal(ask(world, 0, AFFINITY_INFO, 1, 0), OFF);
	assert_int_equal(world->starts, 1);

	frame = world_frame(CPU_ON | WIDE, 1, 0x8000, 0x1122334455667788ull);
	assert_int_equal(hvc_call(world->vcpus[0], HVC_CONDUIT_HVC, 0, &frame), HVC_RESUME);
	request = hvc_vcpu_started(world->vcpus[1]);
	assert_int_equal(request.entry, 0x8000);
	assert_int_equal(request.context, 0x1122334455667788ull);
	assert_int_equal(request.function, HVC_FN_PSCI_CPU_ON);
	assert_int_equal(world->starts, 2);
	world_free(world);
}

static const struct on {
	uint32_t id;
	uint64_t mpidr, entry;
	int32_t status; /* from 1.0 on; 0.2 knows no INVALID_ADDRESS */
} ons[] = {
	{CPU_ON, 0, 0x1000, ALREADY_ON}, /* itself */
	{CPU_ON, 1, 0x1000, SUCCESS},
	{CPU_ON, HIGH | 1, HIGH | 0x1000, SUCCESS},
	{CPU_ON | WIDE, HIGH | 1, 0x1000, INVALID_PARAMETERS},
	{CPU_ON | WIDE, 1, HIGH | 0x1000, INVALID_ADDRESS},
	{CPU_ON, 2, 0x1000, INVALID_PARAMETERS},           /* an index is no affinity */
	{CPU_ON, 0x80000001u, 0x1000, INVALID_PARAMETERS}, /* MPIDR_EL1 as read: bit 31 */
	{CPU_ON, 0x01000001u, 0x1000, INVALID_PARAMETERS},
	{CPU_ON | WIDE, 0x500000102ull, 0x1000, SUCCESS},
	{CPU_ON, 0x500000102ull, 0x1000, INVALID_PARAMETERS}, /* 0x102: Aff3 is not in SMC32 */
	{CPU_ON | WIDE, 0x10500000102ull, 0x1000, INVALID_PARAMETERS},
	{CPU_ON, 0x100, 0, SUCCESS},
	{CPU_ON, 0x100, 0x1001, INVALID_ADDRESS},
	{CPU_ON, 0x100, 0x1002, INVALID_ADDRESS},
	{CPU_ON, 0x100, RAM_END - 4, SUCCESS},
	{CPU_ON, 0x100, RAM_END, INVALID_ADDRESS},
	{CPU_ON | WIDE, 0x100, UINT64_MAX - 3, INVALID_ADDRESS},
	{CPU_ON, 7, 0x1001, INVALID_PARAMETERS}, /* the target comes first */
};

static void test_cpu_on(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(ons) * 2; i++) {
		const struct on *on = &ons[i / 2];
		struct world *world = cluster(i % 2 ? HVC_VERSION(0, 2) : HVC_VERSION(1, 0));
		int32_t want = on->status == INVALID_ADDRESS && i % 2 ? INVALID_PARAMETERS
								      : on->status;

		assert_int_equal(ask(world, 0, on->id, on->mpidr, on->entry), STATUS(want));
		assert_int_equal(world->starts, want == SUCCESS);
		world_free(world);
	}
}

static void test_start_fails(void **state)
{
	struct world *world = cluster(HVC_VERSION(1, 1));
	struct world *bare = world_new(&(struct world_setup){.vcpu_count = 2, .no_platform = true});

	(void)state;
	world->start_fails = true;
	assert_int_equal(ask(world, 0, CPU_ON, 1, 0x1000), STATUS(INTERNAL_FAILURE));
	assert_int_equal(hvc_vcpu_power(world->vcpus[1]), OFF);
	assert_int_equal(ask(world, 0, AFFINITY_INFO, 1, 0), OFF);
	world->start_fails = false;
	assert_int_equal(ask(world, 0, CPU_ON, 1, 0x1000), SUCCESS);
	assert_int_equal(ask(bare, 0, CPU_ON, 1, 0x1000), STATUS(INTERNAL_FAILURE));
	assert_int_equal(hvc_vcpu_power(bare->vcpus[1]), OFF);
	/* Without is_ram any aligned address will do. */
	world->platform.is_ram = NULL;
	assert_int_equal(ask(world, 0, CPU_ON | WIDE, 0x100, UINT64_MAX - 3), SUCCESS);
	world_free(bare);
	world_free(world);
}

static void test_affinity_info(void **state)
{
	struct world *world = cluster(HVC_VERSION(1, 1));
	static const struct {
		uint32_t id;
		uint64_t affinity, level;
		int32_t status;
	} asks[] = {
		/* On: 0x000, 0x101. Pending: 0x500000102. */
		{AFFINITY_INFO, 0x000, 0, ON},
		{AFFINITY_INFO, 0x001, 0, OFF},
		{AFFINITY_INFO, 0x100, 0, OFF},
		{AFFINITY_INFO, 0x101, 0, ON},
		{AFFINITY_INFO, 0x102, 0, INVALID_PARAMETERS},
		{AFFINITY_INFO, 0x002, 0, INVALID_PARAMETERS},
		{AFFINITY_INFO, HIGH | 0x101, HIGH, ON},
		{AFFINITY_INFO | WIDE, HIGH | 0x101, 0, INVALID_PARAMETERS},
		{AFFINITY_INFO | WIDE, 0x101, 1ull << 32, INVALID_PARAMETERS},
		{AFFINITY_INFO | WIDE, 0x500000102ull, 0, PENDING},
		{AFFINITY_INFO, 0x80000000u, 0, INVALID_PARAMETERS},
		{AFFINITY_INFO, 0x1000000u, 0, INVALID_PARAMETERS},
		/* Levels: fields below are ignored. */
		{AFFINITY_INFO, 0x0ff, 1, ON},
		{AFFINITY_INFO, 0x1ff, 1, ON},
		{AFFINITY_INFO, 0x200, 1, INVALID_PARAMETERS},
		{AFFINITY_INFO, 0xffff, 2, ON},
		{AFFINITY_INFO, 0x10000, 2, INVALID_PARAMETERS},
		{AFFINITY_INFO, 0xffffff, 3, ON},
		{AFFINITY_INFO | WIDE, 0x500000000ull, 1, INVALID_PARAMETERS},
		{AFFINITY_INFO | WIDE, 0x500000100ull, 1, PENDING},
		{AFFINITY_INFO | WIDE, 0x500000000ull, 2, PENDING},
		{AFFINITY_INFO | WIDE, 0x500ffffffull, 3, PENDING},
		{AFFINITY_INFO | WIDE, 0x600000000ull, 3, INVALID_PARAMETERS},
		{AFFINITY_INFO, 0, 4, INVALID_PARAMETERS},
		{AFFINITY_INFO, 0, 0xffffffffu, INVALID_PARAMETERS},
	};

	(void)state;
	turn_on(world, 3);
	assert_int_equal(ask(world, 0, CPU_ON | WIDE, mpidrs[4], 0x1000), SUCCESS);
	for (size_t i = 0; i < COUNT_OF(asks); i++) {
		assert_int_equal(ask(world, 0, asks[i].id, asks[i].affinity, asks[i].level),
				 STATUS(asks[i].status));
	}
	/* A cluster of CPUs that are off is off. */
	turn_off(world, 3);
	assert_int_equal(ask(world, 0, AFFINITY_INFO, 0x100, 1), OFF);
	world_free(world);
}

/* Bit by bit: those below the level do not matter, the others do. One CPU, at 0. */
static void test_affinity_levels(void **state)
{
	struct world *world = world_new(&(struct world_setup){0});

	(void)state;
	for (unsigned int level = 0; level <= 3; level++) {
		for (unsigned int bit = 0; bit < 64; bit++) {
			bool below = bit < 8 * level;

			assert_int_equal(ask(world, 0, AFFINITY_INFO | WIDE, 1ull << bit, level),
					 below ? ON : STATUS(INVALID_PARAMETERS));
		}
	}
	world_free(world);
}

static const struct suspend {
	uint32_t id;
	uint64_t power_state, entry;
	enum hvc_verdict verdict;
	int32_t status;
} suspends[] = {
	{CPU_SUSPEND, 0, 0, HVC_CPU_STANDBY, SUCCESS},
	{CPU_SUSPEND, 0xffff, 1, HVC_CPU_STANDBY, SUCCESS}, /* the entry does not matter */
	{CPU_SUSPEND, 0x03000000u, 0, HVC_CPU_STANDBY, SUCCESS},
	{CPU_SUSPEND | WIDE, HIGH, 0, HVC_CPU_STANDBY, SUCCESS}, /* power_state is 32 bits */
	{CPU_SUSPEND, 0x00010000u, 0x2000, HVC_CPU_POWERDOWN, 0},
	{CPU_SUSPEND | WIDE, 0x0301ffffu, 0x2000, HVC_CPU_POWERDOWN, 0},
	{CPU_SUSPEND, 0x00010000u, HIGH | 0x2000, HVC_CPU_POWERDOWN, 0},
	{CPU_SUSPEND, 0x00010000u, 0x2002, HVC_RESUME, INVALID_ADDRESS},
	{CPU_SUSPEND | WIDE, 0x00010000u, HIGH | 0x2000, HVC_RESUME, INVALID_ADDRESS},
	{CPU_SUSPEND, 0x00010000u, RAM_END, HVC_RESUME, INVALID_ADDRESS},
	/* Reserved bits 31:26 and 23:17 (DEN0022, 5.4.2). */
	{CPU_SUSPEND, 0x04000000u, 0, HVC_RESUME, INVALID_PARAMETERS},
	{CPU_SUSPEND, 0x80000000u, 0, HVC_RESUME, INVALID_PARAMETERS},
	{CPU_SUSPEND, 0x00020000u, 0, HVC_RESUME, INVALID_PARAMETERS},
	{CPU_SUSPEND, 0x00800000u, 0, HVC_RESUME, INVALID_PARAMETERS},
	{CPU_SUSPEND, 0x00030000u, 0x2000, HVC_RESUME, INVALID_PARAMETERS},
};

static void test_suspend(void **state)
{
	struct world *world = cluster(HVC_VERSION(1, 1));

	(void)state;
	for (size_t i = 0; i < COUNT_OF(suspends); i++) {
		const struct suspend *s = &suspends[i];
		struct hvc_frame frame = world_frame(s->id, s->power_state, s->entry, HIGH | 5);

		assert_int_equal(hvc_call(world->vcpus[0], HVC_CONDUIT_HVC, 0, &frame), s->verdict);
		assert_int_equal(hvc_vcpu_power(world->vcpus[0]), ON); /* asleep is on */
		if (s->verdict == HVC_CPU_POWERDOWN) {
			struct hvc_request request = hvc_vcpu_request(world->vcpus[0]);

			assert_int_equal(request.entry, 0x2000);
			assert_int_equal(request.context, s->id & WIDE ? (HIGH | 5) : 5);
			assert_int_equal(request.function, HVC_FN_PSCI_CPU_SUSPEND);
		} else {
			assert_int_equal(frame.x[0], STATUS(s->status));
		}
	}
	world_free(world);
}

static void test_system_suspend(void **state)
{
	struct world *world = cluster(HVC_VERSION(1, 1));
	struct hvc_frame frame;
	struct hvc_request request;

	(void)state;
	turn_on(world, 2);
	assert_int_equal(ask(world, 0, SYSTEM_SUSPEND, 0x3000, 5), STATUS(DENIED));
	turn_off(world, 2);
	assert_int_equal(ask(world, 0, CPU_ON, 1, 0x1000), SUCCESS); /* on its way counts as on */
	assert_int_equal(ask(world, 0, SYSTEM_SUSPEND, 0x3000, 5), STATUS(DENIED));
	hvc_vcpu_started(world->vcpus[1]);
	turn_off(world, 0); /* the last one need not be the first */
	assert_int_equal(ask(world, 1, SYSTEM_SUSPEND, 0x3001, 5), STATUS(INVALID_ADDRESS));
	assert_int_equal(ask(world, 1, SYSTEM_SUSPEND | WIDE, HIGH, 5), STATUS(INVALID_ADDRESS));
	frame = world_frame(SYSTEM_SUSPEND, HIGH | 0x3000, HIGH | 6, 0);
	assert_int_equal(hvc_call(world->vcpus[1], HVC_CONDUIT_HVC, 0, &frame), HVC_SYSTEM_SUSPEND);
	request = hvc_vcpu_request(world->vcpus[1]);
	assert_int_equal(request.entry, 0x3000);
	assert_int_equal(request.context, 6);
	assert_int_equal(request.function, HVC_FN_PSCI_SYSTEM_SUSPEND);
	frame = world_frame(SYSTEM_SUSPEND | WIDE, 0x3000, HIGH | 6, 0);
	assert_int_equal(hvc_call(world->vcpus[1], HVC_CONDUIT_HVC, 0, &frame), HVC_SYSTEM_SUSPEND);
	assert_int_equal(hvc_vcpu_request(world->vcpus[1]).context, HIGH | 6);
	world_free(world);
}

/* The host turns CPUs on and off without a call. */
static void test_told(void **state)
{
	struct world *world = cluster(HVC_VERSION(1, 1));
	struct hvc_vcpu *cpu = world->vcpus[1];

	(void)state;
	hvc_vcpu_tell_power(cpu, false);
	assert_int_equal(hvc_vcpu_power(cpu), OFF);
	for (unsigned int twice = 0; twice < 2; twice++) {
		hvc_vcpu_tell_power(cpu, true);
		assert_int_equal(ask(world, 0, CPU_ON, 1, 0x1000), STATUS(ALREADY_ON));
		assert_int_equal(ask(world, 0, AFFINITY_INFO, 1, 0), ON);
	}
	for (unsigned int twice = 0; twice < 2; twice++) {
		hvc_vcpu_tell_power(cpu, false);
		assert_int_equal(ask(world, 0, AFFINITY_INFO, 1, 0), OFF);
	}
	/* A start on its way is over, one way or the other. */
	assert_int_equal(ask(world, 0, CPU_ON, 1, 0x1000), SUCCESS);
	hvc_vcpu_tell_power(cpu, false);
	assert_int_equal(ask(world, 0, CPU_ON, 1, 0x1000), SUCCESS);
	hvc_vcpu_tell_power(cpu, true);
	assert_int_equal(ask(world, 0, CPU_ON, 1, 0x1000), STATUS(ALREADY_ON));
	world_free(world);
}

/* A frozen CPU stands still as one that is off does, and stays frozen: it counts as on, and CPU_ON starts it. */
static void test_told_frozen(void **state)
{
	struct hvc_settings settings;
	struct hvc_frame frame = world_frame(CPU_FREEZE, 0, 0, 0);
	struct world *world;

	(void)state;
	assert_int_equal(hvc_settings_profile(&settings, 2), HVC_OK);
	world = world_new(&(struct world_setup){.settings = &settings, .vcpu_count = 2});
	hvc_vcpu_tell_power(world->vcpus[1], true);
	assert_int_equal(hvc_call(world->vcpus[1], HVC_CONDUIT_HVC, 0, &frame), HVC_CPU_FREEZE);
	hvc_vcpu_tell_power(world->vcpus[1], false);
	assert_int_equal(ask(world, 0, AFFINITY_INFO, 1, 0), ON);
	assert_int_equal(ask(world, 0, CPU_ON, 1, 0x1000), SUCCESS);
	hvc_vcpu_started(world->vcpus[1]);
	assert_int_equal(hvc_call(world->vcpus[1], HVC_CONDUIT_HVC, 0, &frame), HVC_CPU_FREEZE);
	hvc_vcpu_tell_power(world->vcpus[1], true);
	assert_int_equal(ask(world, 0, CPU_ON, 1, 0x1000), STATUS(ALREADY_ON));
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life),
		cmocka_unit_test(test_cpu_on),
		cmocka_unit_test(test_start_fails),
		cmocka_unit_test(test_affinity_info),
		cmocka_unit_test(test_affinity_levels),
		cmocka_unit_test(test_suspend),
		cmocka_unit_test(test_system_suspend),
		cmocka_unit_test(test_told),
		cmocka_unit_test(test_told_frozen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
