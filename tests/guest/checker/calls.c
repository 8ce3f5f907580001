/* SPDX-License-Identifier: BSD-2-Clause */
/* What hypercalls say of themselves: versions, the features of each function, UIDs. */
#include <hvcgate/catalog.h>

#include "checker.h"

/* By enum hvc_fn. No pointers in a guest's tables: the names themselves. */
static const struct {
	uint32_t id32, id64;
	uint8_t service;
	char name[43];
} functions[HVC_FN_COUNT] = {
	{0},
#define HVC_FUNCTION(name, id32, id64, service, ...) {id32, id64, HVC_SERVICE_##service, #name},
#include <hvcgate/catalog.def>
#undef HVC_FUNCTION
};

/* A call's key: 15:0 whose answer, 31:16 of which function (0: none), 32 its 64-bit ID, 39:36 the result's register. */
#define KEY(fn, of, wide, result)                                                                  \
	CHECKER_KEY(CHECKER_CALL, (uint64_t)(fn) | (uint64_t)(of) << 16 | (uint64_t)(wide) << 32 | \
					  (uint64_t)(result) << 36)

static enum kit_conduit conduit;
static uint64_t own_id, own_count;

static void call(enum hvc_fn fn, uint64_t x1, struct kit_regs *regs)
{
	uint32_t id = functions[fn].id32 != 0 ? functions[fn].id32 : functions[fn].id64;

	*regs = (struct kit_regs){.x = {id, x1}};
	if (kit_call(conduit, 0, regs) != 0) {
		kit_fail("%s changed registers that a call preserves", functions[fn].name);
		kit_end();
	}
}

static void answer(enum hvc_fn fn, unsigned int results)
{
	struct kit_regs regs;

	call(fn, 0, &regs);
	for (unsigned int i = 0; i < results; i++) {
		checker_note(KEY(fn, 0, 0, i), regs.x[i]);
	}
}

/* What fn says of every function of a service. */
static void features(enum hvc_fn fn, enum hvc_service_id service)
{
	struct kit_regs regs;

	for (unsigned int of = 1; of < HVC_FN_COUNT; of++) {
		if (functions[of].service != (uint8_t)service) {
			continue;
		}
		if (functions[of].id32 != 0) {
			call(fn, functions[of].id32, &regs);
			checker_note(KEY(fn, of, 0, 0), regs.x[0]);
		}
		if (functions[of].id64 != 0) {
			call(fn, functions[of].id64, &regs);
			checker_note(KEY(fn, of, 1, 0), regs.x[0]);
		}
	}
}

/* The random number is another each time; that there is one, is not. */
static void random_number(void)
{
	struct kit_regs regs;

	call(HVC_FN_TRNG_RND, 32, &regs);
	checker_note(KEY(HVC_FN_TRNG_RND, 0, 0, 0),
		     regs.x[0] == 0 || (int64_t)regs.x[0] == -3 ? 0 : regs.x[0]);
}

void checker_calls(void)
{
	answer(HVC_FN_SMCCC_VERSION, 1);
	features(HVC_FN_SMCCC_ARCH_FEATURES, HVC_SERVICE_ARCH);
	answer(HVC_FN_PSCI_VERSION, 1);
	answer(HVC_FN_PSCI_MIGRATE_INFO_TYPE, 1);
	features(HVC_FN_PSCI_FEATURES, HVC_SERVICE_PSCI);
	answer(HVC_FN_TRNG_VERSION, 1);
	features(HVC_FN_TRNG_FEATURES, HVC_SERVICE_TRNG);
	answer(HVC_FN_TRNG_GET_UUID, 4);
	random_number();
	features(HVC_FN_PV_TIME_FEATURES, HVC_SERVICE_PV_TIME);
	answer(HVC_FN_KVM_VENDOR_UID, 4);
	answer(HVC_FN_KVM_FEATURES, 4);
}

void checker_print_call(uint64_t key)
{
	const unsigned int fn = (unsigned int)key & 0xffffu,
			   of = (unsigned int)(key >> 16) & 0xffffu;
	const unsigned int result = (unsigned int)(key >> 36) & 0xfu;

	kit_printf("%s", functions[fn].name);
	if (of != 0) {
		kit_printf("(%s%s)", functions[of].name, (key >> 32 & 1) != 0 ? "/64" : "");
	}
	if (result != 0) {
		kit_printf(".x%u", result);
	}
}

void checker_print(uint64_t key)
{
	if (CHECKER_KIND(key) == CHECKER_CALL) {
		checker_print_call(key);
	} else {
		checker_print_register(key);
	}
}

void checker_start(void)
{
	conduit = kit_option("smc", 0) != 0 ? KIT_SMC : KIT_HVC;
	own_id = kit_option("own", 0);
}

void checker_own(void)
{
	struct kit_regs regs;

	if (own_id == 0) {
		return;
	}
	own_count++;
	regs = (struct kit_regs){.x = {own_id, own_count}};
	if (kit_call(conduit, 0, &regs) != 0 || regs.x[0] != 0 || regs.x[1] != own_count ||
	    regs.x[2] != own_count) {
		kit_fail("own call %lu: x0 %lx, for call %lu, the handler's %lu", own_count,
			 regs.x[0], regs.x[1], regs.x[2]);
		kit_end();
	}
}

uint64_t checker_own_count(void)
{
	return own_count;
}
