/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Saved VMs in hostile hands: cut short, changed in any bit, with and without a checksum that is right, sections moved
 * about; and random VMs, which come back as they were. Worth most with the address sanitizer: a state's memory is as
 * long as the state.
 */
#include <stdlib.h>
#include <string.h>

#include <hvcgate/event.h>
#include <hvcgate/forward.h>
#include <hvcgate/live.h>

#include "../../src/engine/saved.h"
#include "cmocka_all.h"
#include "pkvm_state.h"
#include "psci.h"
#include "saved_vm.h"

enum { RUNS = 150, LIFE = 60, SPLICES = 4000 };

static struct full full;

/* A VM that is just made, over and over. */
struct target {
	struct world *world;
	struct snapshot fresh;
};

static struct target target_new(const struct world_setup *setup)
{
	struct target target = {.world = world_new(setup)};

	snapshot_take(&target.fresh, target.world, setup);
	return target;
}

static void target_free(struct target *target)
{
	snapshot_free(&target->fresh);
	world_free(target->world);
}

static enum hvc_err restore(struct target *target, const struct saved *saved)
{
	struct hvc_restore_detail detail = {.size = sizeof(detail)};
	enum hvc_err err = hvc_vm_restore(target->world->vm, saved->bytes, saved->size, &detail);

	assert_true(detail.missing < HVC_MISSING_COUNT);
	assert_true(err == HVC_EBADMSG ? detail.offset <= saved->size : detail.offset == 0);
	assert_int_equal(err == HVC_ENXIO || err == HVC_ENOTSUP, detail.missing != 0);
	if (err != HVC_OK) {
		assert_true(snapshot_same(&target->fresh));
	}
	return err;
}

/* What was taken is a state: it saves, and what it saves comes back as the same. */
static void must_be_a_state(struct target *target, const struct saved *as)
{
	struct saved saved = saved_of(target->world), again;

	assert_true(as == NULL || saved_equal(&saved, as));
	snapshot_back(&target->fresh);
	assert_int_equal(restore(target, &saved), HVC_OK);
	again = saved_of(target->world);
	assert_true(saved_equal(&saved, &again));
	free(saved.bytes);
	free(again.bytes);
	snapshot_back(&target->fresh);
}

/* --- Random VMs. */
static void configure(struct world *world, struct rng *rng)
{
	struct hvc_vm *vm = world->vm;

	if (rng_below(rng, 3) == 0) {
		assert_int_equal(hvc_vm_show(vm, rng_below(rng, 9)), HVC_OK);
	}
	for (unsigned int i = rng_below(rng, 4); i-- > 0;) {
		uint64_t id = hvc_feature_reg_id(vm, rng_below(rng, 8));

		(void)hvc_vm_set_reg(vm, id, rng_below(rng, 4));
		(void)hvc_vm_set_reg(vm, id, HVC_VERSION(1, rng_below(rng, 4)));
	}
	for (unsigned int i = rng_below(rng, 5); i-- > 0;) {
		(void)hvc_filter_add(vm, (uint32_t)rng_next(rng), 1u << rng_below(rng, 26),
				     (enum hvc_action)rng_below(rng, 4));
	}
	for (unsigned int i = 0; i < 4; i++) {
		if (rng_below(rng, 4) == 0) {
			(void)hvc_vcpu_set_stolen_time(world->vcpus[i], rng_next(rng) & ~63ull);
		}
	}
}

/* A call that changes something, by a vCPU that runs, and what the host then does. */
static void live(struct world *world, struct rng *rng)
{
	static const enum hvc_fn calls[] = {
		HVC_FN_PSCI_CPU_ON,
		HVC_FN_PSCI_CPU_ON,
		HVC_FN_PSCI_CPU_OFF,
		HVC_FN_PSCI_CPU_SUSPEND,
		HVC_FN_PSCI_CPU_SUSPEND,
		HVC_FN_PSCI_CPU_DEFAULT_SUSPEND,
		HVC_FN_PSCI_CPU_FREEZE,
		HVC_FN_PSCI_SET_SUSPEND_MODE,
		HVC_FN_PSCI_MEM_PROTECT,
		HVC_FN_PSCI_MIGRATE,
		HVC_FN_PKVM_MEM_SHARE,
		HVC_FN_PKVM_MEM_SHARE,
		HVC_FN_PKVM_MEM_UNSHARE,
		HVC_FN_PKVM_MMIO_GUARD,
		HVC_FN_PKVM_MMIO_GUARD_ENROLL,
		HVC_FN_PSCI_SYSTEM_SUSPEND,
	};
	static const uint32_t powers[] = {0, 0x10001u, 0x1010002u};
	unsigned int vcpu = rng_below(rng, 4);
	enum hvc_fn fn = calls[rng_below(rng, sizeof(calls) / sizeof(calls[0]))];
	uint64_t x1 = rng_below(rng, 4);

	world->us += rng_below(rng, 1000);
	if (hvc_vcpu_power(world->vcpus[vcpu]) == POWER_ON_PENDING && rng_below(rng, 2) != 0) {
		(void)hvc_vcpu_started(world->vcpus[vcpu]);
	}
	if (hvc_vcpu_power(world->vcpus[vcpu]) != POWER_ON) {
		return;
	}
	if (rng_below(rng, 8) != 0) { /* or its call says so */
		hvc_vcpu_woke(world->vcpus[vcpu]);
	}
	if (fn == HVC_FN_PSCI_CPU_SUSPEND) {
		x1 = powers[rng_below(rng, 3)];
	} else if (fn == HVC_FN_PSCI_CPU_DEFAULT_SUSPEND || fn == HVC_FN_PSCI_SYSTEM_SUSPEND) {
		x1 = 0x1000;
	} else if (fn == HVC_FN_PKVM_MEM_SHARE || fn == HVC_FN_PKVM_MEM_UNSHARE) {
		x1 = WORLD_SHARE_BASE + 4096u * rng_below(rng, 100);
	} else if (fn == HVC_FN_PKVM_MMIO_GUARD) {
		x1 = 4096u * rng_below(rng, 1000);
	}
	(void)call_by(world, vcpu, fn, x1, fn == HVC_FN_PSCI_CPU_ON || x1 == 0x10001u ? 0x2000 : 0,
		      fn == HVC_FN_PSCI_CPU_ON ? rng_next(rng) : 0, NULL);
}

/* A forwarded call, whose vCPU either waits, or leaves it and comes back at the destination, if ever. */
static void leave_or_cancel(struct world *world, struct rng *rng, struct hvc_frame *frame)
{
	const struct hvc_restart_key key = {rng_next(rng), rng_next(rng)};
	const struct hvc_frame reply = {.x = {rng_next(rng), rng_next(rng), rng_next(rng)}};
	struct hvc_transaction call;
	enum hvc_forward_state state;

	if (rng_below(rng, 2) == 0 ||
	    hvc_forward_begin(world->vcpus[0], HVC_CONDUIT_HVC, &key, frame, &call, &state) !=
		    HVC_OK ||
	    state != HVC_FORWARD_NEW) {
		assert_int_equal(hvc_forward_cancel(world->vcpus[0], frame), HVC_OK);
		return;
	}
	assert_int_equal(hvc_forward_leave(world->vcpus[0]), HVC_OK);
	assert_int_equal(rng_below(rng, 2) == 0
				 ? hvc_forward_fail(world->vm, call.sequence)
				 : hvc_forward_reply(world->vm, call.sequence, &reply,
						     (uint32_t)rng_next(rng)),
			 HVC_OK);
}

static struct world *random_vm(struct rng *rng)
{
	struct world *world = world_new(&full.setup);

	configure(world, rng);
	if (rng_below(rng, 8) == 0) {
		return world; /* it has not run */
	}
	hvc_vm_freeze(world->vm);
	for (unsigned int i = rng_below(rng, LIFE); i-- > 0;) {
		live(world, rng);
		if (rng_below(rng, 16) == 0) {
			(void)hvc_vm_tighten(world->vm, (uint32_t)rng_next(rng),
					     1u << rng_below(rng, 26), NULL);
		}
		if (rng_below(rng, 8) == 0) {
			struct hvc_frame frame = world_frame(
				rng_below(rng, 2) == 0 ? 0x05000000u : 0x05000100u, 0, 0, 0);

			if (hvc_call(world->vcpus[0], HVC_CONDUIT_HVC, 0, &frame) ==
			    HVC_FORWARDED) {
				leave_or_cancel(world, rng, &frame);
			}
		}
	}
	return world;
}

/* --- What the host and the guest can see. */
static void same_registers(const struct world *a, const struct world *b)
{
	uint32_t count = hvc_vm_check(a->vm, HVC_CAP_FEATURE_REGS);

	assert_int_equal(count, hvc_vm_check(b->vm, HVC_CAP_FEATURE_REGS));
	for (unsigned int i = 0; i < count; i++) {
		uint64_t id = hvc_feature_reg_id(a->vm, i), x = 1, y = 2;

		assert_int_equal(id, hvc_feature_reg_id(b->vm, i));
		assert_int_equal(hvc_vm_get_reg(a->vm, id, &x), HVC_OK);
		assert_int_equal(hvc_vm_get_reg(b->vm, id, &y), HVC_OK);
		assert_int_equal(x, y);
	}
}

static void same_rules(const struct world *a, const struct world *b)
{
	uint64_t id = 0;

	while (id <= UINT32_MAX) {
		struct hvc_filter_span x = hvc_filter_span(a->vm, (uint32_t)id);
		struct hvc_filter_span y = hvc_filter_span(b->vm, (uint32_t)id);

		assert_memory_equal(&x, &y, sizeof(x));
		id = (uint64_t)x.last + 1;
	}
}

static void same_functions(const struct world *a, const struct world *b)
{
	for (unsigned int i = 2; i < 2 * HVC_FN_COUNT; i++) {
		const struct hvc_function *function = hvc_function_at(i / 2);
		uint32_t id = i % 2 == 0 ? function->id32 : function->id64;
		struct hvc_outcome x = hvc_filter_query(a->vm, id), y = hvc_filter_query(b->vm, id);

		assert_memory_equal(&x, &y, sizeof(x));
	}
}

static void same_vcpus(const struct world *a, const struct world *b)
{
	for (unsigned int i = 0; i < 4; i++) {
		struct hvc_request x, y;

		assert_int_equal(hvc_vcpu_power(a->vcpus[i]), hvc_vcpu_power(b->vcpus[i]));
		if ((b->vcpus[i]->power & POWER_ASLEEP) == 0) {
			hvc_vcpu_woke(a->vcpus[i]); /* it has, and made calls */
		}
		if (b->vcpus[i]->power & POWER_DOWN) {
			x = hvc_vcpu_request(a->vcpus[i]);
			y = hvc_vcpu_request(b->vcpus[i]);
			assert_memory_equal(&x, &y, sizeof(x));
		}
		if (hvc_vcpu_power(a->vcpus[i]) == POWER_ON_PENDING) {
			x = hvc_vcpu_started(a->vcpus[i]);
			y = hvc_vcpu_started(b->vcpus[i]);
			assert_memory_equal(&x, &y, sizeof(x));
		}
	}
}

/* From here on the two live the same life: every call has the same end. */
static void same_future(struct world *a, struct world *b, struct rng *rng)
{
	for (unsigned int i = 0; i < 40; i++) {
		unsigned int fn = 1 + rng_below(rng, HVC_FN_COUNT - 1), vcpu = rng_below(rng, 4);
		uint64_t x1 = rng_below(rng, 4), x = 1, y = 2;
		struct rng other = *rng;

		live(a, &other);
		live(b, rng);
		if (hvc_vcpu_power(a->vcpus[vcpu]) == POWER_ON &&
		    hvc_function_at(fn)->service == HVC_SERVICE_PSCI && fn != HVC_FN_PSCI_CPU_OFF &&
		    /* What goes on begins anew where it is restored. */
		    fn != HVC_FN_PSCI_STAT_RESIDENCY) {
			assert_int_equal(call_by(a, vcpu, (enum hvc_fn)fn, x1, 0, 0, &x),
					 call_by(b, vcpu, (enum hvc_fn)fn, x1, 0, 0, &y));
			assert_int_equal(x, y);
		}
	}
}

static void test_round_trip(void **state)
{
	struct rng rng = {71};
	size_t longest = 0;

	(void)state;
	for (unsigned int run = 0; run < RUNS; run++) {
		struct world *there = random_vm(&rng);
		struct target here = target_new(&full.setup);
		struct saved saved = saved_of(there), again;

		longest = saved.size > longest ? saved.size : longest;
		assert_int_equal(restore(&here, &saved), HVC_OK);
		again = saved_of(here.world);
		assert_true(saved_equal(&saved, &again));
		same_registers(there, here.world);
		same_rules(there, here.world);
		same_functions(there, here.world);
		same_vcpus(there, here.world);
		here.world->us = there->us;
		same_future(there, here.world, &rng);
		free(saved.bytes);
		free(again.bytes);
		target_free(&here);
		world_free(there);
	}
	print_message("%u random VMs came back, of %zu bytes at most\n", RUNS, longest);
}

/* --- Damage. */
/* A state with every section. */
static struct saved whole(struct world **there)
{
	struct rng rng = {5};
	size_t bytes;

	for (;;) {
		struct saved saved;

		*there = random_vm(&rng);
		saved = saved_of(*there);
		if (saved_section(&saved, SECTION_RANGES, &bytes) != 0 &&
		    saved_section(&saved, SECTION_CALLS, &bytes) != 0 &&
		    hvc_vm_check((*there)->vm, HVC_CAP_FEATURE_REGS) == HVC_REG_COUNT) {
			return saved;
		}
		free(saved.bytes);
		world_free(*there);
	}
}

static void test_truncated(void **state)
{
	struct world *there;
	struct saved saved = whole(&there);
	struct target here = target_new(&full.setup);

	(void)state;
	for (size_t size = 0; size < saved.size; size++) {
		struct saved part = saved_copy(&saved, size);

		assert_int_equal(restore(&here, &part), HVC_EBADMSG);
		/* And with length and checksum put right: some section is short, or not there. */
		if (size >= SAVED_HEADER) {
			enum hvc_err err;

			saved_seal(&part);
			err = restore(&here, &part);
			if (err ==
			    HVC_OK) { /* cut between sections: of a VM that had less memory */
				must_be_a_state(&here, NULL);
			} else {
				assert_int_equal(err, HVC_EBADMSG);
			}
		}
		free(part.bytes);
	}
	/* Something behind the end is a change, too. */
	struct saved longer = saved_copy(&saved, saved.size + 8);

	assert_int_equal(restore(&here, &longer), HVC_EBADMSG);
	free(longer.bytes);
	free(saved.bytes);
	target_free(&here);
	world_free(there);
}

static void test_flipped(void **state)
{
	struct world *there;
	struct saved saved = whole(&there);
	struct target here = target_new(&full.setup);
	unsigned int taken = 0, refused = 0;

	(void)state;
	for (size_t bit = 0; bit < saved.size * 8; bit++) {
		struct saved changed = saved_copy(&saved, saved.size);
		enum hvc_err err;

		changed.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		err = restore(&here, &changed);
		/* Only the format's number makes it another version's. */
		assert_int_equal(err, bit / 32 == 1 && (bit != 32) ? HVC_ENOTSUP : HVC_EBADMSG);
		if (bit / 8 >= SAVED_HEADER) {
			saved_seal(&changed);
			err = restore(&here, &changed);
			if (err == HVC_OK) {
				must_be_a_state(&here, &changed);
				taken++;
			} else {
				refused++;
			}
		}
		free(changed.bytes);
	}
	print_message(
		"of %zu bits changed under a right checksum %u are refused, %u are other states\n",
		saved.size * 8 - SAVED_HEADER * 8, refused, taken);
	assert_true(refused > taken && taken > 0);
	free(saved.bytes);
	target_free(&here);
	world_free(there);
}

/* --- Sections. */
/* A state with the section at `from` put in front of the one at `to`, or `copies` of it. */
static struct saved spliced(const struct saved *saved, size_t from, size_t bytes, size_t to,
			    bool keep)
{
	struct saved made = saved_copy(saved, saved->size + bytes);

	memcpy(made.bytes + to, saved->bytes + from, bytes);
	memcpy(made.bytes + to + bytes, saved->bytes + to, saved->size - to);
	if (!keep) {
		size_t old = from >= to ? from + bytes : from;

		memmove(made.bytes + old, made.bytes + old + bytes, made.size - old - bytes);
		made.size -= bytes;
	}
	saved_seal(&made);
	return made;
}

static void test_order(void **state)
{
	struct world *there;
	struct saved saved = whole(&there);
	struct target here = target_new(&full.setup);
	size_t bytes, other;

	(void)state;
	for (unsigned int type = SECTION_POLICY; type < SECTION_COUNT; type++) {
		size_t from = saved_section(&saved, type, &bytes);

		assert_int_not_equal(from, 0);
		for (unsigned int before = SECTION_POLICY; before < SECTION_COUNT; before++) {
			size_t to = saved_section(&saved, before, &other);
			struct saved twice = spliced(&saved, from, bytes, to, true);
			struct saved moved = spliced(&saved, from, bytes, to, false);
			bool same = before == type || before == type + 1;

			assert_int_equal(restore(&here, &twice), HVC_EBADMSG);
			assert_int_equal(restore(&here, &moved), same ? HVC_OK : HVC_EBADMSG);
			snapshot_back(&here.fresh);
			free(twice.bytes);
			free(moved.bytes);
		}
	}
	free(saved.bytes);
	target_free(&here);
	world_free(there);
}

/* A section that this version does not know, at the end. */
static struct saved with_section(const struct saved *saved, unsigned int type, unsigned int flags,
				 size_t length)
{
	struct saved made = saved_copy(saved, saved->size + SECTION_HEADER + (length + 7) / 8 * 8);

	saved_set_word(&made, saved->size, type | flags << 16);
	saved_set_word(&made, saved->size + 4, (uint32_t)length);
	memset(made.bytes + saved->size + SECTION_HEADER, 0xee, length);
	saved_seal(&made);
	return made;
}

static void test_unknown(void **state)
{
	static const struct {
		unsigned int type, flags, length;
		enum hvc_err err;
	} cases[] = {
		{SECTION_COUNT, 0, 0, HVC_OK},
		{SECTION_COUNT, 0, 1, HVC_OK},
		{SECTION_COUNT, 0, 8, HVC_OK},
		{0xffff, 0, 100, HVC_OK},
		{SECTION_COUNT, 1, 0, HVC_ENOTSUP},
		{0xffff, 1, 9, HVC_ENOTSUP},
		{SECTION_COUNT, 2, 0, HVC_EBADMSG},
		{SECTION_COUNT, 0x8000, 0, HVC_EBADMSG},
		{0, 0, 0, HVC_EBADMSG},
		{SECTION_SHARES, 1, 0, HVC_EBADMSG},
	};
	struct world *there;
	struct saved saved = whole(&there), made;
	struct target here = target_new(&full.setup);
	struct hvc_restore_detail detail = {.size = sizeof(detail)};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		made = with_section(&saved, cases[i].type, cases[i].flags, cases[i].length);
		assert_int_equal(restore(&here, &made), cases[i].err);
		if (cases[i].err == HVC_OK) {
			must_be_a_state(&here, NULL);
		}
		if (cases[i].length % 8 != 0) { /* padding is zero */
			made.bytes[made.size - 1] = 1;
			saved_seal(&made);
			assert_int_equal(restore(&here, &made), HVC_EBADMSG);
		}
		free(made.bytes);
	}
	/* It says which, and how far a later format is. */
	made = with_section(&saved, 0x1234, 1, 0);
	assert_int_equal(hvc_vm_restore(here.world->vm, made.bytes, made.size, &detail),
			 HVC_ENOTSUP);
	assert_int_equal(detail.missing, HVC_MISSING_SECTION);
	assert_int_equal(detail.wanted, 0x1234);
	free(made.bytes);
	saved_set_word(&saved, 4, HVC_SAVE_FORMAT + 1);
	assert_int_equal(hvc_vm_restore(here.world->vm, saved.bytes, saved.size, &detail),
			 HVC_ENOTSUP);
	assert_int_equal(detail.missing, HVC_MISSING_FORMAT);
	assert_int_equal(detail.wanted, HVC_SAVE_FORMAT + 1);
	assert_int_equal(detail.have, HVC_SAVE_FORMAT);
	free(saved.bytes);
	target_free(&here);
	world_free(there);
}

/* The same rules and the same shares, told in another way than hvc_vm_save() does: two ranges that touch. */
static void test_canonical(void **state)
{
	struct world *there = world_new(&full.setup);
	struct target here = target_new(&full.setup);
	struct saved saved, other;
	size_t rules, shares, bytes;

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		struct share_range range = {.ipa = WORLD_SHARE_BASE + 0x4000u * i, .bytes = 0x1000};

		assert_int_equal(shares_add(there->vm->shares, &range), HVC_OK);
		assert_int_equal(hvc_vm_tighten(there->vm, 0x06001000u + 0x4000u * i, 0x1000, NULL),
				 HVC_OK);
		assert_int_equal(shares_mmio_add(there->vm->shares, 0x1000u + 0x1000u * i), HVC_OK);
	}
	saved = saved_of(there);
	rules = saved_section(&saved, SECTION_RANGES, &bytes) + SECTION_HEADER + 8;
	shares = saved_section(&saved, SECTION_SHARES, &bytes) + SECTION_HEADER + 32;
	other = saved_copy(&saved, saved.size);
	assert_int_equal(saved_word(&other, rules + 16), 0x06005000u);
	saved_set_word(&other, rules + 16, 0x06002000u);
	saved_seal(&other);
	assert_int_equal(restore(&here, &other), HVC_EBADMSG);
	/* Of another action it is another range. */
	saved_set_word(&other, rules + 16 + 8, HVC_FORWARD);
	saved_seal(&other);
	assert_int_equal(restore(&here, &other), HVC_OK);
	must_be_a_state(&here, &other);
	memcpy(other.bytes, saved.bytes, saved.size);
	assert_int_equal(saved_word(&other, shares + 16), WORLD_SHARE_BASE + 0x4000u);
	saved_set_word(&other, shares + 16, WORLD_SHARE_BASE + 0x1000u);
	saved_seal(&other);
	assert_int_equal(restore(&here, &other), HVC_EBADMSG);
	saved_set_word(&other, shares + 16, WORLD_SHARE_BASE + 0x2000u);
	saved_seal(&other);
	assert_int_equal(restore(&here, &other), HVC_OK);
	must_be_a_state(&here, &other);
	/* Behind the two ranges: a granule that is guarded twice. */
	assert_int_equal(saved_word(&other, shares + 40), 0x2000u);
	saved_set_word(&other, shares + 40, 0x1000u);
	saved_seal(&other);
	assert_int_equal(restore(&here, &other), HVC_EBADMSG);
	free(saved.bytes);
	free(other.bytes);
	target_free(&here);
	world_free(there);
}

/* Bytes of one state in the place of another's, and noise, under a right checksum. */
static void test_splices(void **state)
{
	struct rng rng = {72};
	struct world *there;
	struct saved saved = whole(&there);
	struct target here = target_new(&full.setup);
	unsigned int taken = 0;

	(void)state;
	for (unsigned int run = 0; run < SPLICES; run++) {
		struct saved made = saved_copy(&saved, saved.size);

		for (unsigned int i = 1 + rng_below(&rng, 4); i-- > 0;) {
			size_t at = SAVED_HEADER +
				    rng_below(&rng, (uint32_t)(saved.size - SAVED_HEADER));
			uint64_t value = rng_below(&rng, 3) == 0 ? rng_next(&rng)
								 : rng_below(&rng, 3);

			if (rng_below(&rng, 2) == 0) {
				made.bytes[at] = (uint8_t)value;
			} else if (at / 4 * 4 + 4 <= saved.size) {
				saved_set_word(&made, at / 4 * 4, (uint32_t)value);
			}
		}
		saved_seal(&made);
		if (restore(&here, &made) == HVC_OK) {
			must_be_a_state(&here, NULL);
			taken++;
		}
		free(made.bytes);
	}
	print_message("%u of %u changed states are states\n", taken, SPLICES);
	assert_true(taken != 0 && taken < SPLICES);
	free(saved.bytes);
	target_free(&here);
	world_free(there);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip), cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_flipped),    cmocka_unit_test(test_order),
		cmocka_unit_test(test_unknown),    cmocka_unit_test(test_splices),
		cmocka_unit_test(test_canonical),
	};

	full_init(&full);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
