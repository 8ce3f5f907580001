/* SPDX-License-Identifier: BSD-2-Clause */
#include "model.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct row {
	const char *name;
	uint32_t id32, id64;
	const char *service; /* as the table spells it: FF_A */
} rows[] = {
#define HVC_FUNCTION(name, id32, id64, service, ...) {#name, id32, id64, #service},
#include <hvcgate/catalog.def>
#undef HVC_FUNCTION
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

/* DEN0028, table 6-2. */
static const struct owner {
	const char *name;
	uint32_t first, last;
} owners[] = {{"arch", 0, 0},       {"cpu", 1, 1},           {"sip", 2, 2},
	      {"oem", 3, 3},        {"std", 4, 4},           {"std-hyp", 5, 5},
	      {"vendor-hyp", 6, 6}, {"trusted-app", 48, 49}, {"trusted-os", 50, 63}};

const char *model_name(size_t row)
{
	return row < ROWS ? rows[row].name : NULL;
}

uint32_t model_id(size_t n, unsigned int *slot)
{
	for (unsigned int row = 0; row < ROWS; row++) {
		const uint32_t ids[] = {rows[row].id32, rows[row].id64};

		for (unsigned int i = 0; i < 2; i++) {
			if (ids[i] != 0 && n-- == 0) {
				*slot = row + 1;
				return ids[i];
			}
		}
	}
	return 0;
}

bool model_reserved(uint32_t id)
{
	return (id >= 0x80000000u && id <= 0x8000ffffu) || (id >= 0xc0000000u && id <= 0xc000ffffu);
}

static void add_range(struct model *model, uint32_t first, uint32_t last, enum hvc_action action)
{
	if (model->count == model->room) {
		model->room = model->room * 2 + 64;
		model->ranges = realloc(model->ranges, model->room * sizeof(*model->ranges));
		if (model->ranges == NULL) {
			abort();
		}
	}
	model->ranges[model->count++] = (struct model_range){first, last, action, false};
}

void model_free(struct model *model)
{
	free(model->ranges);
}

static bool add_service(struct model *model, enum hvc_action action, const char *name)
{
	bool any = false;

	for (size_t row = 0; row < ROWS; row++) {
		const char *a = rows[row].service, *b = name;

		while (*a != '\0' && *b == (*a == '_' ? '-' : tolower((unsigned char)*a))) {
			a++;
			b++;
		}
		if (*a != '\0' || *b != '\0') {
			continue;
		}
		any = true;
		if (rows[row].id32 != 0) {
			add_range(model, rows[row].id32, rows[row].id32, action);
		}
		if (rows[row].id64 != 0) {
			add_range(model, rows[row].id64, rows[row].id64, action);
		}
	}
	return any;
}

static bool add_owner(struct model *model, enum hvc_action action, const char *name)
{
	for (size_t i = 0; i < sizeof(owners) / sizeof(owners[0]); i++) {
		if (strcmp(owners[i].name, name) == 0) {
			for (uint32_t top = 0; top < 4; top++) {
				add_range(model, top << 30 | owners[i].first << 24,
					  top << 30 | owners[i].last << 24 | 0xffffffu, action);
			}
			return true;
		}
	}
	return false;
}

static bool add_name(struct model *model, enum hvc_action action, const char *name)
{
	const char *slash = strchr(name, '/');
	size_t length = slash != NULL ? (size_t)(slash - name) : strlen(name);

	for (size_t row = 0; row < ROWS; row++) {
		if (strlen(rows[row].name) != length || memcmp(rows[row].name, name, length) != 0) {
			continue;
		}
		if (rows[row].id32 != 0 && (slash == NULL || strcmp(slash, "/32") == 0)) {
			add_range(model, rows[row].id32, rows[row].id32, action);
		}
		if (rows[row].id64 != 0 && (slash == NULL || strcmp(slash, "/64") == 0)) {
			add_range(model, rows[row].id64, rows[row].id64, action);
		}
		return true;
	}
	return false;
}

static bool add_one(struct model *model, enum hvc_action action, const char *text)
{
	static const char range[] = "{range: ";
	char word[80];

	if (strncmp(text, range, strlen(range)) == 0) {
		char *end;
		unsigned long first = strtoul(text + strlen(range), &end, 16);
		unsigned long last = strtoul(*end == '-' ? end + 1 : end, &end, 16);

		add_range(model, (uint32_t)first, (uint32_t)last, action);
		return strcmp(end, "}") == 0;
	}
	if (sscanf(text, "{owner: %79[^}]}", word) == 1) {
		return add_owner(model, action, word);
	}
	if (sscanf(text, "{service: %79[^}]}", word) == 1) {
		return add_service(model, action, word);
	}
	return add_name(model, action, text);
}

bool model_add(struct model *model, enum hvc_action action, const char *target)
{
	char text[4096];
	char *item, *rest;

	if (strlen(target) >= sizeof(text)) {
		return false;
	}
	memcpy(text, target, strlen(target) + 1);
	if (text[0] != '[') {
		return add_one(model, action, text);
	}
	text[strlen(text) - 1] = '\0'; /* the ] */
	for (rest = text + 1; rest != NULL;) {
		char *comma = strstr(rest, ", ");

		item = rest;
		rest = NULL;
		if (comma != NULL) {
			*comma = '\0';
			rest = comma + 2;
		}
		if (!add_one(model, action, item)) {
			return false;
		}
	}
	return true;
}

void model_add_defaults(struct model *model, enum hvc_action otherwise)
{
	static const char *const shut[] = {"sdei", "ff-a", "lfa", "pkvm", "hyper-v", "tee"};
	size_t rules = model->count;

	model->otherwise = otherwise;
	for (size_t i = 0; i < sizeof(shut) / sizeof(shut[0]) && otherwise == HVC_HANDLE; i++) {
		add_service(model, HVC_DENY, shut[i]);
	}
	for (size_t i = rules; i < model->count; i++) {
		model->ranges[i].by_default = true;
	}
}

static unsigned int slot_of(uint32_t id)
{
	for (unsigned int row = 0; row < ROWS; row++) {
		if (id != 0 && (rows[row].id32 == id || rows[row].id64 == id)) {
			return row + 1;
		}
	}
	return 0;
}

/* Action and claim of an ID that this range decides. */
static unsigned int look_of(const struct model_range *range)
{
	return (unsigned int)range->action << MODEL_ACTION_SHIFT |
	       (range->by_default ? 0u : (unsigned int)MODEL_CLAIMED);
}

unsigned int model_one(const struct model *model, uint32_t id)
{
	unsigned int slot;

	if (model->hints && id >= 0x80000000u) {
		id &= 0xfffeffffu;
	}
	slot = slot_of(id);
	if (model_reserved(id)) {
		return slot | MODEL_CLAIMED;
	}
	for (size_t i = 0; i < model->count; i++) {
		if (id >= model->ranges[i].first && id <= model->ranges[i].last) {
			return slot | look_of(&model->ranges[i]);
		}
	}
	return slot | (unsigned int)model->otherwise << MODEL_ACTION_SHIFT;
}

static void fill(uint16_t *expected, uint32_t from, uint32_t to, unsigned int value)
{
	for (uint32_t i = from; i <= to; i++) {
		expected[i] = (uint16_t)value;
	}
}

void model_block(const struct model *model, uint32_t block, uint16_t expected[MODEL_BLOCK])
{
	uint32_t first = block << 16, last = first | 0xffffu;

	fill(expected, 0, 0xffff, (unsigned int)model->otherwise << MODEL_ACTION_SHIFT);
	for (size_t i = model->count; i-- > 0;) {
		const struct model_range *range = &model->ranges[i];

		if (range->first <= last && range->last >= first) {
			fill(expected, range->first > first ? range->first - first : 0,
			     range->last < last ? range->last - first : 0xffff, look_of(range));
		}
	}
	if (model_reserved(first)) {
		fill(expected, 0, 0xffff, MODEL_CLAIMED);
	}
	for (unsigned int row = 0; row < ROWS; row++) {
		if (rows[row].id32 != 0 && rows[row].id32 >> 16 == block) {
			expected[rows[row].id32 & 0xffffu] |= (uint16_t)(row + 1);
		}
		if (rows[row].id64 != 0 && rows[row].id64 >> 16 == block) {
			expected[rows[row].id64 & 0xffffu] |= (uint16_t)(row + 1);
		}
	}
}

bool model_is_plain(const struct model *model, uint32_t block)
{
	for (size_t i = 0; i < model->count; i++) {
		if (model->ranges[i].first >> 16 == block || model->ranges[i].last >> 16 == block) {
			return false;
		}
	}
	for (unsigned int row = 0; row < ROWS; row++) {
		if (rows[row].id32 >> 16 == block || rows[row].id64 >> 16 == block) {
			return false;
		}
	}
	return true;
}
