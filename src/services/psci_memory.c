/* SPDX-License-Identifier: BSD-2-Clause */
/* PSCI: memory that is overwritten before another system starts in it (DEN0022, 5.14 and 5.15). */
#include "psci.h"

bool hvc_vm_mem_protected(const struct hvc_vm *vm)
{
	return atomic_load(&vm->mem_protect) != 0;
}

/* Another CPU may ask for the opposite meanwhile: whoever tells the host last has looked since. */
static bool tell(const struct hvc_vm *vm, bool on)
{
	for (;;) {
		bool wanted;

		if (!vm->platform->mem_protect(vm->host, on)) {
			return false;
		}
		wanted = hvc_vm_mem_protected(vm);
		if (wanted == on) {
			return true;
		}
		on = wanted;
	}
}

/* Answers what was, 0 or 1. */
HVC_SERVE(PSCI_MEM_PROTECT)
{
	struct hvc_vm *vm = vcpu->vm;
	uint8_t on = (uint32_t)frame->x[1] != 0;
	uint8_t before = atomic_exchange(&vm->mem_protect, on);

	psci_awake(vcpu);
	if (!tell(vm, on)) {
		atomic_compare_exchange_strong(&vm->mem_protect, &on, before);
		return serve_status(frame, PSCI_INTERNAL_FAILURE);
	}
	return serve_word(frame, before);
}

bool range_is_ram(const struct hvc_vm *vm, uint64_t base, uint64_t bytes)
{
	const struct hvc_platform *platform = vm->platform;

	if (bytes == 0 || base + (bytes - 1) < base) {
		return false;
	}
	if (platform->is_ram_range != NULL) {
		return platform->is_ram_range(vm->host, base, bytes);
	}
	return platform->is_ram != NULL && platform->is_ram(vm->host, base) &&
	       platform->is_ram(vm->host, base + (bytes - 1));
}

/* What is known to be RAM is protected, all of it. Whether protection is on does not matter: the question is what it would cover. */
HVC_SERVE(PSCI_MEM_PROTECT_CHECK_RANGE)
{
	bool covered = range_is_ram(vcpu->vm, argument(vcpu, frame, 1), argument(vcpu, frame, 2));

	psci_awake(vcpu);
	return serve_status(frame, covered ? PSCI_SUCCESS : PSCI_DENIED);
}
