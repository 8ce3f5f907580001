/* SPDX-License-Identifier: BSD-2-Clause */
/* hvc_policy_load(): the file, its parents, and then the whole. */
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "read.h"

#define MAX_DEPTH 8u   /* parents of parents */
#define MAX_FILES 64u  /* of one policy */
#define MAX_NAMED 256u /* how often a policy's files name parents, the same ones too */

/* A file on the way from the policy to where we are. */
struct link {
	const struct link *child;
	const char *path;
	unsigned long long device, inode;
	unsigned int depth;
};

struct files {
	struct loader *loader;
	struct {
		unsigned long long device, inode;
	} seen[MAX_FILES];
	unsigned int count, named;
	size_t bytes, nodes;      /* of all files */
	size_t groups[MAX_FILES]; /* rules of each file, in the order of reading */
	size_t group_count;
};

static void load_file(struct files *files, const char *path, const struct link *child,
		      const struct pol_mark *where);

/* `name` beside the file that names it. */
static const char *resolve(struct arena *arena, const char *file, const char *name)
{
	const char *slash = strrchr(file, '/');

	if (name[0] == '/' || slash == NULL) {
		return arena_strndup(arena, name, strlen(name));
	}
	return arena_printf(arena, "%.*s/%s", (int)(slash - file), file, name);
}

/* "a.yaml -> b.yaml -> a.yaml" */
static const char *chain_text(struct arena *arena, const struct link *link, const char *end)
{
	const char *text = end;

	for (; link != NULL && text != NULL; link = link->child) {
		text = arena_printf(arena, "%s -> %s", link->path, text);
	}
	return text;
}

static bool is_cycle(struct files *files, const struct link *link, const struct pol_mark *where)
{
	for (const struct link *up = link->child; up != NULL; up = up->child) {
		if (up->device == link->device && up->inode == link->inode) {
			const char *chain = chain_text(&files->loader->scratch, link->child,
						       link->path);

			diags_error(files->loader->diags, where,
				    "extends goes in a circle: %s; remove one of them",
				    chain != NULL ? chain : link->path);
			return true;
		}
	}
	return false;
}

static bool seen_before(struct files *files, const struct link *link)
{
	for (unsigned int i = 0; i < files->count; i++) {
		if (files->seen[i].device == link->device && files->seen[i].inode == link->inode) {
			return true;
		}
	}
	return false;
}

static void load_parent(struct files *files, const struct yaml_node *name, const struct link *link)
{
	struct arena *arena = &files->loader->policy->arena;
	const char *path;

	if (!want_kind(files->loader, name, YAML_SCALAR, "extends", "extends: [base.yaml]")) {
		return;
	}
	if (link->depth == MAX_DEPTH) {
		diags_error(files->loader->diags, &name->mark,
			    "extends goes more than %u files deep: %s", MAX_DEPTH,
			    chain_text(&files->loader->scratch, link, name->text));
		return;
	}
	path = resolve(arena, link->path, name->text);
	if (path != NULL) {
		load_file(files, path, link, &name->mark);
	}
}

/* Each name costs a look at a file, whether it was read before or not. */
static bool may_name(struct files *files, const struct yaml_node *name)
{
	if (files->named == MAX_NAMED) {
		diags_error(files->loader->diags, &name->mark,
			    "extends names parents more than %u times in this policy", MAX_NAMED);
	}
	return files->named++ < MAX_NAMED;
}

static void load_parents(struct files *files, const struct yaml_node *extends,
			 const struct link *link)
{
	if (extends->kind == YAML_LIST) {
		for (const struct yaml_node *name = extends->child;
		     name != NULL && may_name(files, name); name = name->next) {
			load_parent(files, name, link);
		}
	} else if (may_name(files, extends)) {
		load_parent(files, extends, link);
	}
}

static void load_tree(struct files *files, const struct yaml_node *root, const struct link *link)
{
	struct loader *loader = files->loader;
	const struct yaml_node *extends;
	size_t rules;

	if (root->kind != YAML_MAP) {
		diags_error(loader->diags, &root->mark,
			    "a policy is keys and values, and this is %s; start with hvcgate: %u",
			    yaml_node_what(root), POL_FORMAT);
		return;
	}
	extends = yaml_map_get(root, "extends");
	if (extends != NULL) {
		load_parents(files, extends, link);
	}
	rules = loader->policy->rule_count;
	keys_apply(loader, root);
	files->groups[files->group_count++] = loader->policy->rule_count - rules;
}

static void parse_file(struct files *files, const struct read_file *file, const struct link *link,
		       unsigned int order)
{
	struct loader *loader = files->loader;
	struct yaml_node *root = yaml_tree_parse(&loader->scratch, loader->diags, link->path, order,
						 file->bytes, file->length, &files->nodes);

	if (root != NULL) {
		load_tree(files, root, link);
	}
}

/* A file that cannot be read, too, counts and is not tried again. */
static enum hvc_err read_file(struct files *files, struct read_file *file, const struct link *link,
			      const struct pol_mark *where)
{
	struct loader *loader = files->loader;
	struct pol_mark self = {.file = link->path, .order = files->count};
	enum hvc_err err;

	if (files->count == MAX_FILES) {
		diags_error(loader->diags, where, "extends more than %u files", MAX_FILES);
		return HVC_EINVAL;
	}
	files->seen[files->count].device = file->device;
	files->seen[files->count].inode = file->inode;
	files->count++;
	err = read_policy_bytes(link->path, file, files->bytes, loader->diags, &self,
				where != NULL ? where : &self);
	files->bytes += file->length;
	if (err == HVC_OK) {
		parse_file(files, file, link, self.order);
	}
	return err;
}

static void load_file(struct files *files, const char *path, const struct link *child,
		      const struct pol_mark *where)
{
	struct loader *loader = files->loader;
	struct read_file file;
	const struct pol_mark self = {.file = path, .order = files->count};
	struct link link = {
		.child = child, .path = path, .depth = child != NULL ? child->depth + 1 : 0};
	enum hvc_err err = read_policy_open(path, &file, loader->diags,
					    where != NULL ? where : &self);

	link.device = file.device;
	link.inode = file.inode;
	if (err == HVC_OK && !(child != NULL && is_cycle(files, &link, where)) &&
	    !seen_before(files, &link)) {
		err = read_file(files, &file, &link, where);
	}
	loader->oom |= err == HVC_ENOMEM;
	loader->unreadable |= err == HVC_EIO;
	read_policy_close(&file);
}

static bool no_errors(const struct loader *loader)
{
	return hvc_diags_count(loader->diags, HVC_ERROR) == loader->errors_before;
}

static void finish(struct loader *loader, const struct files *files)
{
	struct hvc_policy *policy = loader->policy;

	profile_seed(policy);
	profile_check(loader);
	knobs_settle(policy);
	moves_settle(policy);
	loader->oom |= !rules_arrange(policy, files->groups, files->group_count);
	if (loader->oom || policy->arena.oom || !no_errors(loader)) {
		return;
	}
	handlers_check(loader);
	lint_targets(loader);
	absent_build(loader);
	loader->oom |= !spans_build(policy);
	if (!loader->oom) {
		features_settle(loader);
		lint(loader);
	}
	if (!loader->oom && no_errors(loader)) {
		loader->oom |= !flatten(policy);
	}
}

static enum hvc_err result(const struct loader *loader)
{
	if (loader->oom || loader->policy->arena.oom || loader->scratch.oom ||
	    diags_oom(loader->diags)) {
		return HVC_ENOMEM;
	}
	if (loader->unreadable) {
		return HVC_EIO;
	}
	return no_errors(loader) ? HVC_OK : HVC_EINVAL;
}

static enum hvc_err load(struct loader *loader, const char *path)
{
	struct hvc_policy *policy = loader->policy;
	struct files files = {.loader = loader};
	size_t messages = diags_total(loader->diags);
	enum hvc_err err;

	policy->path = arena_strndup(&policy->arena, path != NULL ? path : POL_BUILT_IN,
				     strlen(path != NULL ? path : POL_BUILT_IN));
	if (policy->path == NULL) {
		return HVC_ENOMEM;
	}
	knobs_init(policy);
	if (path != NULL) {
		load_file(&files, policy->path, NULL, NULL);
	}
	finish(loader, &files);
	diags_sort(loader->diags, messages);
	err = result(loader);
	arena_free(&loader->scratch);
	return err;
}

enum hvc_err hvc_policy_load(const char *path, struct hvc_policy **policy, struct hvc_diags *diags)
{
	struct loader loader = {.diags = diags};
	enum hvc_err err;

	if (policy == NULL || diags == NULL) {
		return HVC_EFAULT;
	}
	*policy = NULL;
	loader.errors_before = hvc_diags_count(diags, HVC_ERROR);
	loader.policy = calloc(1, sizeof(*loader.policy));
	if (loader.policy == NULL) {
		return HVC_ENOMEM;
	}
	err = load(&loader, path);
	if (err == HVC_OK) {
		*policy = loader.policy;
	} else {
		hvc_policy_free(loader.policy);
	}
	return err;
}
