/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An arm64 Linux KVM that is made up: in this process, on any machine. For tests of what is written for KVM, and for VMMs
 * that only want a /dev/kvm to be there.
 *
 * arm_kvm_ioctl() takes the place of ioctl(). Descriptors are real ones (memfd), so that dup(), fcntl(), close() and, of a
 * vCPU, mmap() work as they do; a VM is known by its inode, whatever number a descriptor has. Errors, and the order of
 * checks, are KVM's (docs/kvm-facts.md); feature registers, the filter and the calls that the kernel answers are the
 * engine's, under the profile of a kernel ("linux-6.12"), which is held against records of real ones. Power states and the
 * vCPU's lock are this file's own: an ioctl on a vCPU waits while another thread has it in KVM_RUN, and is counted as
 * `foreign`. Signals end KVM_RUN as they do there: those that come before the guest is left are not lost, and handlers run
 * when it returns.
 *
 * The guest is a list of instructions at an address of the VM; the program counter is real: a call is behind its
 * instruction when it leaves the kernel, and is made again if the VMM moves it back by 4.
 *
 * As the kernel of a whole process: link a VMM with libarm-kvm-shim.so (arm_kvm_shim.c; arm_kvm_shim_dep), or preload it,
 * behind whatever else is preloaded. It has open(), ioctl() and syscall() for "/dev/kvm", which is arm_kvm_shared(); the
 * VMM gives its guest a program by arm_kvm_load(arm_kvm_shared(), ...).
 *
 * What cannot work here is a bug of the test: it aborts.
 */
#ifndef TESTS_ARM_KVM_H
#define TESTS_ARM_KVM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hvcgate/call.h>

struct arm_kvm;

/* One vCPU's registers, for ARM_HOST. */
struct arm_guest {
	uint64_t x[31], pc, pstate;
	uint64_t sp;   /* SP_EL1 */
	uint32_t vcpu; /* its ID */
};

enum arm_op {
	ARM_OP_CALL = 0, /* HVC or SMC with `immediate` */
	ARM_OP_MOV,      /* x[reg] = value */
	ARM_OP_STORE,    /* of x[reg], 8 bytes, to `value`, where no memory is: KVM_EXIT_MMIO */
	ARM_OP_HOST, /* run(guest, context): a line of C; the PC is behind it, unless it changes that */
	ARM_OP_BRANCH, /* to `value` */
	ARM_OP_WAIT,   /* until *(atomic_uint *)context is not 0 */
	ARM_OP_WFI,    /* until arm_kvm_interrupt() or a signal */
	ARM_OP_SPIN    /* for ever: only a signal gets the vCPU out */
};
struct arm_instruction {
	uint8_t op; /* enum arm_op */
	uint8_t reg;
	uint8_t conduit; /* enum hvc_conduit */
	uint16_t immediate;
	uint64_t value;
	void (*run)(struct arm_guest *guest, void *context);
	void *context;
};
#define ARM_HVC                                               \
	{                                                     \
		.op = ARM_OP_CALL, .conduit = HVC_CONDUIT_HVC \
	}
#define ARM_SMC                                               \
	{                                                     \
		.op = ARM_OP_CALL, .conduit = HVC_CONDUIT_SMC \
	}
#define ARM_MOV(n, v)                                      \
	{                                                  \
		.op = ARM_OP_MOV, .reg = (n), .value = (v) \
	}
#define ARM_STORE(n, address)                                      \
	{                                                          \
		.op = ARM_OP_STORE, .reg = (n), .value = (address) \
	}
#define ARM_HOST(f, c)                                        \
	{                                                     \
		.op = ARM_OP_HOST, .run = (f), .context = (c) \
	}
#define ARM_BRANCH(address)                             \
	{                                               \
		.op = ARM_OP_BRANCH, .value = (address) \
	}
#define ARM_WAIT(flag)                               \
	{                                            \
		.op = ARM_OP_WAIT, .context = (flag) \
	}
#define ARM_WFI                  \
	{                        \
		.op = ARM_OP_WFI \
	}
#define ARM_SPIN                  \
	{                         \
		.op = ARM_OP_SPIN \
	}

/* Asked before each ioctl, by its thread: 0 go on, a positive errno to fail with, ARM_KVM_DONE: `*value` is returned, and
 * `argument` was filled in. */
#define ARM_KVM_DONE (-1)
typedef int arm_kvm_hook(void *context, int fd, unsigned long request, void *argument, int *value);

/* A kernel; `profile` "linux-6.12" and so on. */
struct arm_kvm *arm_kvm_new(const char *profile);
/* All its VMs with it; no ioctl is under way. */
void arm_kvm_free(struct arm_kvm *kvm);
/* One a process, made by the first call: of the profile in the variable ARM_KVM_PROFILE, or linux-6.12. */
struct arm_kvm *arm_kvm_shared(void);

/* As open("/dev/kvm", O_RDWR | O_CLOEXEC): the caller's to close. */
int arm_kvm_open(struct arm_kvm *kvm);
/* As ioctl(): -1 and errno. `context` is the struct arm_kvm. Threads: any, at once. */
int arm_kvm_ioctl(void *context, int fd, unsigned long request, void *argument);
/* Is it a descriptor of this kernel? */
bool arm_kvm_owns(struct arm_kvm *kvm, int fd);

void arm_kvm_set_hook(struct arm_kvm *kvm, arm_kvm_hook *hook, void *context);
/* A further register of each vCPU (the list has what every arm64 KVM has of those that hvcgate looks at). `writable`: else
 * another value is EINVAL. Before the first KVM_CREATE_VCPU. */
void arm_kvm_add_register(struct arm_kvm *kvm, uint64_t id, uint64_t value, bool writable);
/* Put a program into the guest's memory, `count` instructions from `base` on, 4 bytes each; it stays the caller's. */
void arm_kvm_load(struct arm_kvm *kvm, int vm_fd, uint64_t base,
		  const struct arm_instruction *program, size_t count);
/* An interrupt for a vCPU, which wakes it from WFI, CPU_SUSPEND and SYSTEM_SUSPEND. */
void arm_kvm_interrupt(struct arm_kvm *kvm, int vcpu_fd);

/* What was done, since a VM or vCPU was made. */
struct arm_vcpu_counts {
	uint64_t runs;         /* KVM_RUN that came as far as the guest */
	uint64_t instructions; /* of the guest */
	uint64_t gets, sets;   /* of registers */
	uint64_t got[18];      /* KVM_GET_ONE_REG of x0 to x17 */
	uint64_t wrote[18];    /* KVM_SET_ONE_REG, likewise */
	uint64_t inits;
	uint64_t foreign; /* ioctls by another thread while it was in KVM_RUN */
	uint64_t
		others; /* ioctls after its first KVM_RUN by another thread than the one that made that */
	uint64_t lost; /* the guest's program ended: KVM_EXIT_INTERNAL_ERROR */
};
struct arm_vcpu_counts arm_kvm_vcpu_counts(struct arm_kvm *kvm, int vcpu_fd);
/* Of all VMs together. */
struct arm_vcpu_counts arm_kvm_counts(struct arm_kvm *kvm);
/* All ioctls so far. */
uint64_t arm_kvm_ioctls(struct arm_kvm *kvm);
/* mp_state as it is, at any time, without an ioctl. */
uint32_t arm_kvm_mp_state(struct arm_kvm *kvm, int vcpu_fd);
/* Registers and mp_state as they are, without an ioctl: when nobody runs it. */
struct arm_guest arm_kvm_peek(struct arm_kvm *kvm, int vcpu_fd, uint32_t *mp_state);

#endif
