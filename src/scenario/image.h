/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HVCGATE_SCENARIO_IMAGE_H
#define HVCGATE_SCENARIO_IMAGE_H

#include "scenario.h"

/* The image of a VM: its policy's rules, its line's settings. free() it. NULL: *err. */
struct hvc_image *scn_image_make(const struct scn_vm *vm, enum hvc_err *err);

#endif
