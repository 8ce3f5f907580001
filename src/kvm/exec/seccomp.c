/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The gate: a seccomp filter. An ioctl() has three arguments, the kernel's filter sees six: the interposer puts a secret
 * into the other three, which no program has that calls libc's ioctl(). Every other system call passes, after four
 * instructions.
 *
 * By hand and not with libseccomp: the filter is short, runs for each of the VMM's system calls, and what is compared,
 * 32 bits of the request as the kernel does, is to be seen.
 *
 * Sources: Linux, Documentation/userspace-api/seccomp_filter.rst.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/audit.h>
#include <linux/kvm.h>
#include <linux/seccomp.h>

#include "exec.h"

#ifdef __aarch64__
#define NATIVE AUDIT_ARCH_AARCH64
#else
#define NATIVE AUDIT_ARCH_X86_64
#endif
/* ioctl of 32-bit programs, arm and i386 alike. */
#define OTHER_IOCTL 54
/* x86's third kind of system call: 32-bit programs with 64-bit registers. Nothing of arm64 has this bit. */
#define X32_BIT         0x40000000u

#define IF(value, t, f) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, t, f)
#define ALLOW           BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define REFUSE          BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)

struct maker {
	struct sock_filter *filter;
	unsigned int count;
};

static struct sock_filter load(size_t offset)
{
	return (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset);
}

#define LOAD(field) load(offsetof(struct seccomp_data, field))

static void put(struct maker *maker, struct sock_filter instruction)
{
	maker->filter[maker->count++] = instruction;
}

/* A jump leads to `to`, which comes later. Displacements count from behind the jump. */
static void aim(struct maker *maker, unsigned int jump, bool taken, unsigned int to)
{
	const uint8_t distance = (uint8_t)(to - jump - 1);

	if (taken) {
		maker->filter[jump].jt = distance;
	} else {
		maker->filter[jump].jf = distance;
	}
}

/* Other requests are allowed here; what follows is for these. */
static void put_requests(struct maker *maker, bool run_only)
{
	put(maker, LOAD(args[1]));
	if (run_only) {
		put(maker, (struct sock_filter)IF(KVM_RUN, 1, 0));
	} else {
		put(maker, (struct sock_filter)IF(KVM_RUN, 3, 0));
		put(maker, (struct sock_filter)IF(KVM_CREATE_VCPU, 2, 0));
		put(maker, (struct sock_filter)IF(KVM_CREATE_VM, 1, 0));
	}
	put(maker, (struct sock_filter)ALLOW);
}

static void put_cookie(struct maker *maker, const uint64_t cookie[3])
{
	unsigned int jumps[6], count = 0;

	for (unsigned int i = 0; i < 6; i++) {
		/* The lower half of each, then the upper one. */
		const size_t offset = offsetof(struct seccomp_data, args[3]) + 4 * (size_t)i;

		put(maker, load(offset));
		jumps[count++] = maker->count;
		put(maker, (struct sock_filter)IF((uint32_t)(cookie[i / 2] >> 32 * (i % 2)), 0, 0));
	}
	put(maker, (struct sock_filter)ALLOW);
	for (unsigned int i = 0; i < count; i++) {
		aim(maker, jumps[i], false, maker->count);
	}
	put(maker, (struct sock_filter)REFUSE);
}

unsigned int gate_make(enum exec_gate gate, const uint64_t cookie[3],
		       struct sock_filter filter[EXEC_GATE_MAX])
{
	struct maker maker = {filter, 0};
	unsigned int native, other, x32;

	put(&maker, LOAD(arch));
	native = maker.count;
	put(&maker, (struct sock_filter)IF(NATIVE, 0, 0));
	put(&maker, LOAD(nr));
	x32 = maker.count;
	put(&maker, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, X32_BIT, 0, 0));
	put(&maker, (struct sock_filter)IF(SYS_ioctl, 1, 0));
	put(&maker, (struct sock_filter)ALLOW);
	put_requests(&maker, gate == EXEC_GATE_NO_RUN);
	if (gate == EXEC_GATE_COOKIE) {
		put_cookie(&maker, cookie);
	} else {
		put(&maker, (struct sock_filter)REFUSE);
	}
	/* Other kinds of programs have no interposer. */
	other = maker.count;
	put(&maker, LOAD(nr));
	put(&maker, (struct sock_filter)IF(OTHER_IOCTL, 1, 0));
	put(&maker, (struct sock_filter)ALLOW);
	aim(&maker, native, false, other);
	aim(&maker, x32, true, maker.count);
	put_requests(&maker, false);
	put(&maker, (struct sock_filter)REFUSE);
	return maker.count;
}

bool gate_close(enum exec_gate gate, const uint64_t cookie[3], char *why, size_t size)
{
	struct sock_filter filter[EXEC_GATE_MAX];
	const struct sock_fprog program = {.len = (unsigned short)gate_make(gate, cookie, filter),
					   .filter = filter};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
		snprintf(why, size, "no_new_privs cannot be set: %s", strerror(errno));
		return false;
	}
	/* It guards no secret against speculation: the VMM need not pay for that. */
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW,
		    &program) < 0 &&
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) < 0) {
		snprintf(why, size,
			 "the kernel takes no seccomp filter (%s), which keeps a VMM without "
			 "the interposer from making VMs",
			 strerror(errno));
		return false;
	}
	return true;
}
