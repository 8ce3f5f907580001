/* SPDX-License-Identifier: BSD-2-Clause */
/* Why the engine would not answer a function under a policy's settings, rules aside. */
#include <inttypes.h>

#include "internal.h"
#include "trial.h"

/* The version that `smccc` or `psci` stands at, for the services that have one. */
static uint32_t service_version(const struct hvc_policy *policy, unsigned int service,
				const char **key)
{
	if (service == HVC_SERVICE_PSCI) {
		*key = "psci";
		return (uint32_t)policy->settings.regs[HVC_REG_PSCI_VERSION];
	}
	if (service == HVC_SERVICE_ARCH) {
		*key = "smccc";
		return policy->settings.smccc_version;
	}
	return 0xffffffffu;
}

static bool gate_open(const struct hvc_policy *policy, unsigned int slot)
{
	const struct hvc_function *function = hvc_function_at(slot);
	const struct hvc_settings *settings = &policy->settings;

	return function->reg < settings->reg_count
		       ? settings->regs[function->reg] >> function->reg_bit & 1
		       : settings->functions[slot / 64] >> slot % 64 & 1;
}

static const char *gate_reason(struct hvc_policy *policy, const struct hvc_function *function)
{
	const char *name = bit_name(function->reg, function->reg_bit);

	if (function->reg >= policy->settings.reg_count && function->reg < policy->base.reg_count) {
		return arena_printf(
			&policy->arena,
			"feature register %s, whose bit %u (%s) it needs, is not shown: show-registers is %" PRIu32,
			hvc_register_name(function->reg), function->reg_bit,
			name != NULL ? name : "?", policy->settings.reg_count);
	}
	if (function->reg >= policy->base.reg_count) {
		return arena_printf(&policy->arena, "%s is off", name != NULL ? name : "?");
	}
	return arena_printf(&policy->arena, "feature register %s has bit %u (%s) off",
			    hvc_register_name(function->reg), function->reg_bit,
			    name != NULL ? name : "?");
}

static bool workaround_off(const struct hvc_settings *settings, unsigned int slot,
			   unsigned int *number)
{
	switch (slot) {
	case HVC_FN_SMCCC_ARCH_WORKAROUND_1:
	case HVC_FN_SMCCC_ARCH_WORKAROUND_2:
	case HVC_FN_SMCCC_ARCH_WORKAROUND_3:
		*number = slot == HVC_FN_SMCCC_ARCH_WORKAROUND_1   ? 1
			  : slot == HVC_FN_SMCCC_ARCH_WORKAROUND_2 ? 2
								   : 3;
		return settings->regs[HVC_REG_WORKAROUND_1 + *number - 1] == 0;
	case HVC_FN_SMCCC_ARCH_WORKAROUND_4:
		*number = 4;
		return settings->workaround_4 == 0;
	default:
		return false;
	}
}

/* Functions that are there if a key says something. */
static const char *said_off(const struct hvc_policy *policy, unsigned int slot)
{
	switch (slot) {
	case HVC_FN_SMCCC_ARCH_SOC_ID:
		return "soc-id is none";
	case HVC_FN_SMCCC_ARCH_SOC_ID_NAME:
		return policy->settings.soc_id_present ? "soc-id has no name" : "soc-id is none";
	case HVC_FN_KVM_DISCOVER_IMPL_VER:
	case HVC_FN_KVM_DISCOVER_IMPL_CPUS:
		return "implementations is empty";
	case HVC_FN_PSCI_SET_SUSPEND_MODE:
		return "os-initiated is off";
	case HVC_FN_PSCI_MIGRATE:
	case HVC_FN_PSCI_MIGRATE_INFO_UP_CPU:
		return "trusted-os is none";
	default:
		return "no host has what it needs";
	}
}

/* Why the engine does not answer a function. */
static const char *reason(struct hvc_policy *policy, unsigned int slot)
{
	const struct hvc_function *function = hvc_function_at(slot);
	const struct hvc_settings *settings = &policy->settings;
	const char *key = "";
	uint32_t version = service_version(policy, function->service, &key);
	unsigned int number;

	if (function->profile == HVC_SERVED_NO) {
		return "nothing in this hvcgate answers it";
	}
	if (!policy_has_function(policy, slot)) {
		return arena_printf(&policy->arena, "%s has no %s",
				    abi_profile_name(policy->profile), function->name);
	}
	if (function->reg != HVC_REG_NONE && !gate_open(policy, slot)) {
		return gate_reason(policy, function);
	}
	if (function->service == HVC_SERVICE_PSCI && function->since == HVC_VERSION(0, 1)) {
		return arena_printf(&policy->arena,
				    "%s is \"%u.%u\", and it exists at \"0.1\" only", key,
				    version >> 16, version & 0xffff);
	}
	if (function->since > version) {
		return arena_printf(&policy->arena,
				    "%s is \"%u.%u\", and it exists from \"%u.%u\" on", key,
				    version >> 16, version & 0xffff, function->since >> 16,
				    function->since & 0xffff);
	}
	if (slot == HVC_FN_PSCI_SYSTEM_SUSPEND && settings->system_suspend == 0) {
		return "system-suspend is off";
	}
	if (slot == HVC_FN_KVM_VENDOR_UID && settings->vendor_uid_present == 0) {
		return "identity is none";
	}
	if (workaround_off(settings, slot, &number)) {
		return arena_printf(&policy->arena, "workaround %u is not-available", number);
	}
	return said_off(policy, slot);
}

/* Of those that are not absent: which need more than every host has? */
static enum hvc_err needs_build(struct hvc_policy *policy)
{
	struct trial trial;
	enum hvc_err err = trial_make(&trial, policy, false);

	for (unsigned int slot = 1; err == HVC_OK && slot < HVC_FN_COUNT; slot++) {
		policy->needs_host[slot] = policy->absent[slot] == NULL &&
					   !trial_answers(&trial, slot);
	}
	trial_free(&trial);
	return err;
}

void absent_build(struct loader *loader)
{
	struct hvc_policy *policy = loader->policy;
	const struct pol_mark whole = {.file = policy->path};
	struct trial trial;
	enum hvc_err err = trial_make(&trial, policy, true);

	for (unsigned int slot = 1; err == HVC_OK && slot < HVC_FN_COUNT; slot++) {
		if (!policy_has_function(policy, slot) || !trial_answers(&trial, slot)) {
			policy->absent[slot] = reason(policy, slot);
		}
	}
	trial_free(&trial);
	if (err == HVC_OK) {
		err = needs_build(policy);
	}
	loader->oom |= err == HVC_ENOMEM;
	if (err != HVC_OK && err != HVC_ENOMEM) {
		diags_error(loader->diags, &whole, "the engine of this hvcgate cannot do that: %s",
			    hvc_err_name(err));
	}
}

const char *hvc_policy_absent(const struct hvc_policy *policy, unsigned int slot)
{
	return slot < HVC_FN_COUNT ? policy->absent[slot] : NULL;
}

bool hvc_policy_needs_host(const struct hvc_policy *policy, unsigned int slot)
{
	return slot < HVC_FN_COUNT && policy->needs_host[slot];
}
