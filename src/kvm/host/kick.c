/* SPDX-License-Identifier: BSD-2-Clause */
/* The private signal, and waiting that signals end. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <linux/futex.h>
#include <sys/syscall.h>

#include "internal.h"

/* Our mark in kvm_run.immediate_exit, for which KVM wants any number but 0. VMMs store 1. */
#define KICKED     0x80
#define WAIT_SLICE 10000000 /* ns: a signal between a look and its wait is late by so much */

/* What the handler knows of its thread. initial-exec, because a handler must not allocate. */
static _Thread_local struct {
	struct kvm_run *volatile run; /* of the vCPU that is inside */
	volatile sig_atomic_t seen;
	pid_t id; /* 0: this thread has run no vCPU */
} here __attribute__((tls_model("initial-exec")));

/* Not for the thread sanitizer: at an atomic it takes the next signal inside of this one, and leaves all of them blocked. */
__attribute__((no_sanitize("thread"))) static void on_signal(int number)
{
	struct kvm_run *run = here.run;
	uint8_t none = 0;

	(void)number;
	here.seen = 1;
	if (run != NULL) {
		__atomic_compare_exchange_n(&run->immediate_exit, &none, KICKED, false,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED);
	}
}

int kick_install(int number)
{
	/* No SA_RESTART: what the thread waits in is to end. */
	const struct sigaction ours = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
	struct sigaction before;

	if (sigaction(number, NULL, &before) != 0) {
		return errno;
	}
	if (before.sa_handler != SIG_DFL && before.sa_handler != on_signal) {
		return EBUSY;
	}
	return sigaction(number, &ours, NULL) == 0 ? 0 : errno;
}

bool kick_adopted(const struct hvc_kvm_vcpu *vcpu)
{
	return here.id != 0 && here.id == atomic_load_explicit(&vcpu->thread, memory_order_relaxed);
}

void kick_adopt(struct hvc_kvm_vcpu *vcpu)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, vcpu->vm->kvm->options.signal);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	here.id = (pid_t)syscall(SYS_gettid);
	atomic_store(&vcpu->thread, here.id);
}

void kick_enter(struct hvc_kvm_vcpu *vcpu)
{
	here.run = vcpu->run;
	atomic_store(&vcpu->inside, true);
}

static void take_back(struct kvm_run *run)
{
	uint8_t ours = KICKED;

	if (__atomic_load_n(&run->immediate_exit, __ATOMIC_RELAXED) == KICKED) {
		__atomic_compare_exchange_n(&run->immediate_exit, &ours, 0, false, __ATOMIC_RELAXED,
					    __ATOMIC_RELAXED);
	}
}

void kick_retract(const struct hvc_kvm_vcpu *vcpu)
{
	take_back(vcpu->run);
}

void kick_leave(struct hvc_kvm_vcpu *vcpu)
{
	atomic_store_explicit(&vcpu->inside, false, memory_order_release);
	here.run = NULL;
	take_back(vcpu->run);
}

void kick_vcpu(const struct hvc_kvm_vcpu *vcpu)
{
	if (atomic_load(&vcpu->inside)) {
		/* A thread that has ended meanwhile is none of this process. */
		syscall(SYS_tgkill, getpid(), atomic_load(&vcpu->thread),
			vcpu->vm->kvm->options.signal);
	}
}

bool kick_wanted(const struct hvc_kvm_vcpu *vcpu)
{
	const uint8_t value = __atomic_load_n(&vcpu->run->immediate_exit, __ATOMIC_RELAXED);

	return value != 0 && value != KICKED;
}

bool kick_seen(void)
{
	const bool seen = here.seen != 0;

	here.seen = 0;
	return seen;
}

bool wait_change(_Atomic uint32_t *word, uint32_t seen)
{
	const struct timespec slice = {.tv_nsec = WAIT_SLICE};

	kick_seen();
	return syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, &slice, NULL, 0) != 0 &&
	       errno == EINTR && !kick_seen();
}

void wake_all(_Atomic uint32_t *word)
{
	atomic_fetch_add(word, 1);
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}
