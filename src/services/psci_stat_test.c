/* SPDX-License-Identifier: BSD-2-Clause */
/* PSCI (DEN0022, 5.22): statistics of power states. The clock is the test's. */
#include <stdlib.h>

#include "cmocka_all.h"
#include "psci_calls.h"

#define ask(...)            psci_ask(HVC_CONDUIT_HVC, __VA_ARGS__)
#define turn_on(world, cpu) psci_turn_on(HVC_CONDUIT_HVC, world, cpu, mpidrs[cpu])

#define CPU_SUSPEND         0xc4000001u
#define CPU_OFF             0x84000002u
#define CPU_ON              0xc4000003u
#define AFFINITY_INFO       0xc4000004u
#define FEATURES            0x8400000au
#define CPU_FREEZE          0x8400000bu
#define DEFAULT_SUSPEND     0xc400000cu
#define SYSTEM_SUSPEND      0xc400000eu
#define SET_SUSPEND_MODE    0x8400000fu
#define RESIDENCY           0xc4000010u
#define COUNT               0xc4000011u
#define NODE_HW_STATE       0xc400000du
#define RAM_END             0x80000000ull

/* Extended format. */
#define CORE_STANDBY 0x00000001u
#define CORE_DOWN    0x40000002u
#define CLUSTER_DOZE 0x00000011u
#define CLUSTER_DOWN 0x40000022u
#define SYSTEM_DOWN  0x40000222u

static const struct hvc_tables declared = {
	.size = sizeof(declared),
	.power_state_count = 5,
	.power_states = {{CORE_STANDBY, 0},
			 {CORE_DOWN, 0},
			 {CLUSTER_DOZE, 1},
			 {CLUSTER_DOWN, 1},
			 {SYSTEM_DOWN, 2}},
};

/* Two clusters of two. */
enum { CPUS = 4 };
static const uint64_t mpidrs[CPUS] = {0x000, 0x001, 0x100, 0x101};

static struct world *make(bool with_states)
{
	struct hvc_settings settings;
	struct world *world;

	assert_int_equal(hvc_settings_profile(&settings, 2), HVC_OK);
	settings.power_state_format = 1;
	settings.os_initiated = 1;
	world = world_new(&(struct world_setup){.settings = &settings,
						.vcpu_count = CPUS,
						.tables = with_states ? &declared : NULL,
						.host_power = true});
	for (unsigned int i = 0; i < CPUS; i++) {
		assert_int_equal(hvc_vcpu_setup(world->vcpus[i], mpidrs[i], NULL), HVC_OK);
	}
	world->us = 1000;
	return world;
}

static enum hvc_verdict call(struct world *world, unsigned int cpu, uint32_t id, uint64_t x1,
			     uint64_t x2)
{
	struct hvc_frame frame = world_frame(id, x1, x2, 0xc0);

	return hvc_call(world->vcpus[cpu], HVC_CONDUIT_HVC, 0, &frame);
}

/* Of CPU 0, who must be awake. */
static void expect(struct world *world, uint64_t cpu, uint32_t state, uint64_t count, uint64_t us)
{
	assert_int_equal(ask(world, 0, COUNT, mpidrs[cpu], state), count);
	assert_int_equal(ask(world, 0, RESIDENCY, mpidrs[cpu], state), us);
}

/* A CPU's own states: counted when they begin, timed when they end. */
static void test_core(void **state)
{
	struct world *world = make(true);

	(void)state;
	turn_on(world, 1);
	expect(world, 1, CORE_STANDBY, 0, 0);
	assert_int_equal(call(world, 1, CPU_SUSPEND, CORE_STANDBY, 0), HVC_CPU_STANDBY);
	expect(world, 1, CORE_STANDBY, 1, 0);
	world->us += 70;
	expect(world, 1, CORE_STANDBY, 1, 0);
	hvc_vcpu_woke(world->vcpus[1]);
	hvc_vcpu_woke(world->vcpus[1]);
	world->us += 1000; /* runs: counts nothing */
	expect(world, 1, CORE_STANDBY, 1, 70);
	assert_int_equal(call(world, 1, CPU_SUSPEND, CORE_DOWN, 0x1000), HVC_CPU_POWERDOWN);
	world->us += 5;
	/* Without hvc_vcpu_woke() its next call ends it. */
	assert_int_equal(ask(world, 1, AFFINITY_INFO, 0, 0), 0);
	world->us += 100;
	expect(world, 1, CORE_DOWN, 1, 5);
	expect(world, 1, CORE_STANDBY, 1, 70);
	expect(world, 0, CORE_STANDBY, 0, 0);
	expect(world, 0, CORE_DOWN, 0, 0);
	world_free(world);
}

/* Every way down counts: the deepest state of a CPU that there is. */
static void test_ways(void **state)
{
	struct world *world = make(true);

	(void)state;
	for (unsigned int cpu = 1; cpu < CPUS; cpu++) {
		turn_on(world, cpu);
	}
	expect(world, 1, CORE_DOWN, 0, 0); /* before it was ever on, nothing counts */
	assert_int_equal(call(world, 1, CPU_OFF, 0, 0), HVC_CPU_OFF);
	assert_int_equal(call(world, 2, CPU_FREEZE, 0, 0), HVC_CPU_FREEZE);
	assert_int_equal(call(world, 3, DEFAULT_SUSPEND, 0x1000, 0), HVC_CPU_POWERDOWN);
	world->us += 30;
	expect(world, 1, CORE_DOWN, 1, 0);
	assert_int_equal(ask(world, 0, CPU_ON, mpidrs[1], 0x1000), SUCCESS);
	world->us += 7; /* on its way it is not there yet */
	hvc_vcpu_started(world->vcpus[1]);
	turn_on(world, 2);
	hvc_vcpu_woke(world->vcpus[3]);
	world->us += 50;
	expect(world, 1, CORE_DOWN, 1, 37);
	expect(world, 2, CORE_DOWN, 1, 37);
	expect(world, 3, CORE_DOWN, 1, 37);
	expect(world, 2, CLUSTER_DOWN, 0, 0); /* CPU 3's suspend was its own only */
	world_free(world);
}

/* A cluster is down from its last CPU's suspend to its first one's wake-up, in what all of them can bear. */
static void test_cluster(void **state)
{
	struct world *world = make(true);

	(void)state;
	turn_on(world, 2);
	turn_on(world, 3);
	assert_int_equal(call(world, 2, CPU_SUSPEND, CLUSTER_DOWN, 0x1000), HVC_CPU_POWERDOWN);
	world->us += 10;
	expect(world, 3, CLUSTER_DOWN, 0, 0);
	expect(world, 2, CORE_DOWN, 1, 0); /* the CPU itself is down at once */
	assert_int_equal(call(world, 3, CPU_SUSPEND, CLUSTER_DOWN, 0x1000), HVC_CPU_POWERDOWN);
	world->us += 20;
	expect(world, 2, CLUSTER_DOWN, 1, 0);
	expect(world, 3, CLUSTER_DOWN, 1, 0);
	hvc_vcpu_woke(world->vcpus[2]);
	world->us += 40;
	hvc_vcpu_woke(world->vcpus[3]);
	expect(world, 2, CLUSTER_DOWN, 1, 20);
	expect(world, 3, CLUSTER_DOWN, 1, 20); /* the same node */
	expect(world, 0, CLUSTER_DOWN, 0, 0);  /* another */
	expect(world, 2, CORE_DOWN, 1, 30);
	expect(world, 3, CORE_DOWN, 1, 60);
	/* The shallower of two wishes. */
	assert_int_equal(call(world, 2, CPU_SUSPEND, CLUSTER_DOWN, 0x1000), HVC_CPU_POWERDOWN);
	assert_int_equal(call(world, 3, CPU_SUSPEND, CLUSTER_DOZE, 0x1000), HVC_CPU_STANDBY);
	world->us += 3;
	hvc_vcpu_woke(world->vcpus[3]);
	expect(world, 2, CLUSTER_DOZE, 1, 3);
	expect(world, 2, CLUSTER_DOWN, 1, 20);
	expect(world, 3, CORE_STANDBY, 1, 3);
	hvc_vcpu_woke(world->vcpus[2]);
	/* One that wants its core down only keeps the cluster up. */
	assert_int_equal(call(world, 2, CPU_SUSPEND, CLUSTER_DOWN, 0x1000), HVC_CPU_POWERDOWN);
	assert_int_equal(call(world, 3, CPU_SUSPEND, CORE_DOWN, 0x1000), HVC_CPU_POWERDOWN);
	world->us += 9;
	hvc_vcpu_woke(world->vcpus[3]);
	expect(world, 2, CLUSTER_DOWN, 1, 20);
	/* One that is off does not. */
	assert_int_equal(call(world, 3, CPU_OFF, 0, 0), HVC_CPU_OFF);
	world->us += 4;
	hvc_vcpu_woke(world->vcpus[2]);
	expect(world, 2, CLUSTER_DOWN, 2, 24);
	world_free(world);
}

/* OS-initiated the last one says what its node is in. */
static void test_os_initiated(void **state)
{
	struct world *world = make(true);

	(void)state;
	turn_on(world, 2);
	turn_on(world, 3);
	assert_int_equal(ask(world, 0, SET_SUSPEND_MODE, 1, 0), SUCCESS);
	assert_int_equal(call(world, 2, CPU_SUSPEND, CORE_DOWN, 0x1000), HVC_CPU_POWERDOWN);
	world->us += 1;
	assert_int_equal(call(world, 3, CPU_SUSPEND, CLUSTER_DOWN, 0x1000), HVC_CPU_POWERDOWN);
	world->us += 2;
	hvc_vcpu_woke(world->vcpus[2]);
	world->us += 4;
	hvc_vcpu_woke(world->vcpus[3]);
	expect(world, 3, CLUSTER_DOWN, 1, 2);
	expect(world, 2, CORE_DOWN, 1, 3);
	expect(world, 3, CORE_DOWN, 1, 6);
	world_free(world);
}

/* A CPU wakes just while another finds that both sleep: no time counts for a node one of which runs. */
static uint64_t wakes_meanwhile(void *host)
{
	struct world *world = host;

	if (world->context != NULL && ++world->protects == 2) {
		struct hvc_vcpu *other = world->context;

		world->context = NULL;
		hvc_vcpu_woke(other);
	}
	return atomic_load(&world->us);
}

static void test_wakes_meanwhile(void **state)
{
	struct world *world = make(true);

	(void)state;
	turn_on(world, 2);
	turn_on(world, 3);
	assert_int_equal(call(world, 2, CPU_SUSPEND, CLUSTER_DOWN, 0x1000), HVC_CPU_POWERDOWN);
	world->platform.now_us = wakes_meanwhile;
	world->context = world->vcpus[2];
	/* The clock is read for the CPU itself, and then for the cluster. */
	assert_int_equal(call(world, 3, CPU_SUSPEND, CLUSTER_DOWN, 0x1000), HVC_CPU_POWERDOWN);
	assert_null(world->context);
	world->us += 500;
	hvc_vcpu_woke(world->vcpus[3]);
	expect(world, 3, CLUSTER_DOWN, 1, 0);
	expect(world, 3, CORE_DOWN, 1, 500);
	world_free(world);
}

/* SYSTEM_SUSPEND is the deepest of everything; the other CPUs are off. */
static void test_system(void **state)
{
	struct world *world = make(true);

	(void)state;
	turn_on(world, 1);
	assert_int_equal(call(world, 1, CPU_OFF, 0, 0), HVC_CPU_OFF);
	world->us += 8;
	assert_int_equal(call(world, 0, SYSTEM_SUSPEND, 0x1000, 0), HVC_SYSTEM_SUSPEND);
	world->us += 16;
	hvc_vcpu_woke(world->vcpus[0]);
	expect(world, 0, SYSTEM_DOWN, 1, 16);
	expect(world, 3, SYSTEM_DOWN, 1, 16);
	expect(world, 1, CLUSTER_DOWN, 1, 16);
	expect(world, 0, CORE_DOWN, 1, 16);
	expect(world, 1, CORE_DOWN, 1, 0);
	turn_on(world, 1);
	expect(world, 1, CORE_DOWN, 1, 24);
	world_free(world);
}

/* What there is not is 0, no error; SMC32 sees 32 bits of the count and of the target. */
static void test_widths(void **state)
{
	struct world *world = make(true);
	const uint64_t high = 0xffffffff00000000ull, long_time = 0x123456789aull;

	(void)state;
	assert_int_equal(call(world, 0, CPU_SUSPEND, CORE_STANDBY, 0), HVC_CPU_STANDBY);
	world->us += long_time;
	assert_int_equal(ask(world, 0, RESIDENCY, 0, high | CORE_STANDBY), long_time);
	assert_int_equal(ask(world, 0, RESIDENCY & ~HVC_ID_64, high, high | CORE_STANDBY),
			 (uint32_t)long_time);
	assert_int_equal(ask(world, 0, COUNT & ~HVC_ID_64, high, CORE_STANDBY), 1);
	assert_int_equal(ask(world, 0, COUNT, 1ull << 32, CORE_STANDBY), 0);
	assert_int_equal(ask(world, 0, COUNT, 0x002, CORE_STANDBY), 0);
	assert_int_equal(ask(world, 0, COUNT, 1ull << 31, CORE_STANDBY), 0);
	assert_int_equal(ask(world, 0, COUNT, 0, CORE_STANDBY | 0x40000000u), 0);
	assert_int_equal(ask(world, 0, COUNT, 0, 0), 0);
	world_free(world);
}

/* No declared states: nothing to count, but the functions are there. */
static void test_undeclared(void **state)
{
	struct world *world = make(false);

	(void)state;
	assert_int_equal(call(world, 0, CPU_SUSPEND, CORE_DOWN, 0x1000), HVC_CPU_POWERDOWN);
	world->us += 5;
	hvc_vcpu_woke(world->vcpus[0]);
	expect(world, 0, CORE_DOWN, 0, 0);
	expect(world, 0, 0, 0, 0);
	assert_int_equal(ask(world, 0, FEATURES, COUNT, 0), 0);
	world_free(world);
}

/* --- What is not there says so, and PSCI_FEATURES too. */
static uint64_t clock_of(void *host)
{
	(void)host;
	return 0;
}

static const struct {
	bool memory, clock;
	bool counts, nodes;
} givens[] = {
	{false, false, false, false},
	{false, true, false, false},
	{true, false, false, true},
	{true, true, true, true},
};

static void test_presence(void **state)
{
	static const uint32_t ids[] = {RESIDENCY, COUNT, NODE_HW_STATE};
	struct hvc_settings settings;

	(void)state;
	assert_int_equal(hvc_settings_profile(&settings, 2), HVC_OK);
	for (size_t i = 0; i < COUNT_OF(givens); i++) {
		struct world *world = world_new(&(
			struct world_setup){.settings = &settings, .host_power = givens[i].memory});

		/* The VM asks for callbacks when it is made or a register changes. */
		world->platform.now_us = givens[i].clock ? clock_of : NULL;
		assert_int_equal(hvc_vm_set_reg(world->vm, hvc_feature_reg_id(world->vm, 0),
						HVC_VERSION(1, 2)),
				 HVC_OK);
		for (size_t j = 0; j < COUNT_OF(ids) * 2; j++) {
			uint32_t id = ids[j / 2] ^ (j % 2 ? HVC_ID_64 : 0);
			bool there = j / 2 == 2 ? givens[i].nodes : givens[i].counts;

			assert_int_equal(ask(world, 0, FEATURES, id, 0),
					 there ? 0 : STATUS(NOT_SUPPORTED));
			assert_int_equal(ask(world, 0, id, 0, 0),
					 there ? 0 : STATUS(NOT_SUPPORTED));
		}
		world_free(world);
	}
}

/* Memory that is not there, too little, or not aligned. */
static void test_memory(void **state)
{
	static _Alignas(64) uint8_t vm[4096], vcpu_memory[128];
	static _Alignas(8) uint8_t memory[1024];
	struct hvc_vcpu *vcpus[] = {(struct hvc_vcpu *)vcpu_memory};
	struct hvc_image *image = world_image(&(struct world_setup){0}, NULL);
	struct hvc_vm_config config = {.size = sizeof(config), .vcpu_count = 1, .image = image};
	size_t bytes = hvc_stats_size(1);

	(void)state;
	assert_in_range(bytes, 1, sizeof(memory) - 8);
	assert_true(hvc_vm_size() <= sizeof(vm) && hvc_vcpu_size() <= sizeof(vcpu_memory));
	assert_int_equal(hvc_stats_size(3) - hvc_stats_size(2), hvc_stats_size(2) - bytes);
	config.stats_memory = memory;
	config.stats_bytes = bytes;
	assert_int_equal(hvc_vm_init((struct hvc_vm *)vm, &config, vcpus), HVC_OK);
	config.stats_bytes = bytes - 1;
	assert_int_equal(hvc_vm_init((struct hvc_vm *)vm, &config, vcpus), HVC_ENOMEM);
	config.stats_bytes = bytes;
	config.stats_memory = memory + 4;
	assert_int_equal(hvc_vm_init((struct hvc_vm *)vm, &config, vcpus), HVC_EFAULT);
	free(image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_core),
		cmocka_unit_test(test_ways),
		cmocka_unit_test(test_cluster),
		cmocka_unit_test(test_os_initiated),
		cmocka_unit_test(test_wakes_meanwhile),
		cmocka_unit_test(test_system),
		cmocka_unit_test(test_widths),
		cmocka_unit_test(test_undeclared),
		cmocka_unit_test(test_presence),
		cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
