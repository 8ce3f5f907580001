/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the made-up KVM share: arm_kvm.c descriptors, VMs; arm_kvm_vcpu.c a vCPU's ioctls but one;
 * arm_kvm_run.c that one. */
#ifndef TESTS_ARM_KVM_INTERNAL_H
#define TESTS_ARM_KVM_INTERNAL_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include <hvcgate/engine.h>
#include <hvcgate/forward.h>

#include "../../src/kvm/host/uapi.h"
#include "arm_kvm.h"

enum {
	ARM_VCPUS = 16,   /* a VM */
	ARM_FILTERS = 64, /* ranges */
	ARM_PROGRAMS = 16,
	ARM_REGISTERS = 400,
	ARM_RUN_BYTES = 8192,
	ARM_TARGET = 5 /* KVM_ARM_TARGET_GENERIC_V8 */
};

enum object_kind { OBJECT_SYSTEM, OBJECT_VM, OBJECT_VCPU };
struct object {
	struct object *next;
	enum object_kind kind;
	int fd; /* our own, so that the inode stays */
	uint64_t device, inode;
	void *of; /* struct arm_vm, struct arm_vcpu */
};

/* A register that is no core register and no firmware register. */
struct arm_register {
	uint64_t id, value;
	bool writable;
};

struct arm_kvm {
	pthread_mutex_t lock; /* objects, hook */
	struct object *objects;
	const char *profile;
	struct hvc_settings settings;
	arm_kvm_hook *hook;
	void *hook_context;
	atomic_ullong ioctls;
	struct arm_register registers[ARM_REGISTERS];
	uint32_t register_count;
};

struct arm_program {
	uint64_t base;
	const struct arm_instruction *instructions;
	size_t count;
};

struct arm_vm;
struct arm_vcpu {
	struct arm_vm *vm;
	uint32_t id;
	pthread_mutex_t lock; /* KVM's vcpu->mutex */
	struct kvm_run *run;
	struct arm_guest guest;
	struct arm_register registers[ARM_REGISTERS];
	struct kvm_vcpu_init init;
	bool initialised;
	bool mmio_needed;
	bool masked; /* KVM_SET_SIGNAL_MASK */
	uint64_t signal_mask;
	struct hvc_vcpu *engine;
	int wake_fd, signal_fd; /* eventfd; signalfd of the last mask */
	/* Under vm->power. */
	uint32_t mp_state;
	bool reset; /* asked for by CPU_ON: entry, context */
	uint64_t entry, context;
	bool interrupt;
	/* Who has it. */
	_Atomic bool running, has_run;
	pthread_t runner; /* of the first KVM_RUN */
	_Atomic uint64_t holder;
	struct {
		atomic_ullong runs, instructions, gets, sets, got[18], wrote[18], inits, foreign,
			others, lost;
	} counts;
};

struct arm_vm {
	struct arm_kvm *kvm;
	pthread_mutex_t config; /* engine's registers and filter, vCPUs, programs */
	pthread_mutex_t power;
	struct hvc_image *image;
	struct hvc_vm *engine;
	void *filter_memory;
	bool ran, has_features, system_suspend;
	struct kvm_vcpu_init features; /* of all vCPUs */
	uint8_t filters[ARM_FILTERS][24];
	uint32_t filter_count;
	struct hvc_vcpu *slots[ARM_VCPUS]; /* the engine's vCPUs */
	struct arm_vcpu *_Atomic vcpus[ARM_VCPUS];
	struct arm_program programs[ARM_PROGRAMS];
	_Atomic uint32_t program_count;
};

/* arm_kvm.c */
void arm_die(const char *what) __attribute__((noreturn));
/* A zeroed piece of memory, 64-byte aligned. */
void *arm_memory(size_t bytes);
/* The engine as it has to be now: a kernel's choice of features changes it before the first run. */
void arm_engine_make(struct arm_vm *vm);

/* arm_kvm_vcpu.c: they return 0 or more, or -errno. */
struct arm_vcpu *arm_vcpu_new(struct arm_vm *vm, uint32_t id, int fd);
void arm_vcpu_free(struct arm_vcpu *vcpu);
int arm_vcpu_ioctl(struct arm_vcpu *vcpu, unsigned long request, void *argument);
/* Under its lock: what CPU_ON asked for happens now. */
void arm_vcpu_apply_reset(struct arm_vcpu *vcpu);
void arm_vcpu_wake(struct arm_vcpu *vcpu);

/* arm_kvm_run.c */
int arm_vcpu_run(struct arm_vcpu *vcpu);
/* WFI, and CPU_SUSPEND. `held`: signals that do not end it. */
void arm_guest_wait(struct arm_vcpu *vcpu, uint64_t held);
/* arm_kvm_calls.c: the instruction HVC or SMC, PC behind it: true: the guest goes on. False: run->exit_reason says why not. */
bool arm_guest_call(struct arm_vcpu *vcpu, enum hvc_conduit conduit, uint16_t immediate,
		    uint64_t held);

#endif
