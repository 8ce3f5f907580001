/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A function that is taken away while all CPUs call it. Whoever drives this guest revokes TRNG_RND, and sends a byte once
 * that is done: from then on each call of each CPU is denied, TRNG_FEATURES knows of it, and all other functions go on.
 * After the machine's reset it still is so. Options: cpus=N.
 */
#include "kit/gic.h"

#define PSCI_VERSION  0x84000000u
#define SYSTEM_RESET  0x84000009u
#define TRNG_VERSION  0x84000050u
#define TRNG_FEATURES 0x84000051u
#define TRNG_RND32    0x84000053u
#define TRNG_RND64    0xc4000053u
#define NOT_SUPPORTED (~0ull)
#define PL011         0x09000000ull

/* Survives a reset: not in the image, and the machine does not clear its RAM. */
#define BOOTS (*(volatile uint64_t *)0x47000000)

#define AFTER 2000u /* rounds of each CPU once it is told */

static _Atomic bool told; /* it has been revoked */
static _Atomic bool seen; /* some CPU was denied it */
static _Atomic unsigned int ready, done;
static struct result {
	uint64_t before, after; /* rounds answered and denied */
} results[KIT_MAX_CPUS];

static uint64_t call(uint64_t round, uint32_t id, uint64_t x1)
{
	struct kit_regs regs = {.x = {id, x1}};

	kit_call((round & 1) != 0 ? KIT_SMC : KIT_HVC, 0, &regs);
	return regs.x[0];
}

/* What was denied once, to anybody, is denied from then on. False: it is denied. */
static bool answered(uint64_t round, const char *what, uint32_t id, uint64_t x1)
{
	const bool late = told || seen;
	const uint64_t answer = call(round, id, x1);

	if (answer == NOT_SUPPORTED) {
		seen = true;
		return false;
	}
	if (late) {
		kit_fail("CPU %u: %s is answered with %lx, after it was revoked", kit_cpu_index(),
			 what, answer);
	} else if (answer != 0) {
		kit_fail("CPU %u: %s is answered with %lx", kit_cpu_index(), what, answer);
	}
	return true;
}

static void one_round(uint64_t round, struct result *result)
{
	const bool random = answered(round, "TRNG_RND64", TRNG_RND64, 192);

	answered(round >> 1, "TRNG_RND32", TRNG_RND32, 96);
	answered(round >> 1, "TRNG_FEATURES", TRNG_FEATURES, TRNG_RND64);
	if (call(round, PSCI_VERSION, 0) != 0x10001 || call(round, TRNG_VERSION, 0) != 0x10000 ||
	    call(round, TRNG_FEATURES, TRNG_FEATURES) != 0) {
		kit_fail("CPU %u: another function is not what it was", kit_cpu_index());
	}
	result->before += random ? 1 : 0;
	result->after += random ? 0 : 1;
}

static void rounds(void *arg)
{
	struct result *result = &results[kit_cpu_index()];
	uint64_t round = 0, last = 0;

	(void)arg;
	one_round(round++, result);
	ready++;
	while (kit_failures() == 0 && (!told || last < AFTER)) {
		last += told ? 1 : 0;
		one_round(round++, result);
		if (kit_cpu_index() == 0 && !told && (mmio_read(PL011 + 0x18) & 0x10) == 0) {
			(void)mmio_read(PL011);
			told = true;
		}
		kit_yield();
	}
	done++;
}

static void start(unsigned int cpus)
{
	for (unsigned int i = 1; i < cpus; i++) {
		if (kit_cpu_on(i, rounds, NULL) != 0) {
			kit_fail("CPU %u does not start", i);
			kit_end();
		}
	}
	while (ready != cpus - 1 && kit_failures() == 0) {
		kit_yield();
	}
}

void kit_main(void)
{
	const unsigned int cpus = (unsigned int)kit_option("cpus", 1);
	const bool again = BOOTS != 0;

	BOOTS = BOOTS + 1;
	told = again;
	mmio_write(PL011 + 0x30, 0x301);
	start(cpus);
	kit_printf("revoke: boot %lu\n", BOOTS);
	rounds(NULL);
	while (done != cpus && kit_failures() == 0) {
		kit_yield();
	}
	for (unsigned int i = 0; i < cpus; i++) {
		kit_printf("revoke: cpu %u answered %lu denied %lu\n", i, results[i].before,
			   results[i].after);
		if (results[i].after < AFTER || (results[i].before == 0) != again) {
			kit_fail("CPU %u has not seen both sides", i);
		}
	}
	if (kit_failures() == 0 && !again) {
		kit_hvc(SYSTEM_RESET, 0, 0, 0);
		kit_fail("SYSTEM_RESET came back");
	}
}
