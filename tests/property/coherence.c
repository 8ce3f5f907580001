/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * usage: coherence [--seed N] [--policies N] [--name NAME]
 *
 * Discovery agrees with dispatch under so many random policies. A policy under which it does not is made as small as it
 * gets and printed with the call that contradicts. The counts go to NAME.json in $HVCGATE_RESULTS_DIR if that is set.
 *
 * Built with a mistake in the engine (discovery_mutants.py) it passes if it finds it.
 */
#include "coherence.h"
#include "results.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#ifdef MUTANT
extern const char *const mutant;       /* the mistake in words */
extern const char *const mutant_stale; /* the list of mutants is out of date: why; or NULL */
#else
static const char *const mutant, *const mutant_stale;
#endif

enum { WHY = 256 };

struct options {
	uint64_t seed, policies;
	const char *name;
};

/* True also where there is no such VM. */
static bool holds(const struct policy *policy, char why[WHY], bool *made)
{
	struct coherent_vm vm;
	bool fine;

	*made = coherent_vm_make(&vm, policy);
	if (!*made) {
		return true;
	}
	fine = coherent(&vm, why, WHY);
	coherent_vm_free(&vm);
	return fine;
}

/* Keep `smaller` if it shows the mistake, too. */
static bool keep(struct policy *policy, const struct policy *smaller, char why[WHY])
{
	bool made;

	if (holds(smaller, why, &made)) {
		return false;
	}
	*policy = *smaller;
	return true;
}

/* Without one of its rules, or ranges. */
static void shrink_rules(struct policy *policy, char why[WHY])
{
	static struct policy smaller;
	unsigned int *counts[] = {&smaller.rule_count, &smaller.added_count,
				  &smaller.tightened_count};

	for (unsigned int kind = 0; kind < 3; kind++) {
		smaller = *policy;
		for (unsigned int i = *counts[kind]; i-- > 0;) {
			smaller = *policy;
			*counts[kind] -= 1;
			if (kind == 0) {
				memmove(&smaller.rules[i], &smaller.rules[i + 1],
					(smaller.rule_count - i) * sizeof(smaller.rules[0]));
			} else {
				struct policy_range *ranges = kind == 1 ? smaller.added
									: smaller.tightened;

				memmove(&ranges[i], &ranges[i + 1],
					(*counts[kind] - i) * sizeof(ranges[0]));
			}
			(void)keep(policy, &smaller, why);
		}
	}
}

static void shrink(struct policy *policy, char why[WHY])
{
	static struct policy smaller;
	char last[WHY];

	memcpy(last, why, WHY);
	shrink_rules(policy, why);
	smaller = *policy;
	smaller.settings.quirks = 0;
	(void)keep(policy, &smaller, why);
	smaller = *policy;
	smaller.flags = 0;
	(void)keep(policy, &smaller, why);
	smaller = *policy;
	smaller.events = smaller.stats = smaller.shares = smaller.transactions = false;
	(void)keep(policy, &smaller, why);
	smaller = *policy;
	smaller.tables.feature_count = 0;
	memset(smaller.tables.features, 0, sizeof(smaller.tables.features));
	(void)keep(policy, &smaller, why);
	/* What it comes to. */
	if (keep(policy, policy, why)) {
		return;
	}
	memcpy(why, last, WHY);
}

/* Only of a run in which nothing was wrong. */
static void write_results(const struct options *options, uint64_t made)
{
	const struct coherent_seen *seen = &coherent_seen;
	FILE *file = results_open(options->name);

	if (file == NULL) {
		return;
	}
	fprintf(file,
		",\n \"seed\": %" PRIu64 ",\n \"policies\": %" PRIu64 ",\n \"queries\": %" PRIu64
		",\n \"calls\": {\n  \"handled\": %" PRIu64 ",\n  \"of these notified\": %" PRIu64
		",\n  \"forwarded\": %" PRIu64 ",\n  \"denied\": %" PRIu64
		",\n  \"failed, nobody there\": %" PRIu64 ",\n  \"absent\": %" PRIu64
		"\n },\n \"forwarded with a value of the policy's\": %" PRIu64
		",\n \"excused\": %" PRIu64 "\n}\n",
		options->seed, made, seen->queries, seen->handled, seen->notified, seen->forwarded,
		seen->denied, seen->failed, seen->absent, seen->stated, seen->excused);
	fclose(file);
}

/* The first policy that contradicts, of so many; false: none does. */
static bool find(const struct options *options, struct policy *policy, char why[WHY],
		 uint64_t *made)
{
	struct rng rng = {options->seed};

	for (*made = 0; *made < options->policies;) {
		bool is_vm;

		policy_random(&rng, policy);
		if (!holds(policy, why, &is_vm)) {
			return true;
		}
		*made += is_vm;
	}
	return false;
}

static int run(const struct options *options)
{
	static struct policy policy;
	const struct coherent_seen *seen = &coherent_seen;
	char why[WHY] = "";
	uint64_t made;

	if (find(options, &policy, why, &made)) {
		printf("policy %" PRIu64 " of seed %" PRIu64 ": %s\n", made, options->seed, why);
		shrink(&policy, why);
		printf("as small as it gets: %s\n", why);
		policy_print(stdout, &policy);
		return 1;
	}
	printf("%" PRIu64 " policies, %" PRIu64 " queries; calls: %" PRIu64 " handled (%" PRIu64
	       " notified), %" PRIu64 " forwarded (%" PRIu64 " with a value stated), %" PRIu64
	       " denied, %" PRIu64 " failed, %" PRIu64 " absent; %" PRIu64 " excused\n",
	       made, seen->queries, seen->handled, seen->notified, seen->forwarded, seen->stated,
	       seen->denied, seen->failed, seen->absent, seen->excused);
	/* A run in which some case did not come about shows nothing of it. */
	if (seen->notified * 4 < made || seen->forwarded < made || seen->denied < made ||
	    seen->failed < made || seen->stated * 16 < made || seen->excused == 0) {
		printf("too few of some case\n");
		return 1;
	}
	write_results(options, made);
	return 0;
}

static int hunt(const struct options *options)
{
	static struct policy policy;
	char why[WHY] = "";
	uint64_t made;

	if (mutant_stale != NULL) {
		printf("%s: %s\n", mutant, mutant_stale);
		return 1;
	}
	if (!find(options, &policy, why, &made)) {
		printf("%s: NOT NOTICED under %" PRIu64 " policies\n", mutant, made);
		return 1;
	}
	shrink(&policy, why);
	printf("%s: noticed under policy %" PRIu64 ": %s\n", mutant, made + 1, why);
	policy_print(stdout, &policy);
	return 0;
}

int main(int argc, char **argv)
{
	struct options options = {.seed = 1, .policies = 400};

	for (int i = 1; i < argc; i += 2) {
		if (i + 1 < argc && strcmp(argv[i], "--seed") == 0) {
			options.seed = strtoull(argv[i + 1], NULL, 0);
		} else if (i + 1 < argc && strcmp(argv[i], "--policies") == 0) {
			options.policies = strtoull(argv[i + 1], NULL, 0);
		} else if (i + 1 < argc && strcmp(argv[i], "--name") == 0) {
			options.name = argv[i + 1];
		} else {
			fprintf(stderr,
				"usage: coherence [--seed N] [--policies N] [--name NAME]\n");
			return 2;
		}
	}
	return mutant != NULL ? hunt(&options) : run(&options);
}
