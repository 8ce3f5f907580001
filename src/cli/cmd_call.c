/* SPDX-License-Identifier: BSD-2-Clause */
/* hvcgate call: one call to the real engine, in this process. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "args.h"
#include "cli.h"
#include "input.h"
#include "sim.h"

#include "../run/answer.h"

struct arguments {
	struct args common;
	const char *policy;
	enum hvc_conduit conduit;
	unsigned int cpus, immediate;
};

struct result {
	struct hvc_frame before, after;
	enum hvc_verdict verdict;
	struct hvc_outcome outcome;
	struct hvc_request request;
	char why[256];
};

static unsigned int number_option(struct argp_state *state, const char *name, const char *arg,
				  unsigned int least, unsigned int most)
{
	uint64_t value;

	if (!input_number(arg, &value) || value < least || value > most) {
		argp_error(state, "--%s is a number from %u to %u, not '%s'", name, least, most,
			   arg);
	}
	return (unsigned int)value;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case 'p':
		arguments->policy = arg;
		return 0;
	case 'c':
		if (strcmp(arg, "hvc") != 0 && strcmp(arg, "smc") != 0) {
			argp_error(state, "--conduit is hvc or smc, not '%s'", arg);
		}
		arguments->conduit = arg[0] == 'h' ? HVC_CONDUIT_HVC : HVC_CONDUIT_SMC;
		return 0;
	case 'n':
		arguments->cpus = number_option(state, "cpus", arg, 1, HVC_MAX_VCPUS);
		return 0;
	case 'i':
		arguments->immediate = number_option(state, "immediate", arg, 0, 0xffff);
		return 0;
	default:
		return args_parse(key, arg, state, &arguments->common, "which function?");
	}
}

static const struct argp_option options[] = {
	{"policy", 'p', "FILE", 0, "The policy (default: the built-in one)", 0},
	{"conduit", 'c', "hvc|smc", 0, "The instruction (default: hvc)", 0},
	{"immediate", 'i', "N", 0, "The instruction's immediate (default: 0)", 0},
	{"cpus", 'n', "N", 0, "CPUs of the simulated machine (default: 4); CPU 0 calls", 0},
	ARGS_FORMAT,
	{0},
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "NAME|ID [x1 ...]",
	.doc = "Make one call to the engine under a policy and print the answer, the verdict and what decided it. A "
	       "name with two IDs means the 64-bit one; write NAME/32 for the other. Arguments are decimal or 0x hex; "
	       "those not given are 0.\v"
	       "Exit status: 0, 1 the policy has errors or the name is unknown, 2 usage.\n\n"
	       "Example: hvcgate call --policy my.yaml PSCI_CPU_ON 1 0x40000000 0",
};

static bool make_frame(const struct arguments *arguments, struct hvc_frame *frame, int *status)
{
	const struct hvc_function *function;
	struct input input;

	*status = CLI_FINDING;
	if (!input_parse(arguments->common.words[0], &input)) {
		return false;
	}
	*status = CLI_USAGE;
	if (input.kind != INPUT_FUNCTION && input.kind != INPUT_ID) {
		out_error("'%s' is not one function; write a name or an ID",
			  arguments->common.words[0]);
		return false;
	}
	function = hvc_function_at(input.slot);
	frame->x[0] = input.kind == INPUT_ID                       ? input.first
		      : (input.width == 32 || function->id64 == 0) ? function->id32
								   : function->id64;
	if (arguments->common.count > HVC_FRAME_REGS) {
		out_error("too many arguments: x1 to x%u are all there are", HVC_FRAME_REGS - 1);
		return false;
	}
	for (int i = 1; i < arguments->common.count; i++) {
		if (!input_number(arguments->common.words[i], &frame->x[i])) {
			out_error("x%d: '%s' is no number; write decimal or 0x hex", i,
				  arguments->common.words[i]);
			return false;
		}
	}
	return true;
}

static void do_call(const struct arguments *arguments, const struct hvc_policy *policy,
		    struct sim *sim, struct result *result)
{
	result->after = result->before;
	hvc_vm_freeze(sim->vm);
	result->verdict = hvc_call(sim->vcpus[0], arguments->conduit,
				   (uint16_t)arguments->immediate, &result->after);
	result->outcome = hvc_vcpu_outcome(sim->vcpus[0]);
	if (result->verdict != HVC_RESUME) {
		result->request = hvc_vcpu_request(sim->vcpus[0]);
	}
	hvc_policy_why(policy, &result->outcome, result->why, sizeof(result->why));
}

static void print_text(const struct arguments *arguments, const struct result *result)
{
	const struct hvc_function *function = hvc_function_at(result->outcome.fn);
	char name[ANSWER_NAME_MAX];
	bool named = answer_name(function, result->after.x[0], name);

	printf("%s%s%s 0x%08" PRIx32 " by %s on CPU 0\n", out_style(stdout, OUT_BOLD),
	       function != NULL ? function->name : "(no function of the catalogue)",
	       out_reset(stdout), (uint32_t)result->before.x[0],
	       arguments->conduit == HVC_CONDUIT_HVC ? "hvc" : "smc");
	if (result->verdict == HVC_RESUME) {
		printf("  answer   x0 = 0x%" PRIx64 "%s%s\n", result->after.x[0], named ? " " : "",
		       named ? name : "");
	}
	for (unsigned int i = 1; i < HVC_FRAME_REGS; i++) {
		if (result->after.x[i] != result->before.x[i] ||
		    (result->verdict == HVC_RESUME && result->outcome.decider == HVC_BY_SERVICE &&
		     function != NULL && (function->results >> i & 1) &&
		     (int64_t)result->after.x[0] >= 0)) {
			printf("           x%u = 0x%" PRIx64 "\n", i, result->after.x[i]);
		}
	}
	printf("  verdict  %s", hvc_verdict_name(result->verdict));
	if (result->verdict == HVC_CPU_POWERDOWN || result->verdict == HVC_SYSTEM_SUSPEND) {
		printf(", then on at 0x%" PRIx64 " with x0 = 0x%" PRIx64, result->request.entry,
		       result->request.context);
	}
	printf("\n  decided  %s\n", result->why);
}

static json_t *to_json(const struct arguments *arguments, const struct result *result)
{
	const struct hvc_function *function = hvc_function_at(result->outcome.fn);
	json_t *before = json_array(), *after = json_array();
	char name[ANSWER_NAME_MAX];
	bool named = answer_name(function, result->after.x[0], name);
	char text[24];

	for (unsigned int i = 0; i < HVC_FRAME_REGS; i++) {
		snprintf(text, sizeof(text), "0x%" PRIx64, result->before.x[i]);
		json_array_append_new(before, json_string(text));
		snprintf(text, sizeof(text), "0x%" PRIx64, result->after.x[i]);
		json_array_append_new(after, json_string(text));
	}
	snprintf(text, sizeof(text), "0x%08" PRIx32, result->outcome.id);
	return json_pack("{s:s?, s:s, s:s, s:i, s:o, s:o, s:s?, s:s, s:s, s:s, s:s}", "function",
			 function != NULL ? function->name : NULL, "id", text, "conduit",
			 arguments->conduit == HVC_CONDUIT_HVC ? "hvc" : "smc", "immediate",
			 (int)arguments->immediate, "before", before, "after", after, "status",
			 result->verdict == HVC_RESUME && named ? name : NULL, "verdict",
			 hvc_verdict_name(result->verdict), "action",
			 hvc_action_name((enum hvc_action)result->outcome.action), "decider",
			 hvc_decider_name((enum hvc_decider)result->outcome.decider), "why",
			 result->why);
}

static int run(int argc, char **argv)
{
	struct arguments arguments = {.cpus = 4};
	struct result result = {0};
	struct hvc_policy *policy;
	struct sim sim;
	int status;

	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	if (!make_frame(&arguments, &result.before, &status)) {
		return status;
	}
	policy = out_load_policy(arguments.policy, false, &status);
	if (policy == NULL || !sim_make(&sim, policy, arguments.cpus)) {
		hvc_policy_free(policy);
		return status != CLI_OK ? status : CLI_USAGE;
	}
	do_call(&arguments, policy, &sim, &result);
	sim_free(&sim);
	hvc_policy_free(policy);
	if (arguments.common.format == OUT_JSON) {
		return out_json(to_json(&arguments, &result), CLI_OK);
	}
	print_text(&arguments, &result);
	return out_finish(CLI_OK);
}

const struct cli_verb cli_call = {
	.name = "call",
	.summary = "Make one call to the engine under a policy",
	.run = run,
};
