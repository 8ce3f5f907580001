/* SPDX-License-Identifier: BSD-2-Clause */
/* KVM_RUN. What is not ours passes through: no lock, no allocation, no further system call. */
#include <errno.h>

#include "internal.h"

/* The first run of a VM, of a vCPU, of a thread. */
static int prepare(struct hvc_kvm_vcpu *vcpu)
{
	struct hvc_kvm_vm *vm = vcpu->vm;
	int error = 0;

	if (vcpu->run == NULL) {
		return because(EFAULT, "the mapping of vCPU %u is not known", vcpu->id);
	}
	pthread_mutex_lock(&vm->lock);
	if (!atomic_load(&vm->applied)) {
		error = apply_finish(vm);
	}
	pthread_mutex_unlock(&vm->lock);
	if (error == 0 && vcpu->engine == NULL) {
		error = because(EPERM, "vCPU %u was made after the VM had run", vcpu->id);
	}
	if (error == 0) {
		pthread_mutex_lock(&vm->work_lock);
		kick_adopt(vcpu);
		pthread_mutex_unlock(&vm->work_lock);
	}
	return error;
}

/* An exit: CALL_AGAIN if it is ours and done with. */
static int take_exit(struct hvc_kvm_vcpu *vcpu)
{
	int error;

	switch (vcpu->run->exit_reason) {
	case KVM_EXIT_HYPERCALL:
		error = call_exit(vcpu);
		break;
	case KVM_EXIT_SYSTEM_EVENT:
		error = power_event(vcpu);
		break;
	default:
		return 0;
	}
	if (error == 0 && vcpu->run->exit_reason == KVM_EXIT_SYSTEM_EVENT) {
		reset_event(vcpu);
	}
	return error;
}

static int run(struct hvc_kvm_vcpu *vcpu)
{
	int error;

	do {
		if (atomic_load(&vcpu->todo)) {
			kick_retract(vcpu);
			work_do(vcpu);
			if (vcpu->called_away) {
				return CALL_AGAIN;
			}
		}
		error = sys(vcpu->vm->kvm, vcpu->fd, KVM_RUN, NULL);
		if (error == 0) {
			error = take_exit(vcpu);
		}
	} while (error == CALL_AGAIN && !vcpu->called_away);
	return error;
}

/* Between two runs: others wait for what they asked for, and the VMM for its EINTR. */
static int leave(struct hvc_kvm_vcpu *vcpu, int error)
{
	if ((error == EINTR || error == CALL_AGAIN) && atomic_load(&vcpu->todo)) {
		work_do(vcpu);
	}
	if (vcpu->called_away) {
		vcpu->called_away = false;
		error = error == CALL_AGAIN ? EINTR : error;
	}
	return error;
}

int hvc_kvm_run(struct hvc_kvm_vcpu *vcpu)
{
	int error;

	/* Who runs it has been through prepare(), after which its VM's plan is applied. */
	if (!kick_adopted(vcpu)) {
		error = prepare(vcpu);
		if (error != 0) {
			return error;
		}
	}
	reset_over(vcpu->vm);
	kick_enter(vcpu);
	error = travel_forget(vcpu->vm);
	if (error == 0) {
		atomic_store_explicit(&vcpu->left, false, memory_order_relaxed);
		error = leave(vcpu, run(vcpu));
	}
	kick_leave(vcpu);
	return error;
}
