/* SPDX-License-Identifier: BSD-2-Clause */
/* What most verbs take: --format, and words. */
#ifndef HVCGATE_CLI_ARGS_H
#define HVCGATE_CLI_ARGS_H

#include <argp.h>

#include "out.h"

struct args {
	enum out_format format;
	char **words;
	int count;
};

/* For the verb's table of options. */
#define ARGS_FORMAT                                                              \
	{                                                                        \
		"format", 'f', "text|json", 0, "How to print (default: text)", 0 \
	}

/* Take what is ours of an argp parser's keys; the verb's parser hands on what it does not know.
 * `missing`: the error when there are no words ("which file?"); NULL: none are needed. */
error_t args_parse(int key, char *arg, struct argp_state *state, struct args *args,
		   const char *missing);

#endif
