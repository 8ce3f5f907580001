/* SPDX-License-Identifier: BSD-2-Clause */
/* Settings and feature-register values: what is legal, and their defaults. */
#ifndef HVC_SETTINGS_H
#define HVC_SETTINGS_H

#include <hvcgate/image.h>

#include "env.h"

/* Every field in range? Safe on any content. */
bool settings_valid(const struct hvc_settings *settings);
/* The same of tables; settings must be valid. */
bool tables_valid(const struct hvc_settings *settings, const struct hvc_tables *tables);

bool register_is_bitmap(unsigned int reg);

/* Is `value` one the feature register can hold in this profile? */
bool register_value_valid(const struct hvc_settings *settings, unsigned int reg, uint64_t value);

/* The value that means "nothing of it"; settings must be valid. */
uint64_t register_nothing(const struct hvc_settings *settings, unsigned int reg);

/* Vendor UID 28b46fb6-2ec5-11e9-a9ca-4b564d003a74, as KVM's guests look for it. */
extern HVC_HIDDEN const uint32_t kvm_uid[4];

#endif
