/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Into the guest with nothing of ours, or of an earlier guest, left in a register.
 */
#include "layout.h"

	.arch	armv8-a+sve
	.text

	/* void el2_guest_enter(uint64_t x0) */
	.global	el2_guest_enter
el2_guest_enter:
	mrs	x1, tpidr_el2
	ldr	x1, [x1, #CPU_STACK]
	mov	sp, x1
	.irp	n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
	mov	x\n, xzr
	.endr
	eret

	/* void el2_clear_fp(void) */
	.global	el2_clear_fp
el2_clear_fp:
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	movi	v\n\().2d, #0
	.endr
	msr	fpcr, xzr
	msr	fpsr, xzr
	ret

	/* void el2_clear_sve(void) */
	.global	el2_clear_sve
el2_clear_sve:
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	mov	z\n\().d, #0
	.endr
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	pfalse	p\n\().b
	.endr
	wrffr	p0.b
	ret
