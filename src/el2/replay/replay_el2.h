/* SPDX-License-Identifier: BSD-2-Clause */
/* Inside of replay.elf: the monitor of `run`, with these in place of power.c and traps.c. */
#ifndef HVCGATE_EL2_REPLAY_EL2_H
#define HVCGATE_EL2_REPLAY_EL2_H

#include "../../scenario/machine.h"
#include "../el2.h"
#include "../replay.h"

static inline struct replay_box *replay_box(void)
{
	return (struct replay_box *)(EL2_SHARED_PA + REPLAY_OFFSET);
}

/* --- vm.c: the VM that is replayed. */
void replay_vm_memory(void); /* once at boot */
extern struct scn_machine replay_machine;
/* A new script: no VM, no saved states. */
void replay_forget(void);
/* SCN_VM */
void replay_new_vm(const struct replay_op *op, struct scn_result *result);

/* --- power.c */
/* The verdict of the call that was made since this was asked last. */
enum hvc_verdict replay_verdict(void);

/* --- traps.c */
void replay_open(const struct el2_launch *launch);

#endif
