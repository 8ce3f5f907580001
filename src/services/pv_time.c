/* SPDX-License-Identifier: BSD-2-Clause */
/* Paravirtualised time: stolen time, DEN0057 1.0. */
#include "services.h"

/* The record's place is the VMM's to give, vCPU by vCPU. */
static bool has_record(const struct hvc_vcpu *vcpu)
{
	return vcpu->stolen_time != STOLEN_TIME_NONE;
}

/* Does somebody else answer it? Then our record has no part in it. In raw discovery rules do not count. */
static bool is_forwarded(const struct hvc_vm *vm, uint32_t id)
{
	return !vm_raw(vm) && hvc_filter_query(vm, id).action == HVC_FORWARD;
}

HVC_SERVE(PV_TIME_FEATURES)
{
	const struct hvc_vm *vm = vcpu->vm;
	uint32_t id = (uint32_t)frame->x[1];
	unsigned int slot = vm_served(vm, id);
	int32_t value = SMCCC_SUCCESS;

	if (slot == HVC_FN_NONE || hvc_function_at(slot)->service != HVC_SERVICE_PV_TIME ||
	    (!has_record(vcpu) && !is_forwarded(vm, id))) {
		return serve_status(frame, SMCCC_NOT_SUPPORTED);
	}
	(void)vm_feature_value(vm, id, &value);
	return serve_status(frame, value);
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
