/* SPDX-License-Identifier: BSD-2-Clause */
/* A monitor's ELF file: of the build tree we run from, else the installed one. */
#define _GNU_SOURCE
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run.h"

#ifndef HVCGATE_DATADIR
#define HVCGATE_DATADIR "/usr/local/share/hvcgate"
#endif

/* Beside our own binary: build/src/cli, an arm64 machine's, an installed prefix. */
static const char *const beside[] = {
	"../../aarch64/src/el2",
	"../el2",
	"../share/hvcgate",
};

static char *own_directory(void)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash;

	if (n <= 0) {
		return NULL;
	}
	path[n] = '\0';
	slash = strrchr(path, '/');
	if (slash == NULL) {
		return NULL;
	}
	*slash = '\0';
	return run_format("%s", path);
}

static char *find(const char *name)
{
	char *own = own_directory(), *path;

	for (size_t i = 0; own != NULL && i < sizeof(beside) / sizeof(beside[0]); i++) {
		path = run_format("%s/%s/%s", own, beside[i], name);
		if (access(path, R_OK) == 0) {
			free(own);
			return path;
		}
		free(path);
	}
	free(own);
	path = run_format(HVCGATE_DATADIR "/%s", name);
	if (access(path, R_OK) == 0) {
		return path;
	}
	free(path);
	return NULL;
}

static bool is_arm64_elf(const uint8_t *data, size_t bytes)
{
	return bytes >= 64 && memcmp(data, "\177ELF\2\1", 6) == 0 && data[18] == 183 &&
	       data[19] == 0;
}

bool run_monitor_open(const char *name, const char *variable, struct run_blob *blob)
{
	const char *given = getenv(variable);
	char *path = given != NULL && *given != '\0' ? run_format("%s", given) : find(name);
	uint8_t *data = NULL;
	size_t bytes = 0;
	bool good;

	if (path == NULL) {
		return run_fail("the EL2 monitor (%s) is neither in this build tree nor in %s: run "
				"'scripts/build', or install hvcgate",
				name, HVCGATE_DATADIR);
	}
	good = run_file_read("monitor", path, EL2_MONITOR_SIZE, &data, &bytes);
	if (good && !is_arm64_elf(data, bytes)) {
		good = run_fail("monitor %s: is no arm64 ELF file", path);
	}
	good = good && run_blob_make("monitor", data, bytes, blob);
	free(data);
	free(path);
	return good;
}
