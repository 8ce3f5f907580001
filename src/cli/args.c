/* SPDX-License-Identifier: BSD-2-Clause */
#include "args.h"

error_t args_parse(int key, char *arg, struct argp_state *state, struct args *args,
		   const char *missing)
{
	switch (key) {
	case 'f':
		if (!out_format_parse(arg, &args->format)) {
			argp_error(state, "--format is text or json, not '%s'", arg);
		}
		return 0;
	case ARGP_KEY_ARGS:
		args->words = state->argv + state->next;
		args->count = state->argc - state->next;
		return 0;
	case ARGP_KEY_NO_ARGS:
		if (missing != NULL) {
			argp_error(state, "%s", missing);
		}
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}
