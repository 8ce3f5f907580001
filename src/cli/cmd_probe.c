/* SPDX-License-Identifier: BSD-2-Clause */
/* hvcgate probe: what this host offers, measured. */
#include <argp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../abi/abi.h"
#include "../kvm/probe/probe.h"
#include "cli.h"
#include "out.h"
#include "probe_print.h"

enum { AS_TABLE, AS_JSON, AS_NFD };

struct choice {
	int format;
	const char *record; /* a file to print; NULL: measure */
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	static const char *const names[] = {
		[AS_TABLE] = "table", [AS_JSON] = "json", [AS_NFD] = "nfd"};
	struct choice *choice = state->input;

	switch (key) {
	case 'f':
		for (int i = 0; i <= AS_NFD; i++) {
			if (strcmp(arg, names[i]) == 0) {
				choice->format = i;
				return 0;
			}
		}
		argp_error(state, "--format is table, json or nfd, not '%s'", arg);
		return 0;
	case 'r':
		choice->record = arg;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "no argument is taken: '%s'", arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{"format", 'f', "table|json|nfd", 0,
	 "A table for people (default), an ABI record, or labels for node-feature-discovery", 0},
	{"record", 'r', "FILE", 0, "Print this ABI record instead of measuring", 0},
	{0},
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.doc = "Measure what this arm64 host's KVM offers at the hypercall interface: registers, PSCI versions, filter, "
	       "answers to every function, quirks. Makes tiny VMs, and leaves nothing behind.\v"
	       "Exit status: 0, 2 usage, no arm64 KVM, or no sound record.\n\n"
	       "Example: hvcgate probe --format json > record.json\n"
	       "Elsewhere: scripts/lab 6.12 -- build/aarch64/src/cli/hvcgate probe",
};

static void progress(const char *what)
{
	if (isatty(STDERR_FILENO) == 1) {
		fprintf(stderr, "\r\033[Kmeasuring: %s", what);
		fflush(stderr);
	}
}

static json_t *measure(char *why, size_t size)
{
	json_t *record = kvm_probe("hvcgate " HVCGATE_VERSION, progress, why, size);

	if (isatty(STDERR_FILENO) == 1) {
		fputs("\r\033[K", stderr);
	}
	return record;
}

static int run(int argc, char **argv)
{
	struct choice choice = {.format = AS_TABLE};
	char why[400];
	json_t *record;

	argp_parse(&argp, argc, argv, 0, NULL, &choice);
	record = choice.record != NULL ? abi_record_load(choice.record, why, sizeof(why))
				       : measure(why, sizeof(why));
	if (record == NULL) {
		out_error("%s%s", choice.record != NULL ? "" : "cannot measure: ", why);
		return CLI_USAGE;
	}
	if (choice.format == AS_TABLE) {
		probe_print_table(record);
	} else if (choice.format == AS_NFD) {
		probe_print_nfd(record);
	} else if (!abi_json_write(stdout, record)) {
		out_error("cannot write the record");
	}
	json_decref(record);
	return out_finish(CLI_OK);
}

const struct cli_verb cli_probe = {
	.name = "probe",
	.summary = "Measure what this arm64 host's KVM offers",
	.run = run,
};
