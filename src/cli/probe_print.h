/* SPDX-License-Identifier: BSD-2-Clause */
/* ABI records (docs/records.md) for people and for node-feature-discovery, on standard output. */
#ifndef HVCGATE_CLI_PROBE_PRINT_H
#define HVCGATE_CLI_PROBE_PRINT_H

#include <stdbool.h>

#include <jansson.h>

#include <hvcgate/catalog.h>

/* Both take a sound record, and print no more of another than they understand. */
void probe_print_table(const json_t *record);
void probe_print_nfd(const json_t *record);

/* "a", "b" of record["a"]["b"]; "" where that is no string. */
const char *probe_text(const json_t *record, const char *a, const char *b);
/* The entry of `list` whose `key` is `value`; NULL if there is none. */
json_t *probe_find(const json_t *list, const char *key, const char *value);
/* x0 of a function with the arguments of `answers` that are its own, in configuration `default`; false: it did not
 * come back, or there is no such answer. */
bool probe_default_answer(const json_t *record, enum hvc_fn function, const char *conduit,
			  uint64_t *x0);
/* Is it there: does some call of it, in configuration `config`, do other than answer -1? */
bool probe_is_answered(const json_t *record, enum hvc_fn function, const char *conduit,
		       const char *config);

#endif
