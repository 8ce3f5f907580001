/* SPDX-License-Identifier: BSD-2-Clause */
/* The calls that are made, and their answers in words. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "golden.h"

/* Arguments x1 to x3 with which every ID is called; never all zero, so that zeroes are seen. RAM is from 0x40000000. */
static const uint64_t vectors[][3] = {
	{0, 0, 0x5a5a5a0300000003},              /* a: this CPU; off */
	{1, 0x40001000, 0x77},                   /* b: CPU 1 from there; on */
	{0x40001000, 0x88, 3},                   /* c: from there; a page of RAM */
	{0x10001, 0x40002000, 9},                /* d: power down */
	{2, 1, 0},                               /* e */
	{64, 0x40000040, 1},                     /* f: bits of entropy */
	{UINT64_MAX, UINT64_MAX, UINT64_MAX},    /* g */
	{0x80000000, 5, 6},                      /* h: a vendor's reset */
	{0x100000001, 0x40001001, 0x5a5a5a0000}, /* i: bits above the lower half; no entry */
	{0x101, 0, 0x40003000},                  /* j: CPU 3 */
	{0x40001000, 0, 0},                      /* k: a page of RAM */
	{0x1010033, 0x40001000, 0x55},           /* l: power down a cluster */
};
enum { VECTORS = sizeof(vectors) / sizeof(vectors[0]) };

#define BACKGROUND(n) (0x5a00005a00000000ull + 0x0101000001010000ull * (n))
#define UNKNOWN_ID    0xc7001234u

static const enum hvc_fn discoveries[DISCOVERIES] = {
	HVC_FN_SMCCC_ARCH_FEATURES,
	HVC_FN_PSCI_FEATURES,
	HVC_FN_TRNG_FEATURES,
	HVC_FN_PV_TIME_FEATURES,
};

/* --- IDs. */
static void add(struct probes *probes, uint32_t id)
{
	probes->ids = must(realloc(probes->ids, (probes->count + 1) * sizeof(*probes->ids)));
	probes->ids[probes->count++] = id;
}

/* A function's ID, its neighbours, the other width, the hint, and the yielding call of that number. */
static void add_around(struct probes *probes, uint32_t id)
{
	add(probes, id);
	add(probes, id - 1);
	add(probes, id + 1);
	add(probes, id ^ HVC_ID_64);
	add(probes, id ^ HVC_ID_SVE_HINT);
	add(probes, id ^ HVC_ID_FAST);
}

static int compare(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void sort(struct probes *probes)
{
	size_t kept = 1;

	qsort(probes->ids, probes->count, sizeof(*probes->ids), compare);
	for (size_t i = 1; i < probes->count; i++) {
		if (probes->ids[i] != probes->ids[kept - 1]) {
			probes->ids[kept++] = probes->ids[i];
		}
	}
	probes->count = kept;
}

struct probes probes_make(void)
{
	struct probes probes = {0};

	for (unsigned int slot = 1; slot < HVC_FN_COUNT; slot++) {
		const struct hvc_function *function = hvc_function_at(slot);

		if (function->id32 != 0) {
			add_around(&probes, function->id32);
		}
		if (function->id64 != 0) {
			add_around(&probes, function->id64);
		}
	}
	/* General queries of every owner (DEN0028, 5.1). */
	for (uint32_t owner = 0; owner < 64; owner++) {
		for (uint32_t query = 0; query < 4; query++) {
			add(&probes, HVC_ID_FAST | owner << 24 | 0xff00u | query);
			add(&probes, HVC_ID_FAST | HVC_ID_64 | owner << 24 | 0xff00u | query);
		}
	}
	add(&probes, 0);
	add(&probes, UINT32_MAX);
	sort(&probes);
	return probes;
}

void put_id(struct text *text, uint32_t id)
{
	const struct hvc_function *function = hvc_function_at(hvc_function_by_id(id));

	if (function != NULL) {
		text_put(text, "%s/%d", function->name, id & HVC_ID_64 ? 64 : 32);
	} else {
		text_put(text, "0x%08" PRIx32, id);
	}
}

void put_vectors(struct text *text)
{
	for (int i = 0; i < VECTORS; i++) {
		text_put(text, "#   %c  0x%" PRIx64 ", 0x%" PRIx64 ", 0x%" PRIx64 "\n", 'a' + i,
			 vectors[i][0], vectors[i][1], vectors[i][2]);
	}
}

/* --- One call. */
static void put_frame(struct text *text, const struct hvc_frame *before,
		      const struct hvc_frame *after)
{
	bool zeroed = (before->x[1] | before->x[2] | before->x[3]) != 0 &&
		      (after->x[1] | after->x[2] | after->x[3]) == 0;

	for (unsigned int i = 0; i < HVC_FRAME_REGS; i++) {
		bool counts = after->x[i] != before->x[i] && !(zeroed && i >= 1 && i <= 3);

		if (counts && after->x[i] >> 32 == 0xffffffff) {
			text_put(text, " x%u=%" PRId64, i, (int64_t)after->x[i]);
		} else if (counts) {
			text_put(text, " x%u=0x%" PRIx64, i, after->x[i]);
		}
	}
	text_put(text, "%s", zeroed ? " z" : "");
}

static void put_request(struct text *text, const struct hvc_request *request)
{
	const struct {
		const char *name;
		uint64_t value;
	} parts[] = {{"entry", request->entry},
		     {"context", request->context},
		     {"type", request->type},
		     {"cookie", request->cookie}};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (parts[i].value != 0) {
			text_put(text, " %s=0x%" PRIx64, parts[i].name, parts[i].value);
		}
	}
}

static char *call(struct machine *machine, enum hvc_conduit conduit, uint32_t id, uint64_t x1,
		  uint64_t x2, uint64_t x3)
{
	struct text text = {0};
	struct hvc_frame before = {0}, after;
	struct hvc_request request;
	enum hvc_verdict verdict;
	char *said;

	for (unsigned int i = 0; i < HVC_FRAME_REGS; i++) {
		before.x[i] = BACKGROUND(i);
	}
	before.x[0] |= id;
	before.x[1] = x1;
	before.x[2] = x2;
	before.x[3] = x3;
	after = before;
	verdict = machine_call(machine, conduit, &after, &request);
	put_frame(&text, &before, &after);
	if (verdict != HVC_RESUME) {
		text_put(&text, " %s", hvc_verdict_name(verdict));
		put_request(&text, &request);
	}
	said = text_take(&text);
	free(text.bytes);
	return said;
}

/* "ab: x0=0; c: x0=-2": vectors of one answer together; "*" for all; those that get `unlisted` are not said. */
static char *groups(char **said, const char *unlisted)
{
	struct text text = {0};
	char *all;

	for (int i = 0; i < VECTORS; i++) {
		unsigned int members = 0;

		for (int j = 0; j < i && members == 0; j++) {
			members = strcmp(said[i], said[j]) == 0;
		}
		if (members != 0 || strcmp(said[i], unlisted) == 0) {
			continue;
		}
		text_put(&text, "%s", text.length != 0 ? "; " : " ");
		for (int j = i; j < VECTORS; j++) {
			members += strcmp(said[i], said[j]) == 0;
		}
		for (int j = i; j < VECTORS && members != VECTORS; j++) {
			if (strcmp(said[i], said[j]) == 0) {
				text_put(&text, "%c", 'a' + j);
			}
		}
		text_put(&text, "%s:%s", members == VECTORS ? "*" : "", said[i]);
	}
	all = text_take(&text);
	free(text.bytes);
	return all;
}

char *probe_id(struct machine *machine, enum hvc_conduit conduit, uint32_t id, const char *unlisted)
{
	char *said[VECTORS], *all;

	for (int i = 0; i < VECTORS; i++) {
		said[i] = call(machine, conduit, id, vectors[i][0], vectors[i][1], vectors[i][2]);
	}
	all = groups(said, unlisted);
	for (int i = 0; i < VECTORS; i++) {
		free(said[i]);
	}
	return all;
}

char *probe_unknown(struct machine *machine, enum hvc_conduit conduit)
{
	return call(machine, conduit, UNKNOWN_ID, 1, 2, 3);
}

uint32_t discovery_id(unsigned int n)
{
	const struct hvc_function *function = hvc_function_at(discoveries[n]);

	return function->id32 != 0 ? function->id32 : function->id64;
}

char *probe_discovery(struct machine *machine, enum hvc_conduit conduit, unsigned int n,
		      uint32_t id, const char *unlisted)
{
	char *said = call(machine, conduit, discovery_id(n), id, BACKGROUND(2), BACKGROUND(3));

	if (strcmp(said, unlisted) == 0) {
		said[0] = '\0';
	}
	return said;
}
