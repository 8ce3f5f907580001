/* SPDX-License-Identifier: BSD-2-Clause */
/* A plan (src/plan) for people and for programs. */
#ifndef HVCGATE_CLI_PLAN_PRINT_H
#define HVCGATE_CLI_PLAN_PRINT_H

#include <jansson.h>

#include "plan.h"

/* On standard output; `name` is the policy's file. */
void plan_print(const struct hvc_plan *plan, const char *name);
json_t *plan_json(const struct hvc_plan *plan, const char *name);

#endif
