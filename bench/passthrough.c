/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * usage: bench-passthrough KIND N                          N ioctls that hvcgate exec passes through, of this kind:
 *          other    on a file that is no KVM's
 *          vm       KVM_CHECK_EXTENSION on a VM
 *          vcpu     KVM_GET_VCPU_EVENTS on a vCPU
 *          run      KVM_RUN that ends with an exit for the VMM
 *        bench-passthrough --count KIND N                  the same, and how many system calls the process made
 *        bench-passthrough --under PLAN LIBRARY COMMAND... COMMAND with the interposer LIBRARY, as exec starts one
 *
 * KVM is made up (tests/lib/arm_kvm.h), in this process: its ioctls are no system calls, and are counted by itself.
 * bench/passthrough counts instructions.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../src/kvm/exec/shared.h"
#include "../src/kvm/host/uapi.h"
#include "arm_kvm.h"

#define MMIO 0x9000

static int must(int value, const char *what)
{
	if (value < 0) {
		perror(what);
		exit(2);
	}
	return value;
}

/* --- The ioctls. */

static const struct arm_instruction program[] = {ARM_STORE(0, MMIO), ARM_BRANCH(0)};

static int loop(const char *kind, unsigned long count)
{
	const int other = must(open("/dev/null", O_RDWR), "/dev/null");
	const int kvm = must(open("/dev/kvm", O_RDWR), "/dev/kvm");
	const int vm = must(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
	const int vcpu = must(ioctl(vm, KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU");
	struct kvm_vcpu_init init = {0};
	char argument[4096] = {0};
	unsigned long request = KVM_RUN;
	int fd = vcpu;

	must(ioctl(vm, KVM_ARM_PREFERRED_TARGET, &init), "KVM_ARM_PREFERRED_TARGET");
	init.features[0] |= 1u << KVM_ARM_VCPU_PSCI_0_2;
	must(ioctl(vcpu, KVM_ARM_VCPU_INIT, &init), "KVM_ARM_VCPU_INIT");
	arm_kvm_load(arm_kvm_shared(), vm, 0, program, sizeof(program) / sizeof(program[0]));
	must(ioctl(vcpu, KVM_RUN, 0), "KVM_RUN");
	if (strcmp(kind, "other") == 0) {
		fd = other, request = 0x541b; /* FIONREAD */
	} else if (strcmp(kind, "vm") == 0) {
		fd = vm, request = KVM_CHECK_EXTENSION;
	} else if (strcmp(kind, "vcpu") == 0) {
		request = 0x8040ae9f; /* KVM_GET_VCPU_EVENTS */
	} else if (strcmp(kind, "run") != 0) {
		fprintf(stderr, "bench-passthrough: no kind '%s'\n", kind);
		return 2;
	}

	const uint64_t before = arm_kvm_ioctls(arm_kvm_shared());

	for (unsigned long n = 0; n < count; n++) {
		(void)ioctl(fd, request, argument);
	}
	printf("%llu ioctls reached the made-up KVM\n",
	       (unsigned long long)(arm_kvm_ioctls(arm_kvm_shared()) - before));
	return 0;
}

/* --- System calls of a process: every second stop is a return. */
static int count_calls(char **argv)
{
	unsigned long stops = 0;
	const pid_t child = must(fork(), "fork");
	int status;

	if (child == 0) {
		must((int)ptrace(PTRACE_TRACEME, 0, NULL, NULL), "ptrace");
		execv("/proc/self/exe", argv);
		_exit(2);
	}
	must(waitpid(child, &status, 0), "waitpid");
	while (WIFSTOPPED(status)) {
		stops += WSTOPSIG(status) == SIGTRAP;
		must((int)ptrace(PTRACE_SYSCALL, child, NULL, NULL), "ptrace");
		must(waitpid(child, &status, 0), "waitpid");
	}
	printf("%lu system calls\n", stops / 2);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}

/* --- What `hvcgate exec` does before it starts the VMM, but for the keeper and the seccomp filter. */
static int under(const char *plan, const char *library, char **command)
{
	const int memory = must(memfd_create("shared", 0), "memfd_create");
	const int file = must(open(plan, O_RDONLY), plan);
	const int attention = must(eventfd(0, 0), "eventfd");
	struct exec_shared *shared;
	char lines[64];
	int ends[2];

	must(ftruncate(memory, sizeof(*shared)), "ftruncate");
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	if (shared == MAP_FAILED) {
		perror("mmap");
		return 2;
	}
	shared->magic = EXEC_MAGIC;
	shared->version = EXEC_VERSION;
	shared->size = sizeof(*shared);
	shared->functions = HVC_FN_COUNT;
	must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), "socketpair");
	snprintf(lines, sizeof(lines), "%d,%d,%d,%d", memory, file, ends[0], attention);
	setenv(EXEC_ENVIRONMENT, lines, 1);
	setenv("LD_PRELOAD", library, 1);
	execvp(command[0], command);
	perror(command[0]);
	return 2;
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "--count") == 0) {
		argv[1] = argv[0];
		return count_calls(argv + 1);
	}
	if (argc >= 5 && strcmp(argv[1], "--under") == 0) {
		return under(argv[2], argv[3], argv + 4);
	}
	if (argc != 3) {
		fputs("usage: bench-passthrough [--count] KIND N; bench-passthrough --under PLAN LIBRARY COMMAND...\n",
		      stderr);
		return 2;
	}
	return loop(argv[1], strtoul(argv[2], NULL, 10));
}
