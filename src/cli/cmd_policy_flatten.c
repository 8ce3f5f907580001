/* SPDX-License-Identifier: BSD-2-Clause */
/* hvcgate policy flatten: the effective policy. */
#include <argp.h>
#include <stdio.h>

#include "cmd_policy.h"
#include "out.h"

struct arguments {
	bool digest;
	const char *file;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case 'd':
		arguments->digest = true;
		return 0;
	case ARGP_KEY_ARG:
		if (arguments->file != NULL) {
			argp_error(state, "one file at a time");
		}
		arguments->file = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{"digest", 'd', NULL, 0, "Print only the SHA-256 of the effective policy", 0},
	{0},
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "[FILE]",
	.doc = "Print the effective policy: parents merged, defaults written out, rules that nothing reaches left "
	       "out. Without FILE: the built-in policy.\v"
	       "Flattening what was flattened gives the same bytes and the same digest.\n"
	       "Exit status: 0, 1 the policy has errors, 2 it cannot be read.\n\n"
	       "Example: hvcgate policy flatten my.yaml >pinned.yaml",
};

static int run(int argc, char **argv)
{
	struct arguments arguments = {0};
	struct hvc_policy *policy;
	char digest[65];
	int status;

	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	policy = out_load_policy(arguments.file, false, &status);
	if (policy == NULL) {
		return status;
	}
	out_hex(hvc_policy_sha256(policy), 32, digest);
	if (arguments.digest) {
		printf("%s\n", digest);
	} else {
		printf("%s# sha256: %s\n", hvc_policy_flat(policy), digest);
	}
	hvc_policy_free(policy);
	return out_finish(CLI_OK);
}

const struct cli_verb cli_policy_flatten = {
	.name = "flatten",
	.summary = "The effective policy and its SHA-256",
	.run = run,
};
