/* SPDX-License-Identifier: BSD-2-Clause */
/* Settings and feature-register values: what is legal, and their defaults. */
#ifndef HVC_SETTINGS_H
#define HVC_SETTINGS_H

#include <hvcgate/image.h>

#include "env.h"

/* Every field in range? Safe on any content. */
bool settings_valid(const struct hvc_settings *settings);

/* Is `value` one the feature register can hold in profile hvcgate-1? */
bool register_value_valid(enum hvc_register reg, uint64_t value);

#endif
