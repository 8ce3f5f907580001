/* SPDX-License-Identifier: BSD-2-Clause */
/* hvcgate policy explain: what happens to functions under a policy, and why. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "args.h"
#include "cmd_policy.h"
#include "explain.h"
#include "input.h"

struct context {
	const struct hvc_policy *policy;
	struct sim sim;
	json_t *json; /* list to append to, or NULL: print */
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	return args_parse(key, arg, state, state->input, NULL);
}

static const struct argp_option options[] = {
	ARGS_FORMAT,
	{0},
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "[FILE [NAME|ID|RANGE|SERVICE|OWNER...]]",
	.doc = "Tell what a guest gets when it calls a function under a policy, and what decides it. Without names: "
	       "every function, by service, and every rule. Without FILE: the built-in policy.\v"
	       "Exit status: 0, 1 the policy has errors or a name is unknown, 2 it cannot be read.\n\n"
	       "Example: hvcgate policy explain my.yaml PSCI_CPU_ON 0x86000000-0x8600ffff",
};

static enum out_style state_style(const char *state)
{
	return strcmp(state, "answered") == 0  ? OUT_GREEN
	       : strcmp(state, "denied") == 0  ? OUT_RED
	       : strcmp(state, "absent") == 0  ? OUT_DIM
	       : strcmp(state, "unknown") == 0 ? OUT_DIM
					       : OUT_YELLOW;
}

static void print_row(const char *name, const char *ids, const struct fate *fate)
{
	printf("  %-35s %-21s %s%-9s%s  %s\n", name, ids,
	       out_style(stdout, state_style(fate->state)), fate->state, out_reset(stdout),
	       fate->why);
}

static void print_one(const struct hvc_function *function, uint32_t id, const struct fate *fate)
{
	bool both = function->id32 != 0 && function->id64 != 0;
	char name[80], ids[32];

	snprintf(name, sizeof(name), "%s%s", function->name,
		 !both                  ? ""
		 : id == function->id32 ? "/32"
					: "/64");
	snprintf(ids, sizeof(ids), "0x%08" PRIx32, id);
	print_row(name, ids, fate);
}

/* One line, or two if the widths fare differently. */
static void explain_row(struct context *context, unsigned int slot)
{
	const struct hvc_function *function = hvc_function_at(slot);
	struct fate fates[2];
	uint32_t ids[2] = {function->id32, function->id64};
	char text[32];

	for (unsigned int i = 0; i < 2; i++) {
		if (ids[i] != 0) {
			fate_of(context->policy, &context->sim, ids[i], &fates[i]);
		}
	}
	if (context->json != NULL) {
		for (unsigned int i = 0; i < 2; i++) {
			if (ids[i] != 0) {
				json_array_append_new(context->json,
						      fate_json(context->policy, &fates[i]));
			}
		}
	} else if (ids[0] != 0 && ids[1] != 0 && fate_same(&fates[0], &fates[1])) {
		snprintf(text, sizeof(text), "0x%08" PRIx32 " %08" PRIx32, ids[0], ids[1]);
		print_row(function->name, text, &fates[0]);
	} else {
		for (unsigned int i = 0; i < 2; i++) {
			if (ids[i] != 0) {
				print_one(function, ids[i], &fates[i]);
			}
		}
	}
}

static void explain_service(struct context *context, unsigned int service)
{
	if (context->json == NULL) {
		printf("%s%s%s\n", out_style(stdout, OUT_BOLD), hvc_service_name(service),
		       out_reset(stdout));
	}
	for (unsigned int slot = 1; slot < hvc_function_count(); slot++) {
		if (hvc_function_at(slot)->service == service) {
			explain_row(context, slot);
		}
	}
}

static void print_shadowed(const struct hvc_policy *policy, const struct fate *fate)
{
	for (long i = fate_other_rule(policy, fate, -1); i >= 0;
	     i = fate_other_rule(policy, fate, i)) {
		const struct hvc_rule *rule = hvc_policy_rule(policy, (size_t)i);

		char place[300];

		printf("    %s (%s: %s) names it too%s\n",
		       rule_place(policy, rule, place, sizeof(place)),
		       hvc_action_name(rule->action), rule->target,
		       fate->match.reserved ? ", and cannot take it" : ", and comes too late");
	}
}

static void explain_id(struct context *context, uint32_t id)
{
	struct fate fate;
	const struct hvc_function *function;

	fate_of(context->policy, &context->sim, id, &fate);
	if (context->json != NULL) {
		json_array_append_new(context->json, fate_json(context->policy, &fate));
		return;
	}
	function = hvc_function_at(fate.slot);
	printf("0x%08" PRIx32 " %s%s%s: %s%s%s: %s\n", id, out_style(stdout, OUT_BOLD),
	       function != NULL ? function->name : "(no function of the catalogue)",
	       out_reset(stdout), out_style(stdout, state_style(fate.state)), fate.state,
	       out_reset(stdout), fate.why);
	if (fate.decided_as != id) {
		printf("    bit 16 is a hint at this smccc version: decided as 0x%08" PRIx32 "\n",
		       fate.decided_as);
	}
	if (fate.match.rule != NULL) {
		char place[300];

		printf("    %s: %s: %s\n",
		       rule_place(context->policy, fate.match.rule, place, sizeof(place)),
		       hvc_action_name(fate.match.rule->action), fate.match.rule->target);
		if (fate.match.rule->features != HVC_RULE_NO_FEATURES) {
			printf("    discovery says 0x%" PRIx32 " of it while somebody answers\n",
			       (uint32_t)fate.match.rule->features);
		}
	}
	print_shadowed(context->policy, &fate);
}

static void explain_function(struct context *context, const struct input *input)
{
	const struct hvc_function *function = hvc_function_at(input->slot);

	if (function->id32 != 0 && input->width != 64) {
		explain_id(context, function->id32);
	}
	if (function->id64 != 0 && input->width != 32) {
		explain_id(context, function->id64);
	}
}

static const char *match_text(const struct hvc_policy *policy, const struct hvc_match *match,
			      char *text, size_t size)
{
	char place[300];

	if (match->reserved) {
		snprintf(text, size, "reserved for the engine");
	} else if (match->rule != NULL) {
		snprintf(text, size, "%s by %s", hvc_action_name(match->action),
			 rule_place(policy, match->rule, place, sizeof(place)));
	} else if (match->service != HVC_SERVICE_NONE) {
		snprintf(text, size, "deny, service %s is off", hvc_service_name(match->service));
	} else {
		snprintf(text, size, "%s by default", hvc_action_name(match->action));
	}
	return text;
}

/* The part of a span inside the range, and the functions in it. */
static void explain_span(struct context *context, const struct hvc_span *span, uint32_t first,
			 uint32_t last)
{
	uint32_t from = span->first > first ? span->first : first,
		 to = span->last < last ? span->last : last;
	char text[400], ids[2][16];

	match_text(context->policy, &span->match, text, sizeof(text));
	if (context->json != NULL) {
		snprintf(ids[0], sizeof(ids[0]), "0x%08" PRIx32, from);
		snprintf(ids[1], sizeof(ids[1]), "0x%08" PRIx32, to);
		json_array_append_new(context->json,
				      json_pack("{s:s, s:s, s:s, s:s}", "first", ids[0], "last",
						ids[1], "action",
						hvc_action_name(span->match.action), "why", text));
	} else {
		printf("%s0x%08" PRIx32 "-0x%08" PRIx32 "%s  %s\n", out_style(stdout, OUT_BOLD),
		       from, to, out_reset(stdout), text);
	}
	for (unsigned int slot = 1; slot < hvc_function_count(); slot++) {
		const struct hvc_function *function = hvc_function_at(slot);
		uint32_t of[2] = {function->id32, function->id64};

		for (unsigned int i = 0; i < 2; i++) {
			struct fate fate;

			if (of[i] == 0 || of[i] < from || of[i] > to) {
				continue;
			}
			fate_of(context->policy, &context->sim, of[i], &fate);
			if (context->json != NULL) {
				json_array_append_new(context->json,
						      fate_json(context->policy, &fate));
			} else {
				print_one(function, of[i], &fate);
			}
		}
	}
}

static void explain_range(struct context *context, uint32_t first, uint32_t last)
{
	const struct hvc_span *span;

	for (size_t i = 0;
	     (span = hvc_policy_span(context->policy, i)) != NULL && span->first <= last; i++) {
		if (span->last >= first) {
			explain_span(context, span, first, last);
		}
	}
}

static void explain_word(struct context *context, const struct input *input)
{
	switch (input->kind) {
	case INPUT_FUNCTION:
		explain_function(context, input);
		break;
	case INPUT_ID:
		explain_id(context, input->first);
		break;
	case INPUT_RANGE:
		explain_range(context, input->first, input->last);
		break;
	case INPUT_SERVICE:
		explain_service(context, input->first);
		break;
	case INPUT_OWNER:
		for (uint32_t kind = 0; kind < 4; kind++) {
			explain_range(context, kind << 30 | input->first << 24,
				      kind << 30 | input->last << 24 | 0xffffffu);
		}
		break;
	}
}

static void print_rules(const struct hvc_policy *policy)
{
	const struct hvc_rule *rule;

	if (hvc_policy_rule_count(policy) != 0) {
		printf("%srules%s\n", out_style(stdout, OUT_BOLD), out_reset(stdout));
	}
	for (size_t i = 0; (rule = hvc_policy_rule(policy, i)) != NULL; i++) {
		printf("  %u at %s:%u  %s: %s\n", rule->number, rule->file, rule->line,
		       hvc_action_name(rule->action), rule->target);
		if (rule->decided != rule->claimed) {
			printf("      decides %" PRIu64 " of the %" PRIu64
			       " IDs it names; earlier rules take the others\n",
			       rule->decided, rule->claimed);
		}
	}
}

/* What the policy says of the machine beside functions. */
static void print_machine(const struct hvc_policy *policy)
{
	const struct hvc_settings *settings = hvc_policy_settings(policy);
	const struct hvc_policy_power_state *state;

	for (size_t n = 0; (state = hvc_policy_power_state(policy, n)) != NULL; n++) {
		printf("  power state 0x%08" PRIx32 " %s: %s, level %" PRIu32 ", in %" PRIu32
		       " us, out %" PRIu32 " us, worth it from %" PRIu32 " us\n",
		       state->param, state->name, state->down ? "power-down" : "standby",
		       state->level, state->entry_us, state->exit_us, state->residency_us);
	}
	if (settings->os_initiated != 0) {
		printf("  OS-initiated mode can be chosen\n");
	}
	if (settings->trusted_os != HVC_TRUSTED_OS_NONE) {
		printf("  trusted OS on CPU %" PRIu32 ", %s\n", settings->trusted_os_cpu,
		       settings->trusted_os == HVC_TRUSTED_OS_MIGRATES ? "which migrates"
								       : "which stays");
	}
	if (settings->replay != 0) {
		printf("  calls forwarded when it is saved are made again\n");
	}
}

static void print_header(const struct hvc_policy *policy)
{
	const struct hvc_settings *settings = hvc_policy_settings(policy);
	uint64_t psci = settings->regs[HVC_REG_PSCI_VERSION];

	printf("%s: %s%s%s, smccc %u.%u, psci %u.%u\n", hvc_policy_path(policy),
	       hvc_policy_profile(policy),
	       settings->strictness == HVC_STRICT_KVM ? ", strictness kvm" : "",
	       settings->discovery == HVC_DISCOVERY_RAW ? ", discovery raw" : "",
	       settings->smccc_version >> 16, settings->smccc_version & 0xffff,
	       (unsigned int)(psci >> 16), (unsigned int)(psci & 0xffff));
	print_machine(policy);
}

static void explain_all(struct context *context)
{
	if (context->json == NULL) {
		print_header(context->policy);
	}
	for (unsigned int service = 1; service < HVC_SERVICE_COUNT; service++) {
		explain_service(context, service);
	}
	if (context->json == NULL) {
		print_rules(context->policy);
	}
}

static int explain_words(struct context *context, const struct args *arguments)
{
	int status = CLI_OK;

	for (int i = 1; i < arguments->count; i++) {
		struct input input;

		if (input_parse(arguments->words[i], &input)) {
			explain_word(context, &input);
		} else {
			status = CLI_FINDING;
		}
	}
	return status;
}

static int run(int argc, char **argv)
{
	struct args arguments = {.format = OUT_TEXT};
	struct context context = {0};
	struct hvc_policy *policy;
	int status;

	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	policy = out_load_policy(arguments.count > 0 ? arguments.words[0] : NULL, false, &status);
	if (policy == NULL ||
	    !sim_make(&context.sim, policy, hvc_policy_settings(policy)->trusted_os_cpu + 1)) {
		hvc_policy_free(policy);
		return status != CLI_OK ? status : CLI_USAGE;
	}
	context.policy = policy;
	context.json = arguments.format == OUT_JSON ? json_array() : NULL;
	if (arguments.count > 1) {
		status = explain_words(&context, &arguments);
	} else {
		explain_all(&context);
	}
	sim_free(&context.sim);
	hvc_policy_free(policy);
	return context.json != NULL ? out_json(context.json, status) : out_finish(status);
}

const struct cli_verb cli_policy_explain = {
	.name = "explain",
	.summary = "What happens to a function, and which rule decides it",
	.run = run,
};
