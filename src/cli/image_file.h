/* SPDX-License-Identifier: BSD-2-Clause */
/* A compiled policy in a file: what `hvcgate policy check` says of one. */
#ifndef HVCGATE_CLI_IMAGE_FILE_H
#define HVCGATE_CLI_IMAGE_FILE_H

#include <jansson.h>

#include <hvcgate/image.h>

struct image_file {
	struct hvc_image *image; /* NULL: there was no memory, or nothing to read */
	size_t bytes;
	enum hvc_err err; /* hvc_image_check()'s; HVC_E2BIG: longer than any; HVC_EIO; HVC_ENOMEM */
};

/* Is it a regular file that begins as an image does? */
bool is_image_file(const char *path);
void image_file_read(const char *path, struct image_file *file);
void image_file_free(struct image_file *file);
/* What it is on standard output, or what is wrong with it on standard error. */
void image_file_print(const char *path, const struct image_file *file);
json_t *image_file_json(const char *path, const struct image_file *file);

#endif
