/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a service is to the engine, and what it gives to services.
 *
 * A function whose row of the catalogue says HVCGATE_n is served by the C function that HVC_SERVE names; one
 * that says NO is served by nobody: the guest reads NOT_SUPPORTED.
 */
#ifndef HVC_SERVICE_H
#define HVC_SERVICE_H

#include "state.h"

/*
 * Answers one call, hvc_serve: arguments and results in the frame. Writes only what the row's masks allow. The
 * parameters stand where hvc_call() has them, so that none has to be moved on the way; `looked` is what the lookup
 * said, ENTRY_SLOT of it the function. Most look at `vcpu` and `frame` only.
 */
#define HVC_SERVE(name)                                                        \
	enum hvc_verdict hvc_serve_##name(struct hvc_vcpu *vcpu HVC_UNUSED,    \
					  enum hvc_conduit conduit HVC_UNUSED, \
					  uint32_t looked HVC_UNUSED,          \
					  struct hvc_frame *frame HVC_UNUSED)

#define HVC_FUNCTION(name, ...) HVC_SERVE(name);
#include <hvcgate/catalog.def>
#undef HVC_FUNCTION

/* One a service, at the bottom of its file. */
struct hvc_service {
	enum hvc_service_id id;
	/* The version of its specification that this VM gets; 0: the VM has no such service. */
	uint32_t (*version)(const struct hvc_vm *vm);
	/* A condition of its own beside version and gate; NULL: none. */
	bool (*has)(const struct hvc_vm *vm, unsigned int slot);
};

/* By enum hvc_service_id; NULL where nobody serves it. src/services/services.c. */
extern HVC_HIDDEN const struct hvc_service *const hvc_services[HVC_SERVICE_COUNT];

/* The C function of a slot; NULL: nobody serves it. */
extern HVC_HIDDEN hvc_serve *const serve_table[HVC_FN_COUNT];

/*
 * The same for VMs with a quirk of QUIRKS_OF_ANSWERS: each is serve_quirks(), which calls the one in serve_table
 * and then makes the registers beside x0 what the profile wants. Registers of an answer that no service gave are
 * the engine's. src/services/quirks.c.
 */
#define QUIRKS_OF_ANSWERS (HVC_QUIRK_ZERO_X1_X3 | HVC_QUIRK_WORKAROUND_HVC_ONLY)
extern HVC_HIDDEN hvc_serve *const quirks_table[HVC_FN_COUNT];
/* The same again with HVC_QUIRK_ZERO_X1_X3: a short way for the many functions where it means just that. */
extern HVC_HIDDEN hvc_serve *const zero_table[HVC_FN_COUNT];
hvc_serve serve_quirks;

/* Status in x0: SMCCC results are 32-bit signed, sign-extended to the register. */
static inline enum hvc_verdict serve_status(struct hvc_frame *frame, int32_t status)
{
	frame->x[0] = (uint64_t)(int64_t)status;
	return HVC_RESUME;
}

/* An unsigned 32-bit result in x0, zero-extended. */
static inline enum hvc_verdict serve_word(struct hvc_frame *frame, uint32_t word)
{
	frame->x[0] = word;
	return HVC_RESUME;
}

/* SMCCC return codes (DEN0028, 2.10). */
enum {
	SMCCC_SUCCESS = 0,
	SMCCC_NOT_SUPPORTED = -1,
	SMCCC_NOT_REQUIRED = -2,
	SMCCC_INVALID_PARAMETER = -3,
	SMCCC_BUSY = -5
};

#endif
