/* SPDX-License-Identifier: BSD-2-Clause */
/* The key `handlers`: who answers what is forwarded. The keeper of exec asks them (src/handler). */
#include <stdlib.h>
#include <string.h>

#include "handlers.h"
#include "internal.h"
#include "suggest.h"
#include "values.h"

#define DEFAULT_TIMEOUT_MS 100u
#define MAX_SOCKET_PATH    107u /* sun_path without its NUL */
#define MAX_HANDLERS       256u

static const char *const handler_keys[] = {"socket", "timeout", "on-timeout", NULL};

struct pol_handler *handler_find(struct hvc_policy *policy, const char *name)
{
	for (size_t i = 0; i < policy->handler_count; i++) {
		if (strcmp(policy->handlers[i].name, name) == 0) {
			return &policy->handlers[i];
		}
	}
	return NULL;
}

static bool is_name(const char *text)
{
	static const char set[] = "abcdefghijklmnopqrstuvwxyz0123456789-_";
	size_t length = strlen(text);

	return length > 0 && length <= 32 && strspn(text, set) == length && text[0] != '-' &&
	       text[0] != '_';
}

static void take_socket(struct loader *loader, const struct yaml_node *value,
			struct pol_handler *handler)
{
	if (!want_kind(loader, value, YAML_SCALAR, "socket", "a path")) {
		return;
	}
	if (value->text[0] != '/' || !is_printable(value->text, MAX_SOCKET_PATH)) {
		diags_error(
			loader->diags, &value->mark,
			"socket '%s' is no absolute path of at most %u characters; write one such as /run/hvcgate/%s.sock",
			value->text, MAX_SOCKET_PATH, handler->name);
		return;
	}
	handler->socket = arena_strndup(&loader->policy->arena, value->text, strlen(value->text));
}

static void take_handler_key(struct loader *loader, const struct yaml_node *key,
			     struct pol_handler *handler)
{
	const struct yaml_node *value = key->next;

	if (key_is(key, "socket")) {
		take_socket(loader, value, handler);
	} else if (key_is(key, "timeout")) {
		if (want_kind(loader, value, YAML_SCALAR, "timeout", "a time such as 100ms") &&
		    !parse_duration(value->text, &handler->timeout_ms)) {
			diags_error(
				loader->diags, &value->mark,
				"timeout '%s' is no time from 1ms to 3600s; write one such as 100ms",
				value->text);
		}
	} else if (key_is(key, "on-timeout")) {
		if (want_kind(loader, value, YAML_SCALAR, "on-timeout", "fail") &&
		    strcmp(value->text, "fail") != 0) {
			diags_error(
				loader->diags, &value->mark,
				"on-timeout is '%s'; write fail: nothing here can pause a VM, or power it off, from outside of its VMM",
				value->text);
		}
	} else {
		unknown_key(loader, key, handler_keys, "a handler");
	}
}

static void add_handler(struct loader *loader, const struct pol_handler *handler)
{
	struct hvc_policy *policy = loader->policy;
	struct pol_handler *old = handler_find(policy, handler->name);

	if (old != NULL) {
		*old = *handler;
		return;
	}
	if (policy->handler_count == MAX_HANDLERS) {
		diags_error(loader->diags, &handler->mark, "more than %u handlers in one policy",
			    MAX_HANDLERS);
		return;
	}
	if (!array_reserve(&policy->handlers, &policy->handler_capacity, policy->handler_count + 1,
			   sizeof(*handler))) {
		loader->oom = true;
		return;
	}
	policy->handlers[policy->handler_count++] = *handler;
}

static void take_handler(struct loader *loader, const struct yaml_node *name)
{
	struct pol_handler handler = {.timeout_ms = DEFAULT_TIMEOUT_MS, .mark = name->mark};
	const struct yaml_node *map = name->next;

	if (name->kind != YAML_SCALAR) {
		return;
	}
	if (!is_name(name->text)) {
		diags_error(
			loader->diags, &name->mark,
			"'%s' is no name for a handler; use 1 to 32 of a-z, 0-9, - and _, a letter or digit first",
			name->text);
		return;
	}
	if (!want_kind(loader, map, YAML_MAP, name->text, "{socket: /run/hvcgate/NAME.sock}")) {
		return;
	}
	handler.name = arena_strndup(&loader->policy->arena, name->text, strlen(name->text));
	if (handler.name == NULL) {
		return;
	}
	for (const struct yaml_node *key = map->child; key != NULL; key = key->next->next) {
		take_handler_key(loader, key, &handler);
	}
	if (yaml_map_get(map, "socket") == NULL) {
		diags_error(loader->diags, &map->mark,
			    "handler %s has no socket; add socket: /run/hvcgate/%s.sock",
			    name->text, name->text);
	}
	add_handler(loader, &handler);
}

void take_handlers(struct loader *loader, const struct yaml_node *value)
{
	if (!want_kind(loader, value, YAML_MAP, "handlers",
		       "handlers: {NAME: {socket: /run/hvcgate/NAME.sock}}")) {
		return;
	}
	for (const struct yaml_node *name = value->child; name != NULL; name = name->next->next) {
		take_handler(loader, name);
	}
}

static void check_use(struct loader *loader, const char *name, const struct pol_mark *mark)
{
	struct pol_handler *handler = handler_find(loader->policy, name);
	struct suggestion suggestion;

	if (handler != NULL) {
		handler->used = true;
		return;
	}
	if (diags_full(loader->diags)) {
		return;
	}
	suggest_begin(&suggestion, name);
	for (size_t i = 0; i < loader->policy->handler_count; i++) {
		suggest_try(&suggestion, loader->policy->handlers[i].name);
	}
	if (suggestion.best != NULL) {
		diags_error(loader->diags, mark, "unknown handler '%s'; did you mean '%s'?", name,
			    suggestion.best);
	} else {
		diags_error(
			loader->diags, mark,
			"unknown handler '%s'; add it: handlers: {%s: {socket: /run/hvcgate/%s.sock}}",
			name, name, name);
	}
}

/* `default: forward` goes to the only handler there is. */
static void check_default(struct loader *loader)
{
	struct hvc_policy *policy = loader->policy;

	if (knob_value(policy, KNOB_DEFAULT) != HVC_FORWARD) {
		return;
	}
	if (policy->default_to == NULL && policy->handler_count == 1) {
		policy->default_to = policy->handlers[0].name;
	}
	if (policy->default_to == NULL) {
		diags_error(
			loader->diags, &policy->default_to_mark,
			"default: forward to whom? there are %zu handlers; write default: {forward: NAME}",
			policy->handler_count);
		return;
	}
	check_use(loader, policy->default_to, &policy->default_to_mark);
}

static int by_name(const void *left, const void *right)
{
	const struct pol_handler *a = left, *b = right;

	return strcmp(a->name, b->name);
}

void handlers_check(struct loader *loader)
{
	struct hvc_policy *policy = loader->policy;
	size_t errors = hvc_diags_count(loader->diags, HVC_ERROR);

	if (policy->handler_count > 1) {
		qsort(policy->handlers, policy->handler_count, sizeof(*policy->handlers), by_name);
	}
	for (size_t i = 0; i < policy->rule_count; i++) {
		if (policy->rules[i].rule.handler != NULL) {
			check_use(loader, policy->rules[i].rule.handler, &policy->rules[i].to_mark);
		}
	}
	check_default(loader);
	if (hvc_diags_count(loader->diags, HVC_ERROR) != errors) {
		return; /* who is meant by a misspelt name is not unused */
	}
	for (size_t i = 0; i < policy->handler_count; i++) {
		if (!policy->handlers[i].used) {
			diags_warning(loader->diags, &policy->handlers[i].mark,
				      "handler %s is not used: no rule says 'to: %s'",
				      policy->handlers[i].name, policy->handlers[i].name);
		}
	}
}

size_t policy_handler_count(const struct hvc_policy *policy)
{
	return policy->handler_count;
}

bool policy_handler(const struct hvc_policy *policy, size_t n, struct policy_handler *handler)
{
	const struct pol_handler *from;

	if (n >= policy->handler_count) {
		return false;
	}
	from = &policy->handlers[n];
	*handler = (struct policy_handler){
		.name = from->name, .socket = from->socket, .timeout_ms = from->timeout_ms};
	return true;
}

size_t policy_handler_of(const struct hvc_policy *policy, const struct hvc_match *match)
{
	const char *name = match->rule != NULL ? match->rule->handler : policy->default_to;
	size_t n = 0;

	if (name == NULL || (match->action != HVC_FORWARD && match->action != HVC_NOTIFY)) {
		return policy->handler_count;
	}
	while (n < policy->handler_count && strcmp(policy->handlers[n].name, name) != 0) {
		n++;
	}
	return n;
}
