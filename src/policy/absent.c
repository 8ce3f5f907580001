/* SPDX-License-Identifier: BSD-2-Clause */
/* Which functions the engine would answer under a policy's settings, rules aside; asked of the engine itself. */
#define _ISOC11_SOURCE
#include <inttypes.h>
#include <stdlib.h>

#include <hvcgate/engine.h>

#include "internal.h"

struct probe {
	struct hvc_image *image;
	struct hvc_vm *vm;
	struct hvc_vcpu *vcpu;
	struct hvc_counters *counters;
};

static void *aligned(size_t bytes)
{
	return aligned_alloc(64, (bytes + 63) / 64 * 64);
}

static void probe_free(struct probe *probe)
{
	free(probe->image);
	free(probe->vm);
	free(probe->vcpu);
	free(probe->counters);
}

/* A VM with the policy's settings and without any rule. */
static enum hvc_err probe_make(struct probe *probe, const struct hvc_settings *settings)
{
	enum hvc_err err;

	struct hvc_vm_config config = {.size = sizeof(config), .vcpu_count = 1};

	probe->image = aligned(hvc_image_min_size());
	probe->vm = aligned(hvc_vm_size());
	probe->vcpu = aligned(hvc_vcpu_size());
	probe->counters = calloc(1, sizeof(*probe->counters));
	if (probe->image == NULL || probe->vm == NULL || probe->vcpu == NULL ||
	    probe->counters == NULL) {
		return HVC_ENOMEM;
	}
	err = hvc_image_begin(probe->image, hvc_image_min_size(), settings);
	if (err != HVC_OK) {
		return err;
	}
	hvc_image_seal(probe->image);
	config.image = probe->image;
	err = hvc_vm_init(probe->vm, &config, &probe->vcpu);
	return err != HVC_OK ? err : hvc_vcpu_setup(probe->vcpu, 0, probe->counters);
}

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
	if (slot == HVC_FN_SMCCC_ARCH_SOC_ID && settings->soc_id_present == 0) {
		return "soc-id is none";
	}
	if (workaround_off(settings, slot, &number)) {
		return arena_printf(&policy->arena, "workaround %u is not-available", number);
	}
	return "the EL2 layer does not have what it needs";
}

/* For a reserved ID the outcome is "reserved" either way: call it, which changes nothing, and look at the
 * counters. */
static bool answered_reserved(const struct probe *probe, unsigned int slot, uint32_t id)
{
	struct hvc_frame frame = {.x = {id}};
	uint64_t before = probe->counters->calls[slot][HVC_ANSWERED];

	hvc_call(probe->vcpu, HVC_CONDUIT_HVC, 0, &frame);
	return probe->counters->calls[slot][HVC_ANSWERED] != before;
}

static bool answered(const struct probe *probe, unsigned int slot)
{
	const struct hvc_function *function = hvc_function_at(slot);
	uint32_t id = function->id32 != 0 ? function->id32 : function->id64;
	struct hvc_outcome outcome = hvc_filter_query(probe->vm, id);

	return outcome.decider == HVC_BY_RESERVED ? answered_reserved(probe, slot, id)
						  : outcome.decider == HVC_BY_SERVICE;
}

void absent_build(struct loader *loader)
{
	struct hvc_policy *policy = loader->policy;
	const struct pol_mark whole = {.file = policy->path};
	struct probe probe = {0};
	enum hvc_err err = probe_make(&probe, &policy->settings);

	for (unsigned int slot = 1; err == HVC_OK && slot < HVC_FN_COUNT; slot++) {
		if (!policy_has_function(policy, slot) || !answered(&probe, slot)) {
			policy->absent[slot] = reason(policy, slot);
		}
	}
	probe_free(&probe);
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
