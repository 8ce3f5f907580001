/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "run.h"

json_t *run_json_text(const char *text)
{
	static const char replacement[] = "\xef\xbf\xbd";
	size_t used = 0;
	char *sound;
	json_t *value;

	if (text == NULL) {
		return json_null();
	}
	sound = run_realloc(NULL, strlen(text) * (sizeof(replacement) - 1) + 1);
	while (*text != '\0') {
		const size_t length = run_utf8_length(text);

		if (length == 0) {
			memcpy(sound + used, replacement, sizeof(replacement) - 1);
			used += sizeof(replacement) - 1;
			text++;
		} else {
			memcpy(sound + used, text, length);
			used += length;
			text += length;
		}
	}
	sound[used] = '\0';
	value = json_string(sound);
	free(sound);
	return value == NULL ? json_null() : value;
}

json_t *run_json_number(uint64_t value)
{
	return json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value);
}
