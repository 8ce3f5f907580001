/* SPDX-License-Identifier: BSD-2-Clause */
/* What is wrong, or worth a word, once everything is known: errors of sense, warnings, notes. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"

/* From SMCCC 1.3 on bit 16 of a fast ID is a hint that is cleared before rules are asked (DEN0028, 2.5.1). */
static bool is_hinted(const struct pol_target *target)
{
	return target->kind == TARGET_RANGE && (target->first & HVC_ID_FAST) != 0 &&
	       (target->first & HVC_ID_SVE_HINT) != 0 && target->first >> 16 == target->last >> 16;
}

void lint_targets(struct loader *loader)
{
	const struct hvc_policy *policy = loader->policy;

	if (policy->settings.smccc_version < HVC_VERSION(1, 3)) {
		return;
	}
	for (size_t i = 0; i < policy->target_count; i++) {
		const struct pol_target *target = &policy->targets[i];

		if (is_hinted(target)) {
			diags_error(
				loader->diags, &target->mark,
				"%s has bit 16 set, a hint from smccc \"1.3\" on that is cleared before rules are asked; name the IDs without it: 0x%08" PRIx32
				"-0x%08" PRIx32,
				target->text, target->first & ~HVC_ID_SVE_HINT,
				target->last & ~HVC_ID_SVE_HINT);
		}
	}
}

/* --- Rules that nothing reaches. */
#define MAX_HIDERS 3u
#define MAX_LOOK   4096u /* spans looked at to say who hides a target */

struct hiders {
	const struct hvc_rule *rules[MAX_HIDERS];
	unsigned int count;
	bool more;
	bool foreign; /* one of another file: meant, that is what extending is for */
	bool itself;  /* an earlier target of the same rule */
};

static void add_hider(struct hiders *hiders, const struct hvc_rule *hider,
		      const struct pol_rule *hidden)
{
	if (hider == &hidden->rule) {
		hiders->itself = true;
		return;
	}
	hiders->foreign |= hider->file != hidden->rule.file;
	for (unsigned int i = 0; i < hiders->count; i++) {
		if (hiders->rules[i] == hider) {
			return;
		}
	}
	if (hiders->count == MAX_HIDERS) {
		hiders->more = true;
		return;
	}
	hiders->rules[hiders->count++] = hider;
}

static void find_hiders(const struct hvc_policy *policy, const struct pol_target *target,
			struct hiders *hiders)
{
	struct hvc_range ranges[TARGET_MAX_RANGES];
	unsigned int count = target_ranges(target, ranges), looked = 0;

	for (unsigned int i = 0; i < count && !hiders->foreign; i++) {
		for (size_t s = span_index(policy, ranges[i].first);
		     s < policy->span_count && policy->spans[s].first <= ranges[i].last &&
		     looked++ < MAX_LOOK;
		     s++) {
			if (policy->spans[s].match.rule != NULL) {
				add_hider(hiders, policy->spans[s].match.rule,
					  &policy->rules[target->rule]);
			}
		}
	}
}

/* "rule 1 at line 5", "rules 1 at line 5, 2 at line 6 and others" */
static void hiders_text(const struct hiders *hiders, char *text, size_t size)
{
	size_t used = (size_t)snprintf(text, size, "rule%s", hiders->count > 1 ? "s" : "");

	for (unsigned int i = 0; i < hiders->count && used < size; i++) {
		int n = snprintf(text + used, size - used, "%s %u at line %u", i == 0 ? "" : ",",
				 hiders->rules[i]->number, hiders->rules[i]->line);

		used += n > 0 ? (size_t)n : 0;
	}
	if (hiders->more && used < size) {
		snprintf(text + used, size - used, " and others");
	}
}

static void lint_hidden_rule(struct loader *loader, const struct pol_rule *rule)
{
	struct hiders hiders = {0};
	char text[160];

	for (size_t i = 0; i < rule->target_count && !hiders.foreign; i++) {
		find_hiders(loader->policy, &loader->policy->targets[rule->target + i], &hiders);
	}
	if (hiders.foreign || hiders.count == 0) {
		return;
	}
	hiders_text(&hiders, text, sizeof(text));
	diags_error(loader->diags, &rule->mark,
		    "rule %u is never reached: %s %s all its IDs; remove it or move it up",
		    rule->rule.number, text, hiders.count > 1 ? "take" : "takes");
}

static void lint_hidden_target(struct loader *loader, const struct pol_rule *rule,
			       const struct pol_target *target)
{
	struct hiders hiders = {0};
	char text[160];

	find_hiders(loader->policy, target, &hiders);
	if (hiders.foreign) {
		return;
	}
	if (hiders.count == 0) {
		diags_warning(loader->diags, &target->mark,
			      "%s stands in rule %u already; remove it", target->text,
			      rule->rule.number);
		return;
	}
	hiders_text(&hiders, text, sizeof(text));
	diags_warning(loader->diags, &target->mark, "rule %u never reaches %s: %s %s it; remove it",
		      rule->rule.number, target->text, text, hiders.count > 1 ? "take" : "takes");
}

static void lint_reach(struct loader *loader, const struct pol_rule *rule)
{
	if (rule->rule.decided == 0) {
		lint_hidden_rule(loader, rule);
		return;
	}
	for (size_t i = 0; i < rule->target_count; i++) {
		const struct pol_target *target = &loader->policy->targets[rule->target + i];

		if (target->reached == 0) {
			lint_hidden_target(loader, rule, target);
		}
	}
}

/* --- Names of functions that are not there. */
static void lint_absent(struct loader *loader, const struct pol_rule *rule,
			const struct pol_target *target)
{
	const struct hvc_function *function;
	const char *why;

	if (target->kind != TARGET_FUNCTION || target->reached == 0 ||
	    rule->rule.action == HVC_FORWARD) {
		return;
	}
	function = hvc_function_at(target->first);
	why = loader->policy->absent[target->first];
	if (why == NULL) {
		return;
	}
	if (rule->rule.action != HVC_DENY) {
		diags_warning(loader->diags, &target->mark,
			      "rule %u lets the engine answer %s, and it does not: %s",
			      rule->rule.number, target->text, why);
	} else if (function->service == HVC_SERVICE_PSCI &&
		   function->since > loader->policy->settings.regs[HVC_REG_PSCI_VERSION]) {
		diags_warning(loader->diags, &target->mark,
			      "rule %u denies %s, which is absent anyhow: %s", rule->rule.number,
			      target->text, why);
	}
}

static void lint_attach(struct loader *loader, const struct pol_rule *rule)
{
	if ((rule->rule.action == HVC_FORWARD || rule->rule.action == HVC_NOTIFY) &&
	    rule->rule.decided != 0) {
		diags_note(
			loader->diags, &rule->mark, "rule %u: %s", rule->rule.number,
			rule->rule.action == HVC_FORWARD
				? "forwarded calls are answered under hvcgate exec; hvcgate run has no handlers, and there they read their failure value"
				: "notified calls are answered and traced under hvcgate exec, and no handler is told; under hvcgate run they read their failure value");
	}
}

/* --- The default. */
static bool all_denied_by_default(const struct hvc_policy *policy,
				  const struct hvc_function *function)
{
	uint32_t ids[2] = {function->id32, function->id64};

	for (unsigned int i = 0; i < 2; i++) {
		struct hvc_match match;

		if (ids[i] == 0) {
			continue;
		}
		match = hvc_policy_match(policy, ids[i]);
		if (match.action != HVC_DENY || match.rule != NULL ||
		    match.service != HVC_SERVICE_NONE) {
			return false;
		}
	}
	return true;
}

static void lint_default_deny(struct loader *loader, const struct pol_mark *mark)
{
	static const struct {
		enum hvc_fn fn;
		const char *loss;
	} vital[] = {
		{HVC_FN_PSCI_VERSION, "Linux finds no PSCI"},
		{HVC_FN_PSCI_CPU_ON, "no second CPU starts"},
		{HVC_FN_PSCI_SYSTEM_OFF, "the guest cannot power off"},
		{HVC_FN_PSCI_SYSTEM_RESET, "the guest cannot reboot"},
	};

	for (size_t i = 0; i < sizeof(vital) / sizeof(vital[0]); i++) {
		const struct hvc_function *function = hvc_function_at(vital[i].fn);

		if (all_denied_by_default(loader->policy, function)) {
			diags_warning(
				loader->diags, mark,
				"default: deny removes %s: %s; add '- handle: %s' if that is not meant",
				function->name, vital[i].loss, function->name);
		}
	}
}

static void lint_default(struct loader *loader)
{
	const struct pol_knob *knob = &loader->policy->knobs[KNOB_DEFAULT];

	if (!knob->set || knob->value == HVC_HANDLE) {
		return;
	}
	diags_note(
		loader->diags, &knob->mark,
		"default: %s is taken without the reserved ranges 0x80000000-0x8000ffff and 0xc0000000-0xc000ffff, which belong to the engine",
		hvc_action_name((enum hvc_action)knob->value));
	if (knob->value == HVC_DENY) {
		lint_default_deny(loader, &knob->mark);
	} else {
		diags_note(
			loader->diags, &knob->mark,
			"default: forwarded calls are answered under hvcgate exec; hvcgate run has no handlers, and there they read their failure value");
	}
}

/* --- Services that a file turns on to no effect. */
enum service_state { SERVICE_TAKEN, SERVICE_DENIED, SERVICE_ABSENT };

static enum service_state function_state(const struct hvc_policy *policy, unsigned int slot,
					 uint32_t id)
{
	struct hvc_match match = hvc_policy_match(policy, id);

	if (match.rule != NULL || match.action == HVC_FORWARD) {
		return SERVICE_TAKEN;
	}
	if (match.action == HVC_DENY) {
		return SERVICE_DENIED;
	}
	return policy->absent[slot] != NULL ? SERVICE_ABSENT : SERVICE_TAKEN;
}

static enum service_state service_state(const struct hvc_policy *policy, unsigned int service)
{
	enum service_state state = SERVICE_DENIED;

	for (unsigned int slot = 1; slot < HVC_FN_COUNT; slot++) {
		const struct hvc_function *function = hvc_function_at(slot);
		uint32_t ids[2] = {function->id32, function->id64};

		for (unsigned int i = 0; i < 2 && function->service == service; i++) {
			enum service_state this = ids[i] != 0 ? function_state(policy, slot, ids[i])
							      : SERVICE_DENIED;

			if (this == SERVICE_TAKEN) {
				return SERVICE_TAKEN;
			}
			state = this == SERVICE_ABSENT ? SERVICE_ABSENT : state;
		}
	}
	return state;
}

static void lint_service(struct loader *loader, unsigned int service)
{
	const struct pol_knob *knob = &loader->policy->knobs[KNOB_SERVICE + service];
	const char *name = hvc_service_name(service);

	/* PSCI under `default: deny` has warnings of its own. */
	if (!knob->set || knob->value == 0 || service == HVC_SERVICE_PSCI) {
		return;
	}
	switch (service_state(loader->policy, service)) {
	case SERVICE_DENIED:
		diags_warning(
			loader->diags, &knob->mark,
			"service %s is on, and default: deny denies all of it; add '- handle: {service: %s}'",
			name, name);
		break;
	case SERVICE_ABSENT:
		diags_warning(loader->diags, &knob->mark,
			      "service %s is on, and nothing in this hvcgate answers it", name);
		break;
	case SERVICE_TAKEN:
		break;
	}
}

void lint(struct loader *loader)
{
	const struct hvc_policy *policy = loader->policy;

	for (size_t i = 0; i < policy->rule_count && !diags_full(loader->diags); i++) {
		const struct pol_rule *rule = &policy->rules[i];

		lint_reach(loader, rule);
		lint_attach(loader, rule);
		for (size_t t = 0; t < rule->target_count; t++) {
			lint_absent(loader, rule, &policy->targets[rule->target + t]);
		}
	}
	lint_default(loader);
	lint_revocable(loader);
	for (unsigned int service = 1; service < HVC_SERVICE_COUNT; service++) {
		lint_service(loader, service);
	}
}
