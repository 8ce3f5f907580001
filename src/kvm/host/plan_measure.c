/* SPDX-License-Identifier: BSD-2-Clause */
/* A plan for the machine that this runs on: its registers are measured in VMs that never run. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hvcgate/kvm.h>

#include "../probe/probe.h"
#include "plan_internal.h"
#include "plan_make.h"

/* --- The profile. */
/* Does the kernel have the registers, versions and filter of this profile? */
static bool fits_profile(const struct abi_profile *profile, const struct hvc_settings *measured)
{
	struct hvc_settings settings;

	abi_profile_settings(profile, &settings);
	return settings.reg_count == measured->reg_count && settings.filter == measured->filter &&
	       settings.psci_versions == measured->psci_versions &&
	       memcmp(settings.reg_mask, measured->reg_mask, sizeof(settings.reg_mask)) == 0;
}

const struct abi_profile *plan_profile_of(const json_t *record, bool *fits)
{
	const struct abi_profile *by_series = abi_record_profile(record), *best = NULL, *profile;
	struct hvc_settings measured;

	*fits = false;
	if (by_series == NULL) {
		return NULL;
	}
	plan_kernel_settings(&(struct hvc_plan_host){.profile = by_series, .record = record},
			     &measured);
	for (size_t n = 0; (profile = abi_profile_at(n)) != NULL; n++) {
		if (abi_profile_ours(profile) == 0 && fits_profile(profile, &measured)) {
			best = profile;
		}
	}
	*fits = best != NULL;
	return best == NULL || fits_profile(by_series, &measured) ? by_series : best;
}

/* "linux-7.3@1" is of 7.3: is the host's kernel of the same series? */
static bool same_series(const char *profile, const char *kernel)
{
	const size_t length = strcspn(profile, "@") - strlen("linux-");

	return strncmp(profile + strlen("linux-"), kernel, length) == 0 &&
	       (kernel[length] < '0' || kernel[length] > '9');
}

static void say_profile(const struct abi_profile *profile, const json_t *record, bool fits,
			char *note, size_t size)
{
	const char *kernel = json_string_value(
		json_object_get(json_object_get(record, "host"), "kernel"));
	const char *name = abi_profile_name(profile);

	note[0] = '\0';
	if (!fits) {
		snprintf(
			note, size,
			"%s: no known kernel has these registers; taken as %s with what was measured",
			kernel, name);
	} else if (!same_series(name, kernel)) {
		snprintf(note, size, "%s: taken as %s, which has the same registers", kernel, name);
	}
}

/* --- The policy. */
static struct hvc_policy *load(const char *path, char *why, size_t size)
{
	struct hvc_diags *diags = hvc_diags_new();
	struct hvc_policy *policy = NULL;
	size_t used = 0;

	if (diags == NULL) {
		return NULL;
	}
	(void)hvc_policy_load(path, &policy, diags);
	for (size_t n = 0; policy == NULL && hvc_diags_at(diags, n) != NULL; n++) {
		const struct hvc_diag *diag = hvc_diags_at(diags, n);
		int length = 0;

		if (diag->severity == HVC_ERROR && used < size) {
			length = snprintf(why + used, size - used, "%s%s:%u:%u: %s",
					  used != 0 ? "\n" : "", diag->file, diag->line,
					  diag->column, diag->message);
		}
		used += length > 0 ? (size_t)length : 0;
	}
	hvc_diags_free(diags);
	return policy;
}

/* --- All of it. */
static enum hvc_err plan_here(const struct hvc_policy *policy, const json_t *record,
			      const struct compat_host *from, void **bytes, size_t *size, char *why,
			      size_t why_size)
{
	char note[256] = "";
	struct hvc_plan_host host = {.record = record};
	enum hvc_err err;
	size_t used;
	bool fits;

	host.profile = plan_profile_of(record, &fits);
	if (host.profile == NULL) {
		snprintf(why, why_size, "%s: this kernel is older than any that is known",
			 json_string_value(
				 json_object_get(json_object_get(record, "host"), "kernel")));
		return HVC_EINVAL;
	}
	say_profile(host.profile, record, fits, note, sizeof(note));
	err = plan_bytes_make(policy, &host, from, bytes, size, why, why_size);
	used = strlen(why);
	snprintf(why + used, why_size - used, "%s%s", used != 0 && note[0] != '\0' ? "\n" : "",
		 note);
	return err;
}

enum hvc_err hvc_kvm_plan_bytes(const char *policy, const char *from, void **bytes, size_t *size,
				char *why, size_t why_size)
{
	char own_why[4096] = "";
	struct hvc_policy *loaded = load(policy, own_why, sizeof(own_why));
	struct compat_host *source = NULL;
	enum hvc_err err = loaded == NULL && own_why[0] != '\0' ? HVC_EINVAL
			   : loaded == NULL                     ? HVC_ENOMEM
								: HVC_OK;
	json_t *record = NULL;

	*bytes = NULL;
	*size = 0;
	if (err == HVC_OK && from != NULL) {
		source = compat_host_open(from, own_why, sizeof(own_why));
		err = source == NULL ? HVC_EINVAL : HVC_OK;
	}
	if (err == HVC_OK) {
		record = kvm_probe_registers(own_why, sizeof(own_why));
		err = record == NULL ? HVC_EIO : HVC_OK;
	}
	if (err == HVC_OK) {
		err = plan_here(loaded, record, source, bytes, size, own_why, sizeof(own_why));
	}
	if (why != NULL && why_size != 0) {
		snprintf(why, why_size, "%s", own_why);
	}
	json_decref(record);
	compat_host_free(source);
	hvc_policy_free(loaded);
	return err;
}
