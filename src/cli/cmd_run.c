/* SPDX-License-Identifier: BSD-2-Clause */
#include "../run/run.h"
#include "cli.h"

static int run(int argc, char **argv)
{
	struct run_options options;

	run_options_parse(argc, argv, &options);
	return run_main(&options);
}

const struct cli_verb cli_run = {"run", "Run a guest under a policy and show what it calls", run};
