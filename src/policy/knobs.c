/* SPDX-License-Identifier: BSD-2-Clause */
/* Knobs: contradictions inside a file, and the way to the engine's settings. */
#include <string.h>

#include "internal.h"

static const struct {
	unsigned char reg, bit;
	const char *name;
} bit_names[] = {
	{HVC_REG_STD_BMAP, 0, "trng"},
	{HVC_REG_STD_HYP_BMAP, 0, "pv-time"},
	{HVC_REG_VENDOR_HYP_BMAP, 0, "features"},
	{HVC_REG_VENDOR_HYP_BMAP, 1, "ptp"},
	{HVC_REG_VENDOR_HYP_BMAP_2, 0, "discover-impl-ver"},
	{HVC_REG_VENDOR_HYP_BMAP_2, 1, "discover-impl-cpus"},
};

const char *bit_name(unsigned int reg, unsigned int bit)
{
	for (size_t i = 0; i < sizeof(bit_names) / sizeof(bit_names[0]); i++) {
		if (bit_names[i].reg == reg && bit_names[i].bit == bit) {
			return bit_names[i].name;
		}
	}
	return NULL;
}

uint64_t register_mask(unsigned int reg)
{
	uint64_t mask = 0;

	for (unsigned int slot = 1; slot < hvc_function_count(); slot++) {
		const struct hvc_function *function = hvc_function_at(slot);

		if (function->reg == reg) {
			mask |= 1ull << function->reg_bit;
		}
	}
	return mask;
}

/* In the catalogue, but off unless a policy says otherwise: nobody here answers them. */
static bool off_by_default(unsigned int service)
{
	switch (service) {
	case HVC_SERVICE_SDEI:
	case HVC_SERVICE_FF_A:
	case HVC_SERVICE_LFA:
	case HVC_SERVICE_PKVM:
	case HVC_SERVICE_HYPER_V:
	case HVC_SERVICE_TEE:
		return true;
	default:
		return false;
	}
}

void knobs_init(struct hvc_policy *policy)
{
	policy->knobs[KNOB_DEFAULT].value = HVC_HANDLE;
	for (unsigned int service = 1; service < HVC_SERVICE_COUNT; service++) {
		policy->knobs[KNOB_SERVICE + service].value = !off_by_default(service);
	}
}

uint64_t knob_value(const struct hvc_policy *policy, unsigned int knob)
{
	return policy->knobs[knob].value;
}

void knob_set(struct loader *loader, unsigned int knob, uint64_t value, bool soft,
	      const struct pol_mark *mark, const char *key)
{
	struct pol_knob *old = &loader->policy->knobs[knob];

	if (old->set && old->mark.order == mark->order && !old->soft && old->value != value) {
		diags_error(loader->diags, mark,
			    "'%s' contradicts '%s' at line %u; keep one of them", key, old->key,
			    old->mark.line);
		return;
	}
	*old = (struct pol_knob){
		.value = value, .set = true, .soft = soft, .mark = *mark, .key = key};
}

/* The value of a register that is a bitmap, from its bits. */
static uint64_t bitmap_value(const struct hvc_policy *policy, unsigned int reg)
{
	uint64_t value = 0;

	for (unsigned int bit = 0; bit < 64; bit++) {
		value |= knob_value(policy, KNOB_OF_BIT(reg, bit)) << bit;
	}
	return value;
}

static void settle_power(struct hvc_policy *policy)
{
	struct hvc_settings *settings = &policy->settings;

	settings->power_state_format = (uint32_t)knob_value(policy, KNOB_POWER_FORMAT);
	settings->os_initiated = (uint32_t)knob_value(policy, KNOB_OS_INITIATED);
	settings->trusted_os = HVC_TRUSTED_OS_NONE - (uint32_t)knob_value(policy, KNOB_TRUSTED_OS);
	settings->trusted_os_cpu = policy->trusted_os_cpu;
	settings->replay = (uint32_t)knob_value(policy, KNOB_REPLAY);
}

/* But for `features`, which the spans decide. */
static void settle_tables(struct hvc_policy *policy)
{
	struct hvc_tables *tables = &policy->tables;

	tables->size = sizeof(*tables);
	memcpy(tables->soc_name, policy->soc_name, sizeof(tables->soc_name));
	tables->power_state_count = (uint32_t)knob_value(policy, KNOB_POWER_STATES);
	for (uint32_t i = 0; i < tables->power_state_count; i++) {
		const struct hvc_policy_power_state *state = &policy->power_states[i].state;

		tables->power_states[i] = (struct hvc_power_state){.power_state = state->param,
								   .level = state->level};
	}
	tables->implementation_count = (uint32_t)knob_value(policy, KNOB_IMPLEMENTATIONS);
	memcpy(tables->implementations, policy->implementations, sizeof(tables->implementations));
}

void knobs_settle(struct hvc_policy *policy)
{
	struct hvc_settings *settings = &policy->settings;
	uint64_t identity = knob_value(policy, KNOB_IDENTITY);

	*settings = policy->base;
	settings->strictness = (uint32_t)knob_value(policy, KNOB_STRICTNESS);
	settings->discovery = (uint32_t)knob_value(policy, KNOB_DISCOVERY);
	if (settings->strictness == HVC_STRICT_SPEC) {
		settings->quirks = 0;
	}
	settings->smccc_version = (uint32_t)knob_value(policy, KNOB_SMCCC);
	settings->workaround_4 = (uint32_t)knob_value(policy, KNOB_WORKAROUND_4);
	settings->system_suspend = (uint32_t)knob_value(policy, KNOB_SYSTEM_SUSPEND);
	settings->soc_id_present = (uint32_t)knob_value(policy, KNOB_SOC_ID);
	settings->soc_version = settings->soc_id_present ? policy->soc_version : 0;
	settings->soc_revision = settings->soc_id_present ? policy->soc_revision : 0;
	settings->vendor_uid_present = identity != IDENTITY_NONE;
	if (identity == IDENTITY_UID) {
		memcpy(settings->vendor_uid, policy->uid, sizeof(policy->uid));
	} else if (identity == IDENTITY_NONE) {
		memset(settings->vendor_uid, 0, sizeof(settings->vendor_uid));
	}
	settle_power(policy);
	settle_tables(policy);
	for (unsigned int reg = 0; reg < HVC_REG_COUNT; reg++) {
		settings->regs[reg] = reg >= HVC_REG_STD_BMAP ? bitmap_value(policy, reg)
							      : knob_value(policy, KNOB_REG + reg);
	}
	profile_settle_registers(policy);
}

bool service_denied(const struct hvc_policy *policy, unsigned int service)
{
	const struct pol_knob *knob = &policy->knobs[KNOB_SERVICE + service];

	/* With `default: forward` or `deny` the default speaks for services that no file names. */
	if (!knob->set && knob_value(policy, KNOB_DEFAULT) == HVC_FORWARD) {
		return false;
	}
	return knob->value == 0;
}
