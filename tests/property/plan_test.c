/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Does a plan bring a kernel to its policy? The kernel of a record is the engine with its profile (the test "engine as
 * measured" holds that against the record). It gets the plan's registers and filter ranges; what it forwards the policy's
 * engine answers. Then each ID of the catalogue, its neighbours, the edges of ranges and others must be answered as by
 * the policy's engine alone, but for what the plan says it cannot be brought to; and what it says must be seen.
 *
 * plan_test [--random N] POLICY... -- RECORD...   (N policies made at random for each record; 10)
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "allow.h"
#include "plan_internal.h"
#include "plan_policy.h"
#include "random_policy.h"
#include "rng.h"

struct subject {
	const char *policy_name, *record_name;
	const struct hvc_policy *policy;
	struct hvc_plan_host host;
	struct hvc_plan *plan;
	struct plan_vm kernel, own;
	bool kernel_used, own_used; /* to be made anew */
	struct rng rng;
	size_t dropped;          /* mutant: index of the range that is left out, or SIZE_MAX */
	size_t dropped_register; /* likewise */
	bool silent;
	unsigned long calls, wrong, excused, forwarded;
	uint32_t seen; /* limits (by index) and, from bit 16 on, departures that were seen */
};

static void die(const char *what, const char *name)
{
	printf("%s %s\n", what, name);
	exit(1);
}

/* --- The kernel, as the plan makes it. */
static void kernel_again(struct subject *subject)
{
	const struct hvc_plan *plan = subject->plan;
	struct plan_vm *vm = &subject->kernel;

	if (hvc_vm_init(vm->vm, &vm->config, vm->vcpus) != HVC_OK ||
	    hvc_vcpu_set_stolen_time(vm->vcpus[0], PLAN_RAM) != HVC_OK) {
		die("cannot make the kernel of", subject->record_name);
	}
	for (size_t i = 0; i < plan->register_count; i++) {
		if (i != subject->dropped_register &&
		    hvc_vm_set_reg(vm->vm, plan->registers[i].id, plan->registers[i].value) !=
			    HVC_OK) {
			die("a register of the plan is refused by", subject->record_name);
		}
	}
	for (size_t i = 0; i < plan->range_count; i++) {
		const struct hvc_plan_range *range = &plan->ranges[i];

		if (i != subject->dropped &&
		    hvc_filter_add(vm->vm, range->base, range->count, range->action) != HVC_OK) {
			die("a range of the plan is refused by", subject->record_name);
		}
	}
	hvc_vm_freeze(vm->vm);
	subject->kernel_used = false;
}

static void make(struct subject *subject)
{
	struct hvc_settings settings;
	struct hvc_image *image;

	abi_profile_settings(subject->host.profile, &settings);
	abi_record_apply(subject->host.record, &settings);
	if (plan_kernel_image(&settings, &image) != HVC_OK ||
	    plan_vm_make(&subject->kernel, image) != HVC_OK ||
	    hvc_plan_image(subject->policy, &subject->host, &image) != HVC_OK ||
	    plan_vm_make(&subject->own, image) != HVC_OK) {
		die("cannot make VMs of", subject->policy_name);
	}
	subject->kernel.config.filter_bytes = hvc_filter_size(
		subject->kernel.image, (unsigned int)subject->plan->range_count);
	subject->kernel.config.filter_memory = aligned_alloc(
		64, (subject->kernel.config.filter_bytes + 63) / 64 * 64);
	if (subject->kernel.config.filter_memory == NULL) {
		die("no memory for", subject->policy_name);
	}
	subject->kernel_used = subject->own_used = true;
}

static void unmake(struct subject *subject)
{
	free(subject->kernel.config.filter_memory);
	plan_vm_free(&subject->kernel);
	plan_vm_free(&subject->own);
}

/* --- One call. */
struct result {
	enum hvc_verdict verdict;
	struct hvc_frame frame;
	struct hvc_request request;
};

/* Calls of these change nothing in a VM. */
static bool is_pure(const struct hvc_vcpu *vcpu, enum hvc_verdict verdict)
{
	const struct hvc_outcome outcome = hvc_vcpu_outcome(vcpu);
	const struct hvc_function *function = hvc_function_at(outcome.fn);

	return verdict == HVC_RESUME && outcome.action != HVC_NOTIFY &&
	       (function == NULL || outcome.fn == HVC_FN_PSCI_FEATURES ||
		function->service != HVC_SERVICE_PSCI);
}

static bool call(struct plan_vm *vm, enum hvc_conduit conduit, const struct hvc_frame *frame,
		 struct result *result)
{
	memset(result, 0, sizeof(*result));
	result->frame = *frame;
	result->verdict = hvc_call(vm->vcpus[0], conduit, 0, &result->frame);
	if (result->verdict != HVC_RESUME) {
		result->request = hvc_vcpu_request(vm->vcpus[0]);
	}
	return !is_pure(vm->vcpus[0], result->verdict);
}

static void call_own(struct subject *subject, enum hvc_conduit conduit,
		     const struct hvc_frame *frame, struct result *result)
{
	if (subject->own_used && plan_vm_again(&subject->own) != HVC_OK) {
		die("cannot make the VM of", subject->policy_name);
	}
	subject->own_used = call(&subject->own, conduit, frame, result);
}

/* What the guest sees: the kernel's answer or, forwarded, the engine's in user space. */
static bool call_guest(struct subject *subject, enum hvc_conduit conduit,
		       const struct hvc_frame *frame, struct result *result)
{
	if (subject->kernel_used) {
		kernel_again(subject);
	}
	subject->kernel_used = call(&subject->kernel, conduit, frame, result);
	if (result->verdict != HVC_FORWARDED) {
		return false;
	}
	subject->forwarded++;
	call_own(subject, conduit, frame, result);
	return true;
}

/* Status, results and verdict are the same; registers that hold none are as they were or zero. */
static bool same(const struct subject *subject, const struct hvc_frame *asked,
		 const struct result *guest, const struct result *own)
{
	const struct hvc_outcome outcome = hvc_vcpu_outcome(subject->own.vcpus[0]);
	const struct hvc_function *function = hvc_function_at(outcome.fn);
	const bool failed = (int64_t)own->frame.x[0] < 0;
	const uint32_t results = function == NULL || failed
					 ? HVC_X0
					 : hvc_function_results(function, outcome.id);

	if (guest->verdict != own->verdict ||
	    memcmp(&guest->request, &own->request, sizeof(own->request)) != 0) {
		return false;
	}
	for (unsigned int n = 0; n < HVC_FRAME_REGS && own->verdict == HVC_RESUME; n++) {
		const bool zero = n >= 1 && n <= 3 && !(results >> n & 1) && guest->frame.x[n] == 0;
		const bool kept = !(results >> n & 1) && guest->frame.x[n] == asked->x[n];

		if (guest->frame.x[n] != own->frame.x[n] && !kept &&
		    !(zero && subject->plan->differs & PLAN_DIFFERS_ZEROES)) {
			return false;
		}
	}
	return true;
}

/* --- What the plan says cannot be had. */
static bool excused_by(struct subject *subject, const struct hvc_plan_limit *limit, uint32_t id,
		       uint64_t asked, enum hvc_conduit conduit)
{
	const unsigned int slot = hvc_function_by_id(id);

	if (limit->allow == ALLOW_SMC) {
		return conduit == HVC_CONDUIT_SMC && plan_set_has(&limit->answers, slot);
	}
	if (limit->allow == ALLOW_SMCCC && (id & HVC_ID_SVE_HINT) != 0) {
		return subject->own.image->settings.smccc_version >= HVC_VERSION(1, 3);
	}
	if (slot == HVC_FN_SMCCC_ARCH_FEATURES &&
	    plan_set_has(&limit->told, hvc_function_by_id((uint32_t)asked & ~HVC_ID_SVE_HINT))) {
		return true;
	}
	return plan_set_has(&limit->answers, slot);
}

static bool excused(struct subject *subject, uint32_t id, uint64_t asked, enum hvc_conduit conduit)
{
	const struct hvc_plan *plan = subject->plan;
	const unsigned int slot = hvc_function_by_id(id);
	const unsigned int about = hvc_function_by_id((uint32_t)asked & ~HVC_ID_SVE_HINT);

	if (slot == HVC_FN_SMCCC_ARCH_FEATURES && (plan->differs & PLAN_DIFFERS_ARCH_SELF) != 0 &&
	    (about == HVC_FN_SMCCC_VERSION || about == HVC_FN_SMCCC_ARCH_FEATURES)) {
		subject->seen |= PLAN_DIFFERS_ARCH_SELF << 16;
		return true;
	}
	if ((plan->differs & PLAN_DIFFERS_HARMLESS) != 0 &&
	    (slot == HVC_FN_SMCCC_ARCH_WORKAROUND_1 || slot == HVC_FN_SMCCC_ARCH_WORKAROUND_2 ||
	     slot == HVC_FN_SMCCC_ARCH_WORKAROUND_3)) {
		subject->seen |= PLAN_DIFFERS_HARMLESS << 16;
		return true;
	}
	for (size_t i = 0; i < plan->limit_count; i++) {
		if (excused_by(subject, &plan->limits[i], id, asked, conduit)) {
			subject->seen |= 1u << i;
			return true;
		}
	}
	return false;
}

static void check_call(struct subject *subject, uint32_t id, enum hvc_conduit conduit, uint64_t x1,
		       uint64_t x2, uint64_t x3)
{
	struct hvc_frame frame = {.x = {id, x1, x2, x3}};
	struct result guest, own;

	for (unsigned int n = 4; n < HVC_FRAME_REGS; n++) {
		frame.x[n] = 0x5a5a5a5a00000000ull + n;
	}
	subject->calls++;
	if (call_guest(subject, conduit, &frame, &guest) && subject->dropped == SIZE_MAX) {
		return; /* the engine's own answer */
	}
	call_own(subject, conduit, &frame, &own);
	if (same(subject, &frame, &guest, &own)) {
		return;
	}
	if (excused(subject, id, x1, conduit)) {
		subject->excused++;
		return;
	}
	if (!subject->silent && subject->wrong < 5) {
		printf("%s on %s: 0x%" PRIx32 "(0x%" PRIx64 ", 0x%" PRIx64
		       ") by %s: guest %s x0 0x%" PRIx64 ", policy %s x0 0x%" PRIx64 "\n",
		       subject->policy_name, subject->record_name, id, x1, x2,
		       conduit == HVC_CONDUIT_HVC ? "HVC" : "SMC", hvc_verdict_name(guest.verdict),
		       guest.frame.x[0], hvc_verdict_name(own.verdict), own.frame.x[0]);
	}
	subject->wrong++;
}

/* --- Which calls. */
static uint64_t some_argument(struct rng *rng)
{
	const uint64_t near = rng_below(rng, 3) - 1ull;

	switch (rng_below(rng, 6)) {
	case 0:
		return rng_below(rng, 8);
	case 1:
		return rng_next(rng);
	case 2:
		return (1ull << rng_below(rng, 64)) + near;
	case 3:
		return PLAN_RAM + 4096ull * rng_below(rng, 100000) + rng_below(rng, 2);
	case 4:
		return rng_below(rng, 200);
	default:
		return plan_some_id(rng);
	}
}

static void check_id(struct subject *subject, uint32_t id)
{
	const unsigned int slot = hvc_function_by_id(id);
	const unsigned int draws = slot != HVC_FN_NONE ? 6 : 1;

	for (int conduit = 0; conduit < 2; conduit++) {
		for (unsigned int i = 0; i < draws; i++) {
			check_call(subject, id, (enum hvc_conduit)conduit,
				   some_argument(&subject->rng), some_argument(&subject->rng),
				   some_argument(&subject->rng));
		}
		for (unsigned int other = 1; other < HVC_FN_COUNT && plan_is_discovery(slot);
		     other++) {
			const struct hvc_function *function = hvc_function_at(other);

			check_call(subject, id, (enum hvc_conduit)conduit, function->id32, 0, 0);
			check_call(subject, id, (enum hvc_conduit)conduit, function->id64, 0, 0);
		}
	}
}

static void check_around(struct subject *subject, uint32_t id)
{
	check_id(subject, id - 1);
	check_id(subject, id);
	check_id(subject, id + 1);
}

static void check_ids(struct subject *subject)
{
	const struct hvc_plan *plan = subject->plan;

	for (unsigned int slot = 1; slot < HVC_FN_COUNT; slot++) {
		const struct hvc_function *function = hvc_function_at(slot);

		for (unsigned int i = 0; i < 2; i++) {
			const uint32_t id = i == 0 ? function->id32 : function->id64;

			if (id != 0) {
				check_around(subject, id);
				check_id(subject, id ^ HVC_ID_SVE_HINT);
				check_id(subject, id ^ HVC_ID_64);
				check_id(subject, id ^ HVC_ID_FAST);
			}
		}
	}
	for (size_t i = 0; i < plan->range_count; i++) {
		check_around(subject, plan->ranges[i].base);
		check_around(subject, plan->ranges[i].base + plan->ranges[i].count - 1);
	}
	for (unsigned int i = 0; i < 200; i++) {
		check_id(subject, (uint32_t)rng_next(&subject->rng));
	}
}

/* --- No more than is needed. */
/* Does the kernel without its filter answer this ID in another way than the policy? */
static bool needs(struct subject *subject, uint32_t id)
{
	const struct hvc_outcome outcome = hvc_filter_query(subject->own.vm, id);
	const unsigned long wrong = subject->wrong;
	bool needed;

	if (outcome.action == HVC_FORWARD || outcome.action == HVC_NOTIFY) {
		return true;
	}
	for (unsigned int i = 0; i < 50 && subject->wrong == wrong; i++) {
		check_id(subject, id);
	}
	needed = subject->wrong != wrong;
	subject->wrong = wrong;
	return needed;
}

/* Every range has an ID that needs it, and no two could be one. */
static void check_least(struct subject *subject)
{
	struct hvc_plan *plan = subject->plan;
	const size_t count = plan->range_count;
	const bool silent = subject->silent;

	subject->silent = true;
	subject->kernel_used = true;
	for (size_t i = 0; i < count; i++) {
		const struct hvc_plan_range *range = &plan->ranges[i];
		bool needed = false, between = false;

		subject->dropped = i;
		subject->kernel_used = true;
		for (unsigned int slot = 1; slot < 2 * HVC_FN_COUNT; slot++) {
			const struct hvc_function *function = hvc_function_at(slot / 2);
			const uint32_t id = function == NULL ? 0
					    : slot % 2       ? function->id64
							     : function->id32;

			needed |= id != 0 && id - range->base < range->count && !needed &&
				  needs(subject, id);
			between |= i > 0 && id < range->base && id > plan->ranges[i - 1].base &&
				   (hvc_filter_query(subject->own.vm, id).decider ==
					    HVC_BY_SERVICE ||
				    hvc_filter_query(subject->own.vm, id).action >= HVC_FORWARD ||
				    hvc_filter_query(subject->own.vm, id).decider ==
					    HVC_BY_RESERVED);
		}
		needed |= hvc_filter_query(subject->own.vm, range->base).action >= HVC_FORWARD;
		between |= i == 0 || range->action == HVC_FORWARD ||
			   plan->ranges[i - 1].action != range->action;
		if (!needed || !between) {
			printf("%s on %s: range 0x%" PRIx32 " is %s\n", subject->policy_name,
			       subject->record_name, range->base,
			       needed ? "a part of the one before" : "not needed");
			subject->wrong++;
		}
	}
	subject->dropped = SIZE_MAX;
	subject->kernel_used = true;
	subject->silent = silent;
}

/* --- A policy on a record. */
static unsigned long total_plans, total_calls, total_forwarded, total_excused, total_ranges,
	total_mutants;

static bool limits_seen(const struct subject *subject)
{
	const uint32_t departures = subject->plan->differs &
				    (PLAN_DIFFERS_ARCH_SELF | PLAN_DIFFERS_HARMLESS);
	bool fine = true;

	for (size_t i = 0; i < subject->plan->limit_count; i++) {
		if (!(subject->seen >> i & 1)) {
			printf("%s on %s: limit %s was not seen\n", subject->policy_name,
			       subject->record_name,
			       policy_allow_name(subject->plan->limits[i].allow));
			fine = false;
		}
	}
	if ((subject->seen >> 16 & departures) != departures) {
		printf("%s on %s: departures 0x%x are not all seen\n", subject->policy_name,
		       subject->record_name, departures);
		fine = false;
	}
	return fine;
}

/* Plans that lack a register must be noticed (those that lack a range are, in check_least()). */
static bool mutants_noticed(struct subject *subject)
{
	const unsigned long wrong = subject->wrong;
	bool fine = true;

	subject->silent = true;
	for (size_t i = 0; i < subject->plan->register_count; i++) {
		const unsigned int reg = subject->plan->registers[i].reg;

		if (reg >= HVC_REG_WORKAROUND_1 && reg <= HVC_REG_WORKAROUND_3) {
			continue;
		}
		subject->dropped_register = i;
		subject->kernel_used = true;
		subject->wrong = 0;
		check_ids(subject);
		total_mutants++;
		if (subject->wrong == 0) {
			printf("%s on %s: %s need not be written\n", subject->policy_name,
			       subject->record_name, hvc_register_name(reg));
			fine = false;
		}
	}
	subject->wrong = wrong;
	subject->dropped_register = SIZE_MAX;
	return fine;
}

static bool check(const struct hvc_policy *policy, const char *policy_name, const char *record,
		  bool whole)
{
	struct subject subject = {.policy = policy,
				  .policy_name = policy_name,
				  .record_name = record,
				  .dropped = SIZE_MAX,
				  .dropped_register = SIZE_MAX,
				  .rng = {7}};
	char why[300];
	bool fine;

	if (!hvc_plan_host_find(&subject.host, record, why, sizeof(why))) {
		die("no host:", why);
	}
	if (hvc_plan_make(policy, &subject.host, &subject.plan) != HVC_OK) {
		die("no plan for", policy_name);
	}
	make(&subject);
	check_ids(&subject);
	fine = subject.wrong == 0 && limits_seen(&subject);
	if (whole && fine) {
		check_least(&subject);
		fine = mutants_noticed(&subject) && subject.wrong == 0;
	}
	total_plans++;
	total_calls += subject.calls;
	total_forwarded += subject.forwarded;
	total_excused += subject.excused;
	total_ranges += subject.plan->range_count;
	unmake(&subject);
	hvc_plan_free(subject.plan);
	json_decref((json_t *)(uintptr_t)subject.host.record);
	return fine;
}

static struct hvc_policy *load(const char *path)
{
	struct hvc_diags *diags = hvc_diags_new();
	struct hvc_policy *policy;

	if (diags == NULL || hvc_policy_load(path, &policy, diags) != HVC_OK) {
		printf("%s: %s\n", path, hvc_diags_at(diags, 0)->message);
		exit(1);
	}
	hvc_diags_free(diags);
	return policy;
}

/* --- Policies at random: rules on functions, or on ranges. */
static bool check_random(uint64_t seed, const char *record)
{
	char path[] = "/tmp/plan-XXXXXX", name[40];
	const int fd = mkstemp(path);
	FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
	struct hvc_policy *policy;
	bool fine;

	if (file == NULL) {
		die("cannot make", path);
	}
	if (seed % 4 == 0) {
		random_policy_write(file, seed, 40);
	} else {
		plan_policy_write(file, seed);
	}
	fclose(file);
	snprintf(name, sizeof(name), "random:%" PRIu64, seed);
	policy = load(path);
	unlink(path);
	fine = check(policy, name, record, false);
	hvc_policy_free(policy);
	return fine;
}

static bool check_record(char **policies, int count, const char *record, bool first,
			 unsigned int randoms, uint64_t seed)
{
	bool fine = true;

	for (int i = 0; i < count; i++) {
		struct hvc_policy *policy = load(policies[i]);

		fine = check(policy, policies[i], record, first) && fine;
		hvc_policy_free(policy);
	}
	for (unsigned int i = 0; i < randoms; i++) {
		fine = check_random(seed + i, record) && fine;
	}
	return fine;
}

int main(int argc, char **argv)
{
	unsigned int randoms = 10;
	bool fine = true;
	int first = 1, records, done = 0;

	if (argc > 2 && strcmp(argv[1], "--random") == 0) {
		randoms = (unsigned int)strtoul(argv[2], NULL, 10);
		first = 3;
	}
	for (records = first; records < argc && strcmp(argv[records], "--") != 0;) {
		records++;
	}
	for (int k = records + 1; k < argc; k++, done++) {
		fine = check_record(argv + first, records - first, argv[k], done == 0, randoms,
				    1000ull * (unsigned int)(done + 1)) &&
		       fine;
	}
	printf("%d records, %lu plans, %lu ranges; %lu calls, %lu of them forwarded, %lu excused; %lu plans without a register noticed\n",
	       done, total_plans, total_ranges, total_calls, total_forwarded, total_excused,
	       total_mutants);
	return fine && total_plans > 20 && total_forwarded > 1000 && total_mutants > 3
		       ? EXIT_SUCCESS
		       : EXIT_FAILURE;
}
