/* SPDX-License-Identifier: BSD-2-Clause */
#define _ISOC11_SOURCE
#include "image.h"

#include <stdlib.h>

static enum hvc_err from_profile(const struct scn_vm *vm, struct hvc_image **image)
{
	*image = aligned_alloc(64, (hvc_image_min_size() + 63) / 64 * 64);
	return *image == NULL ? HVC_ENOMEM
			      : hvc_image_begin(*image, hvc_image_min_size(), &vm->settings);
}

static enum hvc_err from_policy(const struct scn_vm *vm, struct hvc_image **image)
{
	struct hvc_diags *diags = hvc_diags_new();
	const enum hvc_err err = diags == NULL ? HVC_ENOMEM
					       : hvc_policy_compile(vm->policy, image, diags);

	hvc_diags_free(diags);
	return err;
}

struct hvc_image *scn_image_make(const struct scn_vm *vm, enum hvc_err *err)
{
	struct hvc_image *image = NULL;

	*err = vm->policy == NULL ? from_profile(vm, &image) : from_policy(vm, &image);
	if (*err == HVC_OK) {
		image->settings = vm->settings;
		hvc_image_seal(image);
		*err = hvc_image_check(image, image->bytes);
	}
	if (*err != HVC_OK) {
		free(image);
		image = NULL;
	}
	return image;
}
