/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hostile guest: a million random calls on four vCPUs at once, while somebody reads the counters and
 * changes the version of PSCI.
 * Nothing crashes, nothing changes that must not, every call is counted. For all three sanitizers.
 */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "cmocka_all.h"
#include "expected_masks.h"
#include "world.h"

enum { CPUS = 4, CALLS = 250000 };

struct cpu {
	struct hostile *hostile;
	unsigned int index;
	atomic_bool asked; /* the host was asked to start it */
	uint64_t calls, surprises;
};

struct hostile {
	struct world *world;
	struct cpu cpus[CPUS];
	atomic_uint running;
};

/* Starting fails now and then. */
static bool start(void *host, uint32_t vcpu)
{
	static _Thread_local struct rng rng = {5};
	struct hostile *hostile = ((struct world *)host)->context;

	if (rng_below(&rng, 8) == 0) {
		return false;
	}
	atomic_store(&hostile->cpus[vcpu].asked, true);
	return true;
}

static bool entropy(void *host, uint64_t *words, uint32_t n)
{
	static _Thread_local struct rng rng = {6};

	(void)host;
	for (uint32_t i = 0; i < n; i++) {
		words[i] = rng_next(&rng);
	}
	return rng_below(&rng, 8) != 0;
}

static bool mem_protect(void *host, bool on)
{
	static _Thread_local struct rng rng = {7};

	(void)host;
	(void)on;
	return rng_below(&rng, 8) != 0;
}

static uint64_t random_argument(struct rng *rng)
{
	switch (rng_below(rng, 4)) {
	case 0:
		return rng_below(rng, 256);
	case 1:
		return (uint64_t)rng_below(rng, 1u << 16) << 12;
	case 2:
		return hvc_function_at(1 + rng_below(rng, HVC_FN_COUNT - 1))->id32;
	default:
		return rng_next(rng);
	}
}

static struct hvc_frame random_frame(struct rng *rng)
{
	const struct hvc_function *function = hvc_function_at(1 + rng_below(rng, HVC_FN_COUNT - 1));
	struct hvc_frame frame;

	for (unsigned int i = 0; i < HVC_FRAME_REGS; i++) {
		frame.x[i] = random_argument(rng);
	}
	frame.x[0] = rng_below(rng, 8) ? (rng_below(rng, 2) ? function->id32 : function->id64)
				       : rng_next(rng);
	if (rng_below(rng, 8) == 0) {
		frame.x[0] ^= 1ull << rng_below(rng, 64);
	}
	return frame;
}

static enum hvc_verdict call(struct cpu *cpu, struct rng *rng, struct hvc_frame *frame)
{
	uint16_t immediate = rng_below(rng, 16) ? 0 : (uint16_t)rng_next(rng);
	const struct hvc_frame before = *frame;
	enum hvc_verdict verdict;

	verdict = hvc_call(cpu->hostile->world->vcpus[cpu->index],
			   (enum hvc_conduit)rng_below(rng, 2), immediate, frame);
	cpu->calls++;
	for (unsigned int i = 0; i < HVC_FRAME_REGS && verdict == HVC_RESUME; i++) {
		uint32_t may = expected_changes((uint32_t)before.x[0], immediate, frame->x[0]);

		cpu->surprises += frame->x[i] != before.x[i] && !(may >> i & 1);
	}
	cpu->surprises += verdict >= HVC_VERDICT_COUNT;
	return verdict;
}

/* It turned itself off, or froze: on again by its own hand or another's, as the host sees it. */
static void come_back(struct cpu *cpu)
{
	struct hvc_vcpu *vcpu = cpu->hostile->world->vcpus[cpu->index];

	while (!atomic_exchange(&cpu->asked, false)) {
		if (hvc_vcpu_power(vcpu) != 2) {
			struct hvc_frame on = world_frame(0xc4000003u, cpu->index, 0, 0);

			hvc_call(vcpu, HVC_CONDUIT_HVC, 0, &on);
			cpu->calls++;
		}
		sched_yield();
	}
	hvc_vcpu_started(vcpu);
}

static void *cpu_thread(void *argument)
{
	struct cpu *cpu = argument;
	struct rng rng = {100 + cpu->index};

	if (cpu->index != 0) {
		come_back(cpu);
	}
	for (unsigned int i = 0; i < CALLS; i++) {
		struct hvc_frame frame = random_frame(&rng);

		switch (call(cpu, &rng, &frame)) {
		case HVC_CPU_OFF:
		case HVC_CPU_FREEZE:
			come_back(cpu);
			break;
		case HVC_CPU_STANDBY: /* if not, the next call says that it woke */
			hvc_vcpu_woke(cpu->hostile->world->vcpus[cpu->index]);
			break;
		default:
			break;
		}
	}
	atomic_fetch_sub(&cpu->hostile->running, 1);
	return NULL;
}

static uint64_t counted(const struct hostile *hostile)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < CPUS; i++) {
		const uint64_t *calls = &hostile->world->counters[i].calls[0][0];

		for (unsigned int n = 0; n < HVC_FN_COUNT * HVC_COUNTS; n++) {
			sum += __atomic_load_n(&calls[n], __ATOMIC_RELAXED);
		}
	}
	return sum;
}

/* All that a policy and a host can add. */
static const struct hvc_tables tables = {
	.size = sizeof(tables),
	.power_state_count = 4,
	.power_states = {{0, 0}, {1, 1}, {2, 2}, {0x10000, 2}},
};

static void test_profile(unsigned int profile)
{
	static const struct paint rules[] = {{0x84000012u, 0x84000012u, HVC_DENY},
					     {0x86000000u, 0x8600ffffu, HVC_FORWARD},
					     {0x84000060u, 0x8400008cu, HVC_NOTIFY}};
	static struct hostile hostile;
	struct hvc_settings settings;
	pthread_t threads[CPUS];
	uint64_t before = 0, calls = 0;
	unsigned int minor = 3;

	assert_int_equal(hvc_settings_profile(&settings, profile), HVC_OK);
	settings.os_initiated = profile != 1;
	settings.trusted_os = profile == 1 ? HVC_TRUSTED_OS_NONE : HVC_TRUSTED_OS_MIGRATES;
	settings.smccc_version = HVC_VERSION(1, 5);
	settings.quirks = HVC_QUIRK_PSCI_VERSION_OPEN;
	settings.regs[HVC_REG_PSCI_VERSION] = HVC_VERSION(1, 3);
	memset(&hostile, 0, sizeof(hostile));
	hostile.world = world_new(&(struct world_setup){.settings = &settings,
							.rules = rules,
							.rule_count = 3,
							.vcpu_count = CPUS,
							.tables = profile == 1 ? NULL : &tables,
							.host_power = profile != 1});
	hvc_vm_freeze(hostile.world->vm);
	hostile.world->platform.cpu_start = start;
	hostile.world->platform.entropy = entropy;
	if (profile != 1) {
		hostile.world->platform.mem_protect = mem_protect;
	}
	hostile.world->context = &hostile;
	hostile.world->ram_end = 1u << 28;
	hostile.running = CPUS;
	for (unsigned int i = 0; i < CPUS; i++) {
		hostile.cpus[i].hostile = &hostile;
		hostile.cpus[i].index = i;
		assert_int_equal(pthread_create(&threads[i], NULL, cpu_thread, &hostile.cpus[i]),
				 0);
	}
	while (atomic_load(&hostile.running) != 0) {
		uint64_t now = counted(&hostile);

		minor = (minor + 1) % 4;
		assert_int_equal(hvc_vm_set_reg(hostile.world->vm,
						hvc_feature_reg_id(hostile.world->vm, 0),
						HVC_VERSION(1, minor)),
				 HVC_OK);

		assert_true(now >= before);
		before = now;
		sched_yield();
	}
	for (unsigned int i = 0; i < CPUS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(hostile.cpus[i].surprises, 0);
		calls += hostile.cpus[i].calls;
	}
	assert_int_equal(counted(&hostile), calls);
	assert_true(calls >= CPUS * CALLS);
	world_free(hostile.world);
}

static void test_hostile(void **state)
{
	(void)state;
	for (unsigned int profile = 1; profile <= HVC_PROFILE_NEWEST; profile++) {
		test_profile(profile);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_hostile)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
