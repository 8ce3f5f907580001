/* SPDX-License-Identifier: BSD-2-Clause */
/* The books of a protected guest: memory, and reading and writing them. */
#include "pkvm_state.h"

#include "services.h"

static uint64_t word_count(uint64_t granules)
{
	return granules / 64 + (granules % 64 != 0);
}

size_t hvc_share_size(uint64_t ram_bytes)
{
	uint64_t granules = ram_bytes / SHARE_GRANULE + (ram_bytes % SHARE_GRANULE != 0);

	return sizeof(struct hvc_shares) + word_count(granules) * sizeof(struct share_word);
}

void shares_clear(struct hvc_shares *shares)
{
	atomic_init(&shares->enrolled, 0);
	for (unsigned int slot = 0; slot < SHARE_MMIO_SLOTS; slot++) {
		atomic_init(&shares->mmio[slot], 0);
	}
	for (uint64_t i = 0; i < word_count(shares->granules); i++) {
		atomic_init(&shares->words[i].shared, 0);
		atomic_init(&shares->words[i].moving, 0);
	}
}

static bool range_valid(uint64_t base, uint64_t ram)
{
	return base % SHARE_GRANULE == 0 && ram % SHARE_GRANULE == 0 && ram != 0 &&
	       base < SHARE_IPA_END && ram <= SHARE_IPA_END - base;
}

enum hvc_err shares_init(struct hvc_vm *vm, const struct hvc_vm_config *config)
{
	struct hvc_shares *shares = config->share_memory;

	if (shares == NULL) {
		return config->share_bytes == 0 && config->share_base == 0 && config->share_ram == 0
			       ? HVC_OK
			       : HVC_EINVAL;
	}
	if ((uintptr_t)shares % 8 != 0) {
		return HVC_EFAULT;
	}
	if (!range_valid(config->share_base, config->share_ram)) {
		return HVC_EINVAL;
	}
	if (config->share_bytes < hvc_share_size(config->share_ram)) {
		return HVC_ENOMEM;
	}
	shares->base = config->share_base;
	shares->granules = config->share_ram / SHARE_GRANULE;
	shares->spare = 0;
	shares_clear(shares);
	vm->shares = shares;
	return HVC_OK;
}

static bool inside(const struct hvc_shares *shares, uint64_t ipa)
{
	return ipa >= shares->base && (ipa - shares->base) / SHARE_GRANULE < shares->granules;
}

bool shares_have(const struct hvc_shares *shares, uint64_t ipa)
{
	return ipa % SHARE_GRANULE == 0 && inside(shares, ipa);
}

bool shares_outside(const struct hvc_shares *shares, uint64_t ipa)
{
	return ipa % SHARE_GRANULE == 0 && ipa < SHARE_IPA_END && !inside(shares, ipa);
}

struct share_word *shares_word(struct hvc_shares *shares, uint64_t ipa, uint64_t *bit)
{
	uint64_t index = (ipa - shares->base) / SHARE_GRANULE;

	*bit = 1ull << index % 64;
	return &shares->words[index / 64];
}

/*
 * Slots are taken in the order in which they are looked at, and none is ever given up or given to another granule: so
 * two calls that look for the same granule come to the same slot, whatever else happens meanwhile.
 */
_Atomic uint64_t *shares_claim(struct hvc_shares *shares, uint64_t ipa, bool add, uint64_t *was)
{
	for (unsigned int i = 0; i < SHARE_MMIO_SLOTS; i++) {
		_Atomic uint64_t *slot =
			&shares->mmio[(ipa / SHARE_GRANULE + i) % SHARE_MMIO_SLOTS];
		uint64_t value = atomic_load_explicit(slot, memory_order_acquire);

		if (value == 0 && !add) {
			break;
		}
		/* Somebody else may take it this moment, and for this granule, too: then it is looked at once more. */
		if (value == 0 && atomic_compare_exchange_strong_explicit(
					  slot, &value, ipa | MMIO_USED | MMIO_MOVING,
					  memory_order_acquire, memory_order_acquire)) {
			*was = ipa | MMIO_USED;
			return slot;
		}
		if ((value & ~(uint64_t)MMIO_FLAGS) == ipa) {
			*was = value;
			return (value & MMIO_MOVING) == 0 &&
					       atomic_compare_exchange_strong_explicit(
						       slot, &value, value | MMIO_MOVING,
						       memory_order_acquire, memory_order_relaxed)
				       ? slot
				       : NULL;
		}
	}
	*was = 0;
	return NULL;
}

static bool is_shared(const struct hvc_shares *shares, uint64_t index)
{
	return atomic_load_explicit(&shares->words[index / 64].shared, memory_order_relaxed) >>
		       index % 64 &
	       1;
}

/* The next granule that is, or is not, shared. */
static uint64_t find(const struct hvc_shares *shares, uint64_t index, bool shared)
{
	while (index < shares->granules && is_shared(shares, index) != shared) {
		uint64_t word = atomic_load_explicit(&shares->words[index / 64].shared,
						     memory_order_relaxed);

		/* A whole word at a time where nothing is found in it. */
		index += index % 64 == 0 && word == (shared ? 0 : ~0ull) ? 64 : 1;
	}
	return index < shares->granules ? index : shares->granules;
}

bool shares_next(const struct hvc_shares *shares, uint64_t from, struct share_range *range)
{
	uint64_t skip = from <= shares->base ? 0 : from - shares->base + (SHARE_GRANULE - 1);
	uint64_t first = find(shares, skip / SHARE_GRANULE, true);
	uint64_t end = find(shares, first, false);

	range->ipa = shares->base + first * SHARE_GRANULE;
	range->bytes = (end - first) * SHARE_GRANULE;
	return end != first;
}

enum hvc_err shares_add(struct hvc_shares *shares, const struct share_range *range)
{
	uint64_t count = range->bytes / SHARE_GRANULE, first;

	if (!shares_have(shares, range->ipa) || range->bytes % SHARE_GRANULE != 0 || count == 0) {
		return HVC_EINVAL;
	}
	first = (range->ipa - shares->base) / SHARE_GRANULE;
	if (count > shares->granules - first) {
		return HVC_EINVAL;
	}
	if (find(shares, first, true) < first + count) {
		return HVC_EEXIST;
	}
	for (uint64_t i = first; i < first + count; i++) {
		atomic_fetch_or_explicit(&shares->words[i / 64].shared, 1ull << i % 64,
					 memory_order_relaxed);
	}
	return HVC_OK;
}

bool shares_mmio_at(const struct hvc_shares *shares, unsigned int slot, uint64_t *ipa)
{
	uint64_t value = atomic_load_explicit(&shares->mmio[slot], memory_order_relaxed);

	*ipa = value & ~(uint64_t)MMIO_FLAGS;
	return (value & MMIO_GUARDED) != 0;
}

enum hvc_err shares_mmio_add(struct hvc_shares *shares, uint64_t ipa)
{
	_Atomic uint64_t *slot;
	uint64_t was;

	if (!shares_outside(shares, ipa)) {
		return HVC_EINVAL;
	}
	slot = shares_claim(shares, ipa, true, &was);
	if (slot == NULL) {
		return was == 0 ? HVC_ENOMEM : HVC_EBUSY;
	}
	atomic_store_explicit(slot, ipa | MMIO_USED | MMIO_GUARDED, memory_order_release);
	return (was & MMIO_GUARDED) != 0 ? HVC_EEXIST : HVC_OK;
}
