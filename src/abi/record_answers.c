/* SPDX-License-Identifier: BSD-2-Clause */
/* The part `answers` of a record. */
#include <string.h>

#include "record.h"

#define MAX_ARGUMENTS 3u
#define MAX_RESULTS   (2 * ABI_MAX_CONFIGURATIONS) /* one a configuration and conduit */

static const char *const conduits[] = {"hvc", "smc"};

/* Which configuration by which conduit was answered: one bit each. */
struct taken {
	const json_t *configurations;
	uint64_t bits[2];
};

static size_t configuration_index(const json_t *configurations, const json_t *name)
{
	size_t i;

	for (i = 0; i < json_array_size(configurations); i++) {
		if (json_equal(json_object_get(json_array_get(configurations, i), "name"), name)) {
			break;
		}
	}
	return i;
}

static void check_where(struct check *check, struct taken *taken, const json_t *result,
			unsigned int conduit)
{
	const json_t *names = json_object_get(result, conduits[conduit]);
	size_t mark = check_enter(check, conduits[conduit]);
	bool all = json_array_size(names) == 1 && json_has(names, "*");

	check_array(check, names, 0, ABI_MAX_CONFIGURATIONS);
	if (all && taken->bits[conduit] != 0) {
		check_fail(check, "a configuration has another result, too");
	} else if (all) {
		taken->bits[conduit] = ~0ull;
	}
	for (size_t i = 0; !all && i < json_array_size(names) && !check->failed; i++) {
		size_t which = configuration_index(taken->configurations, json_array_get(names, i));
		size_t at = check_enter_at(check, i);

		if (which == json_array_size(taken->configurations)) {
			check_fail(check, "is no configuration's name");
		} else if (taken->bits[conduit] >> which & 1) {
			check_fail(check, "this configuration has another result, too");
		} else {
			taken->bits[conduit] |= 1ull << which;
		}
		check_leave(check, at);
	}
	check_leave(check, mark);
}

static void check_x(struct check *check, const json_t *x)
{
	size_t mark = check_enter(check, "x");

	check_array(check, x, 4, 4);
	for (size_t i = 0; i < json_array_size(x); i++) {
		const char *text = json_string_value(json_array_get(x, i));
		size_t at = check_enter_at(check, i);

		if (text == NULL || strcmp(text, "varies") != 0) {
			check_say(check, wrong_hex(json_array_get(x, i), 8));
		}
		check_leave(check, at);
	}
	check_leave(check, mark);
}

static void check_outcome(struct check *check, const json_t *outcome)
{
	static const char *const words[] = {"event ", "exit ", "error ", "off", "waits", "lost"};
	const char *text = json_string_value(outcome);
	size_t mark = check_enter(check, "outcome");
	bool found = false;

	check_say(check, wrong_text(outcome));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]) && !check->failed; i++) {
		found |= strncmp(text, words[i], strlen(words[i])) == 0;
	}
	if (!found) {
		check_fail(check, "is none of: event N, exit N, error NAME, off, waits, lost");
	}
	check_leave(check, mark);
}

static void check_result(struct check *check, struct taken *taken, const json_t *result)
{
	static const char *const keys[] = {"?x", "?outcome", "hvc", "smc", NULL};
	const json_t *x = json_object_get(result, "x"),
		     *outcome = json_object_get(result, "outcome");

	check_keys(check, result, keys);
	if ((x != NULL) == (outcome != NULL)) {
		check_fail(check, "has not either 'x' or 'outcome'");
	} else if (x != NULL) {
		check_x(check, x);
	} else {
		check_outcome(check, outcome);
	}
	check_where(check, taken, result, 0);
	check_where(check, taken, result, 1);
}

/* The function that is called, by one of its IDs. */
static void check_call(struct check *check, const json_t *answer)
{
	const json_t *id = json_object_get(answer, "id"), *call = json_object_get(answer, "call");
	const struct hvc_function *function;

	check_member(check, answer, "call", wrong_text(call));
	check_member(check, answer, "id", wrong_hex(id, 4));
	if (check->failed) {
		return;
	}
	function = hvc_function_at(hvc_function_by_name(json_string_value(call)));
	if (function == NULL) {
		check_fail(check, "unknown function '%.60s'; a newer hvcgate's?",
			   json_string_value(call));
	} else if (json_hex(id) == 0 ||
		   (json_hex(id) != function->id32 && json_hex(id) != function->id64)) {
		check_fail(check, "%s is no ID of %s", json_string_value(id), function->name);
	}
}

static void check_answer(struct check *check, const json_t *configurations, const json_t *answer)
{
	static const char *const keys[] = {"call", "id", "arguments", "results", NULL};
	const json_t *arguments = json_object_get(answer, "arguments"),
		     *results = json_object_get(answer, "results");
	struct taken taken = {.configurations = configurations};
	size_t mark, at;

	check_keys(check, answer, keys);
	check_call(check, answer);
	mark = check_enter(check, "arguments");
	check_array(check, arguments, 0, MAX_ARGUMENTS);
	for (size_t i = 0; i < json_array_size(arguments); i++) {
		at = check_enter_at(check, i);
		check_say(check, wrong_hex(json_array_get(arguments, i), 8));
		check_leave(check, at);
	}
	check_leave(check, mark);
	mark = check_enter(check, "results");
	check_array(check, results, 1, MAX_RESULTS);
	for (size_t i = 0; i < json_array_size(results) && !check->failed; i++) {
		at = check_enter_at(check, i);
		check_result(check, &taken, json_array_get(results, i));
		check_leave(check, at);
	}
	check_leave(check, mark);
}

void record_check_answers(struct check *check, const json_t *record)
{
	const json_t *answers = json_object_get(record, "answers");
	size_t mark = check_enter(check, "answers");

	check_array(check, answers, 1, ABI_MAX_ANSWERS);
	for (size_t i = 0; i < json_array_size(answers) && !check->failed; i++) {
		size_t at = check_enter_at(check, i);

		check_answer(check, json_object_get(record, "configurations"),
			     json_array_get(answers, i));
		check_leave(check, at);
	}
	check_leave(check, mark);
}
