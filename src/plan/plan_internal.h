/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the plan share: the two VMs that are compared, and how. */
#ifndef HVCGATE_PLAN_INTERNAL_H
#define HVCGATE_PLAN_INTERNAL_H

#include <hvcgate/engine.h>

#include "plan.h"

/* --- plan_vm.c: a VM of two vCPUs that can be made anew before each call. */
#define PLAN_RAM       0x40000000ull
#define PLAN_RAM_BYTES 0x40000000ull

struct plan_vm {
	struct hvc_image *image;
	struct hvc_platform platform;
	struct hvc_vm_config config;
	struct hvc_vm *vm;
	struct hvc_vcpu *vcpus[2];
	/* Written to the VM each time it is made: the plan's. */
	const struct hvc_plan *plan;
};

/* The image becomes the VM's, also where this fails: HVC_ENOMEM, HVC_EINVAL. */
enum hvc_err plan_vm_make(struct plan_vm *vm, struct hvc_image *image);
void plan_vm_free(struct plan_vm *vm);
/* As it was made, with the registers of vm->plan, about to run. */
enum hvc_err plan_vm_again(struct plan_vm *vm);
/* The kernel's settings, and an image of them; and the policy's, with the levels of the kernel's workarounds where no
 * file says any. */
void plan_kernel_settings(const struct hvc_plan_host *host, struct hvc_settings *settings);
enum hvc_err plan_kernel_image(const struct hvc_settings *settings, struct hvc_image **image);
enum hvc_err plan_policy_image(const struct hvc_policy *policy, const struct hvc_settings *kernel,
			       struct hvc_image **image);

/* --- plan_compare.c */
/* Both VMs, for as long as a plan is made. */
struct planner {
	const struct hvc_policy *policy;
	const struct hvc_plan_host *host;
	struct hvc_plan *plan;
	struct hvc_settings kernel_settings;
	struct plan_vm kernel, own;
	size_t forward_capacity, range_capacity;
};

/* Is an ID served: by the kernel with its registers, by the policy's engine? */
bool plan_kernel_serves(const struct planner *planner, uint32_t id);
bool plan_own_serves(const struct planner *planner, uint32_t id);

/* One call of both. True: they differ. */
bool plan_calls_differ(struct planner *planner, uint32_t id, enum hvc_conduit conduit,
		       const uint64_t x[4], struct hvc_plan_difference *difference);
/* Calls with many arguments, by `conduit`: how many differ; the first one, and (functions that ask for others) of which
 * functions they differ. */
struct plan_comparison {
	unsigned int differences;
	struct hvc_plan_difference first;
	struct plan_set told; /* slot 0: of what is no function, too */
};
void plan_compare(struct planner *planner, uint32_t id, enum hvc_conduit conduit,
		  struct plan_comparison *comparison);
/* Does it ask whether others are there? */
bool plan_is_discovery(unsigned int slot);

/* --- plan_registers.c */
void plan_registers(struct planner *planner);
/* Behind ranges and limits: what a VMM is shown. */
void plan_seen(struct planner *planner);
/* --- plan_limits.c */
void plan_limits(struct planner *planner);
/* --- plan_ranges.c */
enum hvc_err plan_ranges(struct planner *planner);

#endif
