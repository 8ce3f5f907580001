/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One call with every register set before and stored after it. The only ones that are not are TPIDR_EL0,
 * which has to find the way back, and TPIDRRO_EL0, which lends a hand.
 */
#include "every.h"

	.arch	armv8-a+fp+simd
	.text

.macro every name, instruction:vararg
	.global	\name
\name:
	stp	x29, x30, [sp, #-96]!
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x25, x26, [sp, #64]
	stp	x27, x28, [sp, #80]
	mov	x2, sp
	str	x2, [x1, #EVERY_SAVED]
	str	x18, [x1, #EVERY_SAVED + 8]
	msr	tpidr_el0, x1

	ldp	x3, x4, [x0, #EVERY_FP]
	msr	fpcr, x3
	msr	fpsr, x4
	ldr	x3, [x0, #EVERY_SP0]
	msr	sp_el0, x3
	ldr	x3, [x0, #EVERY_NZCV]
	msr	nzcv, x3
	ldr	x3, [x0, #EVERY_SP]
	mov	sp, x3
	add	x3, x0, #EVERY_V
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	ldr	q\n, [x3], #16
	.endr
	ldp	x2, x3, [x0, #16]
	ldp	x4, x5, [x0, #32]
	ldp	x6, x7, [x0, #48]
	ldp	x8, x9, [x0, #64]
	ldp	x10, x11, [x0, #80]
	ldp	x12, x13, [x0, #96]
	ldp	x14, x15, [x0, #112]
	ldp	x16, x17, [x0, #128]
	ldp	x18, x19, [x0, #144]
	ldp	x20, x21, [x0, #160]
	ldp	x22, x23, [x0, #176]
	ldp	x24, x25, [x0, #192]
	ldp	x26, x27, [x0, #208]
	ldp	x28, x29, [x0, #224]
	ldr	x30, [x0, #240]
	ldp	x0, x1, [x0]
	\instruction
	msr	tpidrro_el0, x0
	mrs	x0, tpidr_el0
	str	x1, [x0, #8]
	stp	x2, x3, [x0, #16]
	stp	x4, x5, [x0, #32]
	stp	x6, x7, [x0, #48]
	stp	x8, x9, [x0, #64]
	stp	x10, x11, [x0, #80]
	stp	x12, x13, [x0, #96]
	stp	x14, x15, [x0, #112]
	stp	x16, x17, [x0, #128]
	stp	x18, x19, [x0, #144]
	stp	x20, x21, [x0, #160]
	stp	x22, x23, [x0, #176]
	stp	x24, x25, [x0, #192]
	stp	x26, x27, [x0, #208]
	stp	x28, x29, [x0, #224]
	str	x30, [x0, #240]
	mrs	x1, tpidrro_el0
	str	x1, [x0]
	mov	x1, sp
	str	x1, [x0, #EVERY_SP]
	mrs	x1, nzcv
	str	x1, [x0, #EVERY_NZCV]
	mrs	x1, sp_el0
	str	x1, [x0, #EVERY_SP0]
	mrs	x1, fpcr
	mrs	x2, fpsr
	stp	x1, x2, [x0, #EVERY_FP]
	add	x1, x0, #EVERY_V
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	str	q\n, [x1], #16
	.endr
	msr	fpcr, xzr
	ldr	x18, [x0, #EVERY_SAVED + 8]
	ldr	x1, [x0, #EVERY_SAVED]
	mov	sp, x1
	ldp	x19, x20, [sp, #16]
	ldp	x21, x22, [sp, #32]
	ldp	x23, x24, [sp, #48]
	ldp	x25, x26, [sp, #64]
	ldp	x27, x28, [sp, #80]
	ldp	x29, x30, [sp], #96
	ret
.endm

	every	every_hvc0, hvc #0
	every	every_hvc1, hvc #1
	every	every_smc0, smc #0
	every	every_smc1, smc #1
