/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

/* The library's own header, not ours. */
#include <yaml.h>

#include "yaml_tree.h"

struct builder {
	yaml_parser_t parser;
	yaml_event_t event; /* current */
	bool have_event;
	bool failed; /* a syntax error: nothing more can be read */
	struct arena *arena;
	struct hvc_diags *diags;
	struct pol_mark file; /* line and column unused */
	const char *bytes;
	size_t length;
	size_t *nodes;
};

static struct pol_mark mark_of(const struct builder *b, yaml_mark_t at)
{
	struct pol_mark mark = b->file;

	mark.line = (unsigned int)at.line + 1;
	mark.column = (unsigned int)at.column + 1;
	return mark;
}

/* What libyaml says, in words that help a person who did not read the YAML specification. */
static const char *syntax_hint(const struct builder *b)
{
	size_t at = b->parser.problem_mark.index;

	/* `index` counts characters; good enough for a hint, as indentation is ASCII. */
	if (at >= b->length) {
		return "; the file ends here: is a ], } or quote missing?";
	}
	if (b->bytes[at] == '\t') {
		return "; indent with spaces, not tabs";
	}
	if (b->bytes[at] == '@' || b->bytes[at] == '`' || b->bytes[at] == '%') {
		return "; put the value in quotes";
	}
	return "";
}

/* libyaml refuses a character: it says only how many bytes come before. */
static void reader_error(struct builder *b)
{
	struct pol_mark mark = b->file;

	mark.line = mark.column = 1;
	for (size_t i = 0; i < b->parser.problem_offset && i < b->length; i++) {
		bool newline = b->bytes[i] == '\n',
		     inside = ((unsigned char)b->bytes[i] & 0xc0) == 0x80;

		mark.line += newline;
		mark.column = newline ? 1 : mark.column + !inside;
	}
	diags_error(b->diags, &mark, "character U+%04X cannot stand in a text file; remove it",
		    (unsigned int)b->parser.problem_value);
}

static void syntax_error(struct builder *b)
{
	struct pol_mark mark = mark_of(b, b->parser.problem_mark);
	const char *problem = b->parser.problem != NULL ? b->parser.problem : "not YAML";

	b->failed = true;
	if (b->parser.error == YAML_MEMORY_ERROR) {
		b->arena->oom = true;
	} else if (b->parser.error == YAML_READER_ERROR) {
		reader_error(b);
	} else if (b->parser.context != NULL &&
		   b->parser.context_mark.line != b->parser.problem_mark.line) {
		diags_error(b->diags, &mark, "YAML syntax: %s (%s that starts at line %zu)%s",
			    problem, b->parser.context, b->parser.context_mark.line + 1,
			    syntax_hint(b));
	} else {
		diags_error(b->diags, &mark, "YAML syntax: %s%s", problem, syntax_hint(b));
	}
}

static bool next_event(struct builder *b)
{
	if (b->have_event) {
		yaml_event_delete(&b->event);
		b->have_event = false;
	}
	if (b->failed) {
		return false;
	}
	if (!yaml_parser_parse(&b->parser, &b->event)) {
		syntax_error(b);
		return false;
	}
	b->have_event = true;
	return true;
}

static void refuse_decoration(struct builder *b, const struct pol_mark *mark,
			      const yaml_char_t *anchor, const yaml_char_t *tag)
{
	if (anchor != NULL) {
		diags_error(
			b->diags, mark,
			"anchor &%s: a policy file has no anchors; write the value out where it is used",
			(const char *)anchor);
	}
	if (tag != NULL) {
		static const char standard[] = "tag:yaml.org,2002:";
		const char *name = (const char *)tag;
		bool is_standard = strncmp(name, standard, sizeof(standard) - 1) == 0;

		diags_error(b->diags, mark, "tag %s%s: a policy file has no tags; remove it",
			    is_standard ? "!!" : "",
			    is_standard ? name + sizeof(standard) - 1 : name);
	}
}

static struct yaml_node *new_node(struct builder *b, enum yaml_kind kind)
{
	struct yaml_node *node = arena_alloc(b->arena, sizeof(*node));

	if (node != NULL) {
		node->kind = kind;
		node->mark = mark_of(b, b->event.start_mark);
	}
	return node;
}

static struct yaml_node *build_scalar(struct builder *b)
{
	struct yaml_node *node = new_node(b, YAML_SCALAR);
	size_t length = b->event.data.scalar.length;

	if (node == NULL) {
		return NULL;
	}
	refuse_decoration(b, &node->mark, b->event.data.scalar.anchor, b->event.data.scalar.tag);
	node->plain = b->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	node->text = arena_strndup(b->arena, (const char *)b->event.data.scalar.value, length);
	if (node->text != NULL && strlen(node->text) != length) {
		diags_error(b->diags, &node->mark,
			    "text with a NUL character inside; remove the \\0");
		node->kind = YAML_BAD;
	}
	return node->text != NULL ? node : NULL;
}

static struct yaml_node *build_node(struct builder *b, unsigned int depth);

static bool is_duplicate(const struct yaml_node *map, const struct yaml_node *key,
			 struct pol_mark *first)
{
	for (const struct yaml_node *old = map->child; old != NULL && old != key;
	     old = old->next->next) {
		if (old->kind == YAML_SCALAR && strcmp(old->text, key->text) == 0) {
			*first = old->mark;
			return true;
		}
	}
	return false;
}

static void check_key(struct builder *b, struct yaml_node *map, struct yaml_node *key)
{
	struct pol_mark first = {0};

	if (key->kind == YAML_LIST || key->kind == YAML_MAP) {
		diags_error(b->diags, &key->mark, "%s cannot be a key; a key is a word",
			    yaml_node_what(key));
		key->kind = YAML_BAD;
	} else if (key->kind == YAML_SCALAR && is_duplicate(map, key, &first)) {
		diags_error(b->diags, &key->mark,
			    "duplicate key '%s': it stands at line %u already; keep one", key->text,
			    first.line);
		key->kind = YAML_BAD;
	}
}

/* Entries up to the end event; the current event is the start. False: give up. */
static bool build_children(struct builder *b, struct yaml_node *parent, yaml_event_type_t end,
			   unsigned int depth)
{
	struct yaml_node **tail = &parent->child, *key = NULL;
	size_t nodes = 0;

	while (next_event(b) && b->event.type != end) {
		struct yaml_node *node = build_node(b, depth + 1);

		if (node == NULL) {
			return false;
		}
		*tail = node;
		tail = &node->next;
		nodes++;
		if (parent->kind == YAML_MAP && nodes % 2 == 0) {
			check_key(b, parent, key);
		}
		if (parent->kind == YAML_MAP && nodes > 2 * YAML_MAX_KEYS) {
			diags_error(b->diags, &node->mark, "a mapping with more than %u keys",
				    YAML_MAX_KEYS);
			return false;
		}
		key = node;
	}
	parent->count = parent->kind == YAML_MAP ? nodes / 2 : nodes;
	return !b->failed;
}

static struct yaml_node *build_list(struct builder *b, unsigned int depth)
{
	struct yaml_node *node = new_node(b, YAML_LIST);

	if (node != NULL) {
		refuse_decoration(b, &node->mark, b->event.data.sequence_start.anchor,
				  b->event.data.sequence_start.tag);
	}
	return node != NULL && build_children(b, node, YAML_SEQUENCE_END_EVENT, depth) ? node
										       : NULL;
}

static struct yaml_node *build_map(struct builder *b, unsigned int depth)
{
	struct yaml_node *node = new_node(b, YAML_MAP);

	if (node != NULL) {
		refuse_decoration(b, &node->mark, b->event.data.mapping_start.anchor,
				  b->event.data.mapping_start.tag);
	}
	return node != NULL && build_children(b, node, YAML_MAPPING_END_EVENT, depth) ? node : NULL;
}

static struct yaml_node *build_alias(struct builder *b)
{
	struct yaml_node *node = new_node(b, YAML_BAD);

	if (node != NULL) {
		diags_error(b->diags, &node->mark,
			    "alias *%s: a policy file has no aliases; write the value out",
			    (const char *)b->event.data.alias.anchor);
	}
	return node;
}

/* The node that the current event starts; at most YAML_MAX_DEPTH deep. */
static struct yaml_node *build_node(struct builder *b, unsigned int depth)
{
	if (depth > YAML_MAX_DEPTH) {
		struct pol_mark mark = mark_of(b, b->event.start_mark);

		diags_error(b->diags, &mark,
			    "nested more than %u deep; no part of a policy needs that",
			    YAML_MAX_DEPTH);
		return NULL;
	}
	if (++*b->nodes > YAML_MAX_NODES) {
		struct pol_mark mark = mark_of(b, b->event.start_mark);

		diags_error(b->diags, &mark, "more than %u values in one policy; use ranges",
			    YAML_MAX_NODES);
		return NULL;
	}
	switch (b->event.type) {
	case YAML_SCALAR_EVENT:
		return build_scalar(b);
	case YAML_SEQUENCE_START_EVENT:
		return build_list(b, depth);
	case YAML_MAPPING_START_EVENT:
		return build_map(b, depth);
	default:
		return build_alias(b);
	}
}

static void refuse_directives(struct builder *b)
{
	struct pol_mark mark = mark_of(b, b->event.start_mark);

	if (b->event.data.document_start.version_directive != NULL ||
	    b->event.data.document_start.tag_directives.start !=
		    b->event.data.document_start.tag_directives.end) {
		diags_error(
			b->diags, &mark,
			"a YAML directive: a policy file has none; remove the line that starts with %%");
	}
}

/* Behind the first document: nothing but the end of the stream. */
static void expect_end(struct builder *b)
{
	if (next_event(b) && next_event(b) && b->event.type == YAML_DOCUMENT_START_EVENT) {
		struct pol_mark mark = mark_of(b, b->event.start_mark);

		diags_error(b->diags, &mark,
			    "a second document starts here; a policy file holds one");
	}
}

static struct yaml_node *build_document(struct builder *b)
{
	struct pol_mark whole = b->file;
	struct yaml_node *root;

	if (!next_event(b) || !next_event(b)) { /* start of stream, then of the document */
		return NULL;
	}
	if (b->event.type != YAML_DOCUMENT_START_EVENT) {
		diags_error(b->diags, &whole,
			    "the file is empty; a policy starts with 'hvcgate: 1'");
		return NULL;
	}
	refuse_directives(b);
	root = next_event(b) ? build_node(b, 1) : NULL;
	if (root != NULL) {
		expect_end(b);
	}
	return root;
}

struct yaml_node *yaml_tree_parse(struct arena *arena, struct hvc_diags *diags, const char *file,
				  unsigned int order, const char *bytes, size_t length,
				  size_t *nodes)
{
	struct builder b = {
		.arena = arena, .diags = diags, .bytes = bytes, .length = length, .nodes = nodes};
	struct yaml_node *root;

	b.file.file = file;
	b.file.order = order;
	if (length >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) { /* a byte order mark */
		b.bytes += 3;
		b.length -= 3;
	}
	if (!yaml_parser_initialize(&b.parser)) {
		arena->oom = true;
		return NULL;
	}
	yaml_parser_set_encoding(&b.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&b.parser, (const unsigned char *)b.bytes, b.length);
	root = build_document(&b);
	if (b.have_event) {
		yaml_event_delete(&b.event);
	}
	yaml_parser_delete(&b.parser);
	return b.failed ? NULL : root;
}

const char *yaml_node_what(const struct yaml_node *node)
{
	switch (node->kind) {
	case YAML_LIST:
		return "a list";
	case YAML_MAP:
		return "a mapping";
	case YAML_SCALAR:
		return node->plain && node->text[0] == '\0' ? "nothing" : "a single value";
	default:
		return "something wrong";
	}
}

const struct yaml_node *yaml_map_get(const struct yaml_node *map, const char *key)
{
	for (const struct yaml_node *node = map->child; node != NULL; node = node->next->next) {
		if (node->kind == YAML_SCALAR && strcmp(node->text, key) == 0) {
			return node->next;
		}
	}
	return NULL;
}
