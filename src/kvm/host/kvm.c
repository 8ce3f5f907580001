/* SPDX-License-Identifier: BSD-2-Clause */
/* A plan in use, system calls, and the reason of the last refusal. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include <sys/ioctl.h>

#include "internal.h"

static _Thread_local char last_why[256];

const char *hvc_kvm_why(void)
{
	return last_why;
}

int because(int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(last_why, sizeof(last_why), format, args);
	va_end(args);
	return error;
}

int sys_value(const struct hvc_kvm *kvm, int fd, unsigned long request, void *argument)
{
	int value = kvm->options.ioctl
			    ? kvm->options.ioctl(kvm->options.ioctl_context, fd, request, argument)
			    : ioctl(fd, request, argument);

	return value < 0 ? -errno : value;
}

int sys(const struct hvc_kvm *kvm, int fd, unsigned long request, void *argument)
{
	int value = sys_value(kvm, fd, request, argument);

	return value < 0 ? -value : 0;
}
