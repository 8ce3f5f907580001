/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Transcripts: what a host answered, line by line, as text, to hold another host's answers against.
 *
 *   # hvcgate replay 1 engine linux-6.12@1
 *   file first.hvc
 *   3 <tab> count <tab> 8
 */
#ifndef HVCGATE_SCENARIO_TRANSCRIPT_H
#define HVCGATE_SCENARIO_TRANSCRIPT_H

#include "script.h"

struct scn_transcript;

void scn_transcript_head(FILE *out, const char *host, const struct abi_profile *profile);
void scn_transcript_file(FILE *out, const struct scn_script *script);
void scn_transcript_line(FILE *out, const struct scn_script *script, size_t n, const char *got);

/* NULL: said in diags. */
struct scn_transcript *scn_transcript_load(const char *path, struct hvc_diags *diags);
void scn_transcript_free(struct scn_transcript *transcript);
/* "engine linux-6.12@1" */
const char *scn_transcript_host(const struct scn_transcript *transcript);
/* Is the script's file, by its name without directories, in it? Else there is nothing to compare with. */
bool scn_transcript_has(const struct scn_transcript *transcript, const struct scn_script *script);
/*
 * Is `got` what the transcript has for this line, apart from values that the line states as free? True also where the
 * transcript's host left the line out or does not support it. `why` says what is there instead. Scripts are asked for
 * one after the other, in the order in which the transcript was written.
 */
bool scn_transcript_agrees(struct scn_transcript *transcript, const struct scn_script *script,
			   size_t n, const char *got, char *why, size_t size);

/* --- What a host need not support: a list of HOST PROFILES COMMAND REASON... lines. */
struct scn_excuses;
struct scn_excuses *scn_excuses_load(const char *path, struct hvc_diags *diags);
void scn_excuses_free(struct scn_excuses *excuses);
/* The reason, or NULL: it is not excused. */
const char *scn_excuse(const struct scn_excuses *excuses, const char *host,
		       const struct abi_profile *profile, enum scn_command command);

/* A whole file, or "-" standard input, NUL-terminated; free() it. NULL: said in diags. */
char *scn_read(const char *path, size_t most, size_t *bytes, struct hvc_diags *diags);

/* Nothing that a terminal would obey: printable ASCII and tabs. */
bool scn_is_plain(const char *text, size_t length);

#endif
