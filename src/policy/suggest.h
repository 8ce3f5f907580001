/* SPDX-License-Identifier: BSD-2-Clause */
/* "did you mean ...?": the nearest of some names. */
#ifndef HVCGATE_POLICY_SUGGEST_H
#define HVCGATE_POLICY_SUGGEST_H

#include <stddef.h>

/* Edits (insert, delete, change, swap neighbours; case is free) between two words, at most `limit` + 1. */
unsigned int edit_distance(const char *left, const char *right, unsigned int limit);

/* Feed candidates one by one; `best` is the nearest near enough to be meant, or NULL. */
struct suggestion {
	const char *wanted;
	const char *best;
	unsigned int distance;
};
void suggest_begin(struct suggestion *suggestion, const char *wanted);
void suggest_try(struct suggestion *suggestion, const char *candidate);

const char *suggest_function(const char *wanted);
const char *suggest_service(const char *wanted);
const char *suggest_owner(const char *wanted);
const char *suggest_register(const char *wanted);
/* KVM's registers (register_names.c). */
const char *suggest_machine_register(const char *wanted);
/* The owners that rules may name, from index 0; NULL past the end. */
const char *owner_name_at(size_t index);

#endif
