/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Saved VMs in hostile hands: cut short, changed in any bit, with and without a checksum that is right, sections moved
 * about. Worth most with the address sanitizer: a state's memory is as long as the state.
 */
#include <stdlib.h>
#include <string.h>

#include <hvcgate/live.h>

#include "../../src/engine/saved.h"
#include "pkvm_state.h"
#include "random_vm.h"

enum { SPLICES = 4000 };

static struct full full;

/* What was taken is a state: it saves, and what it saves comes back as the same. */
static void must_be_a_state(struct target *target, const struct saved *as)
{
	struct saved saved = saved_of(target->world), again;

	assert_true(as == NULL || saved_equal(&saved, as));
	snapshot_back(&target->fresh);
	assert_int_equal(target_restore(target, &saved), HVC_OK);
	again = saved_of(target->world);
	assert_true(saved_equal(&saved, &again));
	free(saved.bytes);
	free(again.bytes);
	snapshot_back(&target->fresh);
}

/* A state with every section. */
static struct saved whole(struct world **there)
{
	struct rng rng = {5};
	size_t bytes;

	for (;;) {
		struct saved saved;

		*there = random_vm(&full.setup, &rng);
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

		assert_int_equal(target_restore(&here, &part), HVC_EBADMSG);
		/* And with length and checksum put right: some section is short, or not there. */
		if (size >= SAVED_HEADER) {
			enum hvc_err err;

			saved_seal(&part);
			err = target_restore(&here, &part);
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

	assert_int_equal(target_restore(&here, &longer), HVC_EBADMSG);
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
		err = target_restore(&here, &changed);
		/* Only the format's number makes it another version's. */
		assert_int_equal(err, bit / 32 == 1 && (bit != 32) ? HVC_ENOTSUP : HVC_EBADMSG);
		if (bit / 8 >= SAVED_HEADER) {
			saved_seal(&changed);
			err = target_restore(&here, &changed);
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

			assert_int_equal(target_restore(&here, &twice), HVC_EBADMSG);
			assert_int_equal(target_restore(&here, &moved),
					 same ? HVC_OK : HVC_EBADMSG);
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
		assert_int_equal(target_restore(&here, &made), cases[i].err);
		if (cases[i].err == HVC_OK) {
			must_be_a_state(&here, NULL);
		}
		if (cases[i].length % 8 != 0) { /* padding is zero */
			made.bytes[made.size - 1] = 1;
			saved_seal(&made);
			assert_int_equal(target_restore(&here, &made), HVC_EBADMSG);
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
	assert_int_equal(target_restore(&here, &other), HVC_EBADMSG);
	/* Of another action it is another range. */
	saved_set_word(&other, rules + 16 + 8, HVC_FORWARD);
	saved_seal(&other);
	assert_int_equal(target_restore(&here, &other), HVC_OK);
	must_be_a_state(&here, &other);
	memcpy(other.bytes, saved.bytes, saved.size);
	assert_int_equal(saved_word(&other, shares + 16), WORLD_SHARE_BASE + 0x4000u);
	saved_set_word(&other, shares + 16, WORLD_SHARE_BASE + 0x1000u);
	saved_seal(&other);
	assert_int_equal(target_restore(&here, &other), HVC_EBADMSG);
	saved_set_word(&other, shares + 16, WORLD_SHARE_BASE + 0x2000u);
	saved_seal(&other);
	assert_int_equal(target_restore(&here, &other), HVC_OK);
	must_be_a_state(&here, &other);
	/* Behind the two ranges: a granule that is guarded twice. */
	assert_int_equal(saved_word(&other, shares + 40), 0x2000u);
	saved_set_word(&other, shares + 40, 0x1000u);
	saved_seal(&other);
	assert_int_equal(target_restore(&here, &other), HVC_EBADMSG);
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
		if (target_restore(&here, &made) == HVC_OK) {
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
		cmocka_unit_test(test_truncated), cmocka_unit_test(test_flipped),
		cmocka_unit_test(test_order),     cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_splices),   cmocka_unit_test(test_canonical),
	};

	full_init(&full);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
