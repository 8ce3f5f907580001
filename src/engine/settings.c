/* SPDX-License-Identifier: BSD-2-Clause */
#include "settings.h"

/* What our profiles fix beside their functions. Released ones are never edited. */
struct ours {
	uint32_t smccc, psci;
	uint64_t bitmaps[HVC_REG_COUNT - HVC_REG_STD_BMAP];
};
static const struct ours ours[HVC_PROFILE_NEWEST] = {
	{HVC_VERSION(1, 2), HVC_VERSION(1, 1), {0x1, 0x1, 0x3, 0x3}},
	{HVC_VERSION(1, 6), HVC_VERSION(1, 3), {0x1, 0x1, 0x3, 0x3}},
};

/* HVC_PSCI_BIT() of every version there is. */
#define PSCI_VERSIONS (HVC_PSCI_BIT(HVC_VERSION(1, 3)) * 2 - 1)

/* Workaround levels, KVM's encodings (KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_*). */
enum { WORKAROUND_NOT_REQUIRED = 2, WORKAROUND_2_NOT_REQUIRED = 3 };

const uint32_t kvm_uid[4] = {0xb66fb428u, 0xe911c52eu, 0x564bcaa9u, 0x743a004du};

/* Bits of the bitmaps that some function of the catalogue is gated by. */
static uint64_t bitmap_mask(unsigned int reg)
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

bool register_is_bitmap(unsigned int reg)
{
	return reg >= HVC_REG_STD_BMAP && reg < HVC_REG_COUNT;
}

bool register_value_valid(const struct hvc_settings *settings, unsigned int reg, uint64_t value)
{
	switch (reg) {
	case HVC_REG_PSCI_VERSION:
		return (value == HVC_VERSION(0, 2) ||
			(value >= HVC_VERSION(1, 0) && value <= HVC_VERSION(1, 3))) &&
		       (settings->psci_versions & HVC_PSCI_BIT(value)) != 0;
	case HVC_REG_WORKAROUND_1:
	case HVC_REG_WORKAROUND_3:
		return value <= WORKAROUND_NOT_REQUIRED;
	case HVC_REG_WORKAROUND_2:
		return value == 0 || value == WORKAROUND_2_NOT_REQUIRED;
	default:
		return register_is_bitmap(reg) && (value & ~settings->reg_mask[reg]) == 0;
	}
}

uint64_t register_nothing(const struct hvc_settings *settings, unsigned int reg)
{
	unsigned int minor = 0;

	if (reg != HVC_REG_PSCI_VERSION) {
		return 0;
	}
	if (settings->psci_versions & HVC_PSCI_BIT(HVC_VERSION(0, 2))) {
		return HVC_VERSION(0, 2);
	}
	while (!(settings->psci_versions & HVC_PSCI_BIT(HVC_VERSION(1, minor)))) {
		minor++;
	}
	return HVC_VERSION(1, minor);
}

enum hvc_err hvc_settings_profile(struct hvc_settings *settings, unsigned int number)
{
	const struct ours *profile;

	if (number == 0 || number > HVC_PROFILE_NEWEST) {
		return HVC_ENOENT;
	}
	profile = &ours[number - 1];
	memset(settings, 0, sizeof(*settings));
	settings->size = sizeof(*settings);
	settings->smccc_version = profile->smccc;
	settings->strictness = HVC_STRICT_SPEC;
	settings->discovery = HVC_DISCOVERY_COHERENT;
	settings->regs[HVC_REG_PSCI_VERSION] = profile->psci;
	settings->vendor_uid_present = 1;
	memcpy(settings->vendor_uid, kvm_uid, sizeof(kvm_uid));
	settings->system_suspend = 1;
	settings->reg_count = HVC_REG_COUNT;
	settings->psci_versions = PSCI_VERSIONS;
	settings->filter = 1;
	for (unsigned int reg = HVC_REG_STD_BMAP; reg < HVC_REG_COUNT; reg++) {
		settings->reg_mask[reg] = profile->bitmaps[reg - HVC_REG_STD_BMAP];
		settings->regs[reg] = settings->reg_mask[reg];
	}
	settings->trusted_os = HVC_TRUSTED_OS_NONE;
	for (unsigned int slot = 1; slot < HVC_FN_COUNT; slot++) {
		unsigned int since = hvc_function_at(slot)->profile;

		if (since != HVC_SERVED_NO && since <= number) {
			settings->functions[slot / 64] |= 1ull << slot % 64;
		}
	}
	return HVC_OK;
}

void hvc_settings_init(struct hvc_settings *settings)
{
	(void)hvc_settings_profile(settings, 1);
}

static bool registers_valid(const struct hvc_settings *settings)
{
	if (settings->reg_count == 0 || settings->reg_count > HVC_REG_COUNT ||
	    settings->psci_versions == 0 || (settings->psci_versions & ~PSCI_VERSIONS) != 0) {
		return false;
	}
	for (unsigned int reg = 0; reg < HVC_REG_COUNT; reg++) {
		if ((settings->reg_mask[reg] & ~bitmap_mask(reg)) != 0 ||
		    !register_value_valid(settings, reg, settings->regs[reg])) {
			return false;
		}
		if (reg >= settings->reg_count &&
		    settings->regs[reg] != register_nothing(settings, reg)) {
			return false;
		}
	}
	return true;
}

/* Slot 0 is no function, nor is anything behind the last one. */
static bool functions_valid(const struct hvc_settings *settings)
{
	const unsigned int spare = HVC_FN_WORDS * 64 - HVC_FN_COUNT;
	const uint64_t last = spare == 0 ? 0 : ~0ull << (64 - spare) % 64;

	return (settings->functions[0] & 1) == 0 &&
	       (settings->functions[HVC_FN_WORDS - 1] & last) == 0;
}

/* Text of at most 135 printable characters, and nothing behind it. */
static bool soc_name_valid(const char *name)
{
	bool ended = false;

	for (unsigned int i = 0; i < HVC_SOC_NAME; i++) {
		if ((ended && name[i] != '\0') ||
		    (name[i] != '\0' && (name[i] < ' ' || name[i] > '~'))) {
			return false;
		}
		ended |= name[i] == '\0';
	}
	return ended;
}

/* DEN0022, 5.4.2: bits that must be zero in the original and in the extended format. */
static uint32_t power_state_reserved(const struct hvc_settings *settings)
{
	return settings->power_state_format == 1 ? 0xb0000000u : 0xfcfe0000u;
}

static bool power_states_valid(const struct hvc_settings *settings, const struct hvc_tables *tables)
{
	if (tables->power_state_count > HVC_POWER_STATES) {
		return false;
	}
	for (unsigned int i = 0; i < HVC_POWER_STATES; i++) {
		const struct hvc_power_state *state = &tables->power_states[i];

		if ((state->power_state & power_state_reserved(settings)) != 0 ||
		    state->level > 3 ||
		    (i >= tables->power_state_count &&
		     (state->power_state != 0 || state->level != 0))) {
			return false;
		}
		for (unsigned int j = 0; j < i && i < tables->power_state_count; j++) {
			if (tables->power_states[j].power_state == state->power_state) {
				return false;
			}
		}
	}
	return true;
}

static bool features_valid(const struct hvc_tables *tables)
{
	if (tables->feature_count > HVC_FEATURE_VALUES) {
		return false;
	}
	for (unsigned int i = 0; i < HVC_FEATURE_VALUES; i++) {
		const struct hvc_feature_value *value = &tables->features[i];

		if ((value->fn != HVC_FN_NONE) != (i < tables->feature_count) ||
		    value->fn >= HVC_FN_COUNT || value->pad != 0 ||
		    (i >= tables->feature_count && value->value != 0)) {
			return false;
		}
	}
	return true;
}

static bool implementations_valid(const struct hvc_tables *tables)
{
	if (tables->implementation_count > HVC_IMPLEMENTATIONS) {
		return false;
	}
	for (unsigned int i = tables->implementation_count; i < HVC_IMPLEMENTATIONS; i++) {
		const struct hvc_implementation *cpu = &tables->implementations[i];

		if ((cpu->midr | cpu->revidr | cpu->aidr) != 0) {
			return false;
		}
	}
	return true;
}

bool tables_valid(const struct hvc_settings *settings, const struct hvc_tables *tables)
{
	return tables->size == sizeof(*tables) && soc_name_valid(tables->soc_name) &&
	       power_states_valid(settings, tables) && features_valid(tables) &&
	       implementations_valid(tables);
}

bool settings_valid(const struct hvc_settings *settings)
{
	if (settings->size != sizeof(*settings) || settings->smccc_version < HVC_VERSION(1, 0) ||
	    settings->smccc_version > HVC_VERSION(1, 7) || settings->strictness > HVC_STRICT_KVM ||
	    settings->discovery > HVC_DISCOVERY_RAW || settings->quirks >= HVC_QUIRK_END) {
		return false;
	}
	if (settings->workaround_4 > WORKAROUND_NOT_REQUIRED || settings->soc_id_present > 1 ||
	    settings->vendor_uid_present > 1 || settings->system_suspend > 1 ||
	    settings->filter > 1 || settings->soc_version >> 31 != 0 ||
	    settings->soc_revision >> 31 != 0 || settings->power_state_format > 1 ||
	    settings->os_initiated > 1 || settings->trusted_os > HVC_TRUSTED_OS_NONE ||
	    settings->trusted_os_cpu >= HVC_MAX_VCPUS || settings->replay > 1 ||
	    settings->reserved != 0) {
		return false;
	}
	return registers_valid(settings) && functions_valid(settings);
}
