/* SPDX-License-Identifier: BSD-2-Clause */
/* Where sockets are, and what a VM is called. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"

static bool print(char *path, size_t size, const char *format, const char *base)
{
	const int n = snprintf(path, size, format, base);

	return n > 0 && (size_t)n < size;
}

bool ctl_directory(unsigned int n, char *path, size_t size)
{
	const char *only = getenv("HVCGATE_RUNTIME_DIR"), *user = getenv("XDG_RUNTIME_DIR");

	if (only != NULL && only[0] == '/') {
		return n == 0 && print(path, size, "%s", only);
	}
	if (user == NULL || user[0] != '/') {
		n++;
	}
	if (n == 0) {
		return print(path, size, "%s/hvcgate", user);
	}
	return n == 1 && print(path, size, "%s", "/run/hvcgate");
}

/* QEMU's option values: parts between commas, two commas are one. Takes the next part off *text. */
static bool next_part(const char **text, char *part, size_t size)
{
	const char *at = *text;
	size_t n = 0;

	if (*at == '\0') {
		return false;
	}
	for (; *at != '\0'; at++) {
		if (*at == ',' && *++at != ',') {
			break;
		}
		if (n + 1 < size) {
			part[n++] = *at;
		}
		if (*at == '\0') {
			break;
		}
	}
	part[n] = '\0';
	*text = at;
	return true;
}

/* "NAME", "guest=NAME,debug-threads=on". */
static void guest_name(const char *value, char *name)
{
	char part[CTL_NAME_MAX];
	bool first = true;

	while (next_part(&value, part, sizeof(part))) {
		const char *equals = strchr(part, '=');

		if (strncmp(part, "guest=", 6) == 0) {
			snprintf(name, CTL_NAME_MAX, "%s", part + 6);
		} else if (first && equals == NULL) {
			snprintf(name, CTL_NAME_MAX, "%s", part);
		}
		first = false;
	}
}

static const char *option(const char *word)
{
	if (word[0] != '-') {
		return "";
	}
	return word[1] == '-' ? word + 2 : word + 1;
}

void ctl_name(char *const *argv, int32_t pid, char name[CTL_NAME_MAX])
{
	const char *uuid = NULL;

	name[0] = '\0';
	for (; argv != NULL && argv[0] != NULL && argv[1] != NULL; argv++) {
		if (strcmp(option(argv[0]), "name") == 0) {
			guest_name(argv[1], name);
		} else if (strcmp(option(argv[0]), "uuid") == 0) {
			uuid = argv[1];
		}
	}
	if (name[0] == '\0' && uuid != NULL) {
		snprintf(name, CTL_NAME_MAX, "%s", uuid);
	}
	if (name[0] == '\0') {
		snprintf(name, CTL_NAME_MAX, "%d", (int)pid);
	}
}
