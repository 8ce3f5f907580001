/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

#define MAX_TEXT 256u

void check_fail(struct check *check, const char *format, ...)
{
	char text[300];
	va_list args;

	if (check->failed) {
		return;
	}
	check->failed = true;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	snprintf(check->why, check->size, "%s: %s%s%s", check->file, check->path,
		 check->path[0] != '\0' ? ": " : "", text);
	/* What a file holds may be anything: one line of printable text of it. */
	for (char *c = check->why; check->size != 0 && *c != '\0'; c++) {
		if (*c < 0x20 || *c > 0x7e) {
			*c = '?';
		}
	}
}

void check_say(struct check *check, const char *wrong)
{
	if (wrong != NULL) {
		check_fail(check, "%s", wrong);
	}
}

size_t check_enter(struct check *check, const char *key)
{
	size_t mark = strlen(check->path);

	snprintf(check->path + mark, sizeof(check->path) - mark, "%s%.40s", mark != 0 ? "." : "",
		 key);
	return mark;
}

size_t check_enter_at(struct check *check, size_t index)
{
	size_t mark = strlen(check->path);

	snprintf(check->path + mark, sizeof(check->path) - mark, "[%zu]", index);
	return mark;
}

void check_leave(struct check *check, size_t mark)
{
	check->path[mark] = '\0';
}

void check_member(struct check *check, const json_t *object, const char *key, const char *wrong)
{
	size_t mark = check_enter(check, key);

	if (json_object_get(object, key) != NULL) {
		check_say(check, wrong);
	}
	check_leave(check, mark);
}

static bool is_known(const char *const *known, const char *key)
{
	for (; *known != NULL; known++) {
		if (strcmp(**known == '?' ? *known + 1 : *known, key) == 0) {
			return true;
		}
	}
	return false;
}

void check_keys(struct check *check, const json_t *object, const char *const *known)
{
	const char *key;
	json_t *value;

	if (!json_is_object(object)) {
		check_fail(check, "is no object");
		return;
	}
	/* Reading only; the macro wants it without const. */
	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		if (!is_known(known, key)) {
			check_fail(check, "unknown member '%.60s'", key);
		}
	}
	for (; *known != NULL; known++) {
		if (**known != '?' && json_object_get(object, *known) == NULL) {
			check_fail(check, "the member '%s' is missing", *known);
		}
	}
}

void check_array(struct check *check, const json_t *value, size_t least, size_t most)
{
	size_t count = json_array_size(value);

	if (!json_is_array(value)) {
		check_fail(check, "is no array");
	} else if (count < least || count > most) {
		check_fail(check, "has %zu elements; from %zu to %zu are right", count, least,
			   most);
	}
}

/* A string without a NUL in it, shorter than `size`; else NULL. */
static const char *text_of(const json_t *value, size_t size)
{
	const char *text = json_string_value(value);

	return text != NULL && strlen(text) == json_string_length(value) && strlen(text) < size
		       ? text
		       : NULL;
}

const char *wrong_text(const json_t *value)
{
	const char *text = text_of(value, MAX_TEXT + 1);

	if (value == NULL) {
		return NULL;
	}
	if (text == NULL || text[0] == '\0') {
		return "is no string of 1 to 256 characters";
	}
	for (; *text != '\0'; text++) {
		if (*text < 0x20 || *text > 0x7e) {
			return "has characters that are not printable ASCII";
		}
	}
	return NULL;
}

static bool is_word(const json_t *value, const char *word)
{
	const char *text = text_of(value, MAX_TEXT);

	return text != NULL && strcmp(text, word) == 0;
}

const char *wrong_yes_no(const json_t *value)
{
	return value == NULL || is_word(value, "yes") || is_word(value, "no")
		       ? NULL
		       : "is not \"yes\" or \"no\"";
}

const char *wrong_yes_no_unknown(const json_t *value)
{
	return wrong_yes_no(value) == NULL || is_word(value, "unknown")
		       ? NULL
		       : "is not \"yes\", \"no\" or \"unknown\"";
}

const char *wrong_hex(const json_t *value, size_t bytes)
{
	const char *text = text_of(value, 2 * bytes + 3);
	size_t digits = text != NULL && strncmp(text, "0x", 2) == 0 ? strlen(text + 2) : 0;

	if (value != NULL && (digits == 0 || strspn(text + 2, "0123456789abcdef") != digits ||
			      (text[2] == '0' && digits > 1))) {
		return "is no number such as \"0x1f\", or too wide";
	}
	return NULL;
}

const char *wrong_integer(const json_t *value, json_int_t least, json_int_t most)
{
	if (value != NULL && (!json_is_integer(value) || json_integer_value(value) < least ||
			      json_integer_value(value) > most)) {
		return "is no integer, or out of range";
	}
	return NULL;
}

const char *wrong_error(const json_t *value)
{
	const char *text = text_of(value, 20);

	if (value == NULL || is_word(value, "0") ||
	    (text != NULL && text[0] == 'E' && strlen(text) > 2 &&
	     text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")] == '\0')) {
		return NULL;
	}
	return "is not \"0\" and no error such as \"EINVAL\"";
}

const char *wrong_version(const json_t *value)
{
	const char *text = text_of(value, 4);

	if (value == NULL ||
	    (text != NULL && strlen(text) == 3 && text[1] == '.' &&
	     strspn(text, "0123456789") == 1 && strspn(text + 2, "0123456789") == 1)) {
		return NULL;
	}
	return "is no version such as \"1.1\"";
}

uint64_t json_hex(const json_t *value)
{
	return value != NULL ? strtoull(json_string_value(value) + 2, NULL, 16) : 0;
}

uint32_t json_version(const json_t *value)
{
	const char *text = json_string_value(value);

	return HVC_VERSION(text[0] - '0', text[2] - '0');
}

bool json_yes(const json_t *value)
{
	return is_word(value, "yes");
}

bool json_has(const json_t *array, const char *text)
{
	for (size_t i = 0; i < json_array_size(array); i++) {
		if (is_word(json_array_get(array, i), text)) {
			return true;
		}
	}
	return false;
}
