/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests of the VMM go to handlers, their answers back: each request has a reply in the end. */
#ifndef HVCGATE_KVM_EXEC_KEEPER_HANDLERS_H
#define HVCGATE_KVM_EXEC_KEEPER_HANDLERS_H

#include "../../ctl/ctl.h"
#include "keeper.h"

extern struct keeper_part keeper_handlers;

/* The n-th handler of the plan; false past the end. */
bool keeper_handler_state(unsigned int n, struct ctl_handler_state *state);

#endif
