/* SPDX-License-Identifier: BSD-2-Clause */
/* From spans to an image. */
#define _ISOC11_SOURCE
#include <stdlib.h>
#include <string.h>

#include "internal.h"

struct compiler {
	const struct hvc_policy *policy;
	struct hvc_diags *diags;
	struct hvc_image *image;
	size_t capacity;
};

/* --- Too large: who needs the memory? */
#define WORST 3u
#define BLOCK 0xffu /* a block of 256 IDs is what a node tells apart */

/* Blocks that each rule's edges cut; the more, the more nodes. */
static void count_blocks(const struct hvc_policy *policy, uint32_t *blocks)
{
	for (size_t i = 0; i < policy->span_count; i++) {
		const struct hvc_span *span = &policy->spans[i];

		if (span->match.rule != NULL &&
		    ((span->first & BLOCK) != 0 || (span->last & BLOCK) != BLOCK)) {
			blocks[span->match.rule->number - 1]++;
		}
	}
}

static void say_too_big(const struct compiler *compiler)
{
	const struct hvc_policy *policy = compiler->policy;
	uint32_t *blocks = calloc(policy->rule_count + 1, sizeof(*blocks));

	if (blocks == NULL) {
		return;
	}
	count_blocks(policy, blocks);
	for (unsigned int n = 0; n < WORST; n++) {
		size_t worst = 0;

		for (size_t i = 1; i < policy->rule_count; i++) {
			worst = blocks[i] > blocks[worst] ? i : worst;
		}
		if (policy->rule_count != 0 && blocks[worst] != 0) {
			diags_error(
				compiler->diags, &policy->rules[worst].mark,
				"the image would be larger than %u MiB; rule %u cuts %u blocks of 256 IDs: use wider ranges, aligned to 256",
				HVC_IMAGE_MAX_SIZE >> 20, policy->rules[worst].rule.number,
				blocks[worst]);
			blocks[worst] = 0;
		}
	}
	free(blocks);
}

/* --- Painting. */
static enum hvc_err grow(struct compiler *compiler)
{
	size_t capacity = compiler->capacity * 2;
	struct hvc_image *grown;

	if (compiler->capacity >= HVC_IMAGE_MAX_SIZE) {
		return HVC_E2BIG;
	}
	capacity = capacity < HVC_IMAGE_MAX_SIZE ? capacity : HVC_IMAGE_MAX_SIZE;
	grown = realloc(compiler->image, capacity);
	if (grown == NULL) {
		return HVC_ENOMEM;
	}
	compiler->image = grown;
	compiler->capacity = capacity;
	return HVC_OK;
}

static enum hvc_err paint(struct compiler *compiler, uint32_t first, uint32_t last,
			  enum hvc_action action, bool by_rule)
{
	for (;;) {
		enum hvc_err err = hvc_image_paint(compiler->image, compiler->capacity, first, last,
						   action, by_rule);

		if (err != HVC_ENOMEM) {
			return err;
		}
		err = grow(compiler);
		if (err != HVC_OK) {
			return err;
		}
	}
}

static bool same_paint(const struct hvc_match *a, const struct hvc_match *b)
{
	return a->action == b->action && (a->rule != NULL) == (b->rule != NULL) &&
	       a->reserved == b->reserved;
}

static enum hvc_err paint_spans(struct compiler *compiler)
{
	const struct hvc_policy *policy = compiler->policy;
	enum hvc_action by_default = (enum hvc_action)knob_value(policy, KNOB_DEFAULT);
	enum hvc_err err = paint(compiler, 0, 0xffffffffu, by_default, false);

	for (size_t i = 0; i < policy->span_count && err == HVC_OK; i++) {
		const struct hvc_span *span = &policy->spans[i];
		uint32_t last = span->last;

		/* Neighbours of the same colour in one stroke. */
		while (i + 1 < policy->span_count &&
		       same_paint(&policy->spans[i + 1].match, &span->match)) {
			last = policy->spans[++i].last;
		}
		if (!span->match.reserved &&
		    (span->match.rule != NULL || span->match.action != by_default)) {
			err = paint(compiler, span->first, last, span->match.action,
				    span->match.rule != NULL);
		}
	}
	return err;
}

static enum hvc_err add_tables(struct compiler *compiler)
{
	for (;;) {
		enum hvc_err err = hvc_image_add_tables(compiler->image, compiler->capacity,
							&compiler->policy->tables);

		if (err != HVC_ENOMEM) {
			return err;
		}
		err = grow(compiler);
		if (err != HVC_OK) {
			return err;
		}
	}
}

enum hvc_err hvc_policy_compile(const struct hvc_policy *policy, struct hvc_image **image,
				struct hvc_diags *diags)
{
	struct compiler compiler = {
		.policy = policy, .diags = diags, .capacity = hvc_image_min_size()};
	enum hvc_err err;

	*image = NULL;
	compiler.image = malloc(compiler.capacity);
	if (compiler.image == NULL) {
		return HVC_ENOMEM;
	}
	err = hvc_image_begin(compiler.image, compiler.capacity, &policy->settings);
	if (err == HVC_OK) {
		err = paint_spans(&compiler);
	}
	if (err == HVC_OK) {
		err = add_tables(&compiler);
	}
	if (err == HVC_E2BIG) {
		say_too_big(&compiler);
	}
	if (err != HVC_OK) {
		free(compiler.image);
		return err;
	}
	hvc_image_seal(compiler.image);
	*image = compiler.image;
	return HVC_OK;
}
