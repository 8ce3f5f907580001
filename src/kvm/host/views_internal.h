/* SPDX-License-Identifier: BSD-2-Clause */
/* What views.c and from.c share. */
#ifndef HVCGATE_KVM_VIEWS_INTERNAL_H
#define HVCGATE_KVM_VIEWS_INTERNAL_H

#include "uapi.h"
#include "views.h"

#define VIEWS_LINES    16u
#define VIEWS_PSCI_0_2 (KVM_ARM_VCPU_PSCI_0_2 + 1u)

struct views {
	const struct hvc_plan *plan;
	const struct compat_host *to; /* NULL: only its profile is known */
	struct plan_view *all;        /* ascending; room for all there can be */
	size_t count;
	char *why;
	size_t why_size;
	unsigned int refused; /* what is in the way: lines */
	/* Registers of one kind stand in one line: how many more there are than the one that is named. */
	const struct compat_class_row *row;
	const char *trouble;
	unsigned int alike;
	bool announced; /* the next line begins a group */
};

/* The last of an ID counts. */
void views_add(struct views *views, uint64_t id, enum plan_view_kind kind, uint64_t value,
	       uint32_t feature);
/* Another line of why it cannot be. */
void views_refuse(struct views *views, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Is it in the way as the one before it was? Then it is counted, and no line is wanted. `trouble` is constant. */
bool views_alike(struct views *views, const struct compat_class_row *row, const char *trouble);
/* enum hvc_register of an ID, or HVC_REG_COUNT. */
unsigned int views_feature_register(uint64_t id);
/* Do a host's ID registers say that its guests do not have it? */
bool views_gate_closed(const struct compat_host *host, const struct compat_class_row *row);

/* from.c: guests arrive that began on a host like `from`, without us. */
void views_from(struct views *views, const struct hvc_policy *policy,
		const struct compat_host *from);

#endif
