/* SPDX-License-Identifier: BSD-2-Clause */
/* From a slot to the C function that serves it: what the catalogue's column `served` says. */
#include "service.h"

#define SERVE_HVCGATE_1(name) hvc_serve_##name
#define SERVE_HVCGATE_2(name) hvc_serve_##name
#define SERVE_NO(name)        NULL

hvc_serve *const serve_table[HVC_FN_COUNT] = {
	NULL,
#define HVC_FUNCTION(name, id32, id64, service, served, ...) SERVE_##served(name),
#include <hvcgate/catalog.def>
#undef HVC_FUNCTION
};

hvc_serve *const quirks_table[HVC_FN_COUNT] = {
	NULL,
#define HVC_FUNCTION(...) serve_quirks,
#include <hvcgate/catalog.def>
#undef HVC_FUNCTION
};

/*
 * With the quirk most functions have x0 for their only result and x1 to x3 zero. Where none of these is an argument
 * they are so before the function is called, which then need not come back here.
 */
static HVC_INLINE void zero(struct hvc_frame *frame)
{
	frame->x[1] = 0;
	frame->x[2] = 0;
	frame->x[3] = 0;
}

#define ZERO_NO(name, arg_count)
#define ZERO_HVCGATE_2(name, arg_count) ZERO_HVCGATE_1(name, arg_count)
#define ZERO_HVCGATE_1(name, arg_count)                                                      \
	static enum hvc_verdict zero_##name(struct hvc_vcpu *vcpu, enum hvc_conduit conduit, \
					    uint32_t looked, struct hvc_frame *frame)        \
	{                                                                                    \
		enum hvc_verdict verdict;                                                    \
                                                                                             \
		if ((arg_count) == 0) {                                                      \
			zero(frame);                                                         \
			return hvc_serve_##name(vcpu, conduit, looked, frame);               \
		}                                                                            \
		verdict = hvc_serve_##name(vcpu, conduit, looked, frame);                    \
		zero(frame);                                                                 \
		return verdict;                                                              \
	}
#define HVC_FUNCTION(name, id32, id64, service, served, major, minor, gate, arg_count, ...) \
	ZERO_##served(name, arg_count)
#include <hvcgate/catalog.def>
#undef HVC_FUNCTION

/* serve_quirks() knows the others. */
#define IS_PLAIN(slot, results, flags)                                                           \
	((results) == HVC_X0 && ((flags)&HVC_FLAG_NO_RETURN) == 0 &&                             \
	 (slot) != HVC_FN_SMCCC_ARCH_WORKAROUND_1 && (slot) != HVC_FN_SMCCC_ARCH_WORKAROUND_2 && \
	 (slot) != HVC_FN_SMCCC_ARCH_WORKAROUND_3)
#define ENTRY_HVCGATE_1(name, results, flags) \
	IS_PLAIN(HVC_FN_##name, results, flags) ? zero_##name : serve_quirks
#define ENTRY_HVCGATE_2(name, results, flags) ENTRY_HVCGATE_1(name, results, flags)
#define ENTRY_NO(name, results, flags)        NULL

hvc_serve *const zero_table[HVC_FN_COUNT] = {
	NULL,
#define HVC_FUNCTION(name, id32, id64, service, served, major, minor, gate, arg_count, args, \
		     results, zeroes, failure, flags, meaning)                               \
	ENTRY_##served(name, results, flags),
#include <hvcgate/catalog.def>
#undef HVC_FUNCTION
};
