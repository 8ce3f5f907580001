/* SPDX-License-Identifier: BSD-2-Clause */
#include "random_policy.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>

#include "model.h"
#include "rng.h"

/* Ranges so far; what they cover together decides whether a new one would be hidden. */
struct written {
	struct model_range *ranges;
	unsigned int count;
};

static int by_first(const void *left, const void *right)
{
	const struct model_range *a = left, *b = right;

	return (a->first > b->first) - (a->first < b->first);
}

/* Would every ID of [first, last] be taken by earlier ranges? They are sorted here. */
static bool hidden(const struct written *written, uint32_t first, uint32_t last)
{
	uint64_t next = first;

	for (unsigned int i = 0; i < written->count && written->ranges[i].first <= next; i++) {
		if (written->ranges[i].last >= next) {
			next = (uint64_t)written->ranges[i].last + 1;
		}
	}
	return next > last;
}

static void add(struct written *written, uint32_t first, uint32_t last)
{
	written->ranges[written->count++] = (struct model_range){.first = first, .last = last};
	qsort(written->ranges, written->count, sizeof(*written->ranges), by_first);
}

/* Near an edge that is there, near a function, or anywhere. */
static uint32_t somewhere(struct rng *rng, const struct written *written)
{
	uint32_t near = rng_below(rng, 5) - 2;
	unsigned int slot;

	switch (rng_below(rng, 4)) {
	case 0:
	case 1:
		if (written->count != 0) {
			const struct model_range *range =
				&written->ranges[rng_below(rng, written->count)];

			return near + (rng_below(rng, 2) ? range->first : range->last);
		}
		return (uint32_t)rng_next(rng);
	case 2:
		return near + model_id(rng_below(rng, 150), &slot);
	default:
		return (uint32_t)rng_next(rng);
	}
}

/* Widths grow with the number of rules written, so that later rules lie around earlier ones. */
static bool random_range(struct rng *rng, const struct written *written, unsigned int rules,
			 uint32_t *first, uint32_t *last)
{
	unsigned int log = rng_below(rng, 2 + 26 * written->count / rules);
	uint32_t width = 1u << log | (uint32_t)(rng_next(rng) & ((1u << log) - 1));

	*first = somewhere(rng, written);
	*last = *first + width - 1;
	if (*last < *first || hidden(written, *first, *last)) {
		return false;
	}
	return (*last < 0x80000000u || *first > 0x8000ffffu) &&
	       (*last < 0xc0000000u || *first > 0xc000ffffu);
}

static void write_action(FILE *file, struct rng *rng, const char *format, uint32_t a, uint32_t b)
{
	static const char *const actions[] = {"handle", "deny", "forward", "notify"};
	unsigned int action = rng_below(rng, 4);

	fprintf(file, "  - %s: ", actions[action]);
	fprintf(file, format, a, b);
	fprintf(file, action == HVC_FORWARD ? "\n    to: somebody\n" : "\n");
}

void random_policy_write(FILE *file, uint64_t seed, unsigned int rules)
{
	struct rng rng = {seed};
	struct written written = {.ranges = calloc(rules, sizeof(*written.ranges))};

	if (written.ranges == NULL) {
		abort();
	}
	fprintf(file, "hvcgate: 1\nprofile: hvcgate-1\ndefault: %s\n",
		seed % 2 ? "deny" : "handle");
	fprintf(file, "handlers: {somebody: {socket: /run/somebody.sock}}\nrules:\n");
	while (written.count < rules) {
		uint32_t first, last;

		if (random_range(&rng, &written, rules, &first, &last)) {
			write_action(file, &rng, "{range: 0x%08" PRIx32 "-0x%08" PRIx32 "}", first,
				     last);
			add(&written, first, last);
		}
	}
	free(written.ranges);
}
