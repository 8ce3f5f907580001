// SPDX-License-Identifier: BSD-2-Clause
// A VMM of two vCPUs that knows hvcgate/kvm.h, on real KVM: CPU 0 turns CPU 1 on, which sleeps twice and turns itself off,
// again and again, under each subset of {CPU_ON, CPU_OFF, AFFINITY_INFO, CPU_SUSPEND} forwarded to user space, while the VMM
// calls both vCPUs away at any time. The argument is the number of rounds; with a second one, "calm", nobody is called away.
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <hvcgate/kvm.h>

#include "../../src/kvm/host/plan_bytes.h"
#include "../../src/kvm/host/uapi.h"

#define CPUS         2
#define MEMORY_BASE  0x40000000ull
#define MEMORY_SIZE  0x20000ull
#define DATA         0x10000ull /* offset of struct shared */
#define VMM_SIGNAL   SIGUSR1
#define EXIT_ADDRESS 0x9000000ull

/* What guest and VMM share. The guest's code knows the offsets. */
struct shared {
	uint64_t rounds, seen, failed, value;                             /* 0, 8, 16, 24 */
	uint64_t cpu_on, cpu_off, affinity_info, cpu_suspend, system_off; /* 32, 40, 48, 56, 64 */
	uint64_t returned, entered; /* 72, 80: how CPU_SUSPEND's power-down ended */
};

extern const uint8_t guest_start[], guest_cpu1[], guest_end[];
__asm__(".pushsection .rodata\n"
	"	.balign 16\n"
	".globl guest_start, guest_cpu1, guest_end\n"
	"guest_start:\n" /* CPU 0 */
	"	mov	x21, #0x40010000\n"
	"	ldr	x20, [x21]\n"
	"1:	ldr	x0, [x21, #32]\n"
	"	mov	x1, #1\n"
	"	adr	x2, guest_cpu1\n"
	"	mov	x3, x20\n"
	"	hvc	#0\n"
	"	mov	x9, #1\n"
	"	cbnz	x0, guest_failed\n"
	"2:	ldr	x4, [x21, #8]\n"
	"	cmp	x4, x20\n"
	"	b.ne	2b\n"
	"3:	ldr	x0, [x21, #48]\n"
	"	mov	x1, #1\n"
	"	mov	x2, #0\n"
	"	hvc	#0\n"
	"	mov	x9, #2\n"
	"	cmp	x0, #1\n"
	"	b.hi	guest_failed\n"
	"	b.ne	3b\n"
	"	subs	x20, x20, #1\n"
	"	b.ne	1b\n"
	"	ldr	x0, [x21, #64]\n" /* all done */
	"	hvc	#0\n"
	"	mov	x9, #3\n"
	"	b	guest_failed\n"
	"guest_cpu1:\n" /* x0: the round */
	"	mov	x21, #0x40010000\n"
	"	mov	x19, x0\n"
	"	ldr	x0, [x21, #56]\n"
	"	mov	x1, #0\n" /* standby */
	"	mov	x2, #0\n"
	"	mov	x3, #0\n"
	"	hvc	#0\n"
	"	mov	x9, #4\n"
	"	cbnz	x0, guest_failed\n"
	"	ldr	x0, [x21, #56]\n"
	"	mov	x1, #0x10000\n" /* power-down */
	"	adr	x2, guest_entry2\n"
	"	mov	x3, x19\n"
	"	mov	x20, #77\n" /* a reset makes it 0 */
	"	hvc	#0\n"
	"	mov	x9, #5\n"
	"	cbnz	x0, guest_failed\n"
	"	ldr	x4, [x21, #72]\n"
	"	add	x4, x4, #1\n"
	"	str	x4, [x21, #72]\n"
	"	mov	x0, x19\n"
	"	b	4f\n"
	"guest_entry2:\n"
	"	mov	x21, #0x40010000\n"
	"	mov	x9, #6\n"
	"	cmp	x20, #77\n"
	"	b.eq	guest_failed\n"
	"	ldr	x4, [x21, #80]\n"
	"	add	x4, x4, #1\n"
	"	str	x4, [x21, #80]\n"
	"4:	str	x0, [x21, #8]\n"
	"	ldr	x0, [x21, #40]\n"
	"	hvc	#0\n"
	"	mov	x9, #7\n"
	"guest_failed:\n"
	"	str	x9, [x21, #16]\n"
	"	str	x0, [x21, #24]\n"
	"	mov	x1, #0x9000000\n"
	"	str	x9, [x1]\n"
	"	b	.\n"
	"guest_end:\n"
	".popsection\n");

struct vmm {
	int vm;
	struct hvc_kvm_vm *host;
	uint8_t *memory;
	_Atomic bool over;
	struct cpu {
		struct vmm *vmm;
		int fd;
		struct kvm_run *run;
		struct hvc_kvm_vcpu *host;
		pthread_t thread;
		_Atomic unsigned long interrupted, events;
	} cpus[CPUS];
};

static int dev_kvm;
static bool calm;

static void check(bool fine, const char *what)
{
	if (!fine) {
		printf("failed: %s: %s; %s\n", what, strerror(errno), hvc_kvm_why());
		exit(1);
	}
}

/* --- The plan: ranges of the subset, and the engine's image. */
static const enum hvc_fn functions[] = {HVC_FN_PSCI_CPU_ON, HVC_FN_PSCI_CPU_OFF,
					HVC_FN_PSCI_AFFINITY_INFO, HVC_FN_PSCI_CPU_SUSPEND};

static uint32_t add_function(struct plan_filter *filters, uint32_t count, enum hvc_fn fn)
{
	const struct hvc_function *function = hvc_function_at(fn);

	if (function->id32 != 0) {
		filters[count++] = (struct plan_filter){function->id32, 1, HVC_FORWARD, 0};
	}
	if (function->id64 != 0) {
		filters[count++] = (struct plan_filter){function->id64, 1, HVC_FORWARD, 0};
	}
	return count;
}

static int by_base(const void *a, const void *b)
{
	const struct plan_filter *left = a, *right = b;

	return left->base < right->base ? -1 : left->base > right->base;
}

static void *make_plan(unsigned int subset, size_t *size)
{
	static uint64_t bytes[8192];
	struct plan_header *header = (struct plan_header *)bytes;
	struct plan_filter *filters = (struct plan_filter *)(header + 1);
	const size_t offset = sizeof(*header);
	struct hvc_settings settings;
	uint32_t count = add_function(filters, 0, HVC_FN_PSCI_SYSTEM_OFF);
	struct hvc_image *image;
	size_t at;

	memset(header, 0, sizeof(*header));
	for (unsigned int i = 0; i < 4; i++) {
		if ((subset >> i & 1) != 0) {
			count = add_function(filters, count, functions[i]);
		}
	}
	qsort(filters, count, sizeof(*filters), by_base);
	at = offset + count * sizeof(*filters);
	image = (struct hvc_image *)((uint8_t *)bytes + at);
	hvc_settings_init(&settings);
	check(hvc_image_begin(image, sizeof(bytes) - at, &settings) == HVC_OK, "an image");
	hvc_image_seal(image);
	*header = (struct plan_header){
		.magic = PLAN_BYTES_MAGIC,
		.format = PLAN_BYTES_FORMAT,
		.size = (uint32_t)((at + image->bytes + 7) / 8 * 8),
		.flags = PLAN_FILTERS,
		.functions = HVC_FN_COUNT,
		.profile = "test",
		.policy = "test",
		.writes = {(uint32_t)offset, 0},
		.filters = {(uint32_t)offset, count},
		.views = {(uint32_t)at, 0},
		.routes = {(uint32_t)at, 0},
		.handlers = {(uint32_t)at, 0},
		.image = {(uint32_t)at, image->bytes},
	};
	header->crc = plan_bytes_crc(bytes, header->size);
	*size = header->size;
	return bytes;
}

/* --- The VMM. */
static void on_signal(int number)
{
	(void)number;
}

/* As QEMU does it: immediate_exit, then a signal. */
static void call_away(struct cpu *cpu)
{
	__atomic_store_n(&cpu->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
	pthread_kill(cpu->thread, VMM_SIGNAL);
}

static void make_cpu(struct vmm *vmm, struct hvc_kvm *kvm, unsigned int n)
{
	struct cpu *cpu = &vmm->cpus[n];
	struct kvm_vcpu_init init;
	const int size = ioctl(dev_kvm, KVM_GET_VCPU_MMAP_SIZE, 0);

	(void)kvm;
	cpu->vmm = vmm;
	cpu->fd = ioctl(vmm->vm, KVM_CREATE_VCPU, n);
	check(cpu->fd >= 0, "KVM_CREATE_VCPU");
	cpu->run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, cpu->fd, 0);
	check(cpu->run != MAP_FAILED, "mmap of a vCPU");
	cpu->host = hvc_kvm_vcpu_new(vmm->host, n, cpu->fd, cpu->run);
	check(cpu->host != NULL, "hvc_kvm_vcpu_new");
	check(ioctl(vmm->vm, KVM_ARM_PREFERRED_TARGET, &init) == 0, "KVM_ARM_PREFERRED_TARGET");
	init.features[0] |= 1u << KVM_ARM_VCPU_PSCI_0_2;
	init.features[0] |= n == 0 ? 0 : 1u << KVM_ARM_VCPU_POWER_OFF;
	errno = hvc_kvm_vcpu_init(cpu->host, &init);
	check(errno == 0, "hvc_kvm_vcpu_init");
}

static void set_memory(struct vmm *vmm)
{
	struct kvm_userspace_memory_region region = {.guest_phys_addr = MEMORY_BASE,
						     .memory_size = MEMORY_SIZE};

	vmm->memory = mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			   -1, 0);
	check(vmm->memory != MAP_FAILED, "memory");
	memcpy(vmm->memory, guest_start, (size_t)(guest_end - guest_start));
	region.userspace_addr = (uintptr_t)vmm->memory;
	check(ioctl(vmm->vm, KVM_SET_USER_MEMORY_REGION, &region) == 0, "memory of the guest");
}

static struct shared *shared_of(const struct vmm *vmm)
{
	return (struct shared *)(void *)(vmm->memory + DATA);
}

/* False: the CPU is done. */
static bool handle(struct cpu *cpu, int error)
{
	const struct kvm_run *run = cpu->run;

	if (error == EINTR) {
		__atomic_store_n(&cpu->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
		atomic_fetch_add(&cpu->interrupted, 1);
		return !atomic_load(&cpu->vmm->over);
	}
	errno = error;
	check(error == 0, "hvc_kvm_run");
	if (run->exit_reason == KVM_EXIT_SYSTEM_EVENT) {
		check(run->system_event.type == KVM_SYSTEM_EVENT_SHUTDOWN, "the system event");
		atomic_fetch_add(&cpu->events, 1);
		return false;
	}
	printf("failed: exit %u of CPU %d: the guest says %llu (0x%llx)\n", run->exit_reason,
	       (int)(cpu - cpu->vmm->cpus), (unsigned long long)shared_of(cpu->vmm)->failed,
	       (unsigned long long)shared_of(cpu->vmm)->value);
	exit(1);
}

static void *run_cpu(void *argument)
{
	struct cpu *cpu = argument;

	while (handle(cpu, hvc_kvm_run(cpu->host))) {
	}
	return NULL;
}

static void pause_ns(long ns)
{
	const struct timespec time = {.tv_nsec = ns};

	nanosleep(&time, NULL);
}

/* An interrupt for CPU 1, which wakes up by it; its guest does not take it. */
static void set_line(const struct vmm *vmm, bool on)
{
	struct kvm_irq_level line = {.irq = (uint32_t)KVM_ARM_IRQ_TYPE_CPU
						    << KVM_ARM_IRQ_TYPE_SHIFT |
					    1u << KVM_ARM_IRQ_VCPU_SHIFT | KVM_ARM_IRQ_CPU_IRQ,
				     .level = on};

	check(ioctl(vmm->vm, KVM_IRQ_LINE, &line) == 0, "KVM_IRQ_LINE");
}

static void supervise(struct vmm *vmm)
{
	for (unsigned int n = 0; atomic_load(&vmm->cpus[0].events) == 0; n++) {
		set_line(vmm, n % 2 == 0);
		if (!calm && n % 3 == 0) {
			call_away(&vmm->cpus[n / 3 % 2]);
		}
		pause_ns(200000);
	}
}

static void free_vmm(struct vmm *vmm, struct hvc_kvm *kvm)
{
	for (unsigned int n = 0; n < CPUS; n++) {
		hvc_kvm_vcpu_free(vmm->cpus[n].host);
		munmap(vmm->cpus[n].run, (size_t)ioctl(dev_kvm, KVM_GET_VCPU_MMAP_SIZE, 0));
		close(vmm->cpus[n].fd);
	}
	hvc_kvm_vm_free(vmm->host);
	close(vmm->vm);
	hvc_kvm_free(kvm);
	munmap(vmm->memory, MEMORY_SIZE);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void set_up(struct vmm *vmm, struct hvc_kvm *kvm, unsigned int rounds)
{
	vmm->vm = ioctl(dev_kvm, KVM_CREATE_VM, 0);
	check(vmm->vm >= 0, "KVM_CREATE_VM");
	vmm->host = hvc_kvm_vm_new(kvm, vmm->vm);
	check(vmm->host != NULL, "hvc_kvm_vm_new");
	set_memory(vmm);
	*shared_of(vmm) = (struct shared){
		.rounds = rounds,
		.cpu_on = hvc_function_at(HVC_FN_PSCI_CPU_ON)->id64,
		.cpu_off = hvc_function_at(HVC_FN_PSCI_CPU_OFF)->id32,
		.affinity_info = hvc_function_at(HVC_FN_PSCI_AFFINITY_INFO)->id64,
		.cpu_suspend = hvc_function_at(HVC_FN_PSCI_CPU_SUSPEND)->id64,
		.system_off = hvc_function_at(HVC_FN_PSCI_SYSTEM_OFF)->id32,
	};
	for (unsigned int n = 0; n < CPUS; n++) {
		make_cpu(vmm, kvm, n);
	}
}

static void set_pc(struct vmm *vmm)
{
	uint64_t pc = MEMORY_BASE;

	errno = hvc_kvm_set_reg(vmm->cpus[0].host, UAPI_CORE_PC, &pc);
	check(errno == 0, "the program counter");
}

static void test(unsigned int subset, unsigned int rounds)
{
	struct vmm vmm = {0};
	struct hvc_kvm *kvm = NULL;
	char why[256] = "";
	size_t size;
	void *plan = make_plan(subset, &size);
	const double begin = seconds();
	uint32_t state = 0;

	if (hvc_kvm_new(plan, size, NULL, &kvm, why, sizeof(why)) != HVC_OK) {
		printf("failed: hvc_kvm_new: %s\n", why);
		exit(1);
	}
	set_up(&vmm, kvm, rounds);
	set_pc(&vmm);
	for (unsigned int n = 0; n < CPUS; n++) {
		check(pthread_create(&vmm.cpus[n].thread, NULL, run_cpu, &vmm.cpus[n]) == 0,
		      "a thread");
	}
	supervise(&vmm);
	pthread_join(vmm.cpus[0].thread, NULL);
	atomic_store(&vmm.over, true);
	call_away(&vmm.cpus[1]);
	pthread_join(vmm.cpus[1].thread, NULL);
	for (unsigned int n = 0; n < CPUS; n++) {
		check(hvc_kvm_get_mp_state(vmm.cpus[n].host, &state) == 0 &&
			      state == KVM_MP_STATE_STOPPED,
		      "all CPUs are stopped");
	}
	printf("subset %2u: %u rounds, power-downs entered %llu returned %llu, EINTR %lu %lu, %.0f us a round\n",
	       subset, rounds, (unsigned long long)shared_of(&vmm)->entered,
	       (unsigned long long)shared_of(&vmm)->returned, vmm.cpus[0].interrupted,
	       vmm.cpus[1].interrupted, (seconds() - begin) * 1e6 / rounds);
	check(shared_of(&vmm)->entered + shared_of(&vmm)->returned == rounds, "all rounds");
	check(((subset & 8) == 0) == (shared_of(&vmm)->entered == 0), "who answers CPU_SUSPEND");
	free_vmm(&vmm, kvm);
}

int main(int argc, char **argv)
{
	const unsigned int rounds = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 10) : 50;
	const struct sigaction action = {.sa_handler = on_signal};

	calm = argc > 2 && strcmp(argv[2], "calm") == 0;
	setvbuf(stdout, NULL, _IOLBF, 0);
	sigaction(VMM_SIGNAL, &action, NULL);
	dev_kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (dev_kvm < 0) {
		printf("no /dev/kvm\n");
		return 77;
	}
	for (unsigned int subset = 0; subset < 16; subset++) {
		test(subset, rounds);
	}
	printf("passed\n");
	return 0;
}
