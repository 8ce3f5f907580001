/* SPDX-License-Identifier: BSD-2-Clause */
/* Declared, but not written yet by their own sources: weak, so that those take their place. */
#include <string.h>

#include "scenario.h"

#define WEAK __attribute__((weak))

json_t *WEAK abi_record_load(const char *path, char *why, size_t size)
{
	(void)path;
	snprintf(why, size, "records are not in this build");
	return NULL;
}

void WEAK abi_record_apply(const json_t *record, struct hvc_settings *settings)
{
	(void)record;
	(void)settings;
}

const struct abi_profile *WEAK abi_record_profile(const json_t *record)
{
	(void)record;
	return NULL;
}

enum hvc_err WEAK hvc_forward_complete(struct hvc_vcpu *vcpu, struct hvc_frame *frame,
				       const struct hvc_frame *reply, uint32_t mask)
{
	(void)vcpu;
	(void)frame;
	(void)reply;
	(void)mask;
	return HVC_ENOTSUP;
}

enum hvc_err WEAK hvc_forward_cancel(struct hvc_vcpu *vcpu, struct hvc_frame *frame)
{
	(void)vcpu;
	(void)frame;
	return HVC_ENOTSUP;
}

enum hvc_err WEAK hvc_vcpu_set_stolen_time(struct hvc_vcpu *vcpu, uint64_t ipa)
{
	(void)vcpu;
	(void)ipa;
	return HVC_ENOTSUP;
}

enum hvc_err WEAK hvc_vm_list_regs(const struct hvc_vm *vm, uint64_t *ids, uint32_t *count)
{
	(void)vm;
	(void)ids;
	(void)count;
	return HVC_ENOTSUP;
}

enum hvc_err WEAK hvc_vm_clear_from(struct hvc_vm *vm, unsigned int index)
{
	(void)vm;
	(void)index;
	return HVC_ENOTSUP;
}

enum hvc_err WEAK hvc_vm_show(struct hvc_vm *vm, unsigned int n)
{
	(void)vm;
	(void)n;
	return HVC_ENOTSUP;
}

enum hvc_err WEAK hvc_filter_add_bytes(struct hvc_vm *vm, const uint8_t bytes[HVC_FILTER_BYTES])
{
	(void)vm;
	(void)bytes;
	return HVC_ENOTSUP;
}

enum hvc_err WEAK hvc_filter_try(const struct hvc_vm *vm, uint32_t base, uint32_t count,
				 enum hvc_action action, struct hvc_filter_detail *detail)
{
	(void)vm;
	(void)base;
	(void)count;
	(void)action;
	(void)detail;
	return HVC_ENOTSUP;
}

struct hvc_filter_span WEAK hvc_filter_span(const struct hvc_vm *vm, uint32_t id)
{
	(void)vm;
	return (struct hvc_filter_span){.first = id, .last = UINT32_MAX};
}
