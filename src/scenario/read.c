/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../policy/diags.h"
#include "transcript.h"

static char *read_stream(FILE *in, size_t most, size_t *bytes)
{
	size_t capacity = 4096, got;
	char *text = malloc(capacity), *grown;

	*bytes = 0;
	errno = ENOMEM;
	while (text != NULL) {
		errno = 0;
		got = fread(text + *bytes, 1, capacity - *bytes - 1, in);
		*bytes += got;
		if (got == 0 || *bytes > most) {
			break;
		}
		capacity *= *bytes + 1 == capacity ? 2 : 1;
		grown = realloc(text, capacity);
		if (grown == NULL) {
			free(text);
			errno = ENOMEM;
		}
		text = grown;
	}
	if (text != NULL && ferror(in)) {
		free(text);
		return NULL;
	}
	if (text != NULL) {
		text[*bytes] = '\0';
	}
	return text;
}

char *scn_read(const char *path, size_t most, size_t *bytes, struct hvc_diags *diags)
{
	struct pol_mark mark = {.file = path};
	bool standard = strcmp(path, "-") == 0;
	FILE *in = standard ? stdin : fopen(path, "re");
	char *text = NULL;

	if (in != NULL) {
		text = read_stream(in, most, bytes);
	}
	if (text == NULL) {
		diags_error(diags, &mark, "cannot be read: %s", strerror(errno));
	} else if (*bytes > most) {
		diags_error(diags, &mark, "larger than %zu KiB: make it several files", most >> 10);
		free(text);
		text = NULL;
	}
	if (in != NULL && !standard) {
		fclose(in);
	}
	return text;
}

bool scn_is_plain(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if ((text[i] < 0x20 || text[i] > 0x7e) && text[i] != '\t') {
			return false;
		}
	}
	return true;
}
