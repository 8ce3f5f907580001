/* SPDX-License-Identifier: BSD-2-Clause */
/* The hvcgate command: one file a verb, each ending in its struct cli_verb; main.c lists them. */
#ifndef HVCGATE_CLI_H
#define HVCGATE_CLI_H

/* Exit status of every verb. */
enum cli_status { CLI_OK = 0, CLI_FINDING = 1, CLI_USAGE = 2 };

struct cli_verb {
	const char *name;                  /* "run" */
	const char *summary;               /* one line for --help */
	int (*run)(int argc, char **argv); /* argv[0] is "hvcgate run"; returns an exit status */
};

extern const struct cli_verb cli_run, cli_policy, cli_resolve, cli_call, cli_replay, cli_probe,
	cli_compat, cli_baseline, cli_exec, cli_ctl;

/* The verb whose turn it is, from a list that ends in NULL: argv[1] names it. `command` is "hvcgate" or
 * "hvcgate policy". An unknown name is answered with a suggestion. */
int cli_dispatch(const char *command, const struct cli_verb *const *verbs, int argc, char **argv);
/* "  name   summary" a line. */
void cli_list_verbs(const struct cli_verb *const *verbs);

#endif
