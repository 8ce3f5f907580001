/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hypercalls with every register of the convention. All that a call must preserve (x18 to x30 but for
 * what this needs, SP, NZCV) is patterned before and compared after it.
 */
	.text

/* u64 name(u64 x[18]): 0, or bits of what changed: n for xn (18..30), 31 SP, 32 flags */
.macro call name, instruction:vararg
	.global	\name
\name:
	stp	x29, x30, [sp, #-112]!
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x25, x26, [sp, #64]
	stp	x27, x28, [sp, #80]
	str	x18, [sp, #96]
	mov	x29, sp
	str	x0, [sp, #-16]!
	mov	x30, x0
	ldp	x0, x1, [x30]
	ldp	x2, x3, [x30, #16]
	ldp	x4, x5, [x30, #32]
	ldp	x6, x7, [x30, #48]
	ldp	x8, x9, [x30, #64]
	ldp	x10, x11, [x30, #80]
	ldp	x12, x13, [x30, #96]
	ldp	x14, x15, [x30, #112]
	ldp	x16, x17, [x30, #128]
	.irp	n, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 30
	movz	x\n, #(0xa500 + \n), lsl #48
	movk	x\n, #(0x5a00 + \n)
	.endr
	cmp	x29, x29			// Z and C
	\instruction
	stp	x16, x17, [sp, #-16]!		// where SP was, if it still is there
	mov	x17, #0
	b.ne	1f
	b.cs	2f
1:	orr	x17, x17, #1 << 32
2:
	.irp	n, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 30
	movz	x16, #(0xa500 + \n), lsl #48
	movk	x16, #(0x5a00 + \n)
	cmp	x16, x\n
	b.eq	3f
	orr	x17, x17, #1 << \n
3:
	.endr
	add	x16, sp, #32
	cmp	x16, x29
	b.eq	4f
	orr	x17, x17, #1 << 31
4:	mov	x28, x17
	ldp	x16, x17, [sp], #16
	ldr	x30, [sp], #16
	stp	x0, x1, [x30]
	stp	x2, x3, [x30, #16]
	stp	x4, x5, [x30, #32]
	stp	x6, x7, [x30, #48]
	stp	x8, x9, [x30, #64]
	stp	x10, x11, [x30, #80]
	stp	x12, x13, [x30, #96]
	stp	x14, x15, [x30, #112]
	stp	x16, x17, [x30, #128]
	mov	x0, x28
	ldr	x18, [sp, #96]
	ldp	x27, x28, [sp, #80]
	ldp	x25, x26, [sp, #64]
	ldp	x23, x24, [sp, #48]
	ldp	x21, x22, [sp, #32]
	ldp	x19, x20, [sp, #16]
	ldp	x29, x30, [sp], #112
	ret
.endm

	call	call_hvc0, hvc #0
	call	call_hvc1, hvc #1
	call	call_smc0, smc #0
	call	call_smc1, smc #1
