/* SPDX-License-Identifier: BSD-2-Clause */
/* Making a plan: two VMs, the registers, then what still differs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "moves.h"
#include "plan_internal.h"

const char *hvc_plan_why_name(unsigned int why)
{
	static const char *const names[PLAN_WHY_COUNT] = {"handler",   "notify",    "missing",
							  "discovery", "otherwise", "revocable"};

	return why < PLAN_WHY_COUNT ? names[why] : "?";
}

/* --- Hosts. */
bool hvc_plan_host_find(struct hvc_plan_host *host, const char *name, char *why, size_t size)
{
	*host = (struct hvc_plan_host){.profile = abi_profile_find(name)};
	if (host->profile != NULL && abi_profile_ours(host->profile) != 0) {
		snprintf(why, size,
			 "%s is no kernel's profile; name one, such as linux-6.12, or a record",
			 abi_profile_name(host->profile));
		return false;
	}
	if (host->profile != NULL) {
		return true;
	}
	host->record = abi_record_load(name, why, size);
	if (host->record == NULL) {
		return false;
	}
	host->profile = abi_record_profile(host->record);
	if (host->profile == NULL) {
		snprintf(why, size, "%s: is of an older kernel than any profile there is", name);
		json_decref((json_t *)(uintptr_t)host->record);
		host->record = NULL;
		return false;
	}
	return true;
}

static const char *release_of(const struct hvc_plan_host *host)
{
	const char *release = json_string_value(
		json_object_get(json_object_get(host->record, "host"), "kernel"));

	return release != NULL ? release : "";
}

/* Protected VMs came with 7.1 (docs/kvm-facts.md). */
static bool makes_protected(const struct hvc_plan_host *host)
{
	const char *text = host->record != NULL ? release_of(host)
						: strchr(abi_profile_name(host->profile), '-') + 1;
	char *end;
	const unsigned long major = strtoul(text, &end, 10);
	const unsigned long minor = *end == '.' ? strtoul(end + 1, NULL, 10) : 0;

	return major > 7 || (major == 7 && minor >= 1);
}

/* --- The plan. */
static void describe(struct planner *planner)
{
	struct hvc_plan *plan = planner->plan;

	plan->profile = abi_profile_name(planner->host->profile);
	snprintf(plan->kernel, sizeof(plan->kernel), "%s", release_of(planner->host));
	memcpy(plan->policy_sha256, hvc_policy_sha256(planner->policy),
	       sizeof(plan->policy_sha256));
	plan->filter = planner->kernel_settings.filter != 0;
	plan->registers_there = planner->kernel_settings.reg_count;
	plan->shown = hvc_policy_settings(planner->policy)->reg_count;
	plan->spec = hvc_policy_settings(planner->policy)->strictness == HVC_STRICT_SPEC;
	plan->differs = makes_protected(planner->host) ? PLAN_DIFFERS_PROTECTED : 0;
}

static enum hvc_err make_vms(struct planner *planner)
{
	struct hvc_image *image = NULL;
	enum hvc_err err = plan_kernel_image(&planner->kernel_settings, &image);

	if (err != HVC_OK) {
		free(image);
		return err;
	}
	err = plan_vm_make(&planner->kernel, image);
	if (err != HVC_OK) {
		return err;
	}
	err = plan_policy_image(planner->policy, &planner->kernel_settings, &image);
	if (err != HVC_OK) {
		return err;
	}
	image->settings.trusted_os_cpu = 0; /* all calls are made by the first vCPU */
	hvc_image_seal(image);
	return plan_vm_make(&planner->own, image);
}

/* A range may be forwarded that has no function. */
static void settle_travel(struct planner *planner)
{
	const enum policy_travel said = policy_travel(planner->policy);
	struct hvc_plan *plan = planner->plan;

	for (size_t i = 0; i < plan->range_count; i++) {
		plan->state |= plan->ranges[i].action == HVC_FORWARD;
	}
	plan->travels = said == POLICY_TRAVEL_YES || (said == POLICY_TRAVEL_UNSAID && plan->state);
	plan->stranded = said == POLICY_TRAVEL_NO && plan->state;
	plan->refused |= plan->stranded;
}

static enum hvc_err fill(struct planner *planner)
{
	enum hvc_err err = make_vms(planner);

	if (err != HVC_OK) {
		return err;
	}
	describe(planner);
	plan_registers(planner);
	planner->kernel.plan = planner->plan;
	err = plan_vm_again(&planner->kernel);
	if (err == HVC_OK) {
		err = plan_ranges(planner);
	}
	if (err == HVC_OK) {
		plan_limits(planner);
		plan_seen(planner);
		settle_travel(planner);
	}
	return err;
}

enum hvc_err hvc_plan_make(const struct hvc_policy *policy, const struct hvc_plan_host *host,
			   struct hvc_plan **plan)
{
	struct planner planner = {.policy = policy, .host = host};
	enum hvc_err err;

	*plan = NULL;
	if (host->profile == NULL || abi_profile_ours(host->profile) != 0) {
		return HVC_EINVAL;
	}
	planner.plan = calloc(1, sizeof(*planner.plan));
	if (planner.plan == NULL) {
		return HVC_ENOMEM;
	}
	plan_kernel_settings(host, &planner.kernel_settings);
	err = fill(&planner);
	plan_vm_free(&planner.kernel);
	plan_vm_free(&planner.own);
	if (err != HVC_OK) {
		hvc_plan_free(planner.plan);
		return err;
	}
	*plan = planner.plan;
	return HVC_OK;
}

void hvc_plan_free(struct hvc_plan *plan)
{
	if (plan != NULL) {
		free(plan->ranges);
		free(plan->forwards);
		free(plan);
	}
}
