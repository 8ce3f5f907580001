/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PSCI's power state with several CPUs at once (D8). Meant to be run under the thread sanitizer
 * too: scripts/build --tsan.
 */
#define _POSIX_C_SOURCE 200809L /* barriers */
#include <pthread.h>

#include "cmocka_all.h"
#include "world.h"

enum { ROUNDS = 3000, CALLERS = 3, TARGET = 3 };
enum { ALREADY_ON = -4, ON_PENDING = -5, INTERNAL_FAILURE = -6 };

#define CPU_OFF 0x84000002u
#define CPU_ON  0xc4000003u

static enum hvc_verdict call(struct world *world, unsigned int cpu, struct hvc_frame *frame)
{
	return hvc_call(world->vcpus[cpu], HVC_CONDUIT_HVC, 0, frame);
}

/* Entry and context of a start belong together: context = ~entry. */
static uint64_t cpu_on(struct world *world, unsigned int caller, unsigned int target,
		       uint64_t number)
{
	uint64_t entry = number << 12 | caller << 2;
	struct hvc_frame frame = world_frame(CPU_ON, target, entry, ~entry);

	(void)call(world, caller, &frame);
	return frame.x[0];
}

/* --- Two and more turn on the same third: exactly one succeeds. */
struct contest {
	struct world *world;
	pthread_barrier_t barrier;
	uint64_t answers[CALLERS];
};

struct caller {
	struct contest *contest;
	unsigned int cpu;
};

static void *contend(void *argument)
{
	const struct caller *caller = argument;
	struct contest *contest = caller->contest;

	for (unsigned int round = 0; round < ROUNDS; round++) {
		pthread_barrier_wait(&contest->barrier);
		contest->answers[caller->cpu] = cpu_on(contest->world, caller->cpu, TARGET, round);
		pthread_barrier_wait(&contest->barrier);
	}
	return NULL;
}

/* After a round: who won, who lost, and the target runs what the winner said. */
static void judge(struct contest *contest, unsigned int round)
{
	struct hvc_frame off = world_frame(CPU_OFF, 0, 0, 0);
	struct hvc_request request = hvc_vcpu_started(contest->world->vcpus[TARGET]);
	unsigned int winner = CALLERS;

	for (unsigned int i = 0; i < CALLERS; i++) {
		if (contest->answers[i] == 0) {
			assert_int_equal(winner, CALLERS);
			winner = i;
		} else {
			assert_int_equal(contest->answers[i], STATUS(ON_PENDING));
		}
	}
	assert_int_not_equal(winner, CALLERS);
	assert_int_equal(request.entry, (uint64_t)round << 12 | winner << 2);
	assert_int_equal(request.context, ~request.entry);
	assert_int_equal(contest->world->starts, round + 1);
	assert_int_equal(call(contest->world, TARGET, &off), HVC_CPU_OFF);
}

static void test_one_winner(void **state)
{
	struct contest contest = {.world = world_new(&(struct world_setup){.vcpu_count = 4})};
	struct caller callers[CALLERS];
	pthread_t threads[CALLERS];

	(void)state;
	pthread_barrier_init(&contest.barrier, NULL, CALLERS + 1);
	for (unsigned int i = 0; i < CALLERS; i++) {
		callers[i] = (struct caller){&contest, i};
		assert_int_equal(pthread_create(&threads[i], NULL, contend, &callers[i]), 0);
	}
	for (unsigned int round = 0; round < ROUNDS; round++) {
		pthread_barrier_wait(&contest.barrier);
		pthread_barrier_wait(&contest.barrier);
		judge(&contest, round);
	}
	for (unsigned int i = 0; i < CALLERS; i++) {
		pthread_join(threads[i], NULL);
	}
	pthread_barrier_destroy(&contest.barrier);
	world_free(contest.world);
}

/* --- CPUs that start, start others, and stop, all at once. */
enum { CPUS = 4, STARTS = 4000 };

struct machine;
struct cpu {
	struct machine *machine;
	unsigned int index;
	unsigned int asked; /* starts that the host was asked for and has not carried out */
	uint64_t succeeded; /* CPU_ON calls by this CPU that said SUCCESS */
	uint64_t ran;       /* times that this CPU came up */
	uint64_t surprises;
};

struct machine {
	struct world *world;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool over;
	atomic_uint starts; /* CPUs that came up, all together */
	struct cpu cpus[CPUS];
};

static bool machine_start(void *host, uint32_t vcpu)
{
	struct machine *machine = host;

	pthread_mutex_lock(&machine->lock);
	machine->cpus[vcpu].asked++;
	pthread_cond_broadcast(&machine->wake);
	pthread_mutex_unlock(&machine->lock);
	return true;
}

/* Until this CPU is asked to start; false: the machine is off. */
static bool wait_for_start(struct cpu *cpu)
{
	struct machine *machine = cpu->machine;
	bool asked;

	pthread_mutex_lock(&machine->lock);
	while (cpu->asked == 0 && !machine->over) {
		pthread_cond_wait(&machine->wake, &machine->lock);
	}
	asked = cpu->asked != 0;
	cpu->surprises += cpu->asked > 1; /* asked for twice */
	cpu->asked = 0;
	pthread_mutex_unlock(&machine->lock);
	return asked;
}

static void end(struct machine *machine)
{
	pthread_mutex_lock(&machine->lock);
	machine->over = true;
	pthread_cond_broadcast(&machine->wake);
	pthread_mutex_unlock(&machine->lock);
}

/* What a CPU does between start and stop. Only CPU 0 never stops, so that the machine goes on. */
static void run(struct cpu *cpu, struct rng *rng)
{
	struct world *world = cpu->machine->world;

	for (unsigned int i = 0; i < 3; i++) {
		unsigned int other = rng_below(rng, CPUS);
		uint64_t answer = cpu_on(world, cpu->index, other, rng_next(rng) >> 16);

		cpu->succeeded += answer == 0;
		cpu->surprises += answer != 0 && answer != STATUS(ALREADY_ON) &&
				  answer != STATUS(ON_PENDING);
		cpu->surprises += other == cpu->index && answer != STATUS(ALREADY_ON);
	}
}

static void *cpu_thread(void *argument)
{
	struct cpu *cpu = argument;
	struct machine *machine = cpu->machine;
	struct hvc_vcpu *vcpu = machine->world->vcpus[cpu->index];
	struct rng rng = {cpu->index};

	while (cpu->index == 0 ? !machine->over : wait_for_start(cpu)) {
		struct hvc_frame off = world_frame(CPU_OFF, 0, 0, 0);

		if (cpu->index == 0) {
			run(cpu, &rng);
			if (atomic_load(&machine->starts) >= STARTS) {
				end(machine);
			}
			continue;
		}
		struct hvc_request request = hvc_vcpu_started(vcpu);

		cpu->ran++;
		atomic_fetch_add(&machine->starts, 1);
		cpu->surprises += request.context != ~request.entry;
		run(cpu, &rng);
		cpu->surprises += call(machine->world, cpu->index, &off) != HVC_CPU_OFF;
	}
	return NULL;
}

static void test_machine(void **state)
{
	struct machine machine = {.lock = PTHREAD_MUTEX_INITIALIZER,
				  .wake = PTHREAD_COND_INITIALIZER};
	struct hvc_platform platform = {.size = sizeof(platform), .cpu_start = machine_start};
	struct hvc_vm_config config = {.size = sizeof(config),
				       .vcpu_count = CPUS,
				       .platform = &platform,
				       .host = &machine};
	pthread_t threads[CPUS];
	uint64_t succeeded = 0, ran = 0;

	(void)state;
	machine.world = world_new(&(struct world_setup){.vcpu_count = CPUS});
	config.image = machine.world->image;
	assert_int_equal(hvc_vm_init(machine.world->vm, &config, machine.world->vcpus), HVC_OK);
	for (unsigned int i = 0; i < CPUS; i++) {
		machine.cpus[i].machine = &machine;
		machine.cpus[i].index = i;
		assert_int_equal(pthread_create(&threads[i], NULL, cpu_thread, &machine.cpus[i]),
				 0);
	}
	for (unsigned int i = 0; i < CPUS; i++) {
		pthread_join(threads[i], NULL);
	}
	for (unsigned int i = 0; i < CPUS; i++) {
		assert_int_equal(machine.cpus[i].surprises, 0);
		succeeded += machine.cpus[i].succeeded;
		ran += machine.cpus[i].ran + machine.cpus[i].asked; /* too late to run */
	}
	/* Every success is one start, no more and no less. */
	assert_int_equal(succeeded, ran);
	assert_true(ran >= STARTS);
	world_free(machine.world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_winner),
		cmocka_unit_test(test_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
