/* SPDX-License-Identifier: BSD-2-Clause */
#define _POSIX_C_SOURCE 200809L
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "replay.h"

/* One line of a script after it was run. */
struct line {
	const struct scn_script *script;
	size_t n;
	char *got;
	enum scn_verdict verdict;
	bool not_run;       /* the line that failed before says enough */
	const char *excuse; /* of what is unsupported */
	char why[1024];
};

bool replay_read(struct replay *replay, const char *path)
{
	struct hvc_diags *diags = hvc_diags_new();
	struct scn_options options = {.profile = replay->profile,
				      .record = replay->record,
				      .only_matching = replay->only_matching};
	struct scn_script *script = NULL;
	size_t bytes;
	char *text;

	if (diags == NULL) {
		return false;
	}
	text = scn_read(path, SCN_MAX_BYTES, &bytes, diags);
	if (text != NULL) {
		script = scn_parse(strcmp(path, "-") == 0 ? "(standard input)" : path, text, bytes,
				   &options, diags);
	}
	free(text);
	out_diags(diags, false);
	hvc_diags_free(diags);
	if (script != NULL) {
		replay->scripts[replay->count++] = script;
		replay->left_out += scn_left_out(script);
	}
	return script != NULL;
}

static const char *verdict_name(const struct line *line)
{
	static const char *const names[] = {"agreed", "differed", "unsupported"};

	return names[line->verdict];
}

static void print_line(const struct replay *replay, const struct line *line)
{
	const struct scn_script *script = line->script;
	const struct scn_op *op = scn_op_at(script, line->n);
	bool silent = line->verdict == SCN_AGREED || line->excuse != NULL || line->not_run;
	enum out_style style = line->verdict == SCN_DIFFERED ? OUT_RED
			       : line->excuse == NULL        ? OUT_YELLOW
							     : OUT_DIM;

	if (replay->print && line->verdict == SCN_AGREED) {
		printf("%s:%u: %s -> %s\n", scn_path(script), op->line, scn_text(script, line->n),
		       line->got);
		return;
	}
	if (silent && !replay->print) {
		return;
	}
	printf("%s%s:%u:%s %s\n", out_style(stdout, OUT_BOLD), scn_path(script), op->line,
	       out_reset(stdout), scn_text(script, line->n));
	if (scn_expected(script, line->n)[0] != '\0') {
		printf("  stated   %s\n", scn_expected(script, line->n));
	}
	printf("  got      %s\n  %s%s%s %s\n", line->got, out_style(stdout, style),
	       line->verdict == SCN_DIFFERED ? "differs " : "unsupported:", out_reset(stdout),
	       line->verdict == SCN_DIFFERED ? line->why
	       : line->excuse != NULL        ? line->excuse
					     : "no list excuses it");
}

static void add_json(struct replay *replay, const struct line *line)
{
	const struct scn_script *script = line->script;
	const char *expected = scn_expected(script, line->n);

	json_array_append_new(replay->json,
			      json_pack("{s:o, s:i, s:s, s:s*, s:s, s:s, s:s*}", "file",
					out_text_json(scn_path(script)), "line",
					(int)scn_op_at(script, line->n)->line, "command",
					scn_text(script, line->n), "stated",
					expected[0] != '\0' ? expected : NULL, "got", line->got,
					"verdict", verdict_name(line), "why",
					line->excuse != NULL   ? line->excuse
					: line->why[0] != '\0' ? line->why
							       : NULL));
}

static void count(struct replay *replay, const struct line *line)
{
	replay->agreed += line->verdict == SCN_AGREED;
	replay->differed += line->verdict == SCN_DIFFERED;
	replay->unsupported += line->verdict == SCN_NO_SUPPORT;
	replay->excused += line->excuse != NULL;
	replay->not_run += line->not_run;
}

static char *text_of(const struct scn_script *script, size_t n, const struct scn_result *result)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL) {
		return NULL;
	}
	scn_print(out, script, n, result);
	return fclose(out) == 0 ? text : NULL;
}

/* The line's own op, and those that make it again. */
static void judge(struct line *line, const struct scn_result *results)
{
	line->verdict = scn_judge(line->script, line->n, &results[line->n], line->why,
				  sizeof(line->why));
	for (size_t n = line->n + 1; n < scn_count(line->script) &&
				     scn_is_repeat(line->script, n) && line->verdict == SCN_AGREED;
	     n++) {
		line->verdict = scn_judge(line->script, n, &results[n], line->why,
					  sizeof(line->why));
	}
}

/* What cannot be run because an earlier line of the machine is unsupported is unsupported too. */
static void follow(struct replay *replay, struct line *line, const struct scn_result *results,
		   enum scn_command *missing)
{
	const struct scn_op *op = scn_op_at(line->script, line->n);

	if (op->command == SCN_VM) {
		*missing = SCN_COMMANDS;
	}
	if (*missing != SCN_COMMANDS && results[line->n].kind == SCN_NOT_RUN) {
		line->verdict = SCN_NO_SUPPORT;
	}
	if (line->verdict != SCN_NO_SUPPORT) {
		return;
	}
	if (results[line->n].kind == SCN_UNSUPPORTED) {
		*missing = op->command;
	}
	line->excuse = scn_excuse(replay->excuses, replay->host->name, replay->profile, *missing);
}

static bool report(struct replay *replay, const struct scn_script *script,
		   const struct scn_result *results)
{
	enum scn_command missing = SCN_COMMANDS; /* none */

	if (replay->transcript != NULL) {
		scn_transcript_file(replay->transcript, script);
	}
	for (size_t n = 0; n < scn_count(script); n++) {
		struct line line = {.script = script, .n = n};

		if (scn_is_repeat(script, n)) {
			continue;
		}
		line.got = text_of(script, n, &results[n]);
		if (line.got == NULL) {
			return false;
		}
		judge(&line, results);
		follow(replay, &line, results, &missing);
		line.not_run = results[n].kind == SCN_NOT_RUN && results[n].reason == NULL &&
			       line.verdict == SCN_DIFFERED;
		if (line.verdict == SCN_AGREED && replay->other != NULL &&
		    !scn_transcript_agrees(replay->other, script, n, line.got, line.why,
					   sizeof(line.why))) {
			line.verdict = SCN_DIFFERED;
		}
		count(replay, &line);
		if (replay->transcript != NULL) {
			scn_transcript_line(replay->transcript, script, n, line.got);
		}
		if (replay->json != NULL) {
			add_json(replay, &line);
		} else {
			print_line(replay, &line);
		}
		free(line.got);
	}
	return true;
}

bool replay_run(struct replay *replay, const struct scn_script *script)
{
	struct scn_result *results = calloc(scn_count(script) + 1, sizeof(*results));
	char why[256] = "out of memory";
	bool good = results != NULL &&
		    replay->host->run(replay->host, script, results, why, sizeof(why)) &&
		    report(replay, script, results);

	free(results);
	if (!good) {
		out_error("%s: host %s: %s", scn_path(script), replay->host->name, why);
	}
	return good;
}

int replay_end(struct replay *replay)
{
	int status = replay->differed == 0 && replay->unsupported == replay->excused ? CLI_OK
										     : CLI_FINDING;

	if (replay->json != NULL) {
		json_t *all = json_pack("{s:s, s:s, s:O, s:I, s:I, s:I, s:I}", "host",
					replay->host->name, "profile",
					abi_profile_name(replay->profile), "lines", replay->json,
					"left-out", (json_int_t)replay->left_out, "agreed",
					(json_int_t)replay->agreed, "differed",
					(json_int_t)replay->differed, "unsupported",
					(json_int_t)replay->unsupported);

		return out_json(all, status);
	}
	if (replay->left_out != 0) {
		printf("%zu lines are not for %s and were left out\n", replay->left_out,
		       abi_profile_name(replay->profile));
	}
	if (replay->not_run != 0) {
		printf("%zu lines were not run, because an earlier one failed\n", replay->not_run);
	}
	printf("%zu agreed, %zu differed, %zu unsupported\n", replay->agreed, replay->differed,
	       replay->unsupported);
	return out_finish(status);
}
