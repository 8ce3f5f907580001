/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the KVM host share. hvcgate/kvm.h says what it is; one idea a file, named at each part. */
#ifndef HVCGATE_KVM_HOST_INTERNAL_H
#define HVCGATE_KVM_HOST_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <hvcgate/engine.h>
#include <hvcgate/forward.h>
#include <hvcgate/kvm.h>
#include <hvcgate/save.h>

#include "plan_bytes.h"
#include "uapi.h"

struct hvc_kvm {
	struct plan_view_of plan;
	struct hvc_kvm_options options; /* defaults filled in */
	_Atomic uint32_t next_vm;
};

/* Work for a vCPU, done on its own thread outside KVM_RUN (power.c). */
struct work;

struct hvc_kvm_vcpu {
	struct hvc_kvm_vm *vm;
	uint32_t id, index; /* KVM's; ours, in the order of creation */
	int fd;
	struct kvm_run *run;
	struct hvc_vcpu *engine; /* from the VM's first run on */
	struct kvm_vcpu_init init;
	bool initialised;
	_Atomic bool has_run; /* its thread has been in hvc_kvm_run() */
	pthread_t thread;     /* then */
	_Atomic bool inside;  /* its thread is in hvc_kvm_run() */
	struct work *queue;   /* under vm->work_lock */
	uint64_t
		travel[UAPI_TRAVEL_STATE]; /* its part: as last read, or as it arrived (travel.c) */
	uint64_t travel_came[UAPI_TRAVEL_STATE / 64]; /* which were written since */
};

struct hvc_kvm_vm {
	struct hvc_kvm *kvm;
	int fd;
	uint32_t number;
	pthread_mutex_t lock; /* configuration: vCPUs, apply, travel */
	pthread_mutex_t work_lock;
	_Atomic bool applied; /* the plan, read back: vCPUs may run (apply.c) */
	bool refused;         /* it could not be: `why` */
	char why[256];
	bool filters_set;
	_Atomic bool suspend_wanted; /* KVM_CAP_ARM_SYSTEM_SUSPEND, by the VMM */
	struct hvc_vm *engine;       /* from the first run on */
	void *memory;                /* of engine, vCPUs and blocks: one piece */
	struct hvc_kvm_vcpu *vcpus[HVC_MAX_VCPUS];
	uint32_t vcpu_count;
	_Atomic bool
		travelling;  /* vCPUs' parts are the engine's state, until one runs (travel.c) */
	bool travel_changed; /* something else than that was written */
};

/* kvm.c: ioctl as the caller wants it made; 0 or errno. sys_value: the ioctl's value, or -errno. */
int sys(const struct hvc_kvm *kvm, int fd, unsigned long request, void *argument);
int sys_value(const struct hvc_kvm *kvm, int fd, unsigned long request, void *argument);
/* kvm.c: sets hvc_kvm_why() of this thread; returns `error`. */
int because(int error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* registers.c: views of the plan over the kernel's registers, and what travels. */
const struct plan_view *view_of(const struct hvc_kvm_vcpu *vcpu, uint64_t id);

/* apply.c: filter ranges of a new VM; registers behind each KVM_ARM_VCPU_INIT; all of it read back and the engine made, once,
 * before the first run, whose EPERM it is otherwise. */
int apply_filters(struct hvc_kvm_vm *vm);
int apply_registers(struct hvc_kvm_vcpu *vcpu);
int apply_finish(struct hvc_kvm_vm *vm);
/* apply.c: a VM of the engine under the plan, in memory of its own (free() it; the engine's array of vCPUs is in it): for
 * apply_finish(), and for a state that arrives. vm->lock is held. `vcpus` has room for vm->vcpu_count and is filled in. */
int engine_make(struct hvc_kvm_vm *vm, struct hvc_vm **engine, struct hvc_vcpu **vcpus,
		void **memory);

/* travel.c: the engine's state as registers, of a plan that says so; `n` is below UAPI_TRAVEL_COUNT. Reading it waits for
 * replies that are outstanding. Both take vm->lock, and call engine_make() with it. */
int travel_get(struct hvc_kvm_vcpu *vcpu, unsigned int n, uint64_t *value);
int travel_set(struct hvc_kvm_vcpu *vcpu, unsigned int n, uint64_t value);
/* travel.c: what arrived becomes vm->engine's state, at apply_finish(), before the engine is frozen and with vm->lock held.
 * EPERM: it cannot. */
int travel_restore(struct hvc_kvm_vm *vm);
/* travel.c: a vCPU is about to run, vcpu->inside is set: what was read is old. EPERM: a state arrived in part. */
int travel_forget(struct hvc_kvm_vm *vm);

/* call.c: the exit KVM_EXIT_HYPERCALL is answered: HVC_KVM_AGAIN: run again; else errno, or 0 for an exit to the VMM. */
#define CALL_AGAIN (-1)
int call_exit(struct hvc_kvm_vcpu *vcpu);
/* call.c: take replies that have come, waiting up to timeout_ms for one: 0, or EINTR. */
int call_drain(struct hvc_kvm_vm *vm, int timeout_ms);

/* power.c: user-space PSCI. Before the engine looks at vCPUs' power states they are made the kernel's. EINTR: the vCPU was
 * called away; nothing was done. */
int power_sync(struct hvc_kvm_vcpu *vcpu, const struct hvc_frame *frame, uint32_t id);
/* power.c: the platform's cpu_start; what a verdict asks for. */
bool power_start(void *host, uint32_t index);
int power_verdict(struct hvc_kvm_vcpu *vcpu, enum hvc_verdict verdict, struct hvc_frame *frame);
/* power.c: work that others gave this vCPU, on its thread, outside KVM_RUN. */
void power_work(struct hvc_kvm_vcpu *vcpu);
/* power.c: the VMM sets a vCPU up anew: work for it is void. */
void power_forget(struct hvc_kvm_vcpu *vcpu);

#endif
