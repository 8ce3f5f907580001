/* SPDX-License-Identifier: BSD-2-Clause */
/* PSCI's power functions, some in the kernel, some here: the guest cannot tell which. */
#define _DEFAULT_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"
#include "policy_test.h"
#include "vmm_test.h"

#define CPU_ON     0xc4000003u
#define CPU_ON32   0x84000003u
#define CPU_OFF    0x84000002u
#define AFFINITY   0xc4000004u
#define AFFINITY32 0x84000004u
#define SUSPEND    0xc4000001u
#define SUSPEND32  0x84000001u
#define SYSTEM_OFF 0x84000008u
#define ENTRY3     0x3000u
#define IS_OFF     1
#define ALREADY_ON STATUS(-4)
#define INVALID    STATUS(-2)

enum { ON_BIT = 1, OFF_BIT = 2, AFFINITY_BIT = 4, SUSPEND_BIT = 8, SUBSETS = 16 };

/* IDs that go to user space. */
static void subset_ids(unsigned int subset, uint32_t ids[8])
{
	static const struct {
		unsigned int bit;
		uint32_t id;
	} all[] = {{SUSPEND_BIT, SUSPEND32},   {OFF_BIT, CPU_OFF},     {ON_BIT, CPU_ON32},
		   {AFFINITY_BIT, AFFINITY32}, {SUSPEND_BIT, SUSPEND}, {ON_BIT, CPU_ON},
		   {AFFINITY_BIT, AFFINITY}};
	unsigned int count = 0;

	for (size_t n = 0; n < COUNT_OF(all); n++) {
		if (subset & all[n].bit) {
			ids[count++] = all[n].id;
		}
	}
	ids[count] = 0;
}

/* --- All there is to see of two CPUs. */
static struct guest_log first, second;
static atomic_uint up[2], go_off[2];
static struct vmm the_vmm;

/* Asks again until the other one is off. */
#define POLL_INSTRUCTIONS 6
static void until_off(struct arm_guest *guest, void *context)
{
	(void)context;
	if (guest->x[0] != IS_OFF) {
		guest->pc -= 4 * (POLL_INSTRUCTIONS - 1);
	}
}

static void raise_up(struct arm_guest *guest, void *context)
{
	(void)context;
	guest->x[20] = guest->x[0] == 0x77 ? 0 : 1;
	atomic_store(&up[guest->x[20]], 1);
}

static void wait_go_off(struct arm_guest *guest, void *context)
{
	(void)context;
	if (atomic_load(&go_off[guest->x[20]]) == 0) {
		usleep(20);
		guest->pc = VMM_ENTRY2 + 4; /* up it is already */
	}
}

#define LOGGED(id, x1, x2, x3) GUEST_CALL(id, x1, x2, x3), GUEST_LOG(first)
static const struct arm_instruction two_cpus[] = {
	LOGGED(AFFINITY, 1, 0, 0), /* OFF */
	LOGGED(CPU_ON, 1, VMM_ENTRY2, 0x77),
	ARM_WAIT(&up[0]),
	LOGGED(AFFINITY, 1, 0, 0),          /* ON */
	LOGGED(CPU_ON, 1, VMM_ENTRY, 0x99), /* ALREADY_ON */
	LOGGED(CPU_ON, 0, VMM_ENTRY, 0x99), /* likewise */
	LOGGED(CPU_ON, 9, VMM_ENTRY, 0),
	LOGGED(CPU_ON, ~0ull, VMM_ENTRY, 0),
	LOGGED(AFFINITY, 1, 4, 0),
	LOGGED(AFFINITY, 9, 0, 0),
	LOGGED(AFFINITY, 0, 1, 0),
	ARM_HOST(guest_interrupt, &the_vmm),
	LOGGED(SUSPEND, 0, 0, 0),
	ARM_HOST(guest_interrupt, &the_vmm),
	LOGGED(SUSPEND32, 0, 0, 0),
	ARM_HOST(guest_raise, &go_off[0]),
	GUEST_CALL(AFFINITY, 1, 0, 0),
	ARM_HOST(until_off, NULL),
	LOGGED(CPU_ON32, 1, VMM_ENTRY2, 0x88),
	ARM_WAIT(&up[1]),
	LOGGED(AFFINITY32, 1, 0, 0),
	ARM_HOST(guest_raise, &go_off[1]),
	GUEST_CALL(AFFINITY32, 1, 0, 0),
	ARM_HOST(until_off, NULL),
	GUEST_DONE,
};
static const struct arm_instruction started_cpu[] = {
	GUEST_LOG(second),
	ARM_HOST(raise_up, NULL),
	ARM_HOST(wait_go_off, NULL),
	GUEST_CALL(CPU_OFF, 0, 0, 0),
	GUEST_LOG(second), /* it is back? */
	GUEST_DONE,
};
static const uint64_t two_cpus_answers[] = {
	IS_OFF, 0, 0, ALREADY_ON, ALREADY_ON, INVALID, INVALID, INVALID, INVALID, 0, 0, 0, 0, 0};

static void reset_two_cpus(void)
{
	memset(&first, 0, sizeof(first));
	memset(&second, 0, sizeof(second));
	for (unsigned int n = 0; n < 2; n++) {
		atomic_store(&up[n], 0);
		atomic_store(&go_off[n], 0);
	}
}

static void assert_two_cpus(unsigned int subset)
{
	assert_int_equal(first.count, COUNT_OF(two_cpus_answers));
	for (unsigned int n = 0; n < COUNT_OF(two_cpus_answers); n++) {
		if (first.x[n][0] != two_cpus_answers[n]) {
			fail_msg("subset %u, call %u: 0x%llx", subset, n,
				 (unsigned long long)first.x[n][0]);
		}
	}
	assert_int_equal(second.count, 2);
	for (unsigned int n = 0; n < 2; n++) {
		assert_int_equal(second.x[n][0], n == 0 ? 0x77 : 0x88);
		for (unsigned int i = 1; i < 18; i++) {
			assert_int_equal(second.x[n][i], 0);
		}
	}
}

static void test_subsets(void **state)
{
	static struct guest_log kernel;

	(void)state;
	for (unsigned int subset = 0; subset < SUBSETS; subset++) {
		uint32_t ids[8];
		const struct vmm_setup setup = {.forward = ids,
						.cpus = 2,
						VMM_PROGRAM(two_cpus),
						VMM_PROGRAM2(started_cpu)};

		subset_ids(subset, ids);
		reset_two_cpus();
		vmm_new(&the_vmm, &setup);
		vmm_run(&the_vmm);
		assert_true(the_vmm.cpus[0].done);
		assert_int_equal(vmm_mp_state(&the_vmm, 1), KVM_MP_STATE_STOPPED);
		assert_int_equal(vmm_mp_state(&the_vmm, 0), KVM_MP_STATE_RUNNABLE);
		vmm_free(&the_vmm);
		assert_two_cpus(subset);
		if (subset == 0) {
			memcpy(&kernel, &first, sizeof(kernel));
		}
		/* All registers behind each call, not the status alone. */
		assert_memory_equal(kernel.x, first.x, sizeof(kernel.x));
	}
}

/* --- Back and forth: each turns the other one on, as soon as that is off, and itself off. */
enum { ROUNDS = 200 };
static atomic_uint round_count;

static void again_until_on(struct arm_guest *guest, void *context)
{
	(void)context;
	if (guest->x[0] == ALREADY_ON) {
		guest->pc -= 4 * 5;
	}
}

static void count_round(struct arm_guest *guest, void *context)
{
	(void)context;
	if (atomic_fetch_add(&round_count, 1) >= ROUNDS) {
		guest->pc = ENTRY3;
	}
}

/* Instructions of CPU n: turn on the other at its entry; off. */
#define TO_AND_FRO(other, entry, log)                                                         \
	ARM_HOST(count_round, NULL), GUEST_CALL(CPU_ON, other, entry, 0),                     \
		ARM_HOST(again_until_on, NULL), GUEST_LOG(log), GUEST_CALL(CPU_OFF, 0, 0, 0), \
		ARM_HOST(guest_raise, &up[0])

static void test_to_and_fro(void **state)
{
	static const struct arm_instruction cpu0[] = {TO_AND_FRO(1, VMM_ENTRY2, first)};
	static const struct arm_instruction cpu1[] = {TO_AND_FRO(0, VMM_ENTRY, second)};
	static const struct arm_instruction done[] = {GUEST_DONE};

	(void)state;
	for (unsigned int subset = 0; subset < 4; subset++) {
		uint32_t ids[8];
		const struct vmm_setup setup = {
			.forward = ids, .cpus = 2, VMM_PROGRAM(cpu0), VMM_PROGRAM2(cpu1)};

		subset_ids(subset, ids);
		reset_two_cpus();
		atomic_store(&round_count, 0);
		vmm_new(&the_vmm, &setup);
		arm_kvm_load(the_vmm.fake, the_vmm.vm_fd, ENTRY3, done, 1);
		vmm_start(&the_vmm, 0);
		vmm_start(&the_vmm, 1);
		/* The last one on has gone to DONE; which one depends on ROUNDS. */
		vmm_join(&the_vmm, ROUNDS % 2);
		vmm_end(&the_vmm, 1 - ROUNDS % 2);
		assert_true(the_vmm.cpus[ROUNDS % 2].done);
		vmm_free(&the_vmm);
		assert_int_equal(round_count, ROUNDS + 1);
		assert_int_equal(up[0], 0); /* nobody came back from CPU_OFF */
		for (unsigned int n = 0; n < VMM_PLACES; n++) {
			assert_int_equal(first.x[n][0] | second.x[n][0], 0);
		}
	}
}

/* --- Both at once: neither waits for the other for ever. */
static atomic_uint left[2], wrong;

static void at_each_other(struct arm_guest *guest, void *context)
{
	(void)context;
	if (guest->x[0] != ALREADY_ON) {
		atomic_fetch_add(&wrong, 1);
	}
	if (atomic_fetch_sub(&left[guest->vcpu], 1) > 1) {
		guest->pc -= 4 * 5;
	}
}

static void test_each_other_at_once(void **state)
{
	static const struct arm_instruction cpu0[] = {GUEST_CALL(CPU_ON, 1, VMM_ENTRY2, 0),
						      ARM_WAIT(&up[0]),
						      GUEST_CALL(CPU_ON, 1, VMM_ENTRY2, 0),
						      ARM_HOST(at_each_other, NULL),
						      ARM_HOST(guest_raise, &go_off[0]),
						      ARM_WAIT(&go_off[1]),
						      GUEST_DONE};
	static const struct arm_instruction cpu1[] = {
		ARM_HOST(guest_raise, &up[0]), GUEST_CALL(CPU_ON, 0, VMM_ENTRY, 0),
		ARM_HOST(at_each_other, NULL), ARM_HOST(guest_raise, &go_off[1]),
		ARM_WAIT(&go_off[0]),          GUEST_DONE};
	uint32_t ids[8];
	const struct vmm_setup setup = {
		.forward = ids, .cpus = 2, VMM_PROGRAM(cpu0), VMM_PROGRAM2(cpu1)};

	(void)state;
	subset_ids(ON_BIT, ids);
	reset_two_cpus();
	atomic_store(&left[0], 300);
	atomic_store(&left[1], 300);
	atomic_store(&wrong, 0);
	vmm_new(&the_vmm, &setup);
	vmm_start(&the_vmm, 0);
	vmm_start(&the_vmm, 1);
	vmm_join(&the_vmm, 0);
	vmm_join(&the_vmm, 1);
	assert_true(the_vmm.cpus[0].done && the_vmm.cpus[1].done);
	assert_int_equal(wrong, 0);
	vmm_free(&the_vmm);
}

/* --- A CPU whose thread the VMM keeps out, or has not made yet. */
static const struct arm_instruction turn_on[] = {LOGGED(CPU_ON, 1, VMM_ENTRY2, 0x77),
						 ARM_WAIT(&up[0]), GUEST_DONE};
static const struct arm_instruction turned_on[] = {GUEST_LOG(second), ARM_HOST(raise_up, NULL),
						   ARM_SPIN};
#define ON_PC (VMM_ENTRY + 4 * 4u)

static void begin_turn_on(const struct vmm_setup *setup, uint32_t ids[8])
{
	subset_ids(SUBSETS - 1, ids);
	reset_two_cpus();
	vmm_new(&the_vmm, setup);
}

static void assert_turned_on(void)
{
	vmm_join(&the_vmm, 0);
	vmm_end(&the_vmm, 1);
	assert_true(the_vmm.cpus[0].done);
	assert_int_equal(first.count, 1);
	assert_int_equal(first.x[0][0], 0);
	assert_int_equal(second.count, 1);
	assert_int_equal(second.x[0][0], 0x77);
	vmm_free(&the_vmm);
}

/* Somebody waits for what this CPU is to say or do. */
static bool is_asked(unsigned int cpu)
{
	struct hvc_kvm_vcpu *vcpu = the_vmm.cpus[cpu].vcpu;
	bool asked;

	pthread_mutex_lock(&vcpu->vm->work_lock);
	asked = vcpu->queue != NULL;
	pthread_mutex_unlock(&vcpu->vm->work_lock);
	return asked;
}

static void test_target_stands_still(void **state)
{
	uint32_t ids[8];
	const struct vmm_setup setup = {
		.forward = ids, .cpus = 2, VMM_PROGRAM(turn_on), VMM_PROGRAM2(turned_on)};

	(void)state;
	begin_turn_on(&setup, ids);
	vmm_start(&the_vmm, 1);
	assert_true(vmm_stop(&the_vmm, 1));
	vmm_start(&the_vmm, 0);
	/* It waits for the other one, and the VMM gets it out. */
	for (unsigned int n = 0; n < 50; n++) {
		struct arm_guest guest;

		while (!is_asked(1)) {
			usleep(20);
		}
		assert_true(vmm_stop(&the_vmm, 0));
		assert_false(is_asked(1)); /* the question lay on its stack */
		guest = arm_kvm_peek(the_vmm.fake, the_vmm.cpus[0].fd, NULL);
		assert_true(guest.pc <= ON_PC); /* the call is made again */
		vmm_go(&the_vmm, 0);
	}
	vmm_go(&the_vmm, 1);
	assert_turned_on();
}

static void test_target_has_not_run(void **state)
{
	uint32_t ids[8];
	const struct vmm_setup setup = {
		.forward = ids, .cpus = 2, VMM_PROGRAM(turn_on), VMM_PROGRAM2(turned_on)};

	(void)state;
	begin_turn_on(&setup, ids);
	vmm_start(&the_vmm, 0);
	while (first.count == 0) {
		usleep(100);
	}
	vmm_start(&the_vmm, 1);
	assert_turned_on();
}

/* It was told to start and has no thread yet: as KVM has it that is on, and nobody is told a second time that it starts. */
static void test_start_is_on(void **state)
{
	static const struct arm_instruction ask_twice[] = {LOGGED(CPU_ON, 1, VMM_ENTRY2, 0x77),
							   LOGGED(AFFINITY, 1, 0, 0),
							   LOGGED(CPU_ON, 1, VMM_ENTRY, 0x99),
							   ARM_WAIT(&up[0]), GUEST_DONE};
	uint32_t ids[8];
	const struct vmm_setup setup = {
		.forward = ids, .cpus = 2, VMM_PROGRAM(ask_twice), VMM_PROGRAM2(turned_on)};

	(void)state;
	begin_turn_on(&setup, ids);
	vmm_start(&the_vmm, 0);
	while (first.count < 3) {
		usleep(100);
	}
	vmm_start(&the_vmm, 1);
	vmm_join(&the_vmm, 0);
	vmm_end(&the_vmm, 1);
	assert_int_equal(first.x[0][0], 0);
	assert_int_equal(first.x[1][0], 0);
	assert_int_equal(first.x[2][0], ALREADY_ON);
	assert_int_equal(second.count, 1);
	assert_int_equal(second.x[0][0], 0x77);
	vmm_free(&the_vmm);
}

/* The VMM resets the machine with both CPUs on. */
static void test_reset(void **state)
{
	static const struct arm_instruction turn_on_and_stay[] = {
		LOGGED(CPU_ON, 1, VMM_ENTRY2, 0x77), ARM_SPIN};
	uint32_t ids[8];
	const struct vmm_setup setup = {
		.forward = ids, .cpus = 2, VMM_PROGRAM(turn_on_and_stay), VMM_PROGRAM2(turned_on)};

	(void)state;
	begin_turn_on(&setup, ids);
	vmm_start(&the_vmm, 1);
	vmm_start(&the_vmm, 0);
	for (unsigned int n = 0; n < 10; n++) {
		while (first.count == 0 || second.count == 0) {
			usleep(100);
		}
		assert_int_equal(second.x[0][0], 0x77);
		assert_int_equal(first.x[0][0], 0);
		for (unsigned int cpu = 0; cpu < 2; cpu++) {
			assert_true(vmm_stop(&the_vmm, cpu));
		}
		reset_two_cpus();
		for (unsigned int cpu = 0; cpu < 2; cpu++) {
			vmm_reset(&the_vmm, cpu);
		}
		assert_int_equal(vmm_mp_state(&the_vmm, 1), KVM_MP_STATE_STOPPED);
		for (unsigned int cpu = 0; cpu < 2; cpu++) {
			vmm_go(&the_vmm, cpu);
		}
	}
	vmm_end(&the_vmm, 0);
	vmm_end(&the_vmm, 1);
	vmm_free(&the_vmm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_subsets),
		cmocka_unit_test(test_to_and_fro),
		cmocka_unit_test(test_each_other_at_once),
		cmocka_unit_test(test_target_stands_still),
		cmocka_unit_test(test_target_has_not_run),
		cmocka_unit_test(test_start_is_on),
		cmocka_unit_test(test_reset),
	};

	return VMM_TESTS(tests);
}
