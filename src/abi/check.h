/* SPDX-License-Identifier: BSD-2-Clause */
/* Checking JSON against what a record may hold: the first thing wrong is kept, with the path to it. */
#ifndef HVCGATE_ABI_CHECK_H
#define HVCGATE_ABI_CHECK_H

#include "abi.h"

struct check {
	const char *file;
	char *why;
	size_t size;
	bool failed;
	char path[160]; /* "answers[12].results[0]" */
};

/* What is wrong with the value here; nothing happens if something was said before, or `wrong` is NULL. */
void check_say(struct check *check, const char *wrong);
/* The same with words of its own. */
void check_fail(struct check *check, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Go to a member, or an element; the value returned goes to check_leave(). */
size_t check_enter(struct check *check, const char *key);
size_t check_enter_at(struct check *check, size_t index);
void check_leave(struct check *check, size_t mark);

/* An object with members of `known` only, and with those of them that have no '?' in front. NULL ends the list. */
void check_keys(struct check *check, const json_t *object, const char *const *known);
void check_array(struct check *check, const json_t *value, size_t least, size_t most);
/* A member that may be missing: what check_keys() allows to be. */
void check_member(struct check *check, const json_t *object, const char *key, const char *wrong);

/*
 * What is wrong with a value; NULL: nothing, or it is not there. A string of 1 to 256 printable characters; yes or no,
 * or unknown, too; "0x1f", at most `bytes` wide; an integer; "0" or "EINVAL"; "1.1".
 */
const char *wrong_text(const json_t *value);
const char *wrong_yes_no(const json_t *value);
const char *wrong_yes_no_unknown(const json_t *value);
const char *wrong_hex(const json_t *value, size_t bytes);
const char *wrong_integer(const json_t *value, json_int_t least, json_int_t most);
const char *wrong_error(const json_t *value);
const char *wrong_version(const json_t *value);

/* Of checked values: the number of a hex string of at most 8 bytes, the version of one, and "yes". */
uint64_t json_hex(const json_t *value);
uint32_t json_version(const json_t *value);
bool json_yes(const json_t *value);
/* Is this string in the array? */
bool json_has(const json_t *array, const char *text);

#endif
