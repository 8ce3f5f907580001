/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_PLAN_POLICY_H
#define TESTS_PLAN_POLICY_H

#include <stdint.h>
#include <stdio.h>

#include "rng.h"

/* A policy with rules on functions by name, and what else a file says. */
void plan_policy_write(FILE *file, uint64_t seed);

/* An ID of the catalogue. */
uint32_t plan_some_id(struct rng *rng);

#endif
