/* SPDX-License-Identifier: BSD-2-Clause */
/* How a call ends that no service answered, and what is counted: for the call path and for who completes calls. */
#ifndef HVC_OUTCOME_H
#define HVC_OUTCOME_H

#include "service.h"

static inline void count(struct hvc_vcpu *vcpu, size_t slot, size_t what)
{
	if (hvc_likely(vcpu->counters != NULL)) {
		/* One index, which the instruction's addressing takes. */
		uint64_t *calls = vcpu->counters + (slot * HVC_COUNTS + what);

		/* One writer, any reader: no read-modify-write is needed, nor an order. */
		hvc_store(calls, hvc_load(calls) + 1);
	}
}

/* An answer that no service gave: a status, and what the profile does with the registers beside it. */
static inline enum hvc_verdict answer(const struct hvc_vcpu *vcpu, struct hvc_frame *frame,
				      int32_t status)
{
	if (hvc_unlikely(vm_quirk(vcpu->vm, HVC_QUIRK_ZERO_X1_X3))) {
		frame->x[1] = 0;
		frame->x[2] = 0;
		frame->x[3] = 0;
	}
	return serve_status(frame, status);
}

static inline enum hvc_action action_of(uint32_t entry)
{
	return (enum hvc_action)((entry & ENTRY_ACTION) >> ENTRY_ACTION_SHIFT);
}

/* Nobody answered in time: the function's failure value. */
enum hvc_verdict answer_failure(const struct hvc_vcpu *vcpu, struct hvc_frame *frame,
				unsigned int slot);

#endif
