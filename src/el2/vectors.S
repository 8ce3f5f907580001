/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exceptions taken to EL2.
 *
 * Three tables that differ in one entry: calls of a guest as they are, with tracing, and of a guest that
 * calls can be revoked of. SP_EL2 stands at this CPU's el2_frame whenever the guest runs, so no pointer has to be found. The fast path saves what the
 * procedure call standard lets the engine change: x0..x17 and x30. x18 is reserved by -ffixed-x18, the
 * rest is preserved by the callee.
 */
#include "layout.h"

.macro save_fast
	stp	x0, x1, [sp, #0]
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	str	x30, [sp, #FRAME_X30]
.endm

.macro restore_fast_and_return
	ldr	x30, [sp, #FRAME_X30]
	ldp	x16, x17, [sp, #128]
	ldp	x14, x15, [sp, #112]
	ldp	x12, x13, [sp, #96]
	ldp	x10, x11, [sp, #80]
	ldp	x8, x9, [sp, #64]
	ldp	x6, x7, [sp, #48]
	ldp	x4, x5, [sp, #32]
	ldp	x2, x3, [sp, #16]
	ldp	x0, x1, [sp, #0]
	eret
.endm

.macro save_rest
	stp	x18, x19, [sp, #144]
	stp	x20, x21, [sp, #160]
	stp	x22, x23, [sp, #176]
	stp	x24, x25, [sp, #192]
	stp	x26, x27, [sp, #208]
	stp	x28, x29, [sp, #224]
.endm

.macro restore_rest
	ldp	x28, x29, [sp, #224]
	ldp	x26, x27, [sp, #208]
	ldp	x24, x25, [sp, #192]
	ldp	x22, x23, [sp, #176]
	ldp	x20, x21, [sp, #160]
	ldp	x18, x19, [sp, #144]
.endm

/* An exception the monitor should not get: report it. The stack may be what is broken, so nothing is
 * pushed; SP_EL0 is the guest's, but the guest will not run again. */
.macro fault number
	.balign	0x80
	msr	sp_el0, x0
	mrs	x0, tpidr_el2
	str	x1, [x0, #CPU_FAULT_X + 8]
	mov	x1, #\number
	b	fault_entry
.endm

.macro faults first, last
	.set	vector_number, \first
	.rept	\last - \first + 1
	fault	vector_number
	.set	vector_number, vector_number + 1
	.endr
.endm

.macro slow
	.balign	0x80
	save_fast
	b	slow_path
.endm

	.section .text.vectors, "ax"

	.balign	0x800
	.global	el2_vectors
el2_vectors:
	faults	0, 7				// from EL2 itself
	.balign	0x80				// from EL1 or EL0, AArch64: synchronous
	save_fast
saved:
	mrs	x4, esr_el2
	mov	w5, #ESR_HVC64
	subs	w2, w4, w5			// immediate: 0 if it is an HVC #0
	b.ne	not_hvc0
	ldr	x0, [sp, #FRAME_VCPU]
	mov	w1, #0				// HVC_CONDUIT_HVC
	mov	x3, sp
	bl	hvc_call
	cbnz	w0, verdict
	restore_fast_and_return
	faults	9, 11				// interrupts: they belong to EL1
	slow					// AArch32 at EL0
	faults	13, 15

	.balign	0x800
	.global	el2_vectors_traced
el2_vectors_traced:
	faults	0, 7
	.balign	0x80
	save_fast
	mrs	x1, esr_el2
	lsr	x5, x1, #26
	cmp	x5, #EC_HVC64
	mov	x4, #EC_SMC64
	ccmp	x5, x4, #4, ne
	b.ne	slow_path
	mov	x0, sp
	bl	trap_traced
	cbnz	w0, verdict
	b	resume
	faults	9, 11
	slow
	faults	13, 15

	.balign	0x800
	.global	el2_vectors_watched
el2_vectors_watched:
	faults	0, 7
	.balign	0x80
	save_fast
	mrs	x4, esr_el2
	mov	w5, #ESR_HVC64
	ldp	x0, x1, [sp, #FRAME_VCPU]
	ldar	w1, [x1]			// no news is 0, and that is HVC_CONDUIT_HVC
	subs	w2, w4, w5
	b.ne	watched_not_hvc0
	cbnz	w1, news
	mov	x3, sp
	bl	hvc_call
	cbnz	w0, verdict
	restore_fast_and_return
	faults	9, 11
	slow
	faults	13, 15

watched_not_hvc0:
	cbz	w1, not_hvc0
	/* The rules first, and then whatever it was that trapped. */
news:
	bl	revoke_take
	b	saved

	/* w2: ESR_EL2 less that of an HVC #0 */
not_hvc0:
	mov	w5, #ESR_SMC64 - ESR_HVC64
	subs	w2, w2, w5
	b.eq	smc
	add	w2, w2, w5
	lsr	w6, w2, #16
	cbz	w6, hvc
	cmp	w6, w5, lsr #16
	b.ne	slow_path
	and	w2, w2, #0xffff
	/* A trapped SMC has not been executed: step over it as the CPU would, which ends a pending
	 * software step (SPSR_EL2.SS) and clears BTYPE. */
smc:
	mrs	x6, elr_el2
	mrs	x7, spsr_el2
	add	x6, x6, #4
	and	x7, x7, #~(1 << 21)
	and	x7, x7, #~(3 << 10)
	msr	elr_el2, x6
	msr	spsr_el2, x7
	mov	w1, #1				// HVC_CONDUIT_SMC
	ldr	x0, [sp, #FRAME_VCPU]
	mov	x3, sp
	bl	hvc_call
	cbnz	w0, verdict
resume:
	restore_fast_and_return
	/* HVC with another immediate */
hvc:
	ldr	x0, [sp, #FRAME_VCPU]
	mov	w1, #0
	mov	x3, sp
	bl	hvc_call
	cbz	w0, resume

verdict:
	mov	w1, w0
	mov	x0, sp
	bl	power_verdict
	restore_fast_and_return

slow_path:
	save_rest
	mov	x0, sp
	mrs	x1, esr_el2
	bl	trap_from_guest
	restore_rest
	restore_fast_and_return

	/* x0: el2_cpu, x1: vector number; x1 itself is saved, x0 is in SP_EL0 */
fault_entry:
	str	x1, [x0, #CPU_FAULT_VECTOR]
	stp	x2, x3, [x0, #CPU_FAULT_X + 16]
	stp	x4, x5, [x0, #CPU_FAULT_X + 32]
	stp	x6, x7, [x0, #CPU_FAULT_X + 48]
	stp	x8, x9, [x0, #CPU_FAULT_X + 64]
	stp	x10, x11, [x0, #CPU_FAULT_X + 80]
	stp	x12, x13, [x0, #CPU_FAULT_X + 96]
	stp	x14, x15, [x0, #CPU_FAULT_X + 112]
	stp	x16, x17, [x0, #CPU_FAULT_X + 128]
	stp	x18, x19, [x0, #CPU_FAULT_X + 144]
	stp	x20, x21, [x0, #CPU_FAULT_X + 160]
	stp	x22, x23, [x0, #CPU_FAULT_X + 176]
	stp	x24, x25, [x0, #CPU_FAULT_X + 192]
	stp	x26, x27, [x0, #CPU_FAULT_X + 208]
	stp	x28, x29, [x0, #CPU_FAULT_X + 224]
	str	x30, [x0, #CPU_FAULT_X + 240]
	mov	x2, sp
	str	x2, [x0, #CPU_FAULT_SP]
	mrs	x2, sp_el0
	str	x2, [x0, #CPU_FAULT_X]
	ldr	x2, [x0, #CPU_FAULT_STACK]
	msr	spsel, #1
	mov	sp, x2
	bl	report_fault			// does not return
