/* SPDX-License-Identifier: BSD-2-Clause */
/* A VM's state as bytes: what comes back, what cannot be saved, and what cannot be restored for want of what. */
#include <stdlib.h>
#include <string.h>

#include <hvcgate/event.h>
#include <hvcgate/forward.h>
#include <hvcgate/live.h>

#include "cmocka_all.h"
#include "pkvm_state.h"
#include "saved_vm.h"
#include "state.h"

#define SUCCESS 0

static struct full full;

/* Something of everything: what `test_comes_back` looks for. */
static void live_a_life(struct world *world)
{
	struct hvc_frame frame = world_frame(0x05000000u, 1, 2, 3);
	struct hvc_transaction transaction;
	enum hvc_forward_state forward;
	struct hvc_event event;
	uint64_t x0;

	assert_int_equal(hvc_vm_set_reg(world->vm, hvc_feature_reg_id(world->vm, 0),
					HVC_VERSION(1, 3)),
			 HVC_OK);
	assert_int_equal(hvc_vm_set_reg(world->vm, hvc_feature_reg_id(world->vm, 6), 1), HVC_OK);
	assert_int_equal(hvc_filter_add(world->vm, 0x12345678u, 0x1000009u, HVC_FORWARD), HVC_OK);
	assert_int_equal(hvc_filter_add(world->vm, 0x21345678u, 1, HVC_HANDLE), HVC_OK);
	assert_int_equal(hvc_vcpu_set_stolen_time(world->vcpus[2], 0x40000040u), HVC_OK);
	hvc_vm_freeze(world->vm);
	assert_int_equal(hvc_vm_tighten(world->vm, id_of(HVC_FN_TRNG_RND), 1, NULL), HVC_OK);
	/* Events 1 and 2, request 1. */
	(void)hvc_call(world->vcpus[0], HVC_CONDUIT_HVC, 0, &frame);
	frame = world_frame(0x05000001u, 1, 2, 3);
	(void)hvc_call(world->vcpus[0], HVC_CONDUIT_HVC, 0, &frame);
	assert_true(hvc_event_take(world->vm, &event));
	frame = world_frame(0x05000100u, 1, 2, 3);
	assert_int_equal(hvc_call(world->vcpus[0], HVC_CONDUIT_HVC, 0, &frame), HVC_FORWARDED);
	assert_int_equal(hvc_forward_begin(world->vcpus[0], HVC_CONDUIT_HVC, NULL, &frame,
					   &transaction, &forward),
			 HVC_OK);
	assert_int_equal(hvc_forward_cancel(world->vcpus[0], &frame), HVC_OK);
	/* CPU 1 runs and is powered down, 2 is frozen, 3 is to start. */
	assert_int_equal(call_by(world, 0, HVC_FN_PSCI_SET_SUSPEND_MODE, 1, 0, 0, &x0), HVC_RESUME);
	assert_int_equal(x0, SUCCESS);
	for (unsigned int cpu = 1; cpu < 4; cpu++) {
		assert_int_equal(call_by(world, 0, HVC_FN_PSCI_CPU_ON, cpu, 0x1000u * cpu, cpu,
					 &x0),
				 HVC_RESUME);
		assert_int_equal(x0, SUCCESS);
	}
	(void)hvc_vcpu_started(world->vcpus[1]);
	(void)hvc_vcpu_started(world->vcpus[2]);
	world->us = 1000;
	assert_int_equal(call_by(world, 1, HVC_FN_PSCI_CPU_SUSPEND, 0x00010001u, 0x8000, 77, &x0),
			 HVC_CPU_POWERDOWN);
	world->us = 1500;
	hvc_vcpu_woke(world->vcpus[1]);
	assert_int_equal(call_by(world, 1, HVC_FN_PSCI_CPU_SUSPEND, 0x00010001u, 0x9000, 78, &x0),
			 HVC_CPU_POWERDOWN);
	assert_int_equal(call_by(world, 2, HVC_FN_PSCI_CPU_FREEZE, 0, 0, 0, &x0), HVC_CPU_FREEZE);
	(void)call_by(world, 0, HVC_FN_PSCI_MEM_PROTECT, 1, 0, 0, &x0);
	/* What a protected guest shares and guards. */
	for (unsigned int i = 0; i < 5; i++) {
		struct share_range range = {.ipa = WORLD_SHARE_BASE + 4096u * 3 * i, .bytes = 8192};

		assert_int_equal(shares_add(world->vm->shares, &range), HVC_OK);
		assert_int_equal(shares_mmio_add(world->vm->shares, 0x9000000u - 0x100000u * i),
				 HVC_OK);
	}
	(void)call_by(world, 0, HVC_FN_PKVM_MMIO_GUARD_ENROLL, 0, 0, 0, &x0);
}

static struct world *lived(void)
{
	struct world *world = world_new(&full.setup);

	live_a_life(world);
	return world;
}

static enum hvc_err restore(struct world *world, const struct saved *saved,
			    struct hvc_restore_detail *detail)
{
	*detail = (struct hvc_restore_detail){.size = sizeof(*detail)};
	return hvc_vm_restore(world->vm, saved->bytes, saved->size, detail);
}

static void test_comes_back(void **state)
{
	struct world *there = lived(), *here = world_new(&full.setup);
	struct saved saved = saved_of(there), again;
	struct hvc_restore_detail detail;
	struct hvc_request start;
	uint64_t value, x0;

	(void)state;
	print_message("a VM with everything: %zu bytes\n", saved.size);
	assert_int_equal(restore(here, &saved, &detail), HVC_OK);
	assert_int_equal(detail.missing, HVC_MISSING_NOTHING);
	again = saved_of(here);
	assert_true(saved_equal(&saved, &again));
	assert_int_equal(hvc_vm_get_reg(here->vm, hvc_feature_reg_id(here->vm, 6), &value), HVC_OK);
	assert_int_equal(value, 1);
	/* It has run. */
	assert_int_equal(hvc_vm_set_reg(here->vm, hvc_feature_reg_id(here->vm, 6), 0), HVC_EBUSY);
	assert_int_equal(hvc_filter_query(here->vm, id_of(HVC_FN_TRNG_RND)).action, HVC_DENY);
	assert_int_equal(hvc_filter_query(here->vm, 0x13345680u).action, HVC_FORWARD);
	assert_int_equal(hvc_filter_query(here->vm, 0x13345681u).action, HVC_HANDLE);
	/* CPU 3 is to be started, as CPU_ON said. */
	assert_int_equal(hvc_vcpu_power(here->vcpus[3]), 2);
	assert_int_equal(here->starts, 0);
	start = hvc_vcpu_started(here->vcpus[3]);
	assert_int_equal(start.entry, 0x3000);
	assert_int_equal(start.context, 3);
	assert_int_equal(hvc_vcpu_power(here->vcpus[3]), 0);
	/* CPU 1 sleeps, and goes on where it asked for. */
	assert_int_equal(hvc_vcpu_request(here->vcpus[1]).entry, 0x9000);
	assert_int_equal(hvc_vcpu_request(here->vcpus[1]).context, 78);
	assert_int_equal(hvc_vcpu_request(here->vcpus[1]).function, HVC_FN_PSCI_CPU_SUSPEND);
	assert_true(hvc_vm_mem_protected(here->vm));
	assert_int_equal(hvc_event_next(here->vm), 3);
	(void)call_by(here, 0, HVC_FN_PSCI_STAT_COUNT, 1, 0x00010001u, 0, &x0);
	assert_int_equal(x0, 2);
	(void)call_by(here, 0, HVC_FN_PSCI_STAT_RESIDENCY, 1, 0x00010001u, 0, &x0);
	assert_int_equal(x0, 500);
	free(saved.bytes);
	free(again.bytes);
	world_free(there);
	world_free(here);
}

static void test_room(void **state)
{
	struct world *world = lived();
	struct saved saved = saved_of(world);
	size_t size = saved.size - 1;
	uint8_t *bytes = malloc(size);

	(void)state;
	assert_non_null(bytes);
	memset(bytes, 0x5a, size);
	assert_int_equal(hvc_vm_save(world->vm, bytes, &size, NULL), HVC_E2BIG);
	assert_int_equal(size, saved.size);
	for (size_t i = 0; i < saved.size - 1; i++) {
		assert_int_equal(bytes[i], 0x5a);
	}
	assert_int_equal(hvc_vm_save(NULL, bytes, &size, NULL), HVC_EFAULT);
	assert_int_equal(hvc_vm_save(world->vm, NULL, &size, NULL), HVC_EFAULT);
	assert_int_equal(hvc_vm_save(world->vm, bytes, NULL, NULL), HVC_EFAULT);
	free(bytes);
	free(saved.bytes);
	world_free(world);
}

/* Who waits for an answer cannot be saved, unless its call can be made again. */
static void test_pending(void **state)
{
	(void)state;
	for (unsigned int replay = 0; replay < 2; replay++) {
		struct hvc_frame frame = world_frame(0x05000100u, 1, 2, 3);
		struct world *world, *here;
		size_t size = 0;
		uint32_t vcpu = 99;

		full.settings.replay = replay;
		world = lived();
		here = world_new(&full.setup);
		(void)hvc_vcpu_started(world->vcpus[3]);
		assert_int_equal(hvc_call(world->vcpus[3], HVC_CONDUIT_HVC, 0, &frame),
				 HVC_FORWARDED);
		if (replay == 0) {
			assert_int_equal(hvc_vm_save(world->vm, NULL, &size, NULL), HVC_EBUSY);
			assert_int_equal(hvc_vm_save(world->vm, NULL, &size, &vcpu), HVC_EBUSY);
			assert_int_equal(vcpu, 3);
			assert_int_equal(hvc_forward_cancel(world->vcpus[3], &frame), HVC_OK);
		}
		struct saved saved = saved_of(world);
		struct hvc_restore_detail detail;

		assert_int_equal(restore(here, &saved, &detail), HVC_OK);
		assert_int_equal(hvc_forward_cancel(here->vcpus[3], &frame), HVC_ENOENT);
		free(saved.bytes);
		world_free(world);
		world_free(here);
	}
	full.settings.replay = 0;
}

/* A call that was left goes with its answer, or with there being none, once it is over: the guest, that makes it again, finds
 * it, and no request is sent. */
static struct hvc_transaction begin_call(struct world *world, uint32_t id, uint64_t pc,
					 struct hvc_frame *frame, enum hvc_forward_state *state)
{
	const struct hvc_restart_key key = {.pc = pc, .sp = 0x2000};
	struct hvc_transaction transaction = {.sequence = 0};

	*frame = world_frame(id, 1, 0, 3);
	assert_int_equal(hvc_call(world->vcpus[0], HVC_CONDUIT_HVC, 0, frame), HVC_FORWARDED);
	assert_int_equal(hvc_forward_begin(world->vcpus[0], HVC_CONDUIT_HVC, &key, frame,
					   &transaction, state),
			 HVC_OK);
	return transaction;
}

static void test_left(void **state)
{
	const struct hvc_frame answer = {.x = {77, 78, 79}};
	const uint32_t id = 0x05000100u;
	struct world *world = lived(), *here = world_new(&full.setup);
	struct hvc_transaction first, second;
	struct hvc_restore_detail detail;
	enum hvc_forward_state found;
	struct hvc_frame frame;
	struct saved saved;
	size_t size = 0;

	(void)state;
	first = begin_call(world, id, 0x1000, &frame, &found);
	assert_int_equal(hvc_forward_leave(world->vcpus[0]), HVC_OK);
	second = begin_call(world, id, 0x1004, &frame, &found);
	assert_int_equal(hvc_forward_leave(world->vcpus[0]), HVC_OK);
	assert_int_equal(hvc_forward_fail(world->vm, second.sequence), HVC_OK);
	assert_int_equal(hvc_vm_save(world->vm, NULL, &size, NULL), HVC_EBUSY);
	assert_int_equal(hvc_forward_reply(world->vm, first.sequence, &answer, 3), HVC_OK);
	saved = saved_of(world);
	assert_int_equal(restore(here, &saved, &detail), HVC_OK);

	(void)begin_call(here, id, 0x1000, &frame, &found);
	assert_int_equal(found, HVC_FORWARD_ANSWERED);
	assert_int_equal(frame.x[0], 77);
	assert_int_equal(frame.x[1], 78);
	assert_int_equal(frame.x[3], 3);
	(void)begin_call(here, id, 0x1004, &frame, &found);
	assert_int_equal(found, HVC_FORWARD_ANSWERED);
	assert_int_equal(frame.x[0], UINT64_MAX);
	/* That was all; what is sent next has a number of its own. */
	assert_int_equal(begin_call(here, id, 0x1000, &frame, &found).sequence,
			 second.sequence + 1);
	assert_int_equal(found, HVC_FORWARD_NEW);
	free(saved.bytes);
	world_free(world);
	world_free(here);
}

static void test_left_too_many(void **state)
{
	const unsigned int before = full.setup.transactions;
	struct world *world = lived(), *here;
	struct hvc_restore_detail detail;
	enum hvc_forward_state found;
	struct hvc_frame frame;
	struct saved saved;

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		struct hvc_transaction call = begin_call(world, 0x05000100u, 0x1000 + 4 * i, &frame,
							 &found);

		assert_int_equal(hvc_forward_leave(world->vcpus[0]), HVC_OK);
		assert_int_equal(hvc_forward_fail(world->vm, call.sequence), HVC_OK);
	}
	saved = saved_of(world);
	full.setup.transactions = 1;
	here = world_new(&full.setup);
	assert_int_equal(restore(here, &saved, &detail), HVC_ENXIO);
	assert_int_equal(detail.missing, HVC_MISSING_FORWARD);
	assert_int_equal(detail.wanted, 2);
	assert_int_equal(detail.have, 1);
	full.setup.transactions = before;
	free(saved.bytes);
	world_free(world);
	world_free(here);
}

static void test_arguments(void **state)
{
	struct world *there = lived(), *here = world_new(&full.setup);
	struct saved saved = saved_of(there);
	struct hvc_restore_detail detail = {.size = sizeof(detail) + 1};

	(void)state;
	assert_int_equal(hvc_vm_restore(NULL, saved.bytes, saved.size, NULL), HVC_EFAULT);
	assert_int_equal(hvc_vm_restore(here->vm, NULL, saved.size, NULL), HVC_EFAULT);
	assert_int_equal(hvc_vm_restore(here->vm, saved.bytes, saved.size, &detail), HVC_EINVAL);
	assert_int_equal(hvc_vm_restore(here->vm, NULL, 0, NULL), HVC_EBADMSG);
	/* Not fresh: it has run, or has ranges of its own. */
	assert_int_equal(hvc_vm_restore(there->vm, saved.bytes, saved.size, NULL), HVC_EBUSY);
	assert_int_equal(hvc_filter_add(here->vm, 0x1234u, 1, HVC_DENY), HVC_OK);
	assert_int_equal(hvc_vm_restore(here->vm, saved.bytes, saved.size, NULL), HVC_EBUSY);
	free(saved.bytes);
	world_free(there);
	world_free(here);
}

/* One VM that lacks something of what a saved one had; it stays as it is. */
#define REFUSED(change, what)                               \
	do {                                                \
		struct full less = full;                    \
                                                            \
		less.setup.settings = &less.settings;       \
		less.setup.tables = &less.tables;           \
		change;                                     \
		check_refused(&saved, &less.setup, (what)); \
	} while (0)

static struct hvc_restore_detail last;

static void check_refused(const struct saved *saved, const struct world_setup *setup,
			  enum hvc_missing what)
{
	struct world *world = world_new(setup);
	struct snapshot before;

	snapshot_take(&before, world, setup);
	assert_int_equal(restore(world, saved, &last), HVC_ENXIO);
	assert_int_equal(last.missing, what);
	assert_string_not_equal(hvc_missing_name(what), "?");
	assert_true(snapshot_same(&before));
	assert_int_equal(hvc_vm_restore(world->vm, saved->bytes, saved->size, NULL), HVC_ENXIO);
	snapshot_free(&before);
	world_free(world);
}

static void test_missing(void **state)
{
	struct world *there = lived();
	struct saved saved = saved_of(there);

	(void)state;
	REFUSED(less.settings.policy_sha256[31] ^= 1, HVC_MISSING_POLICY);
	REFUSED(less.setup.vcpu_count = 3, HVC_MISSING_VCPUS);
	assert_int_equal(last.wanted, 4);
	assert_int_equal(last.have, 3);
	REFUSED(less.setup.vcpu_count = 5, HVC_MISSING_VCPUS);
	REFUSED(less.setup.filter_ranges = 0, HVC_MISSING_FILTER);
	REFUSED(less.setup.filter_ranges = 1, HVC_MISSING_FILTER);
	assert_int_equal(last.wanted, 3);
	assert_int_equal(last.have, 1);
	REFUSED(less.setup.transactions = 0, HVC_MISSING_FORWARD);
	REFUSED(less.setup.events = 0, HVC_MISSING_EVENTS);
	REFUSED(less.setup.share_ram += 4096, HVC_MISSING_SHARE);
	/* Less of a host is fewer functions. */
	REFUSED(less.setup.host_time = false, HVC_MISSING_FUNCTION);
	REFUSED(less.setup.host_power = false, HVC_MISSING_FUNCTION);
	assert_int_equal(hvc_function_at(hvc_function_by_id((uint32_t)last.wanted_id))->service,
			 HVC_SERVICE_PSCI);
	REFUSED(less.setup.share_ram = 0, HVC_MISSING_FUNCTION);
	/* Other registers, under the same digest. */
	REFUSED(less.settings.reg_mask[HVC_REG_STD_BMAP] = less.settings.regs[HVC_REG_STD_BMAP] = 0,
		HVC_MISSING_VALUE);
	assert_int_equal(last.wanted_id, hvc_feature_reg_id(there->vm, HVC_REG_STD_BMAP));
	assert_int_equal(last.wanted, 1);
	free(saved.bytes);
	world_free(there);
}

/* Statistics go along also where the version has no functions that tell them. */
static void test_missing_stats(void **state)
{
	struct world *there = world_new(&full.setup), *here = world_new(&full.setup);
	struct hvc_restore_detail detail;
	struct saved saved;
	size_t bytes;

	(void)state;
	assert_int_equal(hvc_vm_set_reg(there->vm, hvc_feature_reg_id(there->vm, 0),
					HVC_VERSION(0, 2)),
			 HVC_OK);
	saved = saved_of(there);
	assert_int_not_equal(saved_section(&saved, 7, &bytes), 0);
	here->vm->stats = NULL;
	assert_int_equal(restore(here, &saved, &detail), HVC_ENXIO);
	assert_int_equal(detail.missing, HVC_MISSING_STATS);
	free(saved.bytes);
	world_free(there);
	world_free(here);
}

static void test_affinity(void **state)
{
	struct world *there = lived(), *here = world_new(&full.setup);
	struct saved saved = saved_of(there);
	struct hvc_restore_detail detail;

	(void)state;
	assert_int_equal(hvc_vcpu_setup(here->vcpus[2], 0x100000203u, NULL), HVC_OK);
	assert_int_equal(restore(here, &saved, &detail), HVC_ENXIO);
	assert_int_equal(detail.missing, HVC_MISSING_VCPU);
	assert_int_equal(detail.index, 2);
	assert_int_equal(detail.wanted, 2);
	assert_int_equal(detail.have, 0x100000203u);
	assert_int_equal(hvc_vcpu_setup(here->vcpus[2], 2, NULL), HVC_OK);
	/* The VMM gives records at once, too: the same ones are fine. */
	assert_int_equal(hvc_vcpu_set_stolen_time(here->vcpus[2], 0x40000080u), HVC_OK);
	assert_int_equal(restore(here, &saved, &detail), HVC_ENXIO);
	assert_int_equal(detail.missing, HVC_MISSING_STOLEN);
	assert_int_equal(detail.index, 2);
	assert_int_equal(detail.wanted, 0x40000040u);
	here->vcpus[2]->stolen_time = 0x40000040u;
	assert_int_equal(restore(here, &saved, &detail), HVC_OK);
	free(saved.bytes);
	world_free(there);
	world_free(here);
}

/* To where fewer registers are known: if the others mean nothing. */
static void test_fewer_registers(void **state)
{
	(void)state;
	for (unsigned int cleared = 0; cleared < 2; cleared++) {
		struct world *there = world_new(&full.setup), *here = world_new(&full.setup);
		struct hvc_restore_detail detail;
		struct saved saved;

		if (cleared != 0) {
			assert_int_equal(hvc_vm_clear_from(there->vm, 5), HVC_OK);
		}
		saved = saved_of(there);
		assert_int_equal(hvc_vm_show(here->vm, 5), HVC_OK);
		assert_int_equal(restore(here, &saved, &detail), cleared ? HVC_OK : HVC_ENXIO);
		if (cleared == 0) {
			assert_int_equal(detail.missing, HVC_MISSING_REGISTER);
			assert_int_equal(detail.wanted_id, hvc_feature_reg_id(there->vm, 5));
			assert_int_equal(detail.wanted, 1);
		}
		assert_int_equal(hvc_vm_check(here->vm, HVC_CAP_FEATURE_REGS), 5);
		free(saved.bytes);
		world_free(there);
		world_free(here);
	}
}

/* The list is as long as it was, and what is behind it means nothing. */
static void test_shown(void **state)
{
	struct world *there = world_new(&full.setup), *here = world_new(&full.setup);
	struct hvc_restore_detail detail;
	struct saved saved, again;
	uint64_t value;

	(void)state;
	assert_int_equal(hvc_vm_show(there->vm, 3), HVC_OK);
	saved = saved_of(there);
	assert_int_equal(restore(here, &saved, &detail), HVC_OK);
	assert_int_equal(hvc_vm_check(here->vm, HVC_CAP_FEATURE_REGS), 3);
	again = saved_of(here);
	assert_true(saved_equal(&saved, &again));
	assert_int_equal(hvc_vm_show(here->vm, 8), HVC_OK);
	assert_int_equal(hvc_vm_get_reg(here->vm, hvc_feature_reg_id(here->vm, 4), &value), HVC_OK);
	assert_int_equal(value, 0);
	assert_int_equal(world_ask(here, id_of(HVC_FN_TRNG_VERSION), 0, 0, 0), STATUS(-1));
	free(saved.bytes);
	free(again.bytes);
	world_free(there);
	world_free(here);
}

/* The least VM there is. */
static void test_bare(void **state)
{
	const struct world_setup setup = {.no_platform = true};
	struct world *there = world_new(&setup), *here = world_new(&setup);
	struct hvc_restore_detail detail;
	struct saved saved = saved_of(there), again;

	(void)state;
	print_message("the least VM: %zu bytes\n", saved.size);
	assert_int_equal(restore(here, &saved, &detail), HVC_OK);
	again = saved_of(here);
	assert_true(saved_equal(&saved, &again));
	/* It had not run: the filter is open. */
	assert_int_equal(hvc_filter_add(here->vm, 0x1234u, 1, HVC_DENY), HVC_ENOMEM);
	free(saved.bytes);
	free(again.bytes);
	world_free(there);
	world_free(here);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_comes_back),    cmocka_unit_test(test_room),
		cmocka_unit_test(test_pending),       cmocka_unit_test(test_left),
		cmocka_unit_test(test_left_too_many), cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_missing),       cmocka_unit_test(test_missing_stats),
		cmocka_unit_test(test_affinity),      cmocka_unit_test(test_fewer_registers),
		cmocka_unit_test(test_shown),         cmocka_unit_test(test_bare),
	};

	full_init(&full);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
