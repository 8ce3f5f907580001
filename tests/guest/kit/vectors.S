/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exceptions of a bare-metal guest. A synchronous one ends the kit_try() in progress, if there is one;
 * interrupts go to kit_irq(); all else is reported.
 */

/* struct kit_cpu */
#define CPU_ARMED 8
#define CPU_SAVED 16	/* x19..x30, sp */
#define CPU_FAULT 120	/* struct kit_fault: esr, far, elr, spsr, vector */

.macro sync number
	.balign	0x80
	msr	tpidr_el0, x0
	mov	x0, #\number
	b	take_sync
.endm

.macro irq number
	.balign	0x80
	stp	x29, x30, [sp, #-16]!
	mov	x29, #\number
	b	take_irq
.endm

	.text
	.balign	0x800
	.global	kit_vectors
kit_vectors:
	sync	0
	irq	1
	irq	2
	sync	3
	sync	4
	irq	5
	irq	6
	sync	7
	sync	8
	irq	9
	irq	10
	sync	11
	sync	12
	irq	13
	irq	14
	sync	15

take_sync:
	msr	spsel, #1
	sub	sp, sp, #256
	stp	x1, x2, [sp, #8]
	mrs	x1, tpidr_el1
	mrs	x2, esr_el1
	str	x2, [x1, #CPU_FAULT]
	mrs	x2, far_el1
	str	x2, [x1, #CPU_FAULT + 8]
	mrs	x2, elr_el1
	str	x2, [x1, #CPU_FAULT + 16]
	mrs	x2, spsr_el1
	str	x2, [x1, #CPU_FAULT + 24]
	str	x0, [x1, #CPU_FAULT + 32]
	ldr	x2, [x1, #CPU_ARMED]
	cbz	x2, unexpected
	str	xzr, [x1, #CPU_ARMED]
	ldp	x19, x20, [x1, #CPU_SAVED]
	ldp	x21, x22, [x1, #CPU_SAVED + 16]
	ldp	x23, x24, [x1, #CPU_SAVED + 32]
	ldp	x25, x26, [x1, #CPU_SAVED + 48]
	ldp	x27, x28, [x1, #CPU_SAVED + 64]
	ldp	x29, x30, [x1, #CPU_SAVED + 80]
	ldr	x2, [x1, #CPU_SAVED + 96]
	mov	sp, x2
	mov	x0, #1
	ret
unexpected:
	mov	x0, x1
	b	kit_unexpected			// does not return

take_irq:
	sub	sp, sp, #160
	stp	x0, x1, [sp]
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	str	x18, [sp, #144]
	mov	x0, x29
	bl	kit_irq
	ldp	x0, x1, [sp]
	ldp	x2, x3, [sp, #16]
	ldp	x4, x5, [sp, #32]
	ldp	x6, x7, [sp, #48]
	ldp	x8, x9, [sp, #64]
	ldp	x10, x11, [sp, #80]
	ldp	x12, x13, [sp, #96]
	ldp	x14, x15, [sp, #112]
	ldp	x16, x17, [sp, #128]
	ldr	x18, [sp, #144]
	add	sp, sp, #160
	ldp	x29, x30, [sp], #16
	eret

.macro arm
	mrs	x3, tpidr_el1
	stp	x19, x20, [x3, #CPU_SAVED]
	stp	x21, x22, [x3, #CPU_SAVED + 16]
	stp	x23, x24, [x3, #CPU_SAVED + 32]
	stp	x25, x26, [x3, #CPU_SAVED + 48]
	stp	x27, x28, [x3, #CPU_SAVED + 64]
	stp	x29, x30, [x3, #CPU_SAVED + 80]
	mov	x4, sp
	str	x4, [x3, #CPU_SAVED + 96]
	mov	x4, #1
	str	x4, [x3, #CPU_ARMED]
.endm

	/* int try_el1(void (*fn)(void *), void *arg): 0, or 1 after an exception */
	.global	try_el1
try_el1:
	arm
	stp	x29, x30, [sp, #-16]!
	mov	x2, x0
	mov	x0, x1
	blr	x2
	mrs	x3, tpidr_el1
	str	xzr, [x3, #CPU_ARMED]
	ldp	x29, x30, [sp], #16
	mov	x0, #0
	ret

	/* int try_el0(void (*fn)(void *), void *arg, void *stack, void *stub, u64 spsr): always 1 */
	.global	try_el0
try_el0:
	mov	x9, x3
	mov	x10, x4
	arm
	msr	sp_el0, x2
	msr	elr_el1, x0
	msr	spsr_el1, x10
	mov	x0, x1
	mov	x30, x9
	isb
	eret

	/* Where a function at EL0 returns to. */
	.global	try_el0_end
try_el0_end:
	svc	#0
