/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the KVM host share. hvcgate/kvm.h says what it is; one idea a file, named at each part.
 *
 * Locks: vm->lock is for configuration, and is held by nobody who makes calls; vm->work_lock for what vCPUs ask of each
 * other. Of both, lock comes first. KVM_RUN is under neither; other ioctls on vCPUs may be under either.
 */
#ifndef HVCGATE_KVM_HOST_INTERNAL_H
#define HVCGATE_KVM_HOST_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

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

/* What a vCPU is asked by another one, which waits for it (power.c). */
struct work;

/* What a vCPU does when it wakes up from KVM_MP_STATE_SUSPENDED, where we put it to sleep. */
enum asleep { ASLEEP_NOT = 0, ASLEEP_STANDBY, ASLEEP_DOWN };

struct hvc_kvm_vcpu {
	struct hvc_kvm_vm *vm;
	uint32_t id, index; /* KVM's; ours, in the order of creation */
	int fd;
	struct kvm_run *run;
	struct hvc_vcpu *engine; /* from the VM's first run on */
	struct kvm_vcpu_init init;
	bool initialised;
	bool anew; /* KVM_ARM_VCPU_INIT since the VM ran (reset.c) */
	/* The thread that runs it, once one has; 0 before. Set under vm->work_lock. */
	_Atomic pid_t thread;
	/*
	 * Who gives it work stores `todo`, then asks whether it is inside and needs a signal; its thread says that it is
	 * inside, then looks at `todo`. All in one order, so that one of the two sees the other.
	 */
	_Atomic bool todo;
	_Atomic bool inside; /* its thread is in hvc_kvm_run() */
	/* Under vm->work_lock: */
	struct work *queue;
	bool stop_asked;       /* SYSTEM_OFF, SYSTEM_RESET on another vCPU */
	bool start_asked;      /* CPU_ON that nobody waits for: its thread does it when it comes */
	uint32_t start_number; /* of the last start_asked */
	bool big_endian;       /* who last asked for its start was */
	/* Its own thread's: */
	enum asleep asleep;
	bool called_away; /* a signal of the VMM's came while a call was under way: hvc_kvm_run() owes it EINTR */
	uint64_t mpidr; /* affinity; from the VM's first run on */
	/* A call was left for the VMM's sake, and the guest has not run since: where, and (call_settle()) until when its answer
	 * is waited for. */
	_Atomic bool left;
	uint64_t left_pc, settle_until;
	struct hvc_counters *counters; /* as the VMM gave them, or NULL; asked for once */
	bool counters_asked;
	uint64_t
		travel[UAPI_TRAVEL_STATE]; /* its part: as last read, or as it arrived (travel.c) */
	uint64_t travel_came[UAPI_TRAVEL_STATE / 64]; /* which were written since */
};

struct hvc_kvm_vm {
	struct hvc_kvm *kvm;
	int fd;
	uint32_t number;
	pthread_mutex_t lock; /* configuration: vCPUs, apply, travel, revoked functions */
	pthread_mutex_t work_lock;
	_Atomic uint32_t changes; /* of work: who waits for one sleeps on it */
	_Atomic uint32_t pokes;   /* of channel->poke() by us */
	_Atomic uint32_t waiting; /* threads in channel->receive() */
	_Atomic bool applied;     /* the plan, read back: vCPUs may run (apply.c) */
	bool refused;             /* it could not be: `why` */
	char why[256];
	bool filters_set;
	/* What the VMM may do next is the start of a reset, or a wake-up (reset.c). */
	_Atomic bool ended, suspended;
	_Atomic bool setting_up;                /* some vCPU is `anew`, or `suspended` */
	_Atomic bool suspend_wanted;            /* KVM_CAP_ARM_SYSTEM_SUSPEND, by the VMM */
	_Atomic uint64_t revoked[HVC_FN_WORDS]; /* what the engine was told to deny (call.c) */
	pthread_mutex_t event_lock;             /* one thread at a time takes events (call.c) */
	_Atomic uint64_t events;                /* taken */
	struct hvc_vm *engine;                  /* from the first run on */
	void *memory;                           /* of engine, vCPUs and blocks: one piece */
	struct hvc_kvm_vcpu *vcpus[HVC_MAX_VCPUS];
	uint32_t vcpu_count;
	_Atomic bool
		travelling;  /* vCPUs' parts are the engine's state, until one runs (travel.c) */
	bool travel_changed; /* something else than that was written */
};

/* kvm.c: ioctl as the caller wants it made; 0 or errno. sys_value: the ioctl's value, or -errno. */
int sys(const struct hvc_kvm *kvm, int fd, unsigned long request, void *argument);
int sys_value(const struct hvc_kvm *kvm, int fd, unsigned long request, void *argument);
/* kvm.c: a register of 64 bits, past all views: 0 or errno. */
int sys_get(const struct hvc_kvm_vcpu *vcpu, uint64_t id, uint64_t *value);
int sys_set(const struct hvc_kvm_vcpu *vcpu, uint64_t id, uint64_t value);
/* kvm.c: sets hvc_kvm_why() of this thread; returns `error`. */
int because(int error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* vm.c: KVM_ARM_VCPU_INIT's feature. */
bool vcpu_has(const struct hvc_kvm_vcpu *vcpu, unsigned int feature);

/* registers.c: views of the plan over the kernel's registers, and what travels. */
const struct plan_view *view_of(const struct hvc_kvm_vcpu *vcpu, uint64_t id);

/* apply.c: filter ranges of a new VM; registers behind each KVM_ARM_VCPU_INIT; all of it read back and the engine made, once,
 * before the first run, whose EPERM it is otherwise. Both of the latter under vm->lock. */
int apply_filters(struct hvc_kvm_vm *vm);
void apply_registers(struct hvc_kvm_vcpu *vcpu);
int apply_finish(struct hvc_kvm_vm *vm);

/* engine.c: a VM of the engine under the plan, in memory of its own (free() it; the engine's array of vCPUs is in it): for
 * apply_finish(), and for a state that arrives. vm->lock is held. `vcpus` has room for vm->vcpu_count and is filled in. */
int engine_make(struct hvc_kvm_vm *vm, struct hvc_vm **engine, struct hvc_vcpu **vcpus,
		void **memory);
/* engine.c: the VM has it from now on, instead of what it had, which is freed; no vCPU calls meanwhile. */
void engine_take(struct hvc_kvm_vm *vm, struct hvc_vm *engine, struct hvc_vcpu *const *vcpus,
		 void *memory);
/* platform.c: what the engine has of this host; its `host` is the struct hvc_kvm_vm. */
extern const struct hvc_platform host_platform;

/* reset.c: an exit for the VMM is an event: what comes next may be a reset. */
void reset_event(struct hvc_kvm_vcpu *vcpu);
/* reset.c: the VMM set a vCPU up, of a VM that had run: if that is a reset of the VM, the engine's state is reset, too.
 * vm->lock is held. */
void reset_vcpu(struct hvc_kvm_vcpu *vcpu);
/* reset.c: the VMM lets the guest go on after its end: that was no reset. */
void reset_not(struct hvc_kvm_vm *vm);
/* reset.c: a vCPU is about to run. */
void reset_over(struct hvc_kvm_vm *vm);

/* travel.c: the engine's state as registers, of a plan that says so; `n` is below UAPI_TRAVEL_COUNT. Reading it waits for
 * replies that are outstanding. Both take vm->lock, and call engine_make() with it. */
int travel_get(struct hvc_kvm_vcpu *vcpu, unsigned int n, uint64_t *value);
int travel_set(struct hvc_kvm_vcpu *vcpu, unsigned int n, uint64_t value);
/* travel.c: what arrived becomes vm->engine's state, at apply_finish(), before the engine is frozen and with vm->lock held.
 * EPERM: it cannot. */
int travel_restore(struct hvc_kvm_vm *vm);
/* travel.c: a vCPU is about to run, vcpu->inside is set: what was read is old. EPERM: a state arrived in part. */
int travel_forget(struct hvc_kvm_vm *vm);

/* run.c, call.c, power.c: the exit was ours: run again. */
#define CALL_AGAIN (-1)
/* call.c: KVM_EXIT_HYPERCALL is answered: CALL_AGAIN; else errno, or 0 for an exit to the VMM. */
int call_exit(struct hvc_kvm_vcpu *vcpu);
/* forward.c: the engine said HVC_FORWARDED: the answer is in the frame: 0; EINTR: the vCPU was called away, nothing is
 * pending and the program counter is to go back to the call. */
int forward_call(struct hvc_kvm_vcpu *vcpu, enum hvc_conduit conduit, struct hvc_frame *frame);
/* forward.c: take replies that have come, waiting up to timeout_ms for one: 0, or EINTR. */
int call_drain(struct hvc_kvm_vm *vm, int timeout_ms);
/* call.c: a VMM looks at a vCPU that left a call: the call is made to its end, if its answer comes in time, so that what
 * the VMM sees is behind it. vm->lock is held, and the vCPU is not in hvc_kvm_run(). */
void call_settle(struct hvc_kvm_vcpu *vcpu);
/* forward.c: milliseconds; when all that handlers were asked has been answered. */
uint64_t forward_now(void);
uint64_t forward_deadline(const struct hvc_kvm_vm *vm);
/* forward.c: the VMM resets a vCPU: calls that were left are those of a guest that is gone, which shall make them anew. */
void forward_forget(struct hvc_kvm_vm *vm);

/*
 * sync.c: user-space PSCI: before the engine looks at vCPUs' power states they are made the kernel's. `fn` is the function
 * that is called. EINTR: the vCPU was called away; nothing was done. The target of CPU_ON, if it is off, is held in *work
 * until sync_settle(), which starts it if the engine wants that (the platform's cpu_start, sync_start()); its EINTR: called
 * away, and it is not started.
 */
int sync_power(struct hvc_kvm_vcpu *vcpu, unsigned int fn, uint32_t id,
	       const struct hvc_frame *frame, struct work *work);
int sync_settle(struct hvc_kvm_vcpu *vcpu, struct work *work, struct hvc_frame *frame);
bool sync_start(void *host, uint32_t index);
/* power.c: what a verdict asks for: CALL_AGAIN, 0 for an exit to the VMM, or errno. */
int power_verdict(struct hvc_kvm_vcpu *vcpu, enum hvc_verdict verdict, struct hvc_frame *frame);
/* power.c: KVM_EXIT_SYSTEM_EVENT: CALL_AGAIN if it is our vCPU that wakes up; 0: the VMM's. */
int power_event(struct hvc_kvm_vcpu *vcpu);
/* power.c: the engine, just made, hears what the kernel has; vCPUs that a state that arrived says to start do so. */
void power_tell_all(struct hvc_kvm_vm *vm);
/* power.c: the VMM sets a vCPU up anew, or its state: work for it is void. Under vm->work_lock. */
void power_forget(struct hvc_kvm_vcpu *vcpu, bool on);

/* power.c, for work.c, on its own thread and under vm->work_lock: is it stopped (and the engine hears it); stop it; start
 * it where the engine says. 0 or errno. */
bool power_stopped(struct hvc_kvm_vcpu *vcpu);
int power_stop(struct hvc_kvm_vcpu *vcpu);
int power_begin(struct hvc_kvm_vcpu *vcpu);
/* power.c: a start that was asked for and has not begun is none; from any thread, for the vCPU is off. */
void power_withdraw(struct hvc_kvm_vcpu *vcpu);

/* work.c: what vCPUs ask of each other. */
enum work_kind {
	WORK_STATE /* are you stopped? */,
	WORK_START /* and if so, wait for what comes */
};
enum work_stage {
	WORK_WAITS = 0, /* in the queue */
	WORK_TOLD,      /* the engine has its state, and it is in no queue any more */
	WORK_HELD,      /* stopped, and its thread waits for what comes */
	WORK_GO,        /* start it */
	WORK_DONE       /* `error` says how that went */
};
struct work {
	struct work *next;
	struct hvc_kvm_vcpu *target;  /* NULL: nothing is asked */
	uint32_t index, start_number; /* the target's */
	enum work_kind kind;
	enum work_stage stage;
	bool start;      /* the engine wants it started */
	bool big_endian; /* who asks is */
	int error;
};
/* Ask the vCPU of an index and wait: 0, or EINTR: called away, and it was not asked. One that has never run is looked at. */
int work_ask(struct hvc_kvm_vcpu *self, uint32_t index, enum work_kind kind, struct work *work);
/* Wait until the start_asked of this work is done, if it has a thread for that. EINTR: called away, and it will not be. */
int work_begun(struct hvc_kvm_vcpu *self, const struct work *work);
/* What is HELD is started, and that waited for; or let go. */
void work_go(struct work *work);
void work_let(struct work *work);
/* This vCPU was given something to do: under vm->work_lock. */
void work_given(struct hvc_kvm_vcpu *vcpu);
/* Do what others ask of this vCPU: on its thread, outside KVM_RUN; it may be held there. */
void work_do(struct hvc_kvm_vcpu *vcpu);
/* The same within a call, where it cannot be held. True: it was stopped. */
bool work_within(struct hvc_kvm_vcpu *vcpu);
/* It goes: who waits for it finds it off. Under vm->work_lock. */
void work_abandon(struct hvc_kvm_vcpu *vcpu);
/* Do it before the VMM looks at the vCPU's registers or state. */
void work_settle(struct hvc_kvm_vcpu *vcpu);

/*
 * kick.c: the private signal, and waiting that it and the VMM's signals end. Our mark in kvm_run.immediate_exit is a
 * number that no VMM stores, so that it is taken back without taking the VMM's with it.
 */
int kick_install(int signal);
/* This thread runs the vCPU: it gets the signal, and is known. Under vm->work_lock. */
void kick_adopt(struct hvc_kvm_vcpu *vcpu);
bool kick_adopted(const struct hvc_kvm_vcpu *vcpu);
/* From enter to leave the signal ends KVM_RUN; leave and retract take our mark back. */
void kick_enter(struct hvc_kvm_vcpu *vcpu);
void kick_leave(struct hvc_kvm_vcpu *vcpu);
void kick_retract(const struct hvc_kvm_vcpu *vcpu);
/* Get the vCPU out of where it waits, if it is inside. */
void kick_vcpu(const struct hvc_kvm_vcpu *vcpu);
/* Does the VMM want this vCPU back? */
bool kick_wanted(const struct hvc_kvm_vcpu *vcpu);
/* Was there a kick of ours for this thread since the last time it asked? */
bool kick_seen(void);
/* Sleep until *word is not `seen` any more, woken by wake_all(), a signal, or some milliseconds. True: a signal that was
 * not ours. */
bool wait_change(_Atomic uint32_t *word, uint32_t seen);
void wake_all(_Atomic uint32_t *word);

#endif
