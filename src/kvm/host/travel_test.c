/* SPDX-License-Identifier: BSD-2-Clause */
/* The engine's state on its way through a VMM's hands, on a KVM that is made up: calls that are under way, guests that go on
 * elsewhere. What single registers do is in travel_registers_test.c. */
#include <errno.h>
#include <string.h>

#include <hvcgate/kvm.h>

#include "vmm_test.h"

#define TO_HANDLER VMM_TO_HANDLER("", "1ms")

static struct guest_log told;
static const struct arm_instruction one_call[] = {GUEST_CALL(VMM_FREE_ID, 1, 2, 3), GUEST_LOG(told),
						  GUEST_DONE};
#define CALL_PC (VMM_ENTRY + 4 * 4u)

static uint64_t reg(struct vmm *vmm, unsigned int cpu, uint64_t id)
{
	uint64_t value = 0;

	assert_int_equal(hvc_kvm_get_reg(vmm->cpus[cpu].vcpu, id, &value), 0);
	return value;
}

#define SIZE_WORD (UAPI_TRAVEL_BASE + UAPI_TRAVEL_DIGEST)

/* The VMM stops a vCPU whose handler sleeps, the answer comes, and the VMM reads all: it finds the vCPU behind the call. */
static void test_answered_while_stopped(void **state)
{
	struct desk desk;
	const struct vmm_setup setup = {.policy = TO_HANDLER, .desk = &desk, VMM_PROGRAM(one_call)};
	struct vmm vmm;

	(void)state;
	vmm_call(&vmm, &setup, &told);
	const struct hvc_kvm_request request = desk_take(&desk);
	assert_true(vmm_stop(&vmm, 0));
	assert_int_equal(arm_kvm_peek(vmm.fake, vmm.cpus[0].fd, NULL).pc, CALL_PC);
	desk_answer(&desk, request.sequence, vmm_answer);
	assert_int_equal(reg(&vmm, 0, UAPI_CORE_X(0)), vmm_answer[0]);
	assert_int_equal(reg(&vmm, 0, UAPI_CORE_PC), CALL_PC + 4);
	assert_in_range(reg(&vmm, 0, SIZE_WORD), 100, 1016);
	vmm_go(&vmm, 0);
	vmm_answered(&vmm, &told);
	vmm_free(&vmm);
}

/* It does not come in time: the state cannot be had, and the guest goes on as if nobody had looked. */
static void test_not_answered(void **state)
{
	struct desk desk;
	const struct vmm_setup setup = {.policy = TO_HANDLER, .desk = &desk, VMM_PROGRAM(one_call)};
	struct vmm vmm;

	(void)state;
	vmm_call(&vmm, &setup, &told);
	const struct hvc_kvm_request request = desk_take(&desk);
	assert_true(vmm_stop(&vmm, 0));
	assert_int_equal(reg(&vmm, 0, UAPI_CORE_PC), CALL_PC);
	assert_int_equal(reg(&vmm, 0, UAPI_CORE_X(0)), VMM_FREE_ID);
	assert_int_equal(reg(&vmm, 0, SIZE_WORD), UINT64_MAX);
	vmm_go(&vmm, 0);
	desk_answer(&desk, request.sequence, vmm_answer);
	vmm_answered(&vmm, &told);
	vmm_free(&vmm);
}

/* Two vCPUs, and a state that arrives before they ran: requests go on counting where they were. */
static const struct arm_instruction calls[] = {GUEST_CALL(VMM_FREE_ID, 1, 2, 3), GUEST_LOG(told),
					       ARM_STORE(0, VMM_EXIT), GUEST_DONE};

static void copy(struct vmm *from, struct vmm *to, int expected)
{
	for (unsigned int cpu = 0; cpu < 2; cpu++) {
		for (unsigned int n = 0; n < UAPI_TRAVEL_COUNT; n++) {
			const uint64_t value = reg(from, cpu, UAPI_TRAVEL_BASE + n);
			const bool last = cpu == 1 && n + 1 == UAPI_TRAVEL_COUNT;

			assert_int_equal(hvc_kvm_set_reg(to->cpus[cpu].vcpu, UAPI_TRAVEL_BASE + n,
							 &value),
					 last ? expected : 0);
		}
	}
}

static void *answer_one(void *context)
{
	struct desk *desk = context;
	const struct hvc_kvm_request request = desk_take(desk);

	desk_answer(desk, request.sequence, (const uint64_t[4]){request.sequence, 0, 0, 0});
	return NULL;
}

static void run_with_answer(struct vmm *vmm, struct desk *desk)
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, answer_one, desk), 0);
	vmm_start(vmm, 0);
	vmm_join(vmm, 0);
	pthread_join(thread, NULL);
}

static void test_goes_on_elsewhere(void **state)
{
	struct desk here, there;
	const struct vmm_setup source = {
		.policy = TO_HANDLER, .desk = &here, .cpus = 2, VMM_PROGRAM(calls)};
	const struct vmm_setup destination = {.policy = TO_HANDLER,
					      .desk = &there,
					      .cpus = 2,
					      .head = "hvcgate: 1\nprofile: linux-6.12\n"
						      "strictness: kvm\ndiscovery: raw\n",
					      VMM_PROGRAM(calls)};
	struct vmm from, to;

	(void)state;
	told.count = 0;
	desk_init(&here);
	desk_init(&there);
	vmm_new(&from, &source);
	run_with_answer(&from, &here);
	vmm_new(&to, &destination);
	copy(&from, &to, 0);
	run_with_answer(&to, &there);
	assert_int_equal(told.count, 2);
	assert_int_equal(told.x[0][0], 1);
	assert_int_equal(told.x[1][0], 2); /* the sequence number, never used again */
	vmm_free(&from);
	vmm_free(&to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answered_while_stopped),
		cmocka_unit_test(test_not_answered),
		cmocka_unit_test(test_goes_on_elsewhere),
	};

	return VMM_TESTS(tests);
}
