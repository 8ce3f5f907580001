/* SPDX-License-Identifier: BSD-2-Clause */
/* Where CPUs of storm.c start and wake, whoever started them and with whatever context. */
#include "storm.h"

	.text
	.global	storm_entry
storm_entry:
	mrs	x19, mpidr_el1
	and	x19, x19, #0xff
	adrp	x20, storm_cpus
	add	x20, x20, :lo12:storm_cpus
	mov	x1, #STORM_CPU_BYTES
	madd	x20, x19, x1, x20
	msr	tpidr_el1, x20
	adrp	x1, kit_vectors
	add	x1, x1, :lo12:kit_vectors
	msr	vbar_el1, x1
	adrp	x1, kit_stacks
	add	x1, x1, :lo12:kit_stacks
	add	x2, x19, #1
	add	x1, x1, x2, lsl #14
	mov	sp, x1
	isb
	str	x0, [x20, #STORM_CONTEXT]
	bl	kit_mmu_on
	mov	x0, x20
	bl	storm_on			// does not return
