/* SPDX-License-Identifier: BSD-2-Clause */
/* Another image for a VM that may be running, and how to know that nobody looks at the old one any more. */
#include <hvcgate/live.h>

#include "rules.h"

/* What the guest sees beside rules is the same: all but the policy's digest. */
static bool same_settings(const struct hvc_image *a, const struct hvc_image *b)
{
	struct hvc_settings settings = a->settings;

	memcpy(settings.policy_sha256, b->settings.policy_sha256, sizeof(settings.policy_sha256));
	return memcmp(&settings, &b->settings, sizeof(settings)) == 0;
}

/* `features` says what discovery tells of forwarded functions, and goes with the rules. */
static bool same_tables(const struct hvc_image *a, const struct hvc_image *b)
{
	struct hvc_tables tables = *hvc_image_tables(a);
	const struct hvc_tables *other = hvc_image_tables(b);

	tables.feature_count = other->feature_count;
	memcpy(tables.features, other->features, sizeof(tables.features));
	return memcmp(&tables, other, sizeof(tables)) == 0;
}

/* What was added to the old rules and tightened in them goes over the new ones. */
static enum hvc_err carry(const struct lookup *old, struct lookup *rules, bool writable)
{
	struct own_range range;
	uint64_t id = 0;

	while (rules_next_own(old, &id, &range)) {
		enum hvc_err err = writable ? lookup_paint_own(rules, range.first, range.last,
							       range.action)
					    : HVC_ENOTSUP;

		if (err != HVC_OK) {
			return err;
		}
	}
	return HVC_OK;
}

/* Calls see the old or the new, whole. */
static uint64_t put_in_place(struct hvc_vm *vm, const struct hvc_image *image,
			     const struct lookup *rules)
{
	uint64_t epoch = atomic_load_explicit(&vm->epoch, memory_order_relaxed) + 1;

	vm->filter.nodes = rules->nodes;
	vm->filter.capacity = rules->capacity;
	hvc_publish(&vm->filter.entries, rules->entries);
	hvc_publish_shared(&vm->image, image);
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		hvc_publish(&vm->vcpus[i]->entries, rules->entries);
	}
	/* Who sees this number sees all of it. */
	atomic_store_explicit(&vm->epoch, epoch, memory_order_release);
	return epoch;
}

enum hvc_err hvc_vm_swap_image(struct hvc_vm *vm, const struct hvc_image *image,
			       void *filter_memory, size_t filter_bytes, uint64_t *epoch)
{
	struct lookup rules;
	enum hvc_err err;

	if (vm == NULL || image == NULL || epoch == NULL || (uintptr_t)filter_memory % 2 != 0) {
		return HVC_EFAULT;
	}
	if (filter_memory == vm->filter.entries) {
		return HVC_EINVAL;
	}
	if (!same_settings(vm->image, image) || !same_tables(vm->image, image)) {
		return HVC_EPERM;
	}
	err = rules_take(&rules, image, filter_memory, filter_bytes);
	if (err == HVC_OK) {
		err = carry(&vm->filter, &rules, filter_memory != NULL);
	}
	if (err == HVC_OK) {
		*epoch = put_in_place(vm, image, &rules);
	}
	return err;
}

void hvc_vcpu_quiescent(struct hvc_vcpu *vcpu)
{
	uint64_t epoch = atomic_load_explicit(&vcpu->vm->epoch, memory_order_acquire);

	/* What it looked at so far it has looked at, says the release. */
	atomic_store_explicit(&vcpu->passed, epoch, memory_order_release);
}

bool hvc_vm_passed(const struct hvc_vm *vm, uint64_t epoch)
{
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		if (atomic_load_explicit(&vm->vcpus[i]->passed, memory_order_acquire) < epoch) {
			return false;
		}
	}
	return true;
}
