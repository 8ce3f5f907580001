/* SPDX-License-Identifier: BSD-2-Clause */
/* PSCI with several CPUs at once: what must exclude each other does, and statistics lose nothing. */
#define _POSIX_C_SOURCE 200809L /* barriers */
#include <pthread.h>

#include "cmocka_all.h"
#include "psci_calls.h"

#define CPU_SUSPEND      0xc4000001u
#define CPU_OFF          0x84000002u
#define CPU_ON           0xc4000003u
#define MIGRATE          0xc4000005u
#define INFO_UP_CPU      0xc4000007u
#define NODE_HW_STATE    0xc400000du
#define SET_SUSPEND_MODE 0x8400000fu
#define RESIDENCY        0xc4000010u
#define COUNT            0xc4000011u

#define CORE_DOWN        0x00010002u
#define CLUSTER_DOWN     0x01010022u

static const struct hvc_tables declared = {
	.size = sizeof(declared),
	.power_state_count = 2,
	.power_states = {{CORE_DOWN, 0}, {CLUSTER_DOWN, 1}},
};

enum { CPUS = 4, ROUNDS = 4000 };

static enum hvc_verdict call(struct world *world, unsigned int cpu, struct hvc_frame *frame)
{
	return hvc_call(world->vcpus[cpu], HVC_CONDUIT_HVC, 0, frame);
}

static uint64_t ask(struct world *world, unsigned int cpu, uint32_t id, uint64_t x1, uint64_t x2)
{
	struct hvc_frame frame = world_frame(id, x1, x2, 0);

	(void)call(world, cpu, &frame);
	return frame.x[0];
}

/* All CPUs on, a cluster. */
static struct world *make(void)
{
	struct hvc_settings settings;
	struct world *world;

	assert_int_equal(hvc_settings_profile(&settings, 2), HVC_OK);
	settings.trusted_os = HVC_TRUSTED_OS_MIGRATES;
	settings.os_initiated = 1;
	world = world_new(&(struct world_setup){.settings = &settings,
						.vcpu_count = CPUS,
						.tables = &declared,
						.host_power = true});
	for (unsigned int cpu = 1; cpu < CPUS; cpu++) {
		assert_int_equal(ask(world, 0, CPU_ON, cpu, 0x1000), SUCCESS);
		hvc_vcpu_started(world->vcpus[cpu]);
	}
	return world;
}

/* --- Two CPUs call at the same time, round for round. */
struct pair {
	struct world *world;
	pthread_barrier_t barrier;
	struct hvc_frame frame; /* what the second one calls */
	enum hvc_verdict verdict;
};

static void *second(void *argument)
{
	struct pair *pair = argument;

	for (unsigned int round = 0; round < ROUNDS; round++) {
		pthread_barrier_wait(&pair->barrier);
		pair->verdict = call(pair->world, 1, &pair->frame);
		pthread_barrier_wait(&pair->barrier);
	}
	return NULL;
}

static enum hvc_verdict both(struct pair *pair, struct hvc_frame *first)
{
	enum hvc_verdict verdict;

	pthread_barrier_wait(&pair->barrier);
	verdict = call(pair->world, 0, first);
	pthread_barrier_wait(&pair->barrier);
	return verdict;
}

static void begin(struct pair *pair, pthread_t *thread)
{
	pair->world = make();
	assert_int_equal(pthread_barrier_init(&pair->barrier, NULL, 2), 0);
	assert_int_equal(pthread_create(thread, NULL, second, pair), 0);
}

static void end(struct pair *pair, pthread_t thread)
{
	pthread_join(thread, NULL);
	pthread_barrier_destroy(&pair->barrier);
	world_free(pair->world);
}

/* MIGRATE to a CPU that turns itself off: one of both happens, never both, never neither. */
static void test_migrate_or_off(void **state)
{
	struct pair pair;
	pthread_t thread;
	unsigned int moved = 0;

	(void)state;
	begin(&pair, &thread);
	for (unsigned int round = 0; round < ROUNDS; round++) {
		struct hvc_frame migrate = world_frame(MIGRATE, 1, 0, 0);

		pair.frame = world_frame(CPU_OFF, 0, 0, 0);
		assert_int_equal(both(&pair, &migrate), HVC_RESUME);
		if (pair.verdict == HVC_CPU_OFF) {
			assert_int_equal(migrate.x[0], STATUS(INTERNAL_FAILURE));
			assert_int_equal(ask(pair.world, 0, INFO_UP_CPU, 0, 0), 0);
			assert_int_equal(ask(pair.world, 0, CPU_ON, 1, 0x1000), SUCCESS);
			hvc_vcpu_started(pair.world->vcpus[1]);
		} else {
			assert_int_equal(pair.frame.x[0], STATUS(DENIED));
			assert_int_equal(migrate.x[0], SUCCESS);
			assert_int_equal(ask(pair.world, 0, INFO_UP_CPU, 0, 0), 1);
			assert_int_equal(ask(pair.world, 1, MIGRATE, 0, 0), SUCCESS);
			moved++;
		}
	}
	print_message("moved %u times of %u\n", moved, (unsigned int)ROUNDS);
	end(&pair, thread);
}

/* Two CPUs that both want to be their cluster's last: at most one is. */
static void test_one_last(void **state)
{
	struct pair pair;
	pthread_t thread;
	unsigned int granted = 0;

	(void)state;
	begin(&pair, &thread);
	for (unsigned int cpu = 2; cpu < CPUS; cpu++) {
		struct hvc_frame off = world_frame(CPU_OFF, 0, 0, 0);

		assert_int_equal(call(pair.world, cpu, &off), HVC_CPU_OFF);
	}
	assert_int_equal(ask(pair.world, 0, SET_SUSPEND_MODE, 1, 0), SUCCESS);
	for (unsigned int round = 0; round < ROUNDS; round++) {
		struct hvc_frame first = world_frame(CPU_SUSPEND, CLUSTER_DOWN, 0x1000, 0);
		enum hvc_verdict verdict;

		pair.frame = world_frame(CPU_SUSPEND, round % 2 ? CORE_DOWN : CLUSTER_DOWN, 0x1000,
					 0);
		verdict = both(&pair, &first);
		/* Who asks for its core alone always may. */
		assert_true(!(round % 2) || pair.verdict == HVC_CPU_POWERDOWN);
		if (verdict == HVC_CPU_POWERDOWN && pair.verdict == HVC_CPU_POWERDOWN) {
			assert_true(round % 2);
			granted++;
		}
		assert_true(verdict == HVC_CPU_POWERDOWN || first.x[0] == STATUS(DENIED));
		hvc_vcpu_woke(pair.world->vcpus[0]);
		hvc_vcpu_woke(pair.world->vcpus[1]);
		assert_int_equal(ask(pair.world, 0, NODE_HW_STATE, 0, 1), 0);
	}
	print_message("the cluster was granted %u times\n", granted);
	end(&pair, thread);
}

/* A first CPU_SUSPEND and the change of mode: DENIED says that there was one before. */
static void test_mode_or_suspend(void **state)
{
	struct pair pair;
	pthread_t thread;

	(void)state;
	begin(&pair, &thread);
	for (unsigned int round = 0; round < ROUNDS; round++) {
		struct hvc_frame mode = world_frame(SET_SUSPEND_MODE, 1, 0, 0);
		struct world *world = pair.world;

		pair.frame = world_frame(CPU_SUSPEND, CORE_DOWN, 0x1000, 0);
		both(&pair, &mode);
		assert_int_equal(pair.verdict, HVC_CPU_POWERDOWN);
		assert_true(mode.x[0] == SUCCESS || mode.x[0] == STATUS(DENIED));
		/* It stays so. */
		assert_int_equal(ask(world, 0, SET_SUSPEND_MODE, 1, 0), mode.x[0]);
		pair.world = make();
		world_free(world);
	}
	end(&pair, thread);
}

/* --- All of them sleep and wake; the clock goes on by itself. */
struct sleeper {
	struct world *world;
	unsigned int cpu;
};

static void *sleep_often(void *argument)
{
	const struct sleeper *sleeper = argument;
	struct world *world = sleeper->world;

	for (unsigned int round = 0; round < ROUNDS; round++) {
		struct hvc_frame frame = world_frame(
			CPU_SUSPEND, round % 3 ? CLUSTER_DOWN : CORE_DOWN, 0x1000, 0);

		if (call(world, sleeper->cpu, &frame) != HVC_CPU_POWERDOWN) {
			return argument;
		}
		atomic_fetch_add(&world->us, 1);
		hvc_vcpu_woke(world->vcpus[sleeper->cpu]);
	}
	return NULL;
}

static void test_statistics(void **state)
{
	struct world *world = make();
	struct sleeper sleepers[CPUS];
	pthread_t threads[CPUS];
	uint64_t elapsed, cluster;

	(void)state;
	for (unsigned int cpu = 0; cpu < CPUS; cpu++) {
		sleepers[cpu] = (struct sleeper){world, cpu};
		assert_int_equal(pthread_create(&threads[cpu], NULL, sleep_often, &sleepers[cpu]),
				 0);
	}
	for (unsigned int cpu = 0; cpu < CPUS; cpu++) {
		void *failed;

		pthread_join(threads[cpu], &failed);
		assert_null(failed);
	}
	elapsed = world->us;
	assert_int_equal(elapsed, CPUS * ROUNDS);
	cluster = ask(world, 0, COUNT, 0, CLUSTER_DOWN);
	assert_in_range(cluster, 0, elapsed);
	assert_in_range(ask(world, 0, RESIDENCY, 0, CLUSTER_DOWN), 0, elapsed);
	for (unsigned int cpu = 0; cpu < CPUS; cpu++) {
		/* Each sleep of a CPU is one of its own state, and at least its own tick long. */
		assert_int_equal(ask(world, 0, COUNT, cpu, CORE_DOWN), ROUNDS);
		assert_in_range(ask(world, 0, RESIDENCY, cpu, CORE_DOWN), ROUNDS, elapsed);
		assert_int_equal(ask(world, 0, COUNT, cpu, CLUSTER_DOWN), cluster);
	}
	/* Nothing is left open: all run, and time counts nowhere. */
	world->us += 1000000;
	for (unsigned int cpu = 0; cpu < CPUS; cpu++) {
		struct hvc_frame frame = world_frame(CPU_SUSPEND, CORE_DOWN, 0x1000, 0);

		assert_int_equal(call(world, cpu, &frame), HVC_CPU_POWERDOWN);
		hvc_vcpu_woke(world->vcpus[cpu]);
		assert_in_range(ask(world, 0, RESIDENCY, cpu, CORE_DOWN), ROUNDS, elapsed);
	}
	assert_in_range(ask(world, 0, RESIDENCY, 0, CLUSTER_DOWN), 0, elapsed);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_migrate_or_off),
		cmocka_unit_test(test_one_last),
		cmocka_unit_test(test_mode_or_suspend),
		cmocka_unit_test(test_statistics),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
