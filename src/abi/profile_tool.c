/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hvcgate-profile NAME REVISION RECORD.json...: the profile that the records make, on standard output.
 *
 * For those who add a kernel to hvcgate; scripts/profiles drives it. Not installed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "make.h"
#include "sha256.h"

#define MAX_RECORDS 16

static json_t *digest_of(const char *path)
{
	FILE *file = fopen(path, "rb");
	char *bytes = calloc(1, 4u << 20), text[65];
	uint8_t digest[32];
	size_t length;

	if (file == NULL || bytes == NULL) {
		free(bytes);
		return NULL;
	}
	length = fread(bytes, 1, 4u << 20, file);
	fclose(file);
	sha256(bytes, length, digest);
	free(bytes);
	for (size_t i = 0; i < sizeof(digest); i++) {
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
	}
	return json_string(text);
}

/* The record, and where it is from; NULL if it is none. */
static json_t *take(const char *path, json_t *made_from)
{
	const char *slash = strrchr(path, '/');
	char why[500];
	json_t *record = abi_record_load(path, why, sizeof(why)), *from;

	if (record == NULL) {
		fprintf(stderr, "hvcgate-profile: %s\n", why);
		return NULL;
	}
	from = json_object();
	json_object_set(from, "kernel", json_object_get(json_object_get(record, "host"), "kernel"));
	json_object_set_new(from, "record", json_string(slash != NULL ? slash + 1 : path));
	json_object_set_new(from, "sha256", digest_of(path));
	json_array_append_new(made_from, from);
	return record;
}

/* linux-X.Y */
static bool is_name(const char *name)
{
	static const char digits[] = "0123456789";
	size_t major, minor;

	if (strncmp(name, "linux-", 6) != 0) {
		return false;
	}
	major = strspn(name + 6, digits);
	if (major == 0 || name[6 + major] != '.') {
		return false;
	}
	minor = strspn(name + 7 + major, digits);
	return minor != 0 && name[7 + major + minor] == '\0';
}

/* 1 to 999; 0 if it is no such number. */
static int revision_of(const char *text)
{
	char *end;
	long value = strtol(text, &end, 10);

	return end != text && *end == '\0' && value >= 1 && value <= 999 ? (int)value : 0;
}

static bool write_profile(struct make *make)
{
	char why[200] = "";
	json_t *profile;
	bool written;

	make->why = why;
	make->size = sizeof(why);
	profile = abi_profile_make(make);
	if (profile == NULL) {
		fprintf(stderr, "hvcgate-profile: %s: %s\n", make->name, why);
		return false;
	}
	written = abi_json_write(stdout, profile);
	json_decref(profile);
	return written;
}

int main(int argc, char **argv)
{
	json_t *records[MAX_RECORDS], *made_from = json_array();
	struct make make = {.records = records, .made_from = made_from};
	bool sound = true;

	if (argc < 4 || argc > 3 + MAX_RECORDS || !is_name(argv[1]) || revision_of(argv[2]) == 0) {
		fprintf(stderr,
			"usage: hvcgate-profile linux-X.Y REVISION RECORD.json...\n"
			"Example: hvcgate-profile linux-6.12 1 profiles/records/linux-6.12.json\n");
		return 2;
	}
	make.name = argv[1];
	make.revision = revision_of(argv[2]);
	for (int i = 3; i < argc && sound; i++) {
		records[make.count] = take(argv[i], made_from);
		sound = records[make.count] != NULL;
		make.count += sound;
	}
	sound = sound && write_profile(&make);
	for (size_t i = 0; i < make.count; i++) {
		json_decref(records[i]);
	}
	json_decref(made_from);
	return sound ? 0 : 1;
}
