/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rules that change under calls: eight vCPUs call while another thread tightens ranges and swaps images, and gives the
 * old ones back as soon as hvc_vm_passed(). Worth most under the thread and address sanitizers.
 *
 * Each call is judged by what was known before it and after it: a range whose tightening had returned is denied, one
 * whose tightening had not begun is what the image says, of which more than one can be right while a swap is under way.
 * That the judge sees anything is shown by two machines that cheat.
 */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include <hvcgate/live.h>

#include "cmocka_all.h"
#include "state.h"
#include "world.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FREES true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define FREES true
#endif
#endif
#ifndef FREES
#define FREES false /* the allocator would hide the poison */
#endif

enum { VCPUS = WORLD_VCPUS, RANGES = 40, SWAP_EVERY = 4, SWAPS = RANGES / SWAP_EVERY };
enum { ROUNDS = 4, BATCH = 64, CALLS_BETWEEN = 1000, CALLS_OF_CHEATS = 20000 };
enum { POISON = ENTRY_CLAIMED | ENTRY_ACTION }; /* an action that no rule here has */

/* How a machine cheats: it says that a range is tightened before it is, or leaves a vCPU with the old rules. */
enum cheat { HONEST, TIGHTENS_LATE, STALE_ROOT };

struct memory {
	struct hvc_image *image;
	uint16_t *nodes;
	size_t node_bytes;
	uint64_t epoch; /* of the swap that replaced it */
	bool given_back;
};

struct machine {
	struct world *world;
	enum cheat cheat;
	struct hvc_range ranges[RANGES];
	atomic_uint ranges_begun, ranges_done, swaps_begun, swaps_done;
	atomic_bool over;
	struct memory old[SWAPS + 1]; /* by number of the swap that made it; 0: the world's */
};

struct cpu {
	struct machine *machine;
	unsigned int index;
	_Alignas(64) atomic_uint calls;
	unsigned int surprises;
};

/* --- What is right. */
static const struct paint rules[2][1] = {{{0x02000000u, 0x03ffffffu, HVC_DENY}},
					 {{0x03000000u, 0x04ffffffu, HVC_FORWARD}}};

static enum hvc_action by_image(unsigned int swaps, uint32_t id)
{
	const struct paint *rule = &rules[swaps % 2][0];

	return id >= rule->first && id <= rule->last ? rule->action : HVC_HANDLE;
}

/* The first range that has the ID, or RANGES. */
static unsigned int range_of(const struct machine *machine, uint32_t id)
{
	unsigned int i = 0;

	while (i < RANGES && (id < machine->ranges[i].first || id > machine->ranges[i].last)) {
		i++;
	}
	return i;
}

struct known {
	unsigned int ranges, swaps;
};

static bool right(const struct machine *machine, uint32_t id, enum hvc_action action,
		  struct known before, struct known after)
{
	unsigned int range = range_of(machine, id);

	if (range < before.ranges) {
		return action == HVC_DENY;
	}
	if (range < after.ranges && action == HVC_DENY) {
		return true;
	}
	for (unsigned int swaps = before.swaps; swaps <= after.swaps; swaps++) {
		if (action == by_image(swaps, id)) {
			return true;
		}
	}
	return false;
}

/* --- vCPUs. */
/* Ends of the newest ranges and their neighbours, functions, anything. */
static uint32_t choose(const struct machine *machine, struct rng *rng)
{
	static const uint32_t functions[] = {0x84000000u, 0x84000050u, 0x84000051u,
					     0x8400000au, 0xc4000004u, 0x86000000u};
	unsigned int begun = atomic_load_explicit(&machine->ranges_begun, memory_order_relaxed);
	const struct hvc_range *range =
		&machine->ranges[(begun + RANGES - rng_below(rng, 3)) % RANGES];

	switch (rng_below(rng, 6)) {
	case 0:
		return functions[rng_below(rng, sizeof(functions) / sizeof(functions[0]))];
	case 1:
		return (uint32_t)rng_next(rng) & 0x07ffffffu;
	case 2:
		return range->first - rng_below(rng, 2);
	case 3:
		return range->last + rng_below(rng, 2);
	default:
		return range->first + rng_below(rng, range->last - range->first + 1);
	}
}

static void call(struct cpu *cpu, uint32_t id)
{
	struct machine *machine = cpu->machine;
	struct hvc_vcpu *vcpu = machine->world->vcpus[cpu->index];
	struct hvc_frame frame = world_frame(id, 0x84000000u, 0, 0);
	struct known before, after;
	enum hvc_verdict verdict;
	enum hvc_action action;

	before.ranges = atomic_load(&machine->ranges_done);
	before.swaps = atomic_load(&machine->swaps_done);
	verdict = hvc_call(vcpu, (enum hvc_conduit)(id >> 1 & 1), 0, &frame);
	after.ranges = atomic_load(&machine->ranges_begun);
	after.swaps = atomic_load(&machine->swaps_begun);
	action = (enum hvc_action)hvc_vcpu_outcome(vcpu).action;
	cpu->surprises += !right(machine, id, action, before, after);
	cpu->surprises += action == HVC_DENY && frame.x[0] != STATUS(NOT_SUPPORTED);
	cpu->surprises += verdict != HVC_RESUME;
}

static void *cpu_thread(void *argument)
{
	struct cpu *cpu = argument;
	struct machine *machine = cpu->machine;
	struct rng rng = {cpu->index + 100};

	while (!atomic_load(&machine->over)) {
		for (unsigned int i = 0; i < BATCH; i++) {
			call(cpu, choose(machine, &rng));
		}
		hvc_vcpu_quiescent(machine->world->vcpus[cpu->index]);
		atomic_fetch_add(&cpu->calls, BATCH);
		sched_yield(); /* there are more of us than processors */
	}
	return NULL;
}

/* --- The control plane. */
/* Every vCPU makes its share of so many calls more. */
static void let_run(const struct cpu *cpus, unsigned int calls)
{
	for (unsigned int i = 0; i < VCPUS; i++) {
		unsigned int from = atomic_load(&cpus[i].calls);

		while (atomic_load(&cpus[i].calls) - from < calls / VCPUS) {
			sched_yield();
		}
	}
}

/* Nobody looks here any more: who does all the same finds what cannot be. */
static void give_back(struct memory *memory)
{
	uint16_t *words[2] = {memory->nodes, (uint16_t *)(void *)memory->image};
	size_t bytes[2] = {memory->node_bytes, memory->image->bytes};

	for (unsigned int i = 0; i < 2; i++) {
		for (size_t at = 0; at < bytes[i] / 2; at++) {
			__atomic_store_n(&words[i][at], POISON, __ATOMIC_RELAXED);
		}
	}
	memory->given_back = true;
}

static void dispose(struct memory *memory)
{
	free(memory->image);
	free(memory->nodes);
	memory->image = NULL;
	memory->nodes = NULL;
}

static unsigned int give_back_passed(struct machine *machine, unsigned int swaps)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < swaps; i++) {
		struct memory *memory = &machine->old[i];

		if (!memory->given_back && hvc_vm_passed(machine->world->vm, memory->epoch)) {
			give_back(memory);
			if (FREES && machine->cheat == HONEST && i != 0) {
				dispose(memory);
			}
		}
		kept += !memory->given_back;
	}
	return kept;
}

static void tighten(struct machine *machine, const struct cpu *cpus, unsigned int i)
{
	const struct hvc_range *range = &machine->ranges[i];

	atomic_store(&machine->ranges_begun, i + 1);
	if (machine->cheat == TIGHTENS_LATE) {
		atomic_store(&machine->ranges_done, i + 1);
		let_run(cpus, CALLS_OF_CHEATS);
	}
	assert_int_equal(hvc_vm_tighten(machine->world->vm, range->first,
					range->last - range->first + 1, NULL),
			 HVC_OK);
	atomic_store(&machine->ranges_done, i + 1);
}

static void swap(struct machine *machine, unsigned int number)
{
	struct hvc_vm *vm = machine->world->vm;
	const uint16_t *stale = vm->vcpus[VCPUS - 1]->entries;
	struct memory *memory = &machine->old[number];

	memory->image = world_image(
		&(struct world_setup){.rules = rules[number % 2], .rule_count = 1}, NULL);
	memory->node_bytes = hvc_filter_size(memory->image, RANGES);
	memory->nodes = malloc(memory->node_bytes);
	assert_non_null(memory->nodes);
	atomic_store(&machine->swaps_begun, number);
	assert_int_equal(hvc_vm_swap_image(vm, memory->image, memory->nodes, memory->node_bytes,
					   &machine->old[number - 1].epoch),
			 HVC_OK);
	if (machine->cheat == STALE_ROOT) {
		__atomic_store_n(&vm->vcpus[VCPUS - 1]->entries, stale, __ATOMIC_RELEASE);
	}
	atomic_store(&machine->swaps_done, number);
}

static void control(struct machine *machine, const struct cpu *cpus)
{
	for (unsigned int i = 0; i < RANGES; i++) {
		tighten(machine, cpus, i);
		let_run(cpus, CALLS_BETWEEN);
		if ((i + 1) % SWAP_EVERY == 0) {
			swap(machine, (i + 1) / SWAP_EVERY);
			let_run(cpus, CALLS_BETWEEN);
			(void)give_back_passed(machine, (i + 1) / SWAP_EVERY);
		}
	}
	/* All vCPUs go on: sooner or later each has passed each swap. */
	while (give_back_passed(machine, SWAPS) != 0) {
		sched_yield();
	}
}

/* Ranges at every depth of the lookup, one of them a function, none that the reserved ranges meet. */
static void choose_ranges(struct machine *machine, struct rng *rng)
{
	for (unsigned int i = 0; i < RANGES; i++) {
		struct hvc_range *range = &machine->ranges[i];

		range->first = 0x00010000u + ((uint32_t)rng_next(rng) & 0x07ffffffu);
		if (i % 3 == 0) { /* where root 0 and 1 lead */
			range->first &= 0x0700ffffu;
		}
		range->last = range->first + ((1u << rng_below(rng, 22)) - 1);
	}
	machine->ranges[RANGES / 2] = (struct hvc_range){0x84000050u, 0x84000050u};
}

/* A machine from its first range to its last. Surprises. */
static unsigned int run(enum cheat cheat, uint64_t seed)
{
	static struct cpu cpus[VCPUS];
	struct machine machine = {.cheat = cheat};
	struct rng rng = {seed};
	pthread_t threads[VCPUS];
	unsigned int surprises = 0;

	machine.world = world_new(&(struct world_setup){
		.rules = rules[0], .rule_count = 1, .vcpu_count = VCPUS, .filter_ranges = RANGES});
	machine.old[0] = (struct memory){.image = machine.world->image,
					 .nodes = machine.world->filter_memory,
					 .node_bytes = hvc_filter_size(machine.world->image,
								       RANGES)};
	choose_ranges(&machine, &rng);
	hvc_vm_freeze(machine.world->vm);
	for (unsigned int i = 0; i < VCPUS; i++) {
		cpus[i] = (struct cpu){.machine = &machine, .index = i};
		assert_int_equal(pthread_create(&threads[i], NULL, cpu_thread, &cpus[i]), 0);
	}
	control(&machine, cpus);
	atomic_store(&machine.over, true);
	for (unsigned int i = 0; i < VCPUS; i++) {
		pthread_join(threads[i], NULL);
		surprises += cpus[i].surprises;
	}
	for (unsigned int i = 1; i <= SWAPS; i++) {
		dispose(&machine.old[i]);
	}
	world_free(machine.world);
	return surprises;
}

static void test_honest(void **state)
{
	(void)state;
	for (unsigned int round = 0; round < ROUNDS; round++) {
		assert_int_equal(run(HONEST, round), 0);
	}
}

static void test_cheats_are_seen(void **state)
{
	unsigned int late = run(TIGHTENS_LATE, 1), stale = run(STALE_ROOT, 1);

	(void)state;
	print_message(
		"surprises: %u where a range is tightened late, %u of a vCPU with old rules\n",
		late, stale);
	assert_int_not_equal(late, 0);
	assert_int_not_equal(stale, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_honest),
		cmocka_unit_test(test_cheats_are_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
