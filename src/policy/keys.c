/* SPDX-License-Identifier: BSD-2-Clause */
/* The top-level keys of a policy file, but for what has a file of its own. */
#include <inttypes.h>
#include <string.h>

#include "internal.h"
#include "suggest.h"
#include "values.h"

static void take_format(struct loader *loader, const struct yaml_node *value)
{
	uint64_t format;

	if (!want_kind(loader, value, YAML_SCALAR, "hvcgate", "hvcgate: 1")) {
		return;
	}
	if (!parse_number(value->text, &format) || !value->plain) {
		diags_error(
			loader->diags, &value->mark,
			"'hvcgate' is the format's version, a number without quotes; write hvcgate: %u",
			POL_FORMAT);
	} else if (format != POL_FORMAT) {
		diags_error(loader->diags, &value->mark,
			    "unknown format version %" PRIu64
			    "; the newest this hvcgate knows is %u",
			    format, POL_FORMAT);
	}
}

/* A quoted version; `text` lists the legal ones. */
static bool version_value(struct loader *loader, const struct yaml_node *value, const char *key,
			  const char *example, uint32_t *version)
{
	if (!want_kind(loader, value, YAML_SCALAR, key, example)) {
		return false;
	}
	if (!parse_version(value->text, version)) {
		diags_error(loader->diags, &value->mark,
			    "'%s' is '%s', which is no version; write %s: %s", key, value->text,
			    key, example);
		return false;
	}
	if (value->plain) {
		diags_error(loader->diags, &value->mark,
			    "a bare %s is a number to YAML; write %s: \"%s\"", value->text, key,
			    value->text);
		return false;
	}
	return true;
}

static void take_smccc(struct loader *loader, const struct yaml_node *value)
{
	uint32_t version = 0;

	if (!version_value(loader, value, "smccc", "\"1.2\"", &version)) {
		return;
	}
	if (version < HVC_VERSION(1, 0) || version > HVC_VERSION(1, 7)) {
		diags_error(loader->diags, &value->mark,
			    "smccc \"%s\" is out of range; there are \"1.0\" to \"1.7\"",
			    value->text);
		return;
	}
	knob_set(loader, KNOB_SMCCC, version, false, &value->mark, "smccc");
}

void take_psci(struct loader *loader, const struct yaml_node *value, const char *key)
{
	static const char range[] = "\"0.2\", \"1.0\", \"1.1\", \"1.2\" and \"1.3\"";
	uint32_t version = 0;
	uint64_t number;

	if (strcmp(key, "psci") != 0 && value->kind == YAML_SCALAR &&
	    parse_number(value->text, &number)) {
		version = number <= 0xffffffffu ? (uint32_t)number : 0;
	} else if (!version_value(loader, value, strcmp(key, "psci") == 0 ? key : "PSCI_VERSION",
				  "\"1.1\"", &version)) {
		return;
	}
	if (version != HVC_VERSION(0, 2) &&
	    (version < HVC_VERSION(1, 0) || version > HVC_VERSION(1, 3))) {
		diags_error(loader->diags, &value->mark,
			    "psci \"%s\" is out of range; there are %s", value->text, range);
		return;
	}
	knob_set(loader, KNOB_REG + HVC_REG_PSCI_VERSION, version, false, &value->mark, key);
}

static void take_psci_key(struct loader *loader, const struct yaml_node *value)
{
	take_psci(loader, value, "psci");
}

static void take_uid(struct loader *loader, const struct yaml_node *map)
{
	static const char *const keys[] = {"uid", NULL};
	uint32_t words[4];

	for (const struct yaml_node *key = map->child; key != NULL; key = key->next->next) {
		if (!key_is(key, "uid")) {
			unknown_key(loader, key, keys, "'identity'");
		} else if (!want_kind(loader, key->next, YAML_SCALAR, "uid",
				      "\"28b46fb6-2ec5-11e9-a9ca-4b564d003a74\"")) {
			continue;
		} else if (!parse_uuid(key->next->text, words)) {
			diags_error(
				loader->diags, &key->next->mark,
				"uid '%s' is no UUID; write one such as \"28b46fb6-2ec5-11e9-a9ca-4b564d003a74\"",
				key->next->text);
		} else if (words[0] == 0xffffffffu) {
			diags_error(
				loader->diags, &key->next->mark,
				"uid '%s' cannot be: its first word reads as NOT_SUPPORTED; choose another, or write identity: none",
				key->next->text);
		} else {
			memcpy(loader->policy->uid, words, sizeof(words));
			knob_set(loader, KNOB_IDENTITY, IDENTITY_UID, false, &map->mark,
				 "identity");
		}
	}
	if (map->child == NULL) {
		diags_error(loader->diags, &map->mark,
			    "'identity' is empty; write kvm, none or {uid: \"...\"}");
	}
}

static void take_identity(struct loader *loader, const struct yaml_node *value)
{
	static const char right[] = "kvm, none or {uid: \"...\"}";

	if (value->kind == YAML_MAP) {
		take_uid(loader, value);
	} else if (!want_kind(loader, value, YAML_SCALAR, "identity", right)) {
		return;
	} else if (strcmp(value->text, "kvm") == 0 || strcmp(value->text, "none") == 0) {
		knob_set(loader, KNOB_IDENTITY,
			 value->text[0] == 'k' ? IDENTITY_KVM : IDENTITY_NONE, false, &value->mark,
			 "identity");
	} else if (strcmp(value->text, "hyper-v") == 0) {
		diags_error(loader->diags, &value->mark,
			    "identity hyper-v is not there yet: nobody answers its calls; write %s",
			    right);
	} else {
		diags_error(loader->diags, &value->mark, "unknown identity '%s'; write %s",
			    value->text, right);
	}
}

static void take_workaround_4(struct loader *loader, const struct yaml_node *value)
{
	static const char right[] = "not-available, available or not-required";
	uint32_t level = 0;

	if (!want_kind(loader, value, YAML_SCALAR, "workaround-4", right)) {
		return;
	}
	if (!parse_level(value->text, &level)) {
		diags_error(loader->diags, &value->mark, "workaround-4 is '%s'; write %s",
			    value->text, right);
		return;
	}
	knob_set(loader, KNOB_WORKAROUND_4, level, false, &value->mark, "workaround-4");
}

static void take_system_suspend(struct loader *loader, const struct yaml_node *value)
{
	bool on = false;

	if (!want_kind(loader, value, YAML_SCALAR, "system-suspend", "on or off")) {
		return;
	}
	if (!parse_switch(value->text, &on)) {
		diags_error(loader->diags, &value->mark, "system-suspend is '%s'; write on or off",
			    value->text);
		return;
	}
	knob_set(loader, KNOB_SYSTEM_SUSPEND, on, false, &value->mark, "system-suspend");
}

static void take_replay(struct loader *loader, const struct yaml_node *value)
{
	take_mode(loader, value, KNOB_REPLAY, "replay", "refused", "allowed");
}

/* `extends` is read before all others (load.c). */
static void take_nothing(struct loader *loader, const struct yaml_node *value)
{
	(void)loader;
	(void)value;
}

/* In the order they are taken, whatever the order in the file: what is wider before what may narrow it. */
static const struct {
	const char *name;
	void (*take)(struct loader *loader, const struct yaml_node *value);
} keys[] = {
	{"hvcgate", take_format},
	{"extends", take_nothing},
	{"profile", take_profile},
	{"strictness", take_strictness},
	{"discovery", take_discovery},
	{"smccc", take_smccc},
	{"psci", take_psci_key},
	{"identity", take_identity},
	{"workaround-4", take_workaround_4},
	{"soc-id", take_soc_id},
	{"system-suspend", take_system_suspend},
	{"power-state-format", take_power_format},
	{"power-states", take_power_states},
	{"os-initiated", take_os_initiated},
	{"trusted-os", take_trusted_os},
	{"implementations", take_implementations},
	{"replay", take_replay},
	{"allow", take_allow},
	{"revocable", take_revocable},
	{"travel", take_travel},
	{"hide", take_hide},
	{"lose", take_lose},
	{"services", take_services},
	{"registers", take_registers},
	{"show-registers", take_show_registers},
	{"default", take_default},
	{"rules", take_rules},
	{"handlers", take_handlers},
};
#define KEY_COUNT (sizeof(keys) / sizeof(keys[0]))

static void refuse_unknown_keys(struct loader *loader, const struct yaml_node *root)
{
	const char *names[KEY_COUNT + 1];

	for (size_t i = 0; i < KEY_COUNT; i++) {
		names[i] = keys[i].name;
	}
	names[KEY_COUNT] = NULL;
	for (const struct yaml_node *key = root->child; key != NULL; key = key->next->next) {
		size_t i = 0;

		while (i < KEY_COUNT && !key_is(key, names[i])) {
			i++;
		}
		if (i == KEY_COUNT) {
			unknown_key(loader, key, names, "a policy");
		}
	}
}

void keys_apply(struct loader *loader, const struct yaml_node *root)
{
	refuse_unknown_keys(loader, root);
	if (yaml_map_get(root, "hvcgate") == NULL) {
		diags_error(loader->diags, &root->mark,
			    "the key 'hvcgate' is missing; start the file with hvcgate: %u",
			    POL_FORMAT);
	}
	for (size_t i = 0; i < KEY_COUNT; i++) {
		const struct yaml_node *value = yaml_map_get(root, keys[i].name);

		if (value != NULL) {
			keys[i].take(loader, value);
		}
	}
}
