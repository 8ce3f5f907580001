/* SPDX-License-Identifier: BSD-2-Clause */
/* Making a VM, and the call path itself: normalising, deciding, counting, power at the start. */
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "state.h"
#include "world.h"

static void test_sizes(void **state)
{
	(void)state;
	print_message("VM %zu bytes, vCPU %zu bytes\n", hvc_vm_size(), hvc_vcpu_size());
	assert_true(hvc_vm_size() <= 512);
	assert_true(hvc_vcpu_size() <= 128);
	assert_int_equal(hvc_vcpu_size() % 64, 0);
}

static void test_init_errors(void **state)
{
	struct world *world = world_new(&(struct world_setup){.vcpu_count = 2});
	struct hvc_vcpu *one[2] = {world->vcpus[0], NULL};
	struct hvc_vcpu *odd[2] = {world->vcpus[0],
				   (struct hvc_vcpu *)(void *)((char *)world->vcpus[1] + 8)};
	const struct hvc_platform short_platform = {.size = sizeof(short_platform) - 8};
	const struct hvc_vm_config good = {
		.size = sizeof(good), .vcpu_count = 2, .image = world->image};
	struct hvc_vm_config bad;
	uint16_t small[256];

	(void)state;
	assert_int_equal(hvc_vm_init(NULL, &good, world->vcpus), HVC_EFAULT);
	assert_int_equal(hvc_vm_init(world->vm, NULL, world->vcpus), HVC_EFAULT);
	assert_int_equal(hvc_vm_init(world->vm, &good, NULL), HVC_EFAULT);
	assert_int_equal(hvc_vm_init(world->vm, &good, one), HVC_EFAULT);
	assert_int_equal(hvc_vm_init(world->vm, &good, odd), HVC_EFAULT);
	assert_int_equal(hvc_vm_init((struct hvc_vm *)(void *)((char *)world->vm + 8), &good,
				     world->vcpus),
			 HVC_EFAULT);
#define REFUSED(field, value, err)                                                 \
	do {                                                                       \
		bad = good;                                                        \
		bad.field = (value);                                               \
		assert_int_equal(hvc_vm_init(world->vm, &bad, world->vcpus), err); \
	} while (0)
	REFUSED(image, NULL, HVC_EFAULT);
	REFUSED(size, sizeof(good) - 1, HVC_EINVAL);
	REFUSED(vcpu_count, 0, HVC_EINVAL);
	REFUSED(vcpu_count, HVC_MAX_VCPUS + 1, HVC_EINVAL);
	REFUSED(platform, &short_platform, HVC_EINVAL);
	REFUSED(flags, 4, HVC_EINVAL);
	REFUSED(flags, 1u << 31, HVC_EINVAL);
	REFUSED(reserved, 1, HVC_EINVAL);
	bad = good;
	bad.filter_memory = (char *)small + 1;
	bad.filter_bytes = sizeof(small) - 2;
	assert_int_equal(hvc_vm_init(world->vm, &bad, world->vcpus), HVC_EFAULT);
	bad.filter_memory = small;
	assert_int_equal(hvc_vm_init(world->vm, &bad, world->vcpus), HVC_ENOMEM);
	assert_int_equal(hvc_vm_init(world->vm, &good, world->vcpus), HVC_OK);
#undef REFUSED
	world_free(world);
}

/* PSCI 0.1 is there only where the profile has it, and not with IDs that SMCCC 1.3 takes for others. */
static void test_psci_0_1(void **state)
{
	const enum hvc_fn slot = HVC_FN_PSCI_0_1_CPU_ON;

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		struct hvc_settings settings;
		struct world *world;
		struct hvc_vm_config config = {
			.size = sizeof(config), .vcpu_count = 1, .flags = HVC_VM_PSCI_0_1};

		hvc_settings_init(&settings);
		settings.functions[slot / 64] ^= (i == 1 ? 1ull : 0ull) << slot % 64;
		settings.smccc_version = HVC_VERSION(1, i == 2 ? 3 : 2);
		world = world_new(&(struct world_setup){.settings = &settings});
		config.image = world->image;
		assert_int_equal(hvc_vm_init(world->vm, &config, world->vcpus),
				 i == 0 ? HVC_OK : HVC_EINVAL);
		world_free(world);
	}
}

static void test_stolen_time(void **state)
{
	struct world *world = world_new(&(struct world_setup){.vcpu_count = 2});

	(void)state;
	assert_int_equal(hvc_vcpu_set_stolen_time(world->vcpus[0], 0x40000020u), HVC_EINVAL);
	assert_int_equal(hvc_vcpu_set_stolen_time(world->vcpus[0], UINT64_MAX), HVC_EINVAL);
	assert_int_equal(hvc_vcpu_set_stolen_time(world->vcpus[0], 0x40000040u), HVC_OK);
	assert_int_equal(hvc_vcpu_set_stolen_time(world->vcpus[0], 0x40000040u), HVC_EEXIST);
	assert_int_equal(hvc_vcpu_set_stolen_time(world->vcpus[0], 1), HVC_EINVAL);
	assert_int_equal(hvc_vcpu_set_stolen_time(world->vcpus[1], 0), HVC_OK);
	assert_int_equal(hvc_vcpu_set_stolen_time(world->vcpus[1], 0), HVC_EEXIST);
	world_free(world);
}

static void test_setup(void **state)
{
	struct world *world = world_new(&(struct world_setup){.vcpu_count = 3});
	const struct hvc_vm_config config = {
		.size = sizeof(config), .vcpu_count = 3, .image = world->image};

	(void)state;
	assert_int_equal(hvc_vm_init(world->vm, &config, world->vcpus), HVC_OK);
	for (unsigned int bit = 0; bit < 64; bit++) {
		bool legal = (0xff00ffffffull >> bit & 1) != 0;

		assert_int_equal(hvc_vcpu_setup(world->vcpus[2], 1ull << bit, NULL),
				 legal ? HVC_OK : HVC_EINVAL);
	}
	/* In any order: an affinity is given once, and may be given to the same one again. */
	assert_int_equal(hvc_vcpu_setup(world->vcpus[2], 0x100, NULL), HVC_OK);
	assert_int_equal(hvc_vcpu_setup(world->vcpus[2], 0x100, NULL), HVC_OK);
	assert_int_equal(hvc_vcpu_setup(world->vcpus[0], 0x100, NULL), HVC_EINVAL);
	assert_int_equal(hvc_vcpu_setup(world->vcpus[0], 1, NULL), HVC_OK);
	assert_int_equal(hvc_vcpu_setup(world->vcpus[1], 1, NULL), HVC_EINVAL);
	assert_int_equal(hvc_vcpu_setup(world->vcpus[1], 0, NULL), HVC_OK);
	world_free(world);
}

/* A block of another header's catalogue: nothing is ever written behind its end. */
static void test_counters_have_a_size(void **state)
{
	struct world *world = world_new(&(struct world_setup){.vcpu_count = 1});
	struct hvc_counters counters = {.size = sizeof(counters)};
	struct hvc_frame frame = {.x = {hvc_function_at(HVC_FN_SMCCC_VERSION)->id32}};

	(void)state;
	for (uint32_t size = 0; size < sizeof(counters); size++) {
		counters.size = size;
		assert_int_equal(hvc_vcpu_setup(world->vcpus[0], 5, &counters), HVC_EINVAL);
	}
	hvc_call(world->vcpus[0], HVC_CONDUIT_HVC, 0, &frame);
	assert_int_equal(counters.calls[HVC_FN_SMCCC_VERSION][HVC_ANSWERED], 0);
	assert_int_equal(world->counters[0].calls[HVC_FN_SMCCC_VERSION][HVC_ANSWERED], 1);
	counters.size = sizeof(counters) + 32;
	assert_int_equal(hvc_vcpu_setup(world->vcpus[0], 5, &counters), HVC_OK);
	frame.x[0] = hvc_function_at(HVC_FN_SMCCC_VERSION)->id32;
	hvc_call(world->vcpus[0], HVC_CONDUIT_HVC, 0, &frame);
	assert_int_equal(counters.calls[HVC_FN_SMCCC_VERSION][HVC_ANSWERED], 1);
	world_free(world);
}

/* As many vCPUs as there may be, each with an affinity of its own, the last one started. */
static void test_many(void **state)
{
	struct world *world = world_new(&(struct world_setup){0});
	struct hvc_vcpu **vcpus = calloc(HVC_MAX_VCPUS, sizeof(struct hvc_vcpu *));
	char *memory = aligned_alloc(64, HVC_MAX_VCPUS * hvc_vcpu_size());
	const struct hvc_vm_config config = {.size = sizeof(config),
					     .vcpu_count = HVC_MAX_VCPUS,
					     .image = world->image,
					     .platform = &world->platform,
					     .host = world};
	struct hvc_frame frame = world_frame(0xc4000003u, 0x1f0f, 0x1000, 0);

	(void)state;
	assert_true(vcpus != NULL && memory != NULL);
	for (unsigned int i = 0; i < HVC_MAX_VCPUS; i++) {
		vcpus[i] = (struct hvc_vcpu *)(void *)(memory + i * hvc_vcpu_size());
	}
	assert_int_equal(hvc_vm_init(world->vm, &config, vcpus), HVC_OK);
	for (unsigned int i = 0; i < HVC_MAX_VCPUS; i++) {
		assert_int_equal(hvc_vcpu_setup(vcpus[i], (i & ~0xfu) << 4 | (i & 0xfu), NULL),
				 HVC_OK);
	}
	assert_int_equal(hvc_call(vcpus[0], HVC_CONDUIT_HVC, 0, &frame), HVC_RESUME);
	assert_int_equal(frame.x[0], 0);
	assert_int_equal(world->last_start, HVC_MAX_VCPUS - 1);
	free(memory);
	free(vcpus);
	world_free(world);
}

static void test_power_at_start(void **state)
{
	struct world *world = world_new(&(struct world_setup){.vcpu_count = 3});

	(void)state;
	assert_int_equal(hvc_vcpu_power(world->vcpus[0]), 0);
	assert_int_equal(hvc_vcpu_power(world->vcpus[1]), 1);
	assert_int_equal(hvc_vcpu_power(world->vcpus[2]), 1);
	world_free(world);
}

static void test_immediate(void **state)
{
	static const uint16_t immediates[] = {1, 2, 0x8000, 0xffff};
	struct world *world = world_new(&(struct world_setup){0});

	(void)state;
	for (unsigned int conduit = 0; conduit < 2; conduit++) {
		for (size_t i = 0; i < COUNT_OF(immediates); i++) {
			struct hvc_frame frame = world_frame(0x84000008u, 1, 2, 3);
			struct hvc_outcome outcome;

			/* Not even SYSTEM_OFF. */
			assert_int_equal(hvc_call(world->vcpus[0], (enum hvc_conduit)conduit,
						  immediates[i], &frame),
					 HVC_RESUME);
			assert_int_equal(frame.x[0], STATUS(NOT_SUPPORTED));
			assert_int_equal(frame.x[1], 1);
			outcome = hvc_vcpu_outcome(world->vcpus[0]);
			assert_int_equal(outcome.decider, HVC_BY_CONVENTION);
			assert_int_equal(outcome.id, 0x84000008u);
			assert_int_equal(outcome.fn, HVC_FN_NONE);
		}
	}
	assert_int_equal(world->counters[0].calls[0][HVC_ABSENT], 8);
	world_free(world);
}

/* The high half of x0 means nothing (D7, D8, D12). */
static void test_high_half(void **state)
{
	struct world *world = world_new(&(struct world_setup){0});
	struct hvc_frame frame = world_frame(0, 0, 0, 0);

	(void)state;
	for (unsigned int bit = 32; bit < 64; bit++) {
		frame.x[0] = 1ull << bit | 0x84000000u;
		assert_int_equal(hvc_call(world->vcpus[0], HVC_CONDUIT_HVC, 0, &frame), HVC_RESUME);
		assert_int_equal(frame.x[0], HVC_VERSION(1, 1));
	}
	world_free(world);
}

/* One call of each kind: who decided, and which counter moved. */
static void test_outcomes(void **state)
{
	static const struct paint rules[] = {
		{0x84000050u, 0x84000050u, HVC_DENY},    {0x84000053u, 0x84000053u, HVC_FORWARD},
		{0x84000003u, 0x84000003u, HVC_NOTIFY},  {0x84000069u, 0x84000069u, HVC_FORWARD},
		{0x87000000u, 0x87000000u, HVC_FORWARD}, {0x87000001u, 0x87000001u, HVC_DENY},
		{0x84000000u, 0x8400ffffu, HVC_HANDLE},
	};
	static const struct {
		uint32_t id;
		enum hvc_decider decider;
		enum hvc_action action;
		enum hvc_fn fn;
		enum hvc_count count;
		uint64_t x0;
	} calls[] = {
		{0x84000050u, HVC_BY_RULE, HVC_DENY, HVC_FN_TRNG_VERSION, HVC_DENIED, STATUS(-1)},
		{0x84000053u, HVC_BY_RULE, HVC_FORWARD, HVC_FN_TRNG_RND, HVC_FAILED, STATUS(-3)},
		{0x84000003u, HVC_BY_RULE, HVC_NOTIFY, HVC_FN_PSCI_CPU_ON, HVC_FAILED, STATUS(-6)},
		{0x84000069u, HVC_BY_RULE, HVC_FORWARD, HVC_FN_FFA_ID_GET, HVC_FAILED, 0x84000060u},
		{0x87000000u, HVC_BY_RULE, HVC_FORWARD, HVC_FN_NONE, HVC_FAILED, STATUS(-1)},
		{0x87000001u, HVC_BY_RULE, HVC_DENY, HVC_FN_NONE, HVC_DENIED, STATUS(-1)},
		{0x87000002u, HVC_BY_DEFAULT, HVC_DENY, HVC_FN_NONE, HVC_DENIED, STATUS(-1)},
		{0x86000000u, HVC_BY_DEFAULT, HVC_DENY, HVC_FN_KVM_FEATURES, HVC_DENIED,
		 STATUS(-1)},
		{0x84000000u, HVC_BY_SERVICE, HVC_HANDLE, HVC_FN_PSCI_VERSION, HVC_ANSWERED,
		 0x10001},
		{0x84000015u, HVC_BY_FEATURE, HVC_HANDLE, HVC_FN_PSCI_SYSTEM_OFF2, HVC_ABSENT,
		 STATUS(-1)},
		{0x84000099u, HVC_BY_UNKNOWN, HVC_HANDLE, HVC_FN_NONE, HVC_ABSENT, STATUS(-1)},
		{0x80000000u, HVC_BY_RESERVED, HVC_HANDLE, HVC_FN_SMCCC_VERSION, HVC_ANSWERED,
		 0x10002},
		{0x8000abcdu, HVC_BY_RESERVED, HVC_HANDLE, HVC_FN_NONE, HVC_ABSENT, STATUS(-1)},
	};
	struct world *world = world_new(&(struct world_setup){
		.rules = rules, .rule_count = COUNT_OF(rules), .otherwise = HVC_DENY});

	(void)state;
	for (size_t i = 0; i < COUNT_OF(calls); i++) {
		const uint64_t *count = &world->counters[0].calls[calls[i].fn][calls[i].count];
		uint64_t before = *count;
		struct hvc_outcome outcome;

		assert_int_equal(world_ask(world, calls[i].id, 0, 0, 0), calls[i].x0);
		outcome = hvc_vcpu_outcome(world->vcpus[0]);
		assert_int_equal(outcome.id, calls[i].id);
		assert_int_equal(outcome.decider, calls[i].decider);
		assert_int_equal(outcome.action, calls[i].action);
		assert_int_equal(outcome.fn, calls[i].fn);
		assert_int_equal(*count, before + 1);
	}
	world_free(world);
}

/* DEN0077: an FF-A call that nobody answers reads FFA_ERROR in x0 to x7. */
static void test_ffa_error(void **state)
{
	static const struct paint rules[] = {{0x84000060u, 0x8400008cu, HVC_FORWARD}};
	struct world *world = world_new(&(struct world_setup){.rules = rules, .rule_count = 1});
	struct hvc_frame frame = world_call(world, 0x84000069u, 1, 2, 3);
	int32_t code = hvc_function_at(HVC_FN_FFA_ID_GET)->failure;

	(void)state;
	for (unsigned int i = 0; i < 8; i++) {
		uint64_t want = i == 0 ? 0x84000060u : i == 2 ? (uint32_t)code : 0;

		assert_int_equal(frame.x[i], want);
	}
	assert_int_equal(frame.x[8], 0xc0de000000000008ull);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),          cmocka_unit_test(test_init_errors),
		cmocka_unit_test(test_setup),          cmocka_unit_test(test_many),
		cmocka_unit_test(test_power_at_start), cmocka_unit_test(test_immediate),
		cmocka_unit_test(test_high_half),      cmocka_unit_test(test_outcomes),
		cmocka_unit_test(test_ffa_error),      cmocka_unit_test(test_psci_0_1),
		cmocka_unit_test(test_stolen_time),    cmocka_unit_test(test_counters_have_a_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
