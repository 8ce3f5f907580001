/* SPDX-License-Identifier: BSD-2-Clause */
/* KVM's vendor range: UID, features, PTP, CPU implementations (Linux, hypercalls.rst and ptp_kvm.rst). */
#include "../engine/settings.h"
#include "services.h"

HVC_SERVE(KVM_VENDOR_UID)
{
	return serve_words(frame, vcpu->vm->image->settings.vendor_uid);
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
	return serve_words(frame, words);
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

/* The guest wants major 1. */
#define IMPL_VERSION HVC_VERSION(1, 0)

HVC_SERVE(KVM_DISCOVER_IMPL_VER)
{
	if (frame->x[1] != 0) {
		return serve_status(frame, SMCCC_INVALID_PARAMETER);
	}
	frame->x[1] = IMPL_VERSION;
	frame->x[2] = hvc_image_tables(vcpu->vm->image)->implementation_count;
	return serve_status(frame, SMCCC_SUCCESS);
}

HVC_SERVE(KVM_DISCOVER_IMPL_CPUS)
{
	const struct hvc_tables *tables = hvc_image_tables(vcpu->vm->image);
	uint64_t index = frame->x[1];

	if (index >= tables->implementation_count) {
		return serve_status(frame, SMCCC_INVALID_PARAMETER);
	}
	frame->x[1] = tables->implementations[index].midr;
	frame->x[2] = tables->implementations[index].revidr;
	frame->x[3] = tables->implementations[index].aidr;
	return serve_status(frame, SMCCC_SUCCESS);
}

bool is_kvm(const struct hvc_vm *vm)
{
	const struct hvc_settings *settings = &vm->image->settings;

	return settings->vendor_uid_present != 0 &&
	       memcmp(settings->vendor_uid, kvm_uid, sizeof(kvm_uid)) == 0;
}

static uint32_t vendor_version(const struct hvc_vm *vm)
{
	(void)vm;
	return HVC_VERSION(1, 0);
}

/* Every hypervisor has a UID, another as well. */
static bool vendor_has(const struct hvc_vm *vm, unsigned int slot)
{
	switch (slot) {
	case HVC_FN_KVM_VENDOR_UID:
		return vm->image->settings.vendor_uid_present != 0;
	case HVC_FN_KVM_PTP:
		return is_kvm(vm) && vm->platform != NULL && vm->platform->ptp != NULL;
	case HVC_FN_KVM_DISCOVER_IMPL_VER:
	case HVC_FN_KVM_DISCOVER_IMPL_CPUS:
		return is_kvm(vm) && hvc_image_tables(vm->image)->implementation_count != 0;
	default:
		return is_kvm(vm);
	}
}

const struct hvc_service hvc_service_kvm_vendor = {
	.id = HVC_SERVICE_KVM_VENDOR,
	.version = vendor_version,
	.has = vendor_has,
};
