/* SPDX-License-Identifier: BSD-2-Clause */
/* A call that comes back by an entry point: as setjmp() and longjmp() around it. */
#include "sleep.h"

	.text
	/* u64 kit_sleep(struct kit_sleep *) */
	.global	kit_sleep
kit_sleep:
	add	x9, x0, #SLEEP_SAVED
	stp	x19, x20, [x9]
	stp	x21, x22, [x9, #16]
	stp	x23, x24, [x9, #32]
	stp	x25, x26, [x9, #48]
	stp	x27, x28, [x9, #64]
	stp	x29, x30, [x9, #80]
	mov	x10, sp
	mrs	x11, tpidr_el1
	stp	x10, x11, [x9, #96]
	mrs	x10, vbar_el1
	str	x10, [x9, #112]
	ldr	x9, [x0, #SLEEP_CALL + 40]
	ldp	x3, x4, [x0, #SLEEP_CALL + 24]
	ldp	x1, x2, [x0, #SLEEP_CALL + 8]
	ldr	x0, [x0, #SLEEP_CALL]
	cbnz	x9, 1f
	hvc	#0
	ret
1:	smc	#0
	ret

	/* x0 = struct kit_sleep; MMU off */
	.global	kit_sleep_entry
kit_sleep_entry:
	str	x0, [x0, #SLEEP_X]
	.set	at, SLEEP_X + 8
	.irp	n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30
	str	x\n, [x0, #at]
	.set	at, at + 8
	.endr
	mov	x1, sp
	str	x1, [x0, #SLEEP_SP]
	ldr	x1, [x0, #SLEEP_BACK]
	cbz	x1, 1f
	mov	x19, x0
	blr	x1
	mov	x0, x19
1:	ldr	x1, [x0, #SLEEP_WOKEN]
	add	x1, x1, #1
	str	x1, [x0, #SLEEP_WOKEN]
	add	x9, x0, #SLEEP_SAVED
	ldp	x10, x11, [x9, #96]
	mov	sp, x10
	msr	tpidr_el1, x11
	ldr	x10, [x9, #112]
	msr	vbar_el1, x10
	ldp	x19, x20, [x9]
	ldp	x21, x22, [x9, #16]
	ldp	x23, x24, [x9, #32]
	ldp	x25, x26, [x9, #48]
	ldp	x27, x28, [x9, #64]
	ldp	x29, x30, [x9, #80]
	stp	x29, x30, [sp, #-16]!
	isb
	bl	kit_mmu_on
	ldp	x29, x30, [sp], #16
	mov	x0, #0
	ret
