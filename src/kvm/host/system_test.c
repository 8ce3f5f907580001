/* SPDX-License-Identifier: BSD-2-Clause */
/* PSCI calls that end the system or put CPUs to sleep, answered here: what the VMM is told, and where CPUs go on. */
#define _DEFAULT_SOURCE
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "policy_test.h"
#include "vmm_test.h"

#define CPU_ON         0xc4000003u
#define SUSPEND        0xc4000001u
#define SYSTEM_SUSPEND 0xc400000eu
#define SYSTEM_OFF     0x84000008u
#define SYSTEM_RESET   0x84000009u
#define SYSTEM_RESET2  0xc4000012u
#define POWER_DOWN     0x10000u
#define SPEC           "hvcgate: 1\nprofile: linux-6.12\nstrictness: spec\n"

static struct vmm the_vmm;
static struct guest_log first, second;

static void begin(const struct vmm_setup *setup)
{
	memset(&first, 0, sizeof(first));
	memset(&second, 0, sizeof(second));
	vmm_new(&the_vmm, setup);
}

/* Let a CPU run until it is in this state; then it stands still. */
static void stand_in(unsigned int cpu, uint32_t state)
{
	assert_true(vmm_stop(&the_vmm, cpu));
	while (vmm_mp_state(&the_vmm, cpu) != state) {
		vmm_go(&the_vmm, cpu);
		usleep(100);
		assert_true(vmm_stop(&the_vmm, cpu));
	}
}

/* --- The end: an event, all CPUs stopped, and a failure should the VMM let the guest go on. */
static const struct arm_instruction spinning[] = {GUEST_LOG(second), ARM_SPIN};

static void assert_ended(uint32_t type, uint64_t flags)
{
	uint32_t state = 0;
	struct arm_guest guest;

	vmm_join(&the_vmm, 0);
	assert_int_equal(the_vmm.cpus[0].error, 0);
	assert_int_equal(the_vmm.cpus[0].event, type);
	assert_int_equal(the_vmm.cpus[0].event_flags, flags);
	guest = arm_kvm_peek(the_vmm.fake, the_vmm.cpus[0].fd, &state);
	assert_int_equal(state, KVM_MP_STATE_STOPPED);
	assert_int_equal(guest.x[0], STATUS(-6));
	assert_int_equal(first.count, 1);
	/* The other one stops when its thread comes to it. */
	stand_in(1, KVM_MP_STATE_STOPPED);
	vmm_go(&the_vmm, 1);
	vmm_end(&the_vmm, 1);
}

static void test_ends(void **state)
{
	static const struct {
		uint32_t id, type;
		uint64_t x1, flags;
	} ends[] = {{SYSTEM_OFF, KVM_SYSTEM_EVENT_SHUTDOWN, 0, 0},
		    {SYSTEM_RESET, KVM_SYSTEM_EVENT_RESET, 0, 0},
		    {SYSTEM_RESET2, KVM_SYSTEM_EVENT_RESET, 0, 1}};

	(void)state;
	for (size_t n = 0; n < COUNT_OF(ends); n++) {
		const uint32_t ids[] = {ends[n].id, 0};
		const struct arm_instruction program[] = {GUEST_CALL(CPU_ON, 1, VMM_ENTRY2, 0x77),
							  GUEST_LOG(first),
							  GUEST_CALL(ends[n].id, ends[n].x1, 0, 0),
							  GUEST_LOG(first), ARM_SPIN};
		const struct vmm_setup setup = {
			.forward = ids, .cpus = 2, VMM_PROGRAM(program), VMM_PROGRAM2(spinning)};

		begin(&setup);
		vmm_start(&the_vmm, 1);
		vmm_start(&the_vmm, 0);
		assert_ended(ends[n].type, ends[n].flags);
		vmm_free(&the_vmm);
	}
}

/* --- Sleep. */
static const struct arm_instruction woken[] = {GUEST_LOG(second), GUEST_DONE};

/* As the Arm documents want it: a power-down begins anew at its entry, a standby goes on behind the call. */
static void test_suspend(void **state)
{
	static const struct arm_instruction program[] = {
		ARM_HOST(guest_interrupt, &the_vmm),
		GUEST_CALL(SUSPEND, 0, 0, 0),
		GUEST_LOG(first),
		ARM_HOST(guest_interrupt, &the_vmm),
		ARM_MOV(20, 0x1234),
		GUEST_CALL(SUSPEND, POWER_DOWN, VMM_ENTRY2, 0x55),
		GUEST_LOG(first),
		GUEST_DONE,
	};
	const struct vmm_setup setup = {.head = SPEC, VMM_PROGRAM(program), VMM_PROGRAM2(woken)};

	(void)state;
	begin(&setup);
	vmm_run(&the_vmm);
	assert_true(the_vmm.cpus[0].done);
	assert_int_equal(first.count, 1);
	assert_int_equal(first.x[0][0], 0);
	assert_int_equal(second.count, 1);
	assert_int_equal(second.x[0][0], 0x55);
	assert_int_equal(vmm_get(&the_vmm, 0, UAPI_CORE_X(20)), 0);
	vmm_free(&the_vmm);
}

/* A VMM that makes a CPU runnable which sleeps lets it go on behind the call, and the call was fine. */
static void test_woken_by_vmm(void **state)
{
	static const struct arm_instruction program[] = {
		GUEST_CALL(SUSPEND, POWER_DOWN, VMM_ENTRY2, 0x55), GUEST_LOG(first), GUEST_DONE};
	const struct vmm_setup setup = {.head = SPEC, VMM_PROGRAM(program), VMM_PROGRAM2(woken)};

	(void)state;
	begin(&setup);
	vmm_start(&the_vmm, 0);
	stand_in(0, KVM_MP_STATE_SUSPENDED);
	assert_int_equal(hvc_kvm_set_mp_state(the_vmm.cpus[0].vcpu, KVM_MP_STATE_RUNNABLE), 0);
	vmm_go(&the_vmm, 0);
	vmm_join(&the_vmm, 0);
	assert_true(the_vmm.cpus[0].done);
	assert_int_equal(first.count, 1);
	assert_int_equal(first.x[0][0], 0);
	assert_int_equal(second.count, 0);
	vmm_drop(&the_vmm);
	vmm_free(&the_vmm);
}

/* --- SYSTEM_SUSPEND: the VMM's, if it wants it; else this CPU, the only one that is on, sleeps here. */
static const struct arm_instruction suspending[] = {ARM_HOST(guest_interrupt, &the_vmm),
						    GUEST_CALL(SYSTEM_SUSPEND, VMM_ENTRY2, 0x66, 0),
						    GUEST_LOG(first), GUEST_DONE};
static const struct vmm_setup suspend_setup = {.head = SPEC,
					       .policy = "system-suspend: on\n",
					       .cpus = 2,
					       VMM_PROGRAM(suspending),
					       VMM_PROGRAM2(woken)};

static void test_system_suspend(void **state)
{
	(void)state;
	begin(&suspend_setup);
	vmm_start(&the_vmm, 0);
	vmm_join(&the_vmm, 0);
	assert_true(the_vmm.cpus[0].done);
	assert_int_equal(first.count, 0);
	assert_int_equal(second.count, 1);
	assert_int_equal(second.x[0][0], 0x66);
	vmm_free(&the_vmm);
}

static void test_system_suspend_of_vmm(void **state)
{
	const struct kvm_enable_cap cap = {.cap = KVM_CAP_ARM_SYSTEM_SUSPEND};
	struct arm_guest guest;
	uint32_t mp_state = 0;

	(void)state;
	begin(&suspend_setup);
	assert_int_equal(hvc_kvm_enable_cap(the_vmm.vm, &cap), 0);
	vmm_start(&the_vmm, 0);
	vmm_join(&the_vmm, 0);
	assert_int_equal(the_vmm.cpus[0].event, KVM_SYSTEM_EVENT_SUSPEND);
	guest = arm_kvm_peek(the_vmm.fake, the_vmm.cpus[0].fd, &mp_state);
	assert_int_equal(mp_state, KVM_MP_STATE_RUNNABLE);
	assert_int_equal(guest.x[0], SYSTEM_SUSPEND);
	assert_int_equal(guest.x[1], VMM_ENTRY2);
	assert_int_equal(guest.x[2], 0x66);
	vmm_free(&the_vmm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_suspend),
		cmocka_unit_test(test_woken_by_vmm),
		cmocka_unit_test(test_system_suspend),
		cmocka_unit_test(test_system_suspend_of_vmm),
	};

	return VMM_TESTS(tests);
}
