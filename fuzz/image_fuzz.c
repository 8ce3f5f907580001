/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libFuzzer: bytes as an image. The checksum is put right first, or no input would get past it; what
 * hvc_image_check() then takes must be usable for every ID that the bytes themselves suggest.
 */
#include <stdlib.h>
#include <string.h>

#include <hvcgate/engine.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(const struct hvc_image *image)
{
	_Alignas(64) static unsigned char vm_memory[512], vcpu_memory[128];
	struct hvc_vm *vm = (struct hvc_vm *)(void *)vm_memory;
	struct hvc_vcpu *vcpu = (struct hvc_vcpu *)(void *)vcpu_memory;
	struct hvc_vm_config config = {.size = sizeof(config), .vcpu_count = 1, .image = image};
	const uint32_t *ids = (const uint32_t *)(const void *)(image + 1);

	if (hvc_vm_init(vm, &config, &vcpu) != HVC_OK) {
		abort();
	}
	for (uint32_t i = 0; i < image->node_count * 128 && i < 4096; i++) {
		struct hvc_frame frame = {.x = {ids[i]}};

		if (hvc_call(vcpu, HVC_CONDUIT_SMC, 0, &frame) >= HVC_VERDICT_COUNT ||
		    hvc_filter_query(vm, ids[i]).fn >= HVC_FN_COUNT) {
			abort();
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hvc_settings settings;
	struct hvc_image *image, *good;
	size_t bytes = size;

	if (size < sizeof(*image) || (image = malloc(bytes)) == NULL) {
		return 0;
	}
	memcpy(image, data, bytes);
	/* What no fuzzer finds by itself: the fingerprint of the catalogue. */
	hvc_settings_init(&settings);
	good = malloc(hvc_image_min_size());
	if (good != NULL && hvc_image_begin(good, hvc_image_min_size(), &settings) == HVC_OK) {
		image->magic = HVC_IMAGE_MAGIC;
		image->format = HVC_IMAGE_FORMAT;
		image->catalog = good->catalog;
		image->settings.size = sizeof(image->settings);
	}
	free(good);
	if (image->bytes >= sizeof(*image) && image->bytes <= bytes) {
		hvc_image_seal(image);
	}
	if (hvc_image_check(image, bytes) == HVC_OK) {
		use(image);
	}
	free(image);
	return 0;
}
