/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A VM of the engine under a script, the same in every host that has the engine: what each CPU is at, and all
 * operations but two. Making the VM is the host's (SCN_VM), and so is the call itself. Freestanding.
 */
#ifndef HVCGATE_SCENARIO_MACHINE_H
#define HVCGATE_SCENARIO_MACHINE_H

#include "ops.h"

/* Filter memory of a VM: hvc_filter_size() for so many ranges. */
#define SCN_FILTER_RANGES 512u
/* The RAM that a protected guest can share, and room for hvc_share_size() of it. */
#define SCN_SHARE_BASE  0x40000000ull
#define SCN_SHARE_RAM   (1ull << 20)
#define SCN_SHARE_BYTES 4096u

enum scn_cpu_state {
	SCN_CPU_IS_OFF,
	SCN_CPU_IS_FROZEN,  /* CPU_FREEZE: CPU_ON starts it, nothing else */
	SCN_CPU_STARTS,     /* CPU_ON was successful; it has not arrived */
	SCN_CPU_RUNS,       /* it can make a call */
	SCN_CPU_FORWARDED,  /* its call waits for an answer */
	SCN_CPU_STOPPED,    /* an event: it can go on */
	SCN_CPU_WAITS,      /* for an interrupt, behind the call */
	SCN_CPU_WAITS_ENTRY /* for an interrupt, to start at request.entry */
};

struct scn_machine_cpu {
	struct hvc_vcpu *vcpu;
	enum scn_cpu_state state;
	struct hvc_frame frame;
	struct hvc_request request;
};

struct scn_saved {
	uint64_t bytes; /* 0: nothing was saved */
	uint8_t state[SCN_SAVE_BYTES];
};

struct scn_machine {
	struct scn_saved *saved; /* the host's: SCN_SAVES of them, as long as the script */
	struct hvc_vm *vm;       /* NULL: there is none, nothing can be done */
	struct scn_machine_cpu cpus[SCN_CPUS];
	unsigned int count;
	unsigned int pending; /* the CPU that `reply` is for */
	uint64_t us;          /* its clock: a microsecond a line */
};

/* The host has made a VM of `count` vCPUs; CPU 0 runs. */
void scn_machine_begin(struct scn_machine *machine, struct hvc_vm *vm,
		       struct hvc_vcpu *const *vcpus, unsigned int count);
/* hvc_platform.cpu_start was asked for this CPU. */
void scn_machine_start(struct scn_machine *machine, unsigned int cpu);
/* hvc_platform.now_us, is_ram_range and mem_protect of every host: RAM is 128 MiB from 1 GiB on. */
uint64_t scn_machine_now_us(const struct scn_machine *machine);
bool scn_machine_is_ram(uint64_t ipa, uint64_t bytes);
/*
 * Do one operation other than SCN_VM. `result` is zeroed before. Returns the CPU's vCPU if it is a call that has to be
 * made now, with op->frame, and scn_machine_called() after it; NULL if `result` is all there is.
 */
struct hvc_vcpu *scn_machine_do(struct scn_machine *machine, const struct scn_op *op,
				struct scn_result *result);
void scn_machine_called(struct scn_machine *machine, const struct scn_op *op,
			enum hvc_verdict verdict, const struct hvc_frame *frame,
			struct scn_result *result);

#endif
