/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the filter says of itself, against a naive list of rules: queries, spans and dry runs. Between the ends of
 * rules nothing changes, so that it suffices to look there; a hint moves such an end into the 64 Ki IDs behind.
 */
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "world.h"

enum { RUNS = 120, RULES = 12, ADDS = 24, POINTS = 10 * (RULES + ADDS + 8) };

struct rule {
	uint32_t first, last;
	enum hvc_action action;
};

struct filter {
	struct world *world;
	struct rule rules[RULES + ADDS]; /* an earlier one covers what lies in it */
	unsigned int count;
	enum hvc_action otherwise;
	bool hints;
	uint32_t points[POINTS]; /* ascending: where something may begin */
	unsigned int point_count;
};

struct looks {
	bool reserved, claimed;
	enum hvc_action action;
};

static struct looks plain_looks(const struct filter *filter, uint32_t id)
{
	if ((id >= 0x80000000u && id <= 0x8000ffffu) || (id >= 0xc0000000u && id <= 0xc000ffffu)) {
		return (struct looks){.reserved = true};
	}
	for (unsigned int i = 0; i < filter->count; i++) {
		if (id >= filter->rules[i].first && id <= filter->rules[i].last) {
			return (struct looks){.claimed = true, .action = filter->rules[i].action};
		}
	}
	return (struct looks){.action = filter->otherwise};
}

/* Of a call of that ID. */
static struct looks looks(const struct filter *filter, uint32_t id)
{
	return plain_looks(filter, filter->hints && id >> 31 != 0 ? id & 0xfffeffffu : id);
}

static bool alike(struct looks a, struct looks b)
{
	return a.reserved == b.reserved && a.claimed == b.claimed && a.action == b.action;
}

static int ascending(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* Where rules begin and where they are over, in each half of a pair of blocks, and where those begin. */
static void add_points(struct filter *filter, uint32_t first, uint32_t behind)
{
	const uint32_t ends[2] = {first, behind};

	for (unsigned int i = 0; i < 2; i++) {
		uint32_t pair = ends[i] & 0xfffe0000u;
		const uint32_t all[] = {ends[i], ends[i] ^ 0x10000u, pair, pair + 0x10000u,
					pair + 0x20000u};

		assert_true(filter->point_count + COUNT_OF(all) <= POINTS);
		memcpy(filter->points + filter->point_count, all, sizeof(all));
		filter->point_count += COUNT_OF(all);
	}
}

static void find_points(struct filter *filter)
{
	filter->point_count = 0;
	add_points(filter, 0x80000000u, 0x80010000u);
	add_points(filter, 0xc0000000u, 0xc0010000u);
	for (unsigned int i = 0; i < filter->count; i++) {
		add_points(filter, filter->rules[i].first, filter->rules[i].last + 1);
	}
	qsort(filter->points, filter->point_count, sizeof(filter->points[0]), ascending);
}

static uint32_t random_id(struct rng *rng, const struct filter *filter)
{
	const struct hvc_function *function = hvc_function_at(1 + rng_below(rng, HVC_FN_COUNT - 1));

	switch (rng_below(rng, 4)) {
	case 0:
		return (uint32_t)rng_next(rng);
	case 1:
		return (rng_below(rng, 2) ? function->id32 : function->id64) + rng_below(rng, 3) -
		       1;
	case 2:
		return 0x80000000u + (rng_below(rng, 2) << 30) + (rng_below(rng, 4) << 16) -
		       rng_below(rng, 2);
	default:
		return filter->points[rng_below(rng, filter->point_count)] + rng_below(rng, 3) - 1;
	}
}

static void check_query(const struct filter *filter, uint32_t id)
{
	struct hvc_outcome outcome = hvc_filter_query(filter->world->vm, id);
	struct looks want = looks(filter, id);

	assert_int_equal(outcome.action, want.action);
	assert_int_equal(outcome.decider == HVC_BY_RESERVED, want.reserved);
	assert_int_equal(outcome.decider == HVC_BY_RULE, want.claimed && want.action != HVC_HANDLE);
	assert_int_equal(outcome.decider == HVC_BY_DEFAULT,
			 !want.claimed && want.action != HVC_HANDLE);
}

static uint32_t span_end(const struct filter *filter, uint32_t id)
{
	for (unsigned int i = 0; i < filter->point_count; i++) {
		if (filter->points[i] > id &&
		    !alike(looks(filter, id), looks(filter, filter->points[i]))) {
			return filter->points[i] - 1;
		}
	}
	return UINT32_MAX;
}

static void check_span(const struct filter *filter, uint32_t id)
{
	struct hvc_filter_span span = hvc_filter_span(filter->world->vm, id);
	struct looks want = looks(filter, id);

	assert_int_equal(span.first, id);
	assert_int_equal(span.last, span_end(filter, id));
	assert_int_equal(span.action, want.action);
	assert_int_equal(span.claimed, want.claimed);
	assert_int_equal(span.reserved, want.reserved);
	assert_int_equal(span.pad, 0);
}

/* All of it, from 0 on, with no gap. */
static void check_walk(const struct filter *filter)
{
	uint32_t id = 0;

	do {
		check_span(filter, id);
		id = hvc_filter_span(filter->world->vm, id).last + 1;
	} while (id != 0);
}

/* The lowest ID of a range that is taken; hints do not count where rules are written. */
static bool first_taken(const struct filter *filter, uint32_t first, uint32_t last, uint32_t *id)
{
	struct looks at = plain_looks(filter, first);

	*id = first;
	if (at.reserved || at.claimed) {
		return true;
	}
	for (unsigned int i = 0; i < filter->point_count && filter->points[i] <= last; i++) {
		at = plain_looks(filter, filter->points[i]);
		if (filter->points[i] >= first && (at.reserved || at.claimed)) {
			*id = filter->points[i];
			return true;
		}
	}
	return false;
}

static void whole(const struct filter *filter, uint32_t id, uint32_t *first, uint32_t *last)
{
	struct looks want = plain_looks(filter, id);

	*first = 0;
	*last = UINT32_MAX;
	for (unsigned int i = 0; i < filter->point_count; i++) {
		uint32_t point = filter->points[i];

		if (point > id && !alike(want, plain_looks(filter, point))) {
			*last = point - 1;
			break;
		}
		if (point != 0 && point <= id && !alike(want, plain_looks(filter, point - 1))) {
			*first = point;
		}
	}
}

/* A dry run says what the model says, and adding then does what the dry run said. */
static void check_try(struct filter *filter, uint32_t base, uint32_t count, unsigned int action)
{
	struct hvc_filter_detail detail = {.size = sizeof(detail)};
	struct hvc_vm *vm = filter->world->vm;
	enum hvc_err err = hvc_filter_try(vm, base, count, (enum hvc_action)action, &detail);
	uint32_t last = base + count - 1, taken, first, end;

	if (count == 0 || last < base || action > HVC_NOTIFY) {
		assert_int_equal(err, HVC_EINVAL);
		assert_int_equal(detail.obstacle, count == 0    ? HVC_OBSTACLE_EMPTY
						  : last < base ? HVC_OBSTACLE_WRAP
								: HVC_OBSTACLE_ACTION);
	} else if (first_taken(filter, base, last, &taken)) {
		struct looks at = plain_looks(filter, taken);

		whole(filter, taken, &first, &end);
		assert_int_equal(err, HVC_EEXIST);
		assert_int_equal(detail.obstacle,
				 at.reserved ? HVC_OBSTACLE_RESERVED : HVC_OBSTACLE_RULE);
		assert_int_equal(detail.first, first);
		assert_int_equal(detail.last, end);
		assert_int_equal(detail.action, at.action);
	} else {
		assert_int_equal(err, detail.obstacle == HVC_OBSTACLE_NONE ? HVC_OK : HVC_ENOMEM);
	}
	assert_int_equal(hvc_filter_add(vm, base, count, (enum hvc_action)action), err);
	if (err == HVC_OK) {
		filter->rules[filter->count++] = (struct rule){base, last, (enum hvc_action)action};
		find_points(filter);
	}
}

static void make(struct filter *filter, struct rng *rng)
{
	struct hvc_settings settings;
	struct paint rules[RULES];

	hvc_settings_init(&settings);
	*filter = (struct filter){.hints = rng_below(rng, 2) != 0,
				  .otherwise = (enum hvc_action)rng_below(rng, 4)};
	settings.smccc_version = HVC_VERSION(1, filter->hints ? 3 : 2);
	find_points(filter);
	while (filter->count < RULES) {
		uint32_t first = random_id(rng, filter), last = random_id(rng, filter);
		struct paint *rule = &rules[filter->count];

		*rule = (struct paint){first, last, (enum hvc_action)rng_below(rng, 4)};
		if (last < first || last - first > 0x4000000u) {
			rule->last = first;
		}
		filter->rules[filter->count++] = (struct rule){rule->first, rule->last,
							       rule->action};
		find_points(filter);
	}
	filter->world = world_new(&(struct world_setup){.settings = &settings,
							.rules = rules,
							.rule_count = RULES,
							.otherwise = filter->otherwise,
							.filter_ranges = ADDS / 4});
}

static void test_filters(void **state)
{
	static struct filter filter;
	struct rng rng = {51};
	unsigned int added = 0;

	(void)state;
	for (unsigned int run = 0; run < RUNS; run++) {
		make(&filter, &rng);
		for (unsigned int i = 0; i < ADDS; i++) {
			uint32_t base = random_id(&rng, &filter);
			uint32_t count = random_id(&rng, &filter) - base;

			check_try(&filter, base, rng_below(&rng, 2) ? count : rng_below(&rng, 300),
				  rng_below(&rng, 5));
		}
		for (unsigned int i = 0; i < 100; i++) {
			uint32_t id = random_id(&rng, &filter);

			check_query(&filter, id);
			check_span(&filter, id);
		}
		check_walk(&filter);
		added += filter.count - RULES;
		world_free(filter.world);
	}
	print_message("%u ranges added\n", added);
	assert_true(added > RUNS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_filters)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
