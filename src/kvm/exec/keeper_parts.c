/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of the keeper, in the order in which they start and are asked. */
#include "keeper.h"
#include "keeper_ctl.h"
#include "keeper_handlers.h"
#include "keeper_report.h"

struct keeper_part *const keeper_parts[] = {&keeper_report, &keeper_handlers, &keeper_ctl, NULL};
