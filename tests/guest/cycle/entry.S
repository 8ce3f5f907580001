/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A CPU comes in: its registers are written down before anything changes them. A CPU goes: with the MMU off
 * every register it can write gets something else, then it makes the call.
 */
#include "cycle.h"

	.arch	armv8-a+fp+simd+sve
/* With the CPU's vectors and stack, and the MMU on: \function(x19, its struct cycle_cpu), which does not return. */
	.macro	go_on function
	msr	tpidr_el1, x19
	adrp	x1, kit_vectors
	add	x1, x1, :lo12:kit_vectors
	msr	vbar_el1, x1
	adrp	x1, kit_stacks
	add	x1, x1, :lo12:kit_stacks
	ldr	w2, [x19]
	add	x2, x2, #1
	add	x1, x1, x2, lsl #14
	mov	sp, x1
	isb
	bl	kit_mmu_on
	mov	x0, x19
	bl	\function
	.endm

	.text
	.global	cycle_entry
cycle_entry:
	str	x0, [x0, #CYCLE_X]
	.set	at, CYCLE_X + 8
	.irp	n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
	str	x\n, [x0, #at]
	.set	at, at + 8
	.endr
	mov	x1, sp
	str	x1, [x0, #at]
	mov	x19, x0
	add	x2, x0, #CYCLE_FOUND
	mov	x4, #CYCLE_STORE
	blr	x4
	mov	x1, #3 << 20			// FPEN
	orr	x1, x1, #3 << 16		// ZEN
	msr	cpacr_el1, x1
	isb
	ldr	x1, [x19, #CYCLE_SVE]
	cbz	x1, 1f
	mov	x1, #0xf			// the longest vectors
	msr	S3_0_C1_C2_0, x1		// ZCR_EL1
	isb
	ldr	w1, [x19]			// this CPU's part of CYCLE_Z
	mov	x2, #CYCLE_Z
	add	x2, x2, x1, lsl #CYCLE_Z_SHIFT
	add	x3, x2, #32 * 256
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	str	z\n, [x2, #\n, mul vl]
	.endr
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	str	p\n, [x3, #\n, mul vl]
	.endr
	rdffr	p0.b
	str	p0, [x3, #16, mul vl]
1:	.irp	n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	orr	v0.16b, v0.16b, v\n\().16b
	.endr
	str	q0, [x19, #CYCLE_V]
	mrs	x1, fpcr
	mrs	x2, fpsr
	add	x3, x19, #CYCLE_V
	stp	x1, x2, [x3, #16]

	go_on	cycle_on

	/* void cycle_down(struct cycle_cpu *, u64 code that loads registers from x2) */
	.global	cycle_down
cycle_down:
	mov	x19, x0
	mov	x20, x1
	ldr	x9, =0x30d00800			// MMU off
	msr	sctlr_el1, x9
	isb
	mov	x1, #3 << 20
	orr	x1, x1, #3 << 16
	msr	cpacr_el1, x1
	isb
	movi	v0.16b, #0xa5
	.irp	n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	mov	v\n\().16b, v0.16b
	.endr
	ldr	x1, [x19, #CYCLE_SVE]
	cbz	x1, 1f
	mov	x1, #0xf
	msr	S3_0_C1_C2_0, x1
	isb
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	dup	z\n\().b, #0x5a
	.endr
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	ptrue	p\n\().b
	.endr
	setffr
1:	mov	x1, #0x08000000
	msr	fpsr, x1
	mov	x1, #1 << 24
	msr	fpcr, x1
	mov	x2, #CYCLE_DIRTY
	add	x2, x19, x2
	blr	x20
	isb
	mov	x2, #CYCLE_DIRTY		// what they hold now
	add	x2, x19, x2
	mov	x4, #CYCLE_STORE
	blr	x4
	ldr	x9, =0x34d0d804			// SCTLR_EL1: some bits that do nothing with the MMU off
	msr	sctlr_el1, x9
	.irp	n, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
	mov	x\n, #\n
	.endr
	mov	x0, #0x770
	mov	sp, x0
	mov	x4, x19
	ldr	x9, [x4, #CYCLE_SMC]
	add	x5, x4, #CYCLE_CALL
	ldp	x2, x3, [x5, #16]
	ldp	x0, x1, [x5]
	cbnz	x9, 1f
	hvc	#0
	b	2f
1:	smc	#0
2:	mov	x19, x4				// it came back: say so, MMU on again
	ldr	x9, =0x30d00800
	msr	sctlr_el1, x9
	isb
	str	x0, [x19, #CYCLE_X]
	go_on	cycle_back
	.ltorg
