/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls that a vCPU makes, up to what stops it. */
#include <errno.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "internal.h"

/* As of Linux 6.4 and 5.19; the headers may be older. */
struct hypercall_exit {
	uint64_t nr, args[6], ret, flags;
};
struct event_exit {
	uint32_t type, count;
	uint64_t data; /* data[0], or before 5.19 the flags */
};

#define ALL_REGS ((1u << HVC_FRAME_REGS) - 1)

static bool failed(struct kvm_stop *stop, int error)
{
	stop->kind = KVM_STOP_ERRNO;
	stop->error = error;
	return false;
}

static int set_core(const struct vcpu *vcpu, unsigned int n, uint64_t value)
{
	const struct kvm_one_reg reg = {.id = CORE_REG(n), .addr = (uintptr_t)&value};

	return ioctl(vcpu->fd, KVM_SET_ONE_REG, &reg) < 0 ? errno : 0;
}

static int get_core(const struct vcpu *vcpu, unsigned int n, uint64_t *value)
{
	const struct kvm_one_reg reg = {.id = CORE_REG(n), .addr = (uintptr_t)value};

	return ioctl(vcpu->fd, KVM_GET_ONE_REG, &reg) < 0 ? errno : 0;
}

static int map_run(const struct kvm_machine *machine, struct vcpu *vcpu)
{
	if (vcpu->run != NULL) {
		return 0;
	}
	void *run = mmap(NULL, machine->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (run == MAP_FAILED) {
		return errno;
	}
	vcpu->run = run;
	return 0;
}

/* KVM completes a store that was an exit at the next KVM_RUN, by moving PC on: before PC is set, then. */
static int complete_exit(struct vcpu *vcpu)
{
	vcpu->run->immediate_exit = 1;
	const int result = ioctl(vcpu->fd, KVM_RUN, 0);
	const int error = result < 0 ? errno : 0;
	vcpu->run->immediate_exit = 0;
	vcpu->at = AT_NOWHERE;
	return error == EINTR ? 0 : error;
}

/* The vCPU's next instruction is the one at `address`. */
static int place(struct vcpu *vcpu, uint64_t address)
{
	int error = 0;

	if (vcpu->known && vcpu->at == AT_EXIT) {
		error = vcpu->next == address ? 0 : set_core(vcpu, REG_NEXT, address);
	} else {
		if (vcpu->at == AT_EXIT) {
			error = complete_exit(vcpu);
		}
		if (error == 0 && !vcpu->known) {
			error = set_core(vcpu, REG_EXIT, EXIT_ADDRESS);
		}
		if (error == 0) {
			error = set_core(vcpu, REG_NEXT, address);
		}
		if (error == 0) {
			error = set_core(vcpu, REG_PC, address);
		}
		vcpu->at = IN_CALL;
	}
	vcpu->next = address;
	vcpu->call = address;
	return error;
}

/* Registers of `frame` that are in `mask` and not what they are already. */
static int write_frame(struct vcpu *vcpu, const struct hvc_frame *frame, uint32_t mask)
{
	for (unsigned int n = 0; n < HVC_FRAME_REGS; n++) {
		if ((mask >> n & 1) == 0 || (vcpu->known && vcpu->shadow.x[n] == frame->x[n])) {
			continue;
		}
		const int error = set_core(vcpu, n, frame->x[n]);
		if (error != 0) {
			return error;
		}
		vcpu->shadow.x[n] = frame->x[n];
	}
	return 0;
}

static int read_frame(struct vcpu *vcpu, struct hvc_frame *frame)
{
	for (unsigned int n = 0; n < HVC_FRAME_REGS; n++) {
		const int error = get_core(vcpu, n, &frame->x[n]);

		if (error != 0) {
			return error;
		}
	}
	vcpu->shadow = *frame;
	return 0;
}

static void take_hypercall(const struct kvm_run *run, struct kvm_stop *stop)
{
	struct hypercall_exit was;

	memcpy(&was, &run->hypercall, sizeof(was));
	stop->kind = KVM_STOP_HYPERCALL;
	stop->nr = was.nr;
	stop->flags = was.flags;
	stop->args_clean = was.ret == 0;
	for (size_t i = 0; i < sizeof(was.args) / sizeof(was.args[0]); i++) {
		stop->args_clean = stop->args_clean && was.args[i] == 0;
	}
}

/* A system event but a suspend or wake-up has stopped all vCPUs. */
static void take_event(struct kvm_machine *machine, const struct kvm_run *run,
		       struct kvm_stop *stop)
{
	struct event_exit was;

	memcpy(&was, &run->system_event, sizeof(was));
	stop->kind = KVM_STOP_SYSTEM_EVENT;
	stop->event = was.type;
	stop->event_count = machine->event_data ? was.count : 0;
	stop->event_data = machine->event_data && was.count == 0 ? 0 : was.data;
	for (unsigned int cpu = 0; cpu < machine->cpus; cpu++) {
		struct vcpu *vcpu = &machine->vcpu[cpu];
		uint32_t state = KVM_MP_STATE_RUNNABLE;

		if (!vcpu->off && kvm_machine_mp_state(machine, cpu, &state) == 0 &&
		    state == KVM_MP_STATE_STOPPED) {
			vcpu->off = true;
			vcpu->event_stopped = true;
		}
	}
}

static void take_exit(struct kvm_machine *machine, struct vcpu *vcpu, struct kvm_stop *stop)
{
	const struct kvm_run *run = vcpu->run;

	stop->exit_reason = run->exit_reason;
	if (run->exit_reason == KVM_EXIT_MMIO && run->mmio.is_write &&
	    run->mmio.phys_addr == EXIT_ADDRESS) {
		stop->kind = KVM_STOP_DONE;
		stop->pc_after = true;
		vcpu->at = AT_EXIT;
	} else if (run->exit_reason == KVM_EXIT_HYPERCALL) {
		take_hypercall(run, stop);
	} else if (run->exit_reason == KVM_EXIT_SYSTEM_EVENT) {
		take_event(machine, run, stop);
	} else {
		stop->kind = KVM_STOP_OTHER;
		vcpu->known = false;
	}
}

/* A signal of the watcher ended KVM_RUN: the vCPU sleeps, or does not come to an end. */
static void take_finding(struct kvm_machine *machine, unsigned int cpu, enum watch_finding found,
			 struct kvm_stop *stop)
{
	struct vcpu *vcpu = &machine->vcpu[cpu];
	uint32_t state = KVM_MP_STATE_RUNNABLE;

	stop->exit_reason = KVM_EXIT_INTR;
	if (found == WATCH_ENDLESS) {
		stop->kind = KVM_STOP_OTHER;
		vcpu->known = false;
		return;
	}
	(void)kvm_machine_mp_state(machine, cpu, &state);
	vcpu->off = state == KVM_MP_STATE_STOPPED;
	stop->kind = vcpu->off ? KVM_STOP_OFF : KVM_STOP_BLOCKED;
}

static bool enter(struct kvm_machine *machine, unsigned int cpu, struct kvm_stop *stop)
{
	struct vcpu *vcpu = &machine->vcpu[cpu];

	memset(stop, 0, sizeof(*stop));
	vcpu->at = IN_CALL;
	for (;;) {
		kvm_watch_begin();
		const int result = ioctl(vcpu->fd, KVM_RUN, 0);
		const int error = result < 0 ? errno : 0;
		const enum watch_finding found = kvm_watch_end();

		if (error == 0) {
			take_exit(machine, vcpu, stop);
			return stop->kind != KVM_STOP_OTHER;
		}
		if (error != EINTR) {
			vcpu->known = false;
			return failed(stop, error);
		}
		if (found != WATCH_NOTHING) { /* else: some other signal */
			take_finding(machine, cpu, found, stop);
			return stop->kind != KVM_STOP_OTHER;
		}
	}
}

/* CPUs that the call has turned on: known before a system event stops all of them. */
static void see_who_is_on(struct kvm_machine *machine)
{
	for (unsigned int cpu = 0; cpu < machine->cpus; cpu++) {
		struct vcpu *vcpu = &machine->vcpu[cpu];
		uint32_t state = KVM_MP_STATE_STOPPED;

		if (vcpu->off && !vcpu->event_stopped &&
		    kvm_machine_mp_state(machine, cpu, &state) == 0 &&
		    state != KVM_MP_STATE_STOPPED) {
			vcpu->off = false;
			vcpu->reset_pending = true;
		}
	}
}

/* Run, and what there is to know afterwards. */
static bool run(struct kvm_machine *machine, unsigned int cpu, struct hvc_frame *frame,
		struct kvm_stop *stop)
{
	struct vcpu *vcpu = &machine->vcpu[cpu];
	const bool fine = enter(machine, cpu, stop);
	uint64_t pc = 0;

	if (stop->kind == KVM_STOP_ERRNO) {
		return false;
	}
	int error = read_frame(vcpu, frame);
	if (error == 0 && stop->kind != KVM_STOP_DONE) {
		error = get_core(vcpu, REG_PC, &pc);
		stop->pc_after = pc == vcpu->call + sizeof(uint32_t);
	}
	if (stop->kind == KVM_STOP_DONE && frame->x[0] == 0) {
		see_who_is_on(machine);
	}
	return error == 0 ? fine : failed(stop, error);
}

static int ready(struct kvm_machine *machine, unsigned int cpu)
{
	if (cpu >= machine->cpus) {
		return EINVAL;
	}
	const int error = kvm_watch_start();
	return error != 0 ? error : map_run(machine, &machine->vcpu[cpu]);
}

/* Is it off? Looked at again where it was. */
static bool is_off(struct kvm_machine *machine, unsigned int cpu)
{
	if (machine->vcpu[cpu].off) {
		see_who_is_on(machine);
	}
	return machine->vcpu[cpu].off;
}

/* The vCPU was reset and not run since: what it will begin with, then its first instructions if they are ours. */
static bool begin(struct kvm_machine *machine, unsigned int cpu, uint64_t *pc, uint64_t *x0,
		  struct kvm_stop *stop)
{
	struct vcpu *vcpu = &machine->vcpu[cpu];
	/* Reading a register does the reset that CPU_ON asked for (Linux 5.14, and the stable ones). */
	int error = get_core(vcpu, REG_PC, pc);

	if (error == 0) {
		error = get_core(vcpu, 0, x0);
	}
	if (error != 0) {
		return failed(stop, error);
	}
	memset(&vcpu->shadow, 0, sizeof(vcpu->shadow));
	vcpu->shadow.x[0] = *x0;
	vcpu->next = 0;
	vcpu->known = true;
	for (unsigned int n = 0; n < KVM_MACHINE_CPUS; n++) {
		if (*pc == kvm_machine_label(n)) {
			return enter(machine, cpu, stop);
		}
	}
	/* Where there is no code of ours it would never come to an end. It is there, that is all. */
	vcpu->at = AT_NOWHERE;
	stop->kind = KVM_STOP_DONE;
	return true;
}

bool kvm_machine_arrive(struct kvm_machine *machine, unsigned int cpu, uint64_t *pc, uint64_t *x0,
			struct kvm_stop *stop)
{
	const int error = ready(machine, cpu);

	memset(stop, 0, sizeof(*stop));
	if (error != 0) {
		return failed(stop, error);
	}
	struct vcpu *vcpu = &machine->vcpu[cpu];
	if (is_off(machine, cpu) || !vcpu->reset_pending) {
		stop->kind = vcpu->off ? KVM_STOP_OFF : KVM_STOP_OTHER;
		return false;
	}
	vcpu->reset_pending = false;
	return begin(machine, cpu, pc, x0, stop);
}

bool kvm_machine_call(struct kvm_machine *machine, unsigned int cpu, enum hvc_conduit conduit,
		      uint16_t immediate, struct hvc_frame *frame, struct kvm_stop *stop)
{
	int error = ready(machine, cpu);

	memset(stop, 0, sizeof(*stop));
	if (error != 0) {
		return failed(stop, error);
	}
	struct vcpu *vcpu = &machine->vcpu[cpu];
	if (is_off(machine, cpu)) {
		stop->kind = KVM_STOP_OFF;
		return true;
	}
	if (vcpu->reset_pending) { /* it would undo what is set now */
		uint64_t pc, x0;

		if (!kvm_machine_arrive(machine, cpu, &pc, &x0, stop)) {
			return false;
		}
	}
	error = place(vcpu, kvm_code_call(machine, conduit, immediate));
	if (error == 0) {
		error = write_frame(vcpu, frame, ALL_REGS);
	}
	if (error != 0) {
		vcpu->known = false;
		return failed(stop, error);
	}
	vcpu->known = true;
	return run(machine, cpu, frame, stop);
}

bool kvm_machine_go_on(struct kvm_machine *machine, unsigned int cpu, struct hvc_frame *frame,
		       uint32_t mask, struct kvm_stop *stop)
{
	int error = ready(machine, cpu);

	for (unsigned int n = 0; error == 0 && n < machine->cpus; n++) {
		struct vcpu *vcpu = &machine->vcpu[n];

		if (vcpu->event_stopped) {
			error = kvm_set_mp_state(machine, n, KVM_MP_STATE_RUNNABLE);
			vcpu->off = false;
			vcpu->event_stopped = false;
		}
	}
	if (error == 0) {
		error = write_frame(&machine->vcpu[cpu], frame, mask);
	}
	if (error != 0) {
		memset(stop, 0, sizeof(*stop));
		return failed(stop, error);
	}
	return run(machine, cpu, frame, stop);
}

static int set_line(struct kvm_machine *machine, unsigned int cpu, bool on)
{
	const struct kvm_irq_level line = {
		.irq = (uint32_t)KVM_ARM_IRQ_TYPE_CPU << KVM_ARM_IRQ_TYPE_SHIFT |
		       cpu << KVM_ARM_IRQ_VCPU_SHIFT | KVM_ARM_IRQ_CPU_IRQ,
		.level = on ? 1 : 0};

	return ioctl(machine->vm, KVM_IRQ_LINE, &line) < 0 ? errno : 0;
}

bool kvm_machine_wake(struct kvm_machine *machine, unsigned int cpu, struct hvc_frame *frame,
		      struct kvm_stop *stop)
{
	int error = ready(machine, cpu);

	if (error == 0) {
		error = set_line(machine, cpu, true);
	}
	memset(stop, 0, sizeof(*stop));
	if (error != 0) {
		return failed(stop, error);
	}
	const bool fine = run(machine, cpu, frame, stop);
	error = set_line(machine, cpu, false);
	return error == 0 ? fine : failed(stop, error);
}

/* Reset, then asleep until an interrupt comes. */
static int suspend(struct kvm_machine *machine, unsigned int cpu, uint64_t entry, uint64_t context)
{
	int error = kvm_vcpu_init(machine, cpu, false);

	if (error == 0) {
		error = set_core(&machine->vcpu[cpu], REG_PC, entry);
	}
	if (error == 0) {
		error = set_core(&machine->vcpu[cpu], 0, context);
	}
	return error == 0 ? kvm_set_mp_state(machine, cpu, KVM_MP_STATE_SUSPENDED) : error;
}

bool kvm_machine_wake_up(struct kvm_machine *machine, unsigned int cpu, uint64_t entry,
			 uint64_t context, uint64_t *pc, uint64_t *x0, struct kvm_stop *stop)
{
	int error = ready(machine, cpu);

	memset(stop, 0, sizeof(*stop));
	if (error == 0) {
		error = suspend(machine, cpu, entry, context);
	}
	if (error != 0) {
		return failed(stop, error);
	}
	enter(machine, cpu, stop);
	if (stop->kind != KVM_STOP_BLOCKED) {
		return false;
	}
	error = set_line(machine, cpu, true);
	if (error == 0) {
		enter(machine, cpu, stop);
		error = set_line(machine, cpu, false);
	}
	if (error == 0 && stop->kind == KVM_STOP_SYSTEM_EVENT &&
	    stop->event == KVM_SYSTEM_EVENT_WAKEUP) {
		error = kvm_set_mp_state(machine, cpu, KVM_MP_STATE_RUNNABLE);
		return error == 0 ? begin(machine, cpu, pc, x0, stop) : failed(stop, error);
	}
	return error == 0 ? false : failed(stop, error);
}
