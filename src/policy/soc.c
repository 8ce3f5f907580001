/* SPDX-License-Identifier: BSD-2-Clause */
/* The keys that say on what silicon the guest is: `soc-id` and `implementations`. */
#include <inttypes.h>
#include <string.h>

#include "internal.h"
#include "values.h"

/* One number of soc-id: 31 bits, as bit 31 set would read as an error (DEN0028, 7.4). */
static bool soc_number(struct loader *loader, const struct yaml_node *map, const char *key,
		       uint32_t *number)
{
	const struct yaml_node *value = yaml_map_get(map, key);
	uint64_t wide;

	if (value == NULL) {
		diags_error(loader->diags, &map->mark,
			    "soc-id has no '%s'; write soc-id: {version: 0x..., revision: 0x...}",
			    key);
		return false;
	}
	if (!want_kind(loader, value, YAML_SCALAR, key, "a number")) {
		return false;
	}
	if (!parse_number(value->text, &wide) || wide > 0x7fffffffu) {
		diags_error(loader->diags, &value->mark,
			    "soc-id %s is '%s'; write a number from 0 to 0x7fffffff", key,
			    value->text);
		return false;
	}
	*number = (uint32_t)wide;
	return true;
}

/* Printable, so that flattening and a guest's console can show it. */
static bool soc_name(struct loader *loader, const struct yaml_node *map, char name[HVC_SOC_NAME])
{
	const struct yaml_node *value = yaml_map_get(map, "name");

	memset(name, 0, HVC_SOC_NAME);
	if (value == NULL) {
		return true;
	}
	if (!want_kind(loader, value, YAML_SCALAR, "name", "a text")) {
		return false;
	}
	if (value->text[0] == '\0' || !is_printable(value->text, HVC_SOC_NAME - 1)) {
		diags_error(
			loader->diags, &value->mark,
			"soc-id name is no text of 1 to %u printable ASCII characters; write one such as \"ACME A1\", or leave it out",
			HVC_SOC_NAME - 1u);
		return false;
	}
	memcpy(name, value->text, strlen(value->text));
	return true;
}

static void no_soc_id(struct loader *loader, const struct pol_mark *mark)
{
	loader->policy->soc_name[0] = '\0';
	knob_set(loader, KNOB_SOC_ID, 0, false, mark, "soc-id");
	knob_set(loader, KNOB_SOC_NAME, 0, false, mark, "soc-id");
}

void take_soc_id(struct loader *loader, const struct yaml_node *value)
{
	static const char *const keys[] = {"version", "revision", "name", NULL};
	struct hvc_policy *policy = loader->policy;
	uint32_t version = 0, revision = 0;
	char name[HVC_SOC_NAME];
	bool sound;

	if (value->kind == YAML_SCALAR && strcmp(value->text, "none") == 0) {
		no_soc_id(loader, &value->mark);
		return;
	}
	if (!want_kind(loader, value, YAML_MAP, "soc-id",
		       "none or {version: 0x..., revision: 0x...}")) {
		return;
	}
	refuse_unknown(loader, value, keys, "'soc-id'");
	sound = soc_number(loader, value, "version", &version);
	sound &= soc_number(loader, value, "revision", &revision);
	if (soc_name(loader, value, name) && sound) {
		policy->soc_version = version;
		policy->soc_revision = revision;
		memcpy(policy->soc_name, name, sizeof(name));
		knob_set(loader, KNOB_SOC_ID, 1, false, &value->mark, "soc-id");
		knob_set(loader, KNOB_SOC_NAME, name[0] != '\0', false, &value->mark,
			 "soc-id: name");
	}
}

/* --- CPUs that the guest may come to run on: what its errata are chosen by. */
/* One ID register; MIDR_EL1 has 32 bits that are not zero. */
static bool id_register(struct loader *loader, const struct yaml_node *map, const char *key,
			uint64_t most, uint64_t *number)
{
	const struct yaml_node *value = yaml_map_get(map, key);

	*number = 0;
	if (value == NULL) {
		return true;
	}
	if (!want_kind(loader, value, YAML_SCALAR, key, "a number")) {
		return false;
	}
	if (!parse_number(value->text, number) || *number > most) {
		diags_error(loader->diags, &value->mark,
			    "%s is '%s'; write a number from 0 to 0x%" PRIx64, key, value->text,
			    most);
		return false;
	}
	return true;
}

static bool take_implementation(struct loader *loader, const struct yaml_node *map,
				struct hvc_implementation *cpu)
{
	static const char *const keys[] = {"midr", "revidr", "aidr", NULL};
	bool sound;

	if (!want_kind(loader, map, YAML_MAP, "implementations", "{midr: 0x...}")) {
		return false;
	}
	refuse_unknown(loader, map, keys, "an implementation");
	sound = id_register(loader, map, "midr", UINT32_MAX, &cpu->midr);
	sound &= id_register(loader, map, "revidr", UINT64_MAX, &cpu->revidr);
	sound &= id_register(loader, map, "aidr", UINT64_MAX, &cpu->aidr);
	if (sound && cpu->midr == 0) {
		diags_error(
			loader->diags, &map->mark,
			"an implementation has no midr; write {midr: 0x410fd0b1}, what MIDR_EL1 reads there");
		return false;
	}
	return sound;
}

static bool is_known(const struct hvc_implementation *cpus, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (memcmp(&cpus[i], &cpus[count], sizeof(cpus[i])) == 0) {
			return true;
		}
	}
	return false;
}

void take_implementations(struct loader *loader, const struct yaml_node *value)
{
	struct hvc_implementation cpus[HVC_IMPLEMENTATIONS + 1];
	uint32_t count = 0;

	if (!want_kind(loader, value, YAML_LIST, "implementations",
		       "[] or lines such as '  - {midr: 0x410fd0b1}'")) {
		return;
	}
	memset(cpus, 0, sizeof(cpus));
	for (const struct yaml_node *map = value->child; map != NULL; map = map->next) {
		if (!take_implementation(loader, map, &cpus[count])) {
			return;
		}
		if (is_known(cpus, count)) {
			diags_error(loader->diags, &map->mark,
				    "this implementation stands in the list already; remove it");
			return;
		}
		if (++count > HVC_IMPLEMENTATIONS) {
			diags_error(
				loader->diags, &map->mark,
				"more than %u implementations; a guest is told of so many at most",
				(unsigned int)HVC_IMPLEMENTATIONS);
			return;
		}
	}
	memcpy(loader->policy->implementations, cpus, sizeof(loader->policy->implementations));
	knob_set(loader, KNOB_IMPLEMENTATIONS, count, false, &value->mark, "implementations");
}
