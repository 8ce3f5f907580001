/* SPDX-License-Identifier: BSD-2-Clause */
/* Every register that EL1 has, around one call. */
#ifndef HVCGATE_GUEST_EVERY_H
#define HVCGATE_GUEST_EVERY_H

/* Offsets in struct every, for every.S. */
#define EVERY_SP    248
#define EVERY_NZCV  256
#define EVERY_SP0   264
#define EVERY_FP    272 /* FPCR, FPSR */
#define EVERY_V     288
#define EVERY_SAVED 800 /* every.S's own */

#ifndef __ASSEMBLER__
#include "../kit/kit.h"

struct every {
	uint64_t x[31], sp, nzcv, sp_el0, fpcr, fpsr;
	uint64_t v[64];
	uint64_t saved[2];
};
_Static_assert(offsetof(struct every, sp) == EVERY_SP, "every.S");
_Static_assert(offsetof(struct every, nzcv) == EVERY_NZCV, "every.S");
_Static_assert(offsetof(struct every, sp_el0) == EVERY_SP0, "every.S");
_Static_assert(offsetof(struct every, fpcr) == EVERY_FP, "every.S");
_Static_assert(offsetof(struct every, v) == EVERY_V, "every.S");
_Static_assert(offsetof(struct every, saved) == EVERY_SAVED, "every.S");

/* Call with all registers of `before`; what they are behind it goes to `after`. Interrupts are masked and
 * FP is on. TPIDR_EL0 and TPIDRRO_EL0 are changed. */
void every_hvc0(const struct every *before, struct every *after);
void every_hvc1(const struct every *before, struct every *after);
void every_smc0(const struct every *before, struct every *after);
void every_smc1(const struct every *before, struct every *after);
#endif

#endif
