/* SPDX-License-Identifier: BSD-2-Clause */
/* A made-up KVM: KVM_RUN. Signals are held back while the vCPU's thread is "in the kernel", so that none is lost between
 * looking for one and going to sleep; handlers run when it returns. */
#define _GNU_SOURCE
#include "arm_kvm_internal.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <sys/poll.h>
#include <sys/signalfd.h>

/* Signals that end this KVM_RUN. */
static bool signalled(const uint64_t held)
{
	sigset_t pending;
	uint64_t bits;

	sigpending(&pending);
	memcpy(&bits, &pending, sizeof(bits));
	return (bits & ~held) != 0;
}

/* Until somebody wakes the vCPU, or a signal comes. */
static void sleep_on(struct arm_vcpu *vcpu, uint64_t held)
{
	const uint64_t wanted = ~held;
	uint64_t ignored;
	sigset_t set;

	sigemptyset(&set);
	memcpy(&set, &wanted, sizeof(wanted));
	vcpu->signal_fd = signalfd(vcpu->signal_fd, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (vcpu->signal_fd < 0) {
		arm_die("no signalfd");
	}
	struct pollfd fds[] = {{.fd = vcpu->wake_fd, .events = POLLIN},
			       {.fd = vcpu->signal_fd, .events = POLLIN}};
	if (poll(fds, 2, -1) < 0 && errno != EINTR) {
		arm_die("poll");
	}
	if ((fds[0].revents & POLLIN) != 0 && read(vcpu->wake_fd, &ignored, sizeof(ignored)) < 0 &&
	    errno != EAGAIN) {
		arm_die("a wake-up cannot be read");
	}
}

static uint32_t mp_state(struct arm_vcpu *vcpu)
{
	pthread_mutex_lock(&vcpu->vm->power);
	const uint32_t state = vcpu->mp_state;
	pthread_mutex_unlock(&vcpu->vm->power);
	return state;
}

static bool interrupted(struct arm_vcpu *vcpu, bool take)
{
	pthread_mutex_lock(&vcpu->vm->power);
	const bool is = vcpu->interrupt;
	vcpu->interrupt = is && !take;
	pthread_mutex_unlock(&vcpu->vm->power);
	return is;
}

/* WFI is over with an interrupt, and with a signal, too: it may always end for no reason. */
static void wait_for_interrupt(struct arm_vcpu *vcpu, uint64_t held)
{
	while (!interrupted(vcpu, true) && !signalled(held) &&
	       mp_state(vcpu) == KVM_MP_STATE_RUNNABLE) {
		sleep_on(vcpu, held);
	}
}

static const struct arm_instruction *fetch(struct arm_vcpu *vcpu)
{
	struct arm_vm *vm = vcpu->vm;
	const uint64_t pc = vcpu->guest.pc;

	for (uint32_t n = 0; n < atomic_load(&vm->program_count); n++) {
		const struct arm_program *program = &vm->programs[n];

		if (pc >= program->base && (pc & 3) == 0 &&
		    (pc - program->base) / 4 < program->count) {
			return &program->instructions[(pc - program->base) / 4];
		}
	}
	return NULL;
}

static bool store(struct arm_vcpu *vcpu, const struct arm_instruction *instruction)
{
	struct kvm_run *run = vcpu->run;

	run->exit_reason = KVM_EXIT_MMIO;
	run->mmio.phys_addr = instruction->value;
	memcpy(run->mmio.data, &vcpu->guest.x[instruction->reg], sizeof(run->mmio.data));
	run->mmio.len = 8;
	run->mmio.is_write = 1;
	vcpu->mmio_needed = true; /* the PC moves on when it is done */
	return false;
}

/* One instruction. False: the guest is left, run->exit_reason says why. */
static bool step(struct arm_vcpu *vcpu, const struct arm_instruction *instruction, uint64_t held)
{
	struct arm_guest *guest = &vcpu->guest;
	const uint64_t pc = guest->pc;

	switch ((enum arm_op)instruction->op) {
	case ARM_OP_CALL:
		guest->pc += 4;
		return arm_guest_call(vcpu, (enum hvc_conduit)instruction->conduit,
				      instruction->immediate, held);
	case ARM_OP_MOV:
		guest->x[instruction->reg] = instruction->value;
		break;
	case ARM_OP_STORE:
		return store(vcpu, instruction);
	case ARM_OP_HOST:
		instruction->run(guest, instruction->context);
		guest->pc += guest->pc == pc ? 4 : 0;
		return true;
	case ARM_OP_BRANCH:
		guest->pc = instruction->value;
		return true;
	case ARM_OP_WAIT:
		if (atomic_load((atomic_uint *)instruction->context) == 0) {
			usleep(50);
			return true;
		}
		break;
	case ARM_OP_WFI:
		wait_for_interrupt(vcpu, held);
		break;
	case ARM_OP_SPIN:
		sleep_on(vcpu, held);
		return true;
	}
	guest->pc += 4;
	return true;
}

void arm_guest_wait(struct arm_vcpu *vcpu, uint64_t held)
{
	wait_for_interrupt(vcpu, held);
}

/* 0: an exit; 1: go on; or -errno. */
static int run_once(struct arm_vcpu *vcpu, uint64_t held, bool *entered)
{
	struct kvm_run *run = vcpu->run;
	const struct arm_instruction *instruction;

	if (signalled(held)) {
		run->exit_reason = KVM_EXIT_INTR;
		return -EINTR;
	}
	/* In this order: CPU_ON asks for a reset and makes it runnable at once. */
	const uint32_t state = mp_state(vcpu);
	arm_vcpu_apply_reset(vcpu);
	if (state == KVM_MP_STATE_SUSPENDED && interrupted(vcpu, false)) {
		memset(&run->system_event, 0, sizeof(run->system_event));
		run->exit_reason = KVM_EXIT_SYSTEM_EVENT;
		run->system_event.type = KVM_SYSTEM_EVENT_WAKEUP;
		return 0;
	}
	if (state != KVM_MP_STATE_RUNNABLE) {
		sleep_on(vcpu, held);
		return 1;
	}
	instruction = fetch(vcpu);
	if (instruction == NULL) {
		atomic_fetch_add(&vcpu->counts.lost, 1);
		run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
		return 0;
	}
	if (!*entered) {
		*entered = true;
		atomic_fetch_add(&vcpu->counts.runs, 1);
	}
	atomic_fetch_add(&vcpu->counts.instructions, 1);
	return step(vcpu, instruction, held) ? 1 : 0;
}

static int run_guest(struct arm_vcpu *vcpu)
{
	sigset_t all, before;
	uint64_t held;
	bool entered = false;
	int result;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	memcpy(&held, &before, sizeof(held));
	if (vcpu->masked) {
		held = vcpu->signal_mask;
	}
	atomic_store(&vcpu->running, true);
	/* Behind the mask: a handler that stores it runs before the look, or its signal is pending. */
	if (__atomic_load_n(&vcpu->run->immediate_exit, __ATOMIC_RELAXED) != 0) {
		result = -EINTR;
	} else {
		vcpu->run->exit_reason = KVM_EXIT_UNKNOWN;
		do {
			result = run_once(vcpu, held, &entered);
		} while (result > 0);
	}
	atomic_store(&vcpu->running, false);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return result;
}

/* The first KVM_RUN of any vCPU, even one that ends before the guest, closes the VM's registers and filter. */
static void first_run(struct arm_vcpu *vcpu)
{
	struct arm_vm *vm = vcpu->vm;

	if (!atomic_load(&vcpu->has_run)) {
		vcpu->runner = pthread_self();
		atomic_store(&vcpu->has_run, true);
	}
	pthread_mutex_lock(&vm->config);
	if (!vm->ran) {
		vm->ran = true;
		hvc_vm_freeze(vm->engine);
	}
	pthread_mutex_unlock(&vm->config);
}

int arm_vcpu_run(struct arm_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	if (!vcpu->initialised) {
		return -ENOEXEC;
	}
	first_run(vcpu);
	if (run->exit_reason == KVM_EXIT_MMIO && vcpu->mmio_needed) {
		vcpu->mmio_needed = false;
		vcpu->guest.pc += 4;
	}
	return run_guest(vcpu);
}
