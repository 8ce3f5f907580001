/* SPDX-License-Identifier: BSD-2-Clause */
/* Lookup nodes: edges of the three parts of an owner, reserved ranges, memory, damaged tables. */
#include <stdlib.h>
#include <string.h>

#include <hvcgate/image.h>

#include "cmocka_all.h"
#include "lookup.h"

enum { NODE_BYTES = LOOKUP_WIDTH * sizeof(uint16_t), ROOM = 256 };

static struct lookup make(uint32_t capacity)
{
	struct lookup lookup = {.entries = malloc((size_t)ROOM * NODE_BYTES), .capacity = capacity};

	assert_non_null(lookup.entries);
	memset(lookup.entries, 0xa5, (size_t)ROOM * NODE_BYTES);
	assert_int_equal(lookup_init(&lookup), HVC_OK);
	return lookup;
}

static uint32_t entry_of(const struct lookup *lookup, uint32_t id)
{
	uint32_t entry = lookup_entry(lookup->entries, id);

	assert_int_equal(entry & ENTRY_NODE, 0);
	return entry;
}

static unsigned int action_of(const struct lookup *lookup, uint32_t id)
{
	return (entry_of(lookup, id) & ENTRY_ACTION) >> ENTRY_ACTION_SHIFT;
}

static void test_catalogue(void **state)
{
	struct lookup lookup = make(LOOKUP_BASE_NODES);

	(void)state;
	print_message("the catalogue takes %u of %u nodes\n", lookup.nodes, LOOKUP_BASE_NODES);
	assert_true(lookup.nodes <= LOOKUP_BASE_NODES);
	assert_true(lookup_sound(lookup.entries, lookup.nodes));
	for (unsigned int slot = 1; slot < HVC_FN_COUNT; slot++) {
		const struct hvc_function *function = hvc_function_at(slot);
		const uint32_t ids[] = {function->id32, function->id64};

		for (unsigned int i = 0; i < 2; i++) {
			if (ids[i] != 0) {
				assert_int_equal(entry_of(&lookup, ids[i]) & ENTRY_SLOT, slot);
				for (unsigned int bit = 0; bit < 32; bit++) {
					uint32_t id = ids[i] ^ 1u << bit;

					assert_int_equal(entry_of(&lookup, id) & ENTRY_SLOT,
							 hvc_function_by_id(id));
				}
			}
		}
	}
	free(lookup.entries);
}

static void test_reserved_is_told(void **state)
{
	const struct hvc_range *ranges;

	(void)state;
	assert_int_equal(hvc_reserved_ranges(&ranges), 2);
	assert_int_equal(ranges[0].first, 0x80000000u);
	assert_int_equal(ranges[0].last, 0x8000ffffu);
	assert_int_equal(ranges[1].first, 0xc0000000u);
	assert_int_equal(ranges[1].last, 0xc000ffffu);
	assert_false(lookup_reserved(0x7fffffffu));
	assert_true(lookup_reserved(0x80000000u));
	assert_true(lookup_reserved(0x8000ffffu));
	assert_false(lookup_reserved(0x80010000u));
	assert_false(lookup_reserved(0xbfffffffu));
	assert_true(lookup_reserved(0xc0000000u));
	assert_true(lookup_reserved(0xc000ffffu));
	assert_false(lookup_reserved(0xc0010000u));
	assert_false(lookup_reserved(0x00000000u));
	assert_false(lookup_reserved(0x40000000u));
}

/* Ranges whose ends lie on and beside every edge there is. */
static const struct hvc_range edges[] = {
	{0x84000000u, 0x84000000u}, {0x84000003u, 0x84000003u}, {0x840000ffu, 0x840000ffu},
	{0x840000ffu, 0x84000100u}, {0x84000000u, 0x840000ffu}, {0x84000100u, 0x8400ffffu},
	{0x84000101u, 0x8400fffeu}, {0x8400ffffu, 0x84010000u}, {0x84010000u, 0x84ffffffu},
	{0x84010001u, 0x84fffffeu}, {0x83ffffffu, 0x84000000u}, {0x84000000u, 0x84ffffffu},
	{0x84123456u, 0x84123456u}, {0x84000080u, 0x86000080u}, {0x00000000u, 0x00000000u},
	{0xffffffffu, 0xffffffffu}, {0x00000000u, 0x7fffffffu}, {0x80010000u, 0xbfffffffu},
	{0xc0010000u, 0xffffffffu}, {0x12345678u, 0x7abcdef0u}, {0xc60000ffu, 0xc6000100u},
};

static void check_edge(const struct lookup *lookup, const struct hvc_range *range)
{
	uint32_t middle = range->first + (range->last - range->first) / 2;

	assert_int_equal(action_of(lookup, range->first), HVC_DENY);
	assert_int_equal(action_of(lookup, middle), HVC_DENY);
	assert_int_equal(action_of(lookup, range->last), HVC_DENY);
	assert_true(entry_of(lookup, range->first) & ENTRY_CLAIMED);
	if (range->first != 0) {
		assert_int_equal(action_of(lookup, range->first - 1), HVC_HANDLE);
	}
	if (range->last != UINT32_MAX) {
		assert_int_equal(action_of(lookup, range->last + 1), HVC_HANDLE);
	}
}

static void test_edges(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(edges); i++) {
		struct lookup lookup = make(ROOM);
		const struct hvc_range *range = &edges[i];

		assert_false(lookup_any(lookup.entries, ENTRY_CLAIMED, range->first, range->last));
		assert_int_equal(lookup_paint(&lookup, range->first, range->last, HVC_DENY, true),
				 HVC_OK);
		check_edge(&lookup, range);
		assert_true(lookup_sound(lookup.entries, lookup.nodes));
		assert_true(lookup_any(lookup.entries, ENTRY_CLAIMED, range->first, range->first));
		assert_true(lookup_any(lookup.entries, ENTRY_CLAIMED, range->last, range->last));
		/* Slots stay, and painting back leaves nothing. */
		assert_int_equal(entry_of(&lookup, 0x84000003u) & ENTRY_SLOT, HVC_FN_PSCI_CPU_ON);
		assert_int_equal(lookup_paint(&lookup, range->first, range->last, HVC_HANDLE,
					      false),
				 HVC_OK);
		assert_false(lookup_any(lookup.entries, ENTRY_CLAIMED | ENTRY_ACTION, range->first,
					range->last));
		free(lookup.entries);
	}
}

static void test_reserved_is_passed_over(void **state)
{
	static const uint32_t kept[] = {0x80000000u, 0x80000001u, 0x80008000u, 0x8000ffffu,
					0xc0000000u, 0xc0000003u, 0xc000ffffu};
	static const uint32_t painted[] = {0x00000000u, 0x7fffffffu, 0x80010000u, 0x84000003u,
					   0xbfffffffu, 0xc0010000u, 0xffffffffu};
	struct lookup lookup = make(ROOM);

	(void)state;
	assert_int_equal(lookup_paint(&lookup, 0, UINT32_MAX, HVC_FORWARD, false), HVC_OK);
	for (size_t i = 0; i < COUNT_OF(kept); i++) {
		assert_int_equal(action_of(&lookup, kept[i]), HVC_HANDLE);
		assert_true(entry_of(&lookup, kept[i]) & ENTRY_CLAIMED);
	}
	for (size_t i = 0; i < COUNT_OF(painted); i++) {
		assert_int_equal(action_of(&lookup, painted[i]), HVC_FORWARD);
		assert_false(entry_of(&lookup, painted[i]) & ENTRY_CLAIMED);
	}
	/* Wholly inside: nothing happens, and that is no error. */
	assert_int_equal(lookup_paint(&lookup, 0x80000000u, 0x80000000u, HVC_DENY, true), HVC_OK);
	assert_int_equal(lookup_paint(&lookup, 0xc0000000u, 0xc000ffffu, HVC_DENY, true), HVC_OK);
	assert_int_equal(action_of(&lookup, 0x80000000u), HVC_HANDLE);
	assert_true(lookup_sound(lookup.entries, lookup.nodes));
	free(lookup.entries);
}

/* With ever more memory: either everything is painted or nothing has changed. */
static void test_all_or_nothing(void **state)
{
	static uint16_t before[ROOM * LOOKUP_WIDTH];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(edges); i++) {
		enum hvc_err err = HVC_ENOMEM;
		unsigned int tries = 0;

		for (uint32_t spare = 0; err == HVC_ENOMEM; spare++, tries++) {
			struct lookup lookup = make(ROOM);
			uint32_t nodes = lookup.nodes;

			lookup.capacity = nodes + spare;
			memcpy(before, lookup.entries, sizeof(before));
			err = lookup_paint(&lookup, edges[i].first, edges[i].last, HVC_DENY, true);
			if (err == HVC_ENOMEM) {
				assert_memory_equal(before, lookup.entries, sizeof(before));
				assert_int_equal(lookup.nodes, nodes);
			} else {
				assert_int_equal(err, HVC_OK);
				check_edge(&lookup, &edges[i]);
				assert_true(lookup.nodes <= lookup.capacity);
			}
			free(lookup.entries);
		}
		assert_true(tries <= 7); /* an end splits three levels at most */
	}
}

/* No more nodes than needed: a whole part of an owner takes none. Owner 7 has no functions. */
static void test_nodes(void **state)
{
	static const struct {
		struct hvc_range range;
		uint32_t nodes;
	} cases[] = {
		{{0x87000000u, 0x87ffffffu}, 0}, {{0x87000000u, 0x870000ffu}, 0},
		{{0x87000100u, 0x8700ffffu}, 0}, {{0x87010000u, 0x87ffffffu}, 0},
		{{0x87000000u, 0x8700ffffu}, 0}, {{0x07000000u, 0x7fffffffu}, 0},
		{{0x87000000u, 0x87000000u}, 1}, {{0x87000100u, 0x870001ffu}, 1},
		{{0x87000100u, 0x87000100u}, 2}, {{0x870001ffu, 0x87000200u}, 3},
		{{0x87010000u, 0x8701ffffu}, 1}, {{0x87010000u, 0x870100ffu}, 2},
		{{0x87010000u, 0x87010000u}, 3}, {{0x87ffffffu, 0x87ffffffu}, 3},
		{{0x87000001u, 0x87fffffeu}, 4}, {{0x87000101u, 0x88000101u}, 4},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct lookup lookup = make(ROOM);
		uint32_t before = lookup.nodes;

		assert_int_equal(lookup_paint(&lookup, cases[i].range.first, cases[i].range.last,
					      HVC_DENY, true),
				 HVC_OK);
		assert_int_equal(lookup.nodes - before, cases[i].nodes);
		free(lookup.entries);
	}
}

static void test_init_needs_memory(void **state)
{
	struct lookup full = make(ROOM);

	(void)state;
	for (uint32_t capacity = 0; capacity <= full.nodes; capacity++) {
		struct lookup lookup = {.entries = malloc((size_t)ROOM * NODE_BYTES),
					.capacity = capacity};

		assert_non_null(lookup.entries);
		assert_int_equal(lookup_init(&lookup),
				 capacity == full.nodes ? HVC_OK : HVC_ENOMEM);
		assert_true(lookup.nodes <= capacity);
		free(lookup.entries);
	}
	free(full.entries);
}

/* One damage at a time; each must be seen. */
static void test_damage_is_seen(void **state)
{
	struct lookup lookup = make(ROOM);
	uint16_t *const dense = &lookup.entries[0x84];
	uint16_t *const middle = &lookup.entries[LOOKUP_WIDTH + 0x84];
	uint16_t *const far = &lookup.entries[2 * LOOKUP_WIDTH + 0x08];
	uint16_t *inside, saved;

	(void)state;
	/* Nodes without functions, for others to lead to. */
	assert_int_equal(lookup_paint(&lookup, 0x08123456u, 0x08123456u, HVC_DENY, true), HVC_OK);
	assert_true(*dense & ENTRY_NODE);
	assert_true(*middle & ENTRY_NODE);
	assert_true(*far & ENTRY_NODE);
	inside = &lookup.entries[(*dense & ~ENTRY_NODE) * LOOKUP_WIDTH + 3];

#define MUST_BE_SEEN(place, value)                                        \
	do {                                                              \
		saved = *(place);                                         \
		*(place) = (uint16_t)(value);                             \
		assert_false(lookup_sound(lookup.entries, lookup.nodes)); \
		*(place) = saved;                                         \
	} while (0)

	MUST_BE_SEEN(dense, ENTRY_NODE | lookup.nodes);                      /* behind the end */
	MUST_BE_SEEN(dense, ENTRY_NODE | 0x7fff);                            /* far behind it */
	MUST_BE_SEEN(dense, ENTRY_NODE | 0);                                 /* a root */
	MUST_BE_SEEN(dense, ENTRY_NODE | 2);                                 /* another */
	MUST_BE_SEEN(dense, *middle);                                        /* too deep */
	MUST_BE_SEEN(inside, *dense);                                        /* a loop */
	MUST_BE_SEEN(inside, HVC_FN_COUNT);                                  /* no such slot */
	MUST_BE_SEEN(inside, ENTRY_SLOT);                                    /* nor this */
	MUST_BE_SEEN(inside, HVC_FN_PSCI_CPU_OFF);                           /* another's */
	MUST_BE_SEEN(inside, HVC_FN_NONE);                                   /* and none's */
	MUST_BE_SEEN(inside, *inside | ENTRY_OWN);                           /* no image has it */
	MUST_BE_SEEN(&inside[0xf0], HVC_FN_PSCI_CPU_ON);                     /* an ID of none */
	MUST_BE_SEEN(&lookup.entries[0x09], HVC_FN_PSCI_CPU_ON);             /* many IDs */
	MUST_BE_SEEN(far + 1, *far);                                         /* shared */
	MUST_BE_SEEN(&lookup.entries[0x80], HVC_DENY << ENTRY_ACTION_SHIFT); /* reserved */
	MUST_BE_SEEN(&lookup.entries[LOOKUP_WIDTH + 0xc0], HVC_DENY << ENTRY_ACTION_SHIFT);
	/* Not claimed, a later rule would take them. */
	MUST_BE_SEEN(&lookup.entries[LOOKUP_WIDTH + 0xc0], 0);
	MUST_BE_SEEN(&lookup.entries[0x80], *dense);
#undef MUST_BE_SEEN

	assert_true(lookup_sound(lookup.entries, lookup.nodes));
	assert_false(lookup_sound(lookup.entries, LOOKUP_ROOTS - 1));
	assert_false(lookup_sound(lookup.entries, lookup.nodes - 1));
	assert_false(lookup_sound(lookup.entries, LOOKUP_MAX_NODES + 1));
	/* Nothing but roots that say "handled, by nobody" is a tree, but the functions are not there. */
	memset(lookup.entries, 0, LOOKUP_ROOTS * NODE_BYTES);
	for (unsigned int root = 0; root < 2; root++) {
		lookup.entries[root * LOOKUP_WIDTH + 0x80] = ENTRY_CLAIMED;
		lookup.entries[root * LOOKUP_WIDTH + 0xc0] = ENTRY_CLAIMED;
	}
	assert_false(lookup_sound(lookup.entries, LOOKUP_ROOTS));
	free(lookup.entries);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_catalogue),
		cmocka_unit_test(test_reserved_is_told),
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_reserved_is_passed_over),
		cmocka_unit_test(test_all_or_nothing),
		cmocka_unit_test(test_nodes),
		cmocka_unit_test(test_init_needs_memory),
		cmocka_unit_test(test_damage_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
