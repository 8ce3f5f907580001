/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files that read records and make profiles of them share. */
#ifndef HVCGATE_ABI_RECORD_H
#define HVCGATE_ABI_RECORD_H

#include "check.h"

#define ABI_MAX_CONFIGURATIONS 64u
#define ABI_MAX_ANSWERS        4096u

/* One flag of enum hvc_quirk; 0 if that is no name. */
uint32_t abi_quirk_by_name(const char *name);

/* The part `answers`, `configurations` being checked (record_answers.c). */
void record_check_answers(struct check *check, const json_t *record);

/* Read a JSON file of at most 4 MiB; NULL, and check->why says why. */
json_t *abi_json_read(struct check *check, const char *path);

#endif
