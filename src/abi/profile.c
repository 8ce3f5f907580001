/* SPDX-License-Identifier: BSD-2-Clause */
/* Profiles by name and position, and the settings of a VM of one. */
#include <string.h>

#include "profile_table.h"

/* Ours are no kernel's: their settings are hvc_settings_profile()'s. */
static const struct abi_profile ours[HVC_PROFILE_NEWEST] = {
	{.name = "hvcgate-1@1", .ours = 1},
	{.name = "hvcgate-2@1", .ours = 2},
};

const struct abi_profile *abi_profile_at(size_t n)
{
	if (n < HVC_PROFILE_NEWEST) {
		return &ours[n];
	}
	n -= HVC_PROFILE_NEWEST;
	return n < abi_kernel_profile_count ? &abi_kernel_profiles[n] : NULL;
}

static bool is_named(const struct abi_profile *profile, const char *name)
{
	size_t series = strcspn(profile->name, "@");

	return strcmp(profile->name, name) == 0 ||
	       (strncmp(profile->name, name, series) == 0 && name[series] == '\0');
}

const struct abi_profile *abi_profile_find(const char *name)
{
	const struct abi_profile *found = NULL;

	/* Revisions ascend: the last one that fits is the newest. */
	for (size_t n = 0; abi_profile_at(n) != NULL; n++) {
		if (is_named(abi_profile_at(n), name)) {
			found = abi_profile_at(n);
		}
	}
	return found;
}

const char *abi_profile_name(const struct abi_profile *profile)
{
	return profile->name;
}

unsigned int abi_profile_rank(const struct abi_profile *profile)
{
	return profile->rank;
}

unsigned int abi_profile_ours(const struct abi_profile *profile)
{
	return profile->ours;
}

const char *abi_profile_json(const struct abi_profile *profile)
{
	return profile->json;
}

static void put_functions(const struct abi_profile *profile, struct hvc_settings *settings)
{
	memset(settings->functions, 0, sizeof(settings->functions));
	for (size_t i = 0; i < profile->function_count; i++) {
		unsigned int slot = profile->functions[i];

		settings->functions[slot / 64] |= 1ull << slot % 64;
	}
}

void abi_profile_settings(const struct abi_profile *profile, struct hvc_settings *settings)
{
	if (profile->ours != 0) {
		(void)hvc_settings_profile(settings, profile->ours);
		return;
	}
	hvc_settings_init(settings);
	settings->smccc_version = profile->smccc_version;
	settings->strictness = HVC_STRICT_KVM;
	settings->discovery = HVC_DISCOVERY_RAW;
	settings->quirks = profile->quirks;
	settings->reg_count = profile->reg_count;
	settings->psci_versions = profile->psci_versions;
	settings->filter = profile->filter;
	memcpy(settings->regs, profile->regs, sizeof(settings->regs));
	memcpy(settings->reg_mask, profile->reg_mask, sizeof(settings->reg_mask));
	settings->vendor_uid_present = profile->vendor_uid_present;
	memcpy(settings->vendor_uid, profile->vendor_uid, sizeof(settings->vendor_uid));
	/* KVM has it only for VMs that asked for it (KVM_CAP_ARM_SYSTEM_SUSPEND). */
	settings->system_suspend = 0;
	put_functions(profile, settings);
}

uint64_t abi_register_id(unsigned int reg)
{
	/* KVM_REG_ARM64 | KVM_REG_SIZE_U64, the class and the index in it. */
	const uint64_t base = 0x6030000000000000ull;

	return reg < HVC_REG_STD_BMAP ? (base | 0x14ull << 16 | reg)
				      : (base | 0x16ull << 16 | (reg - HVC_REG_STD_BMAP));
}
