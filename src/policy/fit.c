/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A policy and its profile, once every file is read: what no file says is the profile's, and what a file asks for
 * the profile must have.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"

static bool has_function(const struct hvc_policy *policy, unsigned int slot)
{
	return policy->base.functions[slot / 64] >> slot % 64 & 1;
}

bool policy_has_function(const struct hvc_policy *policy, unsigned int slot)
{
	return has_function(policy, slot);
}

static bool is_kernel(const struct hvc_policy *policy)
{
	return abi_profile_rank(policy->profile) != 0;
}

/* --- What no file says. */
static void seed(struct hvc_policy *policy, unsigned int knob, uint64_t value)
{
	if (!policy->knobs[knob].set) {
		policy->knobs[knob].value = value;
	}
}

/* Bits of the functions that the profile has without the register that gates them: older than it. Their knobs are
 * turned all the same, and what is off goes from the list of functions. */
static uint64_t unseen_bits(const struct hvc_policy *policy, unsigned int reg)
{
	uint64_t bits = 0;

	for (unsigned int slot = 1; slot < HVC_FN_COUNT; slot++) {
		const struct hvc_function *function = hvc_function_at(slot);

		if (function->reg == reg && has_function(policy, slot)) {
			bits |= 1ull << function->reg_bit;
		}
	}
	return bits;
}

/* Bits that are on, and bits that may be. */
static uint64_t base_bits(const struct hvc_policy *policy, unsigned int reg)
{
	return reg < policy->base.reg_count ? policy->base.regs[reg] : unseen_bits(policy, reg);
}

static uint64_t base_mask(const struct hvc_policy *policy, unsigned int reg)
{
	return reg < policy->base.reg_count ? policy->base.reg_mask[reg] : unseen_bits(policy, reg);
}

/* `kvm-vendor: on` turns on what the profile turns on; of hvcgate-1 that is everything. */
static void seed_bits(struct hvc_policy *policy, unsigned int reg)
{
	uint64_t bits = base_bits(policy, reg);

	for (unsigned int bit = 0; bit < 64; bit++) {
		struct pol_knob *knob = &policy->knobs[KNOB_OF_BIT(reg, bit)];

		if (!knob->set || (knob->soft && knob->value == 1)) {
			knob->value = bits >> bit & 1;
		}
	}
}

/* What nobody answered is off unless a policy says otherwise; a profile that has some of it has it on. */
static void seed_services(struct hvc_policy *policy)
{
	for (unsigned int slot = 1; slot < HVC_FN_COUNT; slot++) {
		if (has_function(policy, slot)) {
			seed(policy, KNOB_SERVICE + hvc_function_at(slot)->service, 1);
		}
	}
}

void profile_seed(struct hvc_policy *policy)
{
	const struct hvc_settings *base = &policy->base;

	policy->profile = abi_profile_at(knob_value(policy, KNOB_PROFILE));
	abi_profile_settings(policy->profile, &policy->base);
	seed(policy, KNOB_SMCCC, base->smccc_version);
	seed(policy, KNOB_IDENTITY, base->vendor_uid_present ? IDENTITY_KVM : IDENTITY_NONE);
	seed(policy, KNOB_WORKAROUND_4, base->workaround_4);
	seed(policy, KNOB_SOC_ID, base->soc_id_present);
	seed(policy, KNOB_SYSTEM_SUSPEND, base->system_suspend);
	seed(policy, KNOB_SHOW, base->reg_count);
	seed(policy, KNOB_TRUSTED_OS, HVC_TRUSTED_OS_NONE - base->trusted_os);
	seed_services(policy);
	for (unsigned int reg = 0; reg < HVC_REG_COUNT; reg++) {
		seed(policy, KNOB_REG + reg, base->regs[reg]);
		seed_bits(policy, reg);
	}
}

/* --- What a file asks for. */
static const struct pol_knob *set_knob(const struct hvc_policy *policy, unsigned int knob)
{
	return policy->knobs[knob].set ? &policy->knobs[knob] : NULL;
}

/* "\"0.2\", \"1.0\" and \"1.1\"" */
static void psci_list(const struct hvc_policy *policy, char *text, size_t size)
{
	static const uint32_t versions[] = {HVC_VERSION(0, 2), HVC_VERSION(1, 0), HVC_VERSION(1, 1),
					    HVC_VERSION(1, 2), HVC_VERSION(1, 3)};
	uint32_t left = policy->base.psci_versions;
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]) && used < size; i++) {
		uint32_t bit = HVC_PSCI_BIT(versions[i]);

		if (left & bit) {
			left &= ~bit;
			used += (size_t)snprintf(text + used, size - used, "%s\"%u.%u\"",
						 used == 0   ? ""
						 : left == 0 ? " and "
							     : ", ",
						 versions[i] >> 16, versions[i] & 0xffff);
		}
	}
}

static bool smccc_fits(const struct hvc_policy *policy, uint64_t version)
{
	/* The engine had no later one when hvcgate-1 was closed; later profiles of ours have all. */
	const uint32_t least = HVC_VERSION(1, 5);

	if (!is_kernel(policy)) {
		return version <= least || policy->base.smccc_version > least;
	}
	return version <= policy->base.smccc_version &&
	       (version == policy->base.smccc_version ||
		knob_value(policy, KNOB_STRICTNESS) == HVC_STRICT_SPEC);
}

static void check_versions(struct loader *loader)
{
	const struct hvc_policy *policy = loader->policy;
	const char *name = abi_profile_name(policy->profile);
	const struct pol_knob *psci = set_knob(policy, KNOB_REG + HVC_REG_PSCI_VERSION);
	const struct pol_knob *smccc = set_knob(policy, KNOB_SMCCC);
	char text[80];

	if (psci != NULL && !(policy->base.psci_versions & HVC_PSCI_BIT((uint32_t)psci->value))) {
		psci_list(policy, text, sizeof(text));
		diags_error(loader->diags, &psci->mark, "psci \"%u.%u\" is not in %s, which has %s",
			    (unsigned int)(psci->value >> 16), (unsigned int)(psci->value & 0xffff),
			    name, text);
	}
	if (smccc == NULL || smccc_fits(policy, smccc->value)) {
		return;
	}
	if (is_kernel(policy)) {
		diags_error(loader->diags, &smccc->mark,
			    "smccc \"%u.%u\" is not in %s, which has \"%u.%u\"",
			    (unsigned int)(smccc->value >> 16),
			    (unsigned int)(smccc->value & 0xffff), name,
			    policy->base.smccc_version >> 16, policy->base.smccc_version & 0xffff);
	} else {
		diags_error(
			loader->diags, &smccc->mark,
			"smccc \"%u.%u\" is not in %s, which has \"1.0\" to \"1.5\"; write profile: %s",
			(unsigned int)(smccc->value >> 16), (unsigned int)(smccc->value & 0xffff),
			name, POL_NEWEST);
	}
}

static void check_modes(struct loader *loader)
{
	const struct hvc_policy *policy = loader->policy;
	static const struct {
		unsigned int knob;
		const char *what;
	} modes[] = {
		{KNOB_STRICTNESS, "strictness kvm follows"},
		{KNOB_DISCOVERY, "discovery raw answers as"},
	};

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		const struct pol_knob *knob = set_knob(policy, modes[i].knob);

		if (knob != NULL && knob->value != 0 && !is_kernel(policy)) {
			diags_error(loader->diags, &knob->mark,
				    "%s a kernel, and %s is none's; write profile: %s, say",
				    modes[i].what, abi_profile_name(policy->profile), POL_KERNEL);
		}
	}
}

/* Keys that make one function be there. */
static void check_functions(struct loader *loader)
{
	static const struct {
		unsigned int knob;
		enum hvc_fn fn;
		const char *right;
	} needs[] = {
		{KNOB_IDENTITY, HVC_FN_KVM_VENDOR_UID, "identity: none"},
		{KNOB_WORKAROUND_4, HVC_FN_SMCCC_ARCH_WORKAROUND_4, "workaround-4: not-available"},
		{KNOB_SOC_ID, HVC_FN_SMCCC_ARCH_SOC_ID, "soc-id: none"},
		{KNOB_SOC_NAME, HVC_FN_SMCCC_ARCH_SOC_ID_NAME, "soc-id without a name"},
		{KNOB_SYSTEM_SUSPEND, HVC_FN_PSCI_SYSTEM_SUSPEND, "system-suspend: off"},
		{KNOB_OS_INITIATED, HVC_FN_PSCI_SET_SUSPEND_MODE, "os-initiated: off"},
		{KNOB_TRUSTED_OS, HVC_FN_PSCI_MIGRATE_INFO_UP_CPU, "trusted-os: none"},
		{KNOB_IMPLEMENTATIONS, HVC_FN_KVM_DISCOVER_IMPL_CPUS, "implementations: []"},
	};
	const struct hvc_policy *policy = loader->policy;

	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
		const struct pol_knob *knob = set_knob(policy, needs[i].knob);

		if (knob != NULL && knob->value != 0 && !has_function(policy, needs[i].fn)) {
			const struct hvc_function *function = hvc_function_at(needs[i].fn);
			char later[40] = "";

			if (function->profile > HVC_SERVED_HVCGATE_1) {
				snprintf(later, sizeof(later), ", or profile: hvcgate-%u",
					 function->profile);
			}
			diags_error(loader->diags, &knob->mark, "%s has no %s; write %s%s",
				    abi_profile_name(policy->profile), function->name,
				    needs[i].right, later);
		}
	}
}

/* --- Registers. */
/* A register that a file gives something: the key that does, or NULL. */
static const struct pol_knob *giver(const struct hvc_policy *policy, unsigned int reg,
				    uint64_t allowed)
{
	const struct pol_knob *knob = set_knob(policy, KNOB_REG + reg);

	if (knob != NULL && reg < HVC_REG_STD_BMAP) {
		return knob->value != 0 ? knob : NULL;
	}
	for (unsigned int bit = 0; bit < 64; bit++) {
		knob = set_knob(policy, KNOB_OF_BIT(reg, bit));
		if (knob != NULL && !knob->soft && knob->value != 0 && !(allowed >> bit & 1)) {
			return knob;
		}
	}
	return NULL;
}

static void check_bits(struct loader *loader, unsigned int reg)
{
	const struct hvc_policy *policy = loader->policy;
	const struct hvc_settings *base = &policy->base;
	const char *name = abi_profile_name(policy->profile);
	const struct pol_knob *knob = giver(policy, reg, base_mask(policy, reg));

	if (knob == NULL) {
		return;
	}
	if (reg >= base->reg_count) {
		diags_error(loader->diags, &knob->mark,
			    "'%s' needs %s, which %s has not: its %u registers end with %s",
			    knob->key, hvc_register_name(reg), name, base->reg_count,
			    hvc_register_name(base->reg_count - 1));
	} else {
		diags_error(loader->diags, &knob->mark,
			    "'%s' needs a bit that %s of %s has not: its bits are 0x%" PRIx64,
			    knob->key, hvc_register_name(reg), name, base->reg_mask[reg]);
	}
}

/* Registers from `first` on mean nothing, says `by`. */
static void check_hidden(struct loader *loader, unsigned int first, const struct pol_knob *by)
{
	const struct hvc_policy *policy = loader->policy;

	for (unsigned int reg = first; reg < policy->base.reg_count; reg++) {
		const struct pol_knob *knob = giver(policy, reg, 0);

		if (knob != NULL) {
			diags_error(
				loader->diags, &knob->mark,
				"'%s' contradicts '%s' at %s:%u, which leaves the first %u registers, and %s is not one of them",
				knob->key, by->key, by->mark.file, by->mark.line, first,
				hvc_register_name(reg));
		}
	}
}

static void check_counts(struct loader *loader)
{
	const struct hvc_policy *policy = loader->policy;
	const struct pol_knob *show = set_knob(policy, KNOB_SHOW);
	const struct pol_knob *known = set_knob(policy, KNOB_KNOWN);
	const struct pol_knob *unknown = set_knob(policy, KNOB_UNKNOWN);

	if (show != NULL && show->value > policy->base.reg_count) {
		diags_error(loader->diags, &show->mark, "show-registers is %u, and %s has %u",
			    (unsigned int)show->value, abi_profile_name(policy->profile),
			    policy->base.reg_count);
	} else if (show != NULL) {
		check_hidden(loader, (unsigned int)show->value, show);
	}
	if (unknown != NULL && known == NULL) {
		diags_error(
			loader->diags, &unknown->mark,
			"'registers: unknown' is about registers above 'known', and there is no 'known'; write registers: {known: 7, unknown: %s}",
			unknown->value != 0 ? "clear" : "keep");
	} else if (unknown != NULL && unknown->value != 0) {
		check_hidden(loader, (unsigned int)known->value, unknown);
	}
}

/* A kernel bit for bit asks nobody about power states. */
static void check_power(struct loader *loader)
{
	const struct hvc_policy *policy = loader->policy;
	static const unsigned int knobs[] = {KNOB_POWER_STATES, KNOB_POWER_FORMAT};

	for (size_t i = 0; i < sizeof(knobs) / sizeof(knobs[0]); i++) {
		const struct pol_knob *knob = set_knob(policy, knobs[i]);

		if (knob != NULL && knob->value != 0 &&
		    knob_value(policy, KNOB_STRICTNESS) == HVC_STRICT_KVM) {
			diags_error(
				loader->diags, &knob->mark,
				"'%s' means nothing with strictness kvm: that kernel takes any power state; write strictness: spec",
				knob->key);
		}
	}
	power_check(loader);
}

void profile_check(struct loader *loader)
{
	check_power(loader);
	check_modes(loader);
	check_versions(loader);
	check_functions(loader);
	for (unsigned int reg = HVC_REG_STD_BMAP; reg < HVC_REG_COUNT; reg++) {
		check_bits(loader, reg);
	}
	check_counts(loader);
}

/* --- Registers that mean nothing. */
static uint32_t least_psci(const struct hvc_policy *policy)
{
	for (uint32_t minor = 0; minor <= 3; minor++) {
		if (policy->base.psci_versions & HVC_PSCI_BIT(HVC_VERSION(0, 2))) {
			break;
		}
		if (policy->base.psci_versions & HVC_PSCI_BIT(HVC_VERSION(1, minor))) {
			return HVC_VERSION(1, minor);
		}
	}
	return HVC_VERSION(0, 2);
}

static void clear_from(struct hvc_policy *policy, unsigned int first)
{
	for (unsigned int reg = first; reg < HVC_REG_COUNT; reg++) {
		policy->settings.regs[reg] = reg == HVC_REG_PSCI_VERSION ? least_psci(policy) : 0;
	}
}

/* The engine asks no register that is not there: what a hidden one, or an unseen bit, would take away goes here. */
static void drop_functions(struct hvc_policy *policy)
{
	struct hvc_settings *settings = &policy->settings;

	for (unsigned int slot = 1; slot < HVC_FN_COUNT; slot++) {
		const struct hvc_function *function = hvc_function_at(slot);

		if (function->reg == HVC_REG_NONE || function->reg < settings->reg_count) {
			continue;
		}
		if (function->reg < policy->base.reg_count ||
		    knob_value(policy, KNOB_OF_BIT(function->reg, function->reg_bit)) == 0) {
			settings->functions[slot / 64] &= ~(1ull << slot % 64);
		}
	}
}

void profile_settle_registers(struct hvc_policy *policy)
{
	const struct pol_knob *known = &policy->knobs[KNOB_KNOWN];

	policy->settings.reg_count = (uint32_t)knob_value(policy, KNOB_SHOW);
	clear_from(policy, policy->settings.reg_count);
	if (known->set && knob_value(policy, KNOB_UNKNOWN) != 0) {
		clear_from(policy, (unsigned int)known->value);
	}
	drop_functions(policy);
}
