/* SPDX-License-Identifier: BSD-2-Clause */
#include "random_vm.h"

#include <hvcgate/forward.h>
#include <hvcgate/live.h>

#include "pkvm_state.h"
#include "psci.h"

enum { LIFE = 60 };

struct target target_new(const struct world_setup *setup)
{
	struct target target = {.world = world_new(setup)};

	snapshot_take(&target.fresh, target.world, setup);
	return target;
}

void target_free(struct target *target)
{
	snapshot_free(&target->fresh);
	world_free(target->world);
}

enum hvc_err target_restore(struct target *target, const struct saved *saved)
{
	struct hvc_restore_detail detail = {.size = sizeof(detail)};
	enum hvc_err err = hvc_vm_restore(target->world->vm, saved->bytes, saved->size, &detail);

	assert_true(detail.missing < HVC_MISSING_COUNT);
	assert_true(err == HVC_EBADMSG ? detail.offset <= saved->size : detail.offset == 0);
	assert_int_equal(err == HVC_ENXIO || err == HVC_ENOTSUP, detail.missing != 0);
	if (err != HVC_OK) {
		assert_true(snapshot_same(&target->fresh));
	}
	return err;
}

/* --- Random VMs. */
static void configure(struct world *world, struct rng *rng)
{
	struct hvc_vm *vm = world->vm;

	if (rng_below(rng, 3) == 0) {
		assert_int_equal(hvc_vm_show(vm, rng_below(rng, 9)), HVC_OK);
	}
	for (unsigned int i = rng_below(rng, 4); i-- > 0;) {
		uint64_t id = hvc_feature_reg_id(vm, rng_below(rng, 8));

		(void)hvc_vm_set_reg(vm, id, rng_below(rng, 4));
		(void)hvc_vm_set_reg(vm, id, HVC_VERSION(1, rng_below(rng, 4)));
	}
	for (unsigned int i = rng_below(rng, 5); i-- > 0;) {
		(void)hvc_filter_add(vm, (uint32_t)rng_next(rng), 1u << rng_below(rng, 26),
				     (enum hvc_action)rng_below(rng, 4));
	}
	for (unsigned int i = 0; i < 4; i++) {
		if (rng_below(rng, 4) == 0) {
			(void)hvc_vcpu_set_stolen_time(world->vcpus[i], rng_next(rng) & ~63ull);
		}
	}
}

void live(struct world *world, struct rng *rng)
{
	static const enum hvc_fn calls[] = {
		HVC_FN_PSCI_CPU_ON,
		HVC_FN_PSCI_CPU_ON,
		HVC_FN_PSCI_CPU_OFF,
		HVC_FN_PSCI_CPU_SUSPEND,
		HVC_FN_PSCI_CPU_SUSPEND,
		HVC_FN_PSCI_CPU_DEFAULT_SUSPEND,
		HVC_FN_PSCI_CPU_FREEZE,
		HVC_FN_PSCI_SET_SUSPEND_MODE,
		HVC_FN_PSCI_MEM_PROTECT,
		HVC_FN_PSCI_MIGRATE,
		HVC_FN_PKVM_MEM_SHARE,
		HVC_FN_PKVM_MEM_SHARE,
		HVC_FN_PKVM_MEM_UNSHARE,
		HVC_FN_PKVM_MMIO_GUARD,
		HVC_FN_PKVM_MMIO_GUARD_ENROLL,
		HVC_FN_PSCI_SYSTEM_SUSPEND,
	};
	static const uint32_t powers[] = {0, 0x10001u, 0x1010002u};
	unsigned int vcpu = rng_below(rng, 4);
	enum hvc_fn fn = calls[rng_below(rng, sizeof(calls) / sizeof(calls[0]))];
	uint64_t x1 = rng_below(rng, 4);

	world->us += rng_below(rng, 1000);
	if (hvc_vcpu_power(world->vcpus[vcpu]) == POWER_ON_PENDING && rng_below(rng, 2) != 0) {
		(void)hvc_vcpu_started(world->vcpus[vcpu]);
	}
	if (hvc_vcpu_power(world->vcpus[vcpu]) != POWER_ON) {
		return;
	}
	if (rng_below(rng, 8) != 0) { /* or its call says so */
		hvc_vcpu_woke(world->vcpus[vcpu]);
	}
	if (fn == HVC_FN_PSCI_CPU_SUSPEND) {
		x1 = powers[rng_below(rng, 3)];
	} else if (fn == HVC_FN_PSCI_CPU_DEFAULT_SUSPEND || fn == HVC_FN_PSCI_SYSTEM_SUSPEND) {
		x1 = 0x1000;
	} else if (fn == HVC_FN_PKVM_MEM_SHARE || fn == HVC_FN_PKVM_MEM_UNSHARE) {
		x1 = WORLD_SHARE_BASE + 4096u * rng_below(rng, 100);
	} else if (fn == HVC_FN_PKVM_MMIO_GUARD) {
		x1 = 4096u * rng_below(rng, 1000);
	}
	(void)call_by(world, vcpu, fn, x1, fn == HVC_FN_PSCI_CPU_ON || x1 == 0x10001u ? 0x2000 : 0,
		      fn == HVC_FN_PSCI_CPU_ON ? rng_next(rng) : 0, NULL);
}

/* A forwarded call, whose vCPU either waits, or leaves it and comes back at the destination, if ever. */
static void leave_or_cancel(struct world *world, struct rng *rng, struct hvc_frame *frame)
{
	const struct hvc_restart_key key = {rng_next(rng), rng_next(rng)};
	const struct hvc_frame reply = {.x = {rng_next(rng), rng_next(rng), rng_next(rng)}};
	struct hvc_transaction call;
	enum hvc_forward_state state;

	if (rng_below(rng, 2) == 0 ||
	    hvc_forward_begin(world->vcpus[0], HVC_CONDUIT_HVC, &key, frame, &call, &state) !=
		    HVC_OK ||
	    state != HVC_FORWARD_NEW) {
		assert_int_equal(hvc_forward_cancel(world->vcpus[0], frame), HVC_OK);
		return;
	}
	assert_int_equal(hvc_forward_leave(world->vcpus[0]), HVC_OK);
	assert_int_equal(rng_below(rng, 2) == 0
				 ? hvc_forward_fail(world->vm, call.sequence)
				 : hvc_forward_reply(world->vm, call.sequence, &reply,
						     (uint32_t)rng_next(rng)),
			 HVC_OK);
}

struct world *random_vm(const struct world_setup *setup, struct rng *rng)
{
	struct world *world = world_new(setup);

	configure(world, rng);
	if (rng_below(rng, 8) == 0) {
		return world; /* it has not run */
	}
	hvc_vm_freeze(world->vm);
	for (unsigned int i = rng_below(rng, LIFE); i-- > 0;) {
		live(world, rng);
		if (rng_below(rng, 16) == 0) {
			(void)hvc_vm_tighten(world->vm, (uint32_t)rng_next(rng),
					     1u << rng_below(rng, 26), NULL);
		}
		if (rng_below(rng, 8) == 0) {
			struct hvc_frame frame = world_frame(
				rng_below(rng, 2) == 0 ? 0x05000000u : 0x05000100u, 0, 0, 0);

			if (hvc_call(world->vcpus[0], HVC_CONDUIT_HVC, 0, &frame) ==
			    HVC_FORWARDED) {
				leave_or_cancel(world, rng, &frame);
			}
		}
	}
	return world;
}
