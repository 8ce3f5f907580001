/* SPDX-License-Identifier: BSD-2-Clause */
/* The queue of `notify`: what an event says, its order, room, and calls that end the CPU or the system. */
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include <hvcgate/event.h>

#include "cmocka_all.h"
#include "forward_state.h"
#include "world.h"

#define PSCI_VERSION   0x84000000u
#define PSCI_FEATURES  0x8400000au
#define CPU_SUSPEND_64 0xc4000001u
#define CPU_OFF        0x84000002u
#define CPU_ON_64      0xc4000003u
#define SYSTEM_OFF     0x84000008u
#define SYSTEM_RESET   0x84000009u
#define TRNG_VERSION   0x84000050u
#define TRNG_RND       0x84000053u
#define VENDOR_UID     0x8600ff01u
#define KVM_PTP        0x86000001u /* results in x0 to x3 */
#define SDEI_VERSION   0xc4000020u
#define UNKNOWN        0x87000000u

static struct world *watched(unsigned int events, uint32_t flags)
{
	return world_new(&(struct world_setup){
		.otherwise = HVC_NOTIFY, .vcpu_count = 4, .flags = flags, .events = events});
}

static struct hvc_event take(struct world *world)
{
	struct hvc_event event;

	memset(&event, 0xa5, sizeof(event));
	assert_true(hvc_event_take(world->vm, &event));
	return event;
}

static void test_memory(void **state)
{
	struct world *world = watched(4, 0);
	struct hvc_vm_config config = {.size = sizeof(config),
				       .vcpu_count = 1,
				       .image = world->image,
				       .event_memory = world->event_memory};

	(void)state;
	assert_int_equal(hvc_event_size(0), 0);
	assert_int_equal(hvc_event_size(HVC_EVENT_MAX + 1), 0);
	assert_int_equal(hvc_event_size(3), hvc_event_size(4));
	assert_true(hvc_event_size(1) > 0 && hvc_event_size(1) < hvc_event_size(2));
	assert_true(hvc_event_size(HVC_EVENT_MAX) >
		    (size_t)HVC_EVENT_MAX * sizeof(struct hvc_event));
	assert_int_equal(hvc_vm_init(world->vm, &config, world->vcpus), HVC_ENOMEM);
	config.event_bytes = hvc_event_size(1) - 1;
	assert_int_equal(hvc_vm_init(world->vm, &config, world->vcpus), HVC_ENOMEM);
	config.event_bytes = hvc_event_size(1);
	config.event_memory = (char *)world->event_memory + 4;
	assert_int_equal(hvc_vm_init(world->vm, &config, world->vcpus), HVC_EFAULT);
	config.event_memory = world->event_memory;
	assert_int_equal(hvc_vm_init(world->vm, &config, world->vcpus), HVC_OK);
	assert_true(hvc_event_room(world->vm));
	assert_int_equal(hvc_event_next(world->vm), 1);
	world_free(world);
}

/* Without memory for events a call of `notify` fails, and discovery says so. */
static void test_without(void **state)
{
	static const struct paint rule = {CPU_OFF, CPU_OFF, HVC_NOTIFY};
	struct world *world = world_new(&(struct world_setup){.rules = &rule, .rule_count = 1});
	struct hvc_event event;

	(void)state;
	assert_int_equal(world_ask(world, CPU_OFF, 0, 0, 0), STATUS(-6));
	assert_int_equal(world_ask(world, PSCI_FEATURES, CPU_OFF, 0, 0), STATUS(-1));
	assert_false(hvc_event_take(world->vm, &event));
	assert_false(hvc_event_room(world->vm));
	assert_int_equal(hvc_event_next(world->vm), 0);
	assert_int_equal(events_waiting(world->vm), 0);
	assert_int_equal(events_set_next(world->vm, 1), HVC_ENOTSUP);
	world_free(world);
}

/* What is answered as ever, and what the event says of it: args x1 to x`args`, results by mask. */
static void test_says(void **state)
{
	static const struct {
		uint32_t id;
		unsigned int args;
		uint32_t results;
		enum hvc_count counted;
	} calls[] = {
		{PSCI_VERSION, 0, 0x1, HVC_ANSWERED}, {PSCI_FEATURES, 1, 0x1, HVC_ANSWERED},
		{CPU_ON_64, 3, 0x1, HVC_ANSWERED},    {TRNG_VERSION, 0, 0x1, HVC_ANSWERED},
		{TRNG_RND, 1, 0x1, HVC_ANSWERED},     {VENDOR_UID, 0, 0xf, HVC_ANSWERED},
		{SDEI_VERSION, 0, 0x1, HVC_ABSENT},   {UNKNOWN, 7, 0x1, HVC_ABSENT},
	};
	struct world *world = watched(2, 0);
	struct world *plain = world_new(&(struct world_setup){.vcpu_count = 4});

	(void)state;
	for (unsigned int i = 0; i < COUNT_OF(calls); i++) {
		uint64_t x0 = 0xaa00000000ull | calls[i].id;
		struct hvc_frame frame = world_frame(0, 32, 0x1000, 7), expected, before;
		unsigned int fn = hvc_function_by_id(calls[i].id);
		struct hvc_event event;

		frame.x[0] = x0;
		before = expected = frame;
		assert_int_equal(hvc_call(plain->vcpus[3], HVC_CONDUIT_SMC, 0, &expected),
				 HVC_RESUME);
		assert_int_equal(hvc_call(world->vcpus[3], HVC_CONDUIT_SMC, 0, &frame), HVC_RESUME);
		assert_memory_equal(&frame, &expected, sizeof(frame));
		assert_int_equal(hvc_vcpu_outcome(world->vcpus[3]).action, HVC_NOTIFY);
		assert_int_equal(world->counters[3].calls[fn][calls[i].counted], 1);
		assert_memory_equal(world->counters, plain->counters, 4 * sizeof(*world->counters));
		event = take(world);
		assert_int_equal(event.sequence, i + 1);
		assert_int_equal(event.vcpu, 3);
		assert_int_equal(event.id, calls[i].id);
		assert_int_equal(event.fn, fn);
		assert_int_equal(event.conduit, HVC_CONDUIT_SMC);
		assert_int_equal(event.verdict, HVC_RESUME);
		assert_int_equal(event.reserved, 0);
		for (unsigned int n = 0; n < HVC_EVENT_REGS; n++) {
			assert_int_equal(event.args[n], n <= calls[i].args ? before.x[n] : 0);
			assert_int_equal(event.results[n],
					 calls[i].results >> n & 1 ? frame.x[n] : 0);
		}
		assert_false(hvc_event_take(world->vm, &event));
	}
	world_free(world);
	world_free(plain);
}

/* Results beside the status are none where the call failed: they would be the guest's own registers. */
static void test_failed(void **state)
{
	struct world *world = world_new(
		&(struct world_setup){.otherwise = HVC_NOTIFY, .no_platform = true, .events = 2});
	struct hvc_event event;

	(void)state;
	assert_int_equal(world_ask(world, KVM_PTP, 1, 55, 66), STATUS(-1));
	event = take(world);
	assert_int_equal(event.args[1], 1);
	assert_int_equal(event.args[2], 0);
	assert_int_equal(event.results[0], STATUS(-1));
	assert_int_equal(event.results[1], 0);
	world_free(world);
}

/* Full: nothing happens, nothing is counted, the frame stays. Then the same frame goes on. */
static void test_full(void **state)
{
	for (unsigned int capacity = 1; capacity <= 8; capacity *= 2) {
		struct world *world = watched(capacity, 0);
		struct hvc_frame frame = world_frame(CPU_ON_64, 1, 0x1000, 7), before = frame;
		struct hvc_counters counters;

		(void)state;
		for (uint64_t i = 1; i <= 3 * capacity; i++) {
			if (i > capacity) {
				assert_false(hvc_event_room(world->vm));
				counters = world->counters[0];
				assert_int_equal(events_waiting(world->vm), capacity);
				assert_int_equal(hvc_call(world->vcpus[0], HVC_CONDUIT_HVC, 0,
							  &frame),
						 HVC_EVENTS_FULL);
				assert_memory_equal(&frame, &before, sizeof(frame));
				assert_memory_equal(&counters, &world->counters[0],
						    sizeof(counters));
				assert_int_equal(take(world).sequence, i - capacity);
			}
			assert_int_equal(world->starts, i > 1);
			assert_true(hvc_event_room(world->vm));
			assert_int_equal(hvc_event_next(world->vm), i);
			assert_int_equal(hvc_call(world->vcpus[0], HVC_CONDUIT_HVC, 0, &frame),
					 HVC_RESUME);
			assert_int_equal(frame.x[0], i == 1 ? 0 : STATUS(-5)); /* ON_PENDING */
			frame = before;
		}
		world_free(world);
	}
}

/* The event is there when the verdict is. */
static void test_verdicts(void **state)
{
	static const struct {
		uint32_t id;
		uint64_t x1;
		enum hvc_verdict verdict;
		uint64_t x0;
	} calls[] = {{CPU_SUSPEND_64, 0, HVC_CPU_STANDBY, 0},
		     {CPU_SUSPEND_64, 1 << 16, HVC_CPU_POWERDOWN, 0},
		     {SYSTEM_OFF, 0, HVC_SYSTEM_OFF, 0},
		     {SYSTEM_RESET, 0, HVC_SYSTEM_RESET, 0},
		     {CPU_OFF, 0, HVC_CPU_OFF, 0}};

	(void)state;
	for (unsigned int i = 0; i < COUNT_OF(calls); i++) {
		struct world *world = watched(1, 0);
		struct hvc_frame frame = world_frame(calls[i].id, calls[i].x1, 0x4000, 9);
		struct hvc_event event;

		assert_int_equal(hvc_call(world->vcpus[0], HVC_CONDUIT_HVC, 0, &frame),
				 calls[i].verdict);
		event = take(world);
		assert_int_equal(event.verdict, calls[i].verdict);
		for (unsigned int n = 0; n < HVC_EVENT_REGS; n++) {
			assert_int_equal(event.results[n], 0);
		}
		world_free(world);
	}
}

/* While a call is served its event has its place and cannot be taken; what comes behind it waits. */
static bool look_while_starting(void *host, uint32_t cpu)
{
	struct world *world = host;
	struct hvc_frame frame = world_frame(PSCI_VERSION, 0, 0, 0);
	struct hvc_event event;

	assert_int_equal(cpu, 1);
	assert_false(hvc_event_take(world->vm, &event));
	assert_int_equal(hvc_event_next(world->vm), 2);
	assert_int_equal(events_waiting(world->vm), 1);
	assert_int_equal(hvc_call(world->vcpus[2], HVC_CONDUIT_HVC, 0, &frame), HVC_RESUME);
	assert_false(hvc_event_take(world->vm, &event));
	assert_false(hvc_event_room(world->vm));
	frame = world_frame(PSCI_VERSION, 0, 0, 0);
	assert_int_equal(hvc_call(world->vcpus[3], HVC_CONDUIT_HVC, 0, &frame), HVC_EVENTS_FULL);
	return true;
}

static void test_under_way(void **state)
{
	struct world *world = watched(2, 0);
	struct hvc_event event;

	(void)state;
	world->platform.cpu_start = look_while_starting;
	assert_int_equal(world_ask(world, CPU_ON_64, 1, 0x4000, 0), 0);
	event = take(world);
	assert_int_equal(event.sequence, 1);
	assert_int_equal(event.id, CPU_ON_64);
	assert_int_equal(event.results[0], 0);
	event = take(world);
	assert_int_equal(event.sequence, 2);
	assert_int_equal(event.id, PSCI_VERSION);
	assert_false(hvc_event_take(world->vm, &event));
	world_free(world);
}

/* Discovery: as if it were handled; forward is not notify. */
static void test_discovery(void **state)
{
	static const struct paint rules[] = {{CPU_OFF, CPU_OFF, HVC_NOTIFY},
					     {UNKNOWN, UNKNOWN, HVC_NOTIFY},
					     {0x84000005u, 0x84000005u, HVC_NOTIFY}};
	struct world *world = world_new(
		&(struct world_setup){.rules = rules, .rule_count = COUNT_OF(rules), .events = 4});

	(void)state;
	assert_int_equal(world_ask(world, PSCI_FEATURES, CPU_OFF, 0, 0), 0);
	assert_int_equal(world_ask(world, PSCI_FEATURES, 0x84000005u, 0, 0), STATUS(-1));
	assert_int_equal(world_ask(world, 0x84000005u, 0, 0, 0), STATUS(-1));
	assert_int_equal(take(world).verdict, HVC_RESUME);
	world_free(world);
}

static void test_next(void **state)
{
	struct world *world = watched(4, 0);
	struct hvc_event event;

	(void)state;
	assert_int_equal(events_set_next(world->vm, 0), HVC_EINVAL);
	assert_int_equal(events_set_next(world->vm, (1ull << 48) + 1), HVC_EINVAL);
	world_ask(world, PSCI_VERSION, 0, 0, 0);
	assert_int_equal(events_set_next(world->vm, 10), HVC_EBUSY);
	take(world);
	assert_int_equal(events_set_next(world->vm, 1), HVC_EBUSY);
	assert_int_equal(events_set_next(world->vm, 1ull << 48), HVC_OK);
	assert_int_equal(hvc_event_next(world->vm), 1ull << 48);
	for (uint64_t i = 0; i < 10; i++) {
		world_ask(world, PSCI_VERSION, 0, 0, 0);
		world_ask(world, TRNG_VERSION, 0, 0, 0);
		assert_int_equal(events_waiting(world->vm), 2);
		assert_int_equal(take(world).sequence, (1ull << 48) + 2 * i);
		event = take(world);
		assert_int_equal(event.id, TRNG_VERSION);
		assert_false(hvc_event_take(world->vm, &event));
	}
	world_free(world);
}

/* --- vCPUs append, one thread takes: no gap, no event twice, each vCPU's in its order, counted once each. */
enum { CALLS = 5000 };

struct caller {
	struct world *world;
	unsigned int cpu;
	uint64_t wrong; /* answers */
};

static void *append(void *argument)
{
	struct caller *caller = argument;

	for (uint64_t i = 0; i < CALLS; i++) {
		struct hvc_frame frame = world_frame(PSCI_FEATURES, i << 32 | CPU_OFF, 0, 0);

		while (hvc_call(caller->world->vcpus[caller->cpu], HVC_CONDUIT_HVC, 0, &frame) ==
		       HVC_EVENTS_FULL) {
			sched_yield();
		}
		caller->wrong += frame.x[0] != 0;
	}
	return NULL;
}

static void test_threads(void **state)
{
	struct world *world = watched(8, 0);
	struct caller callers[4];
	pthread_t threads[4];
	uint64_t seen[4] = {0};

	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		callers[i] = (struct caller){.world = world, .cpu = i};
		assert_int_equal(pthread_create(&threads[i], NULL, append, &callers[i]), 0);
	}
	for (uint64_t n = 1; n <= (uint64_t)4 * CALLS;) {
		struct hvc_event event;

		if (hvc_event_take(world->vm, &event)) {
			assert_int_equal(event.sequence, n);
			assert_in_range(event.vcpu, 0, 3);
			assert_int_equal(event.args[1], seen[event.vcpu] << 32 | CPU_OFF);
			seen[event.vcpu]++;
			n++;
		} else {
			sched_yield();
		}
	}
	for (unsigned int i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(callers[i].wrong, 0);
		assert_int_equal(world->counters[i].calls[HVC_FN_PSCI_FEATURES][HVC_ANSWERED],
				 CALLS);
	}
	assert_int_equal(events_waiting(world->vm), 0);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory),    cmocka_unit_test(test_without),
		cmocka_unit_test(test_says),      cmocka_unit_test(test_failed),
		cmocka_unit_test(test_full),      cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_discovery), cmocka_unit_test(test_next),
		cmocka_unit_test(test_threads),   cmocka_unit_test(test_under_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
