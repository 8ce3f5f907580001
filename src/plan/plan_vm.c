/* SPDX-License-Identifier: BSD-2-Clause */
/* The two VMs that a plan compares: the kernel's and the policy's. Their host is the same, so that what differs is
 * theirs. */
#define _ISOC11_SOURCE
#include <stdlib.h>
#include <string.h>

#include <hvcgate/event.h>

#include "allow.h"
#include "check.h"
#include "plan_internal.h"

/* --- The host: what the engine has in user space on KVM. No callback for what only EL2 can do. */
static bool starts(void *host, uint32_t vcpu)
{
	(void)host;
	(void)vcpu;
	return true;
}

static bool is_ram(void *host, uint64_t ipa)
{
	(void)host;
	return ipa >= PLAN_RAM && ipa - PLAN_RAM < PLAN_RAM_BYTES;
}

static bool gives_words(void *host, uint64_t *words, uint32_t n)
{
	(void)host;
	memset(words, 0x5a, n * sizeof(*words));
	return true;
}

static bool steals(void *host, uint32_t vcpu, uint64_t ipa)
{
	(void)host;
	(void)vcpu;
	return ipa != 0;
}

static bool tells_time(void *host, uint32_t vcpu, bool physical, uint64_t *ns, uint64_t *counter)
{
	(void)host;
	(void)vcpu;
	*ns = 0x123456789abcdef0ull;
	*counter = physical ? 0x1111111122222222ull : 0x3333333344444444ull;
	return true;
}

static uint64_t counts(void *host)
{
	(void)host;
	return 1000;
}

static void choose_host(struct hvc_platform *platform)
{
	*platform = (struct hvc_platform){
		.size = sizeof(*platform),
		.cpu_start = starts,
		.is_ram = is_ram,
		.entropy = gives_words,
		.stolen_time = steals,
		.ptp = tells_time,
		.now_us = counts,
	};
}

/* --- Memory. */
#define EVENTS 16

static void *aligned(size_t bytes)
{
	return aligned_alloc(64, (bytes + 63) / 64 * 64);
}

enum hvc_err plan_vm_make(struct plan_vm *vm, struct hvc_image *image)
{
	*vm = (struct plan_vm){.image = image};
	choose_host(&vm->platform);
	vm->config = (struct hvc_vm_config){
		.size = sizeof(vm->config),
		.vcpu_count = 2,
		.image = image,
		.platform = &vm->platform,
		.flags = HVC_VM_FORWARD,
		.stats_bytes = hvc_stats_size(2),
		.event_bytes = hvc_event_size(EVENTS),
	};
	vm->config.stats_memory = aligned(vm->config.stats_bytes);
	vm->config.event_memory = aligned(vm->config.event_bytes);
	vm->vm = aligned(hvc_vm_size());
	vm->vcpus[0] = aligned(hvc_vcpu_size());
	vm->vcpus[1] = aligned(hvc_vcpu_size());
	if (vm->config.stats_memory == NULL || vm->config.event_memory == NULL || vm->vm == NULL ||
	    vm->vcpus[0] == NULL || vm->vcpus[1] == NULL) {
		return HVC_ENOMEM;
	}
	return plan_vm_again(vm);
}

void plan_vm_free(struct plan_vm *vm)
{
	free(vm->image);
	free(vm->vm);
	free(vm->vcpus[0]);
	free(vm->vcpus[1]);
	free(vm->config.stats_memory);
	free(vm->config.event_memory);
}

enum hvc_err plan_vm_again(struct plan_vm *vm)
{
	enum hvc_err err = hvc_vm_init(vm->vm, &vm->config, vm->vcpus);

	for (unsigned int i = 0; i < 2 && err == HVC_OK; i++) {
		err = hvc_vcpu_set_stolen_time(vm->vcpus[i], PLAN_RAM + 64 * i);
	}
	for (size_t i = 0; vm->plan != NULL && i < vm->plan->register_count && err == HVC_OK; i++) {
		err = hvc_vm_set_reg(vm->vm, vm->plan->registers[i].id,
				     vm->plan->registers[i].value);
	}
	if (err == HVC_OK) {
		hvc_vm_freeze(vm->vm);
	}
	return err;
}

/* --- The kernel's settings. A record may be of a kernel between two profiles, so that all it says goes before. */
static void apply_registers(const json_t *record, struct hvc_settings *settings)
{
	const json_t *firmware = json_object_get(record, "firmware");

	settings->reg_count = 0;
	while (settings->reg_count < HVC_REG_COUNT &&
	       settings->reg_count < json_array_size(firmware)) {
		const json_t *from = json_array_get(firmware, settings->reg_count);
		const unsigned int reg = settings->reg_count++;
		uint64_t known = ~0ull;

		if (reg >= HVC_REG_STD_BMAP) {
			known = policy_register_bits(reg);
			settings->reg_mask[reg] = known &
						  json_hex(json_object_get(from, "legal-bits"));
			known = settings->reg_mask[reg];
		}
		settings->regs[reg] = known & json_hex(json_object_get(from, "value"));
	}
	for (unsigned int reg = settings->reg_count; reg < HVC_REG_COUNT; reg++) {
		settings->regs[reg] = settings->reg_mask[reg] = 0;
	}
}

/* Versions that there are names for; 0.1 is of vCPUs without PSCI_0_2, which a plan is not for. */
static void apply_versions(const json_t *record, struct hvc_settings *settings)
{
	static const uint32_t known[] = {HVC_VERSION(0, 2), HVC_VERSION(1, 0), HVC_VERSION(1, 1),
					 HVC_VERSION(1, 2), HVC_VERSION(1, 3)};
	const json_t *accepted = json_object_get(json_array_get(json_object_get(record, "firmware"),
								HVC_REG_PSCI_VERSION),
						 "accepted");

	settings->psci_versions = 0;
	for (size_t i = 0; i < json_array_size(accepted); i++) {
		for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); k++) {
			if (json_version(json_array_get(accepted, i)) == known[k]) {
				settings->psci_versions |= HVC_PSCI_BIT(known[k]);
			}
		}
	}
}

/* Did this call, in some configuration, do other than answer -1? */
static bool is_served(const json_t *answer)
{
	const json_t *results = json_object_get(answer, "results");

	for (size_t i = 0; i < json_array_size(results); i++) {
		const json_t *x = json_object_get(json_array_get(results, i), "x");

		if (x == NULL ||
		    strcmp(json_string_value(json_array_get(x, 0)), "0xffffffffffffffff") != 0) {
			return true;
		}
	}
	return false;
}

/* Functions that the record knows nothing of are the profile's. */
static void apply_functions(const json_t *record, struct hvc_settings *settings)
{
	const json_t *answers = json_object_get(record, "answers");
	struct plan_set called = {{0}}, served = {{0}};

	for (size_t i = 0; i < json_array_size(answers); i++) {
		const json_t *answer = json_array_get(answers, i);
		const unsigned int slot = hvc_function_by_name(
			json_string_value(json_object_get(answer, "call")));

		called.bits[slot / 64] |= 1ull << slot % 64;
		served.bits[slot / 64] |= (uint64_t)is_served(answer) << slot % 64;
	}
	for (unsigned int i = 0; i < HVC_FN_WORDS; i++) {
		settings->functions[i] = (settings->functions[i] & ~called.bits[i]) |
					 served.bits[i];
	}
	settings->functions[0] &= ~1ull;
}

static void apply_quirks(const json_t *record, struct hvc_settings *settings)
{
	const json_t *quirks = json_object_get(record, "quirks");

	for (uint32_t quirk = 1; quirk < HVC_QUIRK_END; quirk <<= 1) {
		const json_t *seen = json_object_get(json_object_get(quirks, hvc_quirk_name(quirk)),
						     "seen");

		if (seen != NULL && json_yes(seen)) {
			settings->quirks |= quirk;
		} else if (seen != NULL && strcmp(json_string_value(seen), "no") == 0) {
			settings->quirks &= ~quirk;
		}
	}
}

void plan_kernel_settings(const struct hvc_plan_host *host, struct hvc_settings *settings)
{
	abi_profile_settings(host->profile, settings);
	if (host->record != NULL) {
		apply_registers(host->record, settings);
		apply_versions(host->record, settings);
		apply_functions(host->record, settings);
		apply_quirks(host->record, settings);
		settings->filter = json_yes(
			json_object_get(json_object_get(host->record, "filter"), "supported"));
	}
}

/* --- Images. */
enum hvc_err plan_kernel_image(const struct hvc_settings *settings, struct hvc_image **image)
{
	const size_t bytes = hvc_image_min_size();
	enum hvc_err err;

	*image = malloc(bytes);
	if (*image == NULL) {
		return HVC_ENOMEM;
	}
	err = hvc_image_begin(*image, bytes, settings);
	if (err == HVC_OK) {
		hvc_image_seal(*image);
	}
	return err;
}

enum hvc_err plan_policy_image(const struct hvc_policy *policy, const struct hvc_settings *kernel,
			       struct hvc_image **image)
{
	struct hvc_diags *diags = hvc_diags_new();
	enum hvc_err err;

	*image = NULL;
	err = diags == NULL ? HVC_ENOMEM : hvc_policy_compile(policy, image, diags);
	hvc_diags_free(diags);
	if (err != HVC_OK) {
		return err;
	}
	for (unsigned int reg = HVC_REG_WORKAROUND_1; reg <= HVC_REG_WORKAROUND_3; reg++) {
		if (!policy_says_register(policy, reg) && reg < (*image)->settings.reg_count) {
			(*image)->settings.regs[reg] = kernel->regs[reg];
		}
	}
	hvc_image_seal(*image);
	return HVC_OK;
}

enum hvc_err hvc_plan_image(const struct hvc_policy *policy, const struct hvc_plan_host *host,
			    struct hvc_image **image)
{
	struct hvc_settings kernel;

	plan_kernel_settings(host, &kernel);
	return plan_policy_image(policy, &kernel, image);
}
