/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A VMM for arm64 KVM, with hvcgate/kvm.h: boots Linux under a policy.
 *
 *   cc -std=gnu11 minivmm.c $(pkg-config --cflags --libs hvcgate) -lfdt -pthread -o minivmm
 *   ./minivmm minivmm.yaml Image initrd.cpio 2 'console=ttyAMA0'
 *
 * RAM, a GICv3 in the kernel, a PL011 that only prints, a thread a vCPU. Where it calls hvc_kvm_*() another VMM has an
 * ioctl; what is different then is marked so: [hvcgate]. At the end it says which calls were answered in this process.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <libfdt.h>
#include <linux/kvm.h>

#include <hvcgate/catalog.h>
#include <hvcgate/kvm.h>

#define MAX_CPUS   8
#define RAM_BASE   0x40000000ull
#define RAM_SIZE   (256ull << 20)
#define TREE_AT    (RAM_BASE + (128ull << 20)) /* the device tree; behind it the initramfs */
#define TREE_SIZE  0x10000ull
#define INITRD_AT  (TREE_AT + (2ull << 20))
#define GICD_BASE  0x08000000ull
#define GICD_SIZE  0x10000ull
#define GICR_BASE  0x080a0000ull
#define GICR_SIZE  0x20000ull /* of a CPU */
#define UART_BASE  0x09000000ull
#define UART_SIZE  0x1000ull
#define UART_FR    0x18u /* flags: transmitter and receiver are empty (DDI0183, 3.3.3) */
#define UART_EMPTY 0x90u
#define CORE(n)    (0x6030000000100000ull + 2ull * (n)) /* xN, from 32 on PC */
#define MPIDR_EL1  0x603000000013c005ull

struct machine {
	int kvm, vm;
	uint8_t *ram;
	unsigned int cpus;
	uint64_t initrd_end;
	struct hvc_kvm *host;
	struct hvc_kvm_vm *gate;
	struct hvc_kvm_vcpu *vcpu[MAX_CPUS];
	struct kvm_run *run[MAX_CPUS];
	uint64_t mpidr[MAX_CPUS];
};

static _Atomic unsigned long calls[HVC_FN_COUNT]; /* answered here, by function */

static void __attribute__((noreturn, format(printf, 1, 2))) fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("minivmm: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	exit(1);
}

static int must(int value, const char *what)
{
	if (value < 0) {
		fail("%s: %s", what, strerror(errno));
	}
	return value;
}

/* [hvcgate] Errors are numbers, positive; hvc_kvm_why() has words for what the policy is the reason of. */
static void gate_must(int error, const char *what)
{
	if (error != 0) {
		fail("%s: %s (%s)", what, strerror(error), hvc_kvm_why());
	}
}

/* --- Memory, and what lies in it. */
static uint64_t load(struct machine *machine, const char *path, uint64_t at, uint64_t room)
{
	FILE *file = fopen(path, "rb");
	size_t size;

	if (file == NULL) {
		fail("%s: %s", path, strerror(errno));
	}
	size = fread(machine->ram + (at - RAM_BASE), 1, room, file);
	if (size == 0 || size == room || ferror(file)) {
		fail("%s: it cannot be read, or is larger than %llu bytes", path,
		     (unsigned long long)room);
	}
	fclose(file);
	return size;
}

/* A kernel says itself where it wants to be (Linux, Documentation/arch/arm64/booting.rst). */
static uint64_t load_kernel(struct machine *machine, const char *path)
{
	uint64_t offset;

	load(machine, path, RAM_BASE, TREE_AT - RAM_BASE);
	if (memcmp(machine->ram + 56, "ARM\x64", 4) != 0) {
		fail("%s: no arm64 Image", path);
	}
	memcpy(&offset, machine->ram + 8, sizeof(offset));
	if (offset != 0) { /* of old kernels: 512 KiB */
		load(machine, path, RAM_BASE + (offset & 0x1fffff), TREE_AT - RAM_BASE - 0x200000);
	}
	return RAM_BASE + (offset & 0x1fffff);
}

static void make_ram(struct machine *machine)
{
	struct kvm_userspace_memory_region region = {.guest_phys_addr = RAM_BASE,
						     .memory_size = RAM_SIZE};

	machine->ram = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (machine->ram == MAP_FAILED) {
		fail("memory: %s", strerror(errno));
	}
	region.userspace_addr = (uintptr_t)machine->ram;
	must(ioctl(machine->vm, KVM_SET_USER_MEMORY_REGION, &region), "RAM");
}

/* --- The device tree. What libfdt returns is not looked at: nothing but TREE_SIZE can go wrong, and that is ample. */
static void cells(void *fdt, const char *name, unsigned int count, ...)
{
	uint32_t value[16];
	va_list args;

	va_start(args, count);
	for (unsigned int n = 0; n < count; n++) {
		value[n] = cpu_to_fdt32(va_arg(args, uint32_t));
	}
	va_end(args);
	fdt_property(fdt, name, value, (int)(count * sizeof(value[0])));
}

static void reg(void *fdt, uint64_t base, uint64_t size)
{
	cells(fdt, "reg", 4, (uint32_t)(base >> 32), (uint32_t)base, (uint32_t)(size >> 32),
	      (uint32_t)size);
}

static void tree_cpus(struct machine *machine, void *fdt)
{
	char name[16];

	fdt_begin_node(fdt, "cpus");
	cells(fdt, "#address-cells", 1, 1);
	cells(fdt, "#size-cells", 1, 0);
	for (unsigned int n = 0; n < machine->cpus; n++) {
		snprintf(name, sizeof(name), "cpu@%x", (unsigned int)machine->mpidr[n]);
		fdt_begin_node(fdt, name);
		fdt_property_string(fdt, "device_type", "cpu");
		fdt_property_string(fdt, "compatible", "arm,armv8");
		fdt_property_string(fdt, "enable-method", "psci");
		cells(fdt, "reg", 1, (uint32_t)machine->mpidr[n]);
		fdt_end_node(fdt);
	}
	fdt_end_node(fdt);
}

static void tree_devices(struct machine *machine, void *fdt)
{
	static const char psci[] = "arm,psci-1.0\0arm,psci-0.2",
			  uart[] = "arm,pl011\0arm,primecell", clocks[] = "uartclk\0apb_pclk";

	fdt_begin_node(fdt, "psci");
	fdt_property(fdt, "compatible", psci, sizeof(psci));
	fdt_property_string(fdt, "method", "hvc");
	fdt_end_node(fdt);
	fdt_begin_node(fdt, "timer");
	fdt_property_string(fdt, "compatible", "arm,armv8-timer");
	cells(fdt, "interrupts", 12, 1, 13, 4, 1, 14, 4, 1, 11, 4, 1, 10, 4);
	fdt_property(fdt, "always-on", NULL, 0);
	fdt_end_node(fdt);
	fdt_begin_node(fdt, "interrupt-controller@8000000");
	fdt_property_string(fdt, "compatible", "arm,gic-v3");
	cells(fdt, "#interrupt-cells", 1, 3);
	fdt_property(fdt, "interrupt-controller", NULL, 0);
	cells(fdt, "reg", 8, 0, (uint32_t)GICD_BASE, 0, (uint32_t)GICD_SIZE, 0, (uint32_t)GICR_BASE,
	      0, (uint32_t)(machine->cpus * GICR_SIZE));
	cells(fdt, "phandle", 1, 1);
	fdt_end_node(fdt);
	fdt_begin_node(fdt, "clock");
	fdt_property_string(fdt, "compatible", "fixed-clock");
	cells(fdt, "#clock-cells", 1, 0);
	cells(fdt, "clock-frequency", 1, 24000000);
	cells(fdt, "phandle", 1, 2);
	fdt_end_node(fdt);
	fdt_begin_node(fdt, "serial@9000000");
	fdt_property(fdt, "compatible", uart, sizeof(uart));
	cells(fdt, "arm,primecell-periphid", 1, 0x00341011);
	reg(fdt, UART_BASE, UART_SIZE);
	cells(fdt, "interrupts", 3, 0, 1, 4);
	cells(fdt, "clocks", 2, 2, 2);
	fdt_property(fdt, "clock-names", clocks, sizeof(clocks));
	fdt_end_node(fdt);
}

static void make_tree(struct machine *machine, const char *append)
{
	void *fdt = machine->ram + (TREE_AT - RAM_BASE);

	if (strlen(append) > 2000) {
		fail("the kernel takes 2000 bytes of words");
	}
	fdt_create(fdt, (int)TREE_SIZE);
	fdt_finish_reservemap(fdt);
	fdt_begin_node(fdt, "");
	fdt_property_string(fdt, "compatible", "linux,dummy-virt");
	cells(fdt, "#address-cells", 1, 2);
	cells(fdt, "#size-cells", 1, 2);
	cells(fdt, "interrupt-parent", 1, 1);
	fdt_begin_node(fdt, "chosen");
	fdt_property(fdt, "bootargs", append, (int)strlen(append) + 1);
	cells(fdt, "linux,initrd-start", 1, (uint32_t)INITRD_AT);
	cells(fdt, "linux,initrd-end", 1, (uint32_t)machine->initrd_end);
	fdt_end_node(fdt);
	fdt_begin_node(fdt, "memory@40000000");
	fdt_property_string(fdt, "device_type", "memory");
	reg(fdt, RAM_BASE, RAM_SIZE);
	fdt_end_node(fdt);
	tree_cpus(machine, fdt);
	tree_devices(machine, fdt);
	fdt_end_node(fdt);
	if (fdt_finish(fdt) != 0 || fdt_check_full(fdt, TREE_SIZE) != 0) {
		fail("the device tree cannot be made");
	}
}

/* --- The interrupt controller, behind the vCPUs. */
static void set_gic(int gic, uint32_t group, uint64_t attr, const void *value)
{
	struct kvm_device_attr set = {.group = group, .attr = attr, .addr = (uintptr_t)value};

	must(ioctl(gic, KVM_SET_DEVICE_ATTR, &set), "GICv3");
}

static void make_gic(struct machine *machine)
{
	struct kvm_create_device make = {.type = KVM_DEV_TYPE_ARM_VGIC_V3};
	const uint64_t distributor = GICD_BASE, redistributors = GICR_BASE;
	const uint32_t interrupts = 64;

	must(ioctl(machine->vm, KVM_CREATE_DEVICE, &make), "GICv3");
	set_gic((int)make.fd, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_DIST, &distributor);
	set_gic((int)make.fd, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_REDIST,
		&redistributors);
	set_gic((int)make.fd, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, &interrupts);
	set_gic((int)make.fd, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL);
}

/* --- [hvcgate] A plan of the policy for this host, and VM and vCPUs under it. */
static void called(void *context, const struct hvc_kvm_vcpu *vcpu, const struct hvc_frame *before,
		   const struct hvc_frame *after, enum hvc_conduit conduit,
		   enum hvc_verdict verdict)
{
	unsigned int slot = hvc_function_by_id((uint32_t)before->x[0]);

	(void)context, (void)vcpu, (void)after, (void)conduit, (void)verdict;
	atomic_fetch_add(&calls[slot], 1);
}

static void make_host(struct machine *machine, const char *policy)
{
	const struct hvc_kvm_options options = {.size = sizeof(options), .called = called};
	char why[2000] = "";
	void *plan = NULL; /* outlives the host */
	size_t size = 0;
	enum hvc_err err = hvc_kvm_plan_bytes(policy, NULL, &plan, &size, why, sizeof(why));

	if (err == HVC_OK) {
		err = hvc_kvm_new(plan, size, &options, &machine->host, why, sizeof(why));
	}
	if (err != HVC_OK) {
		fail("%s: %s\n%s", policy, hvc_err_name(err), why);
	}
}

static void make_vcpu(struct machine *machine, uint32_t n, int bytes)
{
	int fd = must(ioctl(machine->vm, KVM_CREATE_VCPU, n), "a vCPU");
	struct kvm_vcpu_init init;

	machine->run[n] = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (machine->run[n] == MAP_FAILED) {
		fail("a vCPU's mapping: %s", strerror(errno));
	}
	machine->vcpu[n] = hvc_kvm_vcpu_new(machine->gate, n, fd, machine->run[n]);
	if (machine->vcpu[n] == NULL) {
		fail("vCPU %u: %s", n, hvc_kvm_why());
	}
	must(ioctl(machine->vm, KVM_ARM_PREFERRED_TARGET, &init), "which CPU is this");
	init.features[0] |= 1u << KVM_ARM_VCPU_PSCI_0_2;
	if (n != 0) {
		init.features[0] |= 1u << KVM_ARM_VCPU_POWER_OFF;
	}
	gate_must(hvc_kvm_vcpu_init(machine->vcpu[n], &init), "KVM_ARM_VCPU_INIT");
	gate_must(hvc_kvm_get_reg(machine->vcpu[n], MPIDR_EL1, &machine->mpidr[n]), "MPIDR_EL1");
	machine->mpidr[n] &= 0xffffff;
}

/* --- Running. */
static void print_calls(void)
{
	for (unsigned int slot = 0; slot < HVC_FN_COUNT; slot++) {
		const struct hvc_function *function = hvc_function_at(slot);
		unsigned long count = atomic_load(&calls[slot]);

		if (count != 0) {
			fprintf(stderr, "minivmm: %s was answered here, %lu times\n",
				function != NULL ? function->name : "what is no function", count);
		}
	}
}

static void mmio(struct kvm_run *run)
{
	const uint64_t offset = run->mmio.phys_addr - UART_BASE; /* far off for what is no UART */

	if (run->mmio.is_write && offset == 0) {
		putchar(run->mmio.data[0]);
	} else if (!run->mmio.is_write) {
		memset(run->mmio.data, 0, sizeof(run->mmio.data));
		run->mmio.data[0] = offset == UART_FR ? UART_EMPTY : 0;
	}
}

struct thread {
	struct machine *machine;
	uint32_t n;
};

static void *run_vcpu(void *argument)
{
	const struct thread *thread = argument;
	struct kvm_run *run = thread->machine->run[thread->n];

	for (;;) {
		int error = hvc_kvm_run(thread->machine->vcpu[thread->n]);

		if (error == EINTR || error == EAGAIN) {
			continue;
		}
		gate_must(error, "KVM_RUN");
		if (run->exit_reason == KVM_EXIT_MMIO) {
			mmio(run);
		} else if (run->exit_reason == KVM_EXIT_SYSTEM_EVENT) {
			print_calls();
			exit(run->system_event.type == KVM_SYSTEM_EVENT_SHUTDOWN ? 0 : 1);
		} else {
			fail("vCPU %u: exit %u", thread->n, run->exit_reason);
		}
	}
}

int main(int argc, char **argv)
{
	static struct machine machine;
	static struct thread threads[MAX_CPUS];
	pthread_t id;
	uint64_t entry, tree = TREE_AT;
	int bytes;

	if (argc < 4) {
		fail("usage: minivmm POLICY IMAGE INITRAMFS [CPUS [APPEND]]");
	}
	machine.cpus = argc > 4 ? (unsigned int)strtoul(argv[4], NULL, 10) : 1;
	if (machine.cpus < 1 || machine.cpus > MAX_CPUS) {
		fail("1 to %d CPUs", MAX_CPUS);
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	make_host(&machine, argv[1]);
	machine.kvm = must(open("/dev/kvm", O_RDWR | O_CLOEXEC), "/dev/kvm");
	machine.vm = must(ioctl(machine.kvm, KVM_CREATE_VM, 0), "a VM");
	bytes = must(ioctl(machine.kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "KVM_GET_VCPU_MMAP_SIZE");
	machine.gate = hvc_kvm_vm_new(machine.host, machine.vm);
	if (machine.gate == NULL) {
		fail("the VM: %s", hvc_kvm_why());
	}
	make_ram(&machine);
	entry = load_kernel(&machine, argv[2]);
	machine.initrd_end = INITRD_AT +
			     load(&machine, argv[3], INITRD_AT, RAM_BASE + RAM_SIZE - INITRD_AT);
	for (uint32_t n = 0; n < machine.cpus; n++) {
		make_vcpu(&machine, n, bytes);
	}
	make_gic(&machine);
	make_tree(&machine, argc > 5 ? argv[5] : "console=ttyAMA0");
	gate_must(hvc_kvm_set_reg(machine.vcpu[0], CORE(32), &entry), "PC");
	gate_must(hvc_kvm_set_reg(machine.vcpu[0], CORE(0), &tree), "x0");
	for (uint32_t n = 0; n < machine.cpus; n++) {
		threads[n] = (struct thread){&machine, n};
		if (n != 0 && pthread_create(&id, NULL, run_vcpu, &threads[n]) != 0) {
			fail("no thread for vCPU %u", n);
		}
	}
	run_vcpu(&threads[0]); /* the guest ends the process */
	return 1;
}
