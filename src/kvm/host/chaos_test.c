/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PSCI's power functions by chance: CPUs turn each other on and themselves off, ask about each other, and the VMM stops
 * them at any moment; some functions in the kernel, some here. A CPU starts as often as somebody was told that it does.
 */
#define _DEFAULT_SOURCE
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

static struct {
	struct rng rng; /* of this CPU's thread */
	uint64_t target;
	atomic_uint starts, told_on, spins;
} cpus[VMM_CPUS];
static atomic_uint wrong, quit, starts;

static void arrived(struct arm_guest *guest, void *context)
{
	(void)context;
	atomic_fetch_add(&cpus[guest->vcpu].starts, 1);
	if (atomic_fetch_add(&starts, 1) == STARTS) {
		atomic_store(&quit, 1);
	}
	if (guest->x[0] != CONTEXT + guest->vcpu || guest->x[1] != 0 || guest->x[30] != 0) {
		atomic_fetch_add(&wrong, 1);
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
	guest->x[1] = cpus[self].target;
	guest->x[2] = VMM_ENTRY2;
	guest->x[3] = CONTEXT + cpus[self].target;
	if (what == 0 && self != 0) {
		guest->x[0] = CPU_OFF;
	} else if (what < 5) {
		guest->x[0] = what % 2 != 0 ? CPU_ON : CPU_ON32;
	} else {
		guest->x[0] = what % 2 != 0 ? AFFINITY : AFFINITY32;
		guest->x[2] = 0;
	}
	guest->x[29] = guest->x[0];
}

static bool is_right(const struct arm_guest *guest)
{
	const uint64_t target = cpus[guest->vcpu].target, x0 = guest->x[0];

	switch (guest->x[29]) {
	case CPU_ON:
	case CPU_ON32:
		if (x0 == 0 && target != guest->vcpu) {
			atomic_fetch_add(&cpus[target].told_on, 1);
			return target != 0; /* which is never off */
		}
		return x0 == ALREADY_ON;
	case AFFINITY:
	case AFFINITY32:
		return x0 == 0 || (x0 == 1 && target != 0 && target != guest->vcpu);
	default:
		return false; /* nobody comes back from CPU_OFF */
	}
}

static void check(struct arm_guest *guest, void *context)
{
	(void)context;
	if (!is_right(guest)) {
		atomic_fetch_add(&wrong, 1);
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

static void reset_counts(uint64_t seed)
{
	for (unsigned int n = 0; n < VMM_CPUS; n++) {
		cpus[n].rng.state = seed * 16 + n;
		atomic_store(&cpus[n].starts, 0);
		atomic_store(&cpus[n].told_on, 0);
		atomic_store(&cpus[n].spins, 0);
	}
	atomic_store(&wrong, 0);
	atomic_store(&quit, 0);
	atomic_store(&starts, 0);
}

static void chaos(const uint32_t *forward, uint64_t seed)
{
	const struct vmm_setup setup = {
		.forward = forward, .cpus = VMM_CPUS, VMM_PROGRAM(begin), VMM_PROGRAM2(program)};
	struct rng rng = {.state = seed};
	struct vmm vmm;

	reset_counts(seed);
	vmm_new(&vmm, &setup);
	for (unsigned int n = 0; n < VMM_CPUS; n++) {
		vmm_start(&vmm, n);
	}
	while (atomic_load(&quit) == 0) {
		disturb(&vmm, &rng);
	}
	while (!at_rest(&vmm)) {
		usleep(100);
	}
	for (unsigned int n = 0; n < VMM_CPUS; n++) {
		vmm_end(&vmm, n);
	}
	assert_int_equal(wrong, 0);
	for (unsigned int n = 0; n < VMM_CPUS; n++) {
		assert_int_equal(cpus[n].starts, cpus[n].told_on);
	}
	vmm_free(&vmm);
}

static void test_chaos(void **state)
{
	/* CPU_ON in the kernel: its other homes have tests of their own (power_test.c). */
	static const uint32_t forwards[][4] = {
		{0},
		{CPU_OFF},
		{AFFINITY32, AFFINITY},
		{CPU_OFF, AFFINITY32, AFFINITY},
	};

	(void)state;
	for (size_t n = 0; n < COUNT_OF(forwards); n++) {
		chaos(forwards[n], n + 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_chaos)};

	return VMM_TESTS(tests);
}
