/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "allow.h"
#include "out.h"
#include "plan_print.h"

#define SHOWN_FUNCTIONS 4u

/* "PSCI_CPU_ON/64": with the width where the function has both; "0x..." for an ID of none. */
static const char *id_name(uint32_t id, char text[64])
{
	const struct hvc_function *function = hvc_function_at(hvc_function_by_id(id));

	if (function == NULL) {
		snprintf(text, 64, "0x%" PRIx32, id);
	} else {
		snprintf(text, 64, "%.50s%s", function->name,
			 function->id32 == 0 || function->id64 == 0 ? ""
			 : id == function->id32                     ? "/32"
								    : "/64");
	}
	return text;
}

/* --- What differed first, in words. */
static void answer(char text[48], uint8_t verdict, uint64_t x0)
{
	if (verdict != HVC_RESUME) {
		snprintf(text, 48, "%s", hvc_verdict_name((enum hvc_verdict)verdict));
	} else if ((int64_t)x0 < 0 && (int64_t)x0 > -16) {
		snprintf(text, 48, "%d", (int)(int64_t)x0);
	} else {
		snprintf(text, 48, "0x%" PRIx64, x0);
	}
}

/* "with x1 0x8400000e (PSCI_SYSTEM_SUSPEND/32) x2 0x0 ", as many as it takes. */
static void arguments(char text[160], const struct hvc_plan_forward *forward)
{
	const struct hvc_plan_difference *first = &forward->first;
	const unsigned int count = hvc_function_arg_count(hvc_function_at(forward->fn),
							  forward->id);
	const bool named = hvc_function_by_id((uint32_t)first->x1) != HVC_FN_NONE;
	char name[64] = "", second[40] = "";

	text[0] = '\0';
	if (count == 0) {
		return;
	}
	if (count > 1) {
		snprintf(second, sizeof(second), "x2 0x%" PRIx64 " ", first->x2);
	}
	snprintf(text, 160, "with x1 0x%" PRIx64 "%s%s%s %s", first->x1, named ? " (" : "",
		 named ? id_name((uint32_t)first->x1, name) : "", named ? ")" : "", second);
}

static const char *difference(const struct hvc_plan_forward *forward, char *text, size_t size)
{
	const struct hvc_plan_difference *first = &forward->first;
	char kernel[48], own[48], with[160];

	answer(kernel, first->kernel_verdict, first->kernel_x0);
	answer(own, first->verdict, first->x0);
	arguments(with, forward);
	snprintf(text, size, "%s: %s%sthe kernel says %s, the policy %s%s",
		 hvc_plan_why_name(forward->why),
		 first->conduit == HVC_CONDUIT_SMC ? "by SMC " : "", with, kernel, own,
		 strcmp(kernel, own) == 0 ? ", and other registers" : "");
	return text;
}

static const char *why(const struct hvc_plan_forward *forward, char *text, size_t size)
{
	switch ((enum hvc_plan_why)forward->why) {
	case PLAN_TO_HANDLER:
		return "handler: a rule forwards it";
	case PLAN_NOTIFIED:
		return "notify: the kernel cannot tell anybody of a call that it answers";
	case PLAN_MISSING:
		return "missing: the kernel has it not, or not for a VM that asks for nothing";
	case PLAN_REVOCABLE:
		return "revocable: it, or what it tells of, may be shut off while the guest runs";
	default:
		return difference(forward, text, size);
	}
}

/* --- For people. */
static void print_registers(const struct hvc_plan *plan)
{
	printf("%sregisters%s, on any vCPU before the first run%s\n", out_style(stdout, OUT_BOLD),
	       out_reset(stdout), plan->register_count == 0 ? ": none" : "");
	for (size_t i = 0; i < plan->register_count; i++) {
		const struct hvc_plan_register *reg = &plan->registers[i];

		printf("  0x%" PRIx64 " %-17s 0x%" PRIx64 " (%s 0x%" PRIx64 ")\n", reg->id,
		       hvc_register_name(reg->reg), reg->value,
		       reg->reg >= HVC_REG_WORKAROUND_1 && reg->reg <= HVC_REG_WORKAROUND_3
			       ? "asserted; the host has"
			       : "was",
		       reg->was);
	}
	if (plan->shown < plan->registers_there) {
		printf("  the VMM is to see the first %" PRIu32 " of %" PRIu32 "\n", plan->shown,
		       plan->registers_there);
	}
}

static void print_ranges(const struct hvc_plan *plan)
{
	printf("%sfilter%s%s\n", out_style(stdout, OUT_BOLD), out_reset(stdout),
	       !plan->filter            ? ": the kernel has none"
	       : plan->range_count == 0 ? ": none needed"
					: ", on the VM before the first run");
	for (size_t i = 0; i < plan->range_count; i++) {
		const struct hvc_plan_range *range = &plan->ranges[i];
		const uint32_t last = range->base + range->count - 1;
		char text[64] = "";

		if (range->count == 1) {
			id_name(range->base, text);
		}
		printf("  %-7s 0x%08" PRIx32 "-0x%08" PRIx32 " %s\n",
		       hvc_action_name((enum hvc_action)range->action), range->base, last, text);
	}
}

/* What the Arm documents' way costs, and how to be without it. */
static void print_cost(const struct hvc_plan *plan)
{
	size_t spec = 0;

	for (size_t i = 0; i < plan->forward_count; i++) {
		spec += plan->forwards[i].why == PLAN_OTHERWISE;
	}
	if (plan->spec && spec != 0) {
		printf("  %zu of %zu because the engine does them in another way; with profile: %.*s and strictness: kvm most stay in the kernel\n",
		       spec, plan->forward_count, (int)strcspn(plan->profile, "@"), plan->profile);
	}
}

static void print_forwards(const struct hvc_plan *plan)
{
	printf("%suser space%s%s\n", out_style(stdout, OUT_BOLD), out_reset(stdout),
	       plan->forward_count == 0 ? ": nothing; no call leaves the kernel for it"
					: ": each call of these leaves the kernel");
	for (size_t i = 0; i < plan->forward_count; i++) {
		char name[64], text[300];

		printf("  0x%08" PRIx32 " %-30s %s\n", plan->forwards[i].id,
		       id_name(plan->forwards[i].id, name),
		       why(&plan->forwards[i], text, sizeof(text)));
	}
	print_cost(plan);
	if (plan->stranded) {
		printf("  %stravel: no%s cannot be: these calls leave state in user space; write travel: yes\n",
		       out_style(stdout, OUT_RED), out_reset(stdout));
	} else if (plan->travels) {
		printf("  the policy's digest and the state of these calls go with the guest\n");
	}
}

static void print_set(const char *before, const struct plan_set *set)
{
	unsigned int count = 0;

	for (unsigned int slot = 0; slot < HVC_FN_COUNT; slot++) {
		if (plan_set_has(set, slot) && count++ < SHOWN_FUNCTIONS) {
			printf("%s%s", count == 1 ? before : ", ",
			       slot == HVC_FN_NONE ? "IDs of no function"
						   : hvc_function_at(slot)->name);
		}
	}
	if (count > SHOWN_FUNCTIONS) {
		printf(" and %u more", count - SHOWN_FUNCTIONS);
	}
	printf("%s", count != 0 ? "\n" : "");
}

static void print_limits(const struct hvc_plan *plan)
{
	if (plan->limit_count != 0) {
		printf("%snot enforceable there%s\n", out_style(stdout, OUT_BOLD),
		       out_reset(stdout));
	}
	for (size_t i = 0; i < plan->limit_count; i++) {
		const struct hvc_plan_limit *limit = &plan->limits[i];

		printf("  %s%s%s: %s; first kernel that can: %s\n",
		       out_style(stdout, limit->allowed ? OUT_YELLOW : OUT_RED),
		       policy_allow_name(limit->allow), out_reset(stdout), limit->why,
		       limit->since != NULL ? limit->since : "none so far");
		print_set("    answers otherwise: ", &limit->answers);
		print_set("    discovery says otherwise of: ", &limit->told);
		if (limit->allowed) {
			printf("    the policy allows that\n");
		} else {
			printf("    write %s%sallow: [%s]\n",
			       limit->instead != NULL ? limit->instead : "",
			       limit->instead != NULL ? "; or " : "",
			       policy_allow_name(limit->allow));
		}
	}
	for (unsigned int bit = 0; 1u << bit < PLAN_DIFFERS_END; bit++) {
		if (plan->differs >> bit & 1) {
			printf("note: %s\n", hvc_plan_differs_text(bit));
		}
	}
}

void plan_print(const struct hvc_plan *plan, const char *name)
{
	printf("%s on %s%s%s%s: %s%s%s\n", name, plan->profile, plan->kernel[0] != '\0' ? " (" : "",
	       plan->kernel, plan->kernel[0] != '\0' ? ")" : ", workaround levels unknown",
	       out_style(stdout, plan->refused ? OUT_RED : OUT_GREEN),
	       plan->refused            ? "refused"
	       : plan->limit_count != 0 ? "degraded as allowed"
					: "enforced",
	       out_reset(stdout));
	print_registers(plan);
	print_ranges(plan);
	print_forwards(plan);
	print_limits(plan);
}

/* --- For programs. */
static json_t *hex(uint64_t value)
{
	return json_sprintf("0x%" PRIx64, value);
}

static json_t *set_json(const struct plan_set *set)
{
	json_t *names = json_array();

	for (unsigned int slot = 0; slot < HVC_FN_COUNT; slot++) {
		if (plan_set_has(set, slot)) {
			json_array_append_new(names,
					      json_string(slot == HVC_FN_NONE
								  ? "*"
								  : hvc_function_at(slot)->name));
		}
	}
	return names;
}

static json_t *registers_json(const struct hvc_plan *plan)
{
	json_t *list = json_array();

	for (size_t i = 0; i < plan->register_count; i++) {
		const struct hvc_plan_register *reg = &plan->registers[i];

		json_array_append_new(list, json_pack("{s:o, s:s, s:o, s:o}", "id", hex(reg->id),
						      "name", hvc_register_name(reg->reg), "value",
						      hex(reg->value), "was", hex(reg->was)));
	}
	return list;
}

static json_t *ranges_json(const struct hvc_plan *plan)
{
	json_t *list = json_array();

	for (size_t i = 0; i < plan->range_count; i++) {
		const struct hvc_plan_range *range = &plan->ranges[i];

		json_array_append_new(list,
				      json_pack("{s:o, s:I, s:s}", "base", hex(range->base),
						"count", (json_int_t)range->count, "action",
						hvc_action_name((enum hvc_action)range->action)));
	}
	return list;
}

static json_t *forwards_json(const struct hvc_plan *plan)
{
	json_t *list = json_array();

	for (size_t i = 0; i < plan->forward_count; i++) {
		const struct hvc_plan_forward *forward = &plan->forwards[i];
		const struct hvc_plan_difference *first = &forward->first;
		json_t *json = json_pack("{s:o, s:s, s:s}", "id", hex(forward->id), "function",
					 hvc_function_at(forward->fn)->name, "why",
					 hvc_plan_why_name(forward->why));

		if (forward->why == PLAN_DISCOVERY || forward->why == PLAN_OTHERWISE) {
			json_object_set_new(
				json, "first",
				json_pack("{s:s, s:[o,o,o], s:s, s:o, s:s, s:o}", "conduit",
					  first->conduit == HVC_CONDUIT_HVC ? "hvc" : "smc",
					  "arguments", hex(first->x1), hex(first->x2),
					  hex(first->x3), "kernel-verdict",
					  hvc_verdict_name((enum hvc_verdict)first->kernel_verdict),
					  "kernel-x0", hex(first->kernel_x0), "verdict",
					  hvc_verdict_name((enum hvc_verdict)first->verdict), "x0",
					  hex(first->x0)));
		}
		json_array_append_new(list, json);
	}
	return list;
}

static json_t *limits_json(const struct hvc_plan *plan)
{
	json_t *list = json_array();

	for (size_t i = 0; i < plan->limit_count; i++) {
		const struct hvc_plan_limit *limit = &plan->limits[i];

		json_array_append_new(
			list, json_pack("{s:s, s:b, s:s, s:s?, s:s?, s:o, s:o}", "allow",
					policy_allow_name(limit->allow), "allowed", limit->allowed,
					"why", limit->why, "first-kernel", limit->since, "instead",
					limit->instead, "answers", set_json(&limit->answers),
					"told", set_json(&limit->told)));
	}
	return list;
}

json_t *plan_json(const struct hvc_plan *plan, const char *name)
{
	json_t *notes = json_array();
	char digest[65];

	for (unsigned int bit = 0; 1u << bit < PLAN_DIFFERS_END; bit++) {
		if (plan->differs >> bit & 1) {
			json_array_append_new(notes, json_string(hvc_plan_differs_text(bit)));
		}
	}
	out_hex(plan->policy_sha256, sizeof(plan->policy_sha256), digest);
	return json_pack(
		"{s:i, s:o, s:s, s:s, s:s, s:b, s:b, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:b}",
		"hvcgate-plan", 1, "policy", out_text_json(name), "policy-sha256", digest,
		"profile", plan->profile, "kernel", plan->kernel, "refused", plan->refused,
		"filter", plan->filter, "registers-shown", (json_int_t)plan->shown,
		"registers-there", (json_int_t)plan->registers_there, "registers",
		registers_json(plan), "ranges", ranges_json(plan), "forwards", forwards_json(plan),
		"limits", limits_json(plan), "notes", notes, "travels", plan->travels);
}
