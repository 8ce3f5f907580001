/* SPDX-License-Identifier: BSD-2-Clause */
/* What x0 of an answer means, in the words of its service's specification. */
#ifndef HVCGATE_RUN_ANSWER_H
#define HVCGATE_RUN_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include <hvcgate/catalog.h>

#define ANSWER_NAME_MAX 32

/* "SUCCESS", "NOT_SUPPORTED", "1.1", "ON_PENDING"; false if x0 is just a number. `function` may be NULL:
 * one the catalogue does not know. */
bool answer_name(const struct hvc_function *function, uint64_t x0, char name[ANSWER_NAME_MAX]);

#endif
