/* SPDX-License-Identifier: BSD-2-Clause */
/* Which registers a VMM sees otherwise: feature registers that the policy hides or has beyond the kernel's, what its keys
 * hide, and what makes up for another host's kernel. */
#include "views.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "moves.h"
#include "views_internal.h"

void views_add(struct views *views, uint64_t id, enum plan_view_kind kind, uint64_t value,
	       uint32_t feature)
{
	const struct plan_view view = {.id = id, .value = value, .kind = kind, .feature = feature};
	size_t at = 0;

	while (at < views->count && views->all[at].id < id) {
		at++;
	}
	if (at < views->count && views->all[at].id == id) {
		views->all[at] = view;
		return;
	}
	memmove(&views->all[at + 1], &views->all[at], (views->count - at) * sizeof(views->all[0]));
	views->all[at] = view;
	views->count++;
}

static void __attribute__((format(printf, 2, 3)))
append(struct views *views, const char *format, ...)
{
	const size_t used = strlen(views->why);
	va_list args;

	va_start(args, format);
	vsnprintf(views->why + used, views->why_size - used, format, args);
	va_end(args);
}

static void end_group(struct views *views)
{
	if (views->alike != 0 && views->refused <= VIEWS_LINES) {
		append(views, " (and %u more)", views->alike);
	}
	views->row = NULL;
	views->alike = 0;
}

bool views_alike(struct views *views, const struct compat_class_row *row, const char *trouble)
{
	if (views->row == row && views->trouble == trouble) {
		views->alike++;
		return true;
	}
	end_group(views);
	views->row = row;
	views->trouble = trouble;
	views->announced = true;
	return false;
}

void views_refuse(struct views *views, const char *format, ...)
{
	va_list args;
	char line[256];

	if (views->refused++ >= VIEWS_LINES) {
		return;
	}
	if (!views->announced) {
		end_group(views);
	}
	views->announced = false;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	append(views, "%s%s", views->why[0] != '\0' ? "\n" : "", line);
}

unsigned int views_feature_register(uint64_t id)
{
	unsigned int reg = 0;

	while (reg < HVC_REG_COUNT && abi_register_id(reg) != id) {
		reg++;
	}
	return reg;
}

bool views_gate_closed(const struct compat_host *host, const struct compat_class_row *row)
{
	for (uint32_t i = 0; host != NULL && i < host->count; i++) {
		const struct compat_register *gate = &host->registers[i];

		if (strcmp(gate->name, row->gate) == 0) {
			return gate->has_value && (gate->value >> row->shift & 15) == 0;
		}
	}
	return false;
}

/* What hangs on PSCI_VERSION is answered here, so that it may be newer than any that the kernel has. */
static void feature_registers(struct views *views)
{
	const struct hvc_plan *plan = views->plan;

	for (unsigned int reg = 0; reg < HVC_REG_COUNT; reg++) {
		const uint64_t id = abi_register_id(reg);

		if (reg >= plan->shown && reg < plan->registers_there) {
			views_add(views, id, PLAN_HIDE, 0, 0);
		} else if (reg < plan->shown && reg >= plan->registers_there) {
			views_add(views, id, PLAN_PHANTOM, plan->seen[reg], 0);
		} else if (reg < plan->shown && plan->seen[reg] != plan->there[reg]) {
			/* Of vCPUs without PSCI_0_2 it is another register. */
			views_add(views, id, PLAN_HELD, plan->seen[reg],
				  reg == HVC_REG_PSCI_VERSION ? VIEWS_PSCI_0_2 : 0);
		}
	}
}

/* The keys hide and lose; classes were looked at when the policy was loaded. */
static void hide(struct views *views, uint64_t id)
{
	const unsigned int reg = views_feature_register(id);
	const struct compat_class_row *row;
	char name[32];

	policy_register_name(id, name, sizeof(name));
	row = compat_class(name);
	if (reg < HVC_REG_COUNT && views->plan->there[reg] != 0) {
		views_refuse(views,
			     "hide: %s is 0x%llx here, which means something; only 0 can be hidden",
			     name, (unsigned long long)views->plan->there[reg]);
	} else if (row->class == COMPAT_GATED && row->gate[0] != '\0' && views->to == NULL) {
		views_refuse(
			views,
			"hide: whether the guest can see %s a record of the host says, not a profile",
			name);
	} else if (row->class == COMPAT_GATED && row->gate[0] != '\0' &&
		   compat_find(views->to, id) != NULL && !views_gate_closed(views->to, row)) {
		views_refuse(views, "hide: the guest can use %s here: %s says so (%s)", name,
			     row->gate, row->reason);
	} else {
		views_add(views, id, PLAN_HIDE, 0, 0);
	}
}

static void hide_all(struct views *views, const struct hvc_policy *policy)
{
	size_t count;
	const uint64_t *ids = policy_hidden(policy, &count);

	for (size_t i = 0; i < count; i++) {
		hide(views, ids[i]);
	}
}

static enum hvc_err make(struct views *views, const struct hvc_policy *policy,
			 const struct compat_host *from)
{
	feature_registers(views);
	hide_all(views, policy);
	if (from != NULL) {
		views_from(views, policy, from);
	}
	end_group(views);
	if (views->refused > VIEWS_LINES) {
		append(views, "\nand %u more", views->refused - VIEWS_LINES);
	}
	return views->refused != 0 ? HVC_EINVAL : HVC_OK;
}

enum hvc_err plan_views(const struct hvc_policy *policy, const struct hvc_plan *plan,
			const struct hvc_plan_host *host, const struct compat_host *from,
			struct plan_view **all, size_t *count, char *why, size_t why_size)
{
	struct views views = {.plan = plan, .why = why, .why_size = why_size};
	struct compat_host *to = host->record != NULL ? compat_host_new(host->record, "this host")
						      : NULL;
	enum hvc_err err = HVC_ENOMEM;

	views.to = to;
	views.all = calloc(HVC_REG_COUNT + POLICY_HIDDEN + (from != NULL ? from->count : 0) +
				   (to != NULL ? to->count : 0),
			   sizeof(views.all[0]));
	if (views.all != NULL && (host->record == NULL || to != NULL)) {
		err = make(&views, policy, from);
	}
	compat_host_free(to);
	if (err != HVC_OK) {
		free(views.all);
		views.all = NULL;
	}
	*all = views.all;
	*count = views.count;
	return err;
}
