/* SPDX-License-Identifier: BSD-2-Clause */
/* The profiles as compiled in: profiles_c.py writes the table from profiles/NAME@REVISION.json. */
#ifndef HVCGATE_PROFILE_TABLE_H
#define HVCGATE_PROFILE_TABLE_H

#include "abi.h"

struct abi_profile {
	const char *name; /* "linux-6.12@1" */
	const char *json; /* the file's text; NULL for ours */
	unsigned int rank;
	unsigned int ours; /* hvcgate-n: hvc_settings_profile()'s; 0 for a kernel's */
	uint32_t smccc_version;
	uint32_t psci_versions; /* HVC_PSCI_BIT(), or'ed */
	uint32_t reg_count;
	uint32_t filter;
	uint32_t quirks;
	uint64_t regs[HVC_REG_COUNT]; /* reset values; 0 for what the host determines */
	uint64_t reg_mask[HVC_REG_COUNT];
	uint32_t vendor_uid_present, trng_uuid_present;
	uint32_t vendor_uid[4], trng_uuid[4];
	const uint16_t *functions; /* slots, ascending */
	size_t function_count;
};

/* Kernels' profiles, oldest kernel first, revisions of one ascending. */
extern const struct abi_profile abi_kernel_profiles[];
extern const size_t abi_kernel_profile_count;

#endif
