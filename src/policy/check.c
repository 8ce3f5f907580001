/* SPDX-License-Identifier: BSD-2-Clause */
/* What every reader of a value says when the value is of the wrong kind, or a key unknown. */
#include <stdio.h>
#include <string.h>

#include "internal.h"
#include "suggest.h"

static const char *kind_name(enum yaml_kind kind)
{
	return kind == YAML_LIST ? "a list" : kind == YAML_MAP ? "a mapping" : "a single value";
}

bool want_kind(struct loader *loader, const struct yaml_node *node, enum yaml_kind kind,
	       const char *key, const char *right)
{
	bool empty = node->kind == YAML_SCALAR && node->plain && node->text[0] == '\0';

	if (node->kind == kind && !empty) {
		return true;
	}
	if (node->kind != YAML_BAD) {
		diags_error(loader->diags, &node->mark, "'%s' wants %s and has %s; write %s", key,
			    kind_name(kind), yaml_node_what(node), right);
	}
	return false;
}

bool key_is(const struct yaml_node *node, const char *name)
{
	return node->kind == YAML_SCALAR && strcmp(node->text, name) == 0;
}

/* Join names with commas, as far as the buffer goes. */
static void join(char *text, size_t size, const char *const *names)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; names[i] != NULL && used < size; i++) {
		int n = snprintf(text + used, size - used, "%s%s", i == 0 ? "" : ", ", names[i]);

		used += n > 0 ? (size_t)n : 0;
	}
}

void unknown_key(struct loader *loader, const struct yaml_node *key, const char *const *known,
		 const char *where)
{
	struct suggestion suggestion;
	char all[400];

	if (key->kind != YAML_SCALAR) {
		return;
	}
	suggest_begin(&suggestion, key->text);
	for (size_t i = 0; known[i] != NULL; i++) {
		suggest_try(&suggestion, known[i]);
	}
	if (suggestion.best != NULL) {
		diags_error(loader->diags, &key->mark, "unknown key '%s' in %s; did you mean '%s'?",
			    key->text, where, suggestion.best);
		return;
	}
	join(all, sizeof(all), known);
	diags_error(loader->diags, &key->mark, "unknown key '%s' in %s; there are: %s", key->text,
		    where, all);
}

void refuse_unknown(struct loader *loader, const struct yaml_node *map, const char *const *known,
		    const char *where)
{
	for (const struct yaml_node *key = map->child; key != NULL; key = key->next->next) {
		size_t i = 0;

		while (known[i] != NULL && !key_is(key, known[i])) {
			i++;
		}
		if (known[i] == NULL) {
			unknown_key(loader, key, known, where);
		}
	}
}
