/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Does what a VM says it has agree with what it does when called? Under policies made at random; each function is called
 * in the VM, which is then put back to what it was, and what came back is the truth that discovery is held against.
 */
#ifndef TESTS_COHERENCE_H
#define TESTS_COHERENCE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <hvcgate/engine.h>

#include "world.h"

enum { POLICY_RULES = 96, POLICY_RANGES = 4, POLICY_SHARE_RAM = 64 * 4096 };

struct policy_range {
	uint32_t base, count;
	enum hvc_action action;
};

/* All that decides what there is. Plain values, so that one can be left out at a time. */
struct policy {
	const char *profile;
	struct hvc_settings settings;
	struct hvc_tables tables;
	struct paint rules[POLICY_RULES];
	unsigned int rule_count;
	enum hvc_action otherwise;
	uint32_t flags; /* HVC_VM_* */
	bool events, stats, shares, transactions;
	bool no_record;     /* the vCPU has no stolen-time record */
	uint32_t callbacks; /* of struct hvc_platform, a bit each, in its order */
	struct policy_range added[POLICY_RANGES], tightened[POLICY_RANGES];
	unsigned int added_count, tightened_count;
	unsigned int
		shown; /* registers that the list shows, or more than there are: hvc_vm_show() is not called */
};

/* A VM under a policy, and what it was when it was made. */
struct coherent_vm {
	struct hvc_vm *vm;
	struct hvc_vcpu *vcpus[2];
	const struct policy *policy;
	struct hvc_platform platform;
	struct hvc_counters counters; /* of vCPU 0 */
	uint64_t counted[HVC_FN_COUNT];
	bool answered; /* its service answered the last call, whatever it said: as the counters have it */
	struct hvc_image *image;
	struct piece {
		void *memory, *copy;
		size_t bytes;
	} pieces[8]; /* what a call may change */
	unsigned int piece_count;
};

void policy_random(struct rng *rng, struct policy *policy);
void policy_print(FILE *file, const struct policy *policy);

/* False: the engine refuses such a VM (no PSCI 0.1 in the profile, say). */
bool coherent_vm_make(struct coherent_vm *vm, const struct policy *policy);
void coherent_vm_free(struct coherent_vm *vm);
/* One call by vCPU 0, and back to what was. */
enum hvc_verdict coherent_vm_call(struct coherent_vm *vm, struct hvc_frame *frame,
				  struct hvc_outcome *outcome);

/* True: discovery and dispatch agree. Else what does not is in `why`. */
bool coherent(struct coherent_vm *vm, char *why, size_t size);

/* What was seen so far, that no kind of case is missed: calls of any policy. */
struct coherent_seen {
	uint64_t handled, denied, forwarded, notified, failed, absent, stated, excused, queries;
};
extern struct coherent_seen coherent_seen;

#endif
