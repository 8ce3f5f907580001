/* SPDX-License-Identifier: BSD-2-Clause */
/* The keys about power states (DEN0022, 5.4 and 6.3) and the trusted OS (5.8, 5.9). */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "internal.h"
#include "values.h"

/* Fields of power_state in the original format; the extended one has its type in bit 30 and no level. */
#define ORIGINAL_DOWN     (1u << 16)
#define ORIGINAL_LEVEL(v) ((v) >> 24 & 3u)
#define ORIGINAL_RESERVED 0xfcfe0000u
#define EXTENDED_DOWN     (1u << 30)
#define EXTENDED_RESERVED 0xb0000000u

static const char *const level_names[] = {"cpu", "cluster", "system", "3"};
enum { LEVELS = sizeof(level_names) / sizeof(level_names[0]) };

const char *power_level_name(uint32_t level)
{
	return level < LEVELS ? level_names[level] : "?";
}

void take_power_format(struct loader *loader, const struct yaml_node *value)
{
	take_mode(loader, value, KNOB_POWER_FORMAT, "power-state-format", "original", "extended");
}

void take_os_initiated(struct loader *loader, const struct yaml_node *value)
{
	bool on = false;

	if (!want_kind(loader, value, YAML_SCALAR, "os-initiated", "on or off")) {
		return;
	}
	if (!parse_switch(value->text, &on)) {
		diags_error(loader->diags, &value->mark, "os-initiated is '%s'; write on or off",
			    value->text);
		return;
	}
	knob_set(loader, KNOB_OS_INITIATED, on, false, &value->mark, "os-initiated");
}

/* --- power-states. */
static bool take_name(struct loader *loader, const struct yaml_node *value,
		      struct pol_power_state *power)
{
	static const char set[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
	size_t length;

	if (!want_kind(loader, value, YAML_SCALAR, "name", "a name such as cluster-off")) {
		return false;
	}
	/* A node of the guest's device tree has it for its name: at most 31 characters. */
	length = strlen(value->text);
	if (length > 31 || strspn(value->text, set) != length || value->text[0] < 'a' ||
	    value->text[0] > 'z') {
		diags_error(
			loader->diags, &value->mark,
			"'%s' is no name for a power state; use 1 to 31 of a-z, 0-9 and -, a letter first",
			value->text);
		return false;
	}
	power->state.name = arena_strndup(&loader->policy->arena, value->text, length);
	return true;
}

static bool take_param(struct loader *loader, const struct yaml_node *value,
		       struct pol_power_state *power)
{
	uint64_t param;

	if (!want_kind(loader, value, YAML_SCALAR, "param", "a number such as 0x10000")) {
		return false;
	}
	if (!parse_number(value->text, &param) || param > UINT32_MAX) {
		diags_error(
			loader->diags, &value->mark,
			"param is '%s'; write the power_state that CPU_SUSPEND is called with, such as 0x10000",
			value->text);
		return false;
	}
	power->state.param = (uint32_t)param;
	power->param_mark = value->mark;
	return true;
}

static bool take_level(struct loader *loader, const struct yaml_node *value,
		       struct pol_power_state *power)
{
	uint64_t number;

	if (!want_kind(loader, value, YAML_SCALAR, "level", "cpu, cluster or system")) {
		return false;
	}
	if (parse_number(value->text, &number)) {
		power->state.level = number < LEVELS ? (uint32_t)number : LEVELS;
	} else {
		power->state.level = 0;
		while (power->state.level < LEVELS &&
		       strcmp(value->text, level_names[power->state.level]) != 0) {
			power->state.level++;
		}
	}
	if (power->state.level == LEVELS) {
		diags_error(
			loader->diags, &value->mark,
			"level is '%s'; write the highest power level that goes down: cpu, cluster, system or 3",
			value->text);
		return false;
	}
	power->level_said = true;
	power->level_mark = value->mark;
	return true;
}

static bool take_time(struct loader *loader, const struct yaml_node *value, const char *key,
		      uint32_t *microseconds, bool *said)
{
	if (!want_kind(loader, value, YAML_SCALAR, key, "a time such as 200us")) {
		return false;
	}
	if (!parse_microseconds(value->text, microseconds)) {
		diags_error(loader->diags, &value->mark,
			    "%s '%s' is no time up to 3600s; write one such as 200us or 2ms", key,
			    value->text);
		return false;
	}
	*said = true;
	return true;
}

static bool take_state_key(struct loader *loader, const struct yaml_node *key,
			   struct pol_power_state *power)
{
	static const char *const keys[] = {
		"name", "param", "level", "entry-latency", "exit-latency", "min-residency", NULL};
	struct hvc_policy_power_state *state = &power->state;
	const struct yaml_node *value = key->next;

	if (key_is(key, "name")) {
		return take_name(loader, value, power);
	}
	if (key_is(key, "param")) {
		return take_param(loader, value, power);
	}
	if (key_is(key, "level")) {
		return take_level(loader, value, power);
	}
	if (key_is(key, "entry-latency")) {
		return take_time(loader, value, "entry-latency", &state->entry_us,
				 &power->entry_said);
	}
	if (key_is(key, "exit-latency")) {
		return take_time(loader, value, "exit-latency", &state->exit_us, &power->exit_said);
	}
	if (key_is(key, "min-residency")) {
		return take_time(loader, value, "min-residency", &state->residency_us,
				 &power->residency_said);
	}
	unknown_key(loader, key, keys, "a power state");
	return false;
}

static bool take_state(struct loader *loader, const struct yaml_node *map,
		       struct pol_power_state *power)
{
	bool sound = true;

	if (!want_kind(loader, map, YAML_MAP, "power-states", "{param: 0x10000}")) {
		return false;
	}
	*power = (struct pol_power_state){.mark = map->mark};
	for (const struct yaml_node *key = map->child; key != NULL; key = key->next->next) {
		sound &= take_state_key(loader, key, power);
	}
	if (yaml_map_get(map, "param") == NULL) {
		diags_error(
			loader->diags, &map->mark,
			"a power state has no param; write {param: 0x10000}, what CPU_SUSPEND is called with");
		return false;
	}
	return sound;
}

void take_power_states(struct loader *loader, const struct yaml_node *value)
{
	struct pol_power_state states[HVC_POWER_STATES];
	uint32_t count = 0;

	if (!want_kind(loader, value, YAML_LIST, "power-states",
		       "[] or lines such as '  - {param: 0x10000}'")) {
		return;
	}
	for (const struct yaml_node *map = value->child; map != NULL; map = map->next) {
		if (count == HVC_POWER_STATES) {
			diags_error(loader->diags, &map->mark,
				    "more than %u power states; an engine knows so many at most",
				    (unsigned int)HVC_POWER_STATES);
			return;
		}
		if (!take_state(loader, map, &states[count++])) {
			return;
		}
	}
	memcpy(loader->policy->power_states, states, count * sizeof(states[0]));
	knob_set(loader, KNOB_POWER_STATES, count, false, &value->mark, "power-states");
}

/* --- All files read. */
/* What the format says of a value: reserved bits, level, type. */
static void check_param(struct loader *loader, struct pol_power_state *power)
{
	const bool extended = knob_value(loader->policy, KNOB_POWER_FORMAT) != 0;
	const uint32_t reserved = extended ? EXTENDED_RESERVED : ORIGINAL_RESERVED;
	struct hvc_policy_power_state *state = &power->state;

	if ((state->param & reserved) != 0) {
		diags_error(
			loader->diags, &power->param_mark,
			"param 0x%" PRIx32 " has bits of 0x%" PRIx32
			" set, which power-state-format %s reserves; clear them, or write power-state-format: %s",
			state->param, reserved, extended ? "extended" : "original",
			extended ? "original" : "extended");
	} else if (!extended && power->level_said && state->level != ORIGINAL_LEVEL(state->param)) {
		diags_error(loader->diags, &power->level_mark,
			    "level is %s, and bits 25:24 of param 0x%" PRIx32
			    " say %s; write that, or param 0x%" PRIx32,
			    power_level_name(state->level), state->param,
			    power_level_name(ORIGINAL_LEVEL(state->param)),
			    (state->param & ~(3u << 24)) | state->level << 24);
	}
	if (!extended) {
		state->level = ORIGINAL_LEVEL(state->param);
	}
	state->down = (state->param & (extended ? EXTENDED_DOWN : ORIGINAL_DOWN)) != 0;
}

/* Times of a machine that runs under QEMU, rounded up; deeper states are worth it less often. */
static void fill_in(struct loader *loader, struct pol_power_state *power)
{
	struct hvc_policy_power_state *state = &power->state;

	if (state->name == NULL) {
		state->name = arena_printf(&loader->policy->arena, "%s%s-%s-%" PRIx32,
					   state->level == 3 ? "level" : "",
					   power_level_name(state->level),
					   state->down ? "down" : "standby", state->param);
	}
	if (!power->entry_said) {
		state->entry_us = state->down ? 100 : 20;
	}
	if (!power->exit_said) {
		state->exit_us = state->down ? 200 : 20;
	}
	if (!power->residency_said) {
		const uint32_t least = (state->down ? 1000u : 100u) * (1 + state->level);
		const uint32_t both = state->entry_us + state->exit_us;

		state->residency_us = both > least && both >= state->entry_us ? both : least;
	}
}

static void check_times(struct loader *loader, const struct pol_power_state *power)
{
	const struct hvc_policy_power_state *state = &power->state;

	if (state->residency_us < state->entry_us) {
		diags_error(loader->diags, &power->mark,
			    "min-residency %" PRIu32 "us is less than entry-latency %" PRIu32
			    "us, which is a part of it; write min-residency: %" PRIu32 "us or more",
			    state->residency_us, state->entry_us, state->entry_us);
	}
}

static void check_pair(struct loader *loader, const struct pol_power_state *before,
		       const struct pol_power_state *power)
{
	const struct hvc_policy_power_state *a = &before->state, *b = &power->state;

	if (a->param == b->param) {
		diags_error(loader->diags, &power->param_mark,
			    "param 0x%" PRIx32
			    " is %s's at line %u already; each state has its own",
			    b->param, a->name, before->mark.line);
	} else if (a->name != NULL && b->name != NULL && strcmp(a->name, b->name) == 0) {
		diags_error(loader->diags, &power->mark,
			    "power state %s stands at line %u already; give it another name",
			    b->name, before->mark.line);
	}
}

static void check_order(struct loader *loader, const struct pol_power_state *before,
			const struct pol_power_state *power)
{
	const struct hvc_policy_power_state *a = &before->state, *b = &power->state;

	if (b->level < a->level || b->residency_us < a->residency_us) {
		diags_error(loader->diags, &power->mark,
			    "power state %s (level %s, min-residency %" PRIu32
			    "us) stands behind %s (level %s, %" PRIu32
			    "us), which is deeper; the shallowest comes first",
			    b->name, power_level_name(b->level), b->residency_us, a->name,
			    power_level_name(a->level), a->residency_us);
	}
}

void power_check(struct loader *loader)
{
	struct hvc_policy *policy = loader->policy;
	const size_t count = knob_value(policy, KNOB_POWER_STATES);

	for (size_t i = 0; i < count; i++) {
		check_param(loader, &policy->power_states[i]);
		fill_in(loader, &policy->power_states[i]);
	}
	for (size_t i = 0; i < count && !policy->arena.oom; i++) {
		check_times(loader, &policy->power_states[i]);
		for (size_t j = 0; j < i; j++) {
			check_pair(loader, &policy->power_states[j], &policy->power_states[i]);
		}
		if (i > 0) {
			check_order(loader, &policy->power_states[i - 1], &policy->power_states[i]);
		}
	}
}

const struct hvc_policy_power_state *hvc_policy_power_state(const struct hvc_policy *policy,
							    size_t n)
{
	return n < knob_value(policy, KNOB_POWER_STATES) ? &policy->power_states[n].state : NULL;
}

/* --- trusted-os. */
static bool take_cpu(struct loader *loader, const struct yaml_node *map, uint64_t *cpu)
{
	const struct yaml_node *value = yaml_map_get(map, "cpu");

	if (value == NULL) {
		diags_error(loader->diags, &map->mark,
			    "trusted-os has no 'cpu'; write trusted-os: {cpu: 0, migrates: no}");
		return false;
	}
	if (!want_kind(loader, value, YAML_SCALAR, "cpu", "a number")) {
		return false;
	}
	if (!parse_number(value->text, cpu) || *cpu >= HVC_MAX_VCPUS) {
		diags_error(
			loader->diags, &value->mark,
			"cpu is '%s'; write the index of the CPU it is on at first, from 0 to %u",
			value->text, HVC_MAX_VCPUS - 1u);
		return false;
	}
	return true;
}

static bool take_migrates(struct loader *loader, const struct yaml_node *map, bool *migrates)
{
	const struct yaml_node *value = yaml_map_get(map, "migrates");

	if (value == NULL) {
		diags_error(
			loader->diags, &map->mark,
			"trusted-os has no 'migrates'; write migrates: yes if PSCI_MIGRATE moves it to another CPU, no if its CPU cannot be turned off");
		return false;
	}
	if (!want_kind(loader, value, YAML_SCALAR, "migrates", "yes or no")) {
		return false;
	}
	if (!parse_yes(value->text, migrates)) {
		diags_error(loader->diags, &value->mark, "migrates is '%s'; write yes or no",
			    value->text);
		return false;
	}
	return true;
}

void take_trusted_os(struct loader *loader, const struct yaml_node *value)
{
	static const char *const keys[] = {"cpu", "migrates", NULL};
	uint64_t cpu = 0;
	bool migrates = false, sound;

	if (value->kind == YAML_SCALAR && strcmp(value->text, "none") == 0) {
		loader->policy->trusted_os_cpu = 0;
		knob_set(loader, KNOB_TRUSTED_OS, 0, false, &value->mark, "trusted-os");
		return;
	}
	if (!want_kind(loader, value, YAML_MAP, "trusted-os", "none or {cpu: 0, migrates: no}")) {
		return;
	}
	refuse_unknown(loader, value, keys, "'trusted-os'");
	sound = take_cpu(loader, value, &cpu);
	if (take_migrates(loader, value, &migrates) && sound) {
		loader->policy->trusted_os_cpu = (uint32_t)cpu;
		knob_set(loader, KNOB_TRUSTED_OS,
			 HVC_TRUSTED_OS_NONE -
				 (migrates ? HVC_TRUSTED_OS_MIGRATES : HVC_TRUSTED_OS_STAYS),
			 false, &value->mark, "trusted-os");
	}
}
