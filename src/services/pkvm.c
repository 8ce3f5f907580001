/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls of a protected KVM guest, as book-keeping of what it shares: no confidentiality is in it. */
#include "services.h"

struct hvc_shares {
	uint64_t granules;
};

enum hvc_err shares_init(struct hvc_vm *vm, const struct hvc_vm_config *config)
{
	if (config->share_memory == NULL) {
		return HVC_OK;
	}
	if ((uintptr_t)config->share_memory % 8 != 0) {
		return HVC_EFAULT;
	}
	if (config->share_bytes < sizeof(struct hvc_shares)) {
		return HVC_ENOMEM;
	}
	vm->shares = config->share_memory;
	vm->shares->granules = 0;
	return HVC_OK;
}
