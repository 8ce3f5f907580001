/* SPDX-License-Identifier: BSD-2-Clause */
/* The made-up KVM does as records and docs/kvm-facts.md say of real ones. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>

#include "../../src/kvm/host/uapi.h"
#include "arm_kvm.h"
#include "cmocka_all.h"

#define ENTRY        0x1000u
#define VERSION      0x84000000u
#define CPU_OFF      0x84000002u
#define CPU_ON       0xc4000003u
#define AFFINITY     0xc4000004u
#define SYSTEM_OFF   0x84000008u
#define FREE_ID      0xc6001234u /* no function */
#define PSCI_VERSION 0x6030000000140000ull
#define STD_BMAP     0x6030000000160000ull
#define MINUS(n)     ((uint64_t)(int64_t) - (n))

struct machine {
	struct arm_kvm *kvm;
	int vm, vcpus[4];
	struct kvm_run *run[4];
};

static int call(struct machine *machine, int fd, unsigned long request, void *argument)
{
	const int value = arm_kvm_ioctl(machine->kvm, fd, request, argument);

	return value < 0 ? -errno : value;
}

static int call_number(struct machine *machine, int fd, unsigned long request, uintptr_t argument)
{
	return call(machine, fd, request, (void *)argument);
}

static uint64_t get(struct machine *machine, unsigned int cpu, uint64_t id)
{
	uint64_t value = 0;
	struct kvm_one_reg reg = {.id = id, .addr = (uintptr_t)&value};

	assert_int_equal(call(machine, machine->vcpus[cpu], KVM_GET_ONE_REG, &reg), 0);
	return value;
}

static int set(struct machine *machine, unsigned int cpu, uint64_t id, uint64_t value)
{
	struct kvm_one_reg reg = {.id = id, .addr = (uintptr_t)&value};

	return call(machine, machine->vcpus[cpu], KVM_SET_ONE_REG, &reg);
}

static int init(struct machine *machine, unsigned int cpu, bool off)
{
	struct kvm_vcpu_init how;

	assert_int_equal(call(machine, machine->vm, KVM_ARM_PREFERRED_TARGET, &how), 0);
	how.features[0] = 1u << KVM_ARM_VCPU_PSCI_0_2 | (off ? 1u << KVM_ARM_VCPU_POWER_OFF : 0);
	return call(machine, machine->vcpus[cpu], KVM_ARM_VCPU_INIT, &how);
}

static int run(struct machine *machine, unsigned int cpu)
{
	return call(machine, machine->vcpus[cpu], KVM_RUN, NULL);
}

static struct machine machine_new(const char *profile, unsigned int cpus)
{
	struct machine machine = {.kvm = arm_kvm_new(profile)};
	const int kvm = arm_kvm_open(machine.kvm);
	const int bytes = call(&machine, kvm, KVM_GET_VCPU_MMAP_SIZE, NULL);

	machine.vm = call(&machine, kvm, KVM_CREATE_VM, NULL);
	assert_true(machine.vm >= 0);
	for (unsigned int n = 0; n < cpus; n++) {
		machine.vcpus[n] = call_number(&machine, machine.vm, KVM_CREATE_VCPU, n);
		assert_true(machine.vcpus[n] >= 0);
		machine.run[n] = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
				      machine.vcpus[n], 0);
		assert_ptr_not_equal(machine.run[n], MAP_FAILED);
	}
	close(kvm);
	return machine;
}

/* With vCPUs ready: the first at ENTRY, the others off. */
static struct machine machine_ready(const char *profile, unsigned int cpus,
				    const struct arm_instruction *program, size_t count)
{
	struct machine machine = machine_new(profile, cpus);

	for (unsigned int n = 0; n < cpus; n++) {
		assert_int_equal(init(&machine, n, n > 0), 0);
	}
	assert_int_equal(set(&machine, 0, UAPI_CORE_PC, ENTRY), 0);
	arm_kvm_load(machine.kvm, machine.vm, ENTRY, program, count);
	return machine;
}

static void machine_free(struct machine *machine)
{
	assert_int_equal(arm_kvm_counts(machine->kvm).lost, 0);
	for (unsigned int n = 0; n < 4 && machine->run[n] != NULL; n++) {
		munmap(machine->run[n], 8192);
		close(machine->vcpus[n]);
	}
	close(machine->vm);
	arm_kvm_free(machine->kvm);
}

static int filter(struct machine *machine, uint32_t base, uint32_t count, uint8_t action)
{
	struct uapi_smccc_filter range = {.base = base, .nr_functions = count, .action = action};
	struct kvm_device_attr attr = {.addr = (uintptr_t)&range};

	return call(machine, machine->vm, KVM_SET_DEVICE_ATTR, &attr);
}

/* --- Registers. */
static void test_registers(void **state)
{
	(void)state;
	struct machine machine = machine_new("linux-6.12", 2);
	uint64_t value;
	struct kvm_one_reg reg = {.id = PSCI_VERSION, .addr = (uintptr_t)&value};
	uint64_t words[129] = {2}; /* struct kvm_reg_list */
	const uint64_t *ids = words + 1;

	assert_int_equal(call(&machine, machine.vcpus[0], KVM_GET_ONE_REG, &reg), -ENOEXEC);
	assert_int_equal(call(&machine, machine.vcpus[0], KVM_GET_REG_LIST, words), -ENOEXEC);
	assert_int_equal(init(&machine, 0, false), 0);
	assert_int_equal(init(&machine, 1, true), 0);
	assert_int_equal(get(&machine, 0, PSCI_VERSION), 0x10001);
	assert_int_equal(set(&machine, 1, PSCI_VERSION, 0x10003), -EINVAL);
	assert_int_equal(set(&machine, 1, PSCI_VERSION, 0x10000), 0);
	assert_int_equal(get(&machine, 0, PSCI_VERSION), 0x10000); /* the VM's */
	assert_int_equal(set(&machine, 0, STD_BMAP ^ 1ull << 52, 0), -ENOENT);
	assert_int_equal(set(&machine, 0, 0x6030000000160003ull, 0), -ENOENT);
	assert_int_equal(set(&machine, 0, 0x4030000000160000ull, 0), -EINVAL);
	assert_int_equal(get(&machine, 1, UAPI_MPIDR_EL1), 0x80000001);
	assert_int_equal(call(&machine, machine.vcpus[0], KVM_GET_REG_LIST, words), -E2BIG);
	assert_int_equal(call(&machine, machine.vcpus[0], KVM_GET_REG_LIST, words), 0);
	for (uint64_t n = 0; n < words[0]; n++) {
		assert_int_equal(set(&machine, 0, ids[n], get(&machine, 0, ids[n])), 0);
	}
	machine_free(&machine);
}

static void test_frozen(void **state)
{
	(void)state;
	const struct arm_instruction program[] = {ARM_STORE(0, 0x9000)};
	struct machine machine = machine_ready("linux-6.12", 1, program, 1);

	assert_int_equal(set(&machine, 0, STD_BMAP, 2), -EINVAL);
	machine.run[0]->immediate_exit = 1;
	assert_int_equal(run(&machine, 0), -EINTR);
	assert_int_equal(arm_kvm_counts(machine.kvm).runs, 0);
	assert_int_equal(set(&machine, 0, STD_BMAP, 0), -EBUSY);
	assert_int_equal(set(&machine, 0, STD_BMAP, 1), 0);
	assert_int_equal(filter(&machine, VERSION, 1, 1), -EBUSY);
	machine_free(&machine);
}

static void test_descriptors(void **state)
{
	(void)state;
	struct machine machine = machine_new("linux-6.12", 1);
	const int other = fcntl(machine.vcpus[0], F_DUPFD_CLOEXEC, 100);

	assert_int_equal(call_number(&machine, machine.vm, KVM_CREATE_VCPU, 0), -EEXIST);
	assert_int_equal(call_number(&machine, machine.vm, KVM_CREATE_VCPU, 512), -EINVAL);
	close(machine.vcpus[0]);
	machine.vcpus[0] = other;
	assert_int_equal(init(&machine, 0, false), 0);
	assert_true(arm_kvm_owns(machine.kvm, other));
	assert_false(arm_kvm_owns(machine.kvm, 0));
	assert_int_equal(call(&machine, 0, KVM_RUN, NULL), -ENOTTY);
	assert_int_equal(call(&machine, 999, KVM_RUN, NULL), -EBADF);
	assert_int_equal(call(&machine, machine.vm, KVM_RUN, NULL), -ENOTTY);
	machine_free(&machine);
}

static int refuse_second(void *context, int fd, unsigned long request, void *argument, int *value)
{
	int *left = context;

	(void)fd, (void)argument;
	*value = 77;
	return request != KVM_CHECK_EXTENSION ? 0 : (*left)-- == 0 ? EIO : ARM_KVM_DONE;
}

static void test_hook(void **state)
{
	(void)state;
	struct machine machine = machine_new("linux-6.12", 1);
	int left = 1;

	arm_kvm_set_hook(machine.kvm, refuse_second, &left);
	assert_int_equal(call_number(&machine, machine.vm, KVM_CHECK_EXTENSION, 1), 77);
	assert_int_equal(call_number(&machine, machine.vm, KVM_CHECK_EXTENSION, 1), -EIO);
	machine_free(&machine);
}

/* --- Calls. */
static void test_kernel_answers(void **state)
{
	(void)state;
	const struct arm_instruction program[] = {
		ARM_MOV(0, VERSION), ARM_HVC, ARM_STORE(0, 0x9000),
		ARM_MOV(0, VERSION), ARM_SMC, ARM_STORE(0, 0x9000),
		ARM_MOV(0, FREE_ID), ARM_HVC, ARM_STORE(0, 0x9000),
	};
	static const struct {
		const char *profile;
		uint64_t x0[3];
	} cases[] = {
		{"linux-6.12", {0x10001, 0x10001, MINUS(1)}},
		{"linux-6.16", {0x10003, 0x10003, MINUS(1)}},
		{"linux-6.1", {0x10001, MINUS(1), MINUS(1)}},
	};

	for (size_t n = 0; n < COUNT_OF(cases); n++) {
		struct machine machine = machine_ready(cases[n].profile, 1, program,
						       COUNT_OF(program));

		for (unsigned int i = 0; i < 3; i++) {
			assert_int_equal(run(&machine, 0), 0);
			assert_int_equal(machine.run[0]->exit_reason, KVM_EXIT_MMIO);
			assert_int_equal(machine.run[0]->mmio.phys_addr, 0x9000);
			assert_int_equal(get(&machine, 0, UAPI_CORE_X(0)), cases[n].x0[i]);
		}
		machine_free(&machine);
	}
}

static void test_forward(void **state)
{
	(void)state;
	const struct arm_instruction program[] = {
		ARM_MOV(0, FREE_ID), ARM_HVC, ARM_STORE(0, 0x9000),
		ARM_MOV(0, FREE_ID), ARM_SMC, ARM_STORE(0, 0x9000),
		ARM_MOV(0, VERSION), ARM_HVC, ARM_STORE(0, 0x9000),
	};
	struct machine machine = machine_ready("linux-6.12", 1, program, COUNT_OF(program));
	struct kvm_run *run_page = machine.run[0];

	assert_int_equal(filter(&machine, FREE_ID, 1, 2), 0);
	assert_int_equal(filter(&machine, FREE_ID, 1, 2), -EEXIST);
	assert_int_equal(filter(&machine, 0x80000000u, 1, 1), -EEXIST);
	assert_int_equal(filter(&machine, VERSION, 1, 1), 0);
	memset(&run_page->hypercall, 0x77, 72);
	assert_int_equal(run(&machine, 0), 0);
	assert_int_equal(run_page->exit_reason, KVM_EXIT_HYPERCALL);
	assert_int_equal(run_page->hypercall.nr, FREE_ID);
	assert_int_equal(run_page->hypercall.args[5] | run_page->hypercall.ret, 0);
	assert_int_equal(get(&machine, 0, UAPI_CORE_PC), ENTRY + 8);
	/* Made again. */
	assert_int_equal(set(&machine, 0, UAPI_CORE_PC, ENTRY + 4), 0);
	assert_int_equal(run(&machine, 0), 0);
	assert_int_equal(run_page->exit_reason, KVM_EXIT_HYPERCALL);
	/* Nobody wrote a result. */
	assert_int_equal(run(&machine, 0), 0);
	assert_int_equal(get(&machine, 0, UAPI_CORE_X(0)), FREE_ID);
	assert_int_equal(run(&machine, 0), 0);
	assert_int_equal(((uint8_t *)&run_page->hypercall)[64], KVM_HYPERCALL_EXIT_SMC);
	assert_int_equal(set(&machine, 0, UAPI_CORE_X(0), 5), 0);
	assert_int_equal(run(&machine, 0), 0);
	assert_int_equal(get(&machine, 0, UAPI_CORE_X(0)), 5);
	assert_int_equal(run(&machine, 0), 0);
	assert_int_equal(get(&machine, 0, UAPI_CORE_X(0)), MINUS(1)); /* denied */
	assert_int_equal(arm_kvm_counts(machine.kvm).wrote[0], 1);
	machine_free(&machine);
}

/* --- Signals. */
static atomic_int handled;
static void handler(int number)
{
	(void)number;
	atomic_fetch_add(&handled, 1);
}

static void install(void)
{
	const struct sigaction action = {.sa_handler = handler};

	sigaction(SIGUSR1, &action, NULL);
	atomic_store(&handled, 0);
}

struct runner {
	struct machine *machine;
	unsigned int cpu;
	int result;
};
static void *run_thread(void *context)
{
	struct runner *runner = context;

	runner->result = run(runner->machine, runner->cpu);
	return NULL;
}

static void wait_instructions(struct machine *machine, unsigned int cpu, uint64_t count)
{
	while (arm_kvm_vcpu_counts(machine->kvm, machine->vcpus[cpu]).instructions < count) {
		usleep(100);
	}
}

static void test_signal_ends_run(void **state)
{
	(void)state;
	const struct arm_instruction program[] = {ARM_SPIN};
	struct machine machine = machine_ready("linux-6.12", 1, program, 1);
	struct runner runner = {.machine = &machine};
	pthread_t thread;

	install();
	pthread_create(&thread, NULL, run_thread, &runner);
	wait_instructions(&machine, 0, 1);
	pthread_kill(thread, SIGUSR1);
	pthread_join(thread, NULL);
	assert_int_equal(runner.result, -EINTR);
	assert_int_equal(machine.run[0]->exit_reason, KVM_EXIT_INTR);
	assert_int_equal(atomic_load(&handled), 1);
	machine_free(&machine);
}

static void test_foreign(void **state)
{
	(void)state;
	const struct arm_instruction program[] = {ARM_SPIN};
	struct machine machine = machine_ready("linux-6.12", 1, program, 1);
	struct runner runner = {.machine = &machine};
	struct kvm_mp_state mp;
	pthread_t thread;

	install();
	pthread_create(&thread, NULL, run_thread, &runner);
	wait_instructions(&machine, 0, 1);
	/* A timer's signal gets the vCPU's thread out while this one waits. */
	timer_t timer;
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	const struct itimerspec soon = {.it_value.tv_nsec = 20000000};
	sigset_t usr1;
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &usr1, NULL);
	timer_create(CLOCK_MONOTONIC, &event, &timer);
	timer_settime(timer, 0, &soon, NULL);
	assert_int_equal(call(&machine, machine.vcpus[0], KVM_GET_MP_STATE, &mp), 0);
	pthread_join(thread, NULL);
	timer_delete(timer);
	pthread_sigmask(SIG_UNBLOCK, &usr1, NULL);
	const struct arm_vcpu_counts counts = arm_kvm_counts(machine.kvm);
	assert_int_equal(counts.foreign, 1);
	assert_int_equal(counts.others, 1);
	machine_free(&machine);
}

/* A signal that comes when the thread is in KVM_RUN, or before, with KVM_SET_SIGNAL_MASK: it ends the run and stays
 * pending. */
static void test_signal_mask(void **state)
{
	(void)state;
	const struct arm_instruction program[] = {ARM_SPIN};
	struct machine machine = machine_ready("linux-6.12", 1, program, 1);
	uint32_t mask[3] = {8}; /* struct kvm_signal_mask */
	sigset_t usr1, pending;

	install();
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &usr1, NULL);
	assert_int_equal(call(&machine, machine.vcpus[0], KVM_SET_SIGNAL_MASK, mask), 0);
	pthread_kill(pthread_self(), SIGUSR1);
	assert_int_equal(run(&machine, 0), -EINTR);
	assert_int_equal(atomic_load(&handled), 0);
	sigpending(&pending);
	assert_int_equal(sigismember(&pending, SIGUSR1), 1);
	pthread_sigmask(SIG_UNBLOCK, &usr1, NULL);
	assert_int_equal(atomic_load(&handled), 1);
	machine_free(&machine);
}

/* --- Power. */
static uint32_t mp_state(struct machine *machine, unsigned int cpu)
{
	uint32_t state;

	arm_kvm_peek(machine->kvm, machine->vcpus[cpu], &state);
	return state;
}

static void test_cpu_on(void **state)
{
	(void)state;
	const struct arm_instruction program[] = {
		ARM_MOV(0, AFFINITY),
		ARM_MOV(1, 1),
		ARM_MOV(2, 0),
		ARM_HVC,
		ARM_STORE(0, 0),
		ARM_MOV(0, CPU_ON),
		ARM_MOV(1, 1),
		ARM_MOV(2, 0x2000),
		ARM_MOV(3, 0xabc),
		ARM_HVC,
		ARM_STORE(0, 0),
		ARM_MOV(0, CPU_ON),
		ARM_HVC,
		ARM_STORE(0, 0),
		ARM_MOV(0, CPU_ON),
		ARM_MOV(1, 7),
		ARM_HVC,
		ARM_STORE(0, 0),
	};
	const struct arm_instruction other[] = {ARM_STORE(0, 0x9000), ARM_MOV(0, CPU_OFF), ARM_HVC,
						ARM_SPIN};
	static const uint64_t answers[] = {1, 0, MINUS(4), MINUS(2)};
	struct machine machine = machine_ready("linux-6.12", 2, program, COUNT_OF(program));
	struct runner runner = {.machine = &machine, .cpu = 1};
	pthread_t thread;

	install();
	arm_kvm_load(machine.kvm, machine.vm, 0x2000, other, COUNT_OF(other));
	pthread_create(&thread, NULL, run_thread, &runner);
	for (size_t n = 0; n < COUNT_OF(answers); n++) {
		assert_int_equal(run(&machine, 0), 0);
		assert_int_equal(get(&machine, 0, UAPI_CORE_X(0)), answers[n]);
	}
	pthread_join(thread, NULL);
	assert_int_equal(runner.result, 0);
	assert_int_equal(machine.run[1]->exit_reason, KVM_EXIT_MMIO);
	assert_int_equal(get(&machine, 1, UAPI_CORE_X(0)), 0xabc);
	assert_int_equal(get(&machine, 1, UAPI_CORE_PC), 0x2000);
	/* It turns itself off, and sleeps until a signal comes. */
	pthread_create(&thread, NULL, run_thread, &runner);
	while (mp_state(&machine, 1) != KVM_MP_STATE_STOPPED) {
		usleep(100);
	}
	pthread_kill(thread, SIGUSR1);
	pthread_join(thread, NULL);
	assert_int_equal(runner.result, -EINTR);
	assert_int_equal(init(&machine, 1, false), 0);
	assert_int_equal(mp_state(&machine, 1), KVM_MP_STATE_RUNNABLE);
	assert_int_equal(get(&machine, 1, UAPI_CORE_PC), 0);
	machine_free(&machine);
}

static void test_system_off(void **state)
{
	(void)state;
	const struct arm_instruction program[] = {ARM_MOV(0, SYSTEM_OFF), ARM_HVC, ARM_STORE(0, 0)};
	struct machine machine = machine_ready("linux-6.12", 2, program, COUNT_OF(program));
	struct kvm_mp_state mp = {KVM_MP_STATE_RUNNABLE};

	assert_int_equal(init(&machine, 1, false), 0);
	assert_int_equal(run(&machine, 0), 0);
	assert_int_equal(machine.run[0]->exit_reason, KVM_EXIT_SYSTEM_EVENT);
	assert_int_equal(machine.run[0]->system_event.type, KVM_SYSTEM_EVENT_SHUTDOWN);
	assert_int_equal(mp_state(&machine, 0), KVM_MP_STATE_STOPPED);
	assert_int_equal(mp_state(&machine, 1), KVM_MP_STATE_STOPPED);
	assert_int_equal(call(&machine, machine.vcpus[0], KVM_SET_MP_STATE, &mp), 0);
	assert_int_equal(run(&machine, 0), 0);
	assert_int_equal(get(&machine, 0, UAPI_CORE_X(0)), MINUS(6));
	mp.mp_state = 3;
	assert_int_equal(call(&machine, machine.vcpus[0], KVM_SET_MP_STATE, &mp), -EINVAL);
	machine_free(&machine);
}

static void test_suspend(void **state)
{
	(void)state;
	const struct arm_instruction program[] = {ARM_MOV(0, 0xc400000eu), ARM_HVC, ARM_WFI,
						  ARM_STORE(0, 0)};
	struct machine machine = machine_ready("linux-6.12", 1, program, COUNT_OF(program));
	struct kvm_enable_cap cap = {.cap = KVM_CAP_ARM_SYSTEM_SUSPEND};
	struct kvm_mp_state mp = {KVM_MP_STATE_SUSPENDED};

	assert_int_equal(call(&machine, machine.vm, KVM_ENABLE_CAP, &cap), 0);
	assert_int_equal(run(&machine, 0), 0);
	assert_int_equal(machine.run[0]->exit_reason, KVM_EXIT_SYSTEM_EVENT);
	assert_int_equal(machine.run[0]->system_event.type, KVM_SYSTEM_EVENT_SUSPEND);
	assert_int_equal(mp_state(&machine, 0), KVM_MP_STATE_RUNNABLE);
	assert_int_equal(call(&machine, machine.vcpus[0], KVM_SET_MP_STATE, &mp), 0);
	arm_kvm_interrupt(machine.kvm, machine.vcpus[0]);
	assert_int_equal(run(&machine, 0), 0);
	assert_int_equal(machine.run[0]->system_event.type, KVM_SYSTEM_EVENT_WAKEUP);
	assert_int_equal(mp_state(&machine, 0), KVM_MP_STATE_SUSPENDED);
	mp.mp_state = KVM_MP_STATE_RUNNABLE;
	assert_int_equal(call(&machine, machine.vcpus[0], KVM_SET_MP_STATE, &mp), 0);
	assert_int_equal(run(&machine, 0), 0); /* through WFI: the interrupt is still there */
	assert_int_equal(machine.run[0]->exit_reason, KVM_EXIT_MMIO);
	machine_free(&machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_registers),       cmocka_unit_test(test_frozen),
		cmocka_unit_test(test_descriptors),     cmocka_unit_test(test_hook),
		cmocka_unit_test(test_kernel_answers),  cmocka_unit_test(test_forward),
		cmocka_unit_test(test_signal_ends_run), cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_signal_mask),     cmocka_unit_test(test_cpu_on),
		cmocka_unit_test(test_system_off),      cmocka_unit_test(test_suspend),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
