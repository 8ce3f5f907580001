// SPDX-License-Identifier: BSD-2-Clause
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "facts.h"

int kvm;
const char *context = "";

void fact(const char *name, const char *format, ...)
{
	va_list arguments;

	printf("%s%s ", context, name);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
}

void fact_errno(const char *name, int result)
{
	static const struct {
		int number;
		const char *name;
	} names[] = {{ENOENT, "ENOENT"}, {EINVAL, "EINVAL"},   {EFAULT, "EFAULT"}, {EBUSY, "EBUSY"},
		     {EEXIST, "EEXIST"}, {ENXIO, "ENXIO"},     {E2BIG, "E2BIG"},   {EPERM, "EPERM"},
		     {EINTR, "EINTR"},   {ENOEXEC, "ENOEXEC"}, {ENOTTY, "ENOTTY"}};
	int error = result < 0 ? errno : 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].number == error) {
			fact(name, "%s", names[i].name);
			return;
		}
	}
	fact(name, "%d", error);
}

int must(int result, const char *what)
{
	if (result < 0) {
		fprintf(stderr, "kvm_facts: %s%s: %s\n", context, what, strerror(errno));
		exit(1);
	}
	return result;
}

static bool vcpu_new(struct vm *vm, unsigned int cpu, const struct shape *shape)
{
	int size = must(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "KVM_GET_VCPU_MMAP_SIZE");
	struct kvm_vcpu_init init;

	vm->vcpu[cpu] = must(ioctl(vm->fd, KVM_CREATE_VCPU, cpu), "KVM_CREATE_VCPU");
	vm->run[cpu] = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, vm->vcpu[cpu],
			    0);
	must(vm->run[cpu] == MAP_FAILED ? -1 : 0, "mmap of a vCPU");
	must(ioctl(vm->fd, KVM_ARM_PREFERRED_TARGET, &init), "KVM_ARM_PREFERRED_TARGET");
	init.features[0] = shape->features;
	if (!shape->psci_0_1) {
		init.features[0] |= FEATURE(KVM_ARM_VCPU_PSCI_0_2);
	}
	if (cpu != 0 && !shape->cpu1_on) {
		init.features[0] |= FEATURE(KVM_ARM_VCPU_POWER_OFF);
	}
	return shape->no_init || ioctl(vm->vcpu[cpu], KVM_ARM_VCPU_INIT, &init) == 0;
}

bool vm_try(struct vm *vm, const struct shape *shape)
{
	*vm = (struct vm){.cpus = shape->cpus == 0 ? 1 : shape->cpus};
	vm->fd = ioctl(kvm, KVM_CREATE_VM, shape->type);
	if (vm->fd < 0) {
		return false;
	}
	vm->ram = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(vm->ram == MAP_FAILED ? -1 : 0, "mmap");
	const struct kvm_userspace_memory_region region = {.guest_phys_addr = RAM,
							   .memory_size = RAM_SIZE,
							   .userspace_addr = (uintptr_t)vm->ram};
	if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region) != 0) {
		return false;
	}
	for (unsigned int cpu = 0; cpu < vm->cpus; cpu++) {
		if (!vcpu_new(vm, cpu, shape)) {
			return false;
		}
	}
	return true;
}

void vm_new(struct vm *vm, const struct shape *shape)
{
	must(vm_try(vm, shape) ? 0 : -1, "a VM");
}

void vm_free(struct vm *vm)
{
	int size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);

	for (unsigned int cpu = 0; cpu < vm->cpus; cpu++) {
		munmap(vm->run[cpu], (size_t)size);
		close(vm->vcpu[cpu]);
	}
	close(vm->fd);
	munmap(vm->ram, RAM_SIZE);
}

int get_reg(const struct vm *vm, unsigned int cpu, uint64_t id, void *value)
{
	const struct kvm_one_reg reg = {.id = id, .addr = (uintptr_t)value};

	return ioctl(vm->vcpu[cpu], KVM_GET_ONE_REG, &reg);
}

int set_reg(const struct vm *vm, unsigned int cpu, uint64_t id, const void *value)
{
	const struct kvm_one_reg reg = {.id = id, .addr = (uintptr_t)value};

	return ioctl(vm->vcpu[cpu], KVM_SET_ONE_REG, &reg);
}

int set_value(const struct vm *vm, unsigned int cpu, uint64_t id, uint64_t value)
{
	return set_reg(vm, cpu, id, &value);
}

uint64_t value_of(const struct vm *vm, unsigned int cpu, uint64_t id)
{
	uint64_t value = 0;

	must(get_reg(vm, cpu, id, &value), "KVM_GET_ONE_REG");
	return value;
}

uint64_t x(const struct vm *vm, unsigned int cpu, unsigned int n)
{
	return value_of(vm, cpu, CORE_X(n));
}

int set_filter(const struct vm *vm, uint32_t base, uint32_t count, enum filter_action action)
{
	const struct filter filter = {.base = base, .count = count, .action = (uint8_t)action};
	const struct kvm_device_attr attr = {
		.group = SMCCC_GROUP, .attr = SMCCC_FILTER, .addr = (uintptr_t)&filter};

	return ioctl(vm->fd, KVM_SET_DEVICE_ATTR, &attr);
}

unsigned int mp_state(const struct vm *vm, unsigned int cpu)
{
	struct kvm_mp_state state = {0};

	must(ioctl(vm->vcpu[cpu], KVM_GET_MP_STATE, &state), "KVM_GET_MP_STATE");
	return state.mp_state;
}

void put(const struct vm *vm, unsigned int cpu, unsigned int word, uint32_t instruction)
{
	memcpy(vm->ram + 0x100 * cpu + 4 * word, &instruction, sizeof(instruction));
}

int run(const struct vm *vm, unsigned int cpu)
{
	return ioctl(vm->vcpu[cpu], KVM_RUN, 0) < 0 ? -errno : (int)vm->run[cpu]->exit_reason;
}

static void prepare(const struct vm *vm, unsigned int cpu)
{
	must(set_value(vm, cpu, CORE_PC, CODE(cpu)), "set PC");
	must(set_value(vm, cpu, CORE_X(21), NOWHERE), "set x21");
}

int start(const struct vm *vm, unsigned int cpu)
{
	prepare(vm, cpu);
	return run(vm, cpu);
}

static void load(const struct vm *vm, unsigned int cpu, uint32_t instruction,
		 const uint64_t args[5])
{
	for (unsigned int n = 0; n < 5; n++) {
		must(set_value(vm, cpu, CORE_X(n), args[n]), "set x0 to x4");
	}
	put(vm, cpu, 0, instruction);
	put(vm, cpu, 1, STORE);
	__builtin___clear_cache((char *)vm->ram, (char *)vm->ram + RAM_SIZE);
}

int call(const struct vm *vm, unsigned int cpu, uint32_t instruction, const uint64_t args[5])
{
	load(vm, cpu, instruction, args);
	int reason = start(vm, cpu);
	if (reason == KVM_EXIT_MMIO) { // let KVM complete the store before PC changes
		vm->run[cpu]->immediate_exit = 1;
		ioctl(vm->vcpu[cpu], KVM_RUN, 0);
		vm->run[cpu]->immediate_exit = 0;
	}
	return reason;
}

static void on_signal(int number)
{
	(void)number;
}

static bool sleeps(pid_t thread)
{
	char path[64], text[256] = "";
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)thread);
	FILE *file = fopen(path, "r");
	bool read = file != NULL && fgets(text, sizeof(text), file) != NULL;

	if (file != NULL) {
		fclose(file);
	}
	return read && strstr(text, ") S ") != NULL;
}

struct waker {
	pthread_t thread;
	pid_t id;
	atomic_bool over;
};

/// Signals a thread that sleeps, as often as it does. By its state: a timer depends on how fast the machine is.
static void *wake(void *argument)
{
	struct waker *waker = argument;

	for (unsigned int asleep = 0; !waker->over; asleep = sleeps(waker->id) ? asleep + 1 : 0) {
		if (asleep == 100) {
			pthread_kill(waker->thread, SIGUSR1);
		}
		sched_yield();
	}
	return NULL;
}

int run_until_blocked(const struct vm *vm, unsigned int cpu)
{
	const struct sigaction action = {.sa_handler = on_signal};
	struct waker waker = {.thread = pthread_self(), .id = (pid_t)syscall(SYS_gettid)};
	pthread_t thread;

	sigaction(SIGUSR1, &action, NULL);
	must(-pthread_create(&thread, NULL, wake, &waker), "pthread_create");
	int reason = run(vm, cpu);
	waker.over = true;
	pthread_join(thread, NULL);
	return reason;
}

int call_until_blocked(const struct vm *vm, unsigned int cpu, uint32_t instruction,
		       const uint64_t args[5])
{
	load(vm, cpu, instruction, args);
	prepare(vm, cpu);
	return run_until_blocked(vm, cpu);
}
