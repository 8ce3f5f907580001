/* SPDX-License-Identifier: BSD-2-Clause */
/* Another image for a running VM: what goes along, what is refused, when the old one is free. */
#include <stdlib.h>
#include <string.h>

#include <hvcgate/live.h>

#include "cmocka_all.h"
#include "world.h"

#define PSCI_VERSION 0x84000000u
#define CPU_OFF      0x84000002u
#define CPU_ON       0xc4000003u
#define TRNG_VERSION 0x84000050u

static const struct paint old_rules[] = {{CPU_OFF, CPU_OFF, HVC_DENY},
					 {0x05000000u, 0x0500ffffu, HVC_FORWARD}};
static const struct paint new_rules[] = {{TRNG_VERSION, TRNG_VERSION, HVC_DENY},
					 {0x05000000u, 0x0500ffffu, HVC_NOTIFY}};

/* A VM with the old rules, and another image. */
struct pair {
	struct world *world;
	struct hvc_image *next;
	void *memory; /* for its nodes */
	size_t bytes;
	uint64_t epoch;
};

static struct pair make(const struct hvc_settings *before, const struct hvc_settings *after,
			unsigned int ranges)
{
	struct pair pair = {.world = world_new(&(struct world_setup){.settings = before,
								     .rules = old_rules,
								     .rule_count = 2,
								     .vcpu_count = 3,
								     .filter_ranges = 4})};

	pair.next = world_image(
		&(struct world_setup){.settings = after, .rules = new_rules, .rule_count = 2},
		NULL);
	pair.bytes = hvc_filter_size(pair.next, ranges);
	pair.memory = malloc(pair.bytes);
	assert_non_null(pair.memory);
	return pair;
}

static void done(struct pair *pair)
{
	world_free(pair->world);
	free(pair->next);
	free(pair->memory);
}

static enum hvc_err swap(struct pair *pair, bool with_memory)
{
	return hvc_vm_swap_image(pair->world->vm, pair->next, with_memory ? pair->memory : NULL,
				 with_memory ? pair->bytes : 0, &pair->epoch);
}

static unsigned int action_at(const struct pair *pair, uint32_t id)
{
	return hvc_filter_query(pair->world->vm, id).action;
}

/* Other rules for every vCPU's next call, from the new image, whatever becomes of the old one. */
static void test_new_rules(void **state)
{
	(void)state;
	for (unsigned int with_memory = 0; with_memory < 2; with_memory++) {
		struct pair pair = make(NULL, NULL, 1);
		struct world *world = pair.world;
		size_t old_bytes = hvc_filter_size(world->image, 4);

		hvc_vm_freeze(world->vm);
		assert_int_equal(world_ask(world, TRNG_VERSION, 0, 0, 0), HVC_VERSION(1, 0));
		assert_int_equal(world_ask(world, CPU_OFF, 0, 0, 0), STATUS(NOT_SUPPORTED));
		assert_int_equal(swap(&pair, with_memory != 0), HVC_OK);
		memset(world->image, 0x5a, world->image->bytes);
		memset(world->filter_memory, 0x5a, old_bytes);
		for (unsigned int i = 0; i < 3; i++) {
			struct hvc_frame frame = world_frame(TRNG_VERSION, 0, 0, 0);

			assert_int_equal(hvc_call(world->vcpus[i], HVC_CONDUIT_HVC, 0, &frame),
					 HVC_RESUME);
			assert_int_equal(frame.x[0], STATUS(NOT_SUPPORTED));
			frame = world_frame(CPU_OFF, 0, 0, 0);
			assert_int_equal(hvc_call(world->vcpus[i], HVC_CONDUIT_SMC, 0, &frame),
					 HVC_CPU_OFF);
		}
		assert_int_equal(action_at(&pair, 0x05001234u), HVC_NOTIFY);
		assert_int_equal(world_ask(world, PSCI_VERSION, 0, 0, 0), HVC_VERSION(1, 1));
		assert_int_equal(hvc_image_check(pair.next, pair.next->bytes), HVC_OK);
		/* Narrower still: with memory of its own only. */
		assert_int_equal(hvc_vm_tighten(world->vm, PSCI_VERSION, 1, NULL),
				 with_memory ? HVC_OK : HVC_ENOTSUP);
		assert_int_equal(hvc_image_check(pair.next, pair.next->bytes), HVC_OK);
		done(&pair);
	}
}

/* What was added and tightened holds over the new rules; also where the old rules had denied it anyway. */
static void test_carried(void **state)
{
	struct pair pair = make(NULL, NULL, 4);
	struct hvc_vm *vm = pair.world->vm;

	(void)state;
	assert_int_equal(hvc_filter_add(vm, TRNG_VERSION, 1, HVC_HANDLE), HVC_OK);
	assert_int_equal(hvc_filter_add(vm, 0x12345678u, 0x1000, HVC_FORWARD), HVC_OK);
	hvc_vm_freeze(vm);
	assert_int_equal(hvc_vm_tighten(vm, CPU_OFF, 1, NULL), HVC_OK);
	assert_int_equal(hvc_vm_tighten(vm, 0x05000100u, 0x100, NULL), HVC_OK);
	assert_int_equal(swap(&pair, true), HVC_OK);
	assert_int_equal(action_at(&pair, TRNG_VERSION), HVC_HANDLE);
	assert_int_equal(action_at(&pair, 0x12345677u), HVC_HANDLE);
	assert_int_equal(action_at(&pair, 0x12345678u), HVC_FORWARD);
	assert_int_equal(action_at(&pair, 0x12346677u), HVC_FORWARD);
	assert_int_equal(action_at(&pair, 0x12346678u), HVC_HANDLE);
	assert_int_equal(action_at(&pair, CPU_OFF), HVC_DENY);
	assert_int_equal(action_at(&pair, 0x050000ffu), HVC_NOTIFY);
	assert_int_equal(action_at(&pair, 0x05000100u), HVC_DENY);
	assert_int_equal(action_at(&pair, 0x050001ffu), HVC_DENY);
	assert_int_equal(action_at(&pair, 0x05000200u), HVC_NOTIFY);
	/* And once more, over the first rules again. */
	assert_int_equal(hvc_vm_swap_image(vm, pair.world->image, pair.world->filter_memory,
					   hvc_filter_size(pair.world->image, 4), &pair.epoch),
			 HVC_OK);
	assert_int_equal(pair.epoch, 2);
	assert_int_equal(action_at(&pair, TRNG_VERSION), HVC_HANDLE);
	assert_int_equal(action_at(&pair, 0x05000100u), HVC_DENY);
	assert_int_equal(action_at(&pair, 0x05000200u), HVC_FORWARD);
	assert_int_equal(action_at(&pair, 0x12345678u), HVC_FORWARD);
	done(&pair);
}

static void test_refused(void **state)
{
	struct pair pair = make(NULL, NULL, 0);
	struct world *world = pair.world;
	const size_t whole = pair.bytes;

	(void)state;
	pair.epoch = 77;
	assert_int_equal(hvc_vm_swap_image(NULL, pair.next, NULL, 0, &pair.epoch), HVC_EFAULT);
	assert_int_equal(hvc_vm_swap_image(world->vm, NULL, NULL, 0, &pair.epoch), HVC_EFAULT);
	assert_int_equal(hvc_vm_swap_image(world->vm, pair.next, NULL, 0, NULL), HVC_EFAULT);
	assert_int_equal(hvc_vm_swap_image(world->vm, pair.next, (char *)pair.memory + 1,
					   pair.bytes - 1, &pair.epoch),
			 HVC_EFAULT);
	/* The memory that calls look at now is not free for a new copy. */
	assert_int_equal(hvc_vm_swap_image(world->vm, pair.next, world->filter_memory, whole,
					   &pair.epoch),
			 HVC_EINVAL);
	pair.bytes = whole - 1;
	assert_int_equal(swap(&pair, true), HVC_ENOMEM);
	pair.bytes = 0;
	assert_int_equal(swap(&pair, true), HVC_ENOMEM);
	/* A tightened range has to go somewhere. */
	pair.bytes = whole;
	assert_int_equal(hvc_vm_tighten(world->vm, 0x00123456u, 1, NULL), HVC_OK);
	assert_int_equal(swap(&pair, false), HVC_ENOTSUP);
	assert_int_equal(swap(&pair, true), HVC_ENOMEM);
	assert_int_equal(pair.epoch, 77);
	assert_int_equal(action_at(&pair, 0x05000000u), HVC_FORWARD);
	assert_int_equal(action_at(&pair, TRNG_VERSION), HVC_HANDLE);
	assert_int_equal(world_ask(world, TRNG_VERSION, 0, 0, 0), HVC_VERSION(1, 0));
	assert_true(hvc_vm_passed(world->vm, 0));
	done(&pair);
}

/* The digest may be another, and what discovery says of forwarded functions; nothing else of settings and tables. */
static void test_other_abi(void **state)
{
	struct hvc_settings before, after;
	struct pair pair;

	(void)state;
	hvc_settings_init(&before);
#define SWAPPED(change, err)                                   \
	do {                                                   \
		after = before;                                \
		change;                                        \
		pair = make(&before, &after, 1);               \
		assert_int_equal(swap(&pair, true), (err));    \
		assert_int_equal(pair.epoch, (err) == HVC_OK); \
		done(&pair);                                   \
	} while (0)
	SWAPPED((void)0, HVC_OK);
	SWAPPED(after.policy_sha256[0] = 1, HVC_OK);
	SWAPPED(after.policy_sha256[31] = 255, HVC_OK);
	SWAPPED(after.smccc_version++, HVC_EPERM);
	SWAPPED(after.functions[0] = 0, HVC_EPERM);
	SWAPPED(after.trusted_os = HVC_TRUSTED_OS_STAYS, HVC_EPERM);
	SWAPPED(after.power_state_format = 1, HVC_EPERM);
	SWAPPED(after.replay = 1, HVC_EPERM);
	SWAPPED(after.discovery = HVC_DISCOVERY_RAW, HVC_EPERM);
	SWAPPED(after.regs[HVC_REG_STD_BMAP] = 0, HVC_EPERM);
#undef SWAPPED
}

static struct hvc_image *with_tables(const struct hvc_tables *tables)
{
	size_t capacity;
	struct hvc_image *image = world_image(&(struct world_setup){0}, &capacity);
	struct hvc_image *bigger = realloc(image, capacity + sizeof(*tables));

	assert_non_null(bigger);
	assert_int_equal(hvc_image_add_tables(bigger, capacity + sizeof(*tables), tables), HVC_OK);
	hvc_image_seal(bigger);
	return bigger;
}

static void test_tables(void **state)
{
	struct hvc_tables tables = {.size = sizeof(tables), .soc_name = "board"};
	struct hvc_image *named = with_tables(&tables), *valued, *other;
	struct pair pair = make(NULL, NULL, 1);
	struct hvc_vm *vm = pair.world->vm;

	(void)state;
	tables.feature_count = 1;
	tables.features[0] = (struct hvc_feature_value){.fn = HVC_FN_PSCI_CPU_ON, .value = 1};
	valued = with_tables(&tables);
	tables.soc_name[0] = 'B';
	other = with_tables(&tables);
	assert_int_equal(hvc_vm_swap_image(vm, named, NULL, 0, &pair.epoch), HVC_EPERM);
	free(pair.world->image);
	pair.world->image = with_tables(hvc_image_tables(named));
	assert_int_equal(hvc_vm_init(vm,
				     &(struct hvc_vm_config){.size = sizeof(struct hvc_vm_config),
							     .vcpu_count = 3,
							     .image = pair.world->image},
				     pair.world->vcpus),
			 HVC_OK);
	assert_int_equal(hvc_vm_swap_image(vm, named, NULL, 0, &pair.epoch), HVC_OK);
	assert_int_equal(hvc_vm_swap_image(vm, valued, NULL, 0, &pair.epoch), HVC_OK);
	assert_int_equal(hvc_vm_swap_image(vm, other, NULL, 0, &pair.epoch), HVC_EPERM);
	assert_int_equal(hvc_vm_swap_image(vm, pair.next, NULL, 0, &pair.epoch), HVC_EPERM);
	done(&pair);
	free(named);
	free(valued);
	free(other);
}

/* Passed means: every vCPU, after this swap. */
static void test_epochs(void **state)
{
	struct pair pair = make(NULL, NULL, 1);
	struct world *world = pair.world;
	uint64_t first;

	(void)state;
	assert_true(hvc_vm_passed(world->vm, 0));
	hvc_vcpu_quiescent(world->vcpus[0]);
	assert_int_equal(swap(&pair, true), HVC_OK);
	first = pair.epoch;
	assert_int_equal(first, 1);
	assert_false(hvc_vm_passed(world->vm, first));
	hvc_vcpu_quiescent(world->vcpus[0]);
	hvc_vcpu_quiescent(world->vcpus[2]);
	assert_false(hvc_vm_passed(world->vm, first));
	assert_int_equal(hvc_vm_swap_image(world->vm, world->image, NULL, 0, &pair.epoch), HVC_OK);
	assert_int_equal(pair.epoch, 2);
	hvc_vcpu_quiescent(world->vcpus[1]);
	assert_true(hvc_vm_passed(world->vm, first));
	assert_false(hvc_vm_passed(world->vm, pair.epoch));
	hvc_vcpu_quiescent(world->vcpus[0]);
	assert_false(hvc_vm_passed(world->vm, pair.epoch));
	hvc_vcpu_quiescent(world->vcpus[2]);
	assert_true(hvc_vm_passed(world->vm, pair.epoch));
	done(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new_rules), cmocka_unit_test(test_carried),
		cmocka_unit_test(test_refused),   cmocka_unit_test(test_other_abi),
		cmocka_unit_test(test_tables),    cmocka_unit_test(test_epochs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
