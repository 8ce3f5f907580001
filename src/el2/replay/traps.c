/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In place of src/el2/traps.c. Calls of the guest take the fast path of vectors.S as everywhere; what comes here is
 * the fetch behind a call: the call is over, and the next one is prepared. All that the guest ever executes is that
 * one instruction. Registers beside x0 to x17 hold patterns that a call must leave alone.
 * Source: DDI 0487, C6.2 (HVC, SMC), D24.2.37 ESR_EL2.
 */
#include <stdatomic.h>

#include "../sysreg.h"
#include "replay_el2.h"

#define ESR_EC(esr)     ((unsigned int)((esr) >> 26) & 0x3fu)
#define EC_IABORT_LOW   0x20u

#define INSTRUCTION_HVC 0xd4000002u
#define INSTRUCTION_SMC 0xd4000003u
#define INSTRUCTION_NOP 0xd503201fu

/* N and C set, interrupts masked, EL1h. */
#define PSTATE_CALL    0xa00003c5ull
#define PATTERN(n)     (0xa55a000000005aa5ull | (uint64_t)(n) << 24)
#define PATTERN_SP_EL1 PATTERN(31)
#define PATTERN_SP_EL0 PATTERN(32)

static volatile uint32_t *code; /* the guest's one instruction */
static struct replay_op op;     /* the call under way, if `calling` */
static struct replay_result result;
static bool calling, open;
static uint32_t batch, count, at;

static void put_instruction(uint32_t instruction)
{
	if (*code == instruction) {
		return;
	}
	*code = instruction;
	__asm__ volatile("dc civac, %0\n\tdsb sy\n\tic iallu\n\tdsb sy\n\tisb"
			 :
			 : "r"(code)
			 : "memory");
}

void replay_open(const struct el2_launch *launch)
{
	const struct el2_region *ram = &launch->regions[0];

	if (ram->kind != EL2_RAM || ram->ipa != EL2_GUEST_IPA || ram->bytes != REPLAY_GUEST_BYTES ||
	    launch->guest_entry != REPLAY_GUEST_ENTRY) {
		report_refused("this monitor replays scenarios and runs no other guest; entry",
			       launch->guest_entry);
	}
	if (replay_box()->magic != REPLAY_MAGIC ||
	    replay_box()->bytes != sizeof(struct replay_box)) {
		report_refused("replay box of another version; bytes", replay_box()->bytes);
	}
	mmu_map_guest(ram->pa, ram->bytes);
	replay_vm_memory();
	code = (volatile uint32_t *)(ram->pa + (launch->guest_entry - ram->ipa));
	put_instruction(INSTRUCTION_NOP);
	batch = replay_box()->done;
}

/* The next batch; waits for it. */
static void take_batch(void)
{
	_Atomic uint32_t *posted = (_Atomic uint32_t *)&replay_box()->posted;

	while (atomic_load_explicit(posted, memory_order_acquire) == batch) {
		yield();
	}
	count = ((volatile struct replay_box *)replay_box())->count;
	count = count < REPLAY_OPS ? count : REPLAY_OPS;
	at = 0;
	open = true;
}

static void end_batch(void)
{
	batch++;
	atomic_store_explicit((_Atomic uint32_t *)&replay_box()->done, batch, memory_order_release);
	doorbell_ring();
	open = false;
}

/* A text in this monitor's memory means nothing to the process. */
static void put_reason(void)
{
	const char *from = result.result.reason;

	result.result.reason = NULL;
	for (unsigned int i = 0; from != NULL && from[i] != '\0' && i < sizeof(result.reason) - 1;
	     i++) {
		result.reason[i] = from[i];
	}
}

static void put_result(void)
{
	put_reason();
	replay_box()->results[at++] = result;
	atomic_store_explicit((_Atomic uint32_t *)&replay_box()->at, at, memory_order_relaxed);
}

static void start_call(struct el2_frame *frame, struct hvc_vcpu *vcpu)
{
	const uint32_t instruction = op.op.conduit == HVC_CONDUIT_SMC ? INSTRUCTION_SMC
								      : INSTRUCTION_HVC;

	put_instruction(instruction | (uint32_t)op.op.immediate << 5);
	for (unsigned int i = 0; i <= 30; i++) {
		frame->x[i] = i < HVC_FRAME_REGS ? op.op.frame.x[i] : PATTERN(i);
	}
	frame->vcpu = vcpu;
	sysreg_write(sp_el1, PATTERN_SP_EL1);
	sysreg_write(sp_el0, PATTERN_SP_EL0);
	sysreg_write(spsr_el2, PSTATE_CALL);
	sysreg_write(elr_el2, REPLAY_GUEST_ENTRY);
	calling = true;
}

/* What the call has lost. */
static uint64_t lost(const struct el2_frame *frame, uint64_t esr)
{
	const uint64_t behind = REPLAY_GUEST_ENTRY + 4;
	uint64_t bits = 0;

	for (unsigned int i = HVC_FRAME_REGS; i <= 30; i++) {
		bits |= frame->x[i] == PATTERN(i) ? 0 : 1ull << i;
	}
	bits |= sysreg_read(sp_el1) == PATTERN_SP_EL1 ? 0 : REPLAY_LOST_SP_EL1;
	bits |= sysreg_read(sp_el0) == PATTERN_SP_EL0 ? 0 : REPLAY_LOST_SP_EL0;
	bits |= sysreg_read(spsr_el2) == PSTATE_CALL ? 0 : REPLAY_LOST_PSTATE;
	if (ESR_EC(esr) != EC_IABORT_LOW || sysreg_read(far_el2) != behind ||
	    sysreg_read(elr_el2) != behind) {
		bits |= REPLAY_LOST_PC;
	}
	return bits;
}

static void end_call(const struct el2_frame *frame, uint64_t esr)
{
	const enum hvc_verdict verdict = replay_verdict();
	const uint64_t trouble = lost(frame, esr);
	struct hvc_frame call;

	for (unsigned int i = 0; i < HVC_FRAME_REGS; i++) {
		call.x[i] = frame->x[i];
	}
	calling = false;
	scn_machine_called(&replay_machine, &op.op, verdict, &call, &result.result);
	result.trouble = trouble;
	result.esr = esr;
	result.address = sysreg_read(far_el2);
	put_result();
}

/* Do what the monitor can do by itself. False: the guest has to make a call. */
static bool do_op(struct hvc_vcpu **vcpu)
{
	op = replay_box()->ops[at];
	result = (struct replay_result){0};
	if (op.new_script != 0) {
		replay_forget();
	}
	if (op.op.command == SCN_VM) {
		replay_new_vm(&op, &result.result);
		return true;
	}
	*vcpu = scn_machine_do(&replay_machine, &op.op, &result.result);
	return *vcpu == NULL;
}

void trap_from_guest(struct el2_frame *frame, uint64_t esr)
{
	struct hvc_vcpu *vcpu = NULL;

	if (calling) {
		end_call(frame, esr);
	}
	for (;;) {
		while (at == count) {
			if (open) {
				end_batch();
			}
			take_batch();
		}
		if (!do_op(&vcpu)) {
			start_call(frame, vcpu);
			return;
		}
		put_result();
	}
}

/* For the table of tracing, which is not used. */
enum hvc_verdict trap_traced(struct el2_frame *frame, uint64_t esr)
{
	(void)frame;
	report_broken("a traced call in a replay", esr);
}
