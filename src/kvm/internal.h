/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the machine share. */
#ifndef HVCGATE_KVM_INTERNAL_H
#define HVCGATE_KVM_INTERNAL_H

#include "machine.h"

struct kvm_run;

/*
 * Guest-physical memory: the labels of all CPUs, and behind them the calls, in one page, so that a VM takes one
 * stage 2 fault. Each of them ends in the same two instructions: a store to where no memory is, which is the exit,
 * and a branch to x19, which is where the next call is. x18 is 0, the address of the store.
 */
#define MEMORY_BASE 0x40000000ull
#define MEMORY_SIZE 0x20000ull /* a multiple of the largest page, 64 KiB */
#define LABEL_BASE  0x40010000ull
#define LABEL_STEP  0x100ull
#define CALL_BASE   (LABEL_BASE + 0x100ull * KVM_MACHINE_CPUS)
#define CALL_STEP   0x10ull
enum call_slot { CALL_HVC, CALL_SMC, CALL_OTHER, CALL_SLOTS }; /* OTHER: an immediate, made anew */
#define EXIT_ADDRESS     0ull

#define INSTRUCTION_HVC  0xd4000002u /* | immediate << 5 */
#define INSTRUCTION_SMC  0xd4000003u
#define INSTRUCTION_EXIT 0xb900025fu /* str wzr, [x18] */
#define INSTRUCTION_NEXT 0xd61f0260u /* br x19 */

/* Core registers: KVM's ID of xN; 32 is PC. */
#define CORE_REG(n) (0x6030000000100000ull + 2ull * (n))
#define REG_EXIT    18
#define REG_NEXT    19
#define REG_PC      32

enum vcpu_at {
	AT_NOWHERE, /* the program counter must be set */
	AT_EXIT, /* on an exit store that KVM completes at the next KVM_RUN: x19 says what comes then */
	IN_CALL /* stopped behind the call, which goes on */
};

struct vcpu {
	int fd;
	struct kvm_run *run;     /* mapped for the first run: many a vCPU never does */
	struct hvc_frame shadow; /* x0 to x17 as the kernel has them, if `known` */
	uint64_t next;           /* x19, if `known` */
	uint64_t call;           /* address of the last call instruction */
	enum vcpu_at at;
	bool known;
	bool off;           /* stopped, as far as was seen */
	bool event_stopped; /* by a system event: go_on makes it runnable */
	bool reset_pending; /* CPU_ON was successful: the kernel resets it at its next KVM_RUN */
};

struct kvm_machine {
	int vm;
	unsigned int cpus;
	size_t run_size;
	bool event_data; /* KVM_CAP_SYSTEM_EVENT_DATA */
	bool psci_0_2;
	uint16_t immediate;
	enum hvc_conduit conduit; /* these two: of CALL_OTHER */
	uint8_t *memory, *stolen; /* stolen: of the second slot, or NULL */
	struct vcpu vcpu[KVM_MACHINE_CPUS];
};

/* Host address of a guest-physical address in the first slot. */
void *kvm_memory_at(struct kvm_machine *machine, uint64_t address);
/* The labels and calls into fresh memory. */
void kvm_code_write(uint8_t *memory);
/* Address of a call instruction, which is made if it is not there. */
uint64_t kvm_code_call(struct kvm_machine *machine, enum hvc_conduit conduit, uint16_t immediate);
/* KVM_ARM_VCPU_INIT, also again; all registers are as after a reset. */
int kvm_vcpu_init(struct kvm_machine *machine, unsigned int cpu, bool off);
int kvm_set_mp_state(struct kvm_machine *machine, unsigned int cpu, uint32_t state);

/*
 * Who finds out that KVM_RUN sleeps: a second thread, of idle priority, looks at the state of the first one in /proc
 * while that is in KVM_RUN. "Interruptible sleep", into which it has gone in this KVM_RUN (its voluntary context
 * switches), means that the vCPU waits or is stopped; then a signal ends KVM_RUN. No clock is asked. The one exception
 * keeps a guest that runs wild from running for ever: WATCH_CPU_SECONDS of CPU time in one KVM_RUN.
 */
enum watch_finding { WATCH_NOTHING, WATCH_ASLEEP, WATCH_ENDLESS };
#define WATCH_CPU_SECONDS 10
int kvm_watch_start(void); /* 0, also where it has been started, or an errno */
void kvm_watch_begin(void);
enum watch_finding kvm_watch_end(void);

#endif
