/* SPDX-License-Identifier: BSD-2-Clause */
/* Signals and immediate_exit belong to the VMM; a call that they interrupt is made again, and is one call. */
#define _DEFAULT_SOURCE
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "policy_test.h"
#include "rng.h"
#include "vmm_test.h"

#define TO_HANDLER VMM_TO_HANDLER("", "250ms")
#ifndef STOPS
#define STOPS 1000
#endif

static struct guest_log told;

/* Without a call: out as often as the VMM wants, and no more often. */
static void test_stop_and_go(void **state)
{
	static const struct arm_instruction spin[] = {ARM_SPIN};
	const struct vmm_setup setup = {VMM_PROGRAM(spin)};
	struct vmm vmm;

	(void)state;
	vmm_new(&vmm, &setup);
	vmm_start(&vmm, 0);
	for (unsigned int n = 0; n < 100; n++) {
		assert_true(vmm_stop(&vmm, 0));
		vmm_go(&vmm, 0);
	}
	vmm_end(&vmm, 0);
	assert_int_equal(vmm.cpus[0].stopped, 101);
	assert_int_equal(vmm.cpus[0].spurious, 0);
	vmm_free(&vmm);
}

/* immediate_exit stays until the VMM takes it back, and the guest does nothing meanwhile. */
static void test_immediate_exit(void **state)
{
	static const struct arm_instruction program[] = {ARM_MOV(0, 1), GUEST_DONE};
	const struct vmm_setup setup = {VMM_PROGRAM(program)};
	struct vmm vmm;

	(void)state;
	vmm_new(&vmm, &setup);
	vmm.cpus[0].run->immediate_exit = 1;
	for (unsigned int n = 0; n < 3; n++) {
		assert_int_equal(hvc_kvm_run(vmm.cpus[0].vcpu), EINTR);
		assert_int_equal(vmm.cpus[0].run->immediate_exit, 1);
		assert_int_equal(arm_kvm_counts(vmm.fake).instructions, 0);
	}
	vmm.cpus[0].run->immediate_exit = 0;
	assert_int_equal(hvc_kvm_run(vmm.cpus[0].vcpu), 0);
	assert_int_equal(vmm.cpus[0].run->exit_reason, KVM_EXIT_MMIO);
	vmm_free(&vmm);
}

/* Exits that are the VMM's come through, one by one, among calls. */
static void test_exits_among_calls(void **state)
{
	static const uint32_t forward[] = {0x84000000u, 0};
	static const struct arm_instruction program[] = {GUEST_CALL(0x84000000u, 0, 0, 0),
							 ARM_STORE(0, VMM_EXIT),
							 GUEST_CALL(0x84000000u, 0, 0, 0),
							 GUEST_CALL(0x84000000u, 0, 0, 0),
							 ARM_STORE(0, VMM_EXIT),
							 ARM_STORE(1, VMM_EXIT + 8),
							 GUEST_DONE};
	static const uint64_t addresses[] = {VMM_EXIT, VMM_EXIT, VMM_EXIT + 8, VMM_DONE};
	const struct vmm_setup setup = {.forward = forward, VMM_PROGRAM(program)};
	struct vmm vmm;

	(void)state;
	vmm_new(&vmm, &setup);
	for (unsigned int n = 0; n < COUNT_OF(addresses); n++) {
		assert_int_equal(hvc_kvm_run(vmm.cpus[0].vcpu), 0);
		assert_int_equal(vmm.cpus[0].run->exit_reason, KVM_EXIT_MMIO);
		assert_int_equal(vmm.cpus[0].run->mmio.phys_addr, addresses[n]);
	}
	vmm_free(&vmm);
}

/* --- While a handler sleeps. */
static const struct arm_instruction one_call[] = {
	ARM_HOST(guest_paint, NULL), GUEST_CALL(VMM_FREE_ID, 1, 2, 3), GUEST_LOG(told), GUEST_DONE};
#define CALL_PC (VMM_ENTRY + 5 * 4u)

static void test_stops_in_a_call(void **state)
{
	struct desk desk;
	const struct vmm_setup setup = {.policy = TO_HANDLER, .desk = &desk, VMM_PROGRAM(one_call)};
	struct vmm vmm;

	(void)state;
	vmm_call(&vmm, &setup, &told);
	const struct hvc_kvm_request request = desk_take(&desk);
	for (unsigned int n = 0; n < STOPS; n++) {
		assert_true(vmm_stop(&vmm, 0));
		const struct arm_guest guest = arm_kvm_peek(vmm.fake, vmm.cpus[0].fd, NULL);
		assert_int_equal(guest.pc, CALL_PC);
		assert_int_equal(guest.x[0], VMM_FREE_ID);
		assert_int_equal(guest.x[3], 3);
		vmm_go(&vmm, 0);
	}
	desk_answer(&desk, request.sequence, vmm_answer);
	vmm_answered(&vmm, &told);
	assert_int_equal(vmm.cpus[0].stopped, STOPS);
	assert_int_equal(vmm.cpus[0].spurious, 0);
	vmm_free(&vmm);
}

/* A VMM that only sets immediate_exit, and sends no signal, is heard while a handler sleeps, too. */
static void test_immediate_exit_in_a_call(void **state)
{
	struct desk desk;
	const struct vmm_setup setup = {.policy = TO_HANDLER, .desk = &desk, VMM_PROGRAM(one_call)};
	struct vmm vmm;

	(void)state;
	vmm_call(&vmm, &setup, &told);
	const struct hvc_kvm_request request = desk_take(&desk);
	__atomic_store_n(&vmm.cpus[0].run->immediate_exit, 1, __ATOMIC_SEQ_CST);
	while (atomic_load(&vmm.cpus[0].spurious) == 0) {
		usleep(1000);
	}
	__atomic_store_n(&vmm.cpus[0].run->immediate_exit, 0, __ATOMIC_SEQ_CST);
	desk_answer(&desk, request.sequence, vmm_answer);
	vmm_answered(&vmm, &told);
	vmm_free(&vmm);
}

/* Calls in a loop, each with its number; answers come at any moment: also to a vCPU that stands still. */
enum { CALLS = 200 };
static atomic_uint answers_right, calls_made;

static void next_call(struct arm_guest *guest, void *context)
{
	(void)context;
	guest->x[0] = VMM_FREE_ID;
	guest->x[1] = atomic_fetch_add(&calls_made, 1) + 1;
}

static void check_answer(struct arm_guest *guest, void *context)
{
	(void)context;
	if (guest->x[0] == 1000 + atomic_load(&calls_made)) {
		atomic_fetch_add(&answers_right, 1);
	}
	if (atomic_load(&calls_made) < CALLS) {
		guest->pc = VMM_ENTRY;
	}
}

static const struct arm_instruction loop[] = {ARM_HOST(next_call, NULL), ARM_HVC,
					      ARM_HOST(check_answer, NULL), GUEST_DONE};

static void *answer_all(void *context)
{
	struct desk *desk = context;

	for (unsigned int n = 0; n < CALLS; n++) {
		const struct hvc_kvm_request request = desk_take(desk);

		desk_answer(desk, request.sequence,
			    (const uint64_t[4]){1000 + request.frame.x[1], 0, 0, 0});
	}
	return NULL;
}

static void test_stops_at_any_time(void **state)
{
	struct desk desk;
	const struct vmm_setup setup = {.policy = TO_HANDLER, .desk = &desk, VMM_PROGRAM(loop)};
	unsigned int stops = 0;
	struct vmm vmm;
	pthread_t handler;

	(void)state;
	atomic_store(&answers_right, 0);
	atomic_store(&calls_made, 0);
	desk_init(&desk);
	vmm_new(&vmm, &setup);
	pthread_create(&handler, NULL, answer_all, &desk);
	vmm_start(&vmm, 0);
	while (vmm_stop(&vmm, 0)) {
		stops++;
		vmm_go(&vmm, 0);
	}
	vmm_join(&vmm, 0);
	pthread_join(handler, NULL);
	assert_int_equal(answers_right, CALLS);
	assert_int_equal(calls_made, CALLS);
	assert_int_equal(desk_sent(&desk), CALLS);
	assert_int_equal(vmm.cpus[0].stopped, stops);
	assert_int_equal(vmm.cpus[0].spurious, 0);
	vmm_free(&vmm);
}

/* --- The VMM resets its machine while a call is under way: the guest's next life knows nothing of it. */
static void test_reset_in_a_call(void **state)
{
	struct desk desk;
	const struct vmm_setup setup = {.policy = TO_HANDLER, .desk = &desk, VMM_PROGRAM(one_call)};
	struct vmm vmm;

	(void)state;
	vmm_call(&vmm, &setup, &told);
	for (unsigned int life = 0; life < 20; life++) {
		const struct hvc_kvm_request request = desk_take(&desk);

		assert_true(vmm_stop(&vmm, 0));
		vmm_reset(&vmm, 0);
		desk_answer(&desk, request.sequence, (const uint64_t[4]){life, 0, 0, 0});
		vmm_go(&vmm, 0);
	}
	const struct hvc_kvm_request last = desk_take(&desk);
	desk_answer(&desk, last.sequence, (const uint64_t[4]){77, 0, 0, 0});
	vmm_join(&vmm, 0);
	assert_int_equal(told.count, 1);
	assert_int_equal(told.x[0][0], 77);
	vmm_free(&vmm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stop_and_go),
		cmocka_unit_test(test_immediate_exit),
		cmocka_unit_test(test_immediate_exit_in_a_call),
		cmocka_unit_test(test_exits_among_calls),
		cmocka_unit_test(test_stops_in_a_call),
		cmocka_unit_test(test_stops_at_any_time),
		cmocka_unit_test(test_reset_in_a_call),
	};

	return VMM_TESTS(tests);
}
