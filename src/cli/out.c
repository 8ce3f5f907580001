/* SPDX-License-Identifier: BSD-2-Clause */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "out.h"

static bool coloured(FILE *stream)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	return (no_color == NULL || no_color[0] == '\0') &&
	       (term == NULL || strcmp(term, "dumb") != 0) && isatty(fileno(stream)) == 1;
}

const char *out_style(FILE *stream, enum out_style style)
{
	static const char *const codes[] = {
		[OUT_PLAIN] = "",          [OUT_BOLD] = "\033[1m",   [OUT_RED] = "\033[1;31m",
		[OUT_YELLOW] = "\033[33m", [OUT_GREEN] = "\033[32m", [OUT_BLUE] = "\033[34m",
		[OUT_DIM] = "\033[2m",
	};

	return coloured(stream) ? codes[style] : "";
}

const char *out_reset(FILE *stream)
{
	return coloured(stream) ? "\033[0m" : "";
}

void out_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "%shvcgate:%s ", out_style(stderr, OUT_RED), out_reset(stderr));
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
}

static const struct {
	const char *name;
	enum out_style style;
} severities[] = {{"error", OUT_RED}, {"warning", OUT_YELLOW}, {"note", OUT_BLUE}};

void out_diags(const struct hvc_diags *diags, bool notes)
{
	const struct hvc_diag *diag;

	fflush(stdout);
	for (size_t i = 0; (diag = hvc_diags_at(diags, i)) != NULL; i++) {
		if (diag->severity == HVC_NOTE && !notes) {
			continue;
		}
		fprintf(stderr, "%s%s:", out_style(stderr, OUT_BOLD), diag->file);
		if (diag->line != 0) {
			fprintf(stderr, "%u:%u:", diag->line, diag->column);
		}
		fprintf(stderr, "%s %s%s:%s %s\n", out_reset(stderr),
			out_style(stderr, severities[diag->severity].style),
			severities[diag->severity].name, out_reset(stderr), diag->message);
	}
}

json_t *out_text_json(const char *text)
{
	json_t *json = json_string(text);
	size_t length = strlen(text);
	char *plain = json == NULL ? malloc(length + 1) : NULL;

	for (size_t i = 0; plain != NULL && i <= length; i++) {
		plain[i] = (char)((unsigned char)text[i] < 0x80 ? text[i] : '?');
	}
	if (plain != NULL) {
		json = json_string(plain);
		free(plain);
	}
	return json;
}

json_t *out_diags_json(const struct hvc_diags *diags)
{
	json_t *list = json_array();
	const struct hvc_diag *diag;

	for (size_t i = 0; (diag = hvc_diags_at(diags, i)) != NULL; i++) {
		json_array_append_new(list, json_pack("{s:s, s:o, s:i, s:i, s:o}", "severity",
						      severities[diag->severity].name, "file",
						      out_text_json(diag->file), "line",
						      (int)diag->line, "column", (int)diag->column,
						      "message", out_text_json(diag->message)));
	}
	return list;
}

int out_finish(int status)
{
	if (fflush(stdout) != 0 || ferror(stdout)) {
		out_error("cannot write: %s", strerror(errno));
		return CLI_USAGE;
	}
	return status;
}

int out_json(json_t *json, int status)
{
	if (json == NULL) {
		out_error("out of memory");
		return CLI_USAGE;
	}
	json_dumpf(json, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	putchar('\n');
	json_decref(json);
	return out_finish(status);
}

void out_hex(const uint8_t *bytes, size_t count, char *text)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < count; i++) {
		*text++ = digits[bytes[i] >> 4];
		*text++ = digits[bytes[i] & 15];
	}
	*text = '\0';
}

struct hvc_policy *out_load_policy(const char *path, bool warnings, int *status)
{
	struct hvc_diags *diags = hvc_diags_new();
	struct hvc_policy *policy = NULL;
	enum hvc_err err = diags != NULL ? hvc_policy_load(path, &policy, diags) : HVC_ENOMEM;

	if (err == HVC_ENOMEM) {
		out_error("out of memory");
	} else if (err != HVC_OK || warnings) {
		out_diags(diags, false);
	}
	hvc_diags_free(diags);
	*status = err == HVC_OK ? CLI_OK : err == HVC_EINVAL ? CLI_FINDING : CLI_USAGE;
	return policy;
}

bool out_format_parse(const char *text, enum out_format *format)
{
	*format = strcmp(text, "json") == 0 ? OUT_JSON : OUT_TEXT;
	return *format == OUT_JSON || strcmp(text, "text") == 0;
}
