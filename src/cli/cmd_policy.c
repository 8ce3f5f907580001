/* SPDX-License-Identifier: BSD-2-Clause */
/* hvcgate policy VERB */
#include <stdio.h>
#include <string.h>

#include "cmd_policy.h"
#include "out.h"

static const struct cli_verb *const policy_verbs[] = {
	&cli_policy_check, &cli_policy_explain, &cli_policy_flatten,
	&cli_policy_plan,  &cli_policy_compile, NULL,
};

static int run(int argc, char **argv)
{
	if (argc < 2) {
		fputs("usage: hvcgate policy VERB ...; see hvcgate policy --help\n", stderr);
		return CLI_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		printf("usage: hvcgate policy VERB [OPTION...] ...\n\nWork with policy files.\n\n");
		cli_list_verbs(policy_verbs);
		printf("\nExample: hvcgate policy explain my.yaml PSCI_CPU_ON\n");
		return out_finish(CLI_OK);
	}
	return cli_dispatch("hvcgate policy", policy_verbs, argc, argv);
}

const struct cli_verb cli_policy = {
	.name = "policy",
	.summary = "Check, explain, flatten, plan and compile policy files",
	.run = run,
};
