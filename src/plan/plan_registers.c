/* SPDX-License-Identifier: BSD-2-Clause */
/* Which feature registers a policy sets on a kernel, in the order of the kernel's list: any would do before the first
 * run, and this one is what a VMM restores them in. */
#include "allow.h"
#include "plan_internal.h"

static const struct hvc_settings *own_settings(const struct planner *planner)
{
	return &planner->own.image->settings;
}

/* The policy's version, else the newest older one that the kernel has: what is missing then goes to user space. */
static uint64_t psci_version(const struct planner *planner)
{
	const uint64_t want = own_settings(planner)->regs[HVC_REG_PSCI_VERSION];
	const uint32_t has = planner->kernel_settings.psci_versions;

	for (uint64_t next = want >= HVC_VERSION(1, 0) ? (want & 0xffff) + 1 : 0; next > 0;
	     next--) {
		const uint64_t minor = next - 1;

		if (has & HVC_PSCI_BIT(HVC_VERSION(1, minor))) {
			return HVC_VERSION(1, minor);
		}
	}
	return (has & HVC_PSCI_BIT(HVC_VERSION(0, 2))) != 0
		       ? HVC_VERSION(0, 2)
		       : planner->kernel_settings.regs[HVC_REG_PSCI_VERSION];
}

/* Does somebody answer an ID under the policy, the engine or a handler? */
static bool is_there(const struct planner *planner, uint32_t id)
{
	const struct hvc_outcome outcome = hvc_filter_query(planner->own.vm, id);

	return id != 0 && (outcome.action == HVC_FORWARD || outcome.action == HVC_NOTIFY ||
			   outcome.decider == HVC_BY_SERVICE);
}

/* A bit is on if one of the functions that hang on it is there: discovery says so, and what it turns on too much the
 * filter takes away. */
static uint64_t bitmap(const struct planner *planner, unsigned int reg)
{
	uint64_t value = 0;

	for (unsigned int slot = 1; slot < HVC_FN_COUNT; slot++) {
		const struct hvc_function *function = hvc_function_at(slot);

		if (function->reg == reg &&
		    (is_there(planner, function->id32) || is_there(planner, function->id64))) {
			value |= 1ull << function->reg_bit;
		}
	}
	return value;
}

static void write_register(struct planner *planner, unsigned int reg, uint64_t value)
{
	struct hvc_plan *plan = planner->plan;

	plan->registers[plan->register_count++] = (struct hvc_plan_register){
		.id = abi_register_id(reg),
		.value = value,
		.was = planner->kernel_settings.regs[reg],
		.reg = (uint8_t)reg,
	};
}

/* A level that a file says is asserted: a host that has less refuses the write. */
static bool asserts(const struct planner *planner, unsigned int reg)
{
	return policy_says_register(planner->policy, reg) &&
	       own_settings(planner)->regs[reg] <= planner->kernel_settings.regs[reg];
}

void plan_registers(struct planner *planner)
{
	for (unsigned int reg = 0; reg < planner->kernel_settings.reg_count; reg++) {
		uint64_t value;

		if (reg >= HVC_REG_WORKAROUND_1 && reg <= HVC_REG_WORKAROUND_3) {
			if (asserts(planner, reg)) {
				write_register(planner, reg, own_settings(planner)->regs[reg]);
			}
			continue;
		}
		value = reg == HVC_REG_PSCI_VERSION
				? psci_version(planner)
				: bitmap(planner, reg) & planner->kernel_settings.reg_mask[reg];
		if (value != planner->kernel_settings.regs[reg]) {
			write_register(planner, reg, value);
		}
	}
}

/* Is a call forwarded in some width? */
static bool is_forwarded(const struct hvc_plan *plan, uint16_t fn)
{
	for (size_t i = 0; i < plan->forward_count; i++) {
		if (plan->forwards[i].fn == fn) {
			return true;
		}
	}
	return false;
}

/* The kernel's value, written or its own. */
static uint64_t value_there(const struct planner *planner, unsigned int reg)
{
	const struct hvc_plan *plan = planner->plan;

	for (size_t i = 0; i < plan->register_count; i++) {
		if (plan->registers[i].reg == reg &&
		    (reg < HVC_REG_WORKAROUND_1 || reg > HVC_REG_WORKAROUND_3)) {
			return plan->registers[i].value;
		}
	}
	return planner->kernel_settings.regs[reg];
}

void plan_seen(struct planner *planner)
{
	struct hvc_plan *plan = planner->plan;

	for (unsigned int reg = 0; reg < HVC_REG_COUNT; reg++) {
		plan->there[reg] = reg < plan->registers_there ? value_there(planner, reg) : 0;
		plan->seen[reg] = plan->there[reg];
		if (reg >= plan->shown) {
			continue;
		}
		if (reg >= plan->registers_there) {
			plan->seen[reg] = reg >= HVC_REG_STD_BMAP ? bitmap(planner, reg) : 0;
		} else if (reg == HVC_REG_PSCI_VERSION && is_forwarded(plan, HVC_FN_PSCI_VERSION)) {
			plan->seen[reg] = own_settings(planner)->regs[reg];
		}
	}
}
