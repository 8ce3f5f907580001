/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What traps beside plain calls, and calls while tracing. Whatever the guest does that nothing here
 * knows ends in an exception of its own, never in a stopped CPU.
 * Source: DDI 0487, D24.2.37 ESR_EL2, D24.2.57 HPFAR_EL2.
 */
#include <stdatomic.h>

#include "el2.h"
#include "sysreg.h"

#define ESR_EC(esr)       ((unsigned int)((esr) >> 26) & 0x3fu)
#define EC_SYSREG         0x18u
#define EC_IABORT_LOW     0x20u
#define EC_DABORT_LOW     0x24u
#define ISS_ISV           (1ull << 24)
#define ISS_SAS(iss)      ((unsigned int)((iss) >> 22) & 3u)
#define ISS_SSE           (1ull << 21)
#define ISS_SRT(iss)      ((unsigned int)((iss) >> 16) & 0x1fu)
#define ISS_SF            (1ull << 15)
#define ISS_S1PTW         (1ull << 7)
#define ISS_WNR           (1ull << 6)
#define ISS_FSC_KIND(iss) ((iss)&0x3c)
#define FSC_TRANSLATION   0x04
#define ISS_SYS_RT(iss)   ((unsigned int)((iss) >> 5) & 0x1fu)

static uint64_t reg_get(const struct el2_frame *frame, unsigned int n)
{
	return n == 31 ? 0 : frame->x[n];
}

static void reg_set(struct el2_frame *frame, unsigned int n, uint64_t value)
{
	if (n != 31) {
		frame->x[n] = value;
	}
}

static void trapped_sysreg(struct el2_frame *frame, uint64_t esr)
{
	uint64_t value = (esr & 1) != 0 ? 0 : reg_get(frame, ISS_SYS_RT(esr));

	if (!sysreg_access(esr, &value)) {
		inject_undefined(esr);
		return;
	}
	if ((esr & 1) != 0) {
		reg_set(frame, ISS_SYS_RT(esr), value);
	}
	guest_skip_instruction();
}

/* The value a load of 1 << SAS bytes leaves in its register. */
static uint64_t extend(uint64_t iss, uint64_t value)
{
	unsigned int bits = 8u << ISS_SAS(iss);

	if (bits < 64) {
		value &= (1ull << bits) - 1;
		if ((iss & ISS_SSE) != 0 && (value >> (bits - 1)) != 0) {
			value |= ~0ull << bits;
		}
	}
	return (iss & ISS_SF) != 0 ? value : (uint32_t)value;
}

/* A load or store that the monitor answers in place of a device. */
static bool answered_device(struct el2_frame *frame, uint64_t esr)
{
	unsigned int rt = ISS_SRT(esr), bytes = 1u << ISS_SAS(esr);
	bool write = (esr & ISS_WNR) != 0;
	uint64_t ipa, value;

	/* Only then is HPFAR_EL2 valid, and the syndrome describes the access. AArch32 programs would need
	 * their IT state moved on, too: no driver of the interrupt controller is one. */
	if (guest_is_aarch32() || (esr & ISS_ISV) == 0 || (esr & ISS_S1PTW) != 0 ||
	    ISS_FSC_KIND(esr) != FSC_TRANSLATION) {
		return false;
	}
	ipa = (sysreg_read(hpfar_el2) >> 4 << 12 & 0x0000fffffffff000ull) |
	      (sysreg_read(far_el2) & 0xfff);
	value = extend(esr | ISS_SF, reg_get(frame, rt));
	if (!gic_access(ipa, write, bytes, &value)) {
		return false;
	}
	if (!write) {
		reg_set(frame, rt, extend(esr, value));
	}
	guest_skip_instruction();
	return true;
}

void trap_from_guest(struct el2_frame *frame, uint64_t esr)
{
	switch (ESR_EC(esr)) {
	case EC_SYSREG:
		trapped_sysreg(frame, esr);
		break;
	case EC_DABORT_LOW:
		if (!answered_device(frame, esr)) {
			inject_abort(esr);
		}
		break;
	case EC_IABORT_LOW:
		inject_abort(esr);
		break;
	default:
		inject_undefined(esr);
		break;
	}
}

enum hvc_verdict trap_traced(struct el2_frame *frame, uint64_t esr)
{
	struct el2_cpu *cpu = frame->cpu;
	struct hvc_frame *call = (struct hvc_frame *)(void *)frame->x;
	enum hvc_conduit conduit = ESR_EC(esr) == EC_SMC64 ? HVC_CONDUIT_SMC : HVC_CONDUIT_HVC;
	struct hvc_record record = {
		.time = counter_now(),
		.vcpu = (uint16_t)cpu->index,
		.conduit = (uint8_t)conduit,
		.immediate = (uint16_t)esr,
	};
	struct hvc_outcome outcome;
	enum hvc_verdict verdict;

	if (atomic_load_explicit((const _Atomic uint32_t *)frame->news, memory_order_acquire) !=
	    0) {
		revoke_take();
	}
	for (unsigned int i = 0; i < 8; i++) {
		record.in[i] = frame->x[i];
	}
	if (conduit == HVC_CONDUIT_SMC) {
		guest_skip_instruction();
	}
	verdict = hvc_call(frame->vcpu, conduit, (uint16_t)esr, call);
	outcome = hvc_vcpu_outcome(frame->vcpu);
	record.id = outcome.id;
	record.fn = outcome.fn;
	record.action = outcome.action;
	record.decider = outcome.decider;
	record.verdict = (uint8_t)verdict;
	for (unsigned int i = 0; i < 4; i++) {
		record.out[i] = frame->x[i];
	}
	hvc_record_trim(&record);
	ring_put(cpu, &record);
	return verdict;
}
