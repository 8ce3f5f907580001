/* SPDX-License-Identifier: BSD-2-Clause */
/* The general queries of an owner: how many calls, whose, which revision (DEN0028, chapter 6). */
#include "services.h"

/* Number of calls of an owner that would be served: fast and yielding, each width one (DEN0028, 6.2). */
static uint32_t call_count(const struct hvc_vm *vm, unsigned int owner)
{
	uint32_t calls = 0;

	for (unsigned int slot = 1; slot < HVC_FN_COUNT; slot++) {
		const struct hvc_function *function = hvc_function_at(slot);
		const uint32_t ids[] = {function->id32, function->id64};

		for (unsigned int i = 0; i < 2; i++) {
			if (ids[i] != 0 && HVC_ID_OWNER(ids[i]) == owner) {
				calls += vm_served(vm, ids[i]) != HVC_FN_NONE;
			}
		}
	}
	return calls;
}

HVC_SERVE(SMCCC_STD_CALL_COUNT)
{
	return serve_word(frame, call_count(vcpu->vm, HVC_OWNER_STD));
}

HVC_SERVE(SMCCC_STD_HYP_CALL_COUNT)
{
	return serve_word(frame, call_count(vcpu->vm, HVC_OWNER_STD_HYP));
}

HVC_SERVE(SMCCC_VENDOR_HYP_CALL_COUNT)
{
	return serve_word(frame, call_count(vcpu->vm, HVC_OWNER_VENDOR_HYP));
}

/* 6cbc9e8d-8cac-4778-9c04-407e8d8c38f8 and e254a345-e8f7-491d-979f-169f4eed0a5c, words little-endian (DEN0028, 6.3):
 * this engine's standard services, and its standard hypervisor services. */
static const uint32_t std_uid[4] = {0x8d9ebc6cu, 0x7847ac8cu, 0x7e40049cu, 0xf8388c8du};
static const uint32_t std_hyp_uid[4] = {0x45a354e2u, 0x1d49f7e8u, 0x9f169f97u, 0x5c0aed4eu};

HVC_SERVE(SMCCC_STD_CALL_UID)
{
	return serve_words(frame, std_uid);
}

HVC_SERVE(SMCCC_STD_HYP_CALL_UID)
{
	return serve_words(frame, std_hyp_uid);
}

/* Major in x0, minor in x1 (DEN0028, 6.4). Of what an owner's UID names, not of the services it has: those tell their
 * own versions. */
static enum hvc_verdict revision_1_0(struct hvc_frame *frame)
{
	frame->x[1] = 0;
	return serve_word(frame, 1);
}

HVC_SERVE(SMCCC_STD_CALL_REVISION)
{
	return revision_1_0(frame);
}

HVC_SERVE(SMCCC_STD_HYP_CALL_REVISION)
{
	return revision_1_0(frame);
}

HVC_SERVE(SMCCC_VENDOR_HYP_CALL_REVISION)
{
	return revision_1_0(frame);
}

static bool profile_has(const struct hvc_settings *settings, unsigned int slot)
{
	return settings->functions[slot / 64] >> slot % 64 & 1;
}

/* A vendor who has no name has no revision and no count either; but hvcgate-1, which had a count only, kept it. */
bool queries_have(const struct hvc_vm *vm, unsigned int slot)
{
	const struct hvc_settings *settings = &vm->image->settings;

	if (slot != HVC_FN_SMCCC_VENDOR_HYP_CALL_REVISION &&
	    slot != HVC_FN_SMCCC_VENDOR_HYP_CALL_COUNT) {
		return true;
	}
	return settings->vendor_uid_present != 0 ||
	       !profile_has(settings, HVC_FN_SMCCC_VENDOR_HYP_CALL_REVISION);
}
