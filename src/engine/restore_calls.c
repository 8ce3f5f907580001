/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls that were left and are over, of a saved VM. */
#include "restore.h"

#include "forward_state.h"

/* Bits 1 to HVC_ARGS_MAX. */
#define ARGS (HVC_X0_X17 & ~1u)

/* The call at *at, and *at behind it. False: these bytes are none. */
static bool read_call(const struct restore *restore, size_t end, size_t *at, struct left_call *call)
{
	const size_t from = *at;
	uint64_t args, conduit, failed;

	if (end - from < SAVED_CALL) {
		return false;
	}
	*call = (struct left_call){
		.sequence = restore_get(restore, from, 8),
		.key = {restore_get(restore, from + 8, 8), restore_get(restore, from + 16, 8)},
		.id = (uint32_t)restore_get(restore, from + 24, 4),
		.vcpu = (uint32_t)restore_get(restore, from + 28, 4),
		.mask = (uint32_t)restore_get(restore, from + 36, 4),
	};
	args = restore_get(restore, from + 32, 4);
	conduit = restore_get(restore, from + 40, 4);
	failed = restore_get(restore, from + 44, 4);
	call->conduit = (uint8_t)conduit;
	call->failed = failed != 0;
	*at = from + SAVED_CALL;
	for (unsigned int n = 0; n < 2 * HVC_FRAME_REGS; n++) {
		const unsigned int reg = n % HVC_FRAME_REGS;
		const bool answer = n >= HVC_FRAME_REGS;

		if (((answer ? call->mask : args) >> reg & 1) == 0) {
			continue;
		}
		if (end - *at < 8 || (!answer && reg == 0)) {
			return false;
		}
		*(answer ? &call->reply.x[reg] : &call->args[reg - 1]) = restore_get(restore, *at,
										     8);
		*at += 8;
	}
	return (args & ~(uint64_t)ARGS) == 0 && (call->mask & ~HVC_X0_X17) == 0 &&
	       conduit <= HVC_CONDUIT_SMC && failed <= 1 && (failed == 0 || call->mask == 0);
}

/* Of sequence numbers that rise, all of them given before the next one. */
static bool call_valid(const struct restore *restore, const struct left_call *call, uint64_t last)
{
	const uint64_t next = restore_get(restore, restore->sections[SECTION_FORWARD].at, 8);

	return call->sequence > last && call->sequence < next &&
	       call->vcpu < restore->vm->vcpu_count;
}

enum hvc_err restore_check_calls(struct restore *restore)
{
	const size_t begin = restore->sections[SECTION_CALLS].at;
	const size_t end = begin + restore->sections[SECTION_CALLS].length;
	struct left_call call = {0};
	size_t at = begin + 8;
	uint64_t count;

	if (at > end || restore->sections[SECTION_FORWARD].at == 0 ||
	    restore_get(restore, begin + 4, 4) != 0) {
		return restore_bad(restore, begin);
	}
	count = restore_get(restore, begin, 4);
	for (uint64_t i = 0; i < count; i++) {
		const uint64_t last = call.sequence;
		const size_t from = at;

		if (!read_call(restore, end, &at, &call) || !call_valid(restore, &call, last)) {
			return restore_bad(restore, from);
		}
	}
	if (at != end || count == 0) {
		return restore_bad(restore, begin);
	}
	if (count > forwards_capacity(restore->vm)) {
		return restore_missing(restore, HVC_MISSING_FORWARD, count,
				       forwards_capacity(restore->vm));
	}
	return HVC_OK;
}

void restore_take_calls(struct restore *restore)
{
	const size_t begin = restore->sections[SECTION_CALLS].at;
	const size_t end = begin + restore->sections[SECTION_CALLS].length;
	struct left_call call;
	size_t at = begin + 8;

	while (at != end && read_call(restore, end, &at, &call)) {
		forwards_add_left(restore->vm, &call);
	}
}
