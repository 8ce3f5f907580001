/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PSCI's power functions by chance: CPUs turn each other on and themselves off, ask about each other, and the VMM stops
 * them at any moment; some functions in the kernel, some here, all combinations. A CPU starts as often as somebody was told
 * that it does, is started again only after it turned itself off, and is told to be off only then.
 *
 * Longer: CHAOS_ROUNDS=N in the environment, N rounds of all combinations; CHAOS_SEED=N begins with another seed (0).
 */
#define _DEFAULT_SOURCE
#include <stdlib.h>
#include <unistd.h>

#include "rng.h"
#include "vmm_test.h"

#define CPU_ON     0xc4000003u
#define CPU_ON32   0x84000003u
#define CPU_OFF    0x84000002u
#define AFFINITY   0xc4000004u
#define AFFINITY32 0x84000004u
#define ALREADY_ON STATUS(-4)
#define CONTEXT    0x5000u
#define AGAIN      (VMM_ENTRY2 + 4)
#define SPIN       (VMM_ENTRY2 + 4 * 4)
#define STARTS     60 /* of all together */
#define REST_MS    5000

/* What goes to user space; both widths of a function together. */
enum { ON_BIT = 1, OFF_BIT = 2, AFFINITY_BIT = 4, SUBSETS = 8 };

static struct {
	struct rng rng; /* of this CPU's thread */
	uint64_t target;
	unsigned int told_before, starts_before; /* the target's, before the call */
	atomic_uint starts, told_on, offs, spins;
} cpus[VMM_CPUS];
static atomic_uint wrong, quit, starts;
static unsigned int subset;

/* The first of them says what it was. */
static void is_wrong(const struct arm_guest *guest, const char *what)
{
	const uint64_t target = cpus[guest->vcpu].target;

	if (atomic_fetch_add(&wrong, 1) == 0) {
		print_error("CPU %u: %s: x29 0x%llx, of CPU %llu, x0 0x%llx; told %u before, now "
			    "%u, starts %u, offs %u\n",
			    guest->vcpu, what, (unsigned long long)guest->x[29],
			    (unsigned long long)target, (unsigned long long)guest->x[0],
			    cpus[guest->vcpu].told_before, cpus[target].told_on,
			    cpus[target].starts, cpus[target].offs);
	}
}

static void arrived(struct arm_guest *guest, void *context)
{
	(void)context;
	atomic_fetch_add(&cpus[guest->vcpu].starts, 1);
	if (atomic_fetch_add(&starts, 1) == STARTS) {
		atomic_store(&quit, 1);
	}
	if (guest->x[0] != CONTEXT + guest->vcpu || guest->x[1] != 0 || guest->x[30] != 0) {
		is_wrong(guest, "started with other registers");
	}
}

static void choose(struct arm_guest *guest, void *context)
{
	const uint32_t self = guest->vcpu;
	struct rng *rng = &cpus[self].rng;
	const uint32_t what = rng_below(rng, 8);

	(void)context;
	if (atomic_load(&quit) != 0) {
		guest->pc = SPIN;
		atomic_store(&cpus[self].spins, 1);
		return;
	}
	cpus[self].target = rng_below(rng, VMM_CPUS);
	cpus[self].told_before = atomic_load(&cpus[cpus[self].target].told_on);
	cpus[self].starts_before = atomic_load(&cpus[cpus[self].target].starts);
	guest->x[1] = cpus[self].target;
	guest->x[2] = VMM_ENTRY2;
	guest->x[3] = CONTEXT + cpus[self].target;
	if (what == 0 && self != 0) {
		guest->x[0] = CPU_OFF;
		atomic_fetch_add(&cpus[self].offs, 1);
	} else if (what < 5) {
		guest->x[0] = what % 2 != 0 ? CPU_ON : CPU_ON32;
	} else {
		guest->x[0] = what % 2 != 0 ? AFFINITY : AFFINITY32;
		guest->x[2] = 0;
	}
	guest->x[29] = guest->x[0];
}

/* Told that it starts: it was off, so the starts before are over. */
static bool may_start(uint64_t target)
{
	const unsigned int told = atomic_fetch_add(&cpus[target].told_on, 1) + 1;

	return target != 0 /* which is never off */ && told <= atomic_load(&cpus[target].offs) + 1;
}

/* Told that it is off. One that has not run yet begins when its thread comes, and the kernel hears of it then. */
static bool may_be_off(uint32_t self, uint64_t target)
{
	const bool unheard = (subset & (ON_BIT | AFFINITY_BIT)) == ON_BIT &&
			     cpus[self].starts_before == 0;

	return target != 0 && target != self &&
	       (atomic_load(&cpus[target].offs) >= cpus[self].told_before || unheard);
}

static bool is_right(const struct arm_guest *guest)
{
	const uint64_t target = cpus[guest->vcpu].target, x0 = guest->x[0];

	switch (guest->x[29]) {
	case CPU_ON:
	case CPU_ON32:
		return x0 == 0 ? may_start(target) && target != guest->vcpu : x0 == ALREADY_ON;
	case AFFINITY:
	case AFFINITY32:
		return x0 == 0 || (x0 == 1 && may_be_off(guest->vcpu, target));
	default:
		return false; /* nobody comes back from CPU_OFF */
	}
}

static void check(struct arm_guest *guest, void *context)
{
	(void)context;
	if (!is_right(guest)) {
		is_wrong(guest, "answer");
	}
	if (rng_below(&cpus[guest->vcpu].rng, 16) == 0) {
		usleep(20);
	}
	guest->pc = AGAIN;
}

static const struct arm_instruction begin[] = {ARM_BRANCH(AGAIN)};
static const struct arm_instruction program[] = {ARM_HOST(arrived, NULL), ARM_HOST(choose, NULL),
						 ARM_HVC, ARM_HOST(check, NULL), ARM_SPIN};

/* Nobody is on his way any more. */
static bool at_rest(struct vmm *vmm)
{
	for (unsigned int n = 0; n < VMM_CPUS; n++) {
		if ((vmm_mp_state(vmm, n) != KVM_MP_STATE_STOPPED && cpus[n].spins == 0) ||
		    cpus[n].starts != cpus[n].told_on) {
			return false;
		}
	}
	return true;
}

/* The VMM stops one of them, or two, and lets them go. */
static void disturb(struct vmm *vmm, struct rng *rng)
{
	const uint32_t one = rng_below(rng, VMM_CPUS), other = rng_below(rng, VMM_CPUS);
	const bool both = rng_below(rng, 3) == 0 && one != other;

	assert_true(vmm_stop(vmm, one));
	if (both) {
		assert_true(vmm_stop(vmm, other));
	}
	if (rng_below(rng, 4) == 0) {
		usleep(rng_below(rng, 300));
	}
	vmm_go(vmm, one);
	if (both) {
		vmm_go(vmm, other);
	}
}

/* Who looks at a vCPU's state takes his time now and then. */
static int be_slow(void *context, int fd, unsigned long request, void *argument, int *value)
{
	static atomic_uint looks;

	(void)context;
	(void)fd;
	(void)argument;
	(void)value;
	if (request == KVM_GET_MP_STATE && atomic_fetch_add(&looks, 1) % 4 == 0) {
		usleep(50);
	}
	return 0;
}

static void reset_counts(uint64_t seed)
{
	for (unsigned int n = 0; n < VMM_CPUS; n++) {
		cpus[n].rng.state = seed * 16 + n;
		atomic_store(&cpus[n].starts, 0);
		atomic_store(&cpus[n].told_on, 0);
		atomic_store(&cpus[n].offs, 0);
		atomic_store(&cpus[n].spins, 0);
	}
	atomic_store(&wrong, 0);
	atomic_store(&quit, 0);
	atomic_store(&starts, 0);
}

/* IDs that go to user space. */
static void subset_ids(uint32_t ids[8])
{
	unsigned int count = 0;

	if ((subset & OFF_BIT) != 0) {
		ids[count++] = CPU_OFF;
	}
	if ((subset & ON_BIT) != 0) {
		ids[count++] = CPU_ON32;
		ids[count++] = CPU_ON;
	}
	if ((subset & AFFINITY_BIT) != 0) {
		ids[count++] = AFFINITY32;
		ids[count++] = AFFINITY;
	}
	ids[count] = 0;
}

static void wait_for_rest(struct vmm *vmm, uint64_t seed)
{
	for (unsigned int ms = 0; !at_rest(vmm) && ms < REST_MS; ms++) {
		usleep(1000);
	}
	if (at_rest(vmm) && wrong == 0) {
		return;
	}
	for (unsigned int n = 0; n < VMM_CPUS; n++) {
		print_error(
			"CPU %u: told %u, starts %u, offs %u, spins %u, mp_state %u, state %u\n", n,
			cpus[n].told_on, cpus[n].starts, cpus[n].offs, cpus[n].spins,
			vmm_mp_state(vmm, n), vmm->cpus[n].state);
	}
	fail_msg("subset %u, seed %llu", subset, (unsigned long long)seed);
}

static void chaos(uint64_t seed)
{
	uint32_t ids[8];
	const struct vmm_setup setup = {
		.forward = ids, .cpus = VMM_CPUS, VMM_PROGRAM(begin), VMM_PROGRAM2(program)};
	struct rng rng = {.state = seed};
	struct vmm vmm;

	subset_ids(ids);
	reset_counts(seed);
	vmm_new(&vmm, &setup);
	arm_kvm_set_hook(vmm.fake, be_slow, NULL);
	for (unsigned int n = 0; n < VMM_CPUS; n++) {
		vmm_start(&vmm, n);
	}
	while (atomic_load(&quit) == 0) {
		disturb(&vmm, &rng);
	}
	wait_for_rest(&vmm, seed);
	for (unsigned int n = 0; n < VMM_CPUS; n++) {
		vmm_end(&vmm, n);
	}
	assert_int_equal(wrong, 0);
	for (unsigned int n = 0; n < VMM_CPUS; n++) {
		assert_int_equal(cpus[n].starts, cpus[n].told_on);
	}
	vmm_free(&vmm);
}

static unsigned long long number(const char *name, unsigned long long otherwise)
{
	const char *text = getenv(name);

	return text != NULL ? strtoull(text, NULL, 0) : otherwise;
}

static void test_chaos(void **state)
{
	const unsigned long long first = number("CHAOS_SEED", 0);
	const unsigned long long rounds = number("CHAOS_ROUNDS", 5);

	(void)state;
	for (uint64_t seed = first; seed < first + rounds; seed++) {
		for (subset = 0; subset < SUBSETS; subset++) {
			chaos(seed * SUBSETS + subset);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_chaos)};

	return VMM_TESTS(tests);
}
