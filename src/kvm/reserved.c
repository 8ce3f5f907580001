/* SPDX-License-Identifier: BSD-2-Clause */
/* Which IDs the kernel's filter refuses: found by trying every one of them in a VM of its own. */
#include <errno.h>

#include "reserved.h"

#define FILTER_GROUP 0u /* KVM_ARM_VM_SMCCC_CTRL */
#define FILTER_ATTR  0u /* KVM_ARM_VM_SMCCC_FILTER */
#define DENY         1u

struct filter { /* struct kvm_smccc_filter */
	uint32_t base, count;
	uint8_t action;
	uint8_t pad[15];
};

static int deny(struct kvm_machine *machine, uint64_t first, uint64_t last)
{
	const struct filter filter = {
		.base = (uint32_t)first, .count = (uint32_t)(last - first + 1), .action = DENY};

	return kvm_machine_set_attr(machine, FILTER_GROUP, FILTER_ATTR, &filter);
}

static int add(struct kvm_ranges *ranges, uint64_t id)
{
	struct kvm_range *last = &ranges->range[ranges->count];

	if (ranges->count > 0 && id == (uint64_t)last[-1].last + 1) {
		last[-1].last = (uint32_t)id;
		return 0;
	}
	if (ranges->count == KVM_RANGES) {
		return E2BIG;
	}
	last->first = last->last = (uint32_t)id;
	ranges->count++;
	return 0;
}

/* A range that is taken has nothing refused in it; one that is not is halved, down to single IDs. */
static int search(struct kvm_machine *machine, uint64_t first, uint64_t last,
		  struct kvm_ranges *ranges)
{
	/* What is left to look at, the lowest on top: one half waits for each halving. */
	struct {
		uint64_t first, last;
	} stack[64];
	unsigned int depth = 0;

	stack[depth].first = first;
	stack[depth++].last = last;
	while (depth > 0) {
		depth--;
		first = stack[depth].first;
		last = stack[depth].last;
		int error = deny(machine, first, last);

		if (error == EEXIST && first < last) {
			const uint64_t middle = first + (last - first) / 2;

			stack[depth].first = middle + 1;
			stack[depth++].last = last;
			stack[depth].first = first;
			stack[depth++].last = middle;
			continue;
		}
		if (error == EEXIST) {
			error = add(ranges, first);
		}
		if (error != 0) {
			return error;
		}
	}
	return 0;
}

int kvm_reserved_ranges(struct kvm_ranges *ranges, char *why, size_t size)
{
	const struct kvm_machine_config config = {.cpus = 1, .psci_0_2 = true};
	struct kvm_machine *machine = kvm_machine_new(&config, why, size);

	ranges->count = 0;
	if (machine == NULL) {
		return ENODEV;
	}
	int error = kvm_machine_has_attr(machine, FILTER_GROUP, FILTER_ATTR);
	if (error == 0) {
		/* All 2^32 at once cannot be said: the count has 32 bits. */
		error = search(machine, 0, UINT32_MAX / 2, ranges);
	}
	if (error == 0) {
		error = search(machine, UINT32_MAX / 2 + 1ull, UINT32_MAX, ranges);
	}
	kvm_machine_free(machine);
	return error;
}
