/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `hvcgate exec`: who is there, and the memory they share.
 *
 *   launcher     `hvcgate exec`: measures, plans, checks the VMM's program, opens all, forks the keeper, then execs the VMM
 *                (same PID) with the interposer preloaded and a seccomp filter that lets only it make and run VMs
 *   interposer   libhvcgate-exec.so in the VMM's process: no thread of its own, no library but libc; the plan's bytes and
 *                this memory are its inherited descriptors. It is hvcgate/kvm.h over file descriptors
 *   keeper       a process of its own, no child of the VMM: handlers, time-outs, `ctl`, trace, summary, messages. It ends
 *                when the VMM has. Without it forwarded calls fail, and all else goes on
 *
 * The memory is a memfd. The VMM's process is trusted but may die at any instruction: the keeper believes no index or
 * length in it, and bounds each. All words that both use are atomic. Little-endian as all of arm64 Linux.
 *
 * Wrappers that exec or fork the VMM are fine: environment and descriptors stay as they are until a process makes a VM,
 * which then is the VMM: it takes both away from what it starts from then on.
 */
#ifndef HVCGATE_KVM_SHARED_H
#define HVCGATE_KVM_SHARED_H

#include <stdatomic.h>
#include <stdint.h>

#include <hvcgate/call.h>
#include <hvcgate/image.h>
#include <hvcgate/kvm.h>
#include <hvcgate/trace.h>

#define EXEC_MAGIC   0x58435648u /* "HVCX" */
#define EXEC_VERSION 1u
#define EXEC_VMS     16u  /* scratch VMs included; a later one is refused */
#define EXEC_VCPUS   512u /* of all VMs together that have run */
#define EXEC_REPLIES 64u  /* a VM */
#define EXEC_RECORDS 256u /* a ring, a power of two */

/* How far it is; only ever greater. */
enum exec_stage {
	EXEC_STARTED = 0, /* the launcher is about to exec */
	EXEC_LOADED,      /* the interposer is in a process: the VMM's, or a wrapper's */
	EXEC_APPLIED,     /* a VM has the plan and runs */
	EXEC_REFUSED,     /* a VM was kept from running */
	EXEC_NOT_RUN      /* the launcher could not exec, and has said so */
};

/*
 * Replies for one VM: one writer, the keeper; any number of readers, who copy the oldest and then take it by advancing
 * `tail`: who comes second has copied in vain. So no reader that dies, is interrupted or forks holds anything.
 */
struct exec_replies {
	_Atomic uint32_t head; /* written, by the keeper */
	_Atomic uint32_t tail; /* taken, by readers */
	_Atomic uint32_t bell; /* a futex: 1 is added with each reply, EXEC_POKE with each poke */
	uint32_t reserved;
	struct hvc_kvm_reply replies[EXEC_REPLIES];
};
#define EXEC_POKE 0x10000u

/* One vCPU that has run. */
struct exec_vcpu {
	_Atomic uint32_t used; /* 0, then 1 for good */
	uint32_t vm, id;
	uint32_t reserved;
	struct hvc_counters counters;
	_Alignas(64) struct hvc_ring ring; /* its records' vcpu is the index in exec_shared.vcpus */
	struct hvc_record records[EXEC_RECORDS];
};

struct exec_shared {
	uint32_t magic, version;
	/* sizeof(struct exec_shared), HVC_FN_COUNT: launcher and interposer are of one build */
	uint32_t size, functions;
	_Atomic uint32_t stage;   /* enum exec_stage */
	_Atomic uint32_t vms;     /* VMs that run under the plan */
	_Atomic uint32_t tracing; /* write records? */
	_Atomic int32_t pid;      /* 0; then the process that made a VM: the VMM */
	_Atomic uint32_t
		left; /* the process that loaded the interposer last has exited with it in */
	uint32_t reserved;
	uint64_t started; /* exec_clock() of the launcher */
	/* What the seccomp filter wants in the unused arguments of KVM_CREATE_VM, _VCPU and KVM_RUN. */
	uint64_t cookie[3];
	char why[512];                          /* the last refusal in words, NUL-terminated */
	_Atomic uint32_t whys;                  /* so many there were */
	_Atomic uint64_t revoked[HVC_FN_WORDS]; /* by the keeper, for `ctl deny` */
	_Atomic uint32_t vcpu_count;            /* of vcpus[], not more than EXEC_VCPUS */
	struct exec_replies replies[EXEC_VMS];
	struct exec_vcpu vcpus[EXEC_VCPUS];
};

/*
 * What the interposer finds in its environment: "shared,plan,requests,attention", four descriptors in decimal. `requests`
 * is a SOCK_SEQPACKET for struct hvc_kvm_request to the keeper; `attention` an eventfd: there is news in the memory.
 */
#define EXEC_ENVIRONMENT "HVCGATE_EXEC"
#define EXEC_LIBRARY     "libhvcgate-exec.so"

/* Time of records: the system counter, as the guest's; elsewhere nanoseconds. */
uint64_t exec_clock(void);
uint64_t exec_clock_hz(void);

#endif
