/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls behind which a CPU starts anew at an entry point: as a call that returns, with what the CPU woke with. */
#ifndef HVCGATE_GUEST_SLEEP_H
#define HVCGATE_GUEST_SLEEP_H

/* Offsets in struct kit_sleep, for sleep.S. */
#define SLEEP_CALL  0
#define SLEEP_WOKEN 48
#define SLEEP_X     56
#define SLEEP_SP    304
#define SLEEP_SAVED 312
#define SLEEP_BACK  432

#ifndef __ASSEMBLER__
#include "kit.h"

struct kit_sleep {
	uint64_t call[5], conduit; /* x0 to x4; 0 HVC, 1 SMC */
	uint64_t woken;            /* how often it came in by the entry point */
	uint64_t x[31], sp;        /* with which registers */
	uint64_t saved[15];
	uint64_t back; /* a function to run first, with this struct, on no stack of its own; or 0 */
};
_Static_assert(offsetof(struct kit_sleep, woken) == SLEEP_WOKEN, "sleep.S");
_Static_assert(offsetof(struct kit_sleep, x) == SLEEP_X, "sleep.S");
_Static_assert(offsetof(struct kit_sleep, sp) == SLEEP_SP, "sleep.S");
_Static_assert(offsetof(struct kit_sleep, saved) == SLEEP_SAVED, "sleep.S");
_Static_assert(offsetof(struct kit_sleep, back) == SLEEP_BACK, "sleep.S");

/* The entry point to give; the context is the struct. */
extern char kit_sleep_entry[];
/* Make the call. x0 of its answer if it came back behind the instruction, 0 if by the entry point. */
uint64_t kit_sleep(struct kit_sleep *sleep);
#endif

#endif
