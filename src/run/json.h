/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON values that are always there, whatever they are made of. */
#ifndef HVCGATE_RUN_JSON_H
#define HVCGATE_RUN_JSON_H

#include <stdint.h>

#include <jansson.h>

/* Paths and the like need not be UTF-8: what is not becomes U+FFFD. NULL: null. */
json_t *run_json_text(const char *text);
/* JSON numbers here end at 2^63 - 1; counters from shared memory may be larger. */
json_t *run_json_number(uint64_t value);

#endif
