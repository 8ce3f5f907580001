/* SPDX-License-Identifier: BSD-2-Clause */
/* hvcgate policy compile: the image of a policy, as a file, or its plan for a host. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hvcgate/kvm.h>

#include "cmd_policy.h"
#include "out.h"
#include "plan_make.h"

struct arguments {
	const char *output, *file, *on, *from;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case 'o':
		arguments->output = arg;
		return 0;
	case 'n':
		arguments->on = arg;
		return 0;
	case 'F':
		arguments->from = arg;
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
		if (arguments->from != NULL && arguments->on == NULL) {
			argp_error(state, "--from is for plans: --on names the host");
		}
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{"output", 'o', "IMAGE", 0, "Write the image there (\"-\": standard output)", 0},
	{"on", 'n', "RECORD|PROFILE", 0,
	 "Make the plan for that host, as bytes; \"host\": for this one, measured now", 0},
	{"from", 'F', "RECORD", 0,
	 "With --on: guests arrive that began on such a host without hvcgate", 0},
	{0},
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "[FILE]",
	.doc = "Compile a policy to the image that an engine uses in place (hvcgate/image.h), or with --on to the plan for a "
	       "kernel's KVM that a VMM applies (hvcgate/kvm.h). Without FILE: the built-in policy.\v"
	       "'hvcgate policy check IMAGE' says what an image is. The same policy gives the same bytes; a plan is for the "
	       "same build of hvcgate.\n"
	       "Exit status: 0, 1 the policy has errors or cannot be enforced there, or the guests cannot come there, 2 it "
	       "cannot be read or the image not be written.\n\n"
	       "Example: hvcgate policy compile my.yaml -o my.image",
};

static bool write_bytes(const char *path, const void *bytes, size_t size)
{
	const bool standard = strcmp(path, "-") == 0;
	FILE *file = standard ? stdout : fopen(path, "wb");
	bool fine = file != NULL && fwrite(bytes, size, 1, file) == 1 && fflush(file) == 0;
	const int error = errno;

	if (file != NULL && !standard && fclose(file) != 0) {
		fine = false;
	}
	if (!fine) {
		out_error("%s: cannot be written: %s", path, strerror(error));
	}
	return fine;
}

/* A line each. */
static void say(const char *lines)
{
	while (*lines != '\0') {
		const size_t length = strcspn(lines, "\n");

		out_error("%.*s", (int)length, lines);
		lines += length + (lines[length] == '\n');
	}
}

/* --- Plans. */
static enum hvc_err plan_for(const struct arguments *arguments, const struct hvc_policy *policy,
			     void **bytes, size_t *size, char *why, size_t why_size)
{
	struct hvc_plan_host host;
	struct compat_host *from = NULL;
	enum hvc_err err = HVC_EIO;

	if (!hvc_plan_host_find(&host, arguments->on, why, why_size)) {
		return HVC_EIO;
	}
	if (arguments->from != NULL) {
		from = compat_host_open(arguments->from, why, why_size);
	}
	if (arguments->from == NULL || from != NULL) {
		err = plan_bytes_make(policy, &host, from, bytes, size, why, why_size);
	}
	compat_host_free(from);
	json_decref((json_t *)(uintptr_t)host.record);
	return err;
}

static int compile_plan(const struct arguments *arguments, const struct hvc_policy *policy)
{
	const bool here = strcmp(arguments->on, "host") == 0;
	char why[2000] = "";
	void *bytes = NULL;
	size_t size = 0;
	enum hvc_err err;
	int status = CLI_OK;

	if (here) {
		err = hvc_kvm_plan_bytes(arguments->file, arguments->from, &bytes, &size, why,
					 sizeof(why));
	} else {
		err = plan_for(arguments, policy, &bytes, &size, why, sizeof(why));
	}
	say(why);
	if (err != HVC_OK) {
		status = err == HVC_EPERM || err == HVC_EINVAL ? CLI_FINDING : CLI_USAGE;
	} else if (!write_bytes(arguments->output, bytes, size)) {
		status = CLI_USAGE;
	}
	free(bytes);
	return status;
}

static int compile_image(const struct arguments *arguments, const struct hvc_policy *policy)
{
	struct hvc_diags *diags = hvc_diags_new();
	struct hvc_image *image = NULL;
	int status;

	if (diags != NULL && hvc_policy_compile(policy, &image, diags) == HVC_OK) {
		status = write_bytes(arguments->output, image, image->bytes) ? CLI_OK : CLI_USAGE;
	} else {
		if (diags != NULL) {
			out_diags(diags, false);
		}
		status = diags != NULL && hvc_diags_count(diags, HVC_ERROR) != 0 ? CLI_FINDING
										 : CLI_USAGE;
	}
	free(image);
	hvc_diags_free(diags);
	return status;
}

static int run(int argc, char **argv)
{
	struct arguments arguments = {0};
	struct hvc_policy *policy;
	int status;

	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	policy = out_load_policy(arguments.file, false, &status);
	if (policy != NULL) {
		status = arguments.on != NULL ? compile_plan(&arguments, policy)
					      : compile_image(&arguments, policy);
	}
	hvc_policy_free(policy);
	return status;
}

const struct cli_verb cli_policy_compile = {
	.name = "compile",
	.summary = "The image of a policy, as a file",
	.run = run,
};
