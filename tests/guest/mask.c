/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers at EL2: whatever is called, by either conduit and with immediates 0 and 1, every register of
 * EL1 but those of the expected masks (tests/property/expected_masks.h) is afterwards what it was. What
 * does not return is gone.c's. Options: random=N.
 */
#include "../property/expected_masks.h"
#include "kit/gic.h"
#include "mask/every.h"
#include "mask/gone.h"

#define HINT          0x00010000u
#define SMCCC_VERSION 0x80000000u
#define WAYS          4u
#define TOLD          20u

static const struct function {
	uint32_t id32, id64;
} functions[] = {
#define HVC_FUNCTION(name, id32, id64, ...) {id32, id64},
#include <hvcgate/catalog.def>
#undef HVC_FUNCTION
};

/* What a call must leave alone and no instruction of every.S looks at. All but the kit's are patterned. */
#define SYSTEM_REGISTERS(R) \
	R(elr_el1)          \
	R(spsr_el1)         \
	R(esr_el1)          \
	R(far_el1)          \
	R(afsr0_el1)        \
	R(afsr1_el1)        \
	R(par_el1)          \
	R(contextidr_el1)   \
	R(amair_el1)        \
	R(csselr_el1)       \
	R(ttbr1_el1)        \
	R(mdscr_el1)        \
	R(pmselr_el0)       \
	R(pmccfiltr_el0)    \
	R(pmuserenr_el0)    \
	R(dbgbvr0_el1)      \
	R(dbgwvr0_el1)      \
	R(cntkctl_el1)      \
	R(sctlr_el1)        \
	R(tcr_el1)          \
	R(ttbr0_el1)        \
	R(mair_el1)         \
	R(vbar_el1)         \
	R(cpacr_el1)        \
	R(tpidr_el1)        \
	R(cntv_ctl_el0)     \
	R(cntv_cval_el0)    \
	R(cntp_ctl_el0)     \
	R(cntp_cval_el0)    \
	R(pmcr_el0)         \
	R(daif)             \
	R(spsel)            \
	R(currentel)        \
	R(oslsr_el1)
enum {
#define SYSTEM_NUMBER(name) SYSTEM_##name,
	SYSTEM_REGISTERS(SYSTEM_NUMBER) SYSTEM_COUNT
};

static struct every before, after;
static uint64_t calls, wrong;
static bool hint_counts;

static void system_read(uint64_t *values)
{
#define SYSTEM_READ(name) __asm__ volatile("mrs %0, " #name : "=r"(values[SYSTEM_##name]));
	SYSTEM_REGISTERS(SYSTEM_READ)
}

static void system_pattern(void)
{
#define PATTERN(name, value) __asm__ volatile("msr " #name ", %0" : : "r"((uint64_t)(value)))
	PATTERN(elr_el1, 0x5a5a111122223330);
	PATTERN(spsr_el1, 0x60000345);
	PATTERN(esr_el1, 0x5e5a5a5a);
	PATTERN(far_el1, 0xa5a5333344445555);
	PATTERN(afsr0_el1, 0x5a5a5a5a);
	PATTERN(afsr1_el1, 0x5a5a5a5b);
	PATTERN(par_el1, 0x123456000);
	PATTERN(contextidr_el1, 0x5a5a5a5c);
	PATTERN(amair_el1, 0x5a5a5a5d);
	PATTERN(csselr_el1, 2);
	PATTERN(ttbr1_el1, 0x5a5a5a000);
	PATTERN(pmselr_el0, 1);
	PATTERN(pmccfiltr_el0, 1ull << 30);
	PATTERN(pmuserenr_el0, 5);
	PATTERN(dbgbvr0_el1, 0x5a5a5a5c);
	PATTERN(dbgwvr0_el1, 0x5a5a5a60);
	PATTERN(cntkctl_el1, 3);
	__asm__ volatile("isb");
}

static void pattern(uint32_t id)
{
	uint64_t state = 0x9e3779b97f4a7c15ull ^ id;

	for (unsigned int n = 0; n < 18; n++) {
		before.x[n] = expected_pattern(n);
	}
	before.x[0] = (before.x[0] & 0xffffffff00000000ull) | id;
	for (unsigned int n = 18; n < 31; n++) {
		before.x[n] = kit_random(&state);
	}
	for (unsigned int n = 0; n < 64; n++) {
		before.v[n] = kit_random(&state);
	}
	before.sp = kit_random(&state) & ~15ull;
	before.sp_el0 = kit_random(&state);
	before.nzcv = kit_random(&state) & 0xf0000000;
	before.fpcr = 3ull << 22;
	before.fpsr = 0x0800009f & kit_random(&state);
}

static void tell(const char *what, uint32_t id, unsigned int way, uint64_t detail, uint64_t right)
{
	if (wrong++ < TOLD) {
		kit_fail("%08x by way %u: %s %lx, expected %lx", id, way, what, detail, right);
	}
}

static void compare(uint32_t id, unsigned int way)
{
	const uint32_t may = expected_changes(id, way & 1, after.x[0]);
	uint64_t changed = 0, vectors = 0;

	for (unsigned int n = 0; n < 31; n++) {
		changed |= (uint64_t)(before.x[n] != after.x[n]) << n;
	}
	for (unsigned int n = 0; n < 64; n++) {
		vectors |= (uint64_t)(before.v[n] != after.v[n]) << n;
	}
	if ((changed & ~(uint64_t)may) != 0) {
		tell("changed", id, way, changed, may);
	}
	if (after.x[0] == before.x[0]) {
		tell("no answer", id, way, after.x[0], 0);
	}
	if (vectors != 0) {
		tell("vector registers", id, way, vectors, 0);
	}
	if (after.sp != before.sp) {
		tell("sp", id, way, after.sp, before.sp);
	}
	if (after.nzcv != before.nzcv) {
		tell("flags", id, way, after.nzcv, before.nzcv);
	}
	if (after.sp_el0 != before.sp_el0) {
		tell("sp_el0", id, way, after.sp_el0, before.sp_el0);
	}
	if (after.fpcr != before.fpcr || after.fpsr != before.fpsr) {
		tell("fpcr, fpsr", id, way, after.fpcr << 32 | after.fpsr,
		     before.fpcr << 32 | before.fpsr);
	}
}

/* Bit 0 of `way` is the immediate, bit 1 the conduit. */
static void call(uint32_t id, unsigned int way)
{
	uint64_t old[SYSTEM_COUNT], new[SYSTEM_COUNT];

	calls++;
	system_read(old);
	switch (way) {
	case 0:
		every_hvc0(&before, &after);
		break;
	case 1:
		every_hvc1(&before, &after);
		break;
	case 2:
		every_smc0(&before, &after);
		break;
	default:
		every_smc1(&before, &after);
		break;
	}
	system_read(new);
	/* The pending timer's status is not the monitor's doing. */
	old[SYSTEM_cntp_ctl_el0] = new[SYSTEM_cntp_ctl_el0] &= 3;
	for (unsigned int n = 0; n < SYSTEM_COUNT; n++) {
		if (old[n] != new[n]) {
			tell("system register", id, way, n, new[n]);
		}
	}
	compare(id, way);
}

/* Would a call with our pattern not come back? */
static bool is_gone(uint32_t id)
{
	if (id >> 31 != 0 && hint_counts) {
		id &= ~HINT;
	}
	for (unsigned int i = 0; i < sizeof(expected_calls) / sizeof(expected_calls[0]); i++) {
		if (expected_calls[i].id == id && (expected_calls[i].flags & EXPECT_GONE) != 0) {
			return true;
		}
	}
	return false;
}

static void all_ways(uint32_t id)
{
	for (unsigned int way = 0; way < WAYS; way++) {
		if ((way & 1) != 0 || !is_gone(id)) {
			pattern(id);
			call(id, way);
		}
	}
}

/* Every function, with the other width and with the hint, too. */
static void catalogue(void)
{
	for (unsigned int i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		for (uint32_t spelling = 0; spelling < 4; spelling++) {
			const uint32_t other = (spelling & 1) << 30 | (spelling >> 1) << 16;

			if (functions[i].id32 != 0) {
				all_ways(functions[i].id32 ^ other);
			}
			if (functions[i].id64 != 0) {
				all_ways(functions[i].id64 ^ other);
			}
		}
	}
}

/* Arguments with which it succeeds, and whether it is there at all. */
static void samples(bool later)
{
	const uint64_t absent = ~0ull;

	for (unsigned int i = 0; i < sizeof(expected_calls) / sizeof(expected_calls[0]); i++) {
		const struct expected_call *e = &expected_calls[i];

		if ((e->flags & (EXPECT_GONE | EXPECT_NO_SAMPLE)) != 0) {
			continue;
		}
		for (unsigned int way = 0; way < WAYS; way++) {
			pattern(e->id);
			before.x[1] = e->x1;
			before.x[2] = e->x2;
			before.x[3] = e->x3;
			call(e->id, way);
			if ((way & 1) != 0 && after.x[0] != absent) {
				tell("answer to a call with an immediate", e->id, way, after.x[0],
				     absent);
			}
			if ((way & 1) == 0 && after.x[0] == absent && e->flags != EXPECT_OPTIONAL &&
			    (later || (e->flags & (EXPECT_OPTIONAL | EXPECT_LATER)) == 0) &&
			    e->id != 0xc0000003) {
				tell("not there", e->id, way, after.x[0], 0);
			}
		}
	}
}

static void random_ids(uint64_t count)
{
	uint64_t state = 0xb7e151628aed2a6bull;

	for (uint64_t i = 0; i < count; i++) {
		all_ways((uint32_t)(kit_random(&state) >> 32));
	}
}

/* Let a wait for an interrupt end at once. */
static void pending_interrupt(void)
{
	gic_on();
	gic_cpu_on();
	gic_enable(GIC_VIRTUAL_TIMER);
	__asm__ volatile("msr cntv_cval_el0, xzr\n\tmsr cntv_ctl_el0, %0\n\tisb" : : "r"(1ull));
}

void kit_main(void)
{
	const uint64_t version = kit_hvc(SMCCC_VERSION, 0, 0, 0);

	hint_counts = version >= 0x10003;
	if (gone_continues()) {
		return;
	}
	__asm__ volatile("msr cpacr_el1, %0\n\tisb" : : "r"(3ull << 20));
	pending_interrupt();
	system_pattern();
	catalogue();
	samples(version >= 0x10005);
	random_ids(kit_option("random", 10000));
	kit_printf("mask: SMCCC %lx, %lu calls, %lu wrong\n", version, calls, wrong);
	gone();
}
