/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a call costs in the engine: hvc_call() natively, lookup, decision and service or refusal, with
 * counters.
 *
 *   bench-lookup                        a table beside the budget
 *   bench-lookup --sizes POLICY...      bytes of their images, beside the budget
 *   bench-lookup --count KIND RULES N   nothing but N calls, for callgrind; KIND: hot, random, unknown
 *
 * "hot" is one handled ID, PSCI_VERSION; "unknown" an ID that nobody serves. "random" takes the IDs of
 * all rules in random order; "cold" does so with every cache line that the engine may read flushed
 * before each call. However many rules there are, they spread over the same IDs: a few of them must not
 * profit from an ID that has fewer levels.
 */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <hvcgate/policy.h>

#include "world.h"

enum {
	SPAN = 400000,    /* IDs that the rules are spread over; more would not fit an image */
	ORDER = 1 << 16,  /* random IDs in store */
	CALLS = 20000000, /* of a steady measurement */
	COLD_CALLS = 2000,
	BUDGET_HOT_NS = 10,
	BUDGET_IMAGE = 16 << 10,
	BUDGET_BLOCK = 1 << 10,
};
static const double budget_ratio = 1.5;

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void *zeroed(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	if (memory == NULL) {
		fprintf(stderr, "bench-lookup: no memory\n");
		exit(2);
	}
	return memory;
}

/* --- Subjects: a VM with so many rules, each for one ID. */
struct subject {
	struct world *world;
	uint32_t order[ORDER];
};

/* The n-th of so many rules: in the middle of its share of the span, an owner's that nobody has. */
static uint32_t rule_id(uint32_t n, uint32_t rules)
{
	return 0x87000000u + SPAN / rules * n + SPAN / rules / 2;
}

static struct world *world_with_rules(uint32_t rules)
{
	struct paint *paints = zeroed(rules, sizeof(*paints));
	struct world *world;

	for (uint32_t i = 0; i < rules; i++) {
		uint32_t id = rule_id(i, rules);

		paints[i] = (struct paint){id, id, HVC_DENY};
	}
	world = world_new(&(struct world_setup){.rules = paints, .rule_count = rules});
	free(paints);
	return world;
}

static void make(struct subject *subject, uint32_t rules)
{
	struct rng rng = {rules};

	subject->world = world_with_rules(rules);
	for (uint32_t i = 0; i < ORDER; i++) {
		subject->order[i] = rule_id(rng_below(&rng, rules), rules);
	}
}

/* --- Steady: caches as they come. */
enum kind { HOT, RANDOM, UNKNOWN };

static void call_one(struct hvc_vcpu *vcpu, uint32_t id, uint32_t count)
{
	struct hvc_frame frame = {{0}};

	for (uint32_t i = 0; i < count; i++) {
		frame.x[0] = id;
		hvc_call(vcpu, HVC_CONDUIT_HVC, 0, &frame);
	}
}

static void call_random(struct hvc_vcpu *vcpu, const uint32_t *order, uint32_t count)
{
	struct hvc_frame frame = {{0}};

	for (uint32_t i = 0; i < count; i++) {
		frame.x[0] = order[i % ORDER];
		hvc_call(vcpu, HVC_CONDUIT_HVC, 0, &frame);
	}
}

static void call_kind(struct subject *subject, enum kind kind, uint32_t count)
{
	struct hvc_vcpu *vcpu = subject->world->vcpus[0];

	if (kind == RANDOM) {
		call_random(vcpu, subject->order, count);
	} else {
		call_one(vcpu, kind == HOT ? 0x84000000u : 0x4b000000u, count);
	}
}

/* The best of five: what disturbs makes it slower, never faster. */
static double steady_ns(struct subject *subject, enum kind kind)
{
	uint64_t best = UINT64_MAX;

	for (unsigned int i = 0; i < 5; i++) {
		uint64_t start = now(), took;

		call_kind(subject, kind, CALLS / 5);
		took = now() - start;
		best = took < best ? took : best;
	}
	return (double)best * 5 / CALLS;
}

/* --- Cold. */
static void flush(const void *memory, size_t bytes)
{
	const char *at = memory;

	for (size_t i = 0; i < bytes; i += 64) {
#if defined(__x86_64__)
		__asm__ volatile("clflush %0" : : "m"(at[i]) : "memory");
#elif defined(__aarch64__)
		__asm__ volatile("dc civac, %0" : : "r"(at + i) : "memory");
#endif
	}
#if defined(__x86_64__)
	__asm__ volatile("mfence" : : : "memory");
#elif defined(__aarch64__)
	__asm__ volatile("dsb sy" : : : "memory");
#endif
}

static int by_value(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

static double median(uint64_t *values, size_t count)
{
	size_t middle = count / 2;

	qsort(values, count, sizeof(*values), by_value);
	return (double)values[middle];
}

static double cold_ns(struct subject *subject)
{
	static uint64_t took[COLD_CALLS], empty[COLD_CALLS];
	struct world *world = subject->world;

	for (uint32_t i = 0; i < COLD_CALLS; i++) {
		struct hvc_frame frame = {.x = {subject->order[i]}};
		uint64_t start;

		flush(world->image, world->image->bytes);
		flush(world->vm, hvc_vm_size());
		flush(world->vcpus[0], hvc_vcpu_size());
		flush(world->counters, sizeof(*world->counters));
		start = now();
		hvc_call(world->vcpus[0], HVC_CONDUIT_HVC, 0, &frame);
		took[i] = now() - start;
		start = now();
		empty[i] = now() - start;
	}
	return median(took, COLD_CALLS) - median(empty, COLD_CALLS);
}

static void print_times(void)
{
	static const uint32_t counts[] = {1, 100, 100000};
	static struct subject subject;
	double cold[3];

	printf("%8s %10s %10s %10s %10s %12s\n", "rules", "hot ns", "unknown ns", "random ns",
	       "cold ns", "image bytes");
	for (unsigned int i = 0; i < 3; i++) {
		make(&subject, counts[i]);
		cold[i] = cold_ns(&subject);
		printf("%8u %10.1f %10.1f %10.1f %10.1f %12u\n", counts[i],
		       steady_ns(&subject, HOT), steady_ns(&subject, UNKNOWN),
		       steady_ns(&subject, RANDOM), cold[i], subject.world->image->bytes);
		world_free(subject.world);
	}
	printf("budget: hot <= %d ns; cold 100000 : 1 <= %.1f, here %.2f\n", BUDGET_HOT_NS,
	       budget_ratio, cold[2] / cold[0]);
}

/* --- Sizes. */
static uint32_t image_bytes(uint32_t first, uint32_t stride, uint32_t count)
{
	struct paint *paints = zeroed(count + 1, sizeof(*paints));
	struct hvc_image *image;
	uint32_t bytes;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t id = first + i * stride;

		paints[i] = (struct paint){id, id, HVC_DENY};
	}
	image = world_image(&(struct world_setup){.rules = paints, .rule_count = count}, NULL);
	bytes = image->bytes;
	free(image);
	free(paints);
	return bytes;
}

static void print_block_sizes(void)
{
	static const struct {
		const char *where;
		uint32_t first, stride, count;
	} cases[] = {
		{"numbers of one owner", 0x87000101u, 0x100, 200},
		{"reserved bits of one owner", 0x87010001u, 0x100, 2000},
		{"number 1 of every owner", 0x07000001u, 0x01000000, 100},
	};

	for (unsigned int i = 0; i < 3; i++) {
		uint32_t base = image_bytes(cases[i].first, cases[i].stride, 0);
		uint32_t more = image_bytes(cases[i].first, cases[i].stride, cases[i].count) - base;

		printf("%-40s %5u touched blocks, %4.0f bytes each (budget %d)\n", cases[i].where,
		       cases[i].count, (double)more / cases[i].count, BUDGET_BLOCK);
	}
}

static int print_policy_size(const char *path)
{
	struct hvc_diags *diags = hvc_diags_new();
	struct hvc_policy *policy = NULL;
	struct hvc_image *image = NULL;
	int failed = 1;

	if (diags != NULL && hvc_policy_load(path, &policy, diags) == HVC_OK &&
	    hvc_policy_compile(policy, &image, diags) == HVC_OK) {
		printf("%-40s %5" PRIu32 " bytes (budget %d)\n", path, image->bytes, BUDGET_IMAGE);
		failed = 0;
	} else {
		fprintf(stderr, "bench-lookup: cannot load %s\n", path);
	}
	free(image);
	hvc_policy_free(policy);
	hvc_diags_free(diags);
	return failed;
}

static int print_sizes(int count, char **paths)
{
	int failed = 0;

	for (int i = 0; i < count; i++) {
		failed |= print_policy_size(paths[i]);
	}
	print_block_sizes();
	return failed;
}

static int run_counted(const char *name, const char *rules, const char *calls)
{
	static struct subject subject;
	enum kind kind = UNKNOWN;

	if (strcmp(name, "hot") == 0) {
		kind = HOT;
	} else if (strcmp(name, "random") == 0) {
		kind = RANDOM;
	}
	make(&subject, (uint32_t)strtoul(rules, NULL, 0));
	call_kind(&subject, kind, (uint32_t)strtoul(calls, NULL, 0));
	world_free(subject.world);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 5 && strcmp(argv[1], "--count") == 0) {
		return run_counted(argv[2], argv[3], argv[4]);
	}
	if (argc >= 2 && strcmp(argv[1], "--sizes") == 0) {
		return print_sizes(argc - 2, argv + 2);
	}
	if (argc != 1) {
		fprintf(stderr, "usage: bench-lookup [--sizes POLICY... | --count KIND RULES N]\n");
		return 2;
	}
	print_times();
	return 0;
}
