/* SPDX-License-Identifier: BSD-2-Clause */
/* JSON for people and for diffs: what fits in a line stands in one. */
#include <stdlib.h>
#include <string.h>

#include "abi.h"

#define LINE_WIDTH 120
#define STEP       2
#define DEPTH_MAX  16

static bool write_value(FILE *out, const json_t *json, int column, int room, int depth);

/* `column`: where the value begins; `room`: what must follow it in its line, a comma. */
static bool write_in_line(FILE *out, const json_t *json, int column, int room, bool *written)
{
	char *text = json_dumps(json, JSON_ENCODE_ANY | JSON_PRESERVE_ORDER);

	if (text == NULL) {
		return false;
	}
	*written = json_array_size(json) + json_object_size(json) == 0 || /* or no container */
		   strlen(text) + (size_t)(column + room) <= LINE_WIDTH;
	if (*written) {
		fputs(text, out);
	}
	free(text);
	return true;
}

static bool write_key(FILE *out, const char *key, int indent, int *column)
{
	json_t *string = json_string(key);
	char *text = string != NULL ? json_dumps(string, JSON_ENCODE_ANY) : NULL;

	json_decref(string);
	if (text == NULL) {
		return false;
	}
	fprintf(out, "%*s%s: ", indent, "", text);
	*column = indent + (int)strlen(text) + 2;
	free(text);
	return true;
}

static bool write_object(FILE *out, const json_t *json, int depth)
{
	size_t left = json_object_size(json);
	int indent = (depth + 1) * STEP, column = 0;
	const char *key;
	json_t *value;

	fputs("{\n", out);
	json_object_foreach((json_t *)json, key, value)
	{
		left--;
		if (!write_key(out, key, indent, &column) ||
		    !write_value(out, value, column, left != 0, depth + 1)) {
			return false;
		}
		fputs(left != 0 ? ",\n" : "\n", out);
	}
	fprintf(out, "%*s}", depth * STEP, "");
	return true;
}

static bool write_array(FILE *out, const json_t *json, int depth)
{
	size_t count = json_array_size(json);
	int indent = (depth + 1) * STEP;

	fputs("[\n", out);
	for (size_t i = 0; i < count; i++) {
		fprintf(out, "%*s", indent, "");
		if (!write_value(out, json_array_get(json, i), indent, i + 1 < count, depth + 1)) {
			return false;
		}
		fputs(i + 1 < count ? ",\n" : "\n", out);
	}
	fprintf(out, "%*s]", depth * STEP, "");
	return true;
}

static bool write_value(FILE *out, const json_t *json, int column, int room, int depth)
{
	bool written = false;

	if (depth > DEPTH_MAX || !write_in_line(out, json, column, room, &written)) {
		return false;
	}
	if (written) {
		return true;
	}
	return json_is_object(json) ? write_object(out, json, depth)
				    : write_array(out, json, depth);
}

bool abi_json_write(FILE *out, const json_t *json)
{
	return write_value(out, json, 0, 0, 0) && fputc('\n', out) != EOF && !ferror(out);
}
