/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "cli.h"

static const struct cli_verb *const verbs[] = {
	&cli_run,
	NULL,
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && verbs[i] != NULL; i++) {
		if (strcmp(argv[1], verbs[i]->name) == 0) {
			return verbs[i]->run(argc - 1, argv + 1);
		}
	}
	fputs("usage: hvcgate VERB ...\n", stderr);
	return CLI_USAGE;
}
