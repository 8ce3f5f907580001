/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For tests of the KVM host: a VMM on a KVM that is made up (tests/lib/arm_kvm.h), a thread a vCPU, and a desk that
 * forwarded calls come to. What goes wrong in the VMM itself fails the test.
 */
#ifndef HVCGATE_KVM_VMM_TEST_H
#define HVCGATE_KVM_VMM_TEST_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

#include <hvcgate/kvm.h>

#include "arm_kvm.h"
#include "cmocka_all.h"
#include "uapi.h"

enum { VMM_CPUS = 4, VMM_PLACES = 64 };

/* The guest: its entry, where it stores to say that it is done, and to have an exit. */
#define VMM_ENTRY  0x1000u
#define VMM_ENTRY2 0x2000u
#define VMM_DONE   0x9000000u
#define VMM_EXIT   0x9001000u

/* --- The desk: struct hvc_kvm_channel, and the handler's side of it. */
struct desk {
	struct hvc_kvm_channel channel;
	pthread_mutex_t lock;
	_Atomic uint32_t word, pokes;
	bool closed; /* nobody takes requests */
	struct hvc_kvm_request requests[VMM_PLACES];
	struct hvc_kvm_reply replies[VMM_PLACES];
	uint32_t sent, taken, replied, received;
};
void desk_init(struct desk *desk);
/* How many requests have come. */
uint32_t desk_sent(struct desk *desk);
/* The next request, when there is one. */
struct hvc_kvm_request desk_take(struct desk *desk);
/* x0 to x3 of the answer. */
void desk_answer(struct desk *desk, uint64_t sequence, const uint64_t x[4]);
void desk_reply(struct desk *desk, const struct hvc_kvm_reply *reply);
/* Nobody answers any more; requests that are outstanding fail. */
void desk_close(struct desk *desk);

/* Wait until a word is another one, or a signal comes, or time is over (negative: never): 0 or errno. */
int wait_word(_Atomic uint32_t *word, uint32_t value, int timeout_ms);
void wake_word(_Atomic uint32_t *word);

/* --- The VMM. */
struct vmm_setup {
	const char *policy;      /* behind `head`; NULL: nothing more */
	const char *head;        /* NULL: VMM_HEAD */
	const char *host;        /* NULL: linux-6.12 */
	const uint32_t *forward; /* functions that go to user space beside the plan's, up to a 0 */
	unsigned int cpus;       /* 0: one */
	uint32_t features_off;   /* of KVM_ARM_VCPU_INIT */
	struct desk *desk;       /* NULL: none */
	const struct arm_instruction *program, *program2; /* at VMM_ENTRY, VMM_ENTRY2 */
	size_t count, count2;
};
#define VMM_HEAD "hvcgate: 1\nprofile: linux-6.12\nstrictness: kvm\ndiscovery: raw\n"
/* A policy's rules, and `more` of them, for a handler, and its time-out. */
#define VMM_FREE_ID 0xc2000000u
#define VMM_TO_HANDLER(more, timeout)                                             \
	"rules:\n  - forward: {range: 0xc2000000-0xc20000ff}\n    to: ffa\n" more \
	"handlers:\n  ffa: {socket: /run/ffa.sock, timeout: " timeout "}\n"
#define VMM_PROGRAM(program_)  .program = (program_), .count = COUNT_OF(program_)
#define VMM_PROGRAM2(program_) .program2 = (program_), .count2 = COUNT_OF(program_)

/* What the guest's guest_log() saw. */
struct guest_log {
	_Atomic uint32_t count;
	uint64_t x[VMM_PLACES][18];
};

/* Of a vCPU's thread. */
enum vmm_state { VMM_RUNS = 0, VMM_STANDS, VMM_ENDED, VMM_TO_END, VMM_STARTS, VMM_WORKS };
struct vmm;
struct vmm_cpu {
	struct vmm *vmm;
	int fd;
	struct kvm_run *run;
	struct hvc_kvm_vcpu *vcpu;
	pthread_t thread;
	bool started;
	/* What its thread saw. */
	int error;               /* of the last hvc_kvm_run() */
	bool done;               /* VMM_DONE */
	atomic_uint exits;       /* VMM_EXIT */
	atomic_uint stopped;     /* EINTR for vmm_stop() */
	atomic_uint spurious;    /* EINTR for nothing */
	unsigned int hypercalls; /* exits that a VMM is not to see */
	uint32_t event;          /* type of the last KVM_EXIT_SYSTEM_EVENT, 0: none */
	uint64_t event_flags;
	/* vmm_stop(), vmm_go(), vmm_reset() */
	atomic_bool stop;
	_Atomic uint32_t state; /* enum vmm_state */
};
struct vmm {
	struct arm_kvm *fake;
	void *plan;
	size_t plan_bytes;
	struct hvc_kvm *kvm;
	int vm_fd;
	struct hvc_kvm_vm *vm;
	unsigned int count;
	struct vmm_cpu cpus[VMM_CPUS];
	const struct vmm_setup *setup;
};

/* Group setup and teardown: policies want a directory. With VMM_SECONDS the test ends then, whatever it waits for. */
#ifndef VMM_SECONDS
#define VMM_SECONDS 0
#endif
#define VMM_TESTS(tests) (alarm(VMM_SECONDS), cmocka_run_group_tests(tests, vmm_enter, vmm_leave))
int vmm_enter(void **state);
int vmm_leave(void **state);
/* A kernel and a plan for it; no VM yet. */
void vmm_begin(struct vmm *vmm, const struct vmm_setup *setup);
/* A VM with its vCPUs, initialised, the first at VMM_ENTRY, the others off. 0, or the errno that was in the way. */
int vmm_make(struct vmm *vmm);
/* Both; a failure fails the test. */
void vmm_new(struct vmm *vmm, const struct vmm_setup *setup);
void vmm_drop(struct vmm *vmm); /* VM and vCPUs; vmm_make() makes others */
/* A VM whose guest makes calls: desk and log are new, and its first vCPU's thread runs. */
void vmm_call(struct vmm *vmm, const struct vmm_setup *setup, struct guest_log *told);
/* Its end: one request went out, and the guest has vmm_answer. */
void vmm_answered(struct vmm *vmm, const struct guest_log *told);
extern const uint64_t vmm_answer[4];
/* Also asserts what holds of every test: no ioctl on a vCPU that another thread runs, no hypercall for the VMM. */
void vmm_free(struct vmm *vmm);

/* Start a vCPU's thread; wait for its end: VMM_DONE, an event, an error. */
void vmm_start(struct vmm *vmm, unsigned int cpu);
void vmm_join(struct vmm *vmm, unsigned int cpu);
/* All of them, start to end. */
void vmm_run(struct vmm *vmm);
/* As a VMM does it: a signal whose handler sets immediate_exit; returns when the thread has left hvc_kvm_run(), false if
 * it has ended instead. */
bool vmm_stop(struct vmm *vmm, unsigned int cpu);
void vmm_go(struct vmm *vmm, unsigned int cpu);
/* KVM_ARM_VCPU_INIT as at first, on its thread, which stands still. */
void vmm_reset(struct vmm *vmm, unsigned int cpu);
/* The thread is to end at its next EINTR. */
void vmm_end(struct vmm *vmm, unsigned int cpu);
uint32_t vmm_mp_state(struct vmm *vmm, unsigned int cpu);

/* ioctl() of the VMM itself: the value, or -errno. */
int vmm_ioctl(struct vmm *vmm, int fd, unsigned long request, void *argument);
uint64_t vmm_get(struct vmm *vmm, unsigned int cpu, uint64_t id);
int vmm_set(struct vmm *vmm, unsigned int cpu, uint64_t id, uint64_t value);

/* --- Guest programs. */
void guest_log(struct arm_guest *guest, void *log);
/* An interrupt, for the vCPU itself. */
void guest_interrupt(struct arm_guest *guest, void *vmm);
/* x4 to x17 get a pattern. */
void guest_paint(struct arm_guest *guest, void *context);
uint64_t guest_pattern(unsigned int n);
/* ARM_WAIT() waits for it. */
void guest_raise(struct arm_guest *guest, void *flag);

#define GUEST_CALL(id, x1, x2, x3) \
	ARM_MOV(0, id), ARM_MOV(1, x1), ARM_MOV(2, x2), ARM_MOV(3, x3), ARM_HVC
#define GUEST_LOG(log) ARM_HOST(guest_log, &(log))
#define GUEST_DONE     ARM_STORE(0, VMM_DONE)

#define STATUS(n)      ((uint64_t)(int64_t)(n))

#endif
