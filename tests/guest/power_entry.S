/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where power.c starts CPUs: write down every register as it was found, then leave as much behind as can
 * be, and make the call that the record says. x0 = struct record.
 */
#include "power_regs.h"

	.arch	armv8-a+fp+simd
	.text
	.global	power_entry
power_entry:
	str	x0, [x0, #RECORD_X]
	.set	at, RECORD_X + 8
	.irp	n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
	str	x\n, [x0, #at]
	.set	at, at + 8
	.endr
	mov	x1, sp
	str	x1, [x0, #at]

	add	x2, x0, #RECORD_SYS
#define REG(name, expected, junk) mrs x1, name; str x1, [x2], #8;
	REGS
	TIMER_REGS
#undef REG
	mrs	x3, cpacr_el1
	mov	x1, #3 << 20			// FPEN
	msr	cpacr_el1, x1
	isb
	.irp	n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	orr	v0.16b, v0.16b, v\n\().16b
	.endr
	str	q0, [x0, #RECORD_V]
	mrs	x1, fpcr
	str	x1, [x0, #RECORD_FP]
	mrs	x1, fpsr
	str	x1, [x0, #RECORD_FP + 8]

	movi	v0.16b, #0xa5
	.irp	n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	mov	v\n\().16b, v0.16b
	.endr
	mov	x1, #0x08000000
	msr	fpsr, x1
	mov	x1, #1 << 24
	msr	fpcr, x1
#define REG(name, expected, junk) ldr x1, =junk; cbz x1, 1f; msr name, x1; 1:
	REGS
	TIMER_REGS
#undef REG
	dmb	sy
	ldr	x1, [x0]			// done: how often
	add	x1, x1, #1
	str	x1, [x0]
	.irp	n, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
	mov	x\n, #\n
	.endr
	add	x0, x0, #RECORD_GO
	ldp	x2, x3, [x0, #16]
	ldp	x0, x1, [x0]
	hvc	#0
	b	.
	.ltorg
