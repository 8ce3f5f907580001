/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls of a protected KVM guest about its RAM, as book-keeping of what it shares with the host: no confidentiality is
 * in it (Linux, Documentation/virt/kvm/arm/hypercalls.rst; MEM_RELINQUISH is Android's).
 */
#include "pkvm.h"

/* "Reserved / Must be zero": registers from x`first` to x3. */
bool pkvm_reserved_clear(const struct hvc_frame *frame, unsigned int first)
{
	uint64_t any = 0;

	for (unsigned int i = first; i <= 3; i++) {
		any |= frame->x[i];
	}
	return any == 0;
}

bool pkvm_tell(const struct hvc_vcpu *vcpu, enum hvc_share what, uint64_t ipa, uint64_t bytes)
{
	const struct hvc_vm *vm = vcpu->vm;

	return vm->platform == NULL || vm->platform->share == NULL ||
	       vm->platform->share(vm->host, vcpu->index, what, ipa, bytes);
}

static void put(struct share_word *word, uint64_t bit, bool shared)
{
	if (shared) {
		atomic_fetch_or_explicit(&word->shared, bit, memory_order_relaxed);
	} else {
		atomic_fetch_and_explicit(&word->shared, ~bit, memory_order_relaxed);
	}
}

/* While the granule is ours alone: is it in the state that `what` begins with, and does the host go along? */
static bool change(const struct hvc_vcpu *vcpu, struct share_word *word, uint64_t bit,
		   enum hvc_share what, uint64_t ipa)
{
	bool was = (atomic_load_explicit(&word->shared, memory_order_relaxed) & bit) != 0;

	if (what != HVC_SHARE_RELINQUISH && was != (what == HVC_SHARE_MEM_BACK)) {
		return false;
	}
	put(word, bit, what == HVC_SHARE_MEM);
	if (!pkvm_tell(vcpu, what, ipa, SHARE_GRANULE)) {
		put(word, bit, was);
		return false;
	}
	return true;
}

/* Calls of several vCPUs for one granule: the host hears of them in the order in which the books have them. One that
 * meets another under way is refused. */
static enum hvc_verdict transfer(const struct hvc_vcpu *vcpu, struct hvc_frame *frame,
				 enum hvc_share what)
{
	struct hvc_shares *shares = vcpu->vm->shares;
	uint64_t ipa = frame->x[1], bit;
	struct share_word *word;
	bool done;

	if (!pkvm_reserved_clear(frame, 2) || !shares_have(shares, ipa)) {
		return serve_status(frame, SMCCC_INVALID_PARAMETER);
	}
	word = shares_word(shares, ipa, &bit);
	if (atomic_fetch_or_explicit(&word->moving, bit, memory_order_acquire) & bit) {
		return serve_status(frame, SMCCC_INVALID_PARAMETER);
	}
	done = change(vcpu, word, bit, what, ipa);
	atomic_fetch_and_explicit(&word->moving, ~bit, memory_order_release);
	return serve_status(frame, done ? SMCCC_SUCCESS : SMCCC_INVALID_PARAMETER);
}

HVC_SERVE(PKVM_HYP_MEMINFO)
{
	return pkvm_reserved_clear(frame, 1) ? serve_word(frame, SHARE_GRANULE)
					     : serve_status(frame, SMCCC_INVALID_PARAMETER);
}

HVC_SERVE(PKVM_MEM_SHARE)
{
	return transfer(vcpu, frame, HVC_SHARE_MEM);
}

HVC_SERVE(PKVM_MEM_UNSHARE)
{
	return transfer(vcpu, frame, HVC_SHARE_MEM_BACK);
}

/* Of any granule, shared or not: the host has it, and what the guest finds there next is its own again. */
HVC_SERVE(PKVM_MEM_RELINQUISH)
{
	return transfer(vcpu, frame, HVC_SHARE_RELINQUISH);
}

static uint32_t pkvm_version(const struct hvc_vm *vm)
{
	(void)vm;
	return HVC_VERSION(1, 0);
}

static bool pkvm_has(const struct hvc_vm *vm, unsigned int slot)
{
	(void)slot;
	return vm->shares != NULL && is_kvm(vm);
}

const struct hvc_service hvc_service_pkvm = {
	.id = HVC_SERVICE_PKVM,
	.version = pkvm_version,
	.has = pkvm_has,
};
