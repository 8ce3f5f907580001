/* SPDX-License-Identifier: BSD-2-Clause */
/* Golden answers: recorded, and held against the engine. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "golden.h"

/* Profiles that are not released yet: their answers may change. All others never do. */
static const char *const open_profiles[] = {"hvcgate-2@1", NULL};

enum { SHOWN = 10 };

static const char usage[] =
	"usage: golden --check DIR [PROFILE]   hold the engine against DIR/PROFILE.txt (all there are)\n"
	"       golden --print PROFILE         what the engine answers now\n"
	"       golden --update PROFILE DIR    record it: a profile that is open, or has no table yet\n"
	"Example: build/tests/golden/golden --check tests/golden hvcgate-1@1\n";

static bool is_open(const char *name)
{
	for (size_t i = 0; open_profiles[i] != NULL; i++) {
		if (strcmp(open_profiles[i], name) == 0) {
			return true;
		}
	}
	return false;
}

static void table_path(char *path, size_t size, const char *directory, const char *name)
{
	if ((size_t)snprintf(path, size, "%s/%s.txt", directory, name) >= size) {
		fprintf(stderr, "golden: the path of %s is too long\n", name);
		exit(2);
	}
}

/* NULL: there is no such file. */
static char *read_table(const char *path)
{
	FILE *file = fopen(path, "rb");
	struct text text = {0};
	char piece[4096];
	size_t got;

	if (file == NULL) {
		return NULL;
	}
	text_put(&text, "%s", "");
	while ((got = fread(piece, 1, sizeof(piece), file)) != 0) {
		text_put(&text, "%.*s", (int)got, piece);
	}
	fclose(file);
	return text.bytes;
}

/* --- Comparing. */
struct line {
	const char *text;
	const char *section; /* the line that begins it */
	size_t key;          /* bytes of `text` that say what the line is about */
};

static size_t key_length(const char *text)
{
	return text[0] == '#' ? strlen(text) : strcspn(text, text[0] == '[' ? "]" : " ");
}

/* Cuts `text` into lines. */
static struct line *split(char *text, size_t *count)
{
	const char *section = "";
	struct line *lines = NULL;

	*count = 0;
	while (*text != '\0') {
		char *end = text + strcspn(text, "\n");
		const bool last = *end == '\0';

		*end = '\0';
		if (text[0] == '[') {
			section = text;
		}
		if (text[0] != '\0') {
			lines = must(realloc(lines, (*count + 1) * sizeof(*lines)));
			lines[(*count)++] = (struct line){text, section, key_length(text)};
		}
		text = last ? end : end + 1;
	}
	return lines;
}

static bool same_section(const struct line *a, const struct line *b)
{
	const size_t length = key_length(a->section);

	return length == key_length(b->section) && strncmp(a->section, b->section, length) == 0;
}

static bool same_key(const struct line *a, const struct line *b)
{
	return a->key == b->key && strncmp(a->text, b->text, a->key) == 0 && same_section(a, b);
}

static bool is_among(const struct line *line, const struct line *lines, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (same_key(line, &lines[i])) {
			return true;
		}
	}
	return false;
}

static void show(const char *profile, const struct line *recorded, const struct line *now)
{
	const char *section = recorded != NULL ? recorded->section
			      : now != NULL    ? now->section
					       : "";

	fprintf(stderr, "%s %s\n  recorded: %s\n  now:      %s\n", profile, section,
		recorded != NULL ? recorded->text : "(nothing)",
		now != NULL ? now->text : "(nothing)");
}

/* Says the first differences; returns how many there are. */
static size_t compare(const char *profile, char *recorded, char *now)
{
	size_t old_count, new_count, i = 0, j = 0, differences = 0;
	struct line *old = split(recorded, &old_count), *new = split(now, &new_count);

	while (i < old_count || j < new_count) {
		const struct line *was = i < old_count ? &old[i] : NULL;
		const struct line *is = j < new_count ? &new[j] : NULL;

		if (was != NULL && is != NULL && !same_key(was, is)) {
			/* A line too many on one side: the other's comes later. */
			if (is_among(was, is, new_count - j)) {
				was = NULL;
			} else {
				is = NULL;
			}
		}
		i += was != NULL;
		j += is != NULL;
		if (was == NULL || is == NULL || strcmp(was->text, is->text) != 0) {
			if (differences++ < SHOWN) {
				show(profile, was, is);
			}
		}
	}
	free(old);
	free(new);
	return differences;
}

static const char *program;

static void say_what_to_do(const char *name, const char *directory, size_t differences)
{
	if (differences > SHOWN) {
		fprintf(stderr, "%s: and %zu more\n", name, differences - SHOWN);
	}
	fprintf(stderr, "all of them: %s --print %s | diff %s/%s.txt -\n", program, name, directory,
		name);
	if (is_open(name)) {
		fprintf(stderr, "%s is not released yet. If this is meant: %s --update %s %s\n",
			name, program, name, directory);
	} else {
		fprintf(stderr,
			"%s is closed, guests rely on it: the engine must answer as recorded. What is new goes into "
			"our newest profile; a correction is a new revision of this one\n",
			name);
	}
}

static bool check(const struct abi_profile *profile, const char *directory,
		  const struct probes *probes)
{
	const char *name = abi_profile_name(profile);
	char path[1024], *recorded, *now;
	size_t differences;

	table_path(path, sizeof(path), directory, name);
	recorded = read_table(path);
	if (recorded == NULL) {
		fprintf(stderr, "%s has no table; record it: %s --update %s %s\n", name, program,
			name, directory);
		return false;
	}
	now = golden_text(profile, probes);
	differences = compare(name, recorded, now);
	if (differences != 0) {
		say_what_to_do(name, directory, differences);
	} else {
		printf("%s: as recorded\n", name);
	}
	free(recorded);
	free(now);
	return differences == 0;
}

/* A table whose profile is gone: so are the guests' answers. */
static bool check_names(const char *directory)
{
	DIR *entries = opendir(directory);
	const struct dirent *entry;
	bool fine = true;

	if (entries == NULL) {
		perror(directory);
		return false;
	}
	while ((entry = readdir(entries)) != NULL) {
		const char *end = strrchr(entry->d_name, '.');
		const struct abi_profile *profile;
		char name[64];

		if (end == NULL || strcmp(end, ".txt") != 0) {
			continue;
		}
		snprintf(name, sizeof(name), "%.*s", (int)(end - entry->d_name), entry->d_name);
		profile = abi_profile_find(name);
		if (profile == NULL || strcmp(abi_profile_name(profile), name) != 0) {
			fprintf(stderr, "%s/%s: there is no profile %s any more\n", directory,
				entry->d_name, name);
			fine = false;
		}
	}
	closedir(entries);
	return fine;
}

static int check_all(const char *directory, const struct probes *probes)
{
	bool fine = check_names(directory);

	for (size_t n = 0; abi_profile_at(n) != NULL; n++) {
		fine &= check(abi_profile_at(n), directory, probes);
	}
	return fine ? 0 : 1;
}

static int update(const struct abi_profile *profile, const char *directory,
		  const struct probes *probes)
{
	const char *name = abi_profile_name(profile);
	char path[1024], *text;
	FILE *file;
	bool fine;

	table_path(path, sizeof(path), directory, name);
	file = fopen(path, is_open(name) ? "wb" : "wbx");
	if (file == NULL) {
		perror(path);
		if (!is_open(name)) {
			fprintf(stderr,
				"%s is closed: its table is never changed; a correction is a new revision of "
				"the profile\n",
				name);
		}
		return 2;
	}
	text = golden_text(profile, probes);
	fine = fputs(text, file) >= 0;
	fine &= fclose(file) == 0;
	free(text);
	if (!fine) {
		perror(path);
		return 2;
	}
	printf("%s: recorded\n", path);
	return 0;
}

static int print(const struct abi_profile *profile, const struct probes *probes)
{
	char *text = golden_text(profile, probes);
	const bool fine = fputs(text, stdout) >= 0 && fflush(stdout) == 0;

	free(text);
	return fine ? 0 : 2;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	const bool checks = strcmp(verb, "--check") == 0, prints = strcmp(verb, "--print") == 0;
	const bool updates = strcmp(verb, "--update") == 0;
	const char *name = NULL;
	const struct abi_profile *profile;
	struct probes probes;
	int status;

	program = argv[0];
	if (!(checks && (argc == 3 || argc == 4)) && !(prints && argc == 3) &&
	    !(updates && argc == 4)) {
		fputs(usage, stderr);
		return 2;
	}
	name = checks ? argv[3] : argv[2];
	profile = name != NULL ? abi_profile_find(name) : NULL;
	if (name != NULL && profile == NULL) {
		fprintf(stderr, "golden: unknown profile '%s'\n", name);
		return 2;
	}
	probes = probes_make();
	status = updates           ? update(profile, argv[3], &probes)
		 : prints          ? print(profile, &probes)
		 : profile == NULL ? check_all(argv[2], &probes)
				   : !check(profile, argv[2], &probes);
	free(probes.ids);
	return status;
}
