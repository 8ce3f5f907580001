/* SPDX-License-Identifier: BSD-2-Clause */
/* Instructions by encoding: MRS, MSR, SYS and SYSL of x0 (DDI 0487, C5.1.2). */
#ifndef HVCGATE_GUEST_INSTRUCTION_H
#define HVCGATE_GUEST_INSTRUCTION_H

#include "kit.h"

/* MRS of x0; without INSTRUCTION_READ it is the MSR. op0 is 1 for SYSL and SYS. */
#define INSTRUCTION_MRS(op0, op1, crn, crm, op2)                                               \
	(0xd5200000u | (uint32_t)(op0) << 19 | (uint32_t)(op1) << 16 | (uint32_t)(crn) << 12 | \
	 (uint32_t)(crm) << 8 | (uint32_t)(op2) << 5)

#define INSTRUCTION_READ 0x00200000u

/* They are made once, in 1 MiB of RAM from here on, so that no code changes while it runs. */
#define INSTRUCTIONS 0x41000000ull
void instructions_make(void);

/* Runs one with x0 as given; what it is after that in *x0. False: an exception. */
bool instruction_try(uint32_t instruction, uint64_t *x0, struct kit_fault *fault);

#endif
