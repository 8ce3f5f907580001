/* SPDX-License-Identifier: BSD-2-Clause */
/* A file for what came out of a long run: NAME.json in $HVCGATE_RESULTS_DIR, as the tests in Python write them. */
#ifndef HVC_TEST_RESULTS_H
#define HVC_TEST_RESULTS_H

#include <stdio.h>
#include <stdlib.h>

/* Begun with the commit; the caller writes further members, each after a comma, and the closing brace. NULL: nobody
 * wants one. */
static inline FILE *results_open(const char *name)
{
	const char *directory = getenv("HVCGATE_RESULTS_DIR"), *commit = getenv("HVCGATE_COMMIT");
	char path[4096];
	FILE *file;

	if (name == NULL || directory == NULL || directory[0] == '\0' ||
	    snprintf(path, sizeof(path), "%s/%s.json", directory, name) >= (int)sizeof(path)) {
		return NULL;
	}
	file = fopen(path, "w");
	if (file == NULL) {
		perror(path);
		exit(1);
	}
	fprintf(file, "{\n \"commit\": \"%s\"", commit != NULL ? commit : "unknown");
	return file;
}

#endif
