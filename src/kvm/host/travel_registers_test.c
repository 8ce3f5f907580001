/* SPDX-License-Identifier: BSD-2-Clause */
/* The engine's state on its way in registers, over a kernel of a few registers; calls are in travel_test.c. */
#include <errno.h>
#include <string.h>

#include "machine_test.h"
#include "policy_test.h"

#define FORWARDS                                                                  \
	KERNEL_ONLY "rules: [{forward: {range: 0xc2000000-0xc20000ff}, to: h}]\n" \
		    "handlers: {h: {socket: /run/h.sock, timeout: 1ms}}\n"

/* What core does before the first run. */
static int first_run(struct machine *machine)
{
	struct hvc_kvm_vm *vm = &machine->vm;
	struct hvc_vcpu *vcpus[2] = {NULL, NULL};
	int error;

	for (unsigned int i = 0; i < 2; i++) {
		machine->vcpus[i].mpidr = machine->vcpus[i].id;
	}
	assert_int_equal(engine_make(vm, &vm->engine, vcpus, &vm->memory), 0);
	for (unsigned int i = 0; i < 2; i++) {
		machine->vcpus[i].engine = vcpus[i];
	}
	error = travel_restore(vm);
	if (error == 0) {
		hvc_vm_freeze(vm->engine);
	}
	return error;
}

static void copy_all(struct machine *from, uint64_t values[2][UAPI_TRAVEL_COUNT])
{
	for (unsigned int i = 0; i < 2; i++) {
		for (unsigned int n = 0; n < UAPI_TRAVEL_COUNT; n++) {
			values[i][n] = reg_get(&from->vcpus[i], UAPI_TRAVEL_BASE + n);
		}
	}
}

/* The first error, as a VMM that goes on would see it. */
static int paste_all(struct machine *to, uint64_t values[2][UAPI_TRAVEL_COUNT])
{
	int first = 0;

	for (unsigned int i = 0; i < 2; i++) {
		for (unsigned int n = 0; n < UAPI_TRAVEL_COUNT; n++) {
			const int error = reg_set(&to->vcpus[i], UAPI_TRAVEL_BASE + n,
						  values[i][n]);

			first = first != 0 ? first : error;
		}
	}
	return first;
}

/* Something to know a state by: CPU_OFF of the second vCPU. */
static void turn_off(struct machine *machine, unsigned int i)
{
	struct hvc_frame frame = {{0x84000002}};

	assert_int_equal(hvc_call(machine->vcpus[i].engine, HVC_CONDUIT_HVC, 0, &frame),
			 HVC_CPU_OFF);
}

static void there_and_back(void **state)
{
	uint64_t values[2][UAPI_TRAVEL_COUNT], again[2][UAPI_TRAVEL_COUNT];
	struct machine from, to;
	uint64_t ids[300];

	(void)state;
	machine_make(&from, FORWARDS);
	assert_int_equal(reg_list(&from.vcpus[0], ids), KERNEL + UAPI_TRAVEL_COUNT);
	/* Before the first run there is no state, and writing that back is nothing. */
	copy_all(&from, values);
	assert_memory_equal(values[0], from.kvm.plan.header->policy_sha256, 32);
	assert_int_equal(values[1][UAPI_TRAVEL_DIGEST], 0); /* of ID 0: how many bytes */
	assert_int_equal(paste_all(&from, values), 0);
	assert_int_equal(first_run(&from), 0);
	turn_off(&from, 0);
	copy_all(&from, values);
	assert_in_range(values[1][UAPI_TRAVEL_DIGEST], 100, 2040);
	/* Written back as it was read: nothing arrives. */
	assert_int_equal(paste_all(&from, values), 0);
	assert_int_equal(travel_forget(&from.vm), 0);

	machine_make(&to, FORWARDS);
	assert_int_equal(paste_all(&to, values), 0);
	assert_int_equal(paste_all(&to, values), 0);
	assert_int_equal(first_run(&to), 0);
	assert_int_equal(hvc_vcpu_power(to.vcpus[0].engine), hvc_vcpu_power(from.vcpus[0].engine));
	copy_all(&to, again);
	assert_memory_equal(values, again, sizeof(values));
	machine_unmake(&from);
	machine_unmake(&to);
}

/* A VM that has run gets another state: as QEMU's loadvm does it. */
static void in_place(void **state)
{
	uint64_t before[2][UAPI_TRAVEL_COUNT], values[2][UAPI_TRAVEL_COUNT];
	struct machine machine;
	unsigned int on;

	(void)state;
	machine_make(&machine, FORWARDS);
	assert_int_equal(first_run(&machine), 0);
	on = hvc_vcpu_power(machine.vcpus[0].engine);
	copy_all(&machine, before);
	assert_int_equal(travel_forget(&machine.vm), 0);
	turn_off(&machine, 0);
	assert_int_not_equal(hvc_vcpu_power(machine.vcpus[0].engine), on);
	copy_all(&machine, values);
	assert_memory_not_equal(before, values, sizeof(values));
	assert_int_equal(paste_all(&machine, before), 0);
	assert_int_equal(travel_forget(&machine.vm), 0);
	assert_int_equal(hvc_vcpu_power(machine.vcpus[0].engine), on);
	machine_unmake(&machine);
}

static void in_part(void **state)
{
	uint64_t before[2][UAPI_TRAVEL_COUNT];
	struct machine machine;

	(void)state;
	machine_make(&machine, FORWARDS);
	assert_int_equal(first_run(&machine), 0);
	copy_all(&machine, before);
	assert_int_equal(travel_forget(&machine.vm), 0);
	turn_off(&machine, 0);
	/* The checksum, and no more. */
	assert_int_equal(reg_set(&machine.vcpus[1], UAPI_TRAVEL_BASE + UAPI_TRAVEL_DIGEST + 2,
				 before[1][UAPI_TRAVEL_DIGEST + 2]),
			 0);
	assert_int_equal(travel_forget(&machine.vm), EPERM);
	assert_int_equal(travel_forget(&machine.vm), EPERM);
	/* All of it repairs that. */
	assert_int_equal(paste_all(&machine, before), 0);
	assert_int_equal(travel_forget(&machine.vm), 0);
	machine_unmake(&machine);
}

static void damaged(void **state)
{
	uint64_t values[2][UAPI_TRAVEL_COUNT];
	struct machine from, to;

	(void)state;
	machine_make(&from, FORWARDS);
	assert_int_equal(first_run(&from), 0);
	copy_all(&from, values);
	for (unsigned int i = 0; i < 2; i++) {
		for (unsigned int n = UAPI_TRAVEL_DIGEST; n < UAPI_TRAVEL_COUNT; n += 5) {
			machine_make(&to, FORWARDS);
			values[i][n] ^= 1ull << n % 64;
			assert_int_equal(paste_all(&to, values), EINVAL);
			assert_int_equal(first_run(&to), EPERM);
			assert_non_null(strstr(last_why, "the state that arrived"));
			values[i][n] ^= 1ull << n % 64;
			machine_unmake(&to);
		}
	}
	machine_unmake(&from);
}

static void other_policy(void **state)
{
	uint64_t values[2][UAPI_TRAVEL_COUNT];
	struct machine from, to;

	(void)state;
	machine_make(&from, FORWARDS);
	copy_all(&from, values);
	machine_make(&to, FORWARDS "psci: \"1.0\"\n");
	assert_int_equal(reg_set(&to.vcpus[0], UAPI_TRAVEL_BASE, values[0][0]), EPERM);
	assert_non_null(strstr(last_why, "another policy: bytes 0 to 7 of its SHA-256 are "));
	assert_int_equal(reg_set(&from.vcpus[0], UAPI_TRAVEL_BASE, values[0][0]), 0);
	machine_unmake(&from);
	machine_unmake(&to);
}

static void while_running(void **state)
{
	struct machine machine;
	uint64_t stale;

	(void)state;
	machine_make(&machine, FORWARDS);
	assert_int_equal(first_run(&machine), 0);
	stale = reg_get(&machine.vcpus[1], UAPI_TRAVEL_BASE + 4);
	assert_int_equal(travel_forget(&machine.vm), 0);
	atomic_store(&machine.vcpus[0].inside, true);
	assert_int_equal(reg_get(&machine.vcpus[1], UAPI_TRAVEL_BASE + 4), stale);
	assert_int_equal(reg_set(&machine.vcpus[1], UAPI_TRAVEL_BASE + 4, stale), 0);
	assert_int_equal(reg_set(&machine.vcpus[1], UAPI_TRAVEL_BASE + 4, stale + 8), EBUSY);
	assert_int_equal(travel_forget(&machine.vm), 0);
	machine_unmake(&machine);
}

static void pending(void **state)
{
	struct hvc_frame frame = {{0xc2000001}};
	struct machine machine;
	uint64_t value;

	(void)state;
	machine_make(&machine, FORWARDS);
	assert_int_equal(first_run(&machine), 0);
	assert_int_equal(hvc_call(machine.vcpus[0].engine, HVC_CONDUIT_HVC, 0, &frame),
			 HVC_FORWARDED);
	/* Its answer comes while the state is asked for. */
	pending_vcpu = machine.vcpus[0].engine;
	assert_int_equal(hvc_kvm_get_reg(&machine.vcpus[1], UAPI_TRAVEL_BASE + 4, &value), 0);
	assert_int_equal(drained, 3);
	machine_unmake(&machine);
}

/* Its answer does not come. Here the guest goes on; there nothing can be made of it. */
static void busy(void **state)
{
	uint64_t values[2][UAPI_TRAVEL_COUNT];
	struct hvc_frame frame = {{0xc2000001}};
	struct machine from, to;

	(void)state;
	machine_make(&from, FORWARDS);
	assert_int_equal(first_run(&from), 0);
	assert_int_equal(hvc_call(from.vcpus[0].engine, HVC_CONDUIT_HVC, 0, &frame), HVC_FORWARDED);
	copy_all(&from, values);
	assert_int_equal(drained, 10); /* once, not for each register */
	assert_int_equal(values[1][UAPI_TRAVEL_DIGEST], UINT64_MAX);
	assert_int_equal(paste_all(&from, values), 0);
	assert_int_equal(travel_forget(&from.vm), 0);
	machine_make(&to, FORWARDS);
	assert_int_equal(paste_all(&to, values), EINVAL);
	assert_string_equal(
		last_why,
		"a forwarded call was under way when the state was read; try again, or the policy may say replay: allowed");
	assert_int_equal(first_run(&to), EPERM);
	machine_unmake(&from);
	machine_unmake(&to);
}

/* A call that was left is settled before anything of its vCPU is read, and of every other before the state is. */
static void left(void **state)
{
	struct machine machine;

	(void)state;
	machine_make(&machine, FORWARDS);
	assert_int_equal(first_run(&machine), 0);
	settled = 0;
	atomic_store(&machine.vcpus[0].left, true);
	atomic_store(&machine.vcpus[1].left, true);
	(void)reg_get(&machine.vcpus[0], UAPI_CORE_X(0));
	assert_int_equal(settled, 1);
	(void)reg_get(&machine.vcpus[0], UAPI_TRAVEL_BASE + 4);
	assert_int_equal(settled, 2);
	machine_unmake(&machine);
	/* Nothing travels: the guest makes the call again. */
	machine_make(&machine, KERNEL_ONLY);
	atomic_store(&machine.vcpus[0].left, true);
	(void)reg_get(&machine.vcpus[0], UAPI_CORE_X(0));
	assert_int_equal(settled, 2);
	machine_unmake(&machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back), cmocka_unit_test(in_place),
		cmocka_unit_test(in_part),        cmocka_unit_test(damaged),
		cmocka_unit_test(other_policy),   cmocka_unit_test(while_running),
		cmocka_unit_test(pending),        cmocka_unit_test(busy),
		cmocka_unit_test(left),
	};

	return cmocka_run_group_tests(tests, test_enter, test_leave);
}
