/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls in odd states; nothing here touches memory while the state is odd. */
	.text

	/* u64 name(u64 id) */
	.global	odd_stack_call
odd_stack_call:
	mov	x9, sp
	mov	x10, #3
	mov	sp, x10
	hvc	#0
	mov	sp, x9
	ret

	.global	odd_endian_call
odd_endian_call:
	mrs	x9, sctlr_el1
	orr	x10, x9, #1 << 25		// EE
	bic	x10, x10, #1			// M: tables would be big-endian, too
	msr	sctlr_el1, x10
	isb
	hvc	#0
	msr	sctlr_el1, x9
	isb
	ret

	.global	odd_mmu_off_call
odd_mmu_off_call:
	mrs	x9, sctlr_el1
	bic	x10, x9, #1			// M
	msr	sctlr_el1, x10
	isb
	hvc	#0
	msr	sctlr_el1, x9
	isb
	ret

	/* void name(u64 *address); the caller switches the MMU on again after an exception */
	.global	odd_mmu_off_load
odd_mmu_off_load:
	ldr	x11, [x0]
	mrs	x9, sctlr_el1
	bic	x10, x9, #1
	msr	sctlr_el1, x10
	isb
	ldr	x12, [x11]
	msr	sctlr_el1, x9
	isb
	ret

	/* void attack_step(u64 *code): runs *code with one step to go, x0 = PSCI_VERSION */
	.global	attack_step
attack_step:
	ldr	x1, [x0]
	mov	x2, #0x1c5			// EL1h, A I F masked, D not
	orr	x2, x2, #1 << 21		// SS
	msr	spsr_el1, x2
	msr	elr_el1, x1
	mov	x0, #0x84000000
	eret

	/* void attack_lost(u64 base): exceptions go where nothing is, for ever */
	.global	attack_lost
attack_lost:
	msr	vbar_el1, x0
	isb
	brk	#0
	b	.
