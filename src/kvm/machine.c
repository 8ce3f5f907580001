/* SPDX-License-Identifier: BSD-2-Clause */
/* Machines: made, asked, freed. What runs on them is in run.c. */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "internal.h"

#define API_VERSION       12
#define STOLEN_TIME_BYTES 64ull
#define SLOT_ALIGN        0x10000ull /* the largest page of a host */

/* What all machines of the process share. */
static struct {
	int kvm; /* 0: not opened */
	/* A VM that nothing is done with: the kernel readies the CPU for the first VM, and undoes that after the last. */
	int keeper;
	size_t run_size;
	bool event_data;
	struct kvm_vcpu_init init;
} host;
/* One machine's memory, which the next one takes: the code is in it. */
static _Atomic(uint8_t *) spare;

static bool say(char *why, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static bool say(char *why, size_t size, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(why, size, format, arguments);
	va_end(arguments);
	return false;
}

static int errno_of(int result)
{
	return result < 0 ? errno : 0;
}

static bool open_host(int kvm, char *why, size_t size)
{
	const int version = ioctl(kvm, KVM_GET_API_VERSION, 0);

	if (version != API_VERSION) {
		return say(why, size, "/dev/kvm has API version %d; this needs %d", version,
			   API_VERSION);
	}
	const int run_size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (run_size < (int)sizeof(struct kvm_run)) {
		return say(why, size, "KVM_GET_VCPU_MMAP_SIZE says %d", run_size);
	}
	const int keeper = ioctl(kvm, KVM_CREATE_VM, 0ul);
	if (keeper < 0) {
		return say(why, size, "KVM_CREATE_VM: %s", strerror(errno));
	}
	if (ioctl(keeper, KVM_ARM_PREFERRED_TARGET, &host.init) < 0) {
		say(why, size, "KVM_ARM_PREFERRED_TARGET: %s: this KVM is not arm64's",
		    strerror(errno));
		close(keeper);
		return false;
	}
	host.run_size = (size_t)run_size;
	host.keeper = keeper;
	host.event_data = ioctl(keeper, KVM_CHECK_EXTENSION, KVM_CAP_SYSTEM_EVENT_DATA) > 0;
	return true;
}

bool kvm_machine_possible(char *why, size_t size)
{
	if (host.kvm != 0) {
		return true;
	}
	const int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm < 0) {
		return say(why, size, "/dev/kvm: %s%s", strerror(errno),
			   errno == ENOENT
				   ? " (no KVM in this kernel, or it was not started at EL2)"
				   : "");
	}
	if (!open_host(kvm, why, size)) {
		close(kvm);
		return false;
	}
	host.kvm = kvm;
	return true;
}

static uint8_t *map_memory(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static int add_slot(struct kvm_machine *machine, uint32_t slot, uint64_t address, uint64_t size,
		    const uint8_t *memory)
{
	const struct kvm_userspace_memory_region region = {.slot = slot,
							   .guest_phys_addr = address,
							   .memory_size = size,
							   .userspace_addr = (uintptr_t)memory};

	return errno_of(ioctl(machine->vm, KVM_SET_USER_MEMORY_REGION, &region));
}

static bool make_memory(struct kvm_machine *machine, char *why, size_t size)
{
	machine->memory = atomic_exchange(&spare, NULL);
	if (machine->memory == NULL) {
		machine->memory = map_memory(MEMORY_SIZE);
		if (machine->memory == NULL) {
			return say(why, size, "no memory for the guest");
		}
		kvm_code_write(machine->memory);
	}
	const int error = add_slot(machine, 0, MEMORY_BASE, MEMORY_SIZE, machine->memory);
	return error == 0 || say(why, size, "KVM_SET_USER_MEMORY_REGION: %s", strerror(error));
}

int kvm_vcpu_init(struct kvm_machine *machine, unsigned int cpu, bool off)
{
	struct vcpu *vcpu = &machine->vcpu[cpu];
	struct kvm_vcpu_init init = host.init;

	if (machine->psci_0_2) {
		init.features[0] |= 1u << KVM_ARM_VCPU_PSCI_0_2;
	}
	if (off) {
		init.features[0] |= 1u << KVM_ARM_VCPU_POWER_OFF;
	}
	const int error = errno_of(ioctl(vcpu->fd, KVM_ARM_VCPU_INIT, &init));
	if (error == 0) {
		memset(&vcpu->shadow, 0, sizeof(vcpu->shadow));
		vcpu->next = 0;
		vcpu->known = true;
		vcpu->off = off;
	}
	return error;
}

static bool make_vcpu(struct kvm_machine *machine, unsigned int cpu, bool no_init, char *why,
		      size_t size)
{
	struct vcpu *vcpu = &machine->vcpu[cpu];

	vcpu->fd = ioctl(machine->vm, KVM_CREATE_VCPU, (unsigned long)cpu);
	if (vcpu->fd < 0) {
		return say(why, size, "KVM_CREATE_VCPU %u: %s", cpu, strerror(errno));
	}
	const int error = no_init ? 0 : kvm_vcpu_init(machine, cpu, cpu != 0);
	return error == 0 ||
	       say(why, size, "KVM_ARM_VCPU_INIT of CPU %u: %s", cpu, strerror(error));
}

/* The records need memory: the first slot's, or a slot of their own. */
static bool stolen_time_memory(struct kvm_machine *machine, uint64_t ipa, char *why, size_t size)
{
	const uint64_t end = ipa + STOLEN_TIME_BYTES * machine->cpus;
	const uint64_t base = ipa & ~(SLOT_ALIGN - 1);

	if (ipa >= MEMORY_BASE && end <= LABEL_BASE) {
		return true;
	}
	if (end < ipa || (base < MEMORY_BASE + MEMORY_SIZE && end > MEMORY_BASE) ||
	    base == EXIT_ADDRESS) {
		return say(
			why, size,
			"stolen-time records at 0x%llx meet what the guest itself has: 0x0-0xffff and 0x%llx-0x%llx",
			(unsigned long long)ipa, LABEL_BASE, MEMORY_BASE + MEMORY_SIZE - 1);
	}
	machine->stolen = map_memory(2 * SLOT_ALIGN);
	if (machine->stolen == NULL) {
		return say(why, size, "no memory for stolen-time records");
	}
	const int error = add_slot(machine, 1, base, 2 * SLOT_ALIGN, machine->stolen);
	return error == 0 || say(why, size, "memory of stolen-time records at 0x%llx: %s",
				 (unsigned long long)base, strerror(error));
}

static bool stolen_time(struct kvm_machine *machine, uint64_t ipa, char *why, size_t size)
{
	if (!stolen_time_memory(machine, ipa, why, size)) {
		return false;
	}
	for (unsigned int cpu = 0; cpu < machine->cpus; cpu++) {
		const uint64_t record = ipa + STOLEN_TIME_BYTES * cpu;
		const struct kvm_device_attr attr = {.group = KVM_ARM_VCPU_PVTIME_CTRL,
						     .attr = KVM_ARM_VCPU_PVTIME_IPA,
						     .addr = (uintptr_t)&record};

		if (ioctl(machine->vcpu[cpu].fd, KVM_SET_DEVICE_ATTR, &attr) < 0) {
			return say(why, size, "KVM_ARM_VCPU_PVTIME_IPA 0x%llx of CPU %u: %s",
				   (unsigned long long)record, cpu, strerror(errno));
		}
	}
	return true;
}

static bool make_vm(struct kvm_machine *machine, const struct kvm_machine_config *config, char *why,
		    size_t size)
{
	machine->vm = ioctl(host.kvm, KVM_CREATE_VM, 0ul);
	if (machine->vm < 0) {
		return say(why, size, "KVM_CREATE_VM: %s", strerror(errno));
	}
	if (config->system_suspend) {
		const struct kvm_enable_cap cap = {.cap = KVM_CAP_ARM_SYSTEM_SUSPEND};

		if (ioctl(machine->vm, KVM_ENABLE_CAP, &cap) < 0) {
			return say(why, size,
				   "KVM_CAP_ARM_SYSTEM_SUSPEND: %s: this kernel has none",
				   strerror(errno));
		}
	}
	if (!make_memory(machine, why, size)) {
		return false;
	}
	for (unsigned int cpu = 0; cpu < machine->cpus; cpu++) {
		if (!make_vcpu(machine, cpu, config->no_init, why, size)) {
			return false;
		}
	}
	return config->stolen_time == 0 || stolen_time(machine, config->stolen_time, why, size);
}

struct kvm_machine *kvm_machine_new(const struct kvm_machine_config *config, char *why, size_t size)
{
	if (!kvm_machine_possible(why, size)) {
		return NULL;
	}
	if (config->cpus < 1 || config->cpus > KVM_MACHINE_CPUS) {
		say(why, size, "%u CPUs: 1 to %u", config->cpus, KVM_MACHINE_CPUS);
		return NULL;
	}
	struct kvm_machine *machine = calloc(1, sizeof(*machine));
	if (machine == NULL) {
		say(why, size, "no memory");
		return NULL;
	}
	machine->vm = -1;
	machine->cpus = config->cpus;
	machine->psci_0_2 = config->psci_0_2;
	machine->run_size = host.run_size;
	for (unsigned int cpu = 0; cpu < KVM_MACHINE_CPUS; cpu++) {
		machine->vcpu[cpu].fd = -1;
	}
	if (!make_vm(machine, config, why, size)) {
		kvm_machine_free(machine);
		return NULL;
	}
	machine->event_data = host.event_data;
	return machine;
}

void kvm_machine_free(struct kvm_machine *machine)
{
	if (machine == NULL) {
		return;
	}
	for (unsigned int cpu = 0; cpu < machine->cpus; cpu++) {
		struct vcpu *vcpu = &machine->vcpu[cpu];

		if (vcpu->run != NULL) {
			munmap(vcpu->run, machine->run_size);
		}
		if (vcpu->fd >= 0) {
			close(vcpu->fd);
		}
	}
	if (machine->vm >= 0) {
		close(machine->vm);
	}
	if (machine->memory != NULL) {
		uint8_t *before = atomic_exchange(&spare, machine->memory);

		if (before != NULL) {
			munmap(before, MEMORY_SIZE);
		}
	}
	if (machine->stolen != NULL) {
		munmap(machine->stolen, 2 * SLOT_ALIGN);
	}
	free(machine);
}

static int one_reg(const struct kvm_machine *machine, unsigned int cpu, unsigned long request,
		   uint64_t id, uintptr_t value)
{
	const struct kvm_one_reg reg = {.id = id, .addr = value};

	if (cpu >= machine->cpus) {
		return EINVAL;
	}
	return errno_of(ioctl(machine->vcpu[cpu].fd, request, &reg));
}

int kvm_machine_get_reg(struct kvm_machine *machine, unsigned int cpu, uint64_t id, void *value)
{
	return one_reg(machine, cpu, KVM_GET_ONE_REG, id, (uintptr_t)value);
}

int kvm_machine_set_reg(struct kvm_machine *machine, unsigned int cpu, uint64_t id,
			const void *value)
{
	const int error = one_reg(machine, cpu, KVM_SET_ONE_REG, id, (uintptr_t)value);

	if (error == 0 && (id & KVM_REG_ARM_COPROC_MASK) == KVM_REG_ARM_CORE) {
		machine->vcpu[cpu].known = false;
	}
	return error;
}

int kvm_machine_list_regs(struct kvm_machine *machine, unsigned int cpu, uint64_t **ids,
			  size_t *count)
{
	struct kvm_reg_list none = {.n = 0};

	*ids = NULL;
	*count = 0;
	if (cpu >= machine->cpus) {
		return EINVAL;
	}
	if (ioctl(machine->vcpu[cpu].fd, KVM_GET_REG_LIST, &none) < 0 && errno != E2BIG) {
		return errno;
	}
	struct kvm_reg_list *list = calloc(1, sizeof(*list) + none.n * sizeof(list->reg[0]));
	if (list == NULL) {
		return ENOMEM;
	}
	list->n = none.n;
	if (ioctl(machine->vcpu[cpu].fd, KVM_GET_REG_LIST, list) < 0) {
		const int error = errno;

		free(list);
		return error;
	}
	/* The IDs move to where the caller can free() them. */
	*count = (size_t)list->n;
	memmove(list, list->reg, *count * sizeof(list->reg[0]));
	*ids = (uint64_t *)(void *)list;
	return 0;
}

int kvm_machine_set_attr(struct kvm_machine *machine, uint32_t group, uint64_t attr,
			 const void *data)
{
	const struct kvm_device_attr device = {
		.group = group, .attr = attr, .addr = (uintptr_t)data};

	return errno_of(ioctl(machine->vm, KVM_SET_DEVICE_ATTR, &device));
}

int kvm_machine_has_attr(struct kvm_machine *machine, uint32_t group, uint64_t attr)
{
	const struct kvm_device_attr device = {.group = group, .attr = attr};

	return errno_of(ioctl(machine->vm, KVM_HAS_DEVICE_ATTR, &device));
}

int kvm_machine_cap(struct kvm_machine *machine, unsigned int cap)
{
	const int number = ioctl(machine->vm, KVM_CHECK_EXTENSION, (unsigned long)cap);

	return number < 0 ? 0 : number;
}

int kvm_machine_mp_state(struct kvm_machine *machine, unsigned int cpu, uint32_t *state)
{
	struct kvm_mp_state got = {0};

	if (cpu >= machine->cpus) {
		return EINVAL;
	}
	const int error = errno_of(ioctl(machine->vcpu[cpu].fd, KVM_GET_MP_STATE, &got));
	*state = got.mp_state;
	return error;
}

int kvm_set_mp_state(struct kvm_machine *machine, unsigned int cpu, uint32_t state)
{
	const struct kvm_mp_state set = {.mp_state = state};

	return errno_of(ioctl(machine->vcpu[cpu].fd, KVM_SET_MP_STATE, &set));
}
