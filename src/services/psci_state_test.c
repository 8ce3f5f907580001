/* SPDX-License-Identifier: BSD-2-Clause */
/* PSCI's state taken from one VM and given to another: nothing that a guest can ask differs. */
#include <string.h>

#include "../services/psci.h"
#include "../services/psci_state.h"
#include "cmocka_all.h"
#include "psci_calls.h"

#define ask(...)         psci_ask(HVC_CONDUIT_HVC, __VA_ARGS__)

#define CPU_SUSPEND      0xc4000001u
#define CPU_OFF          0x84000002u
#define CPU_ON           0xc4000003u
#define AFFINITY_INFO    0xc4000004u
#define MIGRATE          0xc4000005u
#define INFO_UP_CPU      0xc4000007u
#define CPU_FREEZE       0x8400000bu
#define NODE_HW_STATE    0xc400000du
#define SET_SUSPEND_MODE 0x8400000fu
#define RESIDENCY        0xc4000010u
#define COUNT            0xc4000011u
#define MEM_PROTECT      0x84000013u

#define CORE_DOWN        0x00010002u
#define CLUSTER_DOWN     0x01010022u

static const struct hvc_tables declared = {
	.size = sizeof(declared),
	.power_state_count = 2,
	.power_states = {{CORE_DOWN, 0}, {CLUSTER_DOWN, 1}},
};

enum { CPUS = 6 };

static struct world *make(enum hvc_trusted_os trusted_os, bool os_initiated, bool stats)
{
	struct hvc_settings settings;
	struct world *world;

	assert_int_equal(hvc_settings_profile(&settings, 2), HVC_OK);
	settings.trusted_os = trusted_os;
	settings.trusted_os_cpu = 1;
	settings.os_initiated = os_initiated;
	world = world_new(&(struct world_setup){.settings = &settings,
						.vcpu_count = CPUS,
						.tables = &declared,
						.host_power = stats});
	return world;
}

static enum hvc_verdict call(struct world *world, unsigned int cpu, uint32_t id, uint64_t x1,
			     uint64_t x2)
{
	struct hvc_frame frame = world_frame(id, x1, x2, 0);

	return hvc_call(world->vcpus[cpu], HVC_CONDUIT_HVC, 0, &frame);
}

/* CPU 0 and 4 run, 1 is off, 2 frozen, 3 on its way, 5 asleep; the trusted OS is on 4. */
static void live(struct world *world)
{
	for (unsigned int cpu = 1; cpu < CPUS; cpu++) {
		assert_int_equal(ask(world, 0, CPU_ON, cpu, 0x1000), SUCCESS);
		if (cpu != 3) {
			hvc_vcpu_started(world->vcpus[cpu]);
		}
	}
	assert_int_equal(ask(world, 0, SET_SUSPEND_MODE, 1, 0), SUCCESS);
	assert_int_equal(ask(world, 0, MEM_PROTECT, 1, 0), 0);
	assert_int_equal(ask(world, 1, MIGRATE, 4, 0), SUCCESS);
	assert_int_equal(call(world, 4, CPU_SUSPEND, CORE_DOWN, 0x1000), HVC_CPU_POWERDOWN);
	world->us += 11;
	hvc_vcpu_woke(world->vcpus[4]);
	assert_int_equal(call(world, 1, CPU_OFF, 0, 0), HVC_CPU_OFF);
	assert_int_equal(call(world, 2, CPU_FREEZE, 0, 0), HVC_CPU_FREEZE);
	assert_int_equal(call(world, 5, CPU_SUSPEND, CORE_DOWN, 0x1000), HVC_CPU_POWERDOWN);
}

static void move(const struct world *from, struct world *to)
{
	struct psci_vm_state vm;
	struct psci_vcpu_state vcpu;

	psci_vm_state(from->vm, &vm);
	assert_true(psci_vm_state_valid(to->vm, &vm));
	psci_vm_state_set(to->vm, &vm);
	for (unsigned int cpu = 0; cpu < CPUS; cpu++) {
		psci_vcpu_state(from->vcpus[cpu], &vcpu);
		assert_true(psci_vcpu_state_valid(to->vcpus[cpu], &vcpu));
		psci_vcpu_state_set(to->vcpus[cpu], &vcpu);
	}
	psci_states_set(to->vm);
}

/* What a guest can ask without changing anything. */
static void same(struct world *a, struct world *b)
{
	static const uint32_t power_states[] = {CORE_DOWN, CLUSTER_DOWN};

	assert_int_equal(hvc_vm_mem_protected(a->vm), hvc_vm_mem_protected(b->vm));
	assert_int_equal(ask(a, 0, INFO_UP_CPU, 0, 0), ask(b, 0, INFO_UP_CPU, 0, 0));
	for (unsigned int cpu = 0; cpu < CPUS; cpu++) {
		assert_int_equal(ask(a, 0, AFFINITY_INFO, cpu, 0),
				 ask(b, 0, AFFINITY_INFO, cpu, 0));
		for (unsigned int level = 0; level < 2; level++) {
			assert_int_equal(ask(a, 0, NODE_HW_STATE, cpu, level),
					 ask(b, 0, NODE_HW_STATE, cpu, level));
		}
		for (size_t i = 0; i < COUNT_OF(power_states); i++) {
			assert_int_equal(ask(a, 0, RESIDENCY, cpu, power_states[i]),
					 ask(b, 0, RESIDENCY, cpu, power_states[i]));
			assert_int_equal(ask(a, 0, COUNT, cpu, power_states[i]),
					 ask(b, 0, COUNT, cpu, power_states[i]));
		}
	}
}

static void test_there_and_on(void **state)
{
	struct world *from = make(HVC_TRUSTED_OS_MIGRATES, true, true);
	struct world *to = make(HVC_TRUSTED_OS_MIGRATES, true, true);

	(void)state;
	live(from);
	to->us = 5000; /* another machine's clock */
	move(from, to);
	same(from, to);
	/* And on: what they do next is the same, too. */
	for (unsigned int i = 0; i < 2; i++) {
		struct world *world = i ? to : from;

		world->us += 9;
		hvc_vcpu_woke(world->vcpus[5]);
		assert_int_equal(ask(world, 0, CPU_ON, 1, 0x1000), SUCCESS);
		assert_int_equal(ask(world, 0, CPU_ON, 2, 0x1000), SUCCESS);
		for (unsigned int cpu = 1; cpu <= 3; cpu++) {
			hvc_vcpu_started(world->vcpus[cpu]);
		}
		assert_int_equal(ask(world, 4, CPU_OFF, 0, 0), STATUS(DENIED));
		assert_int_equal(ask(world, 0, SET_SUSPEND_MODE, 0, 0), STATUS(DENIED));
		assert_int_equal(call(world, 5, CPU_SUSPEND, CLUSTER_DOWN, 0x1000), HVC_RESUME);
		assert_int_equal(ask(world, 4, MIGRATE, 1, 0), SUCCESS);
		assert_int_equal(call(world, 4, CPU_OFF, 0, 0), HVC_CPU_OFF);
		assert_int_equal(ask(world, 0, RESIDENCY, 5, CORE_DOWN), 9);
		assert_int_equal(ask(world, 0, RESIDENCY, 1, CORE_DOWN), 9);
		assert_int_equal(ask(world, 0, MEM_PROTECT, 0, 0), 1);
	}
	same(from, to);
	world_free(to);
	world_free(from);
}

/* A machine that starts anew is a new one, but that its host says who is on. */
static void test_reset(void **state)
{
	struct world *used = make(HVC_TRUSTED_OS_MIGRATES, true, true);
	struct world *fresh = make(HVC_TRUSTED_OS_MIGRATES, true, true);

	(void)state;
	live(used);
	for (unsigned int cpu = 0; cpu < CPUS; cpu++) {
		hvc_vcpu_tell_power(used->vcpus[cpu], cpu == 0);
	}
	used->us += 5;
	hvc_vm_reset(used->vm);
	used->us += 5;
	same(used, fresh);
	assert_false(hvc_vm_mem_protected(used->vm));
	assert_int_equal(ask(used, 0, SET_SUSPEND_MODE, 1, 0), SUCCESS);
	/* Frozen is over, and anybody can be started. */
	for (unsigned int cpu = 1; cpu < CPUS; cpu++) {
		assert_int_equal(ask(used, 0, CPU_ON, cpu, 0x1000), SUCCESS);
		assert_int_equal(ask(used, 0, AFFINITY_INFO, cpu, 0), 2);
	}
	world_free(fresh);
	world_free(used);
}

static const struct {
	struct psci_vm_state state;
	bool migrates, stays, none; /* valid where the trusted OS does that; on CPU 1 if it stays */
	bool needs_mode;            /* and then only with OS-initiated mode */
} vm_states[] = {
	{{SUSPEND_PLATFORM, 0, 1}, true, true, true, false},
	{{SUSPEND_PLATFORM, 1, 1}, true, true, true, false},
	{{SUSPEND_PLATFORM, 2, 1}, false, false, false, false},
	{{SUSPEND_OS, 0, 1}, true, true, true, true},
	{{SUSPEND_PLATFORM_USED, 0, 1}, true, true, true, true},
	{{3, 0, 1}, false, false, false, false},
	{{SUSPEND_PLATFORM, 0, CPUS - 1}, true, false, false, false},
	{{SUSPEND_PLATFORM, 0, CPUS}, false, false, false, false},
	{{SUSPEND_PLATFORM, 0, UINT32_MAX}, false, false, false, false},
};

static void test_vm_states(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < COUNT_OF(vm_states) * 6; i++) {
		unsigned int row = i / 6, kind = i / 2 % 3;
		bool mode = i % 2;
		struct world *world = make((enum hvc_trusted_os)kind, mode, true);
		bool valid = kind == HVC_TRUSTED_OS_MIGRATES ? vm_states[row].migrates
			     : kind == HVC_TRUSTED_OS_STAYS  ? vm_states[row].stays
							     : vm_states[row].none;

		assert_int_equal(psci_vm_state_valid(world->vm, &vm_states[row].state),
				 valid && (mode || !vm_states[row].needs_mode));
		world_free(world);
	}
}

/* Every power word of 16 bits, and each bit above: valid ones are those that calls make. */
static bool makes_sense(uint32_t word)
{
	static const uint32_t asleep[] = {POWER_ASLEEP, POWER_ASLEEP | POWER_DOWN};
	static const uint32_t others[] = {POWER_ON, POWER_OFF, POWER_OFF | POWER_LEFT,
					  POWER_ON_PENDING, POWER_FROZEN | POWER_LEFT};

	for (size_t i = 0; i < COUNT_OF(others); i++) {
		if (word == others[i]) {
			return true;
		}
	}
	for (uint32_t i = 0; i < 2 * 4 * 3; i++) {
		if (word ==
		    (asleep[i % 2] | (i / 2 % 4) << POWER_LEVEL_LOW | (i / 8) << POWER_STATE_LOW)) {
			return true;
		}
	}
	return false;
}

static void test_words(void **state)
{
	struct world *world = make(HVC_TRUSTED_OS_MIGRATES, true, true);
	struct psci_vcpu_state saved = {0};

	(void)state;
	for (uint32_t word = 0; word < 1u << 16; word++) {
		saved.power = word;
		assert_int_equal(psci_vcpu_state_valid(world->vcpus[0], &saved), makes_sense(word));
	}
	for (uint32_t bit = 16; bit < 32; bit++) {
		saved.power = 1u << bit;
		assert_false(psci_vcpu_state_valid(world->vcpus[0], &saved));
	}
	saved.power = 0;
	saved.pad = 1;
	assert_false(psci_vcpu_state_valid(world->vcpus[0], &saved));
	world_free(world);
}

/* Statistics: of declared states, and where there is memory for them. */
static void test_counts(void **state)
{
	(void)state;
	for (unsigned int stats = 0; stats < 2; stats++) {
		struct world *world = make(HVC_TRUSTED_OS_NONE, false, stats);

		for (unsigned int i = 0; i < 2 * HVC_POWER_STATES; i++) {
			struct psci_vcpu_state saved = {0};

			(i % 2 ? saved.us : saved.count)[i / 2] = UINT64_MAX;
			assert_int_equal(psci_vcpu_state_valid(world->vcpus[0], &saved),
					 stats && i / 2 < declared.power_state_count);
		}
		world_free(world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_on), cmocka_unit_test(test_reset),
		cmocka_unit_test(test_vm_states),    cmocka_unit_test(test_words),
		cmocka_unit_test(test_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
