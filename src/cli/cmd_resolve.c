/* SPDX-License-Identifier: BSD-2-Clause */
/* hvcgate resolve: names to IDs and back. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <hvcgate/catalog.h>

#include "args.h"
#include "cli.h"
#include "input.h"

static error_t parse(int key, char *arg, struct argp_state *state)
{
	return args_parse(key, arg, state, state->input, "which function?");
}

static const struct argp_option options[] = {
	ARGS_FORMAT,
	{0},
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "NAME|ID|RANGE|SERVICE|OWNER...",
	.doc = "Tell what a function is: its IDs, owner, service, arguments and meaning; or which functions an ID, "
	       "range, service or owner stands for.\v"
	       "Exit status: 0, 1 a name is unknown, 2 usage.\n\n"
	       "Example: hvcgate resolve PSCI_CPU_ON 0x86000001 trng vendor-hyp",
};

/* "fast SMC64" and the like (DEN0028, 2.5). */
static void describe_id(uint32_t id, char *text, size_t size)
{
	snprintf(text, size, "%s %s, owner %s (%u), number 0x%x",
		 id & HVC_ID_FAST ? "fast" : "yielding", id & HVC_ID_64 ? "SMC64" : "SMC32",
		 hvc_owner_name(HVC_ID_OWNER(id)), HVC_ID_OWNER(id), HVC_ID_NUMBER(id));
}

static void print_id(uint32_t id)
{
	char text[120];

	if (id != 0) {
		describe_id(id, text, sizeof(text));
		printf("  ID         0x%08" PRIx32 ": %s\n", id, text);
	}
}

/* "x0 to x3", "x0": runs of set bits. */
static void describe_mask(uint32_t mask, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (unsigned int n = 0; n < 18 && used < size; n++) {
		unsigned int end = n;
		int length;

		if (!(mask >> n & 1)) {
			continue;
		}
		while (mask >> (end + 1) & 1) {
			end++;
		}
		length = end > n ? snprintf(text + used, size - used, "%sx%u to x%u",
					    used != 0 ? ", " : "", n, end)
				 : snprintf(text + used, size - used, "%sx%u",
					    used != 0 ? ", " : "", n);
		used += length > 0 ? (size_t)length : 0;
		n = end;
	}
}

static void print_arguments(const char *args)
{
	unsigned int n = 1;

	printf("  arguments ");
	for (const char *at = args; *at != '\0'; n++) {
		size_t length = strcspn(at, ",");

		printf(" x%u %.*s%s", n, (int)length, at, at[length] != '\0' ? "," : "");
		at += length + (at[length] != '\0');
	}
	printf("%s\n", n == 1 ? " none" : "");
}

static void print_function(const struct hvc_function *function)
{
	char results[120];

	describe_mask(function->results, results, sizeof(results));
	printf("%s%s%s: %s\n", out_style(stdout, OUT_BOLD), function->name, out_reset(stdout),
	       function->meaning);
	print_id(function->id32);
	print_id(function->id64);
	printf("  service    %s, since \"%u.%u\"\n", hvc_service_name(function->service),
	       function->since >> 16, function->since & 0xffff);
	if (function->reg != HVC_REG_NONE) {
		printf("  register   %s bit %u\n", hvc_register_name(function->reg),
		       function->reg_bit);
	}
	print_arguments(function->args);
	printf("  results    %s%s\n", results,
	       function->flags & HVC_FLAG_NO_RETURN ? " (only if it fails)" : "");
	printf("  failure    %d, if nobody answers\n", function->failure);
}

static json_t *function_json(const struct hvc_function *function)
{
	json_t *json = json_object(), *args = json_array();
	char text[16];

	json_object_set_new(json, "name", json_string(function->name));
	snprintf(text, sizeof(text), "0x%08" PRIx32, function->id32);
	json_object_set_new(json, "id32", function->id32 != 0 ? json_string(text) : json_null());
	snprintf(text, sizeof(text), "0x%08" PRIx32, function->id64);
	json_object_set_new(json, "id64", function->id64 != 0 ? json_string(text) : json_null());
	json_object_set_new(
		json, "owner",
		json_string(hvc_owner_name(HVC_ID_OWNER(function->id32 | function->id64))));
	json_object_set_new(json, "service", json_string(hvc_service_name(function->service)));
	snprintf(text, sizeof(text), "%u.%u", function->since >> 16, function->since & 0xffff);
	json_object_set_new(json, "since", json_string(text));
	if (function->reg != HVC_REG_NONE) {
		json_object_set_new(json, "register",
				    json_string(hvc_register_name(function->reg)));
		json_object_set_new(json, "register_bit", json_integer(function->reg_bit));
	}
	for (const char *at = function->args; *at != '\0';) {
		size_t length = strcspn(at, ",");

		json_array_append_new(args, json_stringn(at, length));
		at += length + (at[length] != '\0');
	}
	json_object_set_new(json, "arguments", args);
	json_object_set_new(json, "results_mask", json_integer(function->results));
	json_object_set_new(json, "failure", json_integer(function->failure));
	json_object_set_new(json, "meaning", json_string(function->meaning));
	return json;
}

static void put_function(const struct hvc_function *function, json_t *json)
{
	if (json != NULL) {
		json_array_append_new(json, function_json(function));
	} else {
		print_function(function);
	}
}

static void resolve_id(uint32_t id, json_t *json)
{
	const struct hvc_function *function = hvc_function_at(hvc_function_by_id(id));
	char text[120], hex[16];

	if (function != NULL) {
		put_function(function, json);
		return;
	}
	describe_id(id, text, sizeof(text));
	if (json != NULL) {
		snprintf(hex, sizeof(hex), "0x%08" PRIx32, id);
		json_array_append_new(json, json_pack("{s:n, s:s, s:s, s:s}", "name", "id", hex,
						      "owner", hvc_owner_name(HVC_ID_OWNER(id)),
						      "description", text));
		return;
	}
	printf("0x%08" PRIx32 ": no function of the catalogue\n  ID         %s\n", id, text);
	function = hvc_function_at(hvc_function_by_id(id & ~HVC_ID_SVE_HINT));
	if ((id & HVC_ID_FAST) && function != NULL) {
		printf("             without the SVE hint (bit 16): %s\n", function->name);
	}
}

/* Is one of the function's IDs in the range; is it of the service or owner? */
static bool is_in(const struct hvc_function *function, const struct input *input)
{
	uint32_t ids[2] = {function->id32, function->id64};

	if (input->kind == INPUT_SERVICE) {
		return function->service == input->first;
	}
	for (unsigned int i = 0; i < 2; i++) {
		uint32_t key = input->kind == INPUT_OWNER ? HVC_ID_OWNER(ids[i]) : ids[i];

		if (ids[i] != 0 && key >= input->first && key <= input->last) {
			return true;
		}
	}
	return false;
}

static void print_line(const struct hvc_function *function)
{
	char ids[32];

	if (function->id32 != 0 && function->id64 != 0) {
		snprintf(ids, sizeof(ids), "0x%08" PRIx32 " %08" PRIx32, function->id32,
			 function->id64);
	} else {
		snprintf(ids, sizeof(ids), "0x%08" PRIx32, function->id32 | function->id64);
	}
	printf("  %-35s %-21s %s\n", function->name, ids, function->meaning);
}

static void resolve_many(const char *word, const struct input *input, json_t *json)
{
	if (json == NULL) {
		printf("%s%s%s", out_style(stdout, OUT_BOLD), word, out_reset(stdout));
		for (uint32_t kind = 0; input->kind == INPUT_OWNER && kind < 4; kind++) {
			printf("%s 0x%08" PRIx32 "-0x%08" PRIx32, kind == 0 ? ":" : ",",
			       kind << 30 | input->first << 24,
			       kind << 30 | input->last << 24 | 0xffffffu);
		}
		putchar('\n');
	}
	for (unsigned int slot = 1; slot < hvc_function_count(); slot++) {
		const struct hvc_function *function = hvc_function_at(slot);

		if (is_in(function, input)) {
			if (json != NULL) {
				json_array_append_new(json, function_json(function));
			} else {
				print_line(function);
			}
		}
	}
}

static int run(int argc, char **argv)
{
	struct args arguments = {.format = OUT_TEXT};
	int status = CLI_OK;
	json_t *json;

	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	json = arguments.format == OUT_JSON ? json_array() : NULL;
	for (int i = 0; i < arguments.count; i++) {
		struct input input;

		if (!input_parse(arguments.words[i], &input)) {
			status = CLI_FINDING;
		} else if (input.kind == INPUT_FUNCTION) {
			put_function(hvc_function_at(input.slot), json);
		} else if (input.kind == INPUT_ID) {
			resolve_id(input.first, json);
		} else {
			resolve_many(arguments.words[i], &input, json);
		}
	}
	return json != NULL ? out_json(json, status) : out_finish(status);
}

const struct cli_verb cli_resolve = {
	.name = "resolve",
	.summary = "Function names to IDs and back",
	.run = run,
};
