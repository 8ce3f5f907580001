/* SPDX-License-Identifier: BSD-2-Clause */
/* hvcgate exec: an unmodified VMM on KVM, under a policy. */
#define _GNU_SOURCE
#include <argp.h>
#include <string.h>

#include "../kvm/exec/exec.h"
#include "cli.h"
#include "out.h"

enum key {
	KEY_POLICY = 0x100,
	KEY_FROM,
	KEY_DRY_RUN,
	KEY_NO_RUN,
	KEY_TRACE,
	KEY_TRACE_FORMAT,
	KEY_SUMMARY,
};

static const struct argp_option option_table[] = {
	{"policy", KEY_POLICY, "FILE", 0, "Policy of its VMs; needed, but for --no-run", 0},
	{"from", KEY_FROM, "RECORD", 0,
	 "Guests arrive from such a host, where they began without hvcgate: a record's file, or a built-in name",
	 0},
	{"dry-run", KEY_DRY_RUN, NULL, 0,
	 "Say what would be run and done on this host, or why not; run nothing", 1},
	{"no-run", KEY_NO_RUN, NULL, 0,
	 "VMs may be made, but no vCPU runs; no policy: for a VMM that is only asked what it can do",
	 1},
	{"trace", KEY_TRACE, "FILE", OPTION_ARG_OPTIONAL,
	 "A line for each call that leaves the kernel, on stderr or into FILE", 2},
	{"trace-format", KEY_TRACE_FORMAT, "text|json", 0, "JSON: an object a line (default: text)",
	 2},
	{"summary", KEY_SUMMARY, "FORMAT[:FILE]", 0,
	 "table, json or none, when the VMM has ended, on stderr or into FILE (default: table)", 2},
	{0},
};

static const char doc[] =
	"Run a VMM for KVM, unmodified, with its VMs under a policy: the kernel's registers and filter are set so before a "
	"vCPU runs, and what the kernel cannot answer in the policy's way is answered in the VMM's process.\v"
	"The VMM is a dynamically linked program that uses libc, such as Debian's QEMU, or a script that starts one. It keeps "
	"this process, its descriptors and its name. It can make VMs only through hvcgate: if that is missing, as "
	"after env -i, the kernel refuses.\n"
	"\n"
	"Exit status: the VMM's. Where it was not started: 1 the policy has errors or cannot be enforced here; 2 the VMM "
	"cannot be run under one, or there is no KVM; 126 the kernel did not start it, or the interposer found itself "
	"in a wrong process.\n"
	"\n"
	"Example: hvcgate exec --policy no-trng.yaml -- qemu-system-aarch64 -M virt,gic-version=3 -accel kvm -cpu host "
	"-nographic -kernel Image";

static void parse_trace_format(const char *text, struct argp_state *state,
			       struct exec_options *options)
{
	options->trace_json = strcmp(text, "json") == 0;
	if (!options->trace_json && strcmp(text, "text") != 0) {
		argp_error(state, "--trace-format %s: text or json is wanted", text);
	}
}

static error_t finish(struct argp_state *state, struct exec_options *options)
{
	if (options->policy != NULL && strcmp(options->policy, "-") == 0) {
		argp_error(state, "--policy -: standard input is the VMM's; a file is wanted");
	}
	if (options->trace_json && !options->trace) {
		argp_error(state, "--trace-format is for --trace, which is not given");
	}
	if (options->no_run &&
	    (options->policy != NULL || options->from != NULL || options->trace)) {
		argp_error(state, "--no-run is without a policy: no vCPU runs");
	}
	/* The built-in policy says SMCCC 1.2. */
	if (!options->no_run && options->policy == NULL) {
		argp_error(
			state,
			"which policy? --policy FILE; no kernel does as hvcgate-1 by itself, but "
			"'hvcgate: 1' with 'smccc: \"1.1\"' can be had on all that have a filter, "
			"and 'profile: linux-6.12' with 'strictness: kvm' costs least");
	}
	return 0;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct exec_options *options = state->input;

	switch (key) {
	case KEY_POLICY:
		options->policy = text;
		return 0;
	case KEY_FROM:
		options->from = text;
		return 0;
	case KEY_DRY_RUN:
		options->dry_run = true;
		return 0;
	case KEY_NO_RUN:
		options->no_run = true;
		return 0;
	case KEY_TRACE:
		options->trace = true;
		options->trace_file = text;
		return 0;
	case KEY_TRACE_FORMAT:
		parse_trace_format(text, state, options);
		return 0;
	case KEY_SUMMARY:
		run_parse_summary(text, state, &options->summary, &options->summary_file);
		return 0;
	case ARGP_KEY_ARG:
		/* The VMM's name: what follows is its own, also options. */
		options->argv = state->argv + state->next - 1;
		state->next = state->argc;
		return finish(state, options);
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which VMM? hvcgate exec [OPTION...] -- VMM ARGUMENT...");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = option_table, .parser = parse, .args_doc = "-- VMM [ARGUMENT...]", .doc = doc};

static int run(int argc, char **argv)
{
	static char name[] = "hvcgate exec"; /* in messages and --help */
	struct exec_options options = {.summary = RUN_FORMAT_TEXT};

	argv[0] = name;
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &options);
	return exec_launch(&options);
}

const struct cli_verb cli_exec = {"exec", "Run a VMM on KVM with its VMs under a policy", run};
