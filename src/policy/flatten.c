/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The effective policy as canonical YAML: parents merged, every default written out, rules that nothing
 * reaches left out. Reading it back gives the same policy and the same bytes.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "allow.h"
#include "internal.h"
#include "sha256.h"
#include "values.h"

struct text {
	char *bytes;
	size_t length, capacity;
	bool oom;
};

static void put(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put(struct text *text, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (length < 0 ||
	    !array_reserve(&text->bytes, &text->capacity, text->length + (size_t)length + 1, 1)) {
		text->oom = true;
		return;
	}
	va_start(args, format);
	vsnprintf(text->bytes + text->length, (size_t)length + 1, format, args);
	va_end(args);
	text->length += (size_t)length;
}

/* Printable ASCII between double quotes. */
static void put_quoted(struct text *text, const char *value)
{
	put(text, "\"");
	for (; *value != '\0'; value++) {
		put(text, *value == '"' || *value == '\\' ? "\\%c" : "%c", *value);
	}
	put(text, "\"");
}

static void put_version(struct text *text, const char *key, uint64_t version)
{
	put(text, "%s: \"%u.%u\"\n", key, (unsigned int)(version >> 16 & 0xffff),
	    (unsigned int)(version & 0xffff));
}

static void put_identity(struct text *text, const struct hvc_policy *policy)
{
	char uuid[37];

	switch ((enum pol_identity)knob_value(policy, KNOB_IDENTITY)) {
	case IDENTITY_NONE:
		put(text, "identity: none\n");
		break;
	case IDENTITY_KVM:
		put(text, "identity: kvm\n");
		break;
	case IDENTITY_UID:
		format_uuid(policy->uid, uuid);
		put(text, "identity: {uid: \"%s\"}\n", uuid);
		break;
	}
}

/* Keys that came with hvcgate-2 are written out for it; elsewhere only where they say something, so that digests of
 * older policies stay. */
static bool all_said(const struct hvc_policy *policy)
{
	return abi_profile_ours(policy->profile) >= 2;
}

static void put_soc_id(struct text *text, const struct hvc_policy *policy)
{
	if (!policy->settings.soc_id_present) {
		put(text, "soc-id: none\n");
		return;
	}
	put(text, "soc-id: {version: 0x%08" PRIx32 ", revision: 0x%08" PRIx32,
	    policy->settings.soc_version, policy->settings.soc_revision);
	if (policy->tables.soc_name[0] != '\0') {
		put(text, ", name: ");
		put_quoted(text, policy->tables.soc_name);
	}
	put(text, "}\n");
}

static void put_power(struct text *text, const struct hvc_policy *policy)
{
	const struct hvc_settings *settings = &policy->settings;
	const struct hvc_policy_power_state *state;

	if (settings->power_state_format != 0 || all_said(policy)) {
		put(text, "power-state-format: %s\n",
		    settings->power_state_format != 0 ? "extended" : "original");
	}
	if (hvc_policy_power_state(policy, 0) != NULL || all_said(policy)) {
		put(text, "power-states:%s\n",
		    hvc_policy_power_state(policy, 0) != NULL ? "" : " []");
	}
	for (size_t n = 0; (state = hvc_policy_power_state(policy, n)) != NULL; n++) {
		put(text,
		    "  - {name: %s, param: 0x%08" PRIx32 ", level: %s, entry-latency: %" PRIu32
		    "us, exit-latency: %" PRIu32 "us, min-residency: %" PRIu32 "us}\n",
		    state->name, state->param, power_level_name(state->level), state->entry_us,
		    state->exit_us, state->residency_us);
	}
	if (settings->os_initiated != 0 || all_said(policy)) {
		put(text, "os-initiated: %s\n", settings->os_initiated != 0 ? "on" : "off");
	}
}

static void put_trusted_os(struct text *text, const struct hvc_policy *policy)
{
	const struct hvc_settings *settings = &policy->settings;

	if (settings->trusted_os != HVC_TRUSTED_OS_NONE) {
		put(text, "trusted-os: {cpu: %" PRIu32 ", migrates: %s}\n",
		    settings->trusted_os_cpu,
		    settings->trusted_os == HVC_TRUSTED_OS_MIGRATES ? "yes" : "no");
	} else if (all_said(policy)) {
		put(text, "trusted-os: none\n");
	}
}

static void put_implementations(struct text *text, const struct hvc_policy *policy)
{
	const struct hvc_tables *tables = &policy->tables;

	if (tables->implementation_count != 0 || all_said(policy)) {
		put(text, "implementations:%s\n", tables->implementation_count != 0 ? "" : " []");
	}
	for (uint32_t i = 0; i < tables->implementation_count; i++) {
		const struct hvc_implementation *cpu = &tables->implementations[i];

		put(text,
		    "  - {midr: 0x%08" PRIx64 ", revidr: 0x%" PRIx64 ", aidr: 0x%" PRIx64 "}\n",
		    cpu->midr, cpu->revidr, cpu->aidr);
	}
}

static void put_allow(struct text *text, const struct hvc_policy *policy)
{
	const char *comma = "";

	if (knob_value(policy, KNOB_ALLOW) == 0 && !all_said(policy)) {
		return;
	}
	put(text, "allow: [");
	for (unsigned int i = 0; i < ALLOW_COUNT; i++) {
		if (policy_allows(policy, i)) {
			put(text, "%s%s", comma, policy_allow_name(i));
			comma = ", ";
		}
	}
	put(text, "]\n");
}

static void put_revocable(struct text *text, const struct hvc_policy *policy)
{
	const char *comma = "";
	bool any = all_said(policy);

	for (unsigned int i = 0; i < HVC_FN_WORDS; i++) {
		any |= policy->revocable[i] != 0;
	}
	if (!any) {
		return;
	}
	put(text, "revocable: [");
	for (unsigned int slot = 1; slot < HVC_FN_COUNT; slot++) {
		if (policy->revocable[slot / 64] >> slot % 64 & 1) {
			put(text, "%s%s", comma, hvc_function_at(slot)->name);
			comma = ", ";
		}
	}
	put(text, "]\n");
}

static void put_list(struct text *text, const struct hvc_policy *policy, const char *key,
		     const struct pol_registers *list)
{
	char name[32];

	if (list->count == 0 && !all_said(policy)) {
		return;
	}
	put(text, "%s: [", key);
	for (size_t i = 0; i < list->count; i++) {
		put(text, "%s%s", i != 0 ? ", " : "",
		    policy_register_name(list->ids[i], name, sizeof(name)));
	}
	put(text, "]\n");
}

/* What is not said about travelling depends on the host's plan. */
static void put_moves(struct text *text, const struct hvc_policy *policy)
{
	put_revocable(text, policy);
	if (policy_travel(policy) != POLICY_TRAVEL_UNSAID) {
		put(text, "travel: %s\n",
		    policy_travel(policy) == POLICY_TRAVEL_YES ? "yes" : "no");
	}
	put_list(text, policy, "hide", &policy->hide);
	put_list(text, policy, "lose", &policy->lose);
}

static void put_settings(struct text *text, const struct hvc_policy *policy)
{
	const struct hvc_settings *settings = &policy->settings;

	put(text, "hvcgate: %u\nprofile: %s\nstrictness: %s\ndiscovery: %s\n", POL_FORMAT,
	    abi_profile_name(policy->profile),
	    settings->strictness == HVC_STRICT_KVM ? "kvm" : "spec",
	    settings->discovery == HVC_DISCOVERY_RAW ? "raw" : "coherent");
	put_version(text, "smccc", settings->smccc_version);
	put_version(text, "psci", settings->regs[HVC_REG_PSCI_VERSION]);
	put_identity(text, policy);
	put(text, "workaround-4: %s\n", level_name(settings->workaround_4));
	put_soc_id(text, policy);
	put(text, "system-suspend: %s\n", settings->system_suspend ? "on" : "off");
	put_power(text, policy);
	put_trusted_os(text, policy);
	put_implementations(text, policy);
	if (settings->replay != 0 || all_said(policy)) {
		put(text, "replay: %s\n", settings->replay != 0 ? "allowed" : "refused");
	}
	put_allow(text, policy);
	put_moves(text, policy);
}

/* Has it functions that no feature register gates? The others are said under `registers`. */
static bool has_ungated(unsigned int service)
{
	for (unsigned int slot = 1; slot < hvc_function_count(); slot++) {
		const struct hvc_function *function = hvc_function_at(slot);

		if (function->service == service && function->reg == HVC_REG_NONE) {
			return true;
		}
	}
	return false;
}

/* Has it functions that a profile has without the register that gates them, so that `registers` does not say it? */
static bool gated_unseen(const struct hvc_policy *policy, unsigned int service, bool *on)
{
	for (unsigned int slot = 1; slot < hvc_function_count(); slot++) {
		const struct hvc_function *function = hvc_function_at(slot);

		if (function->service == service && function->reg != HVC_REG_NONE &&
		    function->reg >= policy->base.reg_count && policy_has_function(policy, slot)) {
			*on = policy->settings.functions[slot / 64] >> slot % 64 & 1;
			return true;
		}
	}
	return false;
}

static void put_services(struct text *text, const struct hvc_policy *policy)
{
	put(text, "services:\n");
	for (unsigned int service = 1; service < HVC_SERVICE_COUNT; service++) {
		bool on = !service_denied(policy, service);

		if (service != HVC_SERVICE_ARCH &&
		    (has_ungated(service) || gated_unseen(policy, service, &on))) {
			put(text, "  %s: %s\n", hvc_service_name(service), on ? "on" : "off");
		}
	}
}

static void put_bitmap(struct text *text, unsigned int reg, uint64_t value)
{
	const char *comma = "";

	put(text, "  %s: [", hvc_register_name(reg));
	for (unsigned int bit = 0; bit < 64; bit++) {
		if (value >> bit & 1) {
			put(text, "%s%s", comma, bit_name(reg, bit));
			comma = ", ";
		}
	}
	put(text, "]\n");
}

/* A bit without a name cannot be written by name. */
static bool all_named(unsigned int reg, uint64_t value)
{
	for (unsigned int bit = 0; bit < 64; bit++) {
		if ((value >> bit & 1) && bit_name(reg, bit) == NULL) {
			return false;
		}
	}
	return true;
}

static void put_registers(struct text *text, const struct hvc_policy *policy)
{
	uint32_t shown = policy->settings.reg_count;

	if (shown != policy->base.reg_count) {
		put(text, "show-registers: %" PRIu32 "\n", shown);
	}
	put(text, shown > HVC_REG_WORKAROUND_1 ? "registers:\n" : "registers: {}\n");
	for (unsigned int reg = HVC_REG_WORKAROUND_1; reg < shown; reg++) {
		uint64_t value = policy->settings.regs[reg];

		if (reg >= HVC_REG_STD_BMAP && all_named(reg, value)) {
			put_bitmap(text, reg, value);
		} else if (reg >= HVC_REG_STD_BMAP) {
			put(text, "  %s: 0x%" PRIx64 "\n", hvc_register_name(reg), value);
		} else {
			bool two = reg == HVC_REG_WORKAROUND_2 && value == 3;

			put(text, "  %s: %s\n", hvc_register_name(reg),
			    level_name(two ? 2 : (uint32_t)value));
		}
	}
}

static void put_rule(struct text *text, const struct hvc_policy *policy,
		     const struct pol_rule *rule)
{
	size_t reached = 0;

	for (size_t i = 0; i < rule->target_count; i++) {
		reached += policy->targets[rule->target + i].reached != 0;
	}
	put(text, "  - %s: %s", hvc_action_name(rule->rule.action), reached > 1 ? "[" : "");
	for (size_t i = 0, written = 0; i < rule->target_count; i++) {
		const struct pol_target *target = &policy->targets[rule->target + i];

		if (target->reached != 0) {
			put(text, "%s%s", written++ != 0 ? ", " : "", target->text);
		}
	}
	put(text, "%s\n", reached > 1 ? "]" : "");
	if (rule->rule.handler != NULL) {
		put(text, "    to: %s\n", rule->rule.handler);
	}
	if (rule->rule.features != HVC_RULE_NO_FEATURES) {
		put(text, "    features: 0x%" PRIx32 "\n", (uint32_t)rule->rule.features);
	}
}

static void put_rules(struct text *text, const struct hvc_policy *policy)
{
	bool any = false;

	if (knob_value(policy, KNOB_DEFAULT) == HVC_FORWARD) {
		put(text, "default: {forward: %s}\n", policy->default_to);
	} else {
		put(text, "default: %s\n",
		    hvc_action_name((enum hvc_action)knob_value(policy, KNOB_DEFAULT)));
	}
	for (size_t i = 0; i < policy->rule_count; i++) {
		if (policy->rules[i].rule.decided != 0) {
			put(text, "%s", any ? "" : "rules:\n");
			put_rule(text, policy, &policy->rules[i]);
			any = true;
		}
	}
	if (!any) {
		put(text, "rules: []\n");
	}
}

static void put_handlers(struct text *text, const struct hvc_policy *policy)
{
	put(text, policy->handler_count == 0 ? "handlers: {}\n" : "handlers:\n");
	for (size_t i = 0; i < policy->handler_count; i++) {
		const struct pol_handler *handler = &policy->handlers[i];

		put(text, "  %s: {socket: ", handler->name);
		put_quoted(text, handler->socket);
		put(text, ", timeout: %" PRIu32 "ms, on-timeout: fail}\n", handler->timeout_ms);
	}
}

bool flatten(struct hvc_policy *policy)
{
	struct text text = {0};

	put_settings(&text, policy);
	put_services(&text, policy);
	put_registers(&text, policy);
	put_rules(&text, policy);
	put_handlers(&text, policy);
	if (!text.oom) {
		policy->flat = arena_strndup(&policy->arena, text.bytes, text.length);
		sha256(text.bytes, text.length, policy->sha256);
		memcpy(policy->settings.policy_sha256, policy->sha256, sizeof(policy->sha256));
	}
	free(text.bytes);
	return policy->flat != NULL;
}
