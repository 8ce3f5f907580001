/* SPDX-License-Identifier: BSD-2-Clause */
/* hvcgate policy plan: what becomes of a policy on a kernel. */
#include <argp.h>
#include <stdio.h>

#include "cmd_policy.h"
#include "out.h"
#include "plan_print.h"

struct arguments {
	enum out_format format;
	const char *on, *file;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case 'f':
		if (!out_format_parse(arg, &arguments->format)) {
			argp_error(state, "--format is text or json, not '%s'", arg);
		}
		return 0;
	case 'o':
		arguments->on = arg;
		return 0;
	case 'p':
		arguments->file = arg;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "no argument is taken: '%s'; a policy is named by --policy", arg);
		return 0;
	case ARGP_KEY_END:
		if (arguments->on == NULL) {
			argp_error(state, "on which kernel? --on names a record or a profile");
		}
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{"on", 'o', "RECORD|PROFILE", 0,
	 "The host: an ABI record (hvcgate probe --format json), or a kernel's profile, such as linux-6.12",
	 0},
	{"policy", 'p', "FILE", 0, "The policy (default: the built-in one)", 0},
	{"format", 'f', "text|json", 0, "How to print (default: text)", 0},
	{0},
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.doc = "Print what becomes of a policy on a kernel's KVM: registers to write, filter ranges, the functions that "
	       "user space answers, and what cannot be enforced there.\v"
	       "Exit status: 0, 1 the policy has errors or is refused there (see 'allow' in hvcgate-policy(5)), 2 it or "
	       "the record cannot be read.\n\n"
	       "Example: hvcgate policy plan --on linux-6.12 --policy my.yaml",
};

static int plan_on(const struct arguments *arguments, const struct hvc_policy *policy,
		   const struct hvc_plan_host *host)
{
	struct hvc_plan *plan;
	const enum hvc_err err = hvc_plan_make(policy, host, &plan);
	int status;

	if (err != HVC_OK) {
		out_error("no plan can be made: %s", hvc_err_name(err));
		return CLI_USAGE;
	}
	status = plan->refused ? CLI_FINDING : CLI_OK;
	if (arguments->format == OUT_JSON) {
		status = out_json(plan_json(plan, hvc_policy_path(policy)), status);
	} else {
		plan_print(plan, hvc_policy_path(policy));
		status = out_finish(status);
	}
	hvc_plan_free(plan);
	return status;
}

static int run(int argc, char **argv)
{
	struct arguments arguments = {.format = OUT_TEXT};
	struct hvc_plan_host host;
	struct hvc_policy *policy;
	char why[400];
	int status;

	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	if (!hvc_plan_host_find(&host, arguments.on, why, sizeof(why))) {
		out_error("%s", why);
		return CLI_USAGE;
	}
	policy = out_load_policy(arguments.file, false, &status);
	if (policy != NULL) {
		status = plan_on(&arguments, policy, &host);
	}
	hvc_policy_free(policy);
	json_decref((json_t *)(uintptr_t)host.record);
	return status;
}

const struct cli_verb cli_policy_plan = {
	.name = "plan",
	.summary = "What becomes of a policy on a kernel's KVM",
	.run = run,
};
