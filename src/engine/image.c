/* SPDX-License-Identifier: BSD-2-Clause */
#include <hvcgate/image.h>

#include "lookup.h"
#include "saved.h"
#include "settings.h"

_Static_assert(sizeof(struct hvc_image) % 8 == 0, "nodes are aligned");

enum { NODE_BYTES = LOOKUP_WIDTH * sizeof(uint16_t) };

static uint16_t *image_entries(const struct hvc_image *image)
{
	return (uint16_t *)(uintptr_t)(image + 1);
}

/* FNV-1a over everything an image relies on: which slot is which function. */
static uint64_t fingerprint_bytes(uint64_t hash, const void *data, size_t n)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < n; i++) {
		hash = (hash ^ bytes[i]) * 0x100000001b3ull;
	}
	return hash;
}

static uint64_t catalog_fingerprint(void)
{
	uint64_t hash = 0xcbf29ce484222325ull;

	for (unsigned int slot = 1; slot < HVC_FN_COUNT; slot++) {
		const struct hvc_function *function = hvc_function_at(slot);

		hash = fingerprint_bytes(hash, &function->id32, sizeof(function->id32));
		hash = fingerprint_bytes(hash, &function->id64, sizeof(function->id64));
	}
	return hash;
}

static uint32_t image_crc(const struct hvc_image *image)
{
	size_t from = offsetof(struct hvc_image, crc32) + sizeof(image->crc32);

	return crc32_of((const uint8_t *)image + from, image->bytes - from);
}

static const struct hvc_tables no_tables = {.size = sizeof(no_tables)};

size_t hvc_image_min_size(void)
{
	return sizeof(struct hvc_image) + (size_t)LOOKUP_BASE_NODES * NODE_BYTES;
}

static struct lookup image_lookup(struct hvc_image *image, size_t capacity)
{
	size_t nodes = (capacity - sizeof(*image)) / NODE_BYTES;

	return (struct lookup){.entries = image_entries(image),
			       .nodes = image->node_count,
			       .capacity = (uint32_t)(nodes < LOOKUP_MAX_NODES ? nodes
									       : LOOKUP_MAX_NODES)};
}

static void image_store(struct hvc_image *image, const struct lookup *lookup)
{
	image->node_count = lookup->nodes;
	image->bytes = (uint32_t)(sizeof(*image) + (size_t)lookup->nodes * NODE_BYTES);
}

enum hvc_err hvc_image_begin(void *memory, size_t capacity, const struct hvc_settings *settings)
{
	struct hvc_image *image = memory;
	struct lookup lookup;
	enum hvc_err err;

	if (memory == NULL || settings == NULL || (uintptr_t)memory % 8 != 0) {
		return HVC_EFAULT;
	}
	if (!settings_valid(settings)) {
		return HVC_EINVAL;
	}
	if (capacity < hvc_image_min_size()) {
		return HVC_ENOMEM;
	}
	memset(image, 0, sizeof(*image));
	image->magic = HVC_IMAGE_MAGIC;
	image->format = HVC_IMAGE_FORMAT;
	image->catalog = catalog_fingerprint();
	image->settings = *settings;
	lookup = image_lookup(image, capacity);
	err = lookup_init(&lookup);
	image_store(image, &lookup);
	return err;
}

enum hvc_err hvc_image_paint(struct hvc_image *image, size_t capacity, uint32_t first,
			     uint32_t last, enum hvc_action action, bool by_rule)
{
	struct lookup lookup;
	enum hvc_err err;

	if (last < first || (unsigned int)action > HVC_NOTIFY || image->table_bytes != 0) {
		return HVC_EINVAL;
	}
	if (capacity < image->bytes) {
		return HVC_ENOMEM;
	}
	lookup = image_lookup(image, capacity);
	err = lookup_paint(&lookup, first, last, action, by_rule);
	image_store(image, &lookup);
	return err;
}

enum hvc_err hvc_image_add_tables(struct hvc_image *image, size_t capacity,
				  const struct hvc_tables *tables)
{
	if (image == NULL || tables == NULL) {
		return HVC_EFAULT;
	}
	if (image->table_bytes != 0 || !tables_valid(&image->settings, tables)) {
		return HVC_EINVAL;
	}
	if (memcmp(tables, &no_tables, sizeof(*tables)) == 0) {
		return HVC_OK;
	}
	if (capacity - image->bytes < sizeof(*tables)) {
		return HVC_ENOMEM;
	}
	memcpy((uint8_t *)image + image->bytes, tables, sizeof(*tables));
	image->table_bytes = sizeof(*tables);
	image->bytes += image->table_bytes;
	return HVC_OK;
}

const struct hvc_tables *hvc_image_tables(const struct hvc_image *image)
{
	if (image->table_bytes == 0) {
		return &no_tables;
	}
	return (const struct hvc_tables *)(const void *)((const uint8_t *)(image + 1) +
							 (size_t)image->node_count * NODE_BYTES);
}

void hvc_image_seal(struct hvc_image *image)
{
	image->crc32 = image_crc(image);
}

enum hvc_err hvc_image_check(const void *memory, size_t bytes)
{
	const struct hvc_image *image = memory;

	if (memory == NULL || (uintptr_t)memory % 8 != 0) {
		return HVC_EFAULT;
	}
	if (bytes < sizeof(*image) || image->magic != HVC_IMAGE_MAGIC) {
		return HVC_EBADMSG;
	}
	if (image->format != HVC_IMAGE_FORMAT) {
		return HVC_ENOTSUP;
	}
	if (image->bytes > bytes || image->node_count > LOOKUP_MAX_NODES ||
	    image->bytes != sizeof(*image) + (uint64_t)image->node_count * NODE_BYTES +
				    image->table_bytes ||
	    (image->table_bytes != 0 && image->table_bytes != sizeof(struct hvc_tables)) ||
	    image->crc32 != image_crc(image)) {
		return HVC_EBADMSG;
	}
	if (image->catalog != catalog_fingerprint()) {
		return HVC_ENOTSUP;
	}
	if (!settings_valid(&image->settings) ||
	    !tables_valid(&image->settings, hvc_image_tables(image)) ||
	    !lookup_sound(image_entries(image), image->node_count)) {
		return HVC_EBADMSG;
	}
	return HVC_OK;
}
