/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random bytes as an image: what hvc_image_check() takes can be used without harm, what cannot be used
 * it refuses. Worth most with the address sanitizer.
 */
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "lookup.h"
#include "world.h"

enum { RUNS = 6000, CALLS = 300, NODE_BYTES = LOOKUP_WIDTH * sizeof(uint16_t) };

static struct hvc_image *base;

/* A copy with memory of exactly its size. */
static struct hvc_image *copy(const struct hvc_image *image)
{
	struct hvc_image *other = malloc(image->bytes);

	assert_non_null(other);
	memcpy(other, image, image->bytes);
	return other;
}

/* Use an image as a host would: filter, calls, questions. */
static void use(const struct hvc_image *image, struct rng *rng)
{
	_Alignas(64) static unsigned char vm_memory[512], vcpu_memory[128];
	struct hvc_vm *vm = (struct hvc_vm *)(void *)vm_memory;
	struct hvc_vcpu *vcpu = (struct hvc_vcpu *)(void *)vcpu_memory;
	struct hvc_vm_config config = {.size = sizeof(config), .vcpu_count = 1, .image = image};

	config.filter_bytes = hvc_filter_size(image, 2);
	config.filter_memory = malloc(config.filter_bytes);
	assert_non_null(config.filter_memory);
	assert_int_equal(hvc_vm_init(vm, &config, &vcpu), HVC_OK);
	for (unsigned int i = 0; i < 4; i++) {
		(void)hvc_filter_add(vm, (uint32_t)rng_next(rng), 1u << rng_below(rng, 30),
				     HVC_DENY);
	}
	for (unsigned int i = 0; i < CALLS; i++) {
		uint32_t id = i % 2 ? (uint32_t)rng_next(rng)
				    : hvc_function_at(1 + rng_below(rng, HVC_FN_COUNT - 1))->id32;
		struct hvc_frame frame = {.x = {id, rng_next(rng), rng_next(rng), rng_next(rng)}};
		struct hvc_outcome outcome = hvc_filter_query(vm, id);

		assert_true(outcome.fn < HVC_FN_COUNT);
		assert_true(hvc_call(vcpu, HVC_CONDUIT_HVC, 0, &frame) < HVC_VERDICT_COUNT);
		if (outcome.decider == HVC_BY_RESERVED) {
			assert_int_equal(outcome.action, HVC_HANDLE);
		}
	}
	free(config.filter_memory);
}

/* Damage behind a checksum that is right again: entries that point anywhere, odd headers. */
static void damage(struct hvc_image *image, struct rng *rng)
{
	uint16_t *entries = (uint16_t *)(void *)(image + 1);
	uint32_t count = image->node_count * LOOKUP_WIDTH;

	for (unsigned int i = rng_below(rng, 4); i-- > 0;) {
		uint16_t *entry = &entries[rng_below(rng, count)];

		switch (rng_below(rng, 4)) {
		case 0:
			*entry = (uint16_t)rng_next(rng);
			break;
		case 1: /* another node, often one that is there */
			*entry = (uint16_t)(ENTRY_NODE | rng_below(rng, image->node_count + 2));
			break;
		case 2:
			*entry = (uint16_t)(rng_below(rng, HVC_FN_COUNT + 2) |
					    rng_below(rng, 8) << ENTRY_ACTION_SHIFT);
			break;
		default:
			*entry = entries[rng_below(rng, count)];
			break;
		}
	}
	if (rng_below(rng, 4) == 0) { /* some byte of the settings */
		((uint8_t *)&image->settings)[rng_below(rng, sizeof(image->settings))] ^=
			(uint8_t)(1u << rng_below(rng, 8));
	}
	hvc_image_seal(image);
}

static void test_damaged(void **state)
{
	struct rng rng = {31};
	unsigned int taken = 0;

	(void)state;
	for (unsigned int run = 0; run < RUNS; run++) {
		struct hvc_image *image = copy(base);

		damage(image, &rng);
		if (hvc_image_check(image, image->bytes) == HVC_OK) {
			taken++;
			use(image, &rng);
		}
		free(image);
	}
	print_message("%u of %u damaged images can be used\n", taken, RUNS);
	assert_true(taken > RUNS / 20 && taken < RUNS);
}

/* Nodes that are nothing but noise of some density, under a good header. */
static void test_noise(void **state)
{
	struct rng rng = {32};
	unsigned int taken = 0;

	(void)state;
	for (unsigned int run = 0; run < RUNS / 4; run++) {
		uint32_t nodes = LOOKUP_ROOTS + rng_below(&rng, 6);
		struct hvc_image *image = malloc(sizeof(*image) + nodes * NODE_BYTES);
		uint16_t *entries = (uint16_t *)(void *)(image + 1);
		uint32_t density = 1u << rng_below(&rng, 16);

		assert_non_null(image);
		*image = *base;
		image->node_count = nodes;
		image->bytes = (uint32_t)(sizeof(*image) + nodes * NODE_BYTES);
		for (uint32_t i = 0; i < nodes * LOOKUP_WIDTH; i++) {
			entries[i] = rng_below(&rng, density) != 0
					     ? 0
					     : (uint16_t)(rng_next(&rng) &
							  (ENTRY_NODE | ENTRY_CLAIMED | 0xff));
		}
		hvc_image_seal(image);
		if (hvc_image_check(image, image->bytes) == HVC_OK) {
			taken++;
			use(image, &rng);
		}
		free(image);
	}
	print_message("%u of %u noisy images can be used\n", taken, RUNS / 4);
}

/* Nothing but random bytes, of every small size, with and without the magic. */
static void test_bytes(void **state)
{
	struct rng rng = {33};

	(void)state;
	for (unsigned int run = 0; run < RUNS; run++) {
		size_t bytes = rng_below(&rng, 2048);
		uint8_t *memory = malloc(bytes + 8);

		assert_non_null(memory);
		for (size_t i = 0; i < bytes; i++) {
			memory[i] = (uint8_t)rng_next(&rng);
		}
		if (run % 2 != 0) {
			memcpy(memory, base, bytes < 48 ? bytes : 48);
		}
		assert_int_not_equal(hvc_image_check(memory, bytes), HVC_OK);
		free(memory);
	}
}

int main(void)
{
	static const struct paint rules[] = {{0x84000050u, 0x84000053u, HVC_DENY},
					     {0x12345678u, 0x23456789u, HVC_FORWARD}};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_bytes),
	};
	int failed;

	base = world_image(&(struct world_setup){.rules = rules, .rule_count = 2}, NULL);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	free(base);
	return failed;
}
