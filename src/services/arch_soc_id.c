/* SPDX-License-Identifier: BSD-2-Clause */
/* SMCCC_ARCH_SOC_ID: what the machine is (DEN0028, 7.4). The SMC64 form, from SMCCC 1.6 on, knows a name, too. */
#include "services.h"

enum { SOC_VERSION = 0, SOC_REVISION = 1, SOC_NAME = 2 };

_Static_assert(HVC_SOC_NAME == (HVC_FRAME_REGS - 1) * sizeof(uint64_t), "x1 to x17 hold the name");

HVC_SERVE(SMCCC_ARCH_SOC_ID)
{
	const struct hvc_settings *settings = &vcpu->vm->image->settings;

	switch ((uint32_t)frame->x[1]) {
	case SOC_VERSION:
		return serve_word(frame, settings->soc_version);
	case SOC_REVISION:
		return serve_word(frame, settings->soc_revision);
	default:
		return serve_status(frame, SMCCC_INVALID_PARAMETER);
	}
}

/* Its other types are those of the SMC32 form. */
HVC_SERVE(SMCCC_ARCH_SOC_ID_NAME)
{
	if ((uint32_t)frame->x[1] != SOC_NAME) {
		return hvc_serve_SMCCC_ARCH_SOC_ID(vcpu, conduit, looked, frame);
	}
	/* The first character in the lowest byte of x1; what is behind the name is zero. */
	memcpy(&frame->x[1], hvc_image_tables(vcpu->vm->image)->soc_name, HVC_SOC_NAME);
	return serve_status(frame, SMCCC_SUCCESS);
}

bool soc_id_has(const struct hvc_vm *vm, unsigned int slot)
{
	return vm->image->settings.soc_id_present != 0 &&
	       (slot == HVC_FN_SMCCC_ARCH_SOC_ID ||
		hvc_image_tables(vm->image)->soc_name[0] != '\0');
}
