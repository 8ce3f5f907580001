/* SPDX-License-Identifier: BSD-2-Clause */
#include <argp.h>
#include <stdio.h>
#include <string.h>

#include "../policy/suggest.h"
#include "cli.h"
#include "out.h"

static const struct cli_verb *const verbs[] = {
	&cli_run,    &cli_policy,   &cli_resolve, &cli_call, &cli_replay, &cli_probe,
	&cli_compat, &cli_baseline, &cli_exec,    &cli_ctl,  NULL,
};

void cli_list_verbs(const struct cli_verb *const *list)
{
	for (; *list != NULL; list++) {
		printf("  %-9s %s\n", (*list)->name, (*list)->summary);
	}
}

int cli_dispatch(const char *command, const struct cli_verb *const *list, int argc, char **argv)
{
	static char name[64];
	struct suggestion suggestion;

	suggest_begin(&suggestion, argv[1]);
	for (size_t i = 0; list[i] != NULL; i++) {
		if (strcmp(argv[1], list[i]->name) == 0) {
			snprintf(name, sizeof(name), "%s %s", command, list[i]->name);
			argv[1] = name;
			return list[i]->run(argc - 1, argv + 1);
		}
		suggest_try(&suggestion, list[i]->name);
	}
	if (suggestion.best != NULL) {
		out_error("unknown verb '%s'; did you mean '%s %s'?", argv[1], command,
			  suggestion.best);
	} else {
		out_error("unknown verb '%s'; see %s --help", argv[1], command);
	}
	return CLI_USAGE;
}

static int help(void)
{
	printf("usage: hvcgate VERB [OPTION...] ...\n\n"
	       "The hypercall layer for arm64 virtual machines: what a guest can call, and who answers.\n\n");
	cli_list_verbs(verbs);
	printf("\nOptions: --help, --version; 'hvcgate VERB --help' tells a verb's own.\n\n"
	       "Example: hvcgate policy check my.yaml\n");
	return out_finish(CLI_OK);
}

int main(int argc, char **argv)
{
	argp_err_exit_status = CLI_USAGE;
	if (argc < 2) {
		fputs("usage: hvcgate VERB [OPTION...] ...; see hvcgate --help\n", stderr);
		return CLI_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0) {
		return help();
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
		puts("hvcgate " HVCGATE_VERSION);
		return out_finish(CLI_OK);
	}
	return cli_dispatch("hvcgate", verbs, argc, argv);
}
