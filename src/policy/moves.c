/* SPDX-License-Identifier: BSD-2-Clause */
/* The keys about guests whose calls can be shut off, and that move: `revocable`, `travel`, `hide`, `lose`. */
#include "moves.h"

#include <string.h>

#include "internal.h"
#include "suggest.h"
#include "targets.h"
#include "values.h"

/* --- revocable */
static bool take_revocable_name(struct loader *loader, const struct yaml_node *node,
				uint64_t set[HVC_FN_WORDS])
{
	struct pol_target target;
	unsigned int slot;

	if (!want_kind(loader, node, YAML_SCALAR, "revocable", "names of functions")) {
		return false;
	}
	if (strchr(node->text, '/') != NULL) {
		diags_error(loader->diags, &node->mark,
			    "'%s': a function is shut off in both widths; write %.*s", node->text,
			    (int)strcspn(node->text, "/"), node->text);
		return false;
	}
	if (!take_function(loader, node, &target)) {
		return false;
	}
	slot = target.first;
	if (set[slot / 64] >> slot % 64 & 1) {
		diags_error(loader->diags, &node->mark,
			    "'%s' stands in the list already; remove it", node->text);
		return false;
	}
	set[slot / 64] |= 1ull << slot % 64;
	return true;
}

void take_revocable(struct loader *loader, const struct yaml_node *value)
{
	const bool one = value->kind == YAML_SCALAR;
	uint64_t set[HVC_FN_WORDS] = {0};

	if (!one && !want_kind(loader, value, YAML_LIST, "revocable",
			       "[] or names of functions such as [TRNG_RND]")) {
		return;
	}
	for (const struct yaml_node *node = one ? value : value->child; node != NULL;
	     node = one ? NULL : node->next) {
		if (!take_revocable_name(loader, node, set)) {
			return;
		}
	}
	memcpy(loader->policy->revocable, set, sizeof(set));
	loader->policy->revocable_mark = value->mark;
}

const uint64_t *hvc_policy_revocable(const struct hvc_policy *policy)
{
	return policy->revocable;
}

/* --- travel */
void take_travel(struct loader *loader, const struct yaml_node *value)
{
	bool yes = false;

	if (!want_kind(loader, value, YAML_SCALAR, "travel", "yes or no")) {
		return;
	}
	if (!parse_yes(value->text, &yes)) {
		diags_error(loader->diags, &value->mark, "travel is '%s'; write yes or no",
			    value->text);
		return;
	}
	knob_set(loader, KNOB_TRAVEL, yes ? POLICY_TRAVEL_YES : POLICY_TRAVEL_NO, false,
		 &value->mark, "travel");
}

enum policy_travel policy_travel(const struct hvc_policy *policy)
{
	return (enum policy_travel)knob_value(policy, KNOB_TRAVEL);
}

/* --- hide, lose */
enum register_class { EQUAL, ASSERTION, GATED, PIN, MUTABLE, IDENTITY };

static const struct class_row {
	const char *pattern;
	enum register_class class;
	const char *reason;
} classes[] = {
#define CLASS(pattern, class, gate, shift, reason, lost) {pattern, class, reason},
#include "../plan/registers.def"
#undef CLASS
};

/* The last row fits everything. */
static const struct class_row *class_of(uint64_t id)
{
	const struct class_row *row = classes;
	char name[32];

	policy_register_name(id, name, sizeof(name));
	for (;; row++) {
		const size_t length = strcspn(row->pattern, "*");

		if (strncmp(row->pattern, name, length) == 0 &&
		    (row->pattern[length] == '*' || name[length] == '\0')) {
			return row;
		}
	}
}

static bool find_register(struct loader *loader, const struct yaml_node *node, const char *key,
			  uint64_t *id)
{
	const char *near;

	if (!want_kind(loader, node, YAML_SCALAR, key, "names of registers")) {
		return false;
	}
	if (policy_register_id(node->text, id)) {
		return true;
	}
	if (parse_number(node->text, id)) {
		/* arm64's, of at most 64 bits, and neither the core's nor SVE's */
		if (*id >> 56 == 0x60 && (*id >> 52 & 15) <= 3 &&
		    (*id >> 16 & 0xfffffffff) >= 0x11 && (*id >> 16 & 0xfffffffff) != 0x15) {
			return true;
		}
		diags_error(
			loader->diags, &node->mark,
			"%s is no ID of a register that can be left out; write one as KVM numbers them, such as 0x603000000013c4f6",
			node->text);
		return false;
	}
	near = suggest_machine_register(node->text);
	diags_error(loader->diags, &node->mark, "unknown register %s; %s%s%s", node->text,
		    near != NULL ? "did you mean "
				 : "write a record's name, such as PMMIR_EL1, or KVM's ID",
		    near != NULL ? near : "", near != NULL ? "?" : "");
	return false;
}

static bool may_hide(struct loader *loader, const struct yaml_node *node, uint64_t id)
{
	const struct class_row *row = class_of(id);

	switch (row->class) {
	case GATED:
	case ASSERTION:
		return true;
	case PIN:
		if (id != abi_register_id(HVC_REG_PSCI_VERSION)) {
			return true;
		}
		diags_error(
			loader->diags, &node->mark,
			"%s cannot be hidden: no version means nothing; choose one with psci: \"1.1\"",
			node->text);
		return false;
	case MUTABLE:
		diags_error(loader->diags, &node->mark,
			    "%s would be lost, not hidden: %s; write lose: [%s] if that is meant",
			    node->text, row->reason, node->text);
		return false;
	default:
		diags_error(
			loader->diags, &node->mark,
			"%s cannot be hidden: the guest was told what is in it (%s); a guest goes where it is the same",
			node->text, row->reason);
		return false;
	}
}

static bool may_lose(struct loader *loader, const struct yaml_node *node, uint64_t id)
{
	const struct class_row *row = class_of(id);

	if (row->class == MUTABLE) {
		diags_warning(loader->diags, &node->mark,
			      "lose: a guest that moves leaves the content of %s behind (%s)",
			      node->text, row->reason);
		return true;
	}
	if (row->class == GATED || row->class == ASSERTION) {
		diags_error(
			loader->diags, &node->mark,
			"%s need not be lost; write hide: [%s], which is refused where it means something",
			node->text, node->text);
	} else {
		diags_error(loader->diags, &node->mark,
			    "%s cannot be lost: the guest was told what is in it (%s)", node->text,
			    row->reason);
	}
	return false;
}

/* One ID into a list that ascends; false: said. */
static bool add(struct loader *loader, const struct yaml_node *node, struct pol_registers *list,
		uint64_t id)
{
	size_t at = 0;

	while (at < list->count && list->ids[at] < id) {
		at++;
	}
	if (at < list->count && list->ids[at] == id) {
		diags_error(loader->diags, &node->mark,
			    "'%s' stands in the list already; remove it", node->text);
		return false;
	}
	if (list->count == POLICY_HIDDEN / 2) {
		diags_error(loader->diags, &node->mark, "more than %u registers in one list",
			    POLICY_HIDDEN / 2);
		return false;
	}
	memmove(&list->ids[at + 1], &list->ids[at], (list->count - at) * sizeof(list->ids[0]));
	list->ids[at] = id;
	list->count++;
	return true;
}

static void take_list(struct loader *loader, const struct yaml_node *value, const char *key,
		      bool (*may)(struct loader *loader, const struct yaml_node *node, uint64_t id),
		      struct pol_registers *list)
{
	const bool one = value->kind == YAML_SCALAR;
	struct pol_registers found = {.mark = value->mark};
	uint64_t id = 0;

	if (!one && !want_kind(loader, value, YAML_LIST, key,
			       "[] or names of registers such as [PMMIR_EL1]")) {
		return;
	}
	for (const struct yaml_node *node = one ? value : value->child; node != NULL;
	     node = one ? NULL : node->next) {
		if (!find_register(loader, node, key, &id) || !may(loader, node, id) ||
		    !add(loader, node, &found, id)) {
			return;
		}
	}
	*list = found;
}

void take_hide(struct loader *loader, const struct yaml_node *value)
{
	take_list(loader, value, "hide", may_hide, &loader->policy->hide);
}

void take_lose(struct loader *loader, const struct yaml_node *value)
{
	take_list(loader, value, "lose", may_lose, &loader->policy->lose);
}

const uint64_t *policy_hidden(const struct hvc_policy *policy, size_t *count)
{
	*count = policy->hidden_count;
	return policy->hidden;
}

bool policy_loses(const struct hvc_policy *policy, uint64_t id)
{
	for (size_t i = 0; i < policy->lose.count; i++) {
		if (policy->lose.ids[i] == id) {
			return true;
		}
	}
	return false;
}

/* Classes differ, so no register is in both lists. */
void moves_settle(struct hvc_policy *policy)
{
	const struct pol_registers *hide = &policy->hide, *lose = &policy->lose;
	size_t h = 0, l = 0;

	policy->hidden_count = hide->count + lose->count;
	for (size_t i = 0; i < policy->hidden_count; i++) {
		policy->hidden[i] = l == lose->count ||
						    (h < hide->count && hide->ids[h] < lose->ids[l])
					    ? hide->ids[h++]
					    : lose->ids[l++];
	}
}

/* --- Lint: shutting off what is not there changes nothing. */
static bool is_there(const struct hvc_policy *policy, unsigned int slot)
{
	const struct hvc_function *function = hvc_function_at(slot);
	const uint32_t ids[2] = {function->id32, function->id64};

	for (unsigned int i = 0; i < 2; i++) {
		const enum hvc_action action = ids[i] != 0 ? hvc_policy_match(policy, ids[i]).action
							   : HVC_DENY;

		if (action == HVC_FORWARD || action == HVC_NOTIFY ||
		    (action == HVC_HANDLE && policy->absent[slot] == NULL)) {
			return true;
		}
	}
	return false;
}

void lint_revocable(struct loader *loader)
{
	const struct hvc_policy *policy = loader->policy;

	for (unsigned int slot = 1; slot < HVC_FN_COUNT; slot++) {
		if ((policy->revocable[slot / 64] >> slot % 64 & 1) != 0 &&
		    !is_there(policy, slot)) {
			diags_warning(
				loader->diags, &policy->revocable_mark,
				"revocable: %s is not there under this policy; there is nothing to shut off",
				hvc_function_at(slot)->name);
		}
	}
}
