/* SPDX-License-Identifier: BSD-2-Clause */
/* What sections of a saved VM hold: policy, VM, registers, functions, ranges, sequence numbers. */
#include <hvcgate/event.h>

#include "restore.h"

#include "../services/psci_state.h"
#include "forward_state.h"
#include "registers.h"
#include "rules.h"

static size_t start_of(const struct restore *restore, enum section_type type)
{
	return restore->sections[type].at;
}

static bool length_is(const struct restore *restore, enum section_type type, uint64_t length)
{
	return restore->sections[type].length == length;
}

/* A section that begins with a count, of `head` bytes and `each` for what is counted. */
static bool counted(const struct restore *restore, enum section_type type, uint64_t head,
		    uint64_t each, uint64_t *count)
{
	if (restore->sections[type].length < head) {
		return false;
	}
	*count = restore_get(restore, start_of(restore, type), 4);
	return length_is(restore, type, head + each * *count) &&
	       (head == 4 || restore_get(restore, start_of(restore, type) + 4, 4) == 0);
}

static enum hvc_err check_policy(struct restore *restore)
{
	uint8_t own[SAVED_POLICY];
	const size_t at = start_of(restore, SECTION_POLICY);

	if (!length_is(restore, SECTION_POLICY, SAVED_POLICY)) {
		return restore_bad(restore, at);
	}
	saved_policy(restore->vm->image, own);
	if (memcmp(restore->bytes + at, own, SAVED_POLICY) != 0) {
		return restore_missing(restore, HVC_MISSING_POLICY, 0, 0);
	}
	return HVC_OK;
}

static struct psci_vm_state psci_of(const struct restore *restore)
{
	const size_t at = start_of(restore, SECTION_VM);

	return (struct psci_vm_state){
		.suspend_mode = (uint32_t)restore_get(restore, at + 4, 4),
		.mem_protect = (uint32_t)restore_get(restore, at + 8, 4),
		.trusted_os_cpu = (uint32_t)restore_get(restore, at + 12, 4),
	};
}

static enum hvc_err check_vm(struct restore *restore)
{
	const size_t at = start_of(restore, SECTION_VM);
	struct psci_vm_state psci;

	if (!length_is(restore, SECTION_VM, 16) || restore_get(restore, at, 4) > 1) {
		return restore_bad(restore, at);
	}
	psci = psci_of(restore);
	return psci_vm_state_valid(restore->vm, &psci) ? HVC_OK : restore_bad(restore, at + 4);
}

/* One register of the list. `index` is where it stands, and where it has to stand here: lists only grow. */
static enum hvc_err check_register(struct restore *restore, uint64_t index, size_t at)
{
	const struct hvc_vm *vm = restore->vm;
	uint64_t id = restore_get(restore, at, 8), value = restore_get(restore, at + 8, 8);
	unsigned int reg = (unsigned int)index;

	restore->detail.wanted_id = id;
	if (index < vm->shown && id == hvc_feature_reg_id(vm, reg)) {
		if (!register_restorable(vm, reg, value)) {
			return restore_missing(restore, HVC_MISSING_VALUE, value,
					       hvc_load(&vm->regs[reg]));
		}
		restore->values[reg] = value;
		restore->shown = reg + 1;
		return HVC_OK;
	}
	/* Another one in this place; or none here, which is as well if there is nothing of it. */
	if (index < vm->shown) {
		return restore_bad(restore, at);
	}
	if (value != (index < vm->image->settings.reg_count ? register_nothing_of(vm, reg) : 0)) {
		return restore_missing(restore, HVC_MISSING_REGISTER, value, 0);
	}
	return HVC_OK;
}

static enum hvc_err check_registers(struct restore *restore)
{
	const size_t at = start_of(restore, SECTION_REGISTERS);
	uint64_t count;

	if (!counted(restore, SECTION_REGISTERS, 8, 16, &count)) {
		return restore_bad(restore, at);
	}
	for (uint64_t i = 0; i < count; i++) {
		enum hvc_err err = check_register(restore, i, at + 8 + 16 * (size_t)i);

		if (err != HVC_OK) {
			return err;
		}
	}
	restore->detail.wanted_id = 0;
	return HVC_OK;
}

/* Would the VM, with the registers that it is to have, have each of these functions? */
static enum hvc_err check_functions(struct restore *restore)
{
	const size_t at = start_of(restore, SECTION_FUNCTIONS);
	unsigned int last = HVC_FN_NONE;
	struct hvc_vm trial;
	uint64_t count;

	if (!counted(restore, SECTION_FUNCTIONS, 4, 4, &count)) {
		return restore_bad(restore, at);
	}
	memcpy(&trial, restore->vm, sizeof(trial));
	registers_restore(&trial, restore->values, restore->shown);
	for (size_t i = 0; i < count; i++) {
		uint32_t id = (uint32_t)restore_get(restore, at + 4 + 4 * i, 4);
		unsigned int slot = hvc_function_by_id(id);
		const struct hvc_function *function = hvc_function_at(slot);

		if (!vm_has(&trial, slot)) {
			restore->detail.wanted_id = id;
			return restore_missing(restore, HVC_MISSING_FUNCTION, 0, 0);
		}
		if (slot <= last || (function->id32 != 0 && id != function->id32)) {
			return restore_bad(restore, at + 4 + 4 * i);
		}
		last = slot;
	}
	return HVC_OK;
}

static struct own_range range_at(const struct restore *restore, size_t at)
{
	return (struct own_range){
		.first = (uint32_t)restore_get(restore, at, 4),
		.last = (uint32_t)restore_get(restore, at + 4, 4),
		.action = (enum hvc_action)restore_get(restore, at + 8, 4),
	};
}

/* One that hvc_vm_save() would have written behind `before`. */
static bool range_valid(const struct restore *restore, size_t at, const struct own_range *before,
			bool first)
{
	struct own_range range = range_at(restore, at);
	struct hvc_filter_detail detail;

	if (range.last < range.first || (unsigned int)range.action > HVC_NOTIFY ||
	    restore_get(restore, at + 12, 4) != 0 ||
	    rules_meet_reserved(range.first, range.last, &detail)) {
		return false;
	}
	return first || (range.first > before->last &&
			 (range.first - before->last > 1 || range.action != before->action));
}

static enum hvc_err check_ranges(struct restore *restore)
{
	const size_t at = start_of(restore, SECTION_RANGES);
	struct own_range before = {0};
	uint64_t count;

	if (!counted(restore, SECTION_RANGES, 8, 16, &count) || count == 0) {
		return restore_bad(restore, at);
	}
	for (size_t i = 0; i < count; i++) {
		if (!range_valid(restore, at + 8 + 16 * i, &before, i == 0)) {
			return restore_bad(restore, at + 8 + 16 * i);
		}
		before = range_at(restore, at + 8 + 16 * i);
	}
	return rules_are_own(restore->vm) ? HVC_OK
					  : restore_missing(restore, HVC_MISSING_FILTER, count, 0);
}

/* Only painting tells how much room ranges take that share nodes; where it ends the image's nodes are put back. */
static enum hvc_err take_ranges(struct restore *restore)
{
	struct lookup *rules = &restore->vm->filter;
	const size_t at = start_of(restore, SECTION_RANGES);
	uint64_t count = restore->sections[SECTION_RANGES].length / 16;

	for (size_t i = 0; i < count; i++) {
		struct own_range range = range_at(restore, at + 8 + 16 * i);

		if (lookup_paint_own(rules, range.first, range.last, range.action) != HVC_OK) {
			(void)rules_take(rules, restore->vm->image, rules->entries,
					 (size_t)rules->capacity * LOOKUP_WIDTH * sizeof(uint16_t));
			return restore_missing(restore, HVC_MISSING_FILTER, count, i);
		}
	}
	return HVC_OK;
}

static enum hvc_err check_next(struct restore *restore, enum section_type type, bool memory,
			       enum hvc_missing missing)
{
	uint64_t next;

	if (!length_is(restore, type, 8)) {
		return restore_bad(restore, start_of(restore, type));
	}
	next = restore_get(restore, start_of(restore, type), 8);
	if (next == 0 || next > SEQUENCE_LAST) {
		return restore_bad(restore, start_of(restore, type));
	}
	return memory ? HVC_OK : restore_missing(restore, missing, next, 0);
}

static enum hvc_err check_forward(struct restore *restore)
{
	return check_next(restore, SECTION_FORWARD, restore->vm->forwards != NULL,
			  HVC_MISSING_FORWARD);
}

static enum hvc_err check_events(struct restore *restore)
{
	return check_next(restore, SECTION_EVENTS, restore->vm->events != NULL, HVC_MISSING_EVENTS);
}

static enum hvc_err check_stats(struct restore *restore)
{
	const struct hvc_vm *vm = restore->vm;

	if (!length_is(restore, SECTION_STATS, vm->vcpu_count * (uint64_t)HVC_POWER_STATES * 16)) {
		return restore_bad(restore, start_of(restore, SECTION_STATS));
	}
	return vm->stats != NULL ? HVC_OK : restore_missing(restore, HVC_MISSING_STATS, 0, 0);
}

/* In this order: each is sure of what the ones before have looked at. */
enum hvc_err restore_check(struct restore *restore)
{
	static const struct {
		enum section_type type;
		enum hvc_err (*check)(struct restore *restore);
	} checks[] = {
		{SECTION_POLICY, check_policy},
		{SECTION_VCPUS, restore_check_vcpu_count},
		{SECTION_VM, check_vm},
		{SECTION_REGISTERS, check_registers},
		{SECTION_FUNCTIONS, check_functions},
		{SECTION_STATS, check_stats},
		{SECTION_VCPUS, restore_check_vcpus},
		{SECTION_FORWARD, check_forward},
		{SECTION_EVENTS, check_events},
		{SECTION_CALLS, restore_check_calls},
		{SECTION_SHARES, restore_check_shares},
		{SECTION_RANGES, check_ranges},
	};

	for (unsigned int i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		enum hvc_err err = HVC_OK;

		if (restore->sections[checks[i].type].at != 0) {
			err = checks[i].check(restore);
		}
		if (err != HVC_OK) {
			return err;
		}
	}
	return HVC_OK;
}

/* What restore_check() has made sure of. */
static void surely(enum hvc_err err)
{
	hvc_assert(err == HVC_OK);
	(void)err;
}

enum hvc_err restore_take(struct restore *restore)
{
	struct hvc_vm *vm = restore->vm;
	struct psci_vm_state psci = psci_of(restore);
	enum hvc_err err = HVC_OK;

	if (start_of(restore, SECTION_RANGES) != 0) {
		err = take_ranges(restore);
	}
	if (err != HVC_OK) {
		return err;
	}
	registers_restore(vm, restore->values, restore->shown);
	psci_vm_state_set(vm, &psci);
	restore_take_vcpus(restore);
	if (start_of(restore, SECTION_FORWARD) != 0) {
		surely(forwards_set_next(vm, restore_get(restore,
							 start_of(restore, SECTION_FORWARD), 8)));
	}
	if (start_of(restore, SECTION_CALLS) != 0) {
		restore_take_calls(restore);
	}
	if (start_of(restore, SECTION_EVENTS) != 0) {
		surely(events_set_next(vm,
				       restore_get(restore, start_of(restore, SECTION_EVENTS), 8)));
	}
	if (start_of(restore, SECTION_SHARES) != 0) {
		restore_take_shares(restore);
	}
	vm->frozen = restore_get(restore, start_of(restore, SECTION_VM), 4) != 0;
	return HVC_OK;
}
