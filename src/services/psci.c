/* SPDX-License-Identifier: BSD-2-Clause */
/* PSCI 0.1 to 1.3: versions, features and the whole system (DEN0022, chapter 5). */
#include "services.h"

/* MIGRATE_INFO_TYPE: no trusted OS, or one that does not mind where it runs (DEN0022, 5.9). */
enum { MIGRATE_NOT_REQUIRED = 2 };

/* SYSTEM_OFF2 types (DEN0022, 5.24): a bit mask, 0 asks for the default, which is this. */
enum { OFF2_HIBERNATE = 1 };

/* SYSTEM_RESET2 types (DEN0022, 5.22): 0 warm, 1 to 0x7fffffff reserved, above the vendor's. */
enum { RESET2_WARM = 0 };
#define RESET2_VENDOR 0x80000000u

HVC_SERVE(PSCI_VERSION)
{
	return serve_word(frame, vm_psci_version(vcpu->vm));
}

HVC_SERVE(PSCI_MIGRATE_INFO_TYPE)
{
	(void)vcpu;
	return serve_word(frame, MIGRATE_NOT_REQUIRED);
}

HVC_SERVE(PSCI_FEATURES)
{
	unsigned int slot = vm_served(vcpu->vm, (uint32_t)frame->x[1]);

	if (slot == HVC_FN_NONE ||
	    (hvc_function_at(slot)->service != HVC_SERVICE_PSCI && slot != HVC_FN_SMCCC_VERSION)) {
		return serve_status(frame, PSCI_NOT_SUPPORTED);
	}
	/* Flags of CPU_SUSPEND are 0: original power_state format, platform-coordinated only. */
	return serve_status(frame, slot == HVC_FN_PSCI_SYSTEM_OFF2 ? OFF2_HIBERNATE : PSCI_SUCCESS);
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

static bool psci_has(const struct hvc_vm *vm, unsigned int slot)
{
	if (is_0_1(slot)) {
		return psci_version(vm) == HVC_VERSION(0, 1);
	}
	return slot != HVC_FN_PSCI_SYSTEM_SUSPEND || vm->image->settings.system_suspend;
}

const struct hvc_service hvc_service_psci = {
	.id = HVC_SERVICE_PSCI,
	.version = psci_version,
	.has = psci_has,
};
