/* SPDX-License-Identifier: BSD-2-Clause */
/* CPUs that go down and come up with every register they have written down. */
#ifndef HVCGATE_GUEST_CYCLE_H
#define HVCGATE_GUEST_CYCLE_H

/* Offsets in struct cycle_cpu, for entry.S; at its beginning is a struct kit_cpu's index, for the kit's vectors. */
#define CYCLE_X     512 /* x0..x30, SP */
#define CYCLE_V     768 /* all of q0..q31 in one, FPCR, FPSR */
#define CYCLE_CALL  800 /* x0..x3 */
#define CYCLE_SMC   832
#define CYCLE_SVE   840
#define CYCLE_FOUND 1024
#define CYCLE_DIRTY 5120
#define CYCLE_BYTES 16384

#define CYCLE_MAX   512 /* registers */

/* Code that is made at run time: store each register to x2, load each from x2. */
#define CYCLE_STORE 0x41200000
#define CYCLE_LOAD  0x41210000
/* The same without what a CPU keeps in CPU_SUSPEND. */
#define CYCLE_LOAD_SLEEP 0x41220000
/* Z0..Z31, P0..P15, FFR of each CPU as found. */
#define CYCLE_Z       0x41300000
#define CYCLE_Z_SHIFT 14

#ifndef __ASSEMBLER__
#include "../kit/kit.h"

struct cycle_cpu {
	uint32_t index;
	uint8_t kit[CYCLE_X - 4];
	uint64_t x[31], sp;
	uint64_t v[2], fp[2]; /* ORed together */
	uint64_t call[4], smc, sve;
	uint64_t come, goes, wrong;
	uint64_t random;
	uint64_t calls;
	volatile uint64_t arrived;
	uint64_t first; /* found[] of the first time, kept below, is valid */
	uint8_t pad[CYCLE_FOUND - 904];
	uint64_t found[CYCLE_MAX];
	uint64_t dirty[CYCLE_MAX];
	uint64_t reference[CYCLE_MAX];
} __attribute__((aligned(CYCLE_BYTES)));
_Static_assert(offsetof(struct cycle_cpu, x) == CYCLE_X, "entry.S");
_Static_assert(offsetof(struct cycle_cpu, v) == CYCLE_V, "entry.S");
_Static_assert(offsetof(struct cycle_cpu, call) == CYCLE_CALL, "entry.S");
_Static_assert(offsetof(struct cycle_cpu, smc) == CYCLE_SMC, "entry.S");
_Static_assert(offsetof(struct cycle_cpu, sve) == CYCLE_SVE, "entry.S");
_Static_assert(offsetof(struct cycle_cpu, found) == CYCLE_FOUND, "entry.S");
_Static_assert(offsetof(struct cycle_cpu, dirty) == CYCLE_DIRTY, "entry.S");
_Static_assert(sizeof(struct cycle_cpu) == CYCLE_BYTES, "entry.S");

/* entry.S: where a CPU comes in with its struct as context, and how it goes. */
extern char cycle_entry[];
_Noreturn void cycle_down(struct cycle_cpu *cpu, uint64_t load);
/* cycle.c */
_Noreturn void cycle_on(struct cycle_cpu *cpu);
_Noreturn void cycle_back(struct cycle_cpu *cpu);

/* --- registers.c */
/* Finds out, on one CPU with the MMU on, which registers can be read and written; makes the code. */
void registers_find(void);
unsigned int registers_count(void);
unsigned int registers_writable(void);
/* What to load into the registers so that they hold something else than `now`. */
void registers_spoil(const uint64_t *now, uint64_t *values);
/* Compare with what they had the first time; the first time with what the architecture says. Returns how many differ. */
unsigned int registers_compare(struct cycle_cpu *cpu, bool slept);
/* How many hold state, and how many of those never changed. */
void registers_tell(const struct cycle_cpu *cpu);
#endif

#endif
