/* SPDX-License-Identifier: BSD-2-Clause */
/* hvcgate policy check: every finding of policy files. */
#include <stdlib.h>

#include "args.h"
#include "cmd_policy.h"
#include "image_file.h"

static error_t parse(int key, char *arg, struct argp_state *state)
{
	return args_parse(key, arg, state, state->input, "which file?");
}

static const struct argp_option options[] = {
	ARGS_FORMAT,
	{0},
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "FILE...",
	.doc = "Check policy files (\"-\": standard input): errors, warnings, notes. Of a compiled one: is it sound, and what is "
	       "it?\v"
	       "Exit status: 0 nothing found, 1 errors or warnings, 2 a file cannot be read.\n\n"
	       "Example: hvcgate policy check policies/*.yaml",
};

struct checked {
	struct hvc_policy *policy;
	struct hvc_diags *diags;
	uint32_t image_bytes;
	int status;
	char digest[65];
};

/* An image that cannot be made is a finding too. */
static enum hvc_err compile(struct checked *checked)
{
	struct hvc_image *image = NULL;
	enum hvc_err err = hvc_policy_compile(checked->policy, &image, checked->diags);

	if (err == HVC_OK) {
		checked->image_bytes = image->bytes;
		out_hex(hvc_policy_sha256(checked->policy), 32, checked->digest);
	}
	free(image);
	return err;
}

static void check(const char *path, struct checked *checked)
{
	enum hvc_err err;

	*checked = (struct checked){.diags = hvc_diags_new()};
	err = checked->diags == NULL ? HVC_ENOMEM
				     : hvc_policy_load(path, &checked->policy, checked->diags);
	if (err == HVC_OK) {
		err = compile(checked);
	}
	if (err == HVC_ENOMEM) {
		out_error("out of memory");
	}
	if (err == HVC_EIO || err == HVC_ENOMEM) {
		checked->status = CLI_USAGE;
	} else if (err != HVC_OK || hvc_diags_count(checked->diags, HVC_WARNING) != 0) {
		checked->status = CLI_FINDING;
	}
}

static void done(struct checked *checked)
{
	hvc_policy_free(checked->policy);
	hvc_diags_free(checked->diags);
}

static void print_counts(const struct checked *checked)
{
	size_t errors = hvc_diags_count(checked->diags, HVC_ERROR);
	size_t warnings = hvc_diags_count(checked->diags, HVC_WARNING);

	if (errors != 0) {
		printf("%s%zu error%s%s", out_style(stdout, OUT_RED), errors,
		       errors == 1 ? "" : "s", out_reset(stdout));
	}
	if (warnings != 0) {
		printf("%s%s%zu warning%s%s", errors != 0 ? ", " : "",
		       out_style(stdout, OUT_YELLOW), warnings, warnings == 1 ? "" : "s",
		       out_reset(stdout));
	}
	if (errors == 0 && warnings == 0) {
		printf("%sfine%s", out_style(stdout, OUT_GREEN), out_reset(stdout));
	}
}

static void print_text(const char *path, const struct checked *checked)
{
	if (checked->diags == NULL) {
		return;
	}
	out_diags(checked->diags, true);
	if (checked->status == CLI_USAGE) {
		return;
	}
	printf("%s: ", path);
	print_counts(checked);
	if (checked->digest[0] != '\0') {
		printf("; %s, %zu rules, image of %u bytes, sha256 %s",
		       hvc_policy_profile(checked->policy), hvc_policy_rule_count(checked->policy),
		       checked->image_bytes, checked->digest);
	}
	putchar('\n');
}

static json_t *to_json(const char *path, const struct checked *checked)
{
	json_t *json = json_pack("{s:o, s:b, s:I, s:I, s:o}", "file", out_text_json(path),
				 "readable", checked->status != CLI_USAGE, "errors",
				 (json_int_t)hvc_diags_count(checked->diags, HVC_ERROR), "warnings",
				 (json_int_t)hvc_diags_count(checked->diags, HVC_WARNING),
				 "findings", out_diags_json(checked->diags));

	if (checked->digest[0] != '\0') {
		json_object_set_new(json, "profile",
				    json_string(hvc_policy_profile(checked->policy)));
		json_object_set_new(
			json, "rules",
			json_integer((json_int_t)hvc_policy_rule_count(checked->policy)));
		json_object_set_new(json, "image_bytes", json_integer(checked->image_bytes));
		json_object_set_new(json, "sha256", json_string(checked->digest));
	}
	return json;
}

/* An image instead of a policy: its own line and object. */
static int check_image(const char *path, json_t *list)
{
	struct image_file file;
	int status;

	image_file_read(path, &file);
	status = file.err == HVC_OK ? CLI_OK : file.err == HVC_EIO ? CLI_USAGE : CLI_FINDING;
	if (list == NULL) {
		image_file_print(path, &file);
	} else {
		json_array_append_new(list, image_file_json(path, &file));
	}
	image_file_free(&file);
	return status;
}

static int run(int argc, char **argv)
{
	struct args arguments = {.format = OUT_TEXT};
	json_t *list = NULL;
	int status = CLI_OK;

	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	if (arguments.format == OUT_JSON) {
		list = json_array();
	}
	for (int i = 0; i < arguments.count; i++) {
		struct checked checked;

		if (is_image_file(arguments.words[i])) {
			const int found = check_image(arguments.words[i], list);

			status = found > status ? found : status;
			continue;
		}
		check(arguments.words[i], &checked);
		if (list == NULL) {
			print_text(arguments.words[i], &checked);
		} else if (checked.diags != NULL) {
			json_array_append_new(list, to_json(arguments.words[i], &checked));
		}
		status = checked.status > status ? checked.status : status;
		done(&checked);
	}
	return list != NULL ? out_json(list, status) : out_finish(status);
}

const struct cli_verb cli_policy_check = {
	.name = "check",
	.summary = "Errors, warnings and notes of policy files",
	.run = run,
};
