/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The books of a protected guest: which granules of its RAM the host may touch, and where outside of it the host may
 * emulate devices. Book-keeping only: nothing here keeps the host from anything.
 *
 * Written by calls (pkvm.c, pkvm_mmio.c) on several vCPUs at once. What is below `For who saves` is for one thread while
 * no call is under way.
 */
#ifndef HVC_PKVM_STATE_H
#define HVC_PKVM_STATE_H

#include "../engine/state.h"

enum {
	SHARE_GRANULE = 4096,
	/* Different granules that a guest can guard in its life; each keeps its slot. */
	SHARE_MMIO_SLOTS = 256,
};
/* No guest-physical address has more bits (FEAT_LPA). */
#define SHARE_IPA_END (1ull << 52)

/* 64 granules of RAM, a bit each. */
struct share_word {
	_Atomic uint64_t shared;
	_Atomic uint64_t
		moving; /* a call is about to change it: another that wants to is refused */
};

/* A slot of `mmio`: 0, or a granule's address or'ed with these. */
enum { MMIO_USED = 1, MMIO_GUARDED = 2, MMIO_MOVING = 4, MMIO_FLAGS = SHARE_GRANULE - 1 };

struct hvc_shares {
	uint64_t base;     /* of RAM */
	uint64_t granules; /* of it */
	_Atomic uint32_t enrolled;
	uint32_t spare;
	_Atomic uint64_t mmio[SHARE_MMIO_SLOTS];
	struct share_word words[];
};

/* Is this the address of a granule of RAM? */
bool shares_have(const struct hvc_shares *shares, uint64_t ipa);
/* Of one outside of it? */
bool shares_outside(const struct hvc_shares *shares, uint64_t ipa);
/* Of a granule of RAM: its word, and its bit there. */
struct share_word *shares_word(struct hvc_shares *shares, uint64_t ipa, uint64_t *bit);
/* A granule's slot, now marked as moving, and what was in it. NULL: it has none, and none was to be added (*was is 0)
 * or there is no room (likewise); or another call is at it (*was is not 0). */
_Atomic uint64_t *shares_claim(struct hvc_shares *shares, uint64_t ipa, bool add, uint64_t *was);

/* --- For who saves and restores them. */
struct share_range {
	uint64_t ipa, bytes;
};
/* The lowest range of shared granules at `from` or above, as long as it goes on; false: there is none. The next one is
 * asked for from its end. */
bool shares_next(const struct hvc_shares *shares, uint64_t from, struct share_range *range);
/* Share a range that is not shared. HVC_EINVAL: not granules of RAM; HVC_EEXIST: one is shared; nothing changes then. */
enum hvc_err shares_add(struct hvc_shares *shares, const struct share_range *range);
/* The granule that a slot has guarded; false: none. Slots are 0 to SHARE_MMIO_SLOTS - 1. */
bool shares_mmio_at(const struct hvc_shares *shares, unsigned int slot, uint64_t *ipa);
/* Guard a granule. HVC_EINVAL: not one outside RAM; HVC_EEXIST: it is; HVC_ENOMEM: no slot. */
enum hvc_err shares_mmio_add(struct hvc_shares *shares, uint64_t ipa);
/* Everything as at the start. */
void shares_clear(struct hvc_shares *shares);

#endif
