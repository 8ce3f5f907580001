/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hvcgate probe --format nfd: a file for the `local` source of Kubernetes' node-feature-discovery, a label a line.
 * Keys and values are what labels may be: letters, digits, '-', '_', '.', at most 63.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../abi/abi.h"
#include "probe_print.h"

static void label(const char *key, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void label(const char *key, const char *format, ...)
{
	va_list args;

	printf("feature.node.kubernetes.io/hvcgate.%s=", key);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

static void print_versions(const json_t *record)
{
	const json_t *psci = probe_find(json_object_get(record, "firmware"), "name",
					hvc_register_name(HVC_REG_PSCI_VERSION));
	const json_t *accepted = json_object_get(psci, "accepted");
	uint64_t version = 0;
	char key[32];

	if (probe_default_answer(record, HVC_FN_SMCCC_VERSION, "hvc", &version)) {
		label("smccc", "%" PRIu64 ".%" PRIu64, version >> 16, version & 0xffff);
	}
	if (probe_default_answer(record, HVC_FN_PSCI_VERSION, "hvc", &version)) {
		label("psci", "%" PRIu64 ".%" PRIu64, version >> 16, version & 0xffff);
	}
	for (size_t i = 0; i < json_array_size(accepted); i++) {
		const char *text = json_string_value(json_array_get(accepted, i));

		snprintf(key, sizeof(key), "psci-%s", text != NULL ? text : "?");
		label(key, "true");
	}
}

static void print_workarounds(const json_t *record)
{
	const json_t *firmware = json_object_get(record, "firmware");

	for (unsigned int n = 0; n < 3; n++) {
		const json_t *reg = probe_find(firmware, "name",
					       hvc_register_name(HVC_REG_WORKAROUND_1 + n));
		const char *value = json_string_value(json_object_get(reg, "value"));
		char key[32];

		if (value != NULL && strncmp(value, "0x", 2) == 0) {
			snprintf(key, sizeof(key), "workaround-%u", n + 1);
			label(key, "%s", value + 2);
		}
	}
}

static void print_functions(const json_t *record)
{
	static const struct {
		const char *key;
		enum hvc_fn function;
		const char *config;
	} functions[] = {
		{"trng", HVC_FN_TRNG_VERSION, "default"},
		{"pv-time", HVC_FN_PV_TIME_ST, "stolen-time"},
		{"ptp", HVC_FN_KVM_PTP, "default"},
		{"kvm-features", HVC_FN_KVM_FEATURES, "default"},
	};

	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		label(functions[i].key, "%s",
		      probe_is_answered(record, functions[i].function, "hvc", functions[i].config)
			      ? "true"
			      : "false");
	}
	label("smc", "%s",
	      probe_is_answered(record, HVC_FN_SMCCC_VERSION, "smc", "default") ? "true" : "false");
	label("system-suspend", "%s",
	      json_object_get(json_object_get(record, "capabilities"),
			      "KVM_CAP_ARM_SYSTEM_SUSPEND") != NULL
		      ? "true"
		      : "false");
}

/* Without its revision, which has a letter that labels do not. */
static void print_profile(const json_t *record)
{
	const struct abi_profile *profile = abi_record_profile(record);

	if (profile != NULL) {
		const char *name = abi_profile_name(profile);

		label("profile", "%.*s", (int)strcspn(name, "@"), name);
	}
}

void probe_print_nfd(const json_t *record)
{
	print_profile(record);
	print_versions(record);
	print_functions(record);
	label("filter", "%s",
	      strcmp(probe_text(record, "filter", "supported"), "yes") == 0 ? "true" : "false");
	label("feature-registers", "%zu", json_array_size(json_object_get(record, "firmware")));
	print_workarounds(record);
	label("emulated", "%s", probe_text(record, "host", "emulated"));
}
