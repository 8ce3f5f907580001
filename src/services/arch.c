/* SPDX-License-Identifier: BSD-2-Clause */
/* Arm architecture calls: SMCCC, DEN0028 chapter 7. SOC_ID is in arch_soc_id.c. */
#include "services.h"

/* Workaround levels, KVM's encodings; WORKAROUND_2 has a 3 for "not required". */
enum { LEVEL_NOT_AVAILABLE = 0, LEVEL_AVAILABLE = 1, LEVEL_NOT_REQUIRED = 2 };

/* Answer 1 of ARCH_FEATURES for workarounds 1, 3 and 4: not needed on this CPU, harmless to call. */
enum { WORKAROUND_UNAFFECTED = 1 };

static uint32_t workaround_level(const struct hvc_vm *vm, unsigned int slot)
{
	switch (slot) {
	case HVC_FN_SMCCC_ARCH_WORKAROUND_1:
		return (uint32_t)vm->regs[HVC_REG_WORKAROUND_1];
	case HVC_FN_SMCCC_ARCH_WORKAROUND_2:
		return vm->regs[HVC_REG_WORKAROUND_2] == 0 ? LEVEL_NOT_AVAILABLE
							   : LEVEL_NOT_REQUIRED;
	case HVC_FN_SMCCC_ARCH_WORKAROUND_3:
		return (uint32_t)vm->regs[HVC_REG_WORKAROUND_3];
	case HVC_FN_SMCCC_ARCH_WORKAROUND_4:
		return vm->image->settings.workaround_4;
	default:
		return LEVEL_NOT_AVAILABLE;
	}
}

static bool is_workaround(unsigned int slot)
{
	return is_workaround_1_to_3(slot) || slot == HVC_FN_SMCCC_ARCH_WORKAROUND_4;
}

/* DEN0028, 7.3: what ARCH_FEATURES says of a workaround. */
static int32_t workaround_feature(const struct hvc_vm *vm, unsigned int slot)
{
	uint32_t level = workaround_level(vm, slot);

	if (level == LEVEL_NOT_AVAILABLE) {
		return SMCCC_NOT_SUPPORTED;
	}
	if (level == LEVEL_AVAILABLE) {
		return SMCCC_SUCCESS;
	}
	return slot == HVC_FN_SMCCC_ARCH_WORKAROUND_2 ? SMCCC_NOT_REQUIRED : WORKAROUND_UNAFFECTED;
}

HVC_SERVE(SMCCC_VERSION)
{
	return serve_word(frame, vcpu->vm->smccc_version);
}

/* Of other owners only PV time is discovered by ARCH_FEATURES (DEN0057, 3.2). */
static bool arch_feature(const struct hvc_vm *vm, uint32_t id, unsigned int slot)
{
	if (slot == HVC_FN_PV_TIME_FEATURES) {
		return true;
	}
	return slot != HVC_FN_NONE && lookup_reserved(id) &&
	       !vm_quirk(vm, HVC_QUIRK_ARCH_FEATURES_FEW);
}

HVC_SERVE(SMCCC_ARCH_FEATURES)
{
	const struct hvc_vm *vm = vcpu->vm;
	uint32_t id = (uint32_t)frame->x[1];
	unsigned int slot = vm_served(vm, id);
	int32_t value = SMCCC_SUCCESS;

	if (is_workaround(slot)) {
		return serve_status(frame, workaround_feature(vm, slot));
	}
	if (!arch_feature(vm, id, slot)) {
		return serve_status(frame, SMCCC_NOT_SUPPORTED);
	}
	(void)vm_feature_value(vm, id, &value); /* of PV time: ours cannot be forwarded */
	return serve_status(frame, value);
}

HVC_SERVE(SMCCC_ARCH_FEATURE_AVAILABILITY)
{
	const struct hvc_vm *vm = vcpu->vm;
	uint64_t bits = 0;

	if (!vm->platform->feature_availability(vm->host, frame->x[1], &bits)) {
		return serve_status(frame, SMCCC_INVALID_PARAMETER);
	}
	frame->x[1] = bits;
	return serve_status(frame, SMCCC_SUCCESS);
}

/*
 * The workaround itself was done by coming here: taking an exception to EL2 and back is what a
 * monitor that reports the mitigation relies on. It has no result; x0 becomes 0 as on KVM.
 */
HVC_SERVE(SMCCC_ARCH_WORKAROUND_1)
{
	(void)vcpu;
	return serve_status(frame, SMCCC_SUCCESS);
}

HVC_SERVE(SMCCC_ARCH_WORKAROUND_2)
{
	(void)vcpu;
	return serve_status(frame, SMCCC_SUCCESS);
}

HVC_SERVE(SMCCC_ARCH_WORKAROUND_3)
{
	(void)vcpu;
	return serve_status(frame, SMCCC_SUCCESS);
}

HVC_SERVE(SMCCC_ARCH_WORKAROUND_4)
{
	(void)vcpu;
	return serve_status(frame, SMCCC_SUCCESS);
}

static uint32_t arch_version(const struct hvc_vm *vm)
{
	return vm->smccc_version;
}

static bool arch_has(const struct hvc_vm *vm, unsigned int slot)
{
	if (is_workaround(slot)) {
		return workaround_level(vm, slot) != LEVEL_NOT_AVAILABLE ||
		       (is_workaround_1_to_3(slot) && vm_quirk(vm, HVC_QUIRK_WORKAROUND_HVC_ONLY));
	}
	if (slot == HVC_FN_SMCCC_ARCH_SOC_ID || slot == HVC_FN_SMCCC_ARCH_SOC_ID_NAME) {
		return soc_id_has(vm, slot);
	}
	if (slot == HVC_FN_SMCCC_ARCH_FEATURE_AVAILABILITY) {
		return vm->platform != NULL && vm->platform->feature_availability != NULL;
	}
	if (slot == HVC_FN_SMCCC_ARCH_CLEAN_INV_MEMREGION ||
	    slot == HVC_FN_SMCCC_ARCH_CLEAN_INV_MEMREGION_ATTRIBUTES) {
		return vm->platform != NULL && vm->platform->clean_inv != NULL;
	}
	return queries_have(vm, slot);
}

const struct hvc_service hvc_service_arch = {
	.id = HVC_SERVICE_ARCH,
	.version = arch_version,
	.has = arch_has,
};
