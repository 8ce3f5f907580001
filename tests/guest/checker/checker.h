/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of the checker (../checker.c): what it reads. */
#ifndef HVCGATE_GUEST_CHECKER_H
#define HVCGATE_GUEST_CHECKER_H

#include "../kit/kit.h"

#define CHECKER_FACTS 320u

/* What a fact is: kind, and in 55:0 what only that kind knows. */
enum checker_kind { CHECKER_REGISTER = 1, CHECKER_CACHE, CHECKER_CALL };
#define CHECKER_KEY(kind, rest) ((uint64_t)(kind) << 56 | (uint64_t)(rest))
#define CHECKER_KIND(key)       ((enum checker_kind)((key) >> 56))

/* One fact of this look at the machine; always the same ones in the same order. */
void checker_note(uint64_t key, uint64_t value);
/* A fact's name. */
void checker_print(uint64_t key);

void checker_registers(void);
void checker_print_register(uint64_t key);

void checker_start(void);
void checker_calls(void);
void checker_print_call(uint64_t key);

/*
 * Calls of the guest's own, for handlers: with the option own=ID one call of this function ID a look, whose first argument is
 * a number that goes up by one each time. A handler that answers 0, that number and how many calls it has seen proves that none
 * was lost or came twice; what it says is checked here.
 */
void checker_own(void);
uint64_t checker_own_count(void);

#endif
