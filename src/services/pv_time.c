/* SPDX-License-Identifier: BSD-2-Clause */
/* Paravirtualised time: stolen time, DEN0057 1.0. */
#include "services.h"

/* The record's place is the VMM's to give, vCPU by vCPU. */
static bool has_record(const struct hvc_vcpu *vcpu)
{
	return vcpu->stolen_time != STOLEN_TIME_NONE;
}

HVC_SERVE(PV_TIME_FEATURES)
{
	unsigned int slot = vm_served(vcpu->vm, (uint32_t)frame->x[1]);
	bool found = slot != HVC_FN_NONE && hvc_function_at(slot)->service == HVC_SERVICE_PV_TIME;

	return serve_status(frame, found && has_record(vcpu) ? SMCCC_SUCCESS : SMCCC_NOT_SUPPORTED);
}

HVC_SERVE(PV_TIME_ST)
{
	const struct hvc_vm *vm = vcpu->vm;

	if (!has_record(vcpu) ||
	    !vm->platform->stolen_time(vm->host, vcpu->index, vcpu->stolen_time)) {
		return serve_status(frame, SMCCC_NOT_SUPPORTED);
	}
	frame->x[0] = vcpu->stolen_time;
	return HVC_RESUME;
}

static uint32_t pv_time_version(const struct hvc_vm *vm)
{
	(void)vm;
	return HVC_VERSION(1, 0);
}

static bool pv_time_has(const struct hvc_vm *vm, unsigned int slot)
{
	(void)slot;
	return vm->platform != NULL && vm->platform->stolen_time != NULL;
}

const struct hvc_service hvc_service_pv_time = {
	.id = HVC_SERVICE_PV_TIME,
	.version = pv_time_version,
	.has = pv_time_has,
};
