/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is what several CPUs saw of one CPU's power state something that could have happened one after another?
 *
 * One history is of one target CPU. That is enough: CPU_ON, CPU_OFF, hvc_vcpu_started() and AFFINITY_INFO at level 0
 * read and write the power state of a single CPU, and a history of several objects is linearisable if and only if that
 * of each object is (Herlihy and Wing, "Linearizability", 1990: locality). AFFINITY_INFO above level 0 looks at several
 * CPUs one after the other; it is not claimed to be atomic, and is no operation here.
 *
 * The sequential CPU, DEN0022 6.6: OFF -> ON_PENDING by the CPU_ON that wins, ON_PENDING -> ON by the CPU itself, which
 * finds what the winner said, ON -> OFF by its CPU_OFF. A CPU_ON that the host fails is two steps: it wins, and gives
 * back later; who looks in between sees ON_PENDING.
 */
#ifndef RACE_HISTORY_H
#define RACE_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { HISTORY_CPUS = 16 };

/* AFFINITY_INFO's numbers. */
enum power_state { STATE_ON = 0, STATE_OFF = 1, STATE_PENDING = 2 };

enum op_kind {
	OP_WON, /* CPU_ON as far as the host's cpu_start: OFF -> PENDING; number: what it starts with */
	OP_GIVEN_BACK, /* the rest of a CPU_ON that the host failed: PENDING -> OFF; number: as above */
	OP_REFUSED, /* CPU_ON that answered ALREADY_ON or ON_PENDING; state: which of them it says */
	OP_ASKED,   /* AFFINITY_INFO at level 0; state: its answer */
	OP_STARTED, /* hvc_vcpu_started(): PENDING -> ON; number: what it was told to start with */
	OP_OFF,     /* CPU_OFF: ON -> OFF */
	OP_NEVER,   /* an answer that there is not; number: what it was */
};

/* One operation: it happened at once, some time between `from` and `to`. All times differ. */
struct op {
	uint64_t from, to;
	uint64_t number;
	uint8_t kind;  /* enum op_kind */
	uint8_t cpu;   /* who did it, one thing after another */
	uint8_t state; /* enum power_state that the answer tells */
};
#define OP_RUNNING UINT64_MAX /* `to` of one that has not come back yet */

/* The shortest piece of a history that no order explains. */
struct finding {
	struct op *ops; /* by `from`; to be freed */
	size_t count;
	struct op last; /* the one at whose end no order was left */
	size_t before;  /* operations that had ended before */
	uint8_t state;  /* what the CPU was at their beginning */
	uint64_t number;
};

/* Could these have happened in some order, each between its times, to a CPU that was `first`? Any order of `ops` is
 * fine. If not, *finding (may be NULL) says why. Aborts if a CPU does two things at once: no history is like that. */
bool history_legal(const struct op *ops, size_t count, enum power_state first,
		   struct finding *finding);
void finding_print(FILE *file, unsigned int target, const struct finding *finding);
void finding_free(struct finding *finding);

/* Does the sequential CPU allow this now? Then it is done. For who wants to search by himself. */
bool history_step(const struct op *op, uint8_t *state, uint64_t *number);

#endif
