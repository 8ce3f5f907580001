/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's files: those of scripts/fetch-guest in the cache, or the caller's own. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run.h"

static const struct {
	const char *name, *directory, *series;
} guests[] = {
	{"debian", "debian-12", "bookworm"},
	{"debian-11", "debian-11", "bullseye"},
	{"debian-12", "debian-12", "bookworm"},
	{"debian-13", "debian-13", "trixie"},
};

/* ${HVCGATE_CACHE:-${XDG_CACHE_HOME:-~/.cache}/hvcgate}, or NULL. */
static char *cache_directory(void)
{
	const char *own = getenv("HVCGATE_CACHE"), *xdg = getenv("XDG_CACHE_HOME"),
		   *home = getenv("HOME");

	if (own != NULL && *own != '\0') {
		return run_format("%s", own);
	}
	if (xdg != NULL && *xdg != '\0') {
		return run_format("%s/hvcgate", xdg);
	}
	if (home != NULL && *home != '\0') {
		return run_format("%s/.cache/hvcgate", home);
	}
	return NULL;
}

/* The package in "kernel: PACKAGE VERSION" of the release file; NULL if it cannot be read. */
static char *release_kernel(const char *directory)
{
	char *path = run_format("%s/release", directory), *kernel = NULL;
	char line[256];
	FILE *file = fopen(path, "re");

	while (file != NULL && kernel == NULL && fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, "kernel: ", 8) == 0) {
			line[strcspn(line, "\n")] = '\0';
			kernel = run_format("%.*s", (int)strcspn(line + 8, " "), line + 8);
		}
	}
	if (file != NULL) {
		fclose(file);
	}
	free(path);
	return kernel;
}

static bool find_debian(const char *directory, const char *series, struct run_guest *guest)
{
	char *cache = cache_directory(), *at, *release;

	if (cache == NULL) {
		return run_fail(
			"no place to look for guests: neither HVCGATE_CACHE, XDG_CACHE_HOME nor HOME is set");
	}
	at = run_format("%s/guest/%s", cache, directory);
	free(cache);
	guest->kernel = run_format("%s/Image", at);
	guest->initrd = run_format("%s/initrd.cpio", at);
	if (access(guest->kernel, R_OK) != 0 || access(guest->initrd, R_OK) != 0) {
		run_fail("guest %s is not in %s: run 'scripts/fetch-guest %s' first", directory, at,
			 series);
		free(at);
		return false;
	}
	release = release_kernel(at);
	guest->name = run_format("%s (%s)", directory,
				 release == NULL ? "unknown release" : release);
	guest->debian = true;
	free(release);
	free(at);
	return true;
}

bool run_guest_find(const struct run_options *options, struct run_guest *guest)
{
	*guest = (struct run_guest){0};
	if (options->kernel != NULL) {
		guest->kernel = run_format("%s", options->kernel);
		guest->name = run_format("%s", options->kernel);
		return true;
	}
	for (size_t i = 0; i < sizeof(guests) / sizeof(guests[0]); i++) {
		if (strcmp(options->guest, guests[i].name) == 0) {
			return find_debian(guests[i].directory, guests[i].series, guest);
		}
	}
	return run_fail(
		"no guest '%s'; there are: debian (= debian-12), debian-11, debian-12, debian-13; your own "
		"kernel is given with --kernel",
		options->guest);
}

/* Archives are concatenated; each begins at a multiple of 4 bytes (the kernel skips zeros between). */
bool run_initrd_load(const char *first, const char *second, uint64_t mem, struct run_blob *blob)
{
	const char *const paths[] = {first, second};
	uint8_t *all = NULL;
	size_t have = 0;
	bool good = true;

	*blob = RUN_NO_BLOB;
	for (size_t i = 0; good && i < 2; i++) {
		uint8_t *data = NULL;
		size_t bytes = 0, start = (have + 3) & ~(size_t)3;

		if (paths[i] == NULL) {
			continue;
		}
		good = run_file_read("initrd", paths[i], mem, &data, &bytes);
		if (good) {
			all = run_realloc(all, start + bytes);
			memset(all + have, 0, start - have);
			memcpy(all + start, data, bytes);
			have = start + bytes;
		}
		free(data);
	}
	if (good && have > 0) {
		good = run_blob_make("initrd", all, have, blob);
	}
	free(all);
	return good;
}
