/* SPDX-License-Identifier: BSD-2-Clause */
/* The SMCCC filter: is there one, what it refuses to take, with which errors. */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

enum { HANDLE, DENY, FORWARD };

/*
 * Reserved are the IDs that no rule can be made for. A range is tried in a VM where none of its IDs is ruled yet: if
 * that works none of them is reserved (and none is tried again in this VM); if it meets a reserved one, its halves
 * are tried, down to single IDs.
 */
struct hunt {
	struct kvm_machine *machine;
	json_t *found;
	uint32_t first, last; /* the reserved range so far */
	bool open;
	unsigned int tries;
};
/* Twice what two ranges of 65536 IDs take; a host that reserves more than that must be looked at by people. */
#define TRIES_MAX (1u << 20)

static void close_range(struct hunt *hunt)
{
	if (hunt->open) {
		json_array_append_new(hunt->found,
				      json_pack("{s:o, s:o}", "first", probe_hex(hunt->first),
						"last", probe_hex(hunt->last)));
	}
	hunt->open = false;
}

static void reserved_id(struct hunt *hunt, uint32_t id)
{
	if (!hunt->open || hunt->last + 1 != id) {
		close_range(hunt);
		hunt->first = id;
		hunt->open = true;
	}
	hunt->last = id;
}

/* Size is a power of two, first a multiple of it. */
static void hunt_range(struct hunt *hunt, uint32_t first, uint32_t size)
{
	const struct filter_range range = {.base = first, .count = size, .action = DENY};

	if (++hunt->tries > TRIES_MAX || probe_filter(hunt->machine, &range) == 0) {
		return;
	}
	if (size == 1) {
		reserved_id(hunt, first);
		return;
	}
	hunt_range(hunt, first, size / 2);
	hunt_range(hunt, first + size / 2, size / 2);
}

static json_t *reserved(struct probe *probe)
{
	struct hunt hunt = {.machine = probe_machine(probe), .found = json_array()};

	if (hunt.machine != NULL) {
		hunt_range(&hunt, 0, 1u << 31);
		hunt_range(&hunt, 1u << 31, 1u << 31);
		close_range(&hunt);
	}
	kvm_machine_free(hunt.machine);
	if (hunt.machine == NULL || hunt.tries > TRIES_MAX) {
		json_decref(hunt.found);
		return probe_fail(probe, "the filter refuses more IDs than were looked at");
	}
	return hunt.found;
}

/* What is tried in a VM of its own: a first range, which nobody asks about, and the one whose error counts. Bases are
 * counted from the ID of a function, or, with HVC_FN_NONE, from 0. */
static const struct {
	const char *what;
	enum hvc_fn from;
	struct filter_range before, range;
} tries[] = {
	{"handle", HVC_FN_TRNG_VERSION, {0}, {0, 1, HANDLE, {0}}},
	{"deny", HVC_FN_TRNG_VERSION, {0}, {0, 1, DENY, {0}}},
	{"forward", HVC_FN_TRNG_VERSION, {0}, {0, 1, FORWARD, {0}}},
	{"action-3", HVC_FN_TRNG_VERSION, {0}, {0, 1, 3, {0}}},
	{"action-255", HVC_FN_TRNG_VERSION, {0}, {0, 1, 255, {0}}},
	{"pad", HVC_FN_TRNG_VERSION, {0}, {0, 1, DENY, {[0] = 1, [14] = 1}}},
	{"empty", HVC_FN_TRNG_VERSION, {0}, {0, 0, DENY, {0}}},
	{"empty-at-0", HVC_FN_NONE, {0}, {0, 0, DENY, {0}}},
	{"wrap", HVC_FN_NONE, {0}, {0xffffffff, 2, DENY, {0}}},
	{"wrap-all", HVC_FN_NONE, {0}, {0xffffffff, 0xffffffff, DENY, {0}}},
	{"last", HVC_FN_NONE, {0}, {0xffffffff, 1, DENY, {0}}},
	{"arch-32", HVC_FN_SMCCC_ARCH_WORKAROUND_1, {0}, {0, 1, DENY, {0}}},
	{"arch-64", HVC_FN_NONE, {0}, {0xc0000000, 1, DENY, {0}}},
	{"below-arch-32", HVC_FN_NONE, {0}, {0x7fffffff, 1, DENY, {0}}},
	{"above-arch-32", HVC_FN_NONE, {0}, {0x80010000, 1, DENY, {0}}},
	{"straddle-below", HVC_FN_NONE, {0}, {0x7fffffff, 2, DENY, {0}}},
	{"straddle-above", HVC_FN_NONE, {0}, {0x8000ffff, 2, DENY, {0}}},
	{"same-again", HVC_FN_TRNG_VERSION, {0, 1, DENY, {0}}, {0, 1, DENY, {0}}},
	{"overlap", HVC_FN_TRNG_VERSION, {0, 4, DENY, {0}}, {2, 8, DENY, {0}}},
	{"adjacent", HVC_FN_TRNG_VERSION, {0, 4, DENY, {0}}, {4, 4, DENY, {0}}},
};

static void add_check(json_t *list, const char *what, int error)
{
	json_array_append_new(list,
			      json_pack("{s:s, s:o}", "what", what, "error", probe_error(error)));
}

static int filter_from(struct kvm_machine *machine, enum hvc_fn from, struct filter_range range)
{
	range.base += from == HVC_FN_NONE ? 0 : hvc_function_at(from)->id32;
	return probe_filter(machine, &range);
}

static void try_all(struct probe *probe, json_t *list)
{
	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		struct kvm_machine *machine = probe_machine(probe);

		if (machine == NULL) {
			return;
		}
		if (tries[i].before.count != 0) {
			(void)filter_from(machine, tries[i].from, tries[i].before);
		}
		add_check(list, tries[i].what, filter_from(machine, tries[i].from, tries[i].range));
		kvm_machine_free(machine);
	}
}

static json_t *filter_checks(struct probe *probe)
{
	struct kvm_machine *machine = probe_machine(probe);
	json_t *list = json_array();

	if (machine != NULL) {
		int error = kvm_machine_has_attr(machine, 0, 0);

		probe->filter = error == 0;
		add_check(list, "has-attribute", error);
		add_check(list, "has-other-attribute", kvm_machine_has_attr(machine, 0, 1));
		add_check(list, "has-other-group", kvm_machine_has_attr(machine, 1, 0));
		kvm_machine_free(machine);
	}
	try_all(probe, list);
	machine = probe_machine(probe);
	if (machine != NULL) {
		/* Page 0 is never mapped. */
		add_check(list, "bad-address", kvm_machine_set_attr(machine, 0, 0, (void *)8));
		kvm_machine_free(machine);
	}
	machine = probe_machine(probe);
	if (machine != NULL) {
		(void)probe_ask(probe, machine, HVC_CONDUIT_HVC, HVC_FN_SMCCC_VERSION, 0);
		add_check(list, "after-run",
			  filter_from(machine, HVC_FN_TRNG_VERSION,
				      (struct filter_range){.count = 1, .action = DENY}));
		kvm_machine_free(machine);
	}
	return list;
}

json_t *probe_filter_facts(struct probe *probe)
{
	json_t *checks = filter_checks(probe);
	json_t *ranges = probe->filter ? reserved(probe) : json_array();

	if (probe_failed(probe)) {
		json_decref(checks);
		json_decref(ranges);
		return NULL;
	}
	return json_pack("{s:o, s:o, s:o}", "supported", probe_yes(probe->filter), "reserved",
			 ranges, "checks", checks);
}
