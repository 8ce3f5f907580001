/* SPDX-License-Identifier: BSD-2-Clause */
/* A comparison of two hosts, for people and for programs. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "compat_print.h"
#include "out.h"

#define MAX_SAYS   4u
#define MAX_GROUPS 5u

static enum out_style style_of(enum compat_need need)
{
	return need == COMPAT_NOTHING      ? OUT_GREEN
	       : need == COMPAT_IMPOSSIBLE ? OUT_RED
					   : OUT_YELLOW;
}

static const char *verdict(enum compat_need need, bool under_policy)
{
	switch (need) {
	case COMPAT_NOTHING:
		return under_policy ? "possible; needs nothing but the policy at the source"
				    : "possible; needs nothing";
	case COMPAT_IMPOSSIBLE:
		return "impossible";
	case COMPAT_DESTINATION:
		return "possible; needs exec at the destination only";
	default:
		return "possible; needs the source started under exec";
	}
}

/* Obstacles of one kind stand in one line. */
static bool alike(const struct compat_obstacle *a, const struct compat_obstacle *b)
{
	return a->row == b->row && a->need == b->need && a->unknown == b->unknown &&
	       strcmp(a->line, b->line) == 0 && a->line[0] == '\0';
}

static uint32_t group_size(const struct compat_result *result, uint32_t first)
{
	uint32_t next = first + 1;

	while (next < result->obstacle_count &&
	       alike(&result->obstacles[first], &result->obstacles[next])) {
		next++;
	}
	return next - first;
}

static void print_group(const struct compat_obstacle *obstacle, uint32_t count)
{
	char name[80];

	if (count > 1) {
		snprintf(name, sizeof(name), "%s and %u more", obstacle->from.name, count - 1);
	} else {
		snprintf(name, sizeof(name), "%s", obstacle->from.name);
	}
	printf("  %-20s %s, ", name, compat_class_name(obstacle->class));
	if (obstacle->unknown && !obstacle->from.has_value) {
		printf("unknown there; ");
	} else if (obstacle->unknown) {
		printf("0x%" PRIx64 ", unknown there; ", obstacle->from.value);
	} else {
		printf("0x%" PRIx64 " refused, 0x%" PRIx64 " there; ", obstacle->from.value,
		       obstacle->to);
	}
	if (obstacle->line[0] != '\0') {
		printf("policy: %s\n", obstacle->line);
	} else if (obstacle->need == COMPAT_SOURCE) {
		printf("hide it at the source\n");
	} else if (obstacle->need == COMPAT_DESTINATION) {
		printf("%s\n", obstacle->from.firmware ? "neutral" : "absent by the ID registers");
	} else {
		printf("%s\n", obstacle->row->reason);
	}
}

/* The worst first: they may be more than there are lines. */
static void print_groups(const struct compat_result *result)
{
	uint32_t shown = 0, rest = 0;

	for (int need = COMPAT_IMPOSSIBLE; need > COMPAT_NOTHING; need--) {
		for (uint32_t i = 0; i < result->obstacle_count;) {
			uint32_t count = group_size(result, i);

			if ((int)result->obstacles[i].need != need) {
				i += count;
				continue;
			}
			if (shown++ < MAX_GROUPS) {
				print_group(&result->obstacles[i], count);
			} else {
				rest += count;
			}
			i += count;
		}
	}
	if (rest != 0) {
		printf("  and %u more: --format json\n", rest);
	}
}

static void print_lost(const struct compat_result *result)
{
	const char *last = "";
	unsigned int shown = 0;

	for (uint32_t i = 0; i < result->obstacle_count && shown < 4; i++) {
		const struct compat_obstacle *obstacle = &result->obstacles[i];

		if (obstacle->need != COMPAT_SOURCE || obstacle->lost[0] == '\0' ||
		    strcmp(obstacle->lost, last) == 0) {
			continue;
		}
		printf("%s%s", shown++ == 0 ? "lost: " : ", ", obstacle->lost);
		last = obstacle->lost;
	}
	if (shown != 0) {
		putchar('\n');
	}
}

/* Warnings only if they are all that is said. */
static void print_says(const struct compat_result *result)
{
	uint32_t said = 0, all = 0;

	for (int pass = 0; pass < 2; pass++) {
		const uint32_t most = all > MAX_SAYS ? MAX_SAYS - 1 : MAX_SAYS;

		for (uint32_t i = 0; i < result->says_count; i++) {
			bool skip = !result->loads && strncmp(result->says[i], "warning:", 8) == 0;

			if (pass == 0) {
				all += skip ? 0 : 1;
			} else if (!skip && said < most) {
				printf("  %s\n", result->says[i]);
				said++;
			}
		}
	}
	if (all > said) {
		printf("  and %u lines more: --format json\n", all - said);
	}
}

void compat_print(const struct compat_host *from, const struct compat_host *to, const char *vmm,
		  const struct compat_result *result, const char *policy)
{
	printf("%s -> %s: %s%s%s%s\n", from->name, to->name,
	       out_style(stdout, style_of(result->need)), verdict(result->need, policy != NULL),
	       result->all_compared ? "" : ", as far as compared", out_reset(stdout));
	printf("%s by itself%s: %s\n", vmm,
	       result->all_compared ? "" : ", as far as feature registers go",
	       result->loads ? "takes the guest" : "fails");
	print_says(result);
	print_groups(result);
	if (result->need != COMPAT_IMPOSSIBLE) {
		print_lost(result);
	}
	if (!result->all_compared) {
		printf("not compared: system registers, for the CPUs are %s and %s\n", from->cpu,
		       to->cpu);
	}
}

static json_t *hex_json(uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	return json_string(text);
}

static json_t *obstacle_json(const struct compat_obstacle *obstacle)
{
	json_t *json = json_pack("{s:o, s:o, s:s, s:s, s:s, s:s}", "register",
				 out_text_json(obstacle->from.name), "id",
				 hex_json(obstacle->from.id), "class",
				 compat_class_name(obstacle->class), "what",
				 obstacle->unknown ? "unknown" : "refused", "reason",
				 obstacle->row->reason, "needs", compat_need_name(obstacle->need));

	if (obstacle->from.has_value) {
		json_object_set_new(json, "from", hex_json(obstacle->from.value));
	}
	if (!obstacle->unknown) {
		json_object_set_new(json, "to", hex_json(obstacle->to));
	}
	if (obstacle->line[0] != '\0') {
		json_object_set_new(json, "policy", json_string(obstacle->line));
	}
	if (obstacle->lost[0] != '\0') {
		json_object_set_new(json, "lost", json_string(obstacle->lost));
	}
	return json;
}

json_t *compat_json(const struct compat_host *from, const struct compat_host *to, const char *vmm,
		    const struct compat_result *result, const char *policy)
{
	json_t *says = json_array(), *obstacles = json_array(), *json;

	for (uint32_t i = 0; i < result->says_count; i++) {
		json_array_append_new(says, out_text_json(result->says[i]));
	}
	for (uint32_t i = 0; i < result->obstacle_count; i++) {
		json_array_append_new(obstacles, obstacle_json(&result->obstacles[i]));
	}
	json = json_pack("{s:o, s:o, s:s, s:s, s:s, s:b, s:i, s:i, s:o, s:o}", "from",
			 out_text_json(from->name), "to", out_text_json(to->name), "needs",
			 compat_need_name(result->need), "compared",
			 result->all_compared ? "all" : "feature registers", "vmm", vmm, "loads",
			 (int)result->loads, "source_registers", (int)result->source_count,
			 "destination_registers", (int)result->destination_count, "says", says,
			 "obstacles", obstacles);
	if (json != NULL && policy != NULL) {
		json_object_set_new(json, "policy", out_text_json(policy));
	}
	return json;
}
