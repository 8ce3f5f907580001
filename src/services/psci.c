/* SPDX-License-Identifier: BSD-2-Clause */
/* PSCI 0.1 to 1.3: versions, features and the whole system (DEN0022, chapter 5). */
#include "psci.h"

/* SYSTEM_OFF2 types (DEN0022, 5.11): a bit mask, 0 asks for the default, which is this. */
enum { OFF2_HIBERNATE = 1 };

/* SYSTEM_RESET2 types (DEN0022, 5.13): 0 warm, 1 to 0x7fffffff reserved, above the vendor's. */
enum { RESET2_WARM = 0 };
#define RESET2_VENDOR 0x80000000u

HVC_SERVE(PSCI_VERSION)
{
	return serve_word(frame, vm_psci_version(vcpu->vm));
}

/* CPU_SUSPEND's flags (5.16.2): who can choose OS-initiated mode has SET_SUSPEND_MODE. */
static int32_t suspend_flags(const struct hvc_vm *vm)
{
	uint32_t set_mode = hvc_function_at(HVC_FN_PSCI_SET_SUSPEND_MODE)->id32;
	bool os_initiated = vm_served(vm, set_mode) != HVC_FN_NONE;

	return (vm->image->settings.power_state_format == 1 ? 2 : 0) | (os_initiated ? 1 : 0);
}

HVC_SERVE(PSCI_FEATURES)
{
	const struct hvc_vm *vm = vcpu->vm;
	uint32_t id = (uint32_t)frame->x[1];
	unsigned int slot = vm_served(vm, id);
	int32_t flags = 0;

	if (slot == HVC_FN_NONE ||
	    (hvc_function_at(slot)->service != HVC_SERVICE_PSCI && slot != HVC_FN_SMCCC_VERSION)) {
		return serve_status(frame, PSCI_NOT_SUPPORTED);
	}
	if (vm_feature_value(vm, id, &flags)) {
		return serve_status(frame, flags);
	}
	if (slot == HVC_FN_PSCI_SYSTEM_OFF2) {
		flags = OFF2_HIBERNATE;
	} else if (slot == HVC_FN_PSCI_CPU_SUSPEND) {
		flags = suspend_flags(vm);
	}
	return serve_status(frame, flags);
}

/* The call does not return; if the host lets the vCPU run on all the same, it failed. */
static enum hvc_verdict system(struct hvc_vcpu *vcpu, struct hvc_frame *frame,
			       enum hvc_verdict verdict, uint32_t type, uint64_t cookie)
{
	vcpu->request_entry = 0;
	vcpu->request_value = cookie;
	vcpu->request_type = type;
	serve_status(frame, PSCI_INTERNAL_FAILURE);
	return verdict;
}

HVC_SERVE(PSCI_SYSTEM_OFF)
{
	return system(vcpu, frame, HVC_SYSTEM_OFF, 0, 0);
}

HVC_SERVE(PSCI_SYSTEM_RESET)
{
	return system(vcpu, frame, HVC_SYSTEM_RESET, 0, 0);
}

HVC_SERVE(PSCI_SYSTEM_RESET2)
{
	uint32_t type = (uint32_t)frame->x[1];

	if (type != RESET2_WARM && type < RESET2_VENDOR) {
		return serve_status(frame, PSCI_INVALID_PARAMETERS);
	}
	return system(vcpu, frame, HVC_SYSTEM_RESET, type, argument(vcpu, frame, 2));
}

HVC_SERVE(PSCI_SYSTEM_OFF2)
{
	uint32_t type = (uint32_t)frame->x[1];

	if ((type != 0 && type != OFF2_HIBERNATE) || argument(vcpu, frame, 2) != 0) {
		return serve_status(frame, PSCI_INVALID_PARAMETERS);
	}
	return system(vcpu, frame, HVC_SYSTEM_OFF, OFF2_HIBERNATE, 0);
}

static uint32_t psci_version(const struct hvc_vm *vm)
{
	return vm_psci_version(vm);
}

/* The functions of 0.1 have IDs of their own, which ended with it. */
static bool is_0_1(unsigned int slot)
{
	return slot == HVC_FN_PSCI_0_1_CPU_SUSPEND || slot == HVC_FN_PSCI_0_1_CPU_OFF ||
	       slot == HVC_FN_PSCI_0_1_CPU_ON || slot == HVC_FN_PSCI_0_1_MIGRATE;
}

static bool has_trusted_os(const struct hvc_vm *vm)
{
	return vm->trusted_os != HVC_TRUSTED_OS_NONE;
}

/* What needs memory, a callback or a setting is there with it. */
static bool psci_has(const struct hvc_vm *vm, unsigned int slot)
{
	const struct hvc_platform *platform = vm->platform;

	if (is_0_1(slot)) {
		return psci_version(vm) == HVC_VERSION(0, 1) &&
		       (slot != HVC_FN_PSCI_0_1_MIGRATE || has_trusted_os(vm));
	}
	switch (slot) {
	case HVC_FN_PSCI_MIGRATE:
	case HVC_FN_PSCI_MIGRATE_INFO_UP_CPU:
		return has_trusted_os(vm);
	case HVC_FN_PSCI_SYSTEM_SUSPEND:
		return vm->image->settings.system_suspend;
	case HVC_FN_PSCI_SET_SUSPEND_MODE:
		return vm->image->settings.os_initiated;
	case HVC_FN_PSCI_STAT_RESIDENCY:
	case HVC_FN_PSCI_STAT_COUNT:
		return vm->stats != NULL && platform != NULL && platform->now_us != NULL;
	case HVC_FN_PSCI_NODE_HW_STATE:
		return vm->stats != NULL;
	case HVC_FN_PSCI_MEM_PROTECT:
	case HVC_FN_PSCI_MEM_PROTECT_CHECK_RANGE:
		return platform != NULL && platform->mem_protect != NULL;
	default:
		return true;
	}
}

const struct hvc_service hvc_service_psci = {
	.id = HVC_SERVICE_PSCI,
	.version = psci_version,
	.has = psci_has,
};
