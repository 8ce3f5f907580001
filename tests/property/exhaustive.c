/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All 2^32 function IDs called under a compiled policy: what the lookup said of each, compared with the
 * model: action, claimed or default, reserved, slot.
 *
 *   exhaustive [--step N] POLICY...   of the blocks of 64 Ki IDs that hold no end of a rule and no
 *                                     function only each N-th: for builds with sanitizers
 *   exhaustive --mutants POLICY...    is a wrong edge noticed?
 *
 * POLICY is a file, or random:SEED:RULES.
 *
 * A mutant is an image in which one painted range is one ID too long, at its start or its end. The
 * linker sends the policy compiler's calls of hvc_image_paint() here for that (--wrap).
 */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <hvcgate/engine.h>
#include <hvcgate/policy.h>

#include "model.h"
#include "random_policy.h"
#include "rng.h"
#include "state.h"

_Static_assert((int)MODEL_SLOT == (int)ENTRY_SLOT && (int)MODEL_CLAIMED == (int)ENTRY_CLAIMED &&
		       (int)MODEL_ACTION_SHIFT == (int)ENTRY_ACTION_SHIFT,
	       "expectations compare with entries");

enum { THREADS = 2, BLOCKS = 0x10000, SAMPLES = 1000000 };

/* --- Mutants. */
static struct {
	unsigned int call; /* the call of hvc_image_paint() with a rule's range, from 1; 0: none */
	bool at_end;
	unsigned int calls; /* so far */
	uint32_t id;        /* where it is wrong */
} mutant;

enum hvc_err __real_hvc_image_paint(struct hvc_image *image, size_t capacity, uint32_t first,
				    uint32_t last, enum hvc_action action, bool by_rule);
enum hvc_err __wrap_hvc_image_paint(struct hvc_image *image, size_t capacity, uint32_t first,
				    uint32_t last, enum hvc_action action, bool by_rule);

enum hvc_err __wrap_hvc_image_paint(struct hvc_image *image, size_t capacity, uint32_t first,
				    uint32_t last, enum hvc_action action, bool by_rule)
{
	if (by_rule && mutant.call == mutant.calls + 1) {
		if (mutant.at_end) {
			last += last != UINT32_MAX;
			mutant.id = last;
		} else {
			first -= first != 0;
			mutant.id = first;
		}
	}
	enum hvc_err err = __real_hvc_image_paint(image, capacity, first, last, action, by_rule);

	mutant.calls += by_rule && err == HVC_OK; /* else it comes again with more memory */
	return err;
}

/* --- What is tested. */
struct subject {
	const char *name;
	struct hvc_policy *policy;
	struct hvc_image *image;
	struct model model;
	enum hvc_action otherwise;
};

static _Noreturn void die(const char *what, const char *detail)
{
	fprintf(stderr, "exhaustive: %s%s%s\n", what, detail[0] != '\0' ? ": " : "", detail);
	exit(2);
}

/* The default action, read from the file itself. */
static enum hvc_action default_of(const char *path)
{
	char line[256];
	enum hvc_action action = HVC_HANDLE;
	FILE *file = fopen(path, "r");

	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, "default: deny", 13) == 0) {
			action = HVC_DENY;
		}
	}
	if (file != NULL) {
		fclose(file);
	}
	return action;
}

static void load(struct subject *subject, const char *path)
{
	struct hvc_diags *diags = hvc_diags_new();

	subject->otherwise = default_of(path);

	if (diags == NULL || hvc_policy_load(path, &subject->policy, diags) != HVC_OK) {
		const struct hvc_diag *diag = NULL;

		for (size_t i = 0; (diag = hvc_diags_at(diags, i)) != NULL; i++) {
			if (diag->severity == HVC_ERROR) {
				fprintf(stderr, "%s:%u: %s\n", path, diag->line, diag->message);
			}
		}
		die("cannot load", path);
	}
	hvc_diags_free(diags);
}

static void compile(struct subject *subject)
{
	struct hvc_diags *diags = hvc_diags_new();

	mutant.calls = 0;
	if (diags == NULL ||
	    hvc_policy_compile(subject->policy, &subject->image, diags) != HVC_OK ||
	    hvc_image_check(subject->image, subject->image->bytes) != HVC_OK) {
		die("cannot compile", subject->name);
	}
	hvc_diags_free(diags);
}

static void load_random(struct subject *subject, const char *name)
{
	char path[] = "/tmp/exhaustive-XXXXXX";
	char *end;
	uint64_t seed = strtoull(name + strlen("random:"), &end, 10);
	unsigned int rules = *end == ':' ? (unsigned int)strtoul(end + 1, &end, 10) : 0;
	int fd = mkstemp(path);
	FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;

	if (rules == 0 || *end != '\0' || file == NULL) {
		die("cannot make", name);
	}
	random_policy_write(file, seed, rules);
	fclose(file);
	load(subject, path);
	unlink(path);
}

/* The model is told the rules as the policy shows them, and its default. */
static void prepare(struct subject *subject, const char *name)
{
	*subject = (struct subject){.name = name};
	if (strncmp(name, "random:", 7) == 0) {
		load_random(subject, name);
	} else {
		load(subject, name);
	}
	for (size_t i = 0; i < hvc_policy_rule_count(subject->policy); i++) {
		const struct hvc_rule *rule = hvc_policy_rule(subject->policy, i);

		if (!model_add(&subject->model, rule->action, rule->target)) {
			die("the model does not understand", rule->target);
		}
	}
	model_add_defaults(&subject->model, subject->otherwise);
	subject->model.hints = hvc_policy_settings(subject->policy)->smccc_version >=
			       HVC_VERSION(1, 3);
	compile(subject);
}

/* --- A VM of one vCPU, with nothing around it. */
struct machine {
	struct hvc_vm *vm;
	struct hvc_vcpu *vcpu; /* the VM keeps this array of one: a machine does not move */
};

static void machine_init(struct machine *machine, const struct subject *subject)
{
	struct hvc_vm_config config = {
		.size = sizeof(config), .vcpu_count = 1, .image = subject->image};

	machine->vm = aligned_alloc(64, (hvc_vm_size() + 63) / 64 * 64);
	machine->vcpu = aligned_alloc(64, hvc_vcpu_size());
	if (machine->vm == NULL || machine->vcpu == NULL ||
	    hvc_vm_init(machine->vm, &config, &machine->vcpu) != HVC_OK) {
		die("cannot make a VM", "");
	}
}

static void machine_free(struct machine *machine)
{
	free(machine->vm);
	free(machine->vcpu);
}

/* --- All IDs of some blocks. */
struct scan {
	const struct subject *subject;
	atomic_uint next, end; /* blocks */
	atomic_uint wrong;     /* IDs */
	atomic_uint blocks;    /* that were looked at */
	unsigned int step;
	bool quiet;
};

static void report(struct scan *scan, uint32_t id, unsigned int expected, unsigned int found)
{
	if (atomic_fetch_add(&scan->wrong, 1) < 8 && !scan->quiet) {
		printf("%s: 0x%08" PRIx32 ": expected %04x, the lookup says %04x\n",
		       scan->subject->name, id, expected, found);
	}
}

static void scan_block(struct scan *scan, struct hvc_vcpu *vcpu, uint32_t block, uint16_t *expected)
{
	const struct model *model = &scan->subject->model;
	struct hvc_frame frame = {{0}};
	uint32_t base = block << 16;
	/* A hint in the upper half of a fast ID is gone before anything is asked. */
	uint32_t seen = model->hints && block >> 15 != 0 ? block & ~1u : block;

	model_block(model, seen, expected);
	for (uint32_t i = 0; i < MODEL_BLOCK; i++) {
		frame.x[0] = base | i;
		hvc_call(vcpu, HVC_CONDUIT_HVC, 0, &frame);
		if (hvc_unlikely(vcpu->last_entry != expected[i] ||
				 vcpu->last_id != (seen << 16 | i))) {
			report(scan, base | i, expected[i], vcpu->last_entry);
		}
	}
}

static void *scan_thread(void *argument)
{
	struct scan *scan = argument;
	uint16_t *expected = malloc(MODEL_BLOCK * sizeof(*expected));
	struct machine machine;

	machine_init(&machine, scan->subject);
	if (expected == NULL) {
		die("no memory", "");
	}
	for (;;) {
		unsigned int block = atomic_fetch_add(&scan->next, 1);

		if (block >= atomic_load(&scan->end) || atomic_load(&scan->wrong) > 1000) {
			break;
		}
		if (block % scan->step == 0 || !model_is_plain(&scan->subject->model, block)) {
			scan_block(scan, machine.vcpu, block, expected);
			atomic_fetch_add(&scan->blocks, 1);
		}
	}
	free(expected);
	machine_free(&machine);
	return NULL;
}

/* Number of wrong IDs. */
static unsigned int scan_blocks(struct scan *scan)
{
	pthread_t threads[THREADS];

	for (unsigned int i = 0; i < THREADS; i++) {
		if (pthread_create(&threads[i], NULL, scan_thread, scan) != 0) {
			die("no thread", "");
		}
	}
	for (unsigned int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
	}
	return scan->wrong;
}

/* --- The public way: query and call, at every edge and in between. */
struct probe {
	const struct subject *subject;
	struct hvc_vm *vm;
	struct hvc_vcpu *vcpu;
	unsigned int wrong;
};

static bool decider_fits(unsigned int decider, unsigned int expected, uint32_t id)
{
	if (model_reserved(id)) {
		return decider == HVC_BY_RESERVED;
	}
	if (expected >> MODEL_ACTION_SHIFT & 3) {
		return decider == (expected & MODEL_CLAIMED ? HVC_BY_RULE : HVC_BY_DEFAULT);
	}
	if ((expected & MODEL_SLOT) == 0) {
		return decider == HVC_BY_UNKNOWN;
	}
	return decider == HVC_BY_SERVICE || decider == HVC_BY_FEATURE;
}

static void probe_id(struct probe *probe, uint32_t id)
{
	unsigned int expected = model_one(&probe->subject->model, id);
	struct hvc_outcome outcome = hvc_filter_query(probe->vm, id), happened;
	struct hvc_frame frame = {.x = {id, 2, 2, 2}};

	hvc_call(probe->vcpu, HVC_CONDUIT_HVC, 0, &frame);
	happened = hvc_vcpu_outcome(probe->vcpu);
	if (outcome.fn != (expected & MODEL_SLOT) ||
	    outcome.action != (expected >> MODEL_ACTION_SHIFT & 3) ||
	    !decider_fits(outcome.decider, expected, outcome.id) ||
	    memcmp(&outcome, &happened, sizeof(outcome)) != 0) {
		if (probe->wrong++ < 8) {
			printf("%s: 0x%08" PRIx32 ": expected %04x, decided by %s, action %s\n",
			       probe->subject->name, id, expected,
			       hvc_decider_name(outcome.decider), hvc_action_name(outcome.action));
		}
	}
}

static void probe_around(struct probe *probe, uint32_t id)
{
	for (uint32_t off = 0; off < 5; off++) {
		probe_id(probe, id - 2 + off);
		probe_id(probe, (id - 2 + off) ^ HVC_ID_SVE_HINT);
	}
}

static void probe_all(struct probe *probe)
{
	const struct model *model = &probe->subject->model;
	struct rng rng = {7};
	unsigned int slot;
	uint32_t id;

	for (size_t i = 0; i < model->count; i++) {
		probe_around(probe, model->ranges[i].first);
		probe_around(probe, model->ranges[i].last);
	}
	for (size_t i = 0; (id = model_id(i, &slot)) != 0; i++) {
		probe_around(probe, id);
	}
	for (uint32_t i = 0; i < 4; i++) { /* the corners of the reserved windows */
		probe_around(probe, 0x80000000u | (i & 1) << 30 | (i >> 1) << 16);
	}
	for (unsigned int i = 0; i < SAMPLES / (model->count + 1); i++) {
		probe_id(probe, (uint32_t)rng_next(&rng));
	}
}

static unsigned int probe_subject(const struct subject *subject)
{
	struct probe probe = {.subject = subject};
	struct machine machine;

	machine_init(&machine, subject);
	probe.vm = machine.vm;
	probe.vcpu = machine.vcpu;
	probe_all(&probe);
	machine_free(&machine);
	return probe.wrong;
}

/* --- Modes. */
static int run(const char *name, unsigned int step)
{
	struct subject subject;
	struct scan scan = {.subject = &subject, .end = BLOCKS, .step = step};
	unsigned int wrong;

	prepare(&subject, name);
	wrong = scan_blocks(&scan) + probe_subject(&subject);
	printf("%s: %zu rules, image of %" PRIu32 " bytes, %" PRIu64 " IDs: %s\n", name,
	       hvc_policy_rule_count(subject.policy), subject.image->bytes,
	       (uint64_t)scan.blocks * MODEL_BLOCK, wrong != 0 ? "WRONG" : "as the model says");
	free(subject.image);
	hvc_policy_free(subject.policy);
	model_free(&subject.model);
	return wrong != 0;
}

/* Does the wrong image decide anything differently? If not, there is nothing to notice: what is painted
 * later covers the wrong edge, the neighbour looks the same, or no call has that ID after the hint is
 * cleared. */
static bool differs(const struct subject *subject, const struct hvc_image *right)
{
	const uint16_t *good = (const uint16_t *)(const void *)(right + 1);
	const uint16_t *wrong = (const uint16_t *)(const void *)(subject->image + 1);

	if (subject->model.hints && mutant.id >> 31 != 0 && (mutant.id & HVC_ID_SVE_HINT)) {
		return false;
	}
	return lookup_entry(good, mutant.id) != lookup_entry(wrong, mutant.id);
}

static int run_mutants(const char *name)
{
	struct subject subject;
	struct scan scan;
	struct hvc_image *right;
	unsigned int calls, noticed = 0, missed = 0, equal = 0;

	prepare(&subject, name);
	right = subject.image;
	calls = mutant.calls;
	for (unsigned int m = 0; m<2 * calls; m += calls> 200 ? 1 + calls / 100 * 2 : 1) {
		mutant.call = m / 2 + 1;
		mutant.at_end = m % 2 != 0;
		compile(&subject);
		scan = (struct scan){.subject = &subject,
				     .next = mutant.id >> 16,
				     .end = (mutant.id >> 16) + 1,
				     .step = 1,
				     .quiet = true};
		if (!differs(&subject, right)) {
			equal++;
		} else if (scan_blocks(&scan) != 0) {
			noticed++;
		} else {
			missed++;
			printf("%s: nobody noticed that 0x%08" PRIx32 " is wrong\n", name,
			       mutant.id);
		}
		free(subject.image);
	}
	printf("%s: %u mutants noticed, %u missed, %u the same as the right image\n", name, noticed,
	       missed, equal);
	free(right);
	hvc_policy_free(subject.policy);
	model_free(&subject.model);
	return missed != 0 || noticed == 0;
}

int main(int argc, char **argv)
{
	unsigned int step = 1;
	bool mutants = false;
	int failed = 0;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--mutants") == 0) {
			mutants = true;
		} else if (strcmp(argv[i], "--step") == 0 && i + 1 < argc) {
			step = (unsigned int)strtoul(argv[++i], NULL, 0);
			step = step != 0 ? step : 1;
		} else {
			failed |= mutants ? run_mutants(argv[i]) : run(argv[i], step);
		}
	}
	return failed;
}
