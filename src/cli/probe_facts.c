/* SPDX-License-Identifier: BSD-2-Clause */
/* Facts out of ABI records. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "probe_print.h"

const char *probe_text(const json_t *record, const char *a, const char *b)
{
	const char *text = json_string_value(json_object_get(json_object_get(record, a), b));

	return text != NULL ? text : "";
}

json_t *probe_find(const json_t *list, const char *key, const char *value)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *entry = json_array_get(list, i);
		const char *text = json_string_value(json_object_get(entry, key));

		if (text != NULL && strcmp(text, value) == 0) {
			return entry;
		}
	}
	return NULL;
}

static bool has_string(const json_t *list, const char *value)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *text = json_string_value(json_array_get(list, i));

		if (text != NULL && strcmp(text, value) == 0) {
			return true;
		}
	}
	return false;
}

/* The result of an answer for a configuration by a conduit. */
static const json_t *result_of(const json_t *answer, const char *conduit, const char *config)
{
	const json_t *results = json_object_get(answer, "results");

	for (size_t i = 0; i < json_array_size(results); i++) {
		const json_t *result = json_array_get(results, i);

		if (has_string(json_object_get(result, conduit), config) ||
		    has_string(json_object_get(result, conduit), "*")) {
			return result;
		}
	}
	return NULL;
}

/* x0 as text; NULL if the call did not come back. */
static const char *x0_of(const json_t *result)
{
	return json_string_value(json_array_get(json_object_get(result, "x"), 0));
}

bool probe_default_answer(const json_t *record, enum hvc_fn function, const char *conduit,
			  uint64_t *x0)
{
	const json_t *answer = probe_find(json_object_get(record, "answers"), "call",
					  hvc_function_at(function)->name);
	const char *text = x0_of(result_of(answer, conduit, "default"));

	if (text != NULL) {
		*x0 = strtoull(text, NULL, 16);
	}
	return text != NULL;
}

bool probe_is_answered(const json_t *record, enum hvc_fn function, const char *conduit,
		       const char *config)
{
	const json_t *answers = json_object_get(record, "answers");
	const char *name = hvc_function_at(function)->name;

	for (size_t i = 0; i < json_array_size(answers); i++) {
		const json_t *answer = json_array_get(answers, i), *result;
		const char *call = json_string_value(json_object_get(answer, "call")), *x0;

		if (call == NULL || strcmp(call, name) != 0) {
			continue;
		}
		result = result_of(answer, conduit, config);
		x0 = x0_of(result);
		if (result != NULL && (x0 == NULL || strcmp(x0, "0xffffffffffffffff") != 0)) {
			return true;
		}
	}
	return false;
}
