/* SPDX-License-Identifier: BSD-2-Clause */
/* hvcgate replay: scenario files on a host, and whether they came out as stated. */
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "cli.h"
#include "replay.h"

struct arguments {
	struct args common;
	const char *host, *profile, *record, *transcript, *compare, *unsupported;
	bool print;
};

enum { KEY_RECORD = 0x100, KEY_PRINT, KEY_TRANSCRIPT, KEY_COMPARE, KEY_UNSUPPORTED };

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case 'H':
		if (strcmp(arg, "engine") != 0 && strcmp(arg, "el2") != 0 &&
		    strcmp(arg, "kvm") != 0) {
			argp_error(state, "--host is engine, el2 or kvm, not '%s'", arg);
		}
		arguments->host = arg;
		return 0;
	case 'p':
		arguments->profile = arg;
		return 0;
	case KEY_RECORD:
		arguments->record = arg;
		return 0;
	case KEY_PRINT:
		arguments->print = true;
		return 0;
	case KEY_TRANSCRIPT:
		arguments->transcript = arg;
		return 0;
	case KEY_COMPARE:
		arguments->compare = arg;
		return 0;
	case KEY_UNSUPPORTED:
		arguments->unsupported = arg;
		return 0;
	default:
		return args_parse(key, arg, state, &arguments->common, "which scenario?");
	}
}

static const struct argp_option options[] = {
	{"host", 'H', "engine|el2|kvm", 0, "What answers (default: the engine in this process)", 0},
	{"profile", 'p', "PROFILE", 0,
	 "Of machines that name none, and what ranges are held against (default: the record's, else hvcgate-1)",
	 0},
	{"record", KEY_RECORD, "FILE", 0, "Take the workaround levels of this host", 0},
	{"print", KEY_PRINT, NULL, 0, "Show every line with its whole result", 0},
	{"transcript", KEY_TRANSCRIPT, "FILE", 0, "Write down what the host answered", 0},
	{"compare", KEY_COMPARE, "FILE", 0, "Hold every line against another host's transcript", 0},
	{"unsupported", KEY_UNSUPPORTED, "FILE", 0,
	 "What hosts need not support: lines of HOST PROFILES COMMAND REASON", 0},
	ARGS_FORMAT,
	{0},
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.args_doc = "FILE.hvc...|-",
	.doc = "Replay scenarios, text tables of commands and what must come back, on the engine, on the EL2 layer under "
	       "QEMU or on this machine's KVM. Lines that come out otherwise than stated are shown.\v"
	       "Exit status: 0 all agreed, 1 not, 2 usage, a scenario with errors, or the host cannot run.\n\n"
	       "Example: hvcgate replay --profile linux-6.12 tests/scenario/first.hvc",
};

static bool find_profile(const char *name, const struct abi_profile **profile)
{
	*profile = abi_profile_find(name);
	if (*profile == NULL) {
		out_error("unknown profile '%s'; there are:", name);
		for (size_t i = 0; abi_profile_at(i) != NULL; i++) {
			fprintf(stderr, "  %s\n", abi_profile_name(abi_profile_at(i)));
		}
	}
	return *profile != NULL;
}

/* The host and the profile whose lines hold. */
static bool open_host(const struct arguments *arguments, struct replay *replay)
{
	char why[256] = "";

	if (arguments->record != NULL) {
		replay->record = abi_record_load(arguments->record, why, sizeof(why));
		if (replay->record == NULL) {
			out_error("%s", why); /* begins with the file's name */
			return false;
		}
		replay->profile = abi_record_profile(replay->record);
	}
	if (replay->profile == NULL) {
		replay->profile = abi_profile_find("hvcgate-1");
	}
	if (arguments->profile != NULL && !find_profile(arguments->profile, &replay->profile)) {
		return false;
	}
	if (strcmp(arguments->host, "kvm") == 0) {
		replay->only_matching = true;
		replay->host = scn_kvm_host(&replay->profile, why, sizeof(why));
	} else {
		replay->host = arguments->host[1] == 'l' ? scn_el2_host(why, sizeof(why))
							 : scn_engine_host();
	}
	if (replay->host == NULL) {
		out_error("host %s: %s", arguments->host, why);
		return false;
	}
	return true;
}

static bool open_files(const struct arguments *arguments, struct replay *replay)
{
	if (arguments->compare != NULL) {
		replay->other = scn_transcript_load(arguments->compare, replay->diags);
	}
	if (arguments->unsupported != NULL) {
		replay->excuses = scn_excuses_load(arguments->unsupported, replay->diags);
	}
	out_diags(replay->diags, false);
	if ((arguments->compare != NULL && replay->other == NULL) ||
	    (arguments->unsupported != NULL && replay->excuses == NULL)) {
		return false;
	}
	if (arguments->transcript != NULL) {
		replay->transcript = fopen(arguments->transcript, "we");
		if (replay->transcript == NULL) {
			out_error("cannot write %s", arguments->transcript);
			return false;
		}
		scn_transcript_head(replay->transcript, replay->host->name, replay->profile);
	}
	return true;
}

/* A transcript of other files would agree with everything. */
static bool comparable(const struct replay *replay, const char *compare)
{
	for (size_t i = 0; i < replay->count && replay->other != NULL; i++) {
		if (!scn_transcript_has(replay->other, replay->scripts[i])) {
			out_error("%s has nothing of %s: there is nothing to compare with", compare,
				  scn_path(replay->scripts[i]));
			return false;
		}
	}
	return true;
}

static int replay_all(const struct arguments *arguments, struct replay *replay)
{
	bool good;

	/* All are read before one is run: a mistake in the last should not cost the time of the others. */
	replay->scripts = calloc((size_t)arguments->common.count, sizeof(struct scn_script *));
	if (replay->scripts == NULL) {
		out_error("out of memory");
		return CLI_USAGE;
	}
	good = true;
	for (int i = 0; i < arguments->common.count; i++) {
		good &= replay_read(replay, arguments->common.words[i]);
	}
	good = good && comparable(replay, arguments->compare);
	for (size_t i = 0; i < replay->count && good; i++) {
		good = replay_run(replay, replay->scripts[i]);
	}
	return good ? replay_end(replay) : CLI_USAGE;
}

static void release(struct replay *replay)
{
	if (replay->host != NULL) {
		replay->host->close(replay->host);
	}
	for (size_t i = 0; i < replay->count && replay->scripts != NULL; i++) {
		scn_free(replay->scripts[i]);
	}
	free(replay->scripts);
	scn_transcript_free(replay->other);
	scn_excuses_free(replay->excuses);
	json_decref(replay->record);
	json_decref(replay->json);
	hvc_diags_free(replay->diags);
}

static int run(int argc, char **argv)
{
	struct arguments arguments = {.host = "engine"};
	struct replay replay = {0};
	int status = CLI_USAGE;

	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	replay.print = arguments.print;
	replay.diags = hvc_diags_new();
	replay.json = arguments.common.format == OUT_JSON ? json_array() : NULL;
	if (replay.diags != NULL && open_host(&arguments, &replay) &&
	    open_files(&arguments, &replay)) {
		status = replay_all(&arguments, &replay);
	}
	if (replay.transcript != NULL && (fclose(replay.transcript) != 0)) {
		out_error("cannot write %s", arguments.transcript);
		status = CLI_USAGE;
	}
	release(&replay);
	return status;
}

const struct cli_verb cli_replay = {
	.name = "replay",
	.summary = "Replay scenarios on a host and compare with what they state",
	.run = run,
};
