/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arm architecture calls: cleaning memory out of every cache (SMCCC 1.7: DEN0028 7.10 and 7.11). Drafts of PSCI 1.3 had
 * them as PSCI functions; PSCI 1.3 has not.
 */
#include "services.h"

/* Bit of flags: say what would come back, and do nothing. */
#define FLAG_DRY_RUN 1ull

HVC_SERVE(SMCCC_ARCH_CLEAN_INV_MEMREGION)
{
	const struct hvc_vm *vm = vcpu->vm;
	uint64_t base = frame->x[1], bytes = frame->x[2], flags = frame->x[3];

	if ((flags & ~FLAG_DRY_RUN) != 0 || !range_is_ram(vm, base, bytes)) {
		return serve_status(frame, SMCCC_INVALID_PARAMETER);
	}
	if (flags == 0 && !vm->platform->clean_inv(vm->host, base, bytes)) {
		return serve_status(frame, SMCCC_BUSY);
	}
	return serve_status(frame, SMCCC_SUCCESS);
}

/* It works on the range alone; no latency, rate limit or break-even size is known. */
HVC_SERVE(SMCCC_ARCH_CLEAN_INV_MEMREGION_ATTRIBUTES)
{
	for (unsigned int i = 1; i <= 4; i++) {
		frame->x[i] = 0;
	}
	return serve_status(frame, SMCCC_SUCCESS);
}
