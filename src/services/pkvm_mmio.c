/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The MMIO guard: where outside its RAM a protected guest lets the host emulate devices. PKVM_MMIO_GUARD is upstream's
 * (Linux, hypercalls.rst), which has no more of it; the others are Android's (its mmio-guard.rst and hypercalls.rst).
 * Guarding what is guarded and giving up what is not are successes, as they are there.
 */
#include "pkvm.h"

/* As many granules one PKVM_MMIO_RGUARD_* does: the caller goes on where it stopped. */
enum { RANGE_STEP = 32 };

/* Flag in x1 of PKVM_MMIO_GUARD_INFO. */
enum { HAS_RANGE = 1 };

static bool guard(const struct hvc_vcpu *vcpu, uint64_t ipa, bool on)
{
	struct hvc_shares *shares = vcpu->vm->shares;
	_Atomic uint64_t *slot;
	uint64_t was, now;

	if (!shares_outside(shares, ipa)) {
		return false;
	}
	slot = shares_claim(shares, ipa, on, &was);
	if (slot == NULL) {
		return !on && was == 0;
	}
	now = on ? was | MMIO_GUARDED : was & ~(uint64_t)MMIO_GUARDED;
	if (now != was &&
	    !pkvm_tell(vcpu, on ? HVC_SHARE_MMIO : HVC_SHARE_MMIO_BACK, ipa, SHARE_GRANULE)) {
		atomic_store_explicit(slot, was, memory_order_release);
		return false;
	}
	atomic_store_explicit(slot, now, memory_order_release);
	return true;
}

static enum hvc_verdict guard_one(const struct hvc_vcpu *vcpu, struct hvc_frame *frame, bool on)
{
	bool done = pkvm_reserved_clear(frame, 2) && guard(vcpu, frame->x[1], on);

	return serve_status(frame, done ? SMCCC_SUCCESS : SMCCC_INVALID_PARAMETER);
}

/* x1 becomes the number of granules done; none is an error. */
static enum hvc_verdict guard_range(const struct hvc_vcpu *vcpu, struct hvc_frame *frame, bool on)
{
	uint64_t ipa = frame->x[1], count = frame->x[2], done = 0;

	if (!pkvm_reserved_clear(frame, 3)) {
		return serve_status(frame, SMCCC_INVALID_PARAMETER);
	}
	if (count > RANGE_STEP) {
		count = RANGE_STEP;
	}
	while (done < count && guard(vcpu, ipa + done * SHARE_GRANULE, on)) {
		done++;
	}
	if (done == 0) {
		return serve_status(frame, SMCCC_INVALID_PARAMETER);
	}
	frame->x[1] = done;
	return serve_status(frame, SMCCC_SUCCESS);
}

HVC_SERVE(PKVM_MMIO_GUARD)
{
	return guard_one(vcpu, frame, true);
}

HVC_SERVE(PKVM_MMIO_GUARD_UNMAP)
{
	return guard_one(vcpu, frame, false);
}

HVC_SERVE(PKVM_MMIO_RGUARD_MAP)
{
	return guard_range(vcpu, frame, true);
}

HVC_SERVE(PKVM_MMIO_RGUARD_UNMAP)
{
	return guard_range(vcpu, frame, false);
}

static bool is_served(const struct hvc_vm *vm, unsigned int slot)
{
	return vm_served(vm, hvc_function_at(slot)->id64) == slot;
}

HVC_SERVE(PKVM_MMIO_GUARD_INFO)
{
	const struct hvc_vm *vm = vcpu->vm;

	frame->x[1] = is_served(vm, HVC_FN_PKVM_MMIO_RGUARD_MAP) &&
				      is_served(vm, HVC_FN_PKVM_MMIO_RGUARD_UNMAP)
			      ? HAS_RANGE
			      : 0;
	return serve_word(frame, SHARE_GRANULE);
}

/* Once for all vCPUs; there is no way back. */
HVC_SERVE(PKVM_MMIO_GUARD_ENROLL)
{
	_Atomic uint32_t *enrolled = &vcpu->vm->shares->enrolled;

	if (atomic_exchange_explicit(enrolled, 1, memory_order_acq_rel) == 0 &&
	    !pkvm_tell(vcpu, HVC_SHARE_ENROLL, 0, 0)) {
		atomic_store_explicit(enrolled, 0, memory_order_release);
		return serve_status(frame, SMCCC_INVALID_PARAMETER);
	}
	return serve_status(frame, SMCCC_SUCCESS);
}
