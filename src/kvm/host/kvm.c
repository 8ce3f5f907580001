/* SPDX-License-Identifier: BSD-2-Clause */
/* A plan in use, system calls, and the reason of the last refusal. */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

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

/* --- System calls. */
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

int sys_get(const struct hvc_kvm_vcpu *vcpu, uint64_t id, uint64_t *value)
{
	struct kvm_one_reg reg = {.id = id, .addr = (uintptr_t)value};

	return sys(vcpu->vm->kvm, vcpu->fd, KVM_GET_ONE_REG, &reg);
}

int sys_set(const struct hvc_kvm_vcpu *vcpu, uint64_t id, uint64_t value)
{
	struct kvm_one_reg reg = {.id = id, .addr = (uintptr_t)&value};

	return sys(vcpu->vm->kvm, vcpu->fd, KVM_SET_ONE_REG, &reg);
}

/* --- A plan in use. */
static enum hvc_err refuse(char *why, size_t size, enum hvc_err err, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static enum hvc_err refuse(char *why, size_t size, enum hvc_err err, const char *format, ...)
{
	va_list args;

	if (why != NULL && size != 0) {
		va_start(args, format);
		vsnprintf(why, size, format, args);
		va_end(args);
	}
	return err;
}

static bool options_valid(const struct hvc_kvm_options *options)
{
	const struct hvc_kvm_channel *channel = options->channel;

	return options->size == sizeof(*options) && options->signal >= 0 &&
	       (options->signal == 0 ||
		(options->signal >= SIGRTMIN && options->signal <= SIGRTMAX)) &&
	       (channel == NULL || (channel->size == sizeof(*channel) && channel->send != NULL &&
				    channel->receive != NULL && channel->poke != NULL));
}

static enum hvc_err check_plan(struct hvc_kvm *made, const void *plan, size_t bytes, char *why,
			       size_t why_size)
{
	const char *what = "";
	enum hvc_err err = plan_bytes_check(plan, bytes, &made->plan, &what);

	if (err == HVC_ENOTSUP) {
		return refuse(why, why_size, err,
			      "the plan was made by another version of hvcgate: make it again");
	}
	return err == HVC_OK ? err : refuse(why, why_size, err, "this is no plan: %s", what);
}

enum hvc_err hvc_kvm_new(const void *plan, size_t bytes, const struct hvc_kvm_options *options,
			 struct hvc_kvm **kvm, char *why, size_t why_size)
{
	struct hvc_kvm *made;
	enum hvc_err err;

	if (plan == NULL || kvm == NULL) {
		return refuse(why, why_size, HVC_EFAULT, "no plan, or nowhere to put it");
	}
	if (options != NULL && !options_valid(options)) {
		return refuse(why, why_size, HVC_EINVAL,
			      "options: their size, the channel's, or the signal (%d to %d)",
			      SIGRTMIN, SIGRTMAX);
	}
	made = calloc(1, sizeof(*made));
	if (made == NULL) {
		return refuse(why, why_size, HVC_ENOMEM, "no memory");
	}
	if (options != NULL) {
		made->options = *options;
	}
	if (made->options.signal == 0) {
		made->options.signal = SIGRTMAX - 2;
	}
	err = check_plan(made, plan, bytes, why, why_size);
	if (err == HVC_OK && kick_install(made->options.signal) != 0) {
		err = refuse(why, why_size, HVC_EINVAL, "signal %d cannot be had, or is in use",
			     made->options.signal);
	}
	if (err != HVC_OK) {
		free(made);
		return err;
	}
	*kvm = made;
	return HVC_OK;
}

void hvc_kvm_free(struct hvc_kvm *kvm)
{
	free(kvm);
}
