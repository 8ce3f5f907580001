/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HVC_SERVICES_H
#define HVC_SERVICES_H

#include "../engine/service.h"

extern const struct hvc_service hvc_service_arch;
extern const struct hvc_service hvc_service_psci;
extern const struct hvc_service hvc_service_trng;
extern const struct hvc_service hvc_service_pv_time;
extern const struct hvc_service hvc_service_kvm_vendor;
extern const struct hvc_service hvc_service_pkvm;

/* PSCI return codes (DEN0022, 5.2.2). */
enum {
	PSCI_SUCCESS = 0,
	PSCI_NOT_SUPPORTED = -1,
	PSCI_INVALID_PARAMETERS = -2,
	PSCI_DENIED = -3,
	PSCI_ALREADY_ON = -4,
	PSCI_ON_PENDING = -5,
	PSCI_INTERNAL_FAILURE = -6,
	PSCI_NOT_PRESENT = -7,
	PSCI_DISABLED = -8,
	PSCI_INVALID_ADDRESS = -9,
};

static inline bool vm_raw(const struct hvc_vm *vm)
{
	return vm->image->settings.discovery == HVC_DISCOVERY_RAW;
}

/* Is all of this range known to be guest RAM? src/services/psci_memory.c */
bool range_is_ram(const struct hvc_vm *vm, uint64_t base, uint64_t bytes);

/* The workarounds that KVM knows. */
static inline bool is_workaround_1_to_3(unsigned int slot)
{
	return slot == HVC_FN_SMCCC_ARCH_WORKAROUND_1 || slot == HVC_FN_SMCCC_ARCH_WORKAROUND_2 ||
	       slot == HVC_FN_SMCCC_ARCH_WORKAROUND_3;
}

/* Arguments of an SMC32 call are 32 bits wide, of an SMC64 call 64 (DEN0028, 2.6). */
static inline uint64_t argument(const struct hvc_vcpu *vcpu, const struct hvc_frame *frame,
				unsigned int n)
{
	return vcpu->last_id & HVC_ID_64 ? frame->x[n] : (uint32_t)frame->x[n];
}

/* Four 32-bit results, x0 to x3: a UUID. */
static inline enum hvc_verdict serve_words(struct hvc_frame *frame, const uint32_t words[4])
{
	for (unsigned int i = 0; i < 4; i++) {
		frame->x[i] = words[i];
	}
	return HVC_RESUME;
}

/* Parts of the service arch in files of their own: their condition beside version and gate. */
bool soc_id_has(const struct hvc_vm *vm, unsigned int slot);
bool queries_have(const struct hvc_vm *vm, unsigned int slot);

/* Does the vendor range say it is KVM's? Its functions mean what KVM says only then. */
bool is_kvm(const struct hvc_vm *vm);

#endif
