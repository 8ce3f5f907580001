/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A YAML document as a small tree with marks: only what a policy may use. Tags, anchors, aliases,
 * directives and further documents are errors; so is anything too large or too deep.
 */
#ifndef HVCGATE_POLICY_YAML_TREE_H
#define HVCGATE_POLICY_YAML_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "arena.h"
#include "diags.h"

#define YAML_MAX_DEPTH 12u
#define YAML_MAX_KEYS  256u
#define YAML_MAX_NODES 1000000u /* of a policy; 100 000 rules take half of it */

enum yaml_kind {
	YAML_BAD, /* already complained about: say nothing more */
	YAML_SCALAR,
	YAML_LIST,
	YAML_MAP,
};

struct yaml_node {
	enum yaml_kind kind;
	bool plain; /* a scalar without quotes */
	struct pol_mark mark;
	const char *text;        /* of a scalar, without NUL inside */
	size_t count;            /* entries */
	struct yaml_node *child; /* first; in a map key, value, key, value... */
	struct yaml_node *next;
};

/* The document's root in `arena`, or NULL: said in diags, or no memory (arena->oom). `nodes` counts those of all
 * documents of a policy. */
struct yaml_node *yaml_tree_parse(struct arena *arena, struct hvc_diags *diags, const char *file,
				  unsigned int order, const char *bytes, size_t length,
				  size_t *nodes);

/* "a list", "a mapping", "a number"... for messages. */
const char *yaml_node_what(const struct yaml_node *node);
/* The value of a key, or NULL. */
const struct yaml_node *yaml_map_get(const struct yaml_node *map, const char *key);

#endif
