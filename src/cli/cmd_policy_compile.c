/* SPDX-License-Identifier: BSD-2-Clause */
/* hvcgate policy compile: the image of a policy, as a file. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd_policy.h"
#include "out.h"

struct arguments {
	const char *output, *file;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case 'o':
		arguments->output = arg;
		return 0;
	case ARGP_KEY_ARG:
		if (arguments->file != NULL) {
			argp_error(state, "one file at a time");
		}
		arguments->file = arg;
		return 0;
	case ARGP_KEY_END:
		if (arguments->output == NULL) {
			argp_error(state, "where to? --output names the image's file");
		}
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{"output", 'o', "IMAGE", 0, "Write the image there (\"-\": standard output)", 0},
	{0},
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "[FILE]",
	.doc = "Compile a policy to the image that an engine uses in place (hvcgate/image.h). Without FILE: the built-in "
	       "policy.\v"
	       "'hvcgate policy check IMAGE' says what an image is. The same policy gives the same bytes.\n"
	       "Exit status: 0, 1 the policy has errors, 2 it cannot be read or the image not be written.\n\n"
	       "Example: hvcgate policy compile my.yaml -o my.image",
};

static bool write_image(const char *path, const struct hvc_image *image)
{
	const bool standard = strcmp(path, "-") == 0;
	FILE *file = standard ? stdout : fopen(path, "wb");
	bool fine = file != NULL && fwrite(image, image->bytes, 1, file) == 1 && fflush(file) == 0;
	const int error = errno;

	if (file != NULL && !standard && fclose(file) != 0) {
		fine = false;
	}
	if (!fine) {
		out_error("%s: cannot be written: %s", path, strerror(error));
	}
	return fine;
}

static int run(int argc, char **argv)
{
	struct arguments arguments = {0};
	struct hvc_policy *policy;
	struct hvc_diags *diags;
	struct hvc_image *image = NULL;
	int status;

	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	policy = out_load_policy(arguments.file, false, &status);
	if (policy == NULL) {
		return status;
	}
	diags = hvc_diags_new();
	if (diags != NULL && hvc_policy_compile(policy, &image, diags) == HVC_OK) {
		status = write_image(arguments.output, image) ? CLI_OK : CLI_USAGE;
	} else {
		if (diags != NULL) {
			out_diags(diags, false);
		}
		status = diags != NULL && hvc_diags_count(diags, HVC_ERROR) != 0 ? CLI_FINDING
										 : CLI_USAGE;
	}
	free(image);
	hvc_diags_free(diags);
	hvc_policy_free(policy);
	return status;
}

const struct cli_verb cli_policy_compile = {
	.name = "compile",
	.summary = "The image of a policy, as a file",
	.run = run,
};
