/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * usage: vmm [MODE] CALL...
 *
 * The smallest VMM that asks: one vCPU that makes each CALL (ID[,X1[,X2[,X3]]], in hex) by HVC and says what x0 is
 * afterwards, a line each. Knows nothing of hvcgate. For tests of `hvcgate exec`; prints an ioctl that fails. MODE:
 *   --clean    starts itself again without an environment
 *   --preload  starts itself again with LD_PRELOAD alone
 *   --again    starts itself again with its environment, as a wrapper does
 *   --fork     the VM is a child's, whose parent waits
 *   --uid      the VM is made as nobody, who has /dev/kvm open
 *   --close    closes all descriptors before it opens /dev/kvm
 *   --dup      uses duplicates of the VM's and the vCPU's descriptors, and has closed these
 *   --child    says, having run, what a program that it starts has in its environment
 *   --loop     N is before the CALLs: makes them N times, asks the vCPU and the VM something after each, and says only "done"
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/kvm.h>

#define BASE 0x40000000ul /* of memory: one page of code */
#define MMIO 0x10000000ul /* no memory there: a store says a result */
#define SIZE 0x10000ul
#define MAX  64

static void __attribute__((noreturn)) fail(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	exit(1);
}

static int must(int value, const char *what)
{
	if (value < 0) {
		fail(what);
	}
	return value;
}

/* movz, movk: 64 bits into a register. */
static uint32_t *put_value(uint32_t *at, unsigned int reg, uint64_t value)
{
	*at++ = 0xd2800000u | (uint32_t)(value & 0xffff) << 5 | reg;
	for (unsigned int part = 1; part < 4; part++) {
		*at++ = 0xf2800000u | part << 21 | (uint32_t)(value >> 16 * part & 0xffff) << 5 |
			reg;
	}
	return at;
}

static uint32_t *put_call(uint32_t *at, const char *text)
{
	for (unsigned int reg = 0; reg < 4; reg++) {
		char *end = NULL;

		at = put_value(at, reg, strtoull(text, &end, 16));
		text = *end == ',' ? end + 1 : "0";
	}
	*at++ = 0xd4000002u; /* hvc #0 */
	*at++ = 0xf9000280u; /* str x0, [x20] */
	return at;
}

static int set(int vcpu, uint64_t id, uint64_t value)
{
	struct kvm_one_reg reg = {.id = id, .addr = (uintptr_t)&value};

	return ioctl(vcpu, KVM_SET_ONE_REG, &reg);
}

static void *make_memory(int vm)
{
	void *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct kvm_userspace_memory_region region = {
		.guest_phys_addr = BASE, .memory_size = SIZE, .userspace_addr = (uintptr_t)memory};

	if (memory == MAP_FAILED) {
		fail("mmap");
	}
	must(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region), "KVM_SET_USER_MEMORY_REGION");
	return memory;
}

static void init(int vm, int vcpu)
{
	struct kvm_vcpu_init target;

	must(ioctl(vm, KVM_ARM_PREFERRED_TARGET, &target), "KVM_ARM_PREFERRED_TARGET");
	target.features[0] |= 1u << KVM_ARM_VCPU_PSCI_0_2;
	must(ioctl(vcpu, KVM_ARM_VCPU_INIT, &target), "KVM_ARM_VCPU_INIT");
	must(set(vcpu, 0x6030000000100000ul | 2 * 32, BASE), "KVM_SET_ONE_REG pc");
}

static void run(int vcpu, struct kvm_run *state, char **calls, int count)
{
	for (int i = 0; i < count;) {
		must(ioctl(vcpu, KVM_RUN, 0), "KVM_RUN");
		if (state->exit_reason == KVM_EXIT_MMIO && state->mmio.is_write) {
			uint64_t value;

			memcpy(&value, state->mmio.data, sizeof(value));
			printf("%s = 0x%llx\n", calls[i++], (unsigned long long)value);
		} else {
			printf("%s: exit %u, %u\n", calls[i], state->exit_reason,
			       state->exit_reason == KVM_EXIT_SYSTEM_EVENT
				       ? state->system_event.type
				       : 0);
			exit(state->exit_reason == KVM_EXIT_SYSTEM_EVENT ? 0 : 1);
		}
	}
}

/* Like run(), over and over: `exits` is the guest's. */
static void run_loop(int vm, int vcpu, const struct kvm_run *state, unsigned long exits)
{
	struct kvm_vcpu_events events;

	for (; exits > 0; exits--) {
		must(ioctl(vcpu, KVM_RUN, 0), "KVM_RUN");
		if (state->exit_reason != KVM_EXIT_MMIO || !state->mmio.is_write) {
			printf("exit %u\n", state->exit_reason);
			exit(1);
		}
		must(ioctl(vcpu, KVM_GET_VCPU_EVENTS, &events), "KVM_GET_VCPU_EVENTS");
		must(ioctl(vm, KVM_CHECK_EXTENSION, KVM_CAP_USER_MEMORY), "KVM_CHECK_EXTENSION");
	}
	printf("done\n");
}

static void __attribute__((noreturn)) again(char **argv, char **environment)
{
	argv[1] = argv[0];
	execve("/proc/self/exe", argv + 1, environment);
	fail("execve");
}

static void __attribute__((noreturn)) again_with_preload(char **argv)
{
	static char variable[4096];
	char *environment[] = {variable, NULL};

	snprintf(variable, sizeof(variable), "LD_PRELOAD=%s", getenv("LD_PRELOAD"));
	again(argv, environment);
}

static void fork_child(void)
{
	const pid_t child = fork();
	int status = 0;

	if (child > 0) {
		must(waitpid(child, &status, 0), "waitpid");
		exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
	}
}

/* The VMM's environment, and its child's. */
static void say_environment(void)
{
	fflush(stdout);
	if (fork() == 0) {
		execl("/bin/busybox", "sh", "-c",
		      "echo \"preload '$LD_PRELOAD' exec '$HVCGATE_EXEC' descriptors $(ls /proc/self/fd | wc -l)\"",
		      (char *)NULL);
		_exit(1);
	}
	wait(NULL);
}

static int duplicate(int fd)
{
	const int copy = must(dup(fd), "dup");

	close(fd);
	/* Somebody else's now. */
	must(open("/dev/null", O_RDWR), "/dev/null");
	return copy;
}

static int make_vm(const char *mode, int kvm)
{
	const int scratch = must(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
	const int vm = must(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");

	close(scratch); /* as VMMs do that only look */
	return strcmp(mode, "--dup") == 0 ? duplicate(vm) : vm;
}

static int open_kvm(const char *mode, char **argv)
{
	char *nothing[] = {NULL};
	int kvm;

	if (strcmp(mode, "--clean") == 0) {
		again(argv, nothing);
	} else if (strcmp(mode, "--again") == 0) {
		again(argv, environ);
	} else if (strcmp(mode, "--preload") == 0) {
		again_with_preload(argv);
	} else if (strcmp(mode, "--fork") == 0) {
		fork_child();
	} else if (strcmp(mode, "--close") == 0) {
		for (int fd = 3; fd < 1024; fd++) {
			close(fd);
		}
	}
	kvm = must(open("/dev/kvm", O_RDWR | O_CLOEXEC), "/dev/kvm");
	if (strcmp(mode, "--uid") == 0) {
		must(setuid(65534), "setuid");
	}
	return kvm;
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 && strncmp(argv[1], "--", 2) == 0 ? argv[1] : "";
	char **calls = argv + 1 + (mode[0] != '\0');
	const bool loops = strcmp(mode, "--loop") == 0 && calls < argv + argc;
	const unsigned long times = loops ? strtoul(*calls++, NULL, 10) : 0;
	int count = argc - (int)(calls - argv);
	const int kvm = open_kvm(mode, argv), vm = make_vm(mode, kvm);
	const int size = must(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "KVM_GET_VCPU_MMAP_SIZE");
	uint32_t *at = make_memory(vm), *start;
	int vcpu;
	struct kvm_run *state;

	setvbuf(stdout, NULL, _IOLBF, 0);
	count = count < MAX ? count : MAX;
	start = at = put_value(at, 20, MMIO);
	for (int i = 0; i < count; i++) {
		at = put_call(at, calls[i]);
	}
	if (loops) {
		*at = 0x14000000u | (-(uint32_t)(at - start) & 0x3ffffffu); /* b start */
	}
	vcpu = must(ioctl(vm, KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU");
	if (strcmp(mode, "--dup") == 0) {
		vcpu = duplicate(vcpu);
	}
	state = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	if (state == MAP_FAILED) {
		fail("mmap of the vCPU");
	}
	init(vm, vcpu);
	if (loops) {
		run_loop(vm, vcpu, state, times * (unsigned long)count);
	} else {
		run(vcpu, state, calls, count);
	}
	if (strcmp(mode, "--child") == 0) {
		say_environment();
	}
	return 0;
}
