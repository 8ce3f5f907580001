/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Painting against a naive model: the list of strokes, the last one that covers an ID counts. Between
 * the ends of strokes nothing changes, so that looking at every end and its neighbours is looking at
 * every ID.
 */
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "lookup.h"
#include "rng.h"

#include <hvcgate/image.h>

enum { RUNS = 150, STROKES = 40, NODES = 1024, POINTS = 3 * (2 * STROKES + 64) };

struct stroke {
	uint32_t first, last;
	unsigned int look; /* ENTRY_ACTION and ENTRY_CLAIMED */
};

struct canvas {
	struct lookup lookup;
	struct stroke strokes[STROKES];
	unsigned int count;
	uint32_t points[POINTS]; /* where something may change */
	unsigned int point_count;
};

static unsigned int naive(const struct canvas *canvas, uint32_t id)
{
	unsigned int slot = hvc_function_by_id(id);

	if ((id >= 0x80000000u && id <= 0x8000ffffu) || (id >= 0xc0000000u && id <= 0xc000ffffu)) {
		return slot | ENTRY_CLAIMED;
	}
	for (unsigned int i = canvas->count; i-- > 0;) {
		if (id >= canvas->strokes[i].first && id <= canvas->strokes[i].last) {
			return slot | canvas->strokes[i].look;
		}
	}
	return slot;
}

static void add_point(struct canvas *canvas, uint32_t id)
{
	if (canvas->point_count + 3 <= POINTS) {
		canvas->points[canvas->point_count++] = id - 1;
		canvas->points[canvas->point_count++] = id;
		canvas->points[canvas->point_count++] = id + 1;
	}
}

/* Ends that are likely to be special: parts of an owner, windows, functions, ends so far. */
static uint32_t random_end(struct rng *rng, const struct canvas *canvas)
{
	static const uint32_t shapes[] = {0x00000000u, 0x000000ffu, 0x00000100u, 0x0000ffffu,
					  0x00010000u, 0x0000ff00u, 0x00ffffffu, 0x00ff0000u};
	uint32_t owner = rng_below(rng, 256) << 24;

	switch (rng_below(rng, 5)) {
	case 0:
		return owner | shapes[rng_below(rng, 8)];
	case 1:
		return (0x80000000u | rng_below(rng, 2) << 30) + (rng_below(rng, 2) << 16) +
		       rng_below(rng, 3) - 1;
	case 2:
		return hvc_function_at(1 + rng_below(rng, HVC_FN_COUNT - 1))->id32 +
		       rng_below(rng, 3) - 1;
	case 3:
		return canvas->points[rng_below(rng, canvas->point_count)];
	default:
		return (uint32_t)rng_next(rng);
	}
}

static void compare(const struct canvas *canvas)
{
	for (unsigned int i = 0; i < canvas->point_count; i++) {
		assert_int_equal(lookup_entry(canvas->lookup.entries, canvas->points[i]),
				 naive(canvas, canvas->points[i]));
	}
}

/* Is anything claimed in a random range? Its ends and every point inside tell. */
static void compare_any(struct canvas *canvas, struct rng *rng)
{
	uint32_t a = random_end(rng, canvas), b = random_end(rng, canvas);
	uint32_t first = a < b ? a : b, last = a < b ? b : a;
	bool claimed = ((naive(canvas, first) | naive(canvas, last)) & ENTRY_CLAIMED) != 0;

	for (unsigned int i = 0; i < canvas->point_count; i++) {
		if (canvas->points[i] >= first && canvas->points[i] <= last) {
			claimed |= (naive(canvas, canvas->points[i]) & ENTRY_CLAIMED) != 0;
		}
	}
	assert_int_equal(lookup_any(canvas->lookup.entries, ENTRY_CLAIMED, first, last), claimed);
}

/* One stroke; now and then there is too little memory for it, and then nothing changes. */
static void paint(struct canvas *canvas, struct rng *rng)
{
	uint32_t a = random_end(rng, canvas), b = random_end(rng, canvas);
	uint32_t first = a < b || rng_below(rng, 4) == 0 ? a : b;
	uint32_t last = first == a ? (b > a ? b : a) : a;
	enum hvc_action action = (enum hvc_action)rng_below(rng, 4);
	bool claim = rng_below(rng, 2) != 0;
	enum hvc_err err;

	canvas->lookup.capacity = canvas->lookup.nodes + rng_below(rng, 10);
	err = lookup_paint(&canvas->lookup, first, last, action, claim);
	assert_true(canvas->lookup.nodes <= canvas->lookup.capacity);
	if (err == HVC_OK) {
		canvas->strokes[canvas->count++] = (struct stroke){
			first, last,
			(unsigned int)action << ENTRY_ACTION_SHIFT | (claim ? ENTRY_CLAIMED : 0u)};
		add_point(canvas, first);
		add_point(canvas, last);
	} else {
		assert_int_equal(err, HVC_ENOMEM);
		assert_true(canvas->lookup.capacity - canvas->lookup.nodes < 7);
	}
}

static void test_strokes(void **state)
{
	static struct canvas canvas;
	static uint16_t entries[NODES * LOOKUP_WIDTH];
	struct rng rng = {21};

	(void)state;
	for (unsigned int run = 0; run < RUNS; run++) {
		memset(&canvas, 0, sizeof(canvas));
		canvas.lookup = (struct lookup){.entries = entries, .capacity = NODES};
		assert_int_equal(lookup_init(&canvas.lookup), HVC_OK);
		add_point(&canvas, 0);
		for (uint32_t i = 0; i < 4; i++) {
			add_point(&canvas, (0x80000000u | (i & 1) << 30) + (i >> 1 << 16));
		}
		while (canvas.count < STROKES) {
			paint(&canvas, &rng);
			compare_any(&canvas, &rng);
			if (canvas.count % 8 == 0) {
				compare(&canvas);
			}
		}
		compare(&canvas);
		assert_true(lookup_sound(canvas.lookup.entries, canvas.lookup.nodes));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_strokes)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
