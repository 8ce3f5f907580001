/* SPDX-License-Identifier: BSD-2-Clause */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hvcgate/catalog.h>

#include "values.h"

static bool all_of(const char *text, const char *set)
{
	return text[0] != '\0' && text[strspn(text, set)] == '\0';
}

bool parse_version(const char *text, uint32_t *version)
{
	size_t major = strspn(text, "0123456789");
	const char *minor = text + major + 1;

	if (major < 1 || major > 3 || text[major] != '.' || !all_of(minor, "0123456789") ||
	    strlen(minor) > 3) {
		return false;
	}
	*version = HVC_VERSION(strtoul(text, NULL, 10), strtoul(minor, NULL, 10));
	return true;
}

bool parse_number(const char *text, uint64_t *value)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');

	if (!all_of(hex ? text + 2 : text, hex ? "0123456789abcdefABCDEF" : "0123456789") ||
	    strlen(text) > 20) {
		return false;
	}
	errno = 0;
	*value = strtoull(hex ? text + 2 : text, NULL, hex ? 16 : 10);
	return errno == 0;
}

static bool parse_id(const char *text, size_t length, uint32_t *id)
{
	char digits[16];

	if (length < 3 || length > 10 || text[0] != '0' || (text[1] != 'x' && text[1] != 'X')) {
		return false;
	}
	memcpy(digits, text + 2, length - 2);
	digits[length - 2] = '\0';
	if (!all_of(digits, "0123456789abcdefABCDEF")) {
		return false;
	}
	*id = (uint32_t)strtoul(digits, NULL, 16);
	return true;
}

bool parse_id_range(const char *text, uint32_t *first, uint32_t *last)
{
	size_t length = strcspn(text, "-");

	if (!parse_id(text, length, first)) {
		return false;
	}
	if (text[length] == '\0') {
		*last = *first;
		return true;
	}
	return parse_id(text + length + 1, strlen(text + length + 1), last);
}

bool parse_switch(const char *text, bool *on)
{
	*on = strcmp(text, "on") == 0 || strcmp(text, "true") == 0;
	return *on || strcmp(text, "off") == 0 || strcmp(text, "false") == 0;
}

static const char *const level_names[] = {"not-available", "available", "not-required"};

bool parse_level(const char *text, uint32_t *level)
{
	for (uint32_t i = 0; i < 3; i++) {
		if (strcmp(text, level_names[i]) == 0) {
			*level = i;
			return true;
		}
	}
	return false;
}

const char *level_name(uint32_t level)
{
	return level < 3 ? level_names[level] : "?";
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool parse_uuid(const char *text, uint32_t words[4])
{
	size_t at = 0;

	if (strlen(text) != 36) {
		return false;
	}
	memset(words, 0, 4 * sizeof(words[0]));
	for (unsigned int byte = 0; byte < 16; byte++) {
		int high, low;

		if ((byte == 4 || byte == 6 || byte == 8 || byte == 10) && text[at++] != '-') {
			return false;
		}
		high = hex_digit(text[at]);
		low = hex_digit(text[at + 1]);
		if (high < 0 || low < 0) {
			return false;
		}
		words[byte / 4] |= ((uint32_t)high << 4 | (uint32_t)low) << 8 * (byte % 4);
		at += 2;
	}
	return true;
}

void format_uuid(const uint32_t words[4], char text[37])
{
	for (unsigned int byte = 0; byte < 16; byte++) {
		if (byte == 4 || byte == 6 || byte == 8 || byte == 10) {
			*text++ = '-';
		}
		snprintf(text, 3, "%02x", (unsigned int)(words[byte / 4] >> 8 * (byte % 4) & 0xff));
		text += 2;
	}
}

bool parse_duration(const char *text, uint32_t *milliseconds)
{
	size_t digits = strspn(text, "0123456789");
	unsigned long factor = strcmp(text + digits, "ms") == 0  ? 1
			       : strcmp(text + digits, "s") == 0 ? 1000
								 : 0;
	unsigned long value;

	if (digits == 0 || digits > 8 || factor == 0) {
		return false;
	}
	value = strtoul(text, NULL, 10) * factor;
	if (value == 0 || value > 3600ul * 1000) {
		return false;
	}
	*milliseconds = (uint32_t)value;
	return true;
}

bool parse_microseconds(const char *text, uint32_t *microseconds)
{
	size_t digits = strspn(text, "0123456789");
	unsigned long factor = strcmp(text + digits, "us") == 0   ? 1
			       : strcmp(text + digits, "ms") == 0 ? 1000
			       : strcmp(text + digits, "s") == 0  ? 1000000
								  : 0;
	unsigned long value;

	if (digits == 0 || digits > 10 || factor == 0) {
		return false;
	}
	value = strtoul(text, NULL, 10) * factor;
	if (value > 3600ul * 1000000) {
		return false;
	}
	*microseconds = (uint32_t)value;
	return true;
}

bool parse_yes(const char *text, bool *yes)
{
	*yes = strcmp(text, "yes") == 0 || strcmp(text, "true") == 0;
	return *yes || strcmp(text, "no") == 0 || strcmp(text, "false") == 0;
}

bool is_printable(const char *text, size_t max)
{
	size_t length = strlen(text);

	for (size_t i = 0; i < length; i++) {
		if (text[i] < 0x20 || text[i] > 0x7e) {
			return false;
		}
	}
	return length <= max;
}
