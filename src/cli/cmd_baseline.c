/* SPDX-License-Identifier: BSD-2-Clause */
/* hvcgate baseline: the largest ABI that several hosts all have, as a policy. */
#include <stdlib.h>

#include "args.h"
#include "cli.h"
#include "compat.h"

#define MAX_RECORDS 64

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct args *args = state->input;

	if (key == ARGP_KEY_END && args->count > MAX_RECORDS) {
		argp_error(state, "at most %d records", MAX_RECORDS);
	}
	return args_parse(key, arg, state, args, "which records?");
}

static const struct argp_option options[] = {
	ARGS_FORMAT,
	{0},
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "RECORD...",
	.doc = "The largest hypercall ABI that all of these hosts have, as a policy. A record is a file, or one that is "
	       "built in, as for hvcgate compat.\v"
	       "Exit status: 0 printed, 2 usage or a bad record.\n\n"
	       "Example: hvcgate baseline linux-6.12 linux-7.x > fleet.yaml",
};

static int print(const struct args *args, struct compat_host *const *hosts)
{
	char *text = compat_baseline((const struct compat_host *const *)hosts, (size_t)args->count);
	json_t *names;
	int status;

	if (text == NULL) {
		out_error("no policy: a record is of a kernel older than every profile");
		return CLI_USAGE;
	}
	if (args->format == OUT_TEXT) {
		fputs(text, stdout);
		status = out_finish(CLI_OK);
	} else {
		names = json_array();
		for (int n = 0; n < args->count; n++) {
			json_array_append_new(names, out_text_json(hosts[n]->name));
		}
		status = out_json(json_pack("{s:o, s:s}", "records", names, "policy", text),
				  CLI_OK);
	}
	free(text);
	return status;
}

static int run(int argc, char **argv)
{
	struct args args = {.format = OUT_TEXT};
	struct compat_host *hosts[MAX_RECORDS] = {NULL};
	int status = CLI_OK, count;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	for (count = 0; count < args.count && status == CLI_OK; count++) {
		char why[400] = "";

		hosts[count] = compat_host_open(args.words[count], why, sizeof(why));
		if (hosts[count] == NULL) {
			out_error("%s", why);
			status = CLI_USAGE;
		}
	}
	if (status == CLI_OK) {
		status = print(&args, hosts);
	}
	for (int n = 0; n < count; n++) {
		compat_host_free(hosts[n]);
	}
	return status;
}

const struct cli_verb cli_baseline = {
	.name = "baseline",
	.summary = "The largest ABI that several hosts all have",
	.run = run,
};
