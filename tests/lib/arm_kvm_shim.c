/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arm_kvm.h as the kernel of a whole process: a shared object to link a VMM with, or to preload. "/dev/kvm" can be opened,
 * and ioctls on what comes of it are arm_kvm_shared()'s, also where they are made by syscall(). All else is the kernel's.
 */
#define _GNU_SOURCE
/* With it <fcntl.h> would call open() open64(), and we define both. */
#undef _FILE_OFFSET_BITS
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <sys/syscall.h>

#include "arm_kvm.h"

#define DEVICE "/dev/kvm"

#if !defined(__x86_64__) && !defined(__aarch64__)
#error "no system calls for this machine"
#endif

/* Not libc's, which is ours here. */
static long kernel(long number, const long a[6])
{
#ifdef __x86_64__
	register long r10 __asm__("r10") = a[3];
	register long r8 __asm__("r8") = a[4];
	register long r9 __asm__("r9") = a[5];
	long value = number;

	__asm__ volatile("syscall"
			 : "+a"(value)
			 : "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
#else
	register long x8 __asm__("x8") = number;
	register long value __asm__("x0") = a[0];
	register long x1 __asm__("x1") = a[1];
	register long x2 __asm__("x2") = a[2];
	register long x3 __asm__("x3") = a[3];
	register long x4 __asm__("x4") = a[4];
	register long x5 __asm__("x5") = a[5];

	__asm__ volatile("svc #0"
			 : "+r"(value)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
#endif
	if (value < 0 && value > -4096) {
		errno = (int)-value;
		return -1;
	}
	return value;
}

static long any_ioctl(const long a[6])
{
	struct arm_kvm *kvm = arm_kvm_shared();

	return arm_kvm_owns(kvm, (int)a[0])
		       ? arm_kvm_ioctl(kvm, (int)a[0], (unsigned long)a[1], (void *)a[2])
		       : kernel(SYS_ioctl, a);
}

static void take(va_list list, long *a, unsigned int count)
{
	for (unsigned int n = 0; n < count; n++) {
		a[n] = va_arg(list, long);
	}
}

long syscall(long number, ...)
{
	long a[6];
	va_list list;

	va_start(list, number);
	take(list, a, 6);
	va_end(list);
	return number == SYS_ioctl ? any_ioctl(a) : kernel(number, a);
}

int ioctl(int fd, unsigned long request, ...);
int ioctl(int fd, unsigned long request, ...)
{
	long a[6] = {fd, (long)request};
	va_list list;

	va_start(list, request);
	take(list, &a[2], 1);
	va_end(list);
	return (int)any_ioctl(a);
}

static int open_at(int directory, const char *path, int flags, int mode)
{
	const long a[6] = {directory, (long)path, flags, mode};

	return strcmp(path, DEVICE) == 0 ? arm_kvm_open(arm_kvm_shared())
					 : (int)kernel(SYS_openat, a);
}

int open(const char *path, int flags, ...)
{
	long mode;
	va_list list;

	va_start(list, flags);
	take(list, &mode, 1);
	va_end(list);
	return open_at(AT_FDCWD, path, flags, (int)mode);
}

int open64(const char *path, int flags, ...)
{
	long mode;
	va_list list;

	va_start(list, flags);
	take(list, &mode, 1);
	va_end(list);
	return open_at(AT_FDCWD, path, flags, (int)mode);
}
