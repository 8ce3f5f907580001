/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registers of an answer where a profile departs from the Arm documents: Linux KVM writes x0 to x3 of
 * all but a few answers. Measured on five kernels, 5.10 to 7.3 (docs/kvm-facts.md).
 */
#include "services.h"

static void zero(struct hvc_frame *frame, uint32_t registers)
{
	for (unsigned int i = 1; i <= 3; i++) {
		if (registers >> i & 1) {
			frame->x[i] = 0;
		}
	}
}

/* The SMC32 form's arguments have been cut, and nothing was written over them since. */
static void keep_arguments(const struct hvc_vcpu *vcpu, struct hvc_frame *frame)
{
	for (unsigned int i = 1; i <= 3; i++) {
		frame->x[i] = argument(vcpu, frame, i);
	}
}

/* A layer below KVM answers HVCs of the workarounds, with what it happens to leave in x1; no SMC gets there. */
static void workaround(enum hvc_conduit conduit, struct hvc_frame *frame)
{
	if (conduit == HVC_CONDUIT_HVC) {
		zero(frame, 1u << 1);
		return;
	}
	zero(frame, HVC_X0_X3);
	serve_status(frame, SMCCC_NOT_SUPPORTED);
}

static bool is_error(const struct hvc_frame *frame)
{
	return frame->x[0] >> 63 != 0;
}

/* What KVM leaves in x0 to x3 of an answer. */
static void settle(const struct hvc_vcpu *vcpu, struct hvc_frame *frame, unsigned int slot,
		   enum hvc_verdict verdict)
{
	if (verdict == HVC_SYSTEM_SUSPEND ||
	    (verdict == HVC_SYSTEM_RESET && slot == HVC_FN_PSCI_SYSTEM_RESET2)) {
		keep_arguments(vcpu, frame);
		return;
	}
	if (verdict == HVC_CPU_OFF) {
		serve_status(frame, PSCI_SUCCESS); /* read if the VMM lets the CPU go on */
	}
	zero(frame, is_error(frame) ? HVC_X0_X3 : ~hvc_function_at(slot)->results);
}

enum hvc_verdict serve_quirks(struct hvc_vcpu *vcpu, enum hvc_conduit conduit, uint32_t looked,
			      struct hvc_frame *frame)
{
	unsigned int slot = looked & ENTRY_SLOT;
	enum hvc_verdict verdict = serve_table[slot](vcpu, conduit, looked, frame);

	if (is_workaround_1_to_3(slot) && vm_quirk(vcpu->vm, HVC_QUIRK_WORKAROUND_HVC_ONLY)) {
		workaround(conduit, frame);
	} else if (vm_quirk(vcpu->vm, HVC_QUIRK_ZERO_X1_X3)) {
		settle(vcpu, frame, slot, verdict);
	}
	return verdict;
}
