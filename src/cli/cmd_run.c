/* SPDX-License-Identifier: BSD-2-Clause */
#include "../kvm/exec/exec.h"
#include "../run/run.h"
#include "cli.h"

/* Becomes QEMU. What it was given stays in memory and open until then. */
static int run_on_kvm(const struct run_options *options)
{
	struct run_args args;
	struct exec_options exec = {.policy = options->policy,
				    .trace = options->trace,
				    .trace_json = options->trace_json,
				    .trace_file = options->trace_file,
				    .summary = options->summary,
				    .summary_file = options->summary_file};
	int status = 2;

	if (run_kvm_args(options, &args)) {
		exec.argv = args.argv;
		status = exec_launch(&exec);
	}
	run_args_free(&args);
	return status;
}

static int run(int argc, char **argv)
{
	static char name[] = "hvcgate run"; /* in messages and --help */
	struct run_options options;

	argv[0] = name;
	run_options_parse(argc, argv, &options);
	return options.host == RUN_HOST_KVM ? run_on_kvm(&options) : run_main(&options);
}

const struct cli_verb cli_run = {"run", "Run a guest under a policy and show what it calls", run};
