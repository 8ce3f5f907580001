/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Start of a bare-metal guest. The header makes it an arm64 Linux Image, so whatever boots Linux boots it
 * (Linux, Documentation/arch/arm64/booting.rst): anywhere in RAM, at EL1, MMU off, x0 = device tree.
 */
	.section .text.head, "ax"
	.global	kit_image
kit_image:
	b	start
	.long	0
	.quad	0				// text_offset
	.quad	0x80000				// image_size, with what is zeroed; guest.ld checks it
	.quad	0xa				// little-endian, 4 KiB pages, anywhere
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	0

start:
	mov	x20, x0
	adrp	x0, __bss_start
	add	x0, x0, :lo12:__bss_start
	adrp	x1, __bss_end
	add	x1, x1, :lo12:__bss_end
1:	stp	xzr, xzr, [x0], #16
	cmp	x0, x1
	b.lo	1b
	adrp	x0, kit_cpus
	add	x0, x0, :lo12:kit_cpus
	adrp	x1, kit_device_tree
	str	x20, [x1, :lo12:kit_device_tree]
	adrp	x19, kit_first_cpu
	add	x19, x19, :lo12:kit_first_cpu
	b	common

	/* A CPU that CPU_ON started; x0 = its struct kit_cpu. */
	.global	kit_secondary
kit_secondary:
	adrp	x19, kit_next_cpu
	add	x19, x19, :lo12:kit_next_cpu
common:
	msr	tpidr_el1, x0
	adrp	x1, kit_vectors
	add	x1, x1, :lo12:kit_vectors
	msr	vbar_el1, x1
	msr	spsel, #1
	adrp	x1, kit_stacks			// 16 KiB for each CPU, by its number
	add	x1, x1, :lo12:kit_stacks
	ldr	w2, [x0]
	add	x2, x2, #1
	add	x1, x1, x2, lsl #14
	mov	sp, x1
	isb
	mov	x21, x0
	bl	kit_mmu_on
	mov	x0, x21
	blr	x19
2:	wfi
	b	2b
