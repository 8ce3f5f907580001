/* SPDX-License-Identifier: BSD-2-Clause */
#include "../run/run.h"
#include "cli.h"

static int run(int argc, char **argv)
{
	static char name[] = "hvcgate run"; /* in messages and --help */
	struct run_options options;

	argv[0] = name;
	run_options_parse(argc, argv, &options);
	return run_main(&options);
}

const struct cli_verb cli_run = {"run", "Run a guest under a policy and show what it calls", run};
