/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where CPUs come in at EL2: CPU 0 from reset, the others from the machine's PSCI CPU_ON. MMU and
 * caches are off, everything else is unknown.
 */
#include "layout.h"

	.section .text.head, "ax"
	.global el2_start
el2_start:
	msr	daifset, #0xf
	/* What an earlier stage left in caches must neither be written back over what the MMU-off CPU writes nor
	 * be found when the MMU is on. Page tables: page_alloc(). 16 bytes is the smallest line. */
	adrp	x0, __bss_start
	add	x0, x0, :lo12:__bss_start
	adrp	x1, __stacks_end
1:	dc	ivac, x0
	add	x0, x0, #16
	cmp	x0, x1
	b.lo	1b
	dsb	sy

	adrp	x0, __bss_start			// no state of an earlier boot survives a reset
	add	x0, x0, :lo12:__bss_start
	adrp	x1, __bss_end
	add	x1, x1, :lo12:__bss_end
1:	stp	xzr, xzr, [x0], #16
	cmp	x0, x1
	b.lo	1b
	adrp	x0, __stacks
	adrp	x1, __stacks_end
2:	stp	xzr, xzr, [x0], #16
	cmp	x0, x1
	b.lo	2b

	adrp	x0, el2_cpus
	add	x0, x0, :lo12:el2_cpus
	adrp	x1, __stacks + STACK_STRIDE
	sub	x1, x1, #FRAME_BYTES
	str	x1, [x0, #CPU_STACK]
	adrp	x1, __fault_stacks + FAULT_STACK_BYTES
	str	x1, [x0, #CPU_FAULT_STACK]
	adrp	x30, el2_boot
	add	x30, x30, :lo12:el2_boot
	b	enter

	.global el2_secondary
el2_secondary:
	msr	daifset, #0xf
	/* Not one that cpu_start() asked for: whoever sent it here also chose x0. */
	adrp	x1, el2_cpus
	add	x1, x1, :lo12:el2_cpus
	mov	x2, #CPU_BYTES
	mov	x3, #8				// EL2_MAX_CPUS
1:	cmp	x0, x1
	b.eq	2f
	add	x1, x1, x2
	subs	x3, x3, #1
	b.ne	1b
	b	halt
2:	ldr	w1, [x0, #CPU_EXPECTED]
	cbz	w1, halt
	adrp	x30, el2_cpu_boot
	add	x30, x30, :lo12:el2_cpu_boot

	/* x0: this CPU's el2_cpu, x30: where to go on */
enter:
	mrs	x1, CurrentEL
	cmp	x1, #2 << 2
	b.ne	halt				// not a machine for us, and nobody to tell
	ldr	x1, =SCTLR_EL2_OFF
	msr	sctlr_el2, x1
	mov	x1, #1 << 31			// HCR_EL2.RW; E2H and TGE off
	msr	hcr_el2, x1
	adrp	x1, el2_vectors
	add	x1, x1, :lo12:el2_vectors
	msr	vbar_el2, x1
	msr	tpidr_el2, x0
	msr	spsel, #1
	ldr	x1, [x0, #CPU_STACK]
	mov	sp, x1
	isb
	mov	x29, xzr
	br	x30
halt:
	wfi
	b	halt

	/* void el2_mmu_enable(uint64_t mair, uint64_t tcr, uint64_t root) */
	.global el2_mmu_enable
el2_mmu_enable:
	msr	mair_el2, x0
	msr	tcr_el2, x1
	msr	ttbr0_el2, x2
	dsb	sy
	isb
	tlbi	alle2
	ic	iallu
	dsb	sy
	isb
	ldr	x3, =SCTLR_EL2_ON
	msr	sctlr_el2, x3
	isb
	ret
	.ltorg
