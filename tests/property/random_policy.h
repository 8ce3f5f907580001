/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_RANDOM_POLICY_H
#define TESTS_RANDOM_POLICY_H

#include <stdint.h>
#include <stdio.h>

/* Write a policy of so many overlapping random rules, each of which some ID reaches. */
void random_policy_write(FILE *file, uint64_t seed, unsigned int rules);

#endif
