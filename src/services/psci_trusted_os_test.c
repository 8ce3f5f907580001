/* SPDX-License-Identifier: BSD-2-Clause */
/* PSCI (DEN0022, 5.8, 5.9 and 5.17): a trusted OS that is on one CPU, and CPUs that are frozen. */
#include "cmocka_all.h"
#include "psci_calls.h"

#define ask(...)            psci_ask(HVC_CONDUIT_HVC, __VA_ARGS__)
#define turn_on(world, cpu) psci_turn_on(HVC_CONDUIT_HVC, world, cpu, mpidrs[cpu])

#define CPU_OFF             0x84000002u
#define CPU_ON              0xc4000003u
#define AFFINITY_INFO       0x84000004u
#define MIGRATE             0x84000005u
#define INFO_TYPE           0x84000006u
#define INFO_UP_CPU         0x84000007u
#define FEATURES            0x8400000au
#define CPU_FREEZE          0x8400000bu
#define CPU_OFF_0_1         0x95c1ba5fu
#define CPU_ON_0_1          0x95c1ba60u
#define MIGRATE_0_1         0x95c1ba61u
#define DEFAULT_SUSPEND     0xc400000cu
#define WIDE                HVC_ID_64
#define HIGH                0xffffffff00000000ull

enum { CPUS = 4 };
static const uint64_t mpidrs[CPUS] = {0x000, 0x001, 0x100, 0x500000101ull};

static struct world *make(enum hvc_trusted_os trusted_os, uint32_t cpu, uint32_t flags)
{
	struct hvc_settings settings;
	struct world *world;

	assert_int_equal(hvc_settings_profile(&settings, 2), HVC_OK);
	settings.trusted_os = trusted_os;
	settings.trusted_os_cpu = cpu;
	settings.smccc_version = HVC_VERSION(1, 2); /* with which PSCI can be 0.1 */
	world = world_new(
		&(struct world_setup){.settings = &settings, .vcpu_count = CPUS, .flags = flags});
	for (unsigned int i = 0; i < CPUS; i++) {
		assert_int_equal(hvc_vcpu_setup(world->vcpus[i], mpidrs[i], NULL), HVC_OK);
	}
	return world;
}

static enum hvc_verdict call(struct world *world, unsigned int cpu, uint32_t id)
{
	struct hvc_frame frame = world_frame(id, 0, 0, 0);

	return hvc_call(world->vcpus[cpu], HVC_CONDUIT_HVC, 0, &frame);
}

/* DEN0022, table 9. */
static void test_kinds(void **state)
{
	(void)state;
	for (unsigned int kind = HVC_TRUSTED_OS_MIGRATES; kind <= HVC_TRUSTED_OS_NONE; kind++) {
		struct world *world = make((enum hvc_trusted_os)kind, 0, 0);
		bool none = kind == HVC_TRUSTED_OS_NONE;
		uint64_t there = none ? STATUS(NOT_SUPPORTED) : SUCCESS;

		turn_on(world, 1);
		assert_int_equal(ask(world, 0, INFO_TYPE, 0, 0), kind);
		assert_int_equal(ask(world, 0, FEATURES, INFO_TYPE, 0), SUCCESS);
		for (uint32_t wide = 0; wide <= WIDE; wide += WIDE) {
			assert_int_equal(ask(world, 0, FEATURES, MIGRATE | wide, 0), there);
			assert_int_equal(ask(world, 0, FEATURES, INFO_UP_CPU | wide, 0), there);
			assert_int_equal(ask(world, 0, INFO_UP_CPU | wide, 0, 0),
					 none ? there : mpidrs[0]);
		}
		assert_int_equal(call(world, 1, CPU_OFF), HVC_CPU_OFF); /* it is not there */
		turn_on(world, 1);
		if (none) {
			assert_int_equal(ask(world, 0, MIGRATE, mpidrs[1], 0), there);
			assert_int_equal(call(world, 0, CPU_OFF), HVC_CPU_OFF);
		} else {
			assert_int_equal(ask(world, 0, CPU_OFF, 0, 0), STATUS(DENIED));
			assert_int_equal(ask(world, 0, CPU_FREEZE, 0, 0), STATUS(DENIED));
			assert_int_equal(hvc_vcpu_power(world->vcpus[0]), ON);
			assert_int_equal(ask(world, 0, MIGRATE | WIDE, mpidrs[1], 0),
					 kind == HVC_TRUSTED_OS_STAYS ? STATUS(DENIED) : SUCCESS);
		}
		world_free(world);
	}
}

static const struct {
	unsigned int caller;
	uint32_t id;
	uint64_t target;
	int32_t status;
} migrations[] = {
	/* It is on CPU 1; CPU 0 and 1 are on, 2 is on its way, 3 off. */
	{1, MIGRATE, 0x000, SUCCESS},
	{1, MIGRATE, HIGH | 0x000, SUCCESS},
	{1, MIGRATE, 0x001, SUCCESS}, /* where it is */
	{1, MIGRATE | WIDE, HIGH | 0x000, INVALID_PARAMETERS},
	{1, MIGRATE, 0x002, INVALID_PARAMETERS},
	{1, MIGRATE, 0x80000000u, INVALID_PARAMETERS},
	{1, MIGRATE, 0x500000101ull, INVALID_PARAMETERS}, /* Aff3 is not in SMC32 */
	{1, MIGRATE | WIDE, 0x500000101ull, INTERNAL_FAILURE},
	{1, MIGRATE, 0x100, INTERNAL_FAILURE},
	{0, MIGRATE, 0x001, NOT_PRESENT},
	{0, MIGRATE, 0x000, NOT_PRESENT},
	{0, MIGRATE, 0x002, INVALID_PARAMETERS},
};

static void test_migrate(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(migrations) * 2; i++) {
		bool stays = i % 2;
		struct world *world = make(stays ? HVC_TRUSTED_OS_STAYS : HVC_TRUSTED_OS_MIGRATES,
					   1, 0);
		int32_t status = migrations[i / 2].status;
		bool moved;

		turn_on(world, 1);
		assert_int_equal(ask(world, 0, CPU_ON, mpidrs[2], 0x1000), SUCCESS);
		if (stays && status != INVALID_PARAMETERS) {
			status = DENIED;
		}
		moved = status == SUCCESS && (uint32_t)migrations[i / 2].target == 0;
		assert_int_equal(ask(world, migrations[i / 2].caller, migrations[i / 2].id,
				     migrations[i / 2].target, 0),
				 STATUS(status));
		assert_int_equal(ask(world, 0, INFO_UP_CPU, 0, 0), mpidrs[moved ? 0 : 1]);
		/* It holds its CPU on, and no other. */
		assert_int_equal(ask(world, moved ? 0 : 1, CPU_OFF, 0, 0), STATUS(DENIED));
		assert_int_equal(call(world, moved ? 1 : 0, CPU_OFF), HVC_CPU_OFF);
		world_free(world);
	}
}

/* Round and back; asleep is on. */
static void test_round(void **state)
{
	struct world *world = make(HVC_TRUSTED_OS_MIGRATES, 0, 0);
	unsigned int at = 0;

	(void)state;
	for (unsigned int cpu = 1; cpu < CPUS; cpu++) {
		turn_on(world, cpu);
	}
	assert_int_equal(call(world, 2, DEFAULT_SUSPEND), HVC_CPU_POWERDOWN);
	for (unsigned int i = 0; i < 2 * CPUS; i++) {
		unsigned int next = (at + 1) % CPUS;

		assert_int_equal(ask(world, at, MIGRATE | WIDE, mpidrs[next], 0), SUCCESS);
		assert_int_equal(ask(world, at, MIGRATE | WIDE, mpidrs[at], 0),
				 STATUS(NOT_PRESENT));
		assert_int_equal(ask(world, 0, INFO_UP_CPU | WIDE, 0, 0), mpidrs[next]);
		/* SMC32 has no room for Aff3. */
		assert_int_equal(ask(world, 0, INFO_UP_CPU, 0, 0), (uint32_t)mpidrs[next]);
		assert_int_equal(ask(world, next, CPU_OFF, 0, 0), STATUS(DENIED));
		if (at != 0) {
			assert_int_equal(call(world, at, CPU_OFF), HVC_CPU_OFF);
			turn_on(world, at);
		}
		at = next;
	}
	world_free(world);
}

/* PSCI 0.1 has no code below DENIED. */
static void test_0_1(void **state)
{
	struct world *world = make(HVC_TRUSTED_OS_MIGRATES, 0, HVC_VM_PSCI_0_1);
	struct world *none = make(HVC_TRUSTED_OS_NONE, 0, HVC_VM_PSCI_0_1);

	(void)state;
	assert_int_equal(ask(world, 0, CPU_OFF_0_1, 0, 0), STATUS(DENIED));
	assert_int_equal(ask(world, 0, MIGRATE_0_1, 0x999, 0), STATUS(INVALID_PARAMETERS));
	assert_int_equal(ask(world, 0, MIGRATE_0_1, HIGH | 1, 0), STATUS(INVALID_PARAMETERS));
	assert_int_equal(ask(world, 0, MIGRATE_0_1, mpidrs[1], 0), STATUS(DENIED)); /* it is off */
	assert_int_equal(ask(world, 0, CPU_ON_0_1, mpidrs[1], 0x1000), SUCCESS);
	hvc_vcpu_started(world->vcpus[1]);
	assert_int_equal(ask(world, 1, MIGRATE_0_1, mpidrs[0], 0), STATUS(DENIED)); /* not here */
	assert_int_equal(ask(world, 0, MIGRATE_0_1, mpidrs[1], 0), SUCCESS);
	assert_int_equal(call(world, 0, CPU_OFF_0_1), HVC_CPU_OFF);
	assert_int_equal(ask(none, 0, MIGRATE_0_1, mpidrs[0], 0), STATUS(NOT_SUPPORTED));
	assert_int_equal(ask(none, 0, MIGRATE, mpidrs[0], 0), STATUS(NOT_SUPPORTED));
	world_free(none);
	world_free(world);
}

/* In a VM that is too small for it, it is on CPU 0. */
static void test_too_small(void **state)
{
	struct world *world = make(HVC_TRUSTED_OS_STAYS, CPUS, 0);

	(void)state;
	turn_on(world, 1);
	assert_int_equal(ask(world, 1, INFO_UP_CPU, 0, 0), mpidrs[0]);
	assert_int_equal(ask(world, 0, CPU_OFF, 0, 0), STATUS(DENIED));
	assert_int_equal(call(world, 1, CPU_OFF), HVC_CPU_OFF);
	world_free(world);
}

/* Frozen is on for everybody, but CPU_ON starts it (5.17.3). */
static void test_freeze(void **state)
{
	struct world *world = make(HVC_TRUSTED_OS_NONE, 0, 0);
	struct hvc_request start;

	(void)state;
	turn_on(world, 2);
	assert_int_equal(call(world, 2, CPU_FREEZE), HVC_CPU_FREEZE);
	assert_int_equal(hvc_vcpu_power(world->vcpus[2]), ON);
	assert_int_equal(ask(world, 0, AFFINITY_INFO, mpidrs[2], 0), ON);
	/* A start that fails leaves it as it was. */
	world->start_fails = true;
	assert_int_equal(ask(world, 0, CPU_ON, mpidrs[2], 0x3000), STATUS(INTERNAL_FAILURE));
	assert_int_equal(ask(world, 0, AFFINITY_INFO, mpidrs[2], 0), ON);
	world->start_fails = false;
	assert_int_equal(ask(world, 0, CPU_ON, mpidrs[2], 0x3000), SUCCESS);
	assert_int_equal(ask(world, 0, AFFINITY_INFO, mpidrs[2], 0), PENDING);
	assert_int_equal(ask(world, 0, CPU_ON, mpidrs[2], 0x3000), STATUS(ON_PENDING));
	start = hvc_vcpu_started(world->vcpus[2]);
	assert_int_equal(start.entry, 0x3000);
	assert_int_equal(start.context, 0xc0);
	assert_int_equal(ask(world, 0, AFFINITY_INFO, mpidrs[2], 0), ON);
	assert_int_equal(ask(world, 0, CPU_ON, mpidrs[2], 0x3000), STATUS(ALREADY_ON));
	assert_int_equal(ask(world, 0, FEATURES, CPU_FREEZE, 0), SUCCESS);
	assert_int_equal(ask(world, 0, FEATURES, CPU_FREEZE | WIDE, 0), STATUS(NOT_SUPPORTED));
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),     cmocka_unit_test(test_migrate),
		cmocka_unit_test(test_round),     cmocka_unit_test(test_0_1),
		cmocka_unit_test(test_too_small), cmocka_unit_test(test_freeze),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
