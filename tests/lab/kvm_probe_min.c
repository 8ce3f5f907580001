// SPDX-License-Identifier: BSD-2-Clause
// The lab's own probe: what /dev/kvm says of the firmware registers and of the SMCCC filter, one line each:
//   register NAME with_psci VALUE without_psci VALUE    values in hexadecimal; "none" where the list lacks it
//   check WHAT ERRNO                                    0 or the name of the error
// tests/lab/selftest.py knows what each kernel should say.
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define FW_REG(n)    (0x6030000000140000ULL + (n))
#define BMAP_REG(n)  (0x6030000000160000ULL + (n))
#define FILTER_GROUP 0u // KVM_ARM_VM_SMCCC_CTRL, since Linux 6.4
#define FILTER_ATTR  0u // KVM_ARM_VM_SMCCC_FILTER
#define CODE_PA      0x40000000ULL
#define PAGE         0x10000ULL

struct filter { // struct kvm_smccc_filter
	uint32_t base;
	uint32_t count;
	uint8_t action;
	uint8_t pad[15];
};
enum filter_action { HANDLE, DENY, FORWARD };

static const struct {
	const char *name;
	uint64_t id;
} registers[] = {
	{"PSCI_VERSION", FW_REG(0)},
	{"SMCCC_ARCH_WORKAROUND_1", FW_REG(1)},
	{"SMCCC_ARCH_WORKAROUND_2", FW_REG(2)},
	{"SMCCC_ARCH_WORKAROUND_3", FW_REG(3)},
	{"STD_BMAP", BMAP_REG(0)},
	{"STD_HYP_BMAP", BMAP_REG(1)},
	{"VENDOR_HYP_BMAP", BMAP_REG(2)},
	{"VENDOR_HYP_BMAP_2", BMAP_REG(3)},
};
#define REGISTER_COUNT (sizeof(registers) / sizeof(registers[0]))

struct machine {
	int vm;
	int vcpu;
	void *code;
};

static int kvm;

static void fail(const char *what)
{
	fprintf(stderr, "kvm_probe_min: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int must(int result, const char *what)
{
	if (result < 0) {
		fail(what);
	}
	return result;
}

/// A VM with a vCPU, and a page of code whose only instruction is a store to where no memory is: one exit.
static struct machine machine_new(int psci_0_2)
{
	struct machine m;
	m.vm = must(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
	m.code = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (m.code == MAP_FAILED) {
		fail("mmap");
	}
	const uint32_t store = 0xb9000020; // str w0, [x1]
	memcpy(m.code, &store, sizeof(store));
	const struct kvm_userspace_memory_region region = {.guest_phys_addr = CODE_PA,
							   .memory_size = PAGE,
							   .userspace_addr = (uintptr_t)m.code};
	must(ioctl(m.vm, KVM_SET_USER_MEMORY_REGION, &region), "KVM_SET_USER_MEMORY_REGION");
	m.vcpu = must(ioctl(m.vm, KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU");
	struct kvm_vcpu_init init;
	must(ioctl(m.vm, KVM_ARM_PREFERRED_TARGET, &init), "KVM_ARM_PREFERRED_TARGET");
	if (psci_0_2) {
		init.features[0] |= 1U << KVM_ARM_VCPU_PSCI_0_2;
	}
	must(ioctl(m.vcpu, KVM_ARM_VCPU_INIT, &init), "KVM_ARM_VCPU_INIT");
	return m;
}

static void machine_free(struct machine *m)
{
	close(m->vcpu);
	close(m->vm);
	munmap(m->code, PAGE);
}

static struct kvm_reg_list *list_of(const struct machine *m)
{
	struct kvm_reg_list count = {.n = 0};
	if (ioctl(m->vcpu, KVM_GET_REG_LIST, &count) == 0 || errno != E2BIG) {
		fail("KVM_GET_REG_LIST of no register");
	}
	struct kvm_reg_list *list = calloc(1, sizeof(*list) + count.n * sizeof(list->reg[0]));
	if (list == NULL) {
		fail("calloc");
	}
	list->n = count.n;
	must(ioctl(m->vcpu, KVM_GET_REG_LIST, list), "KVM_GET_REG_LIST");
	return list;
}

static void print_value(const struct machine *m, const struct kvm_reg_list *list, uint64_t id)
{
	uint64_t value = 0;
	const struct kvm_one_reg get = {.id = id, .addr = (uintptr_t)&value};
	for (uint64_t i = 0; i < list->n; i++) {
		if (list->reg[i] == id) {
			must(ioctl(m->vcpu, KVM_GET_ONE_REG, &get), "KVM_GET_ONE_REG");
			printf("0x%llx", (unsigned long long)value);
			return;
		}
	}
	printf("none");
}

static const char *error_name(int result)
{
	switch (result == 0 ? 0 : errno) {
	case 0:
		return "0";
	case EINVAL:
		return "EINVAL";
	case ENOENT:
		return "ENOENT";
	case EBUSY:
		return "EBUSY";
	case EEXIST:
		return "EEXIST";
	case ENXIO:
		return "ENXIO";
	default:
		return strerror(errno);
	}
}

static void check(const char *what, int result)
{
	printf("check %s %s\n", what, error_name(result));
}

static int set(const struct machine *m, uint64_t id, uint64_t value)
{
	const struct kvm_one_reg reg = {.id = id, .addr = (uintptr_t)&value};
	return ioctl(m->vcpu, KVM_SET_ONE_REG, &reg);
}

static int has_filter(const struct machine *m)
{
	const struct kvm_device_attr attr = {.group = FILTER_GROUP, .attr = FILTER_ATTR};
	return ioctl(m->vm, KVM_HAS_DEVICE_ATTR, &attr);
}

static int set_filter(const struct machine *m, uint32_t base, uint32_t count,
		      enum filter_action action)
{
	const struct filter filter = {.base = base, .count = count, .action = (uint8_t)action};
	const struct kvm_device_attr attr = {
		.group = FILTER_GROUP, .attr = FILTER_ATTR, .addr = (uintptr_t)&filter};
	return ioctl(m->vm, KVM_SET_DEVICE_ATTR, &attr);
}

/// Enter the guest once, up to its only exit.
static void run(const struct machine *m)
{
	const int size = must(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "KVM_GET_VCPU_MMAP_SIZE");
	struct kvm_run *area = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, m->vcpu,
				    0);
	if (area == MAP_FAILED) {
		fail("mmap of the vCPU");
	}
	must(set(m, 0x6030000000100040ULL, CODE_PA), "set PC");
	must(ioctl(m->vcpu, KVM_RUN, 0), "KVM_RUN");
	printf("exit %u\n", area->exit_reason); // 6: KVM_EXIT_MMIO
	munmap(area, (size_t)size);
}

static void print_registers(void)
{
	struct machine with = machine_new(1);
	struct machine without = machine_new(0);
	struct kvm_reg_list *with_list = list_of(&with);
	struct kvm_reg_list *without_list = list_of(&without);
	printf("listed %llu\n", (unsigned long long)with_list->n);
	for (size_t i = 0; i < REGISTER_COUNT; i++) {
		printf("register %s with_psci ", registers[i].name);
		print_value(&with, with_list, registers[i].id);
		printf(" without_psci ");
		print_value(&without, without_list, registers[i].id);
		printf("\n");
	}
	check("set_psci_1.0_without_psci", set(&without, FW_REG(0), 0x10000));
	free(with_list);
	free(without_list);
	machine_free(&with);
	machine_free(&without);
}

static void print_checks(void)
{
	struct machine m = machine_new(1);
	check("set_psci_0.1", set(&m, FW_REG(0), 0x1));
	check("set_psci_0.2", set(&m, FW_REG(0), 0x2));
	check("set_psci_1.0", set(&m, FW_REG(0), 0x10000));
	check("set_psci_1.1", set(&m, FW_REG(0), 0x10001));
	check("set_psci_1.2", set(&m, FW_REG(0), 0x10002));
	check("set_psci_1.3", set(&m, FW_REG(0), 0x10003));
	check("set_psci_2.0", set(&m, FW_REG(0), 0x20000));
	check("clear_std", set(&m, BMAP_REG(0), 0));
	check("set_std_bit_1", set(&m, BMAP_REG(0), 2));
	check("clear_vendor_2", set(&m, BMAP_REG(3), 0));
	check("has_filter", has_filter(&m));
	check("filter_forward_64", set_filter(&m, 0xc6000000, 0x10000, FORWARD));
	check("filter_forward_32", set_filter(&m, 0x86000000, 0x10000, FORWARD));
	check("filter_deny", set_filter(&m, 0x84000050, 1, DENY));
	check("filter_overlap", set_filter(&m, 0x8600ffff, 2, DENY));
	check("filter_arch", set_filter(&m, 0x80000000, 1, DENY));
	check("filter_action_3", set_filter(&m, 0x85000000, 1, (enum filter_action)3));
	run(&m);
	check("ran_clear_hyp", set(&m, BMAP_REG(1), 0));
	check("ran_filter", set_filter(&m, 0x87000000, 1, DENY));
	machine_free(&m);
}

int main(void)
{
	kvm = must(open("/dev/kvm", O_RDWR | O_CLOEXEC), "/dev/kvm");
	print_registers();
	print_checks();
	return 0;
}
