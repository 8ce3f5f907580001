/* SPDX-License-Identifier: BSD-2-Clause */
/* Diagnostics as the loader writes them; reading them is <hvcgate/policy.h>. */
#ifndef HVCGATE_POLICY_DIAGS_H
#define HVCGATE_POLICY_DIAGS_H

#include <hvcgate/policy.h>

/* So many of a severity are kept; a file that is nothing but errors need not fill the screen. */
#define DIAGS_MAX 100u
/* Bytes of a message; the names it quotes may be as long as the file. */
#define DIAGS_MAX_TEXT ((size_t)2000)

/* A place in a file. `order` counts the files of one load, so that messages come out sorted. */
struct pol_mark {
	const char *file;
	unsigned int order;
	unsigned int line, column;
};

void diags_add(struct hvc_diags *diags, enum hvc_severity severity, const struct pol_mark *mark,
	       const char *format, ...) __attribute__((format(printf, 4, 5)));

#define diags_error(diags, mark, ...)   diags_add(diags, HVC_ERROR, mark, __VA_ARGS__)
#define diags_note(diags, mark, ...)    diags_add(diags, HVC_NOTE, mark, __VA_ARGS__)
#define diags_warning(diags, mark, ...) diags_add(diags, HVC_WARNING, mark, __VA_ARGS__)

/* No further error would be kept: stop looking for them. */
bool diags_full(const struct hvc_diags *diags);
/* A message was lost for want of memory. */
bool diags_oom(const struct hvc_diags *diags);
/* Sort what stands from index `from` on by file, line and column, keeping equals in order. */
void diags_sort(struct hvc_diags *diags, size_t from);
/* Messages so far. */
size_t diags_total(const struct hvc_diags *diags);

#endif
