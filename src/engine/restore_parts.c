/* SPDX-License-Identifier: BSD-2-Clause */
/* What sections of a saved VM hold: vCPUs with their statistics, and a protected guest's books. */
#include "restore.h"

#include "../services/pkvm_state.h"
#include "../services/psci.h"
#include "../services/psci_state.h"

struct saved_vcpu {
	uint64_t mpidr;
	struct psci_vcpu_state psci;
	uint32_t asked;
	uint64_t start_entry, start_context, wake_entry, wake_context, record;
};

static struct saved_vcpu vcpu_at(const struct restore *restore, uint32_t index)
{
	size_t at = restore->sections[SECTION_VCPUS].at + 8 + (size_t)index * SAVED_VCPU;
	size_t stats = restore->sections[SECTION_STATS].at;
	struct saved_vcpu vcpu = {
		.mpidr = restore_get(restore, at, 8),
		.psci.power = (uint32_t)restore_get(restore, at + 8, 4),
		.asked = (uint32_t)restore_get(restore, at + 12, 4),
		.start_entry = restore_get(restore, at + 16, 8),
		.start_context = restore_get(restore, at + 24, 8),
		.wake_entry = restore_get(restore, at + 32, 8),
		.wake_context = restore_get(restore, at + 40, 8),
		.record = restore_get(restore, at + 48, 8),
	};

	for (unsigned int i = 0; i < HVC_POWER_STATES && stats != 0; i++) {
		size_t pair = stats + ((size_t)index * HVC_POWER_STATES + i) * 16;

		vcpu.psci.count[i] = restore_get(restore, pair, 8);
		vcpu.psci.us[i] = restore_get(restore, pair + 8, 8);
	}
	return vcpu;
}

static bool starts(const struct saved_vcpu *vcpu)
{
	return POWER_OF(vcpu->psci.power) == POWER_ON_PENDING;
}

static bool sleeps(const struct saved_vcpu *vcpu)
{
	return (vcpu->psci.power & POWER_ASLEEP) != 0;
}

static bool goes_on_elsewhere(const struct saved_vcpu *vcpu)
{
	return (vcpu->psci.power & POWER_DOWN) != 0;
}

/* What does not apply is 0. */
static bool vcpu_valid(const struct hvc_vcpu *own, const struct saved_vcpu *vcpu)
{
	if (!starts(vcpu) && (vcpu->start_entry | vcpu->start_context) != 0) {
		return false;
	}
	if (sleeps(vcpu) ? !saved_sleep_call(hvc_function_by_id(vcpu->asked)) : vcpu->asked != 0) {
		return false;
	}
	if (!goes_on_elsewhere(vcpu) && (vcpu->wake_entry | vcpu->wake_context) != 0) {
		return false;
	}
	return (vcpu->record == STOLEN_TIME_NONE || vcpu->record % 64 == 0) &&
	       psci_vcpu_state_valid(own, &vcpu->psci);
}

static bool has_stolen_time(const struct hvc_vm *vm)
{
	return vm->platform != NULL && vm->platform->stolen_time != NULL;
}

static enum hvc_err check_vcpu(struct restore *restore, uint32_t index, size_t at)
{
	const struct hvc_vcpu *own = restore->vm->vcpus[index];
	struct saved_vcpu vcpu = vcpu_at(restore, index);

	restore->detail.index = index;
	if (vcpu.mpidr != own->mpidr) {
		return restore_missing(restore, HVC_MISSING_VCPU, vcpu.mpidr, own->mpidr);
	}
	if (!vcpu_valid(own, &vcpu)) {
		return restore_bad(restore, at);
	}
	/* The VMM may have given it its record already: then the same one. */
	if (vcpu.record != STOLEN_TIME_NONE &&
	    (!has_stolen_time(restore->vm) ||
	     (own->stolen_time != STOLEN_TIME_NONE && own->stolen_time != vcpu.record))) {
		return restore_missing(restore, HVC_MISSING_STOLEN, vcpu.record, own->stolen_time);
	}
	return HVC_OK;
}

enum hvc_err restore_check_vcpu_count(struct restore *restore)
{
	const size_t at = restore->sections[SECTION_VCPUS].at;
	const uint32_t own = restore->vm->vcpu_count;
	uint64_t count;

	if (restore->sections[SECTION_VCPUS].length < 8) {
		return restore_bad(restore, at);
	}
	count = restore_get(restore, at, 4);
	if (restore->sections[SECTION_VCPUS].length != 8 + count * SAVED_VCPU ||
	    restore_get(restore, at + 4, 4) != 0) {
		return restore_bad(restore, at);
	}
	return count == own ? HVC_OK : restore_missing(restore, HVC_MISSING_VCPUS, count, own);
}

enum hvc_err restore_check_vcpus(struct restore *restore)
{
	const size_t at = restore->sections[SECTION_VCPUS].at;

	for (uint32_t i = 0; i < restore->vm->vcpu_count; i++) {
		enum hvc_err err = check_vcpu(restore, i, at + 8 + (size_t)i * SAVED_VCPU);

		if (err != HVC_OK) {
			return err;
		}
	}
	restore->detail.index = 0;
	return HVC_OK;
}

void restore_take_vcpus(struct restore *restore)
{
	struct hvc_vm *vm = restore->vm;

	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		struct hvc_vcpu *own = vm->vcpus[i];
		struct saved_vcpu vcpu = vcpu_at(restore, i);

		psci_vcpu_state_set(own, &vcpu.psci);
		own->start_entry = vcpu.start_entry;
		own->start_context = vcpu.start_context;
		own->stolen_time = vcpu.record;
		if (sleeps(&vcpu)) {
			own->last_id = vcpu.asked;
			own->last_entry = lookup_entry(vm->filter.entries, vcpu.asked);
			own->request_entry = vcpu.wake_entry;
			own->request_value = vcpu.wake_context;
		}
	}
	psci_states_set(vm);
}

/* --- Shares: how many ranges and granules, and where they stand. */
struct books {
	uint64_t base, ram;
	uint32_t enrolled, ranges, guarded;
	size_t ranges_at, guarded_at;
};

enum { BOOKS_HEAD = 32 };

static bool books_of(const struct restore *restore, struct books *books)
{
	const size_t at = restore->sections[SECTION_SHARES].at;
	const uint64_t length = restore->sections[SECTION_SHARES].length;

	if (length < BOOKS_HEAD) {
		return false;
	}
	books->base = restore_get(restore, at, 8);
	books->ram = restore_get(restore, at + 8, 8);
	books->enrolled = (uint32_t)restore_get(restore, at + 16, 4);
	books->ranges = (uint32_t)restore_get(restore, at + 20, 4);
	books->guarded = (uint32_t)restore_get(restore, at + 24, 4);
	books->ranges_at = at + BOOKS_HEAD;
	books->guarded_at = books->ranges_at + (size_t)books->ranges * 16;
	return books->enrolled <= 1 && books->guarded <= SHARE_MMIO_SLOTS &&
	       restore_get(restore, at + 28, 4) == 0 &&
	       length == BOOKS_HEAD + (uint64_t)books->ranges * 16 + (uint64_t)books->guarded * 8;
}

static struct share_range shared_at(const struct restore *restore, const struct books *books,
				    uint32_t n)
{
	size_t at = books->ranges_at + (size_t)n * 16;

	return (struct share_range){.ipa = restore_get(restore, at, 8),
				    .bytes = restore_get(restore, at + 8, 8)};
}

static uint64_t guarded_at(const struct restore *restore, const struct books *books, uint32_t n)
{
	return restore_get(restore, books->guarded_at + (size_t)n * 8, 8);
}

/* RAM, each range behind the one before with a gap between. */
static bool ranges_valid(const struct restore *restore, const struct books *books)
{
	uint64_t end = 0;

	for (uint32_t i = 0; i < books->ranges; i++) {
		struct share_range range = shared_at(restore, books, i);

		if (!shares_have(restore->vm->shares, range.ipa) || range.bytes == 0 ||
		    range.bytes % SHARE_GRANULE != 0 ||
		    range.bytes > books->base + books->ram - range.ipa ||
		    (i != 0 && range.ipa <= end)) {
			return false;
		}
		end = range.ipa + range.bytes;
	}
	return true;
}

static bool guards_valid(const struct restore *restore, const struct books *books)
{
	for (uint32_t i = 0; i < books->guarded; i++) {
		uint64_t ipa = guarded_at(restore, books, i);

		if (!shares_outside(restore->vm->shares, ipa) ||
		    (i != 0 && ipa <= guarded_at(restore, books, i - 1))) {
			return false;
		}
	}
	return true;
}

enum hvc_err restore_check_shares(struct restore *restore)
{
	const struct hvc_shares *own = restore->vm->shares;
	struct books books;

	if (!books_of(restore, &books)) {
		return restore_bad(restore, restore->sections[SECTION_SHARES].at);
	}
	if (own == NULL || own->base != books.base || own->granules * SHARE_GRANULE != books.ram) {
		return restore_missing(restore, HVC_MISSING_SHARE, books.ram,
				       own == NULL ? 0 : own->granules * SHARE_GRANULE);
	}
	if (!ranges_valid(restore, &books)) {
		return restore_bad(restore, books.ranges_at);
	}
	return guards_valid(restore, &books) ? HVC_OK : restore_bad(restore, books.guarded_at);
}

void restore_take_shares(struct restore *restore)
{
	struct hvc_shares *shares = restore->vm->shares;
	struct books books = {0};
	enum hvc_err err = HVC_OK;

	(void)books_of(restore, &books);
	shares_clear(shares);
	atomic_store(&shares->enrolled, books.enrolled);
	for (uint32_t i = 0; i < books.ranges && err == HVC_OK; i++) {
		struct share_range range = shared_at(restore, &books, i);

		err = shares_add(shares, &range);
	}
	for (uint32_t i = 0; i < books.guarded && err == HVC_OK; i++) {
		err = shares_mmio_add(shares, guarded_at(restore, &books, i));
	}
	hvc_assert(err == HVC_OK); /* restore_check_shares() */
}
