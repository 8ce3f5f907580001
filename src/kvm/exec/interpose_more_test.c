/* SPDX-License-Identifier: BSD-2-Clause */
/* The interposer, more of it: what is guarded and what passes, what it writes for the keeper, limits. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "interpose.h"
#include "policy_test.h"
#include "table.h"
#include "vmm_test.h"

#define HVC_CALL 0x84000000u /* PSCI_VERSION, which the tests forward */

static struct vmm made; /* for its kernel and its plan */
static struct exec_shared *shared;
static struct {
	atomic_uint next, guarded, without_cookie, settled;
	atomic_ulong last;
} saw;

/* To the thread sanitizer a descriptor that one thread closes and another uses is a race; here it is the test. */
static __attribute__((noinline)) int plain_close(int fd)
{
	return close(fd);
}

static __attribute__((noinline)) int plain_dup(int fd)
{
	return dup(fd);
}

__attribute__((visibility("default"))) const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
	return "race:plain_close\nrace:plain_dup\n";
}

static bool is_guarded(unsigned long request)
{
	return request == KVM_CREATE_VM || request == KVM_CREATE_VCPU || request == KVM_RUN;
}

static int next_ioctl(int fd, unsigned long request, void *argument)
{
	saw.next++;
	saw.last = request;
	saw.without_cookie += is_guarded((uint32_t)request);
	return arm_kvm_ioctl(made.fake, fd, request, argument);
}

static int raw_ioctl(int fd, unsigned long request, void *argument, const uint64_t cookie[3])
{
	if (is_guarded(request)) {
		saw.guarded++;
		saw.without_cookie += memcmp(cookie, shared->cookie, sizeof(shared->cookie)) != 0;
	}
	return arm_kvm_ioctl(made.fake, fd, request, argument);
}

static void settled(void)
{
	saw.settled++;
}

static const struct interpose_system system_calls = {
	.next = next_ioctl, .raw = raw_ioctl, .close = plain_close, .settled = settled};

static const uint32_t forward[] = {HVC_CALL, 0};
static const struct vmm_setup setup = {.forward = forward};

static int enter(void **state)
{
	char why[500] = "";

	if (vmm_enter(state) != 0) {
		return -1;
	}
	vmm_begin(&made, &setup);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	memset(shared->cookie, 0x5a, sizeof(shared->cookie));
	if (interpose_start(&system_calls, shared, made.plan, 16, -1, -1, why, sizeof(why)) ||
	    why[0] == '\0') {
		return -1; /* a plan that is cut off */
	}
	return interpose_start(&system_calls, shared, made.plan, made.plan_bytes, -1, -1, why,
			       sizeof(why))
		       ? 0
		       : -1;
}

static int leave(void **state)
{
	vmm_free(&made);
	return vmm_leave(state);
}

/* --- As a VMM does it. */

static int say_close(int fd)
{
	interpose_closing(fd);
	return plain_close(fd);
}

static int say_dup(int fd)
{
	const int copy = plain_dup(fd);

	interpose_duplicated(fd, copy);
	return copy;
}

static int new_vm(void)
{
	const int system = arm_kvm_open(made.fake);
	const int vm = interpose_ioctl(system, KVM_CREATE_VM, NULL);

	close(system);
	assert_true(vm >= 0);
	return vm;
}

static int new_vcpu(int vm)
{
	struct kvm_vcpu_init init = {.target = 5, .features[0] = 1u << KVM_ARM_VCPU_PSCI_0_2};
	const int vcpu = interpose_ioctl(vm, KVM_CREATE_VCPU, NULL);
	uint64_t pc = VMM_ENTRY;
	struct kvm_one_reg reg = {.id = UAPI_CORE_PC, .addr = (uintptr_t)&pc};

	assert_true(vcpu >= 0);
	assert_int_equal(interpose_ioctl(vcpu, KVM_ARM_VCPU_INIT, &init), 0);
	assert_int_equal(interpose_ioctl(vcpu, KVM_SET_ONE_REG, &reg), 0);
	return vcpu;
}

static const struct arm_instruction program[] = {ARM_MOV(0, HVC_CALL), ARM_HVC,
						 ARM_STORE(0, VMM_EXIT), ARM_BRANCH(VMM_ENTRY)};

/* One turn of the program; x0 of its call. */
static uint64_t turn(int vcpu)
{
	struct kvm_run *run = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	uint64_t value;

	assert_int_equal(interpose_ioctl(vcpu, KVM_RUN, NULL), 0);
	assert_int_equal(run->exit_reason, KVM_EXIT_MMIO);
	memcpy(&value, run->mmio.data, sizeof(value));
	munmap(run, 4096);
	return value;
}

static void test_run(void **state)
{
	const int scratch = new_vm(), vm = new_vm();
	int vcpu;

	(void)state;
	assert_int_equal(saw.settled, 1);
	assert_int_equal(shared->pid, getpid());
	assert_int_equal(shared->stage, EXEC_LOADED);
	say_close(scratch);
	arm_kvm_load(made.fake, vm, VMM_ENTRY, program, COUNT_OF(program));
	vcpu = new_vcpu(vm);
	shared->tracing = 1;
	assert_int_equal(turn(vcpu), 0x10001);
	assert_int_equal(turn(vcpu), 0x10001);
	assert_int_equal(shared->stage, EXEC_APPLIED);
	assert_int_equal(shared->vcpu_count, 1);
	assert_int_equal(shared->vcpus[0].counters.calls[HVC_FN_PSCI_VERSION][HVC_ANSWERED], 2);
	assert_int_equal(shared->vcpus[0].ring.head, 2);
	assert_int_equal(shared->vcpus[0].records[1].sequence, 1);
	assert_int_equal(shared->vcpus[0].records[1].fn, HVC_FN_PSCI_VERSION);
	assert_int_equal(shared->vcpus[0].records[1].out[0], 0x10001);
	/* Nobody reads: what is too much is counted. */
	for (unsigned int n = 2; n < EXEC_RECORDS + 5; n++) {
		turn(vcpu);
	}
	assert_int_equal(shared->vcpus[0].ring.head, EXEC_RECORDS);
	assert_int_equal(shared->vcpus[0].ring.dropped, 5);
	assert_true(saw.guarded > 4);
	assert_int_equal(saw.without_cookie, 0);
	say_close(vcpu);
	say_close(vm);
	assert_null(table_find(vcpu));
	assert_null(table_find(vm));
}

/* Requests that are none of ours reach what is behind us, as they are. */
static void test_passes(void **state)
{
	static const unsigned long requests[] = {KVM_CHECK_EXTENSION, KVM_IRQ_LINE, 0, ~0ul};
	const int vm = new_vm(), fds[] = {-1, 0, vm, 100000, 2000000, INT32_MIN};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(fds); i++) {
		for (size_t n = 0; n < COUNT_OF(requests) && fds[i] != vm; n++) {
			saw.next = 0;
			saw.last = 1;
			(void)interpose_ioctl(fds[i], requests[n], NULL);
			assert_int_equal(saw.next, 1);
			assert_int_equal(saw.last, requests[n]);
		}
	}
	saw.next = 0;
	(void)interpose_ioctl(vm, KVM_CHECK_EXTENSION, (void *)KVM_CAP_ONE_REG);
	assert_int_equal(saw.next, 1);
	/* The kernel looks at 32 bits: this is KVM_CREATE_VCPU. */
	assert_true(say_close(interpose_ioctl(vm, KVM_CREATE_VCPU | 1ul << 32, NULL)) == 0);
	assert_int_equal(saw.without_cookie, 0);
	say_close(vm);
}

static void test_duplicates(void **state)
{
	const int vm = new_vm();
	int vcpu, copy, other;

	(void)state;
	arm_kvm_load(made.fake, vm, VMM_ENTRY, program, COUNT_OF(program));
	vcpu = new_vcpu(vm);
	copy = say_dup(vcpu);
	say_close(vcpu);
	other = open("/dev/null", O_RDWR | O_CLOEXEC);
	assert_int_equal(other, vcpu); /* its number is somebody else's */
	assert_int_equal(turn(copy), 0x10001);
	/* The VM lives as long as its vCPU. */
	say_close(vm);
	assert_int_equal(turn(copy), 0x10001);
	/* A duplicate of another file over it. */
	assert_int_equal(dup2(other, copy), copy);
	interpose_duplicated(other, copy);
	assert_null(table_find(copy));
	saw.next = 0;
	(void)interpose_ioctl(copy, KVM_GET_MP_STATE, NULL);
	assert_int_equal(saw.next, 1);
	close(other);
	close(copy);
}

/* A number that is used again, without that we were told of the close. */
static void test_closed_behind_us(void **state)
{
	const int vm = new_vm();
	int again;

	(void)state;
	close(vm);
	again = new_vm();
	assert_int_equal(again, vm);
	say_close(new_vcpu(again));
	say_close(again);
}

/* One closes, another one asks: either is fine, and nothing is used that is gone. */
static _Atomic int current;
static atomic_bool over;

static void *ask(void *context)
{
	(void)context;
	while (!atomic_load(&over)) {
		uint32_t state = 0;
		const int fd = atomic_load(&current);

		if (fd >= 0) {
			(void)interpose_ioctl(fd, KVM_GET_MP_STATE, &state);
		}
	}
	return NULL;
}

static void test_close_meanwhile(void **state)
{
	const int vm = new_vm();
	pthread_t threads[2];

	(void)state;
	atomic_store(&current, -1);
	for (unsigned int n = 0; n < 2; n++) {
		assert_int_equal(pthread_create(&threads[n], NULL, ask, NULL), 0);
	}
	for (unsigned int n = 0; n < 16; n++) {
		const int vcpu = interpose_ioctl(vm, KVM_CREATE_VCPU, (void *)(uintptr_t)n);

		assert_true(vcpu >= 0);
		for (unsigned int turns = 0; turns < 50; turns++) {
			const int copy = say_dup(vcpu);

			atomic_store(&current, copy);
			sched_yield();
			say_close(copy);
		}
		atomic_store(&current, vcpu);
		sched_yield();
		say_close(vcpu);
	}
	atomic_store(&over, true);
	for (unsigned int n = 0; n < 2; n++) {
		pthread_join(threads[n], NULL);
	}
	say_close(vm);
}

static void test_limits(void **state)
{
	struct kvm_enable_cap cap = {.cap = KVM_CAP_ARM_SYSTEM_SUSPEND};
	const int system = arm_kvm_open(made.fake), vm = new_vm();
	int last = 0;

	(void)state;
	assert_int_equal(interpose_ioctl(vm, KVM_ENABLE_CAP, &cap), 0);
	say_close(vm);
	/* So many VMs, all told, and no more. */
	for (unsigned int n = 0; n < EXEC_VMS + 1 && last >= 0; n++) {
		last = interpose_ioctl(system, KVM_CREATE_VM, NULL);
		if (last >= 0) {
			say_close(last);
		}
	}
	assert_int_equal(last, -1);
	assert_int_equal(errno, EMFILE);
	assert_non_null(strstr(shared->why, "too many VMs"));
	assert_true(shared->whys > 0);
	/* Another process has VMs, and lives. */
	shared->pid = getppid();
	assert_int_equal(interpose_ioctl(system, KVM_CREATE_VM, NULL), -1);
	assert_int_equal(errno, EPERM);
	assert_non_null(strstr(shared->why, "its own hvcgate exec"));
	close(system);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_run),
		cmocka_unit_test(test_passes),
		cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_closed_behind_us),
		cmocka_unit_test(test_close_meanwhile),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
