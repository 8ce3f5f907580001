/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls that leave the kernel: whoever answers, the guest has an answer, in the registers that are its. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "abi.h"
#include "policy_test.h"
#include "vmm_test.h"

#define FREE_ID2   (VMM_FREE_ID + 1)
#define TRNG_RND   0xc4000053u

#define TO_HANDLER VMM_TO_HANDLER("  - forward: TRNG_RND\n    to: ffa\n", "250ms")

#define PAINT      ARM_HOST(guest_paint, NULL)

static struct guest_log told;

static void assert_pattern(const uint64_t *x, unsigned int from)
{
	for (unsigned int n = from; n < 18; n++) {
		assert_int_equal(x[n], guest_pattern(n));
	}
}

/* --- A handler answers. */
static const struct arm_instruction three[] = {
	PAINT,      GUEST_CALL(VMM_FREE_ID, 1, 2, 3), GUEST_LOG(told),
	PAINT,      GUEST_CALL(TRNG_RND, 64, 2, 3),   GUEST_LOG(told),
	PAINT,      GUEST_CALL(FREE_ID2, 4, 5, 6),    GUEST_LOG(told),
	GUEST_DONE,
};

static void test_answered(void **state)
{
	struct desk desk;
	struct vmm vmm;
	const struct vmm_setup setup = {.policy = TO_HANDLER, .desk = &desk, VMM_PROGRAM(three)};
	static const uint32_t ids[] = {VMM_FREE_ID, TRNG_RND, FREE_ID2};

	(void)state;
	vmm_call(&vmm, &setup, &told);
	for (unsigned int n = 0; n < 3; n++) {
		const struct hvc_kvm_request request = desk_take(&desk);
		const uint64_t x[] = {n, 10 + n, 20 + n, 30 + n};

		assert_int_equal(request.id, ids[n]);
		assert_int_equal(request.vcpu, 0);
		assert_int_equal(request.conduit, HVC_CONDUIT_HVC);
		assert_int_equal(request.handler, 0);
		assert_int_equal(request.frame.x[1], n == 0 ? 1 : n == 1 ? 64 : 4);
		if (n == 1) { /* has one argument */
			assert_int_equal(request.arg_count, 1);
			assert_int_equal(request.frame.x[2], 0);
		}
		/* An answer to nothing, and a second one, are nobody's. */
		desk_answer(&desk, request.sequence + 1000, (const uint64_t[4]){7, 7, 7, 7});
		desk_answer(&desk, request.sequence, x);
		desk_answer(&desk, request.sequence, (const uint64_t[4]){8, 8, 8, 8});
	}
	vmm_join(&vmm, 0);
	assert_true(vmm.cpus[0].done);
	assert_int_equal(told.count, 3);
	for (unsigned int n = 0; n < 3; n++) {
		for (unsigned int i = 0; i < 4; i++) {
			assert_int_equal(told.x[n][i], 10 * i + n);
		}
		assert_pattern(told.x[n], 4);
	}
	assert_int_equal(desk_sent(&desk), 3);
	vmm_free(&vmm);
}

/* What the handler leaves out stays the guest's. On a kernel it may write whatever it likes; where the Arm documents hold,
 * the function's results only, of an unknown one x0 to x3. */
static void answer_with_all(const char *head, unsigned int last)
{
	struct desk desk;
	struct vmm vmm;
	const struct vmm_setup setup = {
		.head = head, .policy = TO_HANDLER, .desk = &desk, VMM_PROGRAM(three)};
	struct hvc_kvm_reply reply = {0};

	vmm_call(&vmm, &setup, &told);
	for (unsigned int n = 0; n < 18; n++) {
		reply.frame.x[n] = 100 + n;
	}
	for (unsigned int n = 0; n < 3; n++) {
		reply.sequence = desk_take(&desk).sequence;
		reply.mask = n == 2 ? 5 : 0x3ffff;
		desk_reply(&desk, &reply);
	}
	vmm_join(&vmm, 0);
	assert_int_equal(told.count, 3);
	for (unsigned int n = 0; n < 2; n++) {
		for (unsigned int i = 0; i <= last; i++) {
			assert_int_equal(told.x[n][i], 100 + i);
		}
		assert_pattern(told.x[n], last + 1);
	}
	assert_int_equal(told.x[2][0], 100);
	assert_int_equal(told.x[2][1], 4);
	assert_int_equal(told.x[2][2], 102);
	assert_int_equal(told.x[2][3], 6);
	assert_pattern(told.x[2], 4);
	vmm_free(&vmm);
}

static void test_registers_of_answers(void **state)
{
	(void)state;
	answer_with_all(NULL, 17);
	answer_with_all("hvcgate: 1\nprofile: linux-6.12\nallow: [workarounds]\n", 3);
}

/* --- Nobody answers. */
static void assert_failure_values(void)
{
	assert_int_equal(told.count, 3);
	assert_int_equal(told.x[0][0], STATUS(-1));
	assert_int_equal(told.x[1][0], STATUS(hvc_function_at(HVC_FN_TRNG_RND)->failure));
	assert_int_equal(told.x[2][0], STATUS(-1));
	for (unsigned int n = 0; n < 3; n++) {
		assert_pattern(told.x[n], 4);
	}
}

static void test_no_handlers(void **state)
{
	const struct vmm_setup setup = {.policy = TO_HANDLER, VMM_PROGRAM(three)};
	struct vmm vmm;

	(void)state;
	told.count = 0;
	vmm_new(&vmm, &setup);
	assert_int_equal(hvc_kvm_run(vmm.cpus[0].vcpu), 0);
	assert_failure_values();
	vmm_free(&vmm);
}

static void test_nobody_takes(void **state)
{
	struct desk desk;
	const struct vmm_setup setup = {.policy = TO_HANDLER, .desk = &desk, VMM_PROGRAM(three)};
	struct vmm vmm;

	(void)state;
	told.count = 0;
	desk_init(&desk);
	desk_close(&desk);
	vmm_new(&vmm, &setup);
	assert_int_equal(hvc_kvm_run(vmm.cpus[0].vcpu), 0);
	assert_failure_values();
	vmm_free(&vmm);
}

/* Time-outs are told by who keeps the time: the outcome is a failure. Then the handler is gone for good. */
static void test_failures(void **state)
{
	struct desk desk;
	const struct vmm_setup setup = {.policy = TO_HANDLER, .desk = &desk, VMM_PROGRAM(three)};
	struct hvc_kvm_reply reply = {.outcome = HVC_KVM_FAILED};
	struct vmm vmm;

	(void)state;
	vmm_call(&vmm, &setup, &told);
	reply.sequence = desk_take(&desk).sequence;
	desk_reply(&desk, &reply);
	desk_answer(&desk, reply.sequence, (const uint64_t[4]){0}); /* too late */
	while (desk_sent(&desk) != 2) {
	}
	desk_close(&desk);
	vmm_join(&vmm, 0);
	assert_failure_values();
	vmm_free(&vmm);
}

/* --- Every function of the kernel, once in the kernel and once here. */
struct seen {
	int error;
	uint32_t reason, event, mp_state;
	uint64_t flags, x[31], pc;
};
struct one_call {
	uint32_t id;
	uint64_t x1, x2, x3;
};
enum { CALL_INSTRUCTIONS = 7, MAX_CALLS = 200 };

/* One does not come back; one tells the time. */
static bool left_out(unsigned int fn)
{
	return fn == HVC_FN_PSCI_CPU_OFF || fn == HVC_FN_KVM_PTP;
}

static size_t all_calls(struct one_call *calls, uint32_t *ids)
{
	struct hvc_settings settings;
	size_t count = 0, id_count = 0;

	abi_profile_settings(abi_profile_find("linux-6.12"), &settings);
	for (unsigned int fn = 1; fn < HVC_FN_COUNT; fn++) {
		const struct hvc_function *function = hvc_function_at(fn);
		const uint32_t both[] = {function->id32, function->id64};

		for (unsigned int i = 0; i < 2; i++) {
			if ((settings.functions[fn / 64] >> fn % 64 & 1) == 0 || both[i] == 0 ||
			    function->service == HVC_SERVICE_ARCH ||
			    function->since == HVC_VERSION(0, 1) || left_out(fn)) {
				continue;
			}
			ids[id_count++] = both[i];
			calls[count++] = (struct one_call){both[i], 0, 0, 0};
			calls[count++] = (struct one_call){both[i], ~0ull, 5, 7};
			/* What is random is not the same twice. */
			calls[count++] = (struct one_call){both[i], fn == HVC_FN_TRNG_RND ? 0 : 1,
							   0, 0};
			assert_true(count + 3 < MAX_CALLS);
		}
	}
	ids[id_count] = 0;
	return count;
}

static void write_program(const struct one_call *calls, size_t count,
			  struct arm_instruction *program)
{
	for (size_t n = 0; n < count; n++) {
		const struct arm_instruction one[CALL_INSTRUCTIONS] = {
			PAINT, GUEST_CALL(calls[n].id, calls[n].x1, calls[n].x2, calls[n].x3),
			ARM_STORE(0, VMM_EXIT)};

		memcpy(&program[n * CALL_INSTRUCTIONS], one, sizeof(one));
	}
}

static struct seen look(struct vmm *vmm, int error)
{
	const struct kvm_run *run = vmm->cpus[0].run;
	struct seen seen = {.error = error, .reason = run->exit_reason};
	const struct arm_guest guest = arm_kvm_peek(vmm->fake, vmm->cpus[0].fd, &seen.mp_state);

	if (error == 0 && run->exit_reason == KVM_EXIT_SYSTEM_EVENT) {
		seen.event = run->system_event.type;
		seen.flags = run->system_event.ndata == 1 ? run->system_event.data[0] : ~0ull;
	}
	memcpy(seen.x, guest.x, sizeof(seen.x));
	seen.pc = guest.pc;
	return seen;
}

/* What a VMM sees of each call: an event, if it has one, and the registers behind it. */
static size_t see_all(struct vmm *vmm, size_t count, struct seen *seen)
{
	uint32_t runnable = KVM_MP_STATE_RUNNABLE;
	size_t n = 0;

	for (size_t done = 0; done < count; n++) {
		arm_kvm_interrupt(vmm->fake, vmm->cpus[0].fd); /* CPU_SUSPEND ends at once */
		seen[n] = look(vmm, hvc_kvm_run(vmm->cpus[0].vcpu));
		assert_int_equal(seen[n].error, 0);
		if (seen[n].reason == KVM_EXIT_SYSTEM_EVENT) {
			assert_int_equal(hvc_kvm_set_mp_state(vmm->cpus[0].vcpu, runnable), 0);
		} else {
			assert_int_equal(seen[n].reason, KVM_EXIT_MMIO);
			done++;
		}
	}
	return n;
}

static void test_kernel_or_here(void **state)
{
	static struct one_call calls[MAX_CALLS];
	static uint32_t ids[MAX_CALLS];
	static struct arm_instruction program[MAX_CALLS * CALL_INSTRUCTIONS];
	static struct seen seen[2][2 * MAX_CALLS];
	const size_t count = all_calls(calls, ids);
	size_t exits[2];

	(void)state;
	write_program(calls, count, program);
	for (unsigned int n = 0; n < 2; n++) {
		const struct vmm_setup setup = {.forward = n == 0 ? NULL : ids,
						.program = program,
						.count = count * CALL_INSTRUCTIONS};
		struct vmm vmm;

		vmm_new(&vmm, &setup);
		exits[n] = see_all(&vmm, count, seen[n]);
		/* They did leave the kernel: results are written. */
		assert_int_equal(arm_kvm_counts(vmm.fake).wrote[0] >= count, n == 1);
		vmm_free(&vmm);
	}
	assert_int_equal(exits[0], exits[1]);
	for (size_t n = 0; n < exits[0]; n++) {
		if (memcmp(&seen[0][n], &seen[1][n], sizeof(seen[0][n])) != 0) {
			fail_msg(
				"exit %zu at 0x%llx, call 0x%x: x0 0x%llx, here 0x%llx; reason %u, here %u; "
				"state %u, here %u",
				n, (unsigned long long)seen[0][n].pc,
				calls[(seen[0][n].pc - VMM_ENTRY) / 4 / CALL_INSTRUCTIONS].id,
				(unsigned long long)seen[0][n].x[0],
				(unsigned long long)seen[1][n].x[0], seen[0][n].reason,
				seen[1][n].reason, seen[0][n].mp_state, seen[1][n].mp_state);
		}
	}
}

/* Of a call no more is read than its arguments and what may be written, to write only what has changed. */
static uint32_t may_read(uint32_t id)
{
	const struct hvc_function *function = hvc_function_at(hvc_function_by_id(id));

	return ((2u << hvc_function_arg_count(function, id)) - 1) |
	       hvc_function_results(function, id) | HVC_X0_X3;
}

static void test_arguments(void **state)
{
	static struct one_call calls[MAX_CALLS];
	static uint32_t ids[MAX_CALLS];
	static struct arm_instruction program[MAX_CALLS * CALL_INSTRUCTIONS];
	const size_t count = all_calls(calls, ids);
	const struct vmm_setup setup = {
		.forward = ids, .program = program, .count = count * CALL_INSTRUCTIONS};
	struct arm_vcpu_counts before, after;
	struct seen seen[2];
	struct vmm vmm;

	(void)state;
	write_program(calls, count, program);
	vmm_new(&vmm, &setup);
	for (size_t n = 0; n < count; n++) {
		const uint32_t mask = may_read(calls[n].id);

		before = arm_kvm_counts(vmm.fake);
		(void)see_all(&vmm, 1, seen);
		after = arm_kvm_counts(vmm.fake);
		for (unsigned int i = 0; i < 18; i++) {
			const uint64_t got = after.got[i] - before.got[i];

			if (got > (mask >> i & 1)) {
				fail_msg("0x%x: x%u was read %u times", calls[n].id, i,
					 (unsigned int)got);
			}
		}
		assert_true(after.wrote[0] > before.wrote[0]);
	}
	vmm_free(&vmm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answered),    cmocka_unit_test(test_registers_of_answers),
		cmocka_unit_test(test_no_handlers), cmocka_unit_test(test_nobody_takes),
		cmocka_unit_test(test_failures),    cmocka_unit_test(test_kernel_or_here),
		cmocka_unit_test(test_arguments),
	};

	return VMM_TESTS(tests);
}
