/* SPDX-License-Identifier: BSD-2-Clause */
/* Does the kernel answer a function as the policy's engine does? Asked of both, with many arguments. */
#include <string.h>

#include "plan_internal.h"

bool plan_set_has(const struct plan_set *set, unsigned int slot)
{
	return slot < HVC_FN_COUNT && (set->bits[slot / 64] >> slot % 64 & 1) != 0;
}

bool plan_kernel_serves(const struct planner *planner, uint32_t id)
{
	struct hvc_outcome outcome = hvc_filter_query(planner->kernel.vm, id);

	/* What is reserved says so and no more. */
	return outcome.decider == HVC_BY_SERVICE || outcome.decider == HVC_BY_RESERVED;
}

bool plan_own_serves(const struct planner *planner, uint32_t id)
{
	struct hvc_outcome outcome = hvc_filter_query(planner->own.vm, id);

	return outcome.decider == HVC_BY_SERVICE || outcome.decider == HVC_BY_RESERVED;
}

/* --- One call. */
#define PAINT 0xa5a5a5a500000000ull

struct answered {
	enum hvc_verdict verdict;
	struct hvc_frame frame;
	struct hvc_request request;
};

static void call(struct plan_vm *vm, uint32_t id, enum hvc_conduit conduit, const uint64_t x[4],
		 struct answered *answered)
{
	memset(answered, 0, sizeof(*answered));
	(void)plan_vm_again(vm); /* it could be made, so it can be made again */
	for (unsigned int n = 0; n < HVC_FRAME_REGS; n++) {
		answered->frame.x[n] = n < 4 ? x[n] : PAINT + n;
	}
	answered->frame.x[0] = id;
	answered->verdict = hvc_call(vm->vcpus[0], conduit, 0, &answered->frame);
	if (answered->verdict != HVC_RESUME) {
		answered->request = hvc_vcpu_request(vm->vcpus[0]);
		answered->request.function = 0;
	}
}

/* Registers that hold a result, of a call that came back. */
static uint32_t results_of(const struct planner *planner, uint32_t id, const struct hvc_frame *own)
{
	const struct hvc_outcome outcome = hvc_filter_query(planner->own.vm, id);
	const struct hvc_function *function = hvc_function_at(outcome.fn);

	if (function == NULL || (int64_t)own->x[0] < 0) {
		return HVC_X0;
	}
	return hvc_function_results(function, outcome.id);
}

bool plan_calls_differ(struct planner *planner, uint32_t id, enum hvc_conduit conduit,
		       const uint64_t x[4], struct hvc_plan_difference *difference)
{
	struct answered kernel, own;
	bool differ;

	call(&planner->kernel, id, conduit, x, &kernel);
	call(&planner->own, id, conduit, x, &own);
	differ = kernel.verdict != own.verdict ||
		 memcmp(&kernel.request, &own.request, sizeof(own.request)) != 0;
	if (!differ && own.verdict == HVC_RESUME) {
		uint32_t results = results_of(planner, id, &own.frame);

		for (unsigned int n = 0; n < HVC_FRAME_REGS; n++) {
			differ |= (results >> n & 1) != 0 && kernel.frame.x[n] != own.frame.x[n];
		}
	}
	*difference = (struct hvc_plan_difference){
		.id = id,
		.x1 = x[1],
		.x2 = x[2],
		.x3 = x[3],
		.conduit = (uint8_t)conduit,
		.kernel_verdict = (uint8_t)kernel.verdict,
		.verdict = (uint8_t)own.verdict,
		.kernel_x0 = kernel.frame.x[0],
		.x0 = own.frame.x[0],
	};
	return differ;
}

/* --- Arguments. */
bool plan_is_discovery(unsigned int slot)
{
	return slot == HVC_FN_SMCCC_ARCH_FEATURES || slot == HVC_FN_PSCI_FEATURES ||
	       slot == HVC_FN_TRNG_FEATURES || slot == HVC_FN_PV_TIME_FEATURES;
}

static void compare_one(struct planner *planner, uint32_t id, enum hvc_conduit conduit,
			const uint64_t x[4], unsigned int asked, struct plan_comparison *comparison)
{
	struct hvc_plan_difference difference;

	if (!plan_calls_differ(planner, id, conduit, x, &difference)) {
		return;
	}
	if (comparison->differences++ == 0) {
		comparison->first = difference;
	}
	comparison->told.bits[asked / 64] |= 1ull << asked % 64;
}

/* Every ID of the catalogue, with the hint and in a register whose upper half is not zero, too. */
static void compare_discovery(struct planner *planner, uint32_t id, enum hvc_conduit conduit,
			      struct plan_comparison *comparison)
{
	for (unsigned int slot = 1; slot < HVC_FN_COUNT; slot++) {
		const struct hvc_function *function = hvc_function_at(slot);
		const uint32_t ids[2] = {function->id32, function->id64};

		for (unsigned int i = 0; i < 2; i++) {
			const uint64_t asked[] = {ids[i], ids[i] | HVC_ID_SVE_HINT,
						  ids[i] | 1ull << 32};

			for (unsigned int k = 0; ids[i] != 0 && k < 3; k++) {
				const uint64_t x[4] = {0, asked[k], 0, 0};

				compare_one(planner, id, conduit, x, slot, comparison);
			}
		}
	}
	for (uint64_t other = 0; other < 4; other++) {
		const uint64_t x[4] = {0, other, 0, 0};

		compare_one(planner, id, conduit, x, HVC_FN_NONE, comparison);
	}
}

/* Values at which some function of the catalogue changes its mind. */
static const uint64_t firsts[] = {
	0,          1,          2,          3,          64,          96,          97,
	192,        193,        0x10000,    0x1000000,  0x1000001,   0x2000000,   0x40000000,
	0x40000001, 0x80000000, 0x80000001, 0xffffffff, 0x100000000, 0x100000001, 0xff00000001,
	0xc5000020, 0xc5000021, ~0ull,
};
static const uint64_t seconds[] = {
	0,          1,          2,          3,           4,           0x40000000,
	0x40000001, 0x40000004, 0x80000000, 0x100000000, 0x140000000, ~0ull,
};
static const uint64_t thirds[] = {0, 0x1234567887654321};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void compare_arguments(struct planner *planner, uint32_t id, enum hvc_conduit conduit,
			      unsigned int args, struct plan_comparison *comparison)
{
	for (size_t i = 0; i < (args >= 1 ? COUNT(firsts) : 1); i++) {
		for (size_t k = 0; k < (args >= 2 ? COUNT(seconds) : 1); k++) {
			for (size_t m = 0; m < (args >= 3 ? COUNT(thirds) : 1); m++) {
				const uint64_t x[4] = {0, firsts[i], seconds[k], thirds[m]};

				compare_one(planner, id, conduit, x, HVC_FN_NONE, comparison);
			}
		}
	}
}

void plan_compare(struct planner *planner, uint32_t id, enum hvc_conduit conduit,
		  struct plan_comparison *comparison)
{
	const struct hvc_outcome outcome = hvc_filter_query(planner->own.vm, id);
	const struct hvc_function *function = hvc_function_at(outcome.fn);

	*comparison = (struct plan_comparison){0};
	if (plan_is_discovery(outcome.fn)) {
		compare_discovery(planner, id, conduit, comparison);
	} else {
		compare_arguments(planner, id, conduit,
				  function != NULL ? hvc_function_arg_count(function, outcome.id)
						   : 0,
				  comparison);
	}
}
