/* SPDX-License-Identifier: BSD-2-Clause */
/* The verbs of `hvcgate policy`, one a file. */
#ifndef HVCGATE_CLI_CMD_POLICY_H
#define HVCGATE_CLI_CMD_POLICY_H

#include "cli.h"

extern const struct cli_verb cli_policy_check, cli_policy_explain, cli_policy_flatten,
	cli_policy_plan, cli_policy_compile;

#endif
