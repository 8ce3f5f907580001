/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Linux KVM for arm64 as a host of the engine: for VMMs. The kernel answers what it answers as the policy wants; its
 * registers and filter are set so; the rest leaves the kernel (KVM_EXIT_HYPERCALL) and is answered here, in the VMM's
 * process, on the vCPU's thread. Your VMM calls these functions in place of some ioctls and sees no such exit.
 *
 *   instead of                      call
 *   KVM_CREATE_VM, and right after  hvc_kvm_vm_new()
 *   KVM_CREATE_VCPU, right after    hvc_kvm_vcpu_new()
 *   KVM_ARM_VCPU_INIT               hvc_kvm_vcpu_init()
 *   KVM_RUN                         hvc_kvm_run()
 *   KVM_GET_REG_LIST                hvc_kvm_list_regs()
 *   KVM_GET/SET_ONE_REG             hvc_kvm_get_reg(), hvc_kvm_set_reg()
 *   KVM_GET/SET_MP_STATE            hvc_kvm_get_mp_state(), hvc_kvm_set_mp_state()
 *   KVM_ENABLE_CAP on the VM        hvc_kvm_enable_cap()
 *   KVM_SET_DEVICE_ATTR on the VM   hvc_kvm_set_attr()
 *
 * All other ioctls stay as they are. `hvcgate exec` does this under a VMM that does not know of it; examples/minivmm.c
 * is a VMM that does.
 *
 * No vCPU runs before the whole plan was applied and read back: hvc_kvm_run() is EPERM then, and hvc_kvm_why() says why.
 * VMs that never run are left as they were, but for the filter's ranges.
 *
 * A VMM that resets its VM sets its vCPUs up anew: KVM_ARM_VCPU_INIT of the first one after the event of SYSTEM_RESET or
 * SYSTEM_OFF, or of all of them before one runs again. What PSCI calls have set in the engine is reset then, too
 * (hvc_vm_reset()). KVM itself has no such state. The policy, what was revoked and counters stay.
 *
 * Errors are Linux errno numbers, positive, 0 is fine: the kernel's own where the kernel was asked. Beside these, as said
 * at each function: EPERM (the policy or the plan forbids it) and EINVAL (a register's value that would be lost).
 *
 * Threads: a vCPU belongs to the thread that runs it, as with KVM: its functions are called by that thread, and by another
 * one only before its first run, or while it does not run (a reset). Different vCPUs at once are fine.
 *
 * Signals: user-space PSCI runs work for a vCPU on that vCPU's own thread, which it interrupts with one real-time signal
 * (hvc_kvm_options.signal). The signal is handled here and is not in the mask of KVM_SET_SIGNAL_MASK. The VMM's own signals
 * and kvm_run.immediate_exit are never swallowed: hvc_kvm_run() is EINTR, and what was under way is done again after the
 * next hvc_kvm_run(), because the program counter is back at the call. Because signals that come together cannot be told
 * apart afterwards, it is also EINTR when KVM_RUN was ended for another vCPU's sake alone: run it again.
 *
 * Sources: Linux, Documentation/virt/kvm/api.rst (4.35 to 4.82, 5) and devices/vm.rst; PSCI DEN0022; docs/plan.md.
 */
#ifndef HVCGATE_KVM_H
#define HVCGATE_KVM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hvcgate/api.h>
#include <hvcgate/call.h>
#include <hvcgate/err.h>

#ifdef __cplusplus
extern "C" {
#endif

struct kvm_run;       /* <linux/kvm.h> */
struct kvm_vcpu_init; /* <asm/kvm.h> of arm64 */

struct hvc_kvm;      /* a plan on this host: one a process, or more; for any number of VMs */
struct hvc_kvm_vm;   /* a VM's file descriptor and its engine */
struct hvc_kvm_vcpu; /* a vCPU's */

/* Who answers forwarded calls, in words of the policy's key `handlers`. */
struct hvc_kvm_request {
	uint64_t sequence; /* of this VM, never used again in its life */
	uint32_t vm;       /* number of the VM in this process, from 0 */
	uint32_t vcpu;     /* its ID (KVM_CREATE_VCPU) */
	uint32_t id;       /* function ID, normalised */
	uint16_t fn;       /* enum hvc_fn, 0 for unknown */
	uint8_t conduit;   /* enum hvc_conduit */
	uint8_t arg_count; /* x1 to so many are arguments; the others are 0 */
	uint32_t handler;  /* index in the policy's handlers */
	struct hvc_frame frame;
};
struct hvc_kvm_reply {
	uint64_t sequence;
	uint32_t mask;    /* registers of `frame` that are the answer; bit n is xn */
	uint32_t outcome; /* enum hvc_kvm_answer */
	struct hvc_frame frame;
};
enum hvc_kvm_answer {
	HVC_KVM_ANSWERED = 0,
	HVC_KVM_FAILED, /* nobody will answer: the function's failure value */
};

/*
 * The way to handlers, the caller's. Both may be called by several threads at once.
 * send: hand a request over; false: nobody takes it, the guest reads the function's failure value.
 * receive: a reply to any request of this VM, waiting up to `timeout_ms` (0: do not wait). 1: *reply is one, and no other
 * thread gets it; 0: none yet, another thread was faster, or poke() was called since this thread's last receive: look
 * whether your answer is there, and call again (a wait may be cut short); -1: interrupted by a signal. Who takes another
 * vCPU's reply pokes when hvc_forward_reply() has it, or that one waits on.
 * Every request gets a reply in the end: who sits behind it keeps the time-outs.
 */
struct hvc_kvm_channel {
	uint32_t size; /* sizeof(struct hvc_kvm_channel) */
	bool (*send)(void *context, const struct hvc_kvm_request *request);
	int (*receive)(void *context, uint32_t vm, struct hvc_kvm_reply *reply, int timeout_ms);
	void (*poke)(void *context,
		     uint32_t vm); /* all that wait in receive return, to look again */
	void *context;
};

/* How it is used. What is 0 or NULL is the default. */
struct hvc_kvm_options {
	uint32_t size; /* sizeof(struct hvc_kvm_options) */
	int signal;    /* the private signal; 0: SIGRTMAX - 2 */
	/* System calls go through this: as ioctl(), -1 and errno. NULL: libc's. Must be callable by several threads. */
	int (*ioctl)(void *context, int fd, unsigned long request, void *argument);
	void *ioctl_context;
	const struct hvc_kvm_channel *channel; /* NULL: forwarded calls get their failure value */
	/* Told of each call that came here, after it: for traces. On the vCPU's thread; it must not call back. */
	void (*called)(void *context, const struct hvc_kvm_vcpu *vcpu,
		       const struct hvc_frame *before, const struct hvc_frame *after,
		       enum hvc_conduit conduit, enum hvc_verdict verdict);
	void *called_context;
	/* Counters: the block of each vCPU, zeroed, its size set; NULL from it, or NULL itself: not counted. */
	struct hvc_counters *(*counters)(void *context, uint32_t vm, uint32_t vcpu);
	void *counters_context;
	/* Functions that are to be shut off by now (enum hvc_fn's revocable ones, a bit each, HVC_FN_WORDS words): read
	 * with relaxed atomic loads before each call; bits are set by anybody and never cleared. NULL: none. */
	const uint64_t *revoked;
};

/*
 * A plan made for this host (`hvcgate policy compile --on`, hvc_kvm_plan_bytes()) as bytes, which stay the caller's and
 * outlive *kvm. HVC_EFAULT, HVC_EINVAL (options), HVC_EBADMSG (not a plan), HVC_ENOTSUP (of another version of hvcgate),
 * HVC_EPERM (the plan is refused: the policy cannot be enforced), HVC_ENOMEM. `why`, which may be NULL, is told.
 */
HVC_API enum hvc_err hvc_kvm_new(const void *plan, size_t bytes,
				 const struct hvc_kvm_options *options, struct hvc_kvm **kvm,
				 char *why, size_t why_size);
/* After the last VM of it is freed. NULL is fine. */
HVC_API void hvc_kvm_free(struct hvc_kvm *kvm);

/*
 * Measure this host's registers and filter in a VM that never runs, and plan the policy file for it. `from`, which may be
 * NULL, is an ABI record, a path or a built-in name (hvcgate-compat(1)): guests arrive from such a host, which had them
 * without hvcgate. *bytes is malloc()ed. HVC_EIO (no KVM), HVC_EINVAL (the policy; the move is impossible), HVC_EPERM (it
 * cannot be enforced here and the policy does not allow that), HVC_ENOMEM: `why` has the lines to print.
 */
HVC_API enum hvc_err hvc_kvm_plan_bytes(const char *policy, const char *from, void **bytes,
					size_t *size, char *why, size_t why_size);

/* A VM just made: ranges of the filter are set now. Not a protected one (KVM_CREATE_VM's type, bit 31), which has no filter
 * and whose calls EL2 answers in part: the descriptor does not tell, and a plan without ranges would seem to fit. The
 * descriptor stays the caller's, who closes it after hvc_kvm_vm_free(). NULL: errno says (ENOMEM, or the kernel's), hvc_kvm_why() in words. */
HVC_API struct hvc_kvm_vm *hvc_kvm_vm_new(struct hvc_kvm *kvm, int vm_fd);
HVC_API void hvc_kvm_vm_free(struct hvc_kvm_vm *vm); /* after its vCPUs; NULL is fine */
/* KVM_ENABLE_CAP, KVM_SET_DEVICE_ATTR. EPERM: the policy's own filter would be changed. KVM_CAP_ARM_SYSTEM_SUSPEND is
 * noted and not enabled in the kernel: SYSTEM_SUSPEND, where the policy has it, is answered here. */
HVC_API int hvc_kvm_enable_cap(struct hvc_kvm_vm *vm, const void *kvm_enable_cap);
HVC_API int hvc_kvm_set_attr(struct hvc_kvm_vm *vm, const void *kvm_device_attr);

/* A vCPU just made; `run` is its mapping, and may be given later, before the first hvc_kvm_run(), by
 * hvc_kvm_vcpu_set_run(). NULL: ENOMEM, or more than 512 vCPUs (E2BIG). */
HVC_API struct hvc_kvm_vcpu *hvc_kvm_vcpu_new(struct hvc_kvm_vm *vm, uint32_t id, int vcpu_fd,
					      struct kvm_run *run);
HVC_API void hvc_kvm_vcpu_set_run(struct hvc_kvm_vcpu *vcpu, struct kvm_run *run);
HVC_API void
hvc_kvm_vcpu_free(struct hvc_kvm_vcpu *vcpu); /* it does not run any more; NULL is fine */

/* KVM_ARM_VCPU_INIT; its features are kept, for CPU_ON. EPERM: features that the plan is not for. */
HVC_API int hvc_kvm_vcpu_init(struct hvc_kvm_vcpu *vcpu, const struct kvm_vcpu_init *init);
/* KVM_RUN. On 0 kvm_run has an exit for the VMM. EPERM: the plan is not applied; EINTR: a signal, or immediate_exit. */
HVC_API int hvc_kvm_run(struct hvc_kvm_vcpu *vcpu);

/* KVM_GET_REG_LIST as the policy shows it: without what is hidden, with what travels. `list` is struct kvm_reg_list.
 * E2BIG as in KVM. IDs ascend, which the kernel's own list does not. */
HVC_API int hvc_kvm_list_regs(struct hvc_kvm_vcpu *vcpu, void *list);
/*
 * KVM_GET/SET_ONE_REG; `value` has the size that the ID says. Registers of the plan: read back as the guest finds them; set
 * to the same value they are fine, to another EINVAL. Registers that exist at the other end of a move only: fine with the
 * value that means nothing, else EINVAL. Registers that travel: the policy's digest (EPERM: another policy; hvc_kvm_why()
 * has both digests) and the engine's state; reading them waits for the answers of handlers that are outstanding.
 */
HVC_API int hvc_kvm_get_reg(struct hvc_kvm_vcpu *vcpu, uint64_t id, void *value);
HVC_API int hvc_kvm_set_reg(struct hvc_kvm_vcpu *vcpu, uint64_t id, const void *value);
/* KVM_GET/SET_MP_STATE: the only place where a vCPU's power state is. */
HVC_API int hvc_kvm_get_mp_state(struct hvc_kvm_vcpu *vcpu, uint32_t *state);
HVC_API int hvc_kvm_set_mp_state(struct hvc_kvm_vcpu *vcpu, uint32_t state);

/* A line that says why the last EPERM or EINVAL of ours of this thread was, or ""; constant until its next call. */
HVC_API const char *hvc_kvm_why(void);

#ifdef __cplusplus
}
#endif
#endif
