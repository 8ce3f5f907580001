/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random rule sets against a model that walks the rules in source order and takes the first that names
 * the ID. The model shares nothing with the sweep, the lint or the image compiler.
 */
#define _ISOC11_SOURCE
#include "policy_test.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hvcgate/engine.h>

enum form { FORM_RANGE, FORM_OWNER, FORM_FUNCTION, FORM_SERVICE, FORM_COUNT };

struct model_rule {
	enum form form;
	enum hvc_action action;
	uint32_t first, last; /* range, owners */
	unsigned int slot, width, service;
	bool gone; /* the loader said that nothing reaches it */
};

#define MAX_RULES 1000u
static struct model_rule rules[MAX_RULES];
static unsigned int rule_count;
static bool hint; /* smccc >= 1.3 */
static enum hvc_action by_default;

static const struct {
	const char *name;
	uint32_t first, last;
} owners[] = {{"arch", 0, 0},       {"cpu", 1, 1},           {"sip", 2, 2},
	      {"oem", 3, 3},        {"std", 4, 4},           {"std-hyp", 5, 5},
	      {"vendor-hyp", 6, 6}, {"trusted-app", 48, 49}, {"trusted-os", 50, 63}};
#define OWNERS (sizeof(owners) / sizeof(owners[0]))

/* --- The model. */
static bool model_reserved(uint32_t id)
{
	return (id & 0xbfff0000u) == 0x80000000u;
}

static bool model_names(const struct model_rule *rule, uint32_t id)
{
	const struct hvc_function *function;
	uint32_t owner = id >> 24 & 0x3f;

	switch (rule->form) {
	case FORM_RANGE:
		return id >= rule->first && id <= rule->last;
	case FORM_OWNER:
		return owner >= owners[rule->first].first && owner <= owners[rule->first].last;
	case FORM_FUNCTION:
		function = hvc_function_at(rule->slot);
		return (function->id32 != 0 && id == function->id32 && rule->width != 64) ||
		       (function->id64 != 0 && id == function->id64 && rule->width != 32);
	default:
		for (unsigned int slot = 1; slot < hvc_function_count(); slot++) {
			function = hvc_function_at(slot);
			if (function->service == rule->service &&
			    ((function->id32 != 0 && function->id32 == id) ||
			     (function->id64 != 0 && function->id64 == id))) {
				return true;
			}
		}
		return false;
	}
}

static bool model_service_off(uint32_t id)
{
	unsigned int slot = hvc_function_by_id(id);

	switch (slot != 0 ? hvc_function_at(slot)->service : HVC_SERVICE_NONE) {
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

/* The index of the rule that decides, or -1. */
static int model_rule_of(uint32_t id)
{
	for (unsigned int i = 0; i < rule_count && !model_reserved(id); i++) {
		if (model_names(&rules[i], id)) {
			return (int)i;
		}
	}
	return -1;
}

static enum hvc_action model_action(uint32_t id, int rule)
{
	if (model_reserved(id)) {
		return HVC_HANDLE;
	}
	if (rule >= 0) {
		return rules[rule].action;
	}
	return model_service_off(id) ? HVC_DENY : by_default;
}

/* --- Random rules. */
static uint32_t random_id(struct test_random *random)
{
	static const uint32_t bases[] = {0x84000000, 0xc4000000, 0x86000000, 0xc6000000, 0x82000000,
					 0x8400ff00, 0x80010000, 0x7fffff00, 0xbffffff0, 0xc0010000,
					 0x00000000, 0xfffffe00, 0x32000000, 0xb2000000};
	uint32_t base = bases[test_random_below(random, sizeof(bases) / sizeof(bases[0]))];

	switch (test_random_below(random, 4)) {
	case 0:
		return (uint32_t)test_random(random);
	case 1:
		return base + test_random_below(random, 0x20000);
	default:
		return base + test_random_below(random, 0x200);
	}
}

static void random_range(struct test_random *random, struct model_rule *rule)
{
	static const uint32_t sizes[] = {1, 4, 0x100, 0x1000, 0x20000, 0x1000000};

	do {
		uint64_t last;

		rule->first = random_id(random);
		last = (uint64_t)rule->first +
		       test_random_below(random, sizes[test_random_below(random, 6)]);
		rule->last = last < 0xffffffffu ? (uint32_t)last : 0xffffffffu;
	} while ((rule->first <= 0x8000ffffu && rule->last >= 0x80000000u) ||
		 (rule->first <= 0xc000ffffu && rule->last >= 0xc0000000u) ||
		 (rule->first >> 31 != 0 && (rule->first & 0x10000) != 0 &&
		  rule->first >> 16 == rule->last >> 16));
}

static void random_function(struct test_random *random, struct model_rule *rule)
{
	const struct hvc_function *function;

	do {
		rule->slot = 1 + test_random_below(random, hvc_function_count() - 1);
		function = hvc_function_at(rule->slot);
	} while (model_reserved(function->id32) || model_reserved(function->id64));
	rule->width = 32 * test_random_below(random, 3);
	if (function->id32 == 0 || function->id64 == 0) {
		rule->width = 0;
	}
}

static void random_rule(struct test_random *random, struct model_rule *rule)
{
	memset(rule, 0, sizeof(*rule));
	rule->action = (enum hvc_action)test_random_below(random, 4);
	switch (test_random_below(random, 40)) {
	case 0:
		rule->form = FORM_OWNER;
		rule->first = test_random_below(random, OWNERS);
		break;
	case 1:
		rule->form = FORM_SERVICE;
		rule->service = HVC_SERVICE_PSCI +
				test_random_below(random, HVC_SERVICE_COUNT - HVC_SERVICE_PSCI);
		break;
	case 2:
	case 3:
	case 4:
	case 5:
	case 6:
	case 7:
		rule->form = FORM_FUNCTION;
		random_function(random, rule);
		break;
	default:
		rule->form = FORM_RANGE;
		random_range(random, rule);
		break;
	}
}

static void write_rule(FILE *out, const struct model_rule *rule)
{
	fprintf(out, "  - %s: ", hvc_action_name(rule->action));
	switch (rule->form) {
	case FORM_RANGE:
		fprintf(out, "{range: 0x%" PRIx32 "-0x%" PRIx32 "}\n", rule->first, rule->last);
		break;
	case FORM_OWNER:
		fprintf(out, "{owner: %s}\n", owners[rule->first].name);
		break;
	case FORM_FUNCTION:
		fprintf(out, rule->width != 0 ? "%s/%u\n" : "%s\n",
			hvc_function_at(rule->slot)->name, rule->width);
		break;
	default:
		fprintf(out, "{service: %s}\n", hvc_service_name(rule->service));
		break;
	}
	if (rule->action == HVC_FORWARD) {
		fputs("    to: a\n", out);
	}
}

static void write_policy(void)
{
	FILE *out = fopen("p.yaml", "w");

	assert_non_null(out);
	fprintf(out,
		"hvcgate: 1\nsmccc: \"%s\"\ndefault: %s\nhandlers: {a: {socket: /run/a}}\nrules:\n",
		hint ? "1.3" : "1.2", hvc_action_name(by_default));
	for (unsigned int i = 0; i < rule_count; i++) {
		write_rule(out, &rules[i]);
	}
	assert_int_equal(fclose(out), 0);
}

/* --- Rules that the loader refuses as unreachable: the model must agree, and they go. */
static void check_unreachable(unsigned int index)
{
	const struct model_rule *rule = &rules[index];
	struct test_random random = {.state = 1 + index};

	assert_true(index < rule_count);
	for (unsigned int i = 0; i < 300; i++) {
		uint32_t id = rule->form == FORM_RANGE
				      ? rule->first +
						(uint32_t)(test_random(&random) %
							   ((uint64_t)rule->last - rule->first + 1))
				      : random_id(&random);

		assert_true(model_rule_of(id) != (int)index);
	}
	assert_true(rule->form != FORM_RANGE || model_rule_of(rule->first) != (int)index);
	assert_true(rule->form != FORM_RANGE || model_rule_of(rule->last) != (int)index);
}

static void drop_gone(void)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < rule_count; i++) {
		if (!rules[i].gone) {
			rules[kept++] = rules[i];
		}
	}
	rule_count = kept;
}

static struct hvc_policy *load_reachable(void)
{
	for (;;) {
		struct hvc_diags *diags = hvc_diags_new();
		struct hvc_policy *policy;
		const struct hvc_diag *diag;
		enum hvc_err err;

		write_policy();
		err = hvc_policy_load("p.yaml", &policy, diags);
		for (size_t i = 0; (diag = hvc_diags_at(diags, i)) != NULL; i++) {
			unsigned long number;

			if (diag->severity != HVC_ERROR ||
			    strncmp(diag->message, "too many", 8) == 0) {
				continue;
			}
			if (strncmp(diag->message, "rule ", 5) != 0 ||
			    strstr(diag->message, " is never reached") == NULL) {
				fail_msg("%s", diag->message);
			}
			number = strtoul(diag->message + 5, NULL, 10);
			check_unreachable((unsigned int)number - 1);
			rules[number - 1].gone = true;
		}
		hvc_diags_free(diags);
		if (err == HVC_OK) {
			return policy;
		}
		drop_gone();
	}
}

/* --- Comparing. */
static struct hvc_vm *make_vm(const struct hvc_image *image, struct hvc_vcpu **vcpu)
{
	struct hvc_vm_config config = {.size = sizeof(config), .vcpu_count = 1, .image = image};
	struct hvc_vm *vm = aligned_alloc(64, (hvc_vm_size() + 63) / 64 * 64);

	*vcpu = aligned_alloc(64, (hvc_vcpu_size() + 63) / 64 * 64);
	assert_int_equal(hvc_vm_init(vm, &config, vcpu), HVC_OK);
	return vm;
}

static void compare(const struct hvc_policy *policy, const struct hvc_vm *vm, uint32_t id)
{
	uint32_t normal = hint && id >> 31 != 0 ? id & ~0x10000u : id;
	struct hvc_match match = hvc_policy_match(policy, id);
	struct hvc_outcome outcome = hvc_filter_query(vm, id);
	int rule = model_rule_of(id);

	assert_int_equal(match.reserved, model_reserved(id));
	assert_int_equal(match.action, model_action(id, rule));
	assert_int_equal(match.rule != NULL ? (int)match.rule->number - 1 : -1, rule);
	if (rule >= 0) {
		assert_true(hvc_policy_rule_names(policy, (size_t)rule, id));
	}
	rule = model_rule_of(normal);
	assert_int_equal(outcome.action, model_action(normal, rule));
	assert_int_equal(outcome.decider == HVC_BY_RULE,
			 rule >= 0 && rules[rule].action != HVC_HANDLE);
}

static void compare_all(const struct hvc_policy *policy, const struct hvc_vm *vm,
			struct test_random *random)
{
	for (unsigned int i = 0; i < rule_count; i++) {
		compare(policy, vm, rules[i].first);
		compare(policy, vm, rules[i].last);
		compare(policy, vm, rules[i].first - 1);
		compare(policy, vm, rules[i].last + 1);
	}
	for (unsigned int slot = 1; slot < hvc_function_count(); slot++) {
		compare(policy, vm, hvc_function_at(slot)->id32);
		compare(policy, vm, hvc_function_at(slot)->id64);
		compare(policy, vm, hvc_function_at(slot)->id64 | 0x10000);
	}
	for (unsigned int i = 0; i < 4000; i++) {
		compare(policy, vm, random_id(random));
	}
}

/* Spans cover every ID once, in order, and rules' counts add up. */
static void check_spans(const struct hvc_policy *policy)
{
	uint64_t next = 0, decided = 0, by_rule = 0;

	for (size_t i = 0; i < hvc_policy_span_count(policy); i++) {
		const struct hvc_span *span = hvc_policy_span(policy, i);

		assert_true(span->first == next && span->last >= span->first);
		next = (uint64_t)span->last + 1;
		by_rule += span->match.rule != NULL ? next - span->first : 0;
	}
	assert_true(next == 1ull << 32);
	for (size_t i = 0; i < hvc_policy_rule_count(policy); i++) {
		const struct hvc_rule *rule = hvc_policy_rule(policy, i);

		assert_true(rule->decided > 0 && rule->decided <= rule->claimed);
		decided += rule->decided;
	}
	assert_true(decided == by_rule);
}

static void one_set(unsigned int count, uint64_t seed)
{
	struct test_random random = {.state = seed};
	struct hvc_diags *diags = hvc_diags_new();
	struct hvc_policy *policy;
	struct hvc_image *image;
	struct hvc_vcpu *vcpu;
	struct hvc_vm *vm;

	rule_count = count;
	hint = seed & 1;
	by_default = seed % 3 == 0 ? HVC_DENY : HVC_HANDLE;
	for (unsigned int i = 0; i < count; i++) {
		random_rule(&random, &rules[i]);
	}
	policy = load_reachable();
	check_spans(policy);
	assert_int_equal(hvc_policy_compile(policy, &image, diags), HVC_OK);
	vm = make_vm(image, &vcpu);
	compare_all(policy, vm, &random);
	free(vm);
	free(vcpu);
	free(image);
	hvc_diags_free(diags);
	hvc_policy_free(policy);
}

static void small_sets(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 60; seed++) {
		one_set(1 + (unsigned int)(seed % 12), seed);
	}
}

static void large_sets(void **state)
{
	(void)state;
	for (uint64_t seed = 1000; seed < 1004; seed++) {
		one_set(MAX_RULES, seed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(small_sets),
					   cmocka_unit_test(large_sets)};

	return cmocka_run_group_tests(tests, test_enter, test_leave);
}
