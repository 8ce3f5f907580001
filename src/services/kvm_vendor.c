/* SPDX-License-Identifier: BSD-2-Clause */
/* KVM's vendor range: UID, features, PTP (reference: Linux hypercalls.rst, ptp_kvm.rst). */
#include "services.h"

HVC_SERVE(KVM_VENDOR_UID)
{
	const uint32_t *uid = vcpu->vm->image->settings.vendor_uid;

	for (unsigned int i = 0; i < 4; i++) {
		frame->x[i] = uid[i];
	}
	return HVC_RESUME;
}

static bool in_range(const struct hvc_function *function, unsigned int numbers)
{
	uint32_t id = function->id32 != 0 ? function->id32 : function->id64;

	return (function->service == HVC_SERVICE_KVM_VENDOR ||
		function->service == HVC_SERVICE_PKVM) &&
	       HVC_ID_NUMBER(id) < numbers;
}

/* What the registers say, as KVM has it: nobody asks who answers. */
static void raw_features(const struct hvc_vm *vm, uint32_t words[4])
{
	words[0] = (uint32_t)vm->regs[HVC_REG_VENDOR_HYP_BMAP];
	words[1] = (uint32_t)(vm->regs[HVC_REG_VENDOR_HYP_BMAP] >> 32);
	words[2] = (uint32_t)vm->regs[HVC_REG_VENDOR_HYP_BMAP_2];
	words[3] = (uint32_t)(vm->regs[HVC_REG_VENDOR_HYP_BMAP_2] >> 32);
}

/* What would be served, not what a register says. */
static void coherent_features(const struct hvc_vm *vm, uint32_t words[4])
{
	for (unsigned int slot = 1; slot < HVC_FN_COUNT; slot++) {
		const struct hvc_function *function = hvc_function_at(slot);

		if (in_range(function, 128) && (vm_served(vm, function->id32) == slot ||
						vm_served(vm, function->id64) == slot)) {
			uint32_t number = HVC_ID_NUMBER(function->id32 | function->id64);

			words[number / 32] |= 1u << number % 32;
		}
	}
}

/* One bit a function number, 32 to a register. */
HVC_SERVE(KVM_FEATURES)
{
	uint32_t words[4] = {0, 0, 0, 0};

	if (vm_raw(vcpu->vm)) {
		raw_features(vcpu->vm, words);
	} else {
		coherent_features(vcpu->vm, words);
	}
	for (unsigned int i = 0; i < 4; i++) {
		frame->x[i] = words[i];
	}
	return HVC_RESUME;
}

/* Which counter the guest wants to read beside the clock. */
enum { PTP_PHYSICAL = 1 }; /* 0 is the virtual one */

HVC_SERVE(KVM_PTP)
{
	const struct hvc_vm *vm = vcpu->vm;
	uint32_t which = (uint32_t)frame->x[1];
	uint64_t ns, counter;

	if (which > PTP_PHYSICAL ||
	    !vm->platform->ptp(vm->host, vcpu->index, which == PTP_PHYSICAL, &ns, &counter)) {
		return serve_status(frame, SMCCC_NOT_SUPPORTED);
	}
	frame->x[0] = ns >> 32;
	frame->x[1] = (uint32_t)ns;
	frame->x[2] = counter >> 32;
	frame->x[3] = (uint32_t)counter;
	return HVC_RESUME;
}

static uint32_t vendor_version(const struct hvc_vm *vm)
{
	(void)vm;
	return HVC_VERSION(1, 0);
}

/* The functions mean what KVM says only behind KVM's UID. */
static bool vendor_has(const struct hvc_vm *vm, unsigned int slot)
{
	const struct hvc_settings *settings = &vm->image->settings;
	struct hvc_settings defaults;

	if (!settings->vendor_uid_present) {
		return false;
	}
	if (slot == HVC_FN_KVM_PTP && (vm->platform == NULL || vm->platform->ptp == NULL)) {
		return false;
	}
	if (slot == HVC_FN_KVM_VENDOR_UID) {
		return true;
	}
	hvc_settings_init(&defaults);
	return memcmp(settings->vendor_uid, defaults.vendor_uid, sizeof(defaults.vendor_uid)) == 0;
}

const struct hvc_service hvc_service_kvm_vendor = {
	.id = HVC_SERVICE_KVM_VENDOR,
	.version = vendor_version,
	.has = vendor_has,
};
