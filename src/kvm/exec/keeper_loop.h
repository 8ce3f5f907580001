/* SPDX-License-Identifier: BSD-2-Clause */
/* The keeper's loop, for keeper.c; its parts use keeper.h. */
#ifndef HVCGATE_KVM_EXEC_KEEPER_LOOP_H
#define HVCGATE_KVM_EXEC_KEEPER_LOOP_H

#include "keeper.h"

struct keeper_loop *keeper_loop_new(void);
void keeper_loop_free(struct keeper_loop *loop);
/* Wait for something, call who wants to know. Not longer than `longest_ms`, -1: for ever. */
void keeper_loop_turn(struct keeper *keeper, int longest_ms);

#endif
