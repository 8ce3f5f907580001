/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "suggest.h"
#include "targets.h"
#include "values.h"

static const char forms[] =
	"a function's name, name/32, name/64, {owner: ...}, {range: 0x...-0x...} or {service: ...}";

static const struct hvc_range *reserved_range_of(uint32_t first, uint32_t last)
{
	const struct hvc_range *ranges;
	unsigned int count = hvc_reserved_ranges(&ranges);

	for (unsigned int i = 0; i < count; i++) {
		if (first <= ranges[i].last && last >= ranges[i].first) {
			return &ranges[i];
		}
	}
	return NULL;
}

static bool refuse_reserved(struct loader *loader, const struct yaml_node *node, const char *name,
			    uint32_t first, uint32_t last)
{
	const struct hvc_range *range = reserved_range_of(first, last);

	if (range == NULL) {
		return false;
	}
	diags_error(loader->diags, &node->mark,
		    "%s touches the reserved range 0x%08" PRIx32 "-0x%08" PRIx32
		    ", which belongs to the engine; no rule can take it",
		    name, range->first, range->last);
	return true;
}

bool target_ids(const struct pol_target *target, uint32_t ids[2], unsigned int *count)
{
	const struct hvc_function *function;

	*count = 0;
	if (target->kind != TARGET_FUNCTION) {
		return false;
	}
	function = hvc_function_at(target->first);
	if (function->id32 != 0 && target->width != 64) {
		ids[(*count)++] = function->id32;
	}
	if (function->id64 != 0 && target->width != 32) {
		ids[(*count)++] = function->id64;
	}
	return true;
}

/* "/32" or "/64" behind a name. */
static bool split_width(const char *text, char *name, size_t size, unsigned int *width)
{
	const char *slash = strchr(text, '/');
	size_t length = slash != NULL ? (size_t)(slash - text) : strlen(text);

	*width = 0;
	if (slash != NULL) {
		*width = strcmp(slash, "/32") == 0 ? 32 : strcmp(slash, "/64") == 0 ? 64 : 1;
	}
	if (length >= size) {
		length = size - 1;
	}
	memcpy(name, text, length);
	name[length] = '\0';
	return *width != 1;
}

static void unknown_function(struct loader *loader, const struct yaml_node *node, const char *name)
{
	const char *near = suggest_function(name);
	uint32_t first, last;

	if (parse_id_range(name, &first, &last)) {
		diags_error(loader->diags, &node->mark, "a bare ID '%s'; write {range: %s}", name,
			    name);
	} else if (hvc_service_by_name(name) != HVC_SERVICE_NONE) {
		diags_error(loader->diags, &node->mark,
			    "'%s' is a service, not a function; write {service: %s}", name, name);
	} else if (near != NULL) {
		diags_error(loader->diags, &node->mark, "unknown function %s; did you mean %s?",
			    name, near);
	} else {
		diags_error(loader->diags, &node->mark, "unknown function %s; write %s", name,
			    forms);
	}
}

bool take_function(struct loader *loader, const struct yaml_node *node, struct pol_target *target)
{
	const struct hvc_function *function;
	uint32_t ids[2];
	unsigned int count;
	char name[80];

	if (!split_width(node->text, name, sizeof(name), &target->width)) {
		diags_error(loader->diags, &node->mark,
			    "'%s': a width is /32 or /64; write %s/32 or %s/64", node->text, name,
			    name);
		return false;
	}
	target->kind = TARGET_FUNCTION;
	target->first = target->last = hvc_function_by_name(name);
	if (target->first == HVC_FN_NONE) {
		unknown_function(loader, node, name);
		return false;
	}
	target_ids(target, ids, &count);
	function = hvc_function_at(target->first);
	if (count == 0) {
		diags_error(loader->diags, &node->mark,
			    "%s has no %u-bit ID, only 0x%08" PRIx32 "; write %s", name,
			    target->width, function->id32 != 0 ? function->id32 : function->id64,
			    name);
		return false;
	}
	for (unsigned int i = 0; i < count; i++) {
		if (refuse_reserved(loader, node, name, ids[i], ids[i])) {
			return false;
		}
	}
	target->text = node->text;
	return true;
}

static bool take_owner(struct loader *loader, const struct yaml_node *value,
		       struct pol_target *target)
{
	unsigned int first, last;

	target->kind = TARGET_OWNER;
	if (!hvc_owner_by_name(value->text, &first, &last)) {
		const char *near = suggest_owner(value->text);

		diags_error(
			loader->diags, &value->mark, "unknown owner '%s'; %s%s%s", value->text,
			near != NULL ? "did you mean '" : "there are: ",
			near != NULL
				? near
				: "arch, cpu, sip, oem, std, std-hyp, vendor-hyp, trusted-app, trusted-os",
			near != NULL ? "'?" : "");
		return false;
	}
	target->first = first;
	target->last = last;
	target->text = arena_printf(&loader->policy->arena, "{owner: %s}", value->text);
	if (first == HVC_OWNER_ARCH) {
		diags_note(
			loader->diags, &value->mark,
			"owner arch is taken without the reserved ranges, which belong to the engine");
	}
	return true;
}

static bool take_range(struct loader *loader, const struct yaml_node *value,
		       struct pol_target *target)
{
	char name[40];

	target->kind = TARGET_RANGE;
	if (!parse_id_range(value->text, &target->first, &target->last)) {
		diags_error(
			loader->diags, &value->mark,
			"'%s' is no range of function IDs; write first and last in hex, such as 0x82000000-0x8200ffff",
			value->text);
		return false;
	}
	if (target->last < target->first) {
		diags_error(loader->diags, &value->mark,
			    "range %s ends before it starts; write 0x%08" PRIx32 "-0x%08" PRIx32,
			    value->text, target->last, target->first);
		return false;
	}
	snprintf(name, sizeof(name), "range 0x%08" PRIx32 "-0x%08" PRIx32, target->first,
		 target->last);
	target->text = arena_printf(&loader->policy->arena,
				    "{range: 0x%08" PRIx32 "-0x%08" PRIx32 "}", target->first,
				    target->last);
	return !refuse_reserved(loader, value, name, target->first, target->last);
}

/* The first function of a service that lies in a reserved range, or NULL. */
static const struct hvc_function *reserved_function(unsigned int service)
{
	for (unsigned int slot = 1; slot < hvc_function_count(); slot++) {
		const struct hvc_function *function = hvc_function_at(slot);

		if (function->service == service &&
		    ((function->id32 != 0 &&
		      reserved_range_of(function->id32, function->id32) != NULL) ||
		     (function->id64 != 0 &&
		      reserved_range_of(function->id64, function->id64) != NULL))) {
			return function;
		}
	}
	return NULL;
}

static bool take_service(struct loader *loader, const struct yaml_node *value,
			 struct pol_target *target)
{
	unsigned int service = hvc_service_by_name(value->text);
	const struct hvc_function *reserved;

	target->kind = TARGET_SERVICE;
	if (service == HVC_SERVICE_NONE) {
		const char *near = suggest_service(value->text);

		diags_error(loader->diags, &value->mark, "unknown service '%s'; %s%s%s",
			    value->text,
			    near != NULL ? "did you mean '" : "'hvcgate policy explain' lists them",
			    near != NULL ? near : "", near != NULL ? "'?" : "");
		return false;
	}
	reserved = reserved_function(service);
	if (reserved != NULL) {
		diags_error(
			loader->diags, &value->mark,
			"service %s touches reserved IDs (%s, for one), which belong to the engine; name the functions you mean",
			value->text, reserved->name);
		return false;
	}
	target->first = target->last = service;
	target->text = arena_printf(&loader->policy->arena, "{service: %s}", value->text);
	return true;
}

static bool take_map(struct loader *loader, const struct yaml_node *map, struct pol_target *target)
{
	static const char *const keys[] = {"owner", "range", "service", NULL};
	const struct yaml_node *key = map->child;

	if (map->count != 1) {
		diags_error(loader->diags, &map->mark,
			    "a target has one key: {owner: ...}, {range: ...} or {service: ...}");
		return false;
	}
	if (!key_is(key, "owner") && !key_is(key, "range") && !key_is(key, "service")) {
		unknown_key(loader, key, keys, "a target");
		return false;
	}
	if (!want_kind(loader, key->next, YAML_SCALAR, key->text,
		       "one name or range; a list of targets is [{...}, {...}]")) {
		return false;
	}
	if (key_is(key, "owner")) {
		return take_owner(loader, key->next, target);
	}
	return key_is(key, "range") ? take_range(loader, key->next, target)
				    : take_service(loader, key->next, target);
}

bool target_take(struct loader *loader, const struct yaml_node *node, struct pol_target *target)
{
	memset(target, 0, sizeof(*target));
	target->mark = node->mark;
	if (node->kind == YAML_MAP) {
		return take_map(loader, node, target);
	}
	if (!want_kind(loader, node, YAML_SCALAR, "target", forms)) {
		return false;
	}
	if (!take_function(loader, node, target)) {
		return false;
	}
	target->text = arena_strndup(&loader->policy->arena, node->text, strlen(node->text));
	return target->text != NULL;
}
