/* SPDX-License-Identifier: BSD-2-Clause */
/* A VMM resets its VM: what the guest had set in the engine is as it was at first. */
#include <string.h>

#include "policy_test.h"
#include "vmm_test.h"

#define SET_SUSPEND_MODE 0x8400000fu
#define SUSPEND          0xc4000001u
#define SYSTEM_SUSPEND   0xc400000eu
#define SYSTEM_RESET     0x84000009u
#define STANDBY          1u
#define DENIED           STATUS(-3)
#define HEAD                                                                                               \
	"hvcgate: 1\nprofile: hvcgate-2\nallow: [smccc, arch-features, workarounds, soc-id, arch-calls]\n" \
	"power-states: [{name: standby, param: 1}]\nos-initiated: on\nsystem-suspend: on\n"

static struct vmm the_vmm;
static struct guest_log modes;

static void interrupt_self(struct arm_guest *guest, void *context)
{
	(void)context;
	arm_kvm_interrupt(the_vmm.fake, the_vmm.cpus[guest->vcpu].fd);
}

/* From its first CPU_SUSPEND on a guest cannot choose OS-initiated mode any more (DEN0022, 5.21): what it is told in its
 * next life says whether that began anew. GUEST_DONE ends within a store, which is finished when the vCPU runs again: by
 * stepping over the first instruction. */
#define LIFE                                                                           \
	ARM_MOV(20, 0), GUEST_CALL(SET_SUSPEND_MODE, 1, 0, 0), GUEST_LOG(modes),       \
		GUEST_CALL(SET_SUSPEND_MODE, 0, 0, 0), ARM_HOST(interrupt_self, NULL), \
		GUEST_CALL(SUSPEND, STANDBY, 0, 0)
static const struct arm_instruction done[] = {LIFE, GUEST_DONE};
static const struct arm_instruction resets[] = {LIFE, GUEST_CALL(SYSTEM_RESET, 0, 0, 0), ARM_SPIN};
static const struct arm_instruction suspends[] = {
	LIFE, GUEST_CALL(SYSTEM_SUSPEND, VMM_ENTRY2, 0x66, 0), ARM_SPIN};

static void init(unsigned int cpu)
{
	const struct kvm_vcpu_init init = {.target = 5,
					   .features[0] = 1u << KVM_ARM_VCPU_PSCI_0_2 |
							  (cpu != 0 ? 1u << KVM_ARM_VCPU_POWER_OFF
								    : 0)};

	assert_int_equal(hvc_kvm_vcpu_init(the_vmm.cpus[cpu].vcpu, &init), 0);
	if (cpu == 0) {
		assert_int_equal(vmm_set(&the_vmm, 0, UAPI_CORE_PC, VMM_ENTRY), 0);
	}
}

static void live(void)
{
	vmm_start(&the_vmm, 0);
	vmm_join(&the_vmm, 0);
}

static void begin(const struct vmm_setup *setup)
{
	const struct kvm_enable_cap cap = {.cap = KVM_CAP_ARM_SYSTEM_SUSPEND};

	memset(&modes, 0, sizeof(modes));
	vmm_new(&the_vmm, setup);
	assert_int_equal(hvc_kvm_enable_cap(the_vmm.vm, &cap), 0);
	live();
	assert_int_equal(modes.count, 1);
	assert_int_equal(modes.x[0][0], 0);
}

/* Another life, and the end. */
static void end(uint64_t mode)
{
	live();
	assert_int_equal(modes.count, 2);
	assert_int_equal(modes.x[1][0], mode);
	vmm_free(&the_vmm);
}

static const struct vmm_setup two = {.head = HEAD, .cpus = 2, VMM_PROGRAM(done)};
static const struct vmm_setup ending = {.head = HEAD, .cpus = 2, VMM_PROGRAM(resets)};
static const struct vmm_setup one = {.head = HEAD, VMM_PROGRAM(done)};
static const struct vmm_setup sleeping = {.head = HEAD, VMM_PROGRAM(suspends)};
static const struct vmm_setup two_sleeping = {.head = HEAD, .cpus = 2, VMM_PROGRAM(suspends)};

/* As QEMU's system_reset does it. */
static void test_all(void **state)
{
	(void)state;
	begin(&two);
	init(0);
	init(1);
	end(0);
	begin(&two);
	init(1);
	init(0);
	end(0);
	begin(&one);
	init(0);
	end(0);
}

static void test_not_all(void **state)
{
	(void)state;
	begin(&two);
	init(0);
	end(DENIED);
}

/* One that was set up before the other one ran does not count any more. */
static void test_not_at_once(void **state)
{
	(void)state;
	begin(&two);
	init(1);
	assert_int_equal(vmm_set(&the_vmm, 0, UAPI_CORE_PC, VMM_ENTRY), 0);
	live();
	assert_int_equal(modes.x[1][0], DENIED);
	modes.count = 1;
	init(0);
	end(DENIED);
}

static void test_after_event(void **state)
{
	(void)state;
	begin(&ending);
	assert_int_equal(the_vmm.cpus[0].event, KVM_SYSTEM_EVENT_RESET);
	init(0);
	end(0);
}

static void test_goes_on_after_event(void **state)
{
	(void)state;
	begin(&ending);
	assert_int_equal(hvc_kvm_set_mp_state(the_vmm.cpus[0].vcpu, KVM_MP_STATE_RUNNABLE), 0);
	init(0);
	end(DENIED);
}

static void test_wakes(void **state)
{
	(void)state;
	begin(&sleeping);
	assert_int_equal(the_vmm.cpus[0].event, KVM_SYSTEM_EVENT_SUSPEND);
	init(0);
	end(DENIED);
}

static void test_reset_asleep(void **state)
{
	(void)state;
	begin(&two_sleeping);
	assert_int_equal(the_vmm.cpus[0].event, KVM_SYSTEM_EVENT_SUSPEND);
	init(0);
	init(1);
	end(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_not_all),
		cmocka_unit_test(test_not_at_once),
		cmocka_unit_test(test_after_event),
		cmocka_unit_test(test_goes_on_after_event),
		cmocka_unit_test(test_wakes),
		cmocka_unit_test(test_reset_asleep),
	};

	return VMM_TESTS(tests);
}
