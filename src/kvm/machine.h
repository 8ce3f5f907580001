/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A tiny machine on Linux KVM for arm64: some vCPUs, one page of code that makes calls, and every ioctl a VMM uses
 * for hypercalls, with the kernel's own errors. `probe` measures with it, scenarios run on it.
 *
 * Only where Linux runs on arm64. One thread of a process uses machines. Errors are Linux errno numbers (positive, 0 fine):
 * these are the kernel's answers and what is measured. What must work for a machine to exist at all (memory, /dev/kvm)
 * is said in `why` when kvm_machine_new() fails.
 */
#ifndef HVCGATE_KVM_MACHINE_H
#define HVCGATE_KVM_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hvcgate/call.h>

#define KVM_MACHINE_CPUS 8

struct kvm_machine_config {
	unsigned int cpus; /* 1 to KVM_MACHINE_CPUS; all but CPU 0 start powered off */
	bool psci_0_2;     /* the vCPU feature */
	bool system_suspend; /* enable KVM_CAP_ARM_SYSTEM_SUSPEND; kernels without it: false is returned */
	bool no_init; /* vCPUs are made, but KVM_ARM_VCPU_INIT is not done: errors before it */
	uint64_t
		stolen_time; /* IPA of CPU 0's stolen-time record, CPU n's 64 n above it; 0: none */
};

struct kvm_machine;

/* Is /dev/kvm there and arm64's? Else why not. */
bool kvm_machine_possible(char *why, size_t size);
struct kvm_machine *kvm_machine_new(const struct kvm_machine_config *config, char *why,
				    size_t size);
void kvm_machine_free(struct kvm_machine *machine);

/* --- ioctls, errors as they come. */
int kvm_machine_get_reg(struct kvm_machine *machine, unsigned int cpu, uint64_t id, void *value);
int kvm_machine_set_reg(struct kvm_machine *machine, unsigned int cpu, uint64_t id,
			const void *value);
/* The whole list of a vCPU; free() it. E2BIG is dealt with. */
int kvm_machine_list_regs(struct kvm_machine *machine, unsigned int cpu, uint64_t **ids,
			  size_t *count);
/* KVM_SET_DEVICE_ATTR and KVM_HAS_DEVICE_ATTR on the VM. */
int kvm_machine_set_attr(struct kvm_machine *machine, uint32_t group, uint64_t attr,
			 const void *data);
int kvm_machine_has_attr(struct kvm_machine *machine, uint32_t group, uint64_t attr);
/* KVM_CHECK_EXTENSION on the VM; the number, 0 for none. */
int kvm_machine_cap(struct kvm_machine *machine, unsigned int cap);
/* KVM_GET_MP_STATE: runnable 0, stopped 5, suspended 10. */
int kvm_machine_mp_state(struct kvm_machine *machine, unsigned int cpu, uint32_t *state);

/* --- Running. */
enum kvm_stop_kind {
	KVM_STOP_DONE,         /* the call is over: x0 to x17 are in the frame */
	KVM_STOP_HYPERCALL,    /* KVM_EXIT_HYPERCALL: nr, flags, args_clean, pc_after */
	KVM_STOP_SYSTEM_EVENT, /* KVM_EXIT_SYSTEM_EVENT: event, event_data */
	KVM_STOP_OFF,          /* the vCPU stopped itself (CPU_OFF) */
	KVM_STOP_BLOCKED,      /* the vCPU waits for an interrupt */
	KVM_STOP_ERRNO,        /* KVM_RUN failed: error */
	KVM_STOP_OTHER         /* an exit nobody expects: exit_reason */
};
struct kvm_stop {
	enum kvm_stop_kind kind;
	uint64_t nr, flags;   /* HYPERCALL */
	bool args_clean;      /* HYPERCALL: args[] and ret are zero */
	bool pc_after;        /* the program counter is behind the call instruction */
	uint32_t event;       /* SYSTEM_EVENT: 1 shutdown, 2 reset, 4 wake-up, 5 suspend */
	uint32_t event_count; /* SYSTEM_EVENT: ndata (0 where the kernel has none) */
	uint64_t event_data;  /* SYSTEM_EVENT: data[0], or the older `flags` */
	int error;            /* ERRNO */
	uint32_t exit_reason;
};
/*
 * CPU `cpu` makes a call with x0..x17 of `frame` and runs until something stops it; then `frame` has its registers,
 * whatever stopped it. Immediate is any 16-bit number. A BLOCKED or OFF vCPU is found by looking at what its thread
 * does, not by a clock that a slow machine could outrun. To find that out ends the kernel's wait, as every signal does:
 * a BLOCKED vCPU has its result already. A vCPU that is off does not run: OFF with exit_reason 0. False for ERRNO and
 * OTHER.
 */
bool kvm_machine_call(struct kvm_machine *machine, unsigned int cpu, enum hvc_conduit conduit,
		      uint16_t immediate, struct hvc_frame *frame, struct kvm_stop *stop);
/* After HYPERCALL or SYSTEM_EVENT: go on behind the call, with those registers of `frame` whose bit is set in `mask`
 * written before; vCPUs that an event stopped are made runnable. Registers into `frame` again. */
bool kvm_machine_go_on(struct kvm_machine *machine, unsigned int cpu, struct hvc_frame *frame,
		       uint32_t mask, struct kvm_stop *stop);
/* A CPU that CPU_ON was successful for runs to its label: `pc` and x0 as it arrives there. */
uint64_t kvm_machine_label(unsigned int cpu); /* guest-physical address: SCN_ENTRY_ADDRESS(cpu) */
/* What CPU_ON set is read before the CPU runs, so that an entry elsewhere is seen, too: then it does not run.
 * False, stop OFF or OTHER: nothing turned it on since it last arrived. A call or a wake does this first by itself. */
bool kvm_machine_arrive(struct kvm_machine *machine, unsigned int cpu, uint64_t *pc, uint64_t *x0,
			struct kvm_stop *stop);
/* An interrupt for a CPU that was found BLOCKED: it goes on behind its call. */
bool kvm_machine_wake(struct kvm_machine *machine, unsigned int cpu, struct hvc_frame *frame,
		      struct kvm_stop *stop);
/*
 * What a VMM does for a CPU whose SYSTEM_SUSPEND is an event: it is reset, to begin at `entry` with `context` in x0;
 * KVM keeps it asleep (KVM_MP_STATE_SUSPENDED), which is seen; an interrupt makes KVM say so (event 4), and then it
 * runs to its label as in kvm_machine_arrive(). False: `stop` is what came instead.
 */
bool kvm_machine_wake_up(struct kvm_machine *machine, unsigned int cpu, uint64_t entry,
			 uint64_t context, uint64_t *pc, uint64_t *x0, struct kvm_stop *stop);

#endif
