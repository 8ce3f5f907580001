/* SPDX-License-Identifier: BSD-2-Clause */
/* What the verbs print with: colour where it is wanted, messages, JSON. */
#ifndef HVCGATE_CLI_OUT_H
#define HVCGATE_CLI_OUT_H

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

#include <hvcgate/policy.h>

enum out_style { OUT_PLAIN, OUT_BOLD, OUT_RED, OUT_YELLOW, OUT_GREEN, OUT_BLUE, OUT_DIM };

/* Escape sequence that starts a style on a stream; "" unless it is a terminal and NO_COLOR is unset. */
const char *out_style(FILE *stream, enum out_style style);
/* Back to plain. */
const char *out_reset(FILE *stream);

/* "hvcgate: ..." on standard error. */
void out_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "file:line:column: error: ..." a line, on standard error; notes only if asked for. */
void out_diags(const struct hvc_diags *diags, bool notes);
/* A string for JSON: what is no UTF-8, as a path may be, has ? for each byte that is no ASCII. */
json_t *out_text_json(const char *text);
json_t *out_diags_json(const struct hvc_diags *diags);

/* Print and free; a failure to write or no memory is CLI_USAGE, else `status`. */
int out_json(json_t *json, int status);

/* Flush standard output: a full disk or a closed pipe is an error too. Returns `status` or CLI_USAGE. */
int out_finish(int status);

/* 64 hex digits. */
void out_hex(const uint8_t *bytes, size_t count, char *text);

/* Load a policy (NULL: the built-in one) and say what is wrong with it on standard error; NULL if it has
 * errors, and then *status is CLI_FINDING or CLI_USAGE (unreadable). Warnings are shown if asked for. */
struct hvc_policy *out_load_policy(const char *path, bool warnings, int *status);

enum out_format { OUT_TEXT, OUT_JSON };
/* The argument of --format; false if it is none. */
bool out_format_parse(const char *text, enum out_format *format);

#endif
