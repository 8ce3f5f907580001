/* SPDX-License-Identifier: BSD-2-Clause */
/* abi_json_write(): what it writes is the same JSON, and short things stand in one line. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "abi.h"
#include "cmocka_all.h"

static char *written(const json_t *json, bool fine)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_int_equal(abi_json_write(out, json), fine);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void check(const char *source, const char *wanted)
{
	json_t *json = json_loads(source, JSON_DECODE_ANY, NULL), *again;
	char *text = written(json, true);

	assert_string_equal(text, wanted);
	again = json_loads(text, JSON_DECODE_ANY, NULL);
	assert_true(json_equal(json, again));
	free(text);
	json_decref(json);
	json_decref(again);
}

static void short_things_stand_in_a_line(void **state)
{
	(void)state;
	check("{\"b\": [1, 2], \"a\": {\"x\": \"\\\"\"}}",
	      "{\"b\": [1, 2], \"a\": {\"x\": \"\\\"\"}}\n");
	check("[]", "[]\n");
	check("{}", "{}\n");
}

#define FIFTY "01234567890123456789012345678901234567890123456789"

static void long_things_are_broken(void **state)
{
	(void)state;
	check("{\"a\": [\"" FIFTY "\", \"" FIFTY "\"], \"b\": 1}",
	      "{\n  \"a\": [\"" FIFTY "\", \"" FIFTY "\"],\n  \"b\": 1\n}\n");
	/* A comma behind it would be the 121st character: 2 + 5 + 113 + 1. */
	check("{\"a\": [\"" FIFTY "\", \"" FIFTY "12345\"], \"b\": 1}",
	      "{\n  \"a\": [\n    \"" FIFTY "\",\n    \"" FIFTY "12345\"\n  ],\n  \"b\": 1\n}\n");
	check("[\"" FIFTY FIFTY FIFTY "\", []]", "[\n  \"" FIFTY FIFTY FIFTY "\",\n  []\n]\n");
}

static void depth_has_an_end(void **state)
{
	json_t *json = json_string(FIFTY FIFTY FIFTY);

	(void)state;
	for (int i = 0; i < 40; i++) {
		json = json_pack("[o]", json);
	}
	free(written(json, false));
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(short_things_stand_in_a_line),
		cmocka_unit_test(long_things_are_broken),
		cmocka_unit_test(depth_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
