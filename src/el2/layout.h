/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers that assembly, C and the linker script share. main.c asserts that they fit the structures.
 */
#ifndef HVCGATE_EL2_LAYOUT_H
#define HVCGATE_EL2_LAYOUT_H

/* struct el2_frame: x0..x30, then what the fast path needs. It stands at the top of each stack. */
#define FRAME_X30   240
#define FRAME_VCPU  248 /* and behind it el2_frame.news */
#define FRAME_BYTES 272

/* struct el2_cpu */
#define CPU_FAULT_X      0
#define CPU_FAULT_SP     248
#define CPU_FAULT_VECTOR 256
#define CPU_FAULT_STACK  264 /* initial stack pointer of the fault report */
#define CPU_STACK        272 /* where the frame begins */
#define CPU_EXPECTED     352
#define CPU_BYTES        448

/* One stack: a guard page that is not mapped, then the stack. */
#define STACK_GUARD       0x1000
#define STACK_BYTES       0x4000
#define STACK_STRIDE      (STACK_GUARD + STACK_BYTES)
#define FAULT_STACK_BYTES 0x1000

/* ESR_ELx.EC (DDI 0487, D24.2.37); IL and an immediate of 0 beside it */
#define EC_HVC64  0x16
#define EC_SMC64  0x17
#define ESR_HVC64 0x5a000000
#define ESR_SMC64 0x5e000000

/* SCTLR_EL2 while the MMU is off: RES1 bits only. */
#define SCTLR_EL2_OFF 0x30c50830
/* M, C, SA, I, WXN */
#define SCTLR_EL2_ON (SCTLR_EL2_OFF | 1 << 0 | 1 << 2 | 1 << 3 | 1 << 12 | 1 << 19)

#endif
