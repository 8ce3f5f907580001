/* SPDX-License-Identifier: BSD-2-Clause */
#define _POSIX_C_SOURCE 200809L
#include "machine.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "world.h"

#define CPU_OFF       0x84000002u
#define CPU_ON        0xc4000003u
#define AFFINITY_INFO 0xc4000004u
enum { ALREADY_ON = -4, ON_PENDING = -5, INTERNAL_FAILURE = -6 };

/* One thing that a CPU did. */
enum record_kind { DID_CPU_ON, DID_AFFINITY_INFO, DID_OFF, DID_START };
struct record {
	uint64_t from, to;
	uint64_t enter, leave; /* CPU_ON: the host's cpu_start, 0 if it was not asked */
	uint64_t number; /* CPU_ON: what the target is to start with; START: what it was told */
	uint64_t answer;
	uint8_t kind, target;
};

struct machine;
struct cpu {
	struct machine *machine;
	struct hvc_vcpu *vcpu;
	unsigned int index;
	struct rng rng;
	struct record *records, *now;
	size_t record_count;
	uint64_t starts; /* numbers used by its CPU_ONs */
	sem_t asked;
	atomic_bool wanted; /* beside `asked`: somebody did ask, and it is not the end */
	const char *surprise;
};

struct machine {
	struct world *world;
	_Alignas(64) uint64_t time;
	_Alignas(64) uint64_t limit;
	atomic_bool over;
	struct cpu cpus[MACHINE_CPUS];
	/* The guest's, by target: written by it while it is on, by who starts it while it is off. Nobody locks. */
	struct {
		_Alignas(64) uint64_t word;
	} guest[MACHINE_CPUS];
};

/* Whose thread this is: the host's callback is not told. */
static _Thread_local struct cpu *self;

/* Not for the thread sanitizer's eyes. */
__attribute__((no_sanitize("thread"), noinline)) static uint64_t tick(struct machine *machine)
{
	return __atomic_add_fetch(&machine->time, 1, __ATOMIC_ACQ_REL);
}

static struct record *begin(struct cpu *cpu, enum record_kind kind, unsigned int target)
{
	struct record *record = &cpu->records[cpu->record_count];

	*record = (struct record){.kind = (uint8_t)kind, .target = (uint8_t)target};
	cpu->now = record;
	record->from = tick(cpu->machine);
	return record;
}

static void end(struct cpu *cpu, uint64_t answer)
{
	cpu->now->answer = answer;
	cpu->now->to = tick(cpu->machine);
	cpu->record_count++;
	if (cpu->now->to >= cpu->machine->limit) {
		atomic_store_explicit(&cpu->machine->over, true, memory_order_relaxed);
	}
}

/* Starting a machine's CPU fails now and then, and may take its time before or after it runs. */
static bool cpu_start(void *host, uint32_t target)
{
	struct machine *machine = host;
	struct cpu *caller = self;
	unsigned int how = rng_below(&caller->rng, 16);

	caller->now->enter = tick(machine);
	/* It is ours until it runs: what it left in memory before CPU_OFF is there. */
	if (machine->guest[target].word % 2 != 0) {
		caller->surprise = "CPU_ON won, and what the CPU wrote before CPU_OFF is not there";
	}
	machine->guest[target].word += 2;
	if (how == 0) {
		sched_yield();
	}
	if (how >= 8) {
		caller->now->leave = tick(machine);
		return false;
	}
	atomic_store_explicit(&machine->cpus[target].wanted, true, memory_order_relaxed);
	sem_post(&machine->cpus[target].asked);
	if (how <= 2) {
		sched_yield();
	}
	caller->now->leave = tick(machine);
	return true;
}

static uint64_t call(struct cpu *cpu, uint32_t id, uint64_t x1, uint64_t x2, uint64_t x3,
		     enum hvc_verdict expected)
{
	struct hvc_frame frame = world_frame(id, x1, x2, x3);

	if (hvc_call(cpu->vcpu, HVC_CONDUIT_HVC, 0, &frame) != expected) {
		cpu->surprise = "another verdict than this call has";
	}
	return frame.x[0];
}

static void cpu_on(struct cpu *cpu, unsigned int target)
{
	uint64_t number = ++cpu->starts * MACHINE_CPUS + cpu->index;
	struct record *record = begin(cpu, DID_CPU_ON, target);

	record->number = number;
	end(cpu, call(cpu, CPU_ON, target, number << 2, ~number, HVC_RESUME));
}

static void affinity_info(struct cpu *cpu, unsigned int target)
{
	begin(cpu, DID_AFFINITY_INFO, target);
	end(cpu, call(cpu, AFFINITY_INFO, target, 0, 0, HVC_RESUME));
}

static void cpu_off(struct cpu *cpu)
{
	cpu->machine->guest[cpu->index].word--;
	begin(cpu, DID_OFF, cpu->index);
	call(cpu, CPU_OFF, 0, 0, 0, HVC_CPU_OFF);
	end(cpu, 0);
}

static void started(struct cpu *cpu)
{
	struct record *record = begin(cpu, DID_START, cpu->index);
	struct hvc_request request = hvc_vcpu_started(cpu->vcpu);

	record->number = request.entry >> 2;
	if (request.context != ~record->number) {
		cpu->surprise = "entry and context of different CPU_ONs";
	}
	end(cpu, 0);
	cpu->machine->guest[cpu->index].word++;
}

/* Until somebody wants it to run; false: it is the end. */
static bool wait_for_start(struct cpu *cpu)
{
	while (sem_wait(&cpu->asked) != 0) {
	}
	return atomic_exchange_explicit(&cpu->wanted, false, memory_order_relaxed);
}

/* CPUs agree on who is asked for most of the time, without a word: the time says it. */
static unsigned int some_target(struct cpu *cpu, uint64_t time)
{
	if (rng_below(&cpu->rng, 4) == 0) {
		return rng_below(&cpu->rng, MACHINE_CPUS);
	}
	return 1 + (unsigned int)(time >> 7) % (MACHINE_CPUS - 1);
}

/* CPU 0 never stops, so that the machine goes on. */
static void live(struct cpu *cpu)
{
	uint64_t time = 0;

	while (!atomic_load_explicit(&cpu->machine->over, memory_order_relaxed)) {
		unsigned int what = rng_below(&cpu->rng, 8), target = some_target(cpu, time);

		if (what == 0 && cpu->index != 0) {
			cpu_off(cpu);
			return;
		}
		if (what < 4) {
			affinity_info(cpu, target);
		}
		/* As guests do: wait until it is off, then start it. Others do so, too. */
		if (what >= 4 || cpu->now->answer == STATE_OFF) {
			cpu_on(cpu, target);
		}
		time = cpu->now->to;
		/* There are more CPUs than the machine has. Who finds another on its way lets it come. */
		if (cpu->now->answer == STATUS(ON_PENDING) || cpu->now->answer == STATE_PENDING ||
		    rng_below(&cpu->rng, 16) == 0) {
			sched_yield();
		}
	}
}

static void *cpu_thread(void *argument)
{
	struct cpu *cpu = argument;
	struct machine *machine = cpu->machine;

	self = cpu;
	if (cpu->index == 0) {
		live(cpu);
		for (unsigned int i = 1; i < MACHINE_CPUS; i++) {
			sem_post(&machine->cpus[i].asked);
		}
		return NULL;
	}
	while (wait_for_start(cpu)) {
		started(cpu);
		live(cpu);
	}
	return NULL;
}

static void must(bool fine)
{
	if (!fine) {
		abort();
	}
}

static struct machine *machine_new(uint64_t seed, uint64_t operations)
{
	static const struct hvc_platform platform = {.size = sizeof(platform),
						     .cpu_start = cpu_start};
	struct machine *machine = aligned_alloc(64, sizeof(*machine));
	struct hvc_vm_config config = {.size = sizeof(config),
				       .vcpu_count = MACHINE_CPUS,
				       .platform = &platform,
				       .host = machine};

	must(machine != NULL);
	/* Two ticks an operation, and two more where the host is asked, which is seldom. */
	*machine = (struct machine){.limit = operations / 2 * 5};
	machine->world = world_new(&(struct world_setup){.vcpu_count = MACHINE_CPUS});
	config.image = machine->world->image;
	must(hvc_vm_init(machine->world->vm, &config, machine->world->vcpus) == HVC_OK);
	machine->guest[0].word = 1; /* CPU 0 is on: odd */
	for (unsigned int i = 0; i < MACHINE_CPUS; i++) {
		struct cpu *cpu = &machine->cpus[i];

		cpu->machine = machine;
		cpu->vcpu = machine->world->vcpus[i];
		cpu->index = i;
		cpu->rng.state = seed * MACHINE_CPUS + i;
		cpu->records = calloc(2 * operations + 2, sizeof(*cpu->records));
		must(cpu->records != NULL && sem_init(&cpu->asked, 0, 0) == 0);
	}
	return machine;
}

static void machine_free(struct machine *machine)
{
	for (unsigned int i = 0; i < MACHINE_CPUS; i++) {
		sem_destroy(&machine->cpus[i].asked);
		free(machine->cpus[i].records);
	}
	world_free(machine->world);
	free(machine);
}

static void add(struct machine_result *result, unsigned int target, struct op op)
{
	result->ops[target][result->op_count[target]++] = op;
	result->seen[op.kind]++;
}

/* CPU_ON is one operation, or two with the host in between, which is told to start nobody twice. */
static void add_cpu_on(struct machine_result *result, const struct cpu *cpu,
		       const struct record *record)
{
	struct op op = {.from = record->from,
			.to = record->to,
			.number = record->number,
			.cpu = (uint8_t)cpu->index};
	bool done = record->answer == 0;

	if (record->enter != 0 || done) {
		op.kind = OP_WON;
		op.to = record->enter != 0 ? record->enter : record->to;
		add(result, record->target, op);
		op.from = record->leave;
		op.to = record->to;
	}
	if (record->answer == STATUS(INTERNAL_FAILURE) && record->enter != 0) {
		op.kind = OP_GIVEN_BACK;
		result->failures++;
	} else if (record->answer == STATUS(ALREADY_ON)) {
		op.kind = OP_REFUSED;
		op.state = STATE_ON;
	} else if (record->answer == STATUS(ON_PENDING)) {
		op.kind = OP_REFUSED;
		op.state = STATE_PENDING;
		result->refused_pending++;
	} else if (!done) {
		op.kind = OP_NEVER;
		op.number = record->answer;
	}
	if (!done) {
		add(result, record->target, op);
	} else if (record->enter == 0) {
		result->surprise = "CPU_ON succeeded and the host was not asked";
	}
}

static void add_record(struct machine_result *result, const struct cpu *cpu,
		       const struct record *record)
{
	struct op op = {.from = record->from,
			.to = record->to,
			.number = record->number,
			.cpu = (uint8_t)cpu->index};

	if (record->kind == DID_CPU_ON) {
		add_cpu_on(result, cpu, record);
		return;
	}
	op.kind = record->kind == DID_START ? OP_STARTED : OP_OFF;
	if (record->kind == DID_AFFINITY_INFO) {
		op.kind = record->answer <= STATE_PENDING ? OP_ASKED : OP_NEVER;
		op.state = (uint8_t)record->answer;
		op.number = record->answer;
		result->asked_pending += record->answer == STATE_PENDING;
	}
	add(result, record->target, op);
}

static void collect(struct machine *machine, struct machine_result *result)
{
	size_t records[MACHINE_CPUS] = {0};

	*result = (struct machine_result){0};
	for (unsigned int i = 0; i < MACHINE_CPUS; i++) {
		const struct cpu *cpu = &machine->cpus[i];

		for (size_t j = 0; j < cpu->record_count; j++) {
			records[cpu->records[j].target]++;
		}
		result->calls += cpu->record_count;
	}
	for (unsigned int i = 0; i < MACHINE_CPUS; i++) {
		result->ops[i] = calloc(2 * records[i] + 1, sizeof(struct op));
		must(result->ops[i] != NULL);
	}
	for (unsigned int i = 0; i < MACHINE_CPUS; i++) {
		const struct cpu *cpu = &machine->cpus[i];

		for (size_t j = 0; j < cpu->record_count; j++) {
			add_record(result, cpu, &cpu->records[j]);
		}
		if (cpu->surprise != NULL) {
			result->surprise = cpu->surprise;
		}
	}
}

void machine_run(uint64_t seed, uint64_t operations, struct machine_result *result)
{
	struct machine *machine = machine_new(seed, operations);
	pthread_t threads[MACHINE_CPUS];

	for (unsigned int i = 0; i < MACHINE_CPUS; i++) {
		must(pthread_create(&threads[i], NULL, cpu_thread, &machine->cpus[i]) == 0);
	}
	for (unsigned int i = 0; i < MACHINE_CPUS; i++) {
		pthread_join(threads[i], NULL);
	}
	collect(machine, result);
	machine_free(machine);
}

void machine_result_free(struct machine_result *result)
{
	for (unsigned int i = 0; i < MACHINE_CPUS; i++) {
		free(result->ops[i]);
	}
}

/* --- Killed CPUs. */
static void *killed_thread(void *argument)
{
	struct cpu *cpu = argument;

	self = cpu;
	while (wait_for_start(cpu)) {
		(void)hvc_vcpu_started(cpu->vcpu);
		cpu->machine->guest[1].word++;
		call(cpu, CPU_OFF, 0, 0, 0, HVC_CPU_OFF);
	}
	return NULL;
}

static bool killed_start(void *host, uint32_t target)
{
	struct machine *machine = host;

	atomic_store_explicit(&machine->cpus[target].wanted, true, memory_order_relaxed);
	sem_post(&machine->cpus[target].asked);
	return true;
}

bool machine_kill_rounds(unsigned int rounds)
{
	struct machine *machine = machine_new(1, 1);
	struct hvc_platform platform = {.size = sizeof(platform), .cpu_start = killed_start};
	struct hvc_vm_config config = {.size = sizeof(config),
				       .vcpu_count = MACHINE_CPUS,
				       .image = machine->world->image,
				       .platform = &platform,
				       .host = machine};
	struct cpu *killer = &machine->cpus[0];
	bool fine = true;
	pthread_t thread;

	must(hvc_vm_init(machine->world->vm, &config, machine->world->vcpus) == HVC_OK);
	must(pthread_create(&thread, NULL, killed_thread, &machine->cpus[1]) == 0);
	for (unsigned int i = 1; i <= rounds; i++) {
		fine &= call(killer, CPU_ON, 1, 0, 0, HVC_RESUME) == 0;
		while (call(killer, AFFINITY_INFO, 1, 0, 0, HVC_RESUME) != STATE_OFF) {
			sched_yield();
		}
		fine &= machine->guest[1].word == i;
	}
	sem_post(&machine->cpus[1].asked);
	pthread_join(thread, NULL);
	fine &= killer->surprise == NULL && machine->cpus[1].surprise == NULL;
	machine_free(machine);
	return fine;
}
