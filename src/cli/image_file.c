/* SPDX-License-Identifier: BSD-2-Clause */
#define _DEFAULT_SOURCE
#include "image_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "out.h"

/* A pipe cannot be looked at and read again: what stands in one is a policy. */
bool is_image_file(const char *path)
{
	struct stat status;
	uint8_t magic[4] = {0};
	FILE *file;

	if (stat(path, &status) != 0 || !S_ISREG(status.st_mode)) {
		return false;
	}
	file = fopen(path, "rb");
	if (file == NULL) {
		return false;
	}
	if (fread(magic, sizeof(magic), 1, file) != 1) {
		magic[0] = 0;
	}
	fclose(file);
	return (magic[0] | (uint32_t)magic[1] << 8 | (uint32_t)magic[2] << 16 |
		(uint32_t)magic[3] << 24) == HVC_IMAGE_MAGIC;
}

void image_file_read(const char *path, struct image_file *file)
{
	const size_t room = HVC_IMAGE_MAX_SIZE + 1;
	FILE *stream = fopen(path, "rb");

	*file = (struct image_file){.err = HVC_EIO};
	if (stream == NULL) {
		return;
	}
	file->image = malloc(room);
	file->err = file->image == NULL ? HVC_ENOMEM : HVC_OK;
	if (file->image != NULL) {
		file->bytes = fread(file->image, 1, room, stream);
		file->err = ferror(stream)        ? HVC_EIO
			    : file->bytes == room ? HVC_E2BIG
						  : hvc_image_check(file->image, file->bytes);
	}
	fclose(stream);
}

void image_file_free(struct image_file *file)
{
	free(file->image);
}

static const char *wrong(enum hvc_err err)
{
	switch (err) {
	case HVC_EIO:
		return "cannot be read";
	case HVC_ENOMEM:
		return "out of memory";
	case HVC_ENOTSUP:
		return "an image of another version of hvcgate; compile the policy again";
	default:
		return "a damaged image; compile the policy again";
	}
}

void image_file_print(const char *path, const struct image_file *file)
{
	char digest[65];

	if (file->err != HVC_OK) {
		out_error("%s: %s", path, wrong(file->err));
		return;
	}
	out_hex(file->image->settings.policy_sha256, 32, digest);
	printf("%s: an image of %u bytes, %u nodes; SMCCC %u.%u, PSCI %u.%u; policy sha256 %s\n",
	       path, file->image->bytes, file->image->node_count,
	       file->image->settings.smccc_version >> 16,
	       file->image->settings.smccc_version & 0xffff,
	       (unsigned int)(file->image->settings.regs[HVC_REG_PSCI_VERSION] >> 16),
	       (unsigned int)(file->image->settings.regs[HVC_REG_PSCI_VERSION] & 0xffff), digest);
}

json_t *image_file_json(const char *path, const struct image_file *file)
{
	json_t *json = json_pack("{s:o, s:b, s:b}", "file", out_text_json(path), "readable",
				 file->err != HVC_EIO && file->err != HVC_ENOMEM, "image", 1);
	char digest[65];

	if (file->err != HVC_OK) {
		json_object_set_new(json, "error", json_string(wrong(file->err)));
		return json;
	}
	out_hex(file->image->settings.policy_sha256, 32, digest);
	json_object_set_new(json, "image_bytes", json_integer(file->image->bytes));
	json_object_set_new(json, "sha256", json_string(digest));
	return json;
}
