/* SPDX-License-Identifier: BSD-2-Clause */
#include "settings.h"

#define HVCGATE_1_SMCCC HVC_VERSION(1, 2)
#define HVCGATE_1_PSCI  HVC_VERSION(1, 1)

/* Workaround levels, KVM's encodings (KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_*). */
enum { WORKAROUND_NOT_REQUIRED = 2, WORKAROUND_2_NOT_REQUIRED = 3 };

/* Vendor UID 28b46fb6-2ec5-11e9-a9ca-4b564d003a74, as KVM's guests look for it. */
static const uint32_t kvm_uid[4] = {0xb66fb428u, 0xe911c52eu, 0x564bcaa9u, 0x743a004du};

/* Bits of the bitmaps that some function of the catalogue is gated by. */
static uint64_t bitmap_mask(enum hvc_register reg)
{
	uint64_t mask = 0;

	for (unsigned int slot = 1; slot < HVC_FN_COUNT; slot++) {
		const struct hvc_function *function = hvc_function_at(slot);

		if (function->reg == reg) {
			mask |= 1ull << function->reg_bit;
		}
	}
	return mask;
}

bool register_value_valid(enum hvc_register reg, uint64_t value)
{
	switch (reg) {
	case HVC_REG_PSCI_VERSION:
		return value == HVC_VERSION(0, 2) ||
		       (value >= HVC_VERSION(1, 0) && value <= HVC_VERSION(1, 3));
	case HVC_REG_WORKAROUND_1:
	case HVC_REG_WORKAROUND_3:
		return value <= WORKAROUND_NOT_REQUIRED;
	case HVC_REG_WORKAROUND_2:
		return value == 0 || value == WORKAROUND_2_NOT_REQUIRED;
	case HVC_REG_STD_BMAP:
	case HVC_REG_STD_HYP_BMAP:
	case HVC_REG_VENDOR_HYP_BMAP:
	case HVC_REG_VENDOR_HYP_BMAP_2:
		return (value & ~bitmap_mask(reg)) == 0;
	default:
		return false;
	}
}

void hvc_settings_init(struct hvc_settings *settings)
{
	memset(settings, 0, sizeof(*settings));
	settings->size = sizeof(*settings);
	settings->smccc_version = HVCGATE_1_SMCCC;
	settings->strictness = HVC_STRICT_SPEC;
	settings->discovery = HVC_DISCOVERY_COHERENT;
	settings->regs[HVC_REG_PSCI_VERSION] = HVCGATE_1_PSCI;
	for (unsigned int reg = HVC_REG_STD_BMAP; reg < HVC_REG_COUNT; reg++) {
		settings->regs[reg] = bitmap_mask(reg);
	}
	settings->vendor_uid_present = 1;
	memcpy(settings->vendor_uid, kvm_uid, sizeof(kvm_uid));
	settings->system_suspend = 1;
	settings->reg_count = HVC_REG_COUNT;
	settings->psci_versions = HVC_PSCI_BIT(HVC_VERSION(1, 3)) * 2 - 1;
	settings->filter = 1;
	for (unsigned int reg = HVC_REG_STD_BMAP; reg < HVC_REG_COUNT; reg++) {
		settings->reg_mask[reg] = bitmap_mask(reg);
	}
	for (unsigned int slot = 1; slot < HVC_FN_COUNT; slot++) {
		settings->functions[slot / 64] |= 1ull << slot % 64;
	}
}

bool settings_valid(const struct hvc_settings *settings)
{
	if (settings->size != sizeof(*settings) || settings->smccc_version < HVC_VERSION(1, 0) ||
	    settings->smccc_version > HVC_VERSION(1, 5) ||
	    settings->strictness != HVC_STRICT_SPEC ||
	    settings->discovery != HVC_DISCOVERY_COHERENT) {
		return false;
	}
	if (settings->workaround_4 > WORKAROUND_NOT_REQUIRED || settings->soc_id_present > 1 ||
	    settings->vendor_uid_present > 1 || settings->system_suspend > 1 ||
	    settings->soc_version >> 31 != 0 || settings->soc_revision >> 31 != 0) {
		return false;
	}
	for (unsigned int reg = 0; reg < HVC_REG_COUNT; reg++) {
		if (!register_value_valid(reg, settings->regs[reg])) {
			return false;
		}
	}
	return true;
}
