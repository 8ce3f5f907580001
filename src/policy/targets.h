/* SPDX-License-Identifier: BSD-2-Clause */
/* What a rule may name: functions, owners, ranges, services. */
#ifndef HVCGATE_POLICY_TARGETS_H
#define HVCGATE_POLICY_TARGETS_H

#include "internal.h"

/* One target of a rule (not a list) into `target`; false: said in diags. */
bool target_take(struct loader *loader, const struct yaml_node *node, struct pol_target *target);
/* The same of a function's name, alone or with a width. */
bool take_function(struct loader *loader, const struct yaml_node *node, struct pol_target *target);

#endif
