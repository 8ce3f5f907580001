/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of the keeper, in the order in which they start and are asked. */
#include "keeper.h"
#include "keeper_report.h"

struct keeper_part *const keeper_parts[] = {&keeper_report, NULL};
