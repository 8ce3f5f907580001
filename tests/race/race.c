/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * usage: race [--seed N] [--operations N] [--name NAME]
 *
 * CPUs that start and stop one another at once; then a search for an order, target by target, in which one thing after
 * another explains what each CPU saw. The counts go to NAME.json in $HVCGATE_RESULTS_DIR if that is set.
 *
 * Built with a mistake in the engine (mutants.py) it passes if the mistake is found: by the search, or, where the
 * machine's memory is stricter than the mistake, by the thread sanitizer.
 */
#define _GNU_SOURCE /* sched_getaffinity */
#include <inttypes.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"
#include "results.h"

/* From the mutated source. The sound engine has none. */
#ifdef MUTANT
extern const char *const mutant;       /* the mistake in words */
extern const char *const mutant_stale; /* the list of mutants is out of date: why; or NULL */
#else
static const char *const mutant, *const mutant_stale;
#endif

enum { MUTANT_ROUNDS = 1000, MUTANT_OPERATIONS = 25000, KILL_ROUNDS = 2000, SKIPPED = 77 };

static atomic_uint reports;

#if defined(__SANITIZE_THREAD__) || defined(RACE_TSAN)
/* Called by the thread sanitizer for each race that it reports. */
__attribute__((visibility("default"))) void __tsan_on_report(void *report);
__attribute__((visibility("default"))) const char *__tsan_default_options(void);

void __tsan_on_report(void *report)
{
	(void)report;
	atomic_fetch_add_explicit(&reports, 1, memory_order_relaxed);
}

/* What is reported is counted, and judged here. */
const char *__tsan_default_options(void)
{
	return "exitcode=0";
}
static const bool sanitized = true;
#else
static const bool sanitized = false;
#endif

struct options {
	uint64_t seed, operations;
	const char *name;
};

static struct machine_result result;

/* True: found something. */
static bool judge(void)
{
	bool found = false;

	if (result.surprise != NULL) {
		printf("%s\n", result.surprise);
		found = true;
	}
	for (unsigned int target = 0; target < MACHINE_CPUS; target++) {
		struct finding finding;

		if (!history_legal(result.ops[target], result.op_count[target],
				   target == 0 ? STATE_ON : STATE_OFF, &finding)) {
			finding_print(stdout, target, &finding);
			finding_free(&finding);
			found = true;
		}
	}
	return found;
}

/* Without a second CPU two of ours are hardly ever at the same instruction. */
static bool alone(void)
{
	cpu_set_t cpus;

	return sched_getaffinity(0, sizeof(cpus), &cpus) == 0 && CPU_COUNT(&cpus) < 2;
}

static int hunt(uint64_t seed)
{
	uint64_t operations = 0;

	if (mutant_stale != NULL) {
		printf("%s: %s\n", mutant, mutant_stale);
		return 1;
	}
	for (unsigned int round = 0; round < MUTANT_ROUNDS; round++) {
		bool found;

		machine_run(seed + round, MUTANT_OPERATIONS, &result);
		operations += result.calls;
		found = judge();
		machine_result_free(&result);
		if (sanitized) {
			(void)machine_kill_rounds(KILL_ROUNDS / 10);
		}
		if (found || reports != 0) {
			printf("%s: noticed in %" PRIu64 " operations by %s\n", mutant, operations,
			       found ? "the search" : "the thread sanitizer");
			return 0;
		}
	}
	printf("%s: NOT NOTICED in %" PRIu64 " operations%s\n", mutant, operations,
	       alone() ? ": with one CPU hardly anything is at once" : "");
	return alone() ? SKIPPED : 1;
}

/* Only of a run in which nothing was wrong. */
static void write_results(const struct options *options)
{
	FILE *file = results_open(options->name);

	if (file == NULL) {
		return;
	}
	fprintf(file,
		",\n \"seed\": %" PRIu64 ",\n \"vcpus\": %d,\n"
		" \"thread sanitizer\": %s,\n \"operations\": %" PRIu64 ",\n"
		" \"CPU_ON that won, the failed ones too\": %" PRIu64
		",\n \"CPU_ON that the host failed\": %" PRIu64 ",\n \"CPU_ON refused\": %" PRIu64
		",\n \"CPU_ON refused with ON_PENDING\": %" PRIu64 ",\n \"AFFINITY_INFO\": %" PRIu64
		",\n \"AFFINITY_INFO that said ON_PENDING\": %" PRIu64 ",\n \"started\": %" PRIu64
		",\n \"CPU_OFF\": %" PRIu64 "\n}\n",
		options->seed, MACHINE_CPUS, sanitized ? "true" : "false", result.calls,
		result.seen[OP_WON], result.failures, result.seen[OP_REFUSED],
		result.refused_pending, result.seen[OP_ASKED], result.asked_pending,
		result.seen[OP_STARTED], result.seen[OP_OFF]);
	fclose(file);
}

/* A run in which some operation hardly came about shows nothing of it. */
static bool is_rich(uint64_t operations)
{
	uint64_t least = operations / 2000;

	return result.calls >= operations && result.failures > least &&
	       result.refused_pending > least && result.asked_pending > least &&
	       result.seen[OP_WON] > least && result.seen[OP_STARTED] > least &&
	       result.seen[OP_OFF] > least && result.seen[OP_NEVER] == 0;
}

static int run(const struct options *options)
{
	bool fine = true;

	machine_run(options->seed, options->operations, &result);
	printf("seed %" PRIu64 ", %d vCPUs, %" PRIu64 " operations: CPU_ON won %" PRIu64
	       " (%" PRIu64 " failed by the host), refused %" PRIu64 " (%" PRIu64
	       " ON_PENDING), AFFINITY_INFO %" PRIu64 " (%" PRIu64 " ON_PENDING), started %" PRIu64
	       ", CPU_OFF %" PRIu64 "\n",
	       options->seed, MACHINE_CPUS, result.calls, result.seen[OP_WON], result.failures,
	       result.seen[OP_REFUSED], result.refused_pending, result.seen[OP_ASKED],
	       result.asked_pending, result.seen[OP_STARTED], result.seen[OP_OFF]);
	if (!is_rich(options->operations)) {
		printf("too few of some operation\n");
		fine = false;
	}
	if (judge()) {
		fine = false;
	}
	if (!machine_kill_rounds(KILL_ROUNDS)) {
		printf("AFFINITY_INFO said OFF, and what the CPU had written was not there\n");
		fine = false;
	}
	if (reports != 0) {
		printf("%u reports of the thread sanitizer\n", reports);
		fine = false;
	}
	if (fine) {
		write_results(options);
	}
	printf(fine ? "a legal order for each target%s\n" : "FAILED%s\n",
	       sanitized ? ", no data race" : "");
	machine_result_free(&result);
	return fine ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct options options = {.seed = 1, .operations = 100000};

	for (int i = 1; i < argc; i += 2) {
		if (i + 1 < argc && strcmp(argv[i], "--seed") == 0) {
			options.seed = strtoull(argv[i + 1], NULL, 0);
		} else if (i + 1 < argc && strcmp(argv[i], "--operations") == 0) {
			options.operations = strtoull(argv[i + 1], NULL, 0);
		} else if (i + 1 < argc && strcmp(argv[i], "--name") == 0) {
			options.name = argv[i + 1];
		} else {
			fprintf(stderr, "usage: race [--seed N] [--operations N] [--name NAME]\n");
			return 2;
		}
	}
	return mutant != NULL ? hunt(options.seed) : run(&options);
}
