/* SPDX-License-Identifier: BSD-2-Clause */
/* Feature registers: KVM's IDs, errors in KVM's order, freezing, workaround assertions. */
#include "cmocka_all.h"
#include "world.h"

#define FW(n)     (0x6030000000140000ull + (n))
#define BITMAP(n) (0x6030000000160000ull + (n))

static const uint64_t ids[HVC_REG_COUNT] = {FW(0),     FW(1),     FW(2),     FW(3),
					    BITMAP(0), BITMAP(1), BITMAP(2), BITMAP(3)};

static uint64_t get(const struct world *world, uint64_t id)
{
	uint64_t value = 0xdead;

	assert_int_equal(hvc_vm_get_reg(world->vm, id, &value), HVC_OK);
	return value;
}

static void test_list(void **state)
{
	struct world *world = world_new(&(struct world_setup){0});

	(void)state;
	assert_int_equal(hvc_vm_check(world->vm, HVC_CAP_FEATURE_REGS), HVC_REG_COUNT);
	assert_int_equal(hvc_vm_check(world->vm, (enum hvc_cap)0), 0);
	assert_int_equal(hvc_vm_check(world->vm, (enum hvc_cap)2), 0);
	for (unsigned int i = 0; i < HVC_REG_COUNT; i++) {
		assert_int_equal(hvc_feature_reg_id(world->vm, i), ids[i]);
	}
	assert_int_equal(hvc_feature_reg_id(world->vm, HVC_REG_COUNT), 0);
	assert_int_equal(hvc_feature_reg_id(world->vm, UINT32_MAX), 0);
	world_free(world);
}

static void test_defaults(void **state)
{
	struct world *world = world_new(&(struct world_setup){0});

	(void)state;
	assert_int_equal(get(world, FW(0)), HVC_VERSION(1, 1));
	assert_int_equal(get(world, BITMAP(0)), 1);
	assert_int_equal(get(world, BITMAP(1)), 1);
	assert_int_equal(get(world, BITMAP(2)), 3);
	assert_int_equal(get(world, BITMAP(3)), 3);
	world_free(world);
}

static void test_unknown(void **state)
{
	/* Next to the known ones; another size; another architecture; a core register. */
	static const uint64_t unknown[] = {0,
					   1,
					   FW(4),
					   BITMAP(4),
					   FW(0) - 1,
					   0x6020000000140000ull,
					   0x6020000000160000ull,
					   0x6040000000160001ull,
					   0x4030000000140000ull,
					   0x6030000000150000ull,
					   0x6030000000100042ull,
					   UINT64_MAX};
	struct world *world = world_new(&(struct world_setup){0});

	(void)state;
	for (size_t i = 0; i < COUNT_OF(unknown); i++) {
		uint64_t value = 0xdead;

		assert_int_equal(hvc_vm_get_reg(world->vm, unknown[i], &value), HVC_ENOENT);
		assert_int_equal(value, 0xdead);
		assert_int_equal(hvc_vm_set_reg(world->vm, unknown[i], 0), HVC_ENOENT);
		hvc_vm_freeze(world->vm); /* ENOENT also beats EBUSY */
		assert_int_equal(hvc_vm_set_reg(world->vm, unknown[i], 1), HVC_ENOENT);
	}
	world_free(world);
}

/* reference: kvm.md A.3. */
static const struct write {
	uint64_t id, value;
	enum hvc_err before; /* frozen */
	enum hvc_err after;
} writes[] = {
	/* The defaults are 1.1, all bits set: the same value succeeds always. */
	{FW(0), HVC_VERSION(1, 1), HVC_OK, HVC_OK},
	{FW(0), HVC_VERSION(0, 2), HVC_OK, HVC_EBUSY},
	{FW(0), HVC_VERSION(1, 0), HVC_OK, HVC_EBUSY},
	{FW(0), HVC_VERSION(1, 3), HVC_OK, HVC_EBUSY},
	{FW(0), 0, HVC_EINVAL, HVC_EINVAL}, /* EINVAL beats EBUSY */
	{FW(0), HVC_VERSION(0, 1), HVC_EINVAL, HVC_EINVAL},
	{FW(0), HVC_VERSION(1, 4), HVC_EINVAL, HVC_EINVAL},
	{FW(0), HVC_VERSION(2, 0), HVC_EINVAL, HVC_EINVAL},
	{FW(0), 1ull << 32 | HVC_VERSION(1, 1), HVC_EINVAL, HVC_EINVAL},
	{BITMAP(0), 1, HVC_OK, HVC_OK},
	{BITMAP(0), 0, HVC_OK, HVC_EBUSY},
	{BITMAP(0), 2, HVC_EINVAL, HVC_EINVAL},
	{BITMAP(0), 1ull << 63, HVC_EINVAL, HVC_EINVAL},
	{BITMAP(1), 0, HVC_OK, HVC_EBUSY},
	{BITMAP(1), 3, HVC_EINVAL, HVC_EINVAL},
	{BITMAP(2), 3, HVC_OK, HVC_OK},
	{BITMAP(2), 1, HVC_OK, HVC_EBUSY},
	{BITMAP(2), 2, HVC_OK, HVC_EBUSY},
	{BITMAP(2), 4, HVC_EINVAL, HVC_EINVAL},
	{BITMAP(3), 0, HVC_OK, HVC_EBUSY},
	{BITMAP(3), 4, HVC_EINVAL, HVC_EINVAL},
	{BITMAP(3), 1ull << 32, HVC_EINVAL, HVC_EINVAL},
};

static void test_writes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(writes); i++) {
		struct world *world = world_new(&(struct world_setup){0});
		uint64_t old = get(world, writes[i].id);

		assert_int_equal(hvc_vm_set_reg(world->vm, writes[i].id, writes[i].value),
				 writes[i].before);
		assert_int_equal(get(world, writes[i].id),
				 writes[i].before == HVC_OK ? writes[i].value : old);
		assert_int_equal(hvc_vm_set_reg(world->vm, writes[i].id, old), HVC_OK);
		hvc_vm_freeze(world->vm);
		hvc_vm_freeze(world->vm);
		assert_int_equal(hvc_vm_set_reg(world->vm, writes[i].id, writes[i].value),
				 writes[i].after);
		assert_int_equal(get(world, writes[i].id), old);
		world_free(world);
	}
}

/* reference: kvm.md A.3, WA_n: which value is accepted at which level of the VM. */
static const struct assertion {
	unsigned int reg;
	uint64_t level, value;
	enum hvc_err err;
} assertions[] = {
	{1, 0, 0, HVC_OK},
	{1, 0, 1, HVC_EINVAL},
	{1, 0, 2, HVC_EINVAL},
	{1, 1, 0, HVC_OK},
	{1, 1, 1, HVC_OK},
	{1, 1, 2, HVC_EINVAL},
	{1, 2, 0, HVC_OK},
	{1, 2, 1, HVC_OK},
	{1, 2, 2, HVC_OK},
	{1, 2, 3, HVC_EINVAL},
	{1, 2, 0x10, HVC_EINVAL},
	{1, 2, 1ull << 32, HVC_EINVAL},
	{3, 0, 0, HVC_OK},
	{3, 0, 1, HVC_EINVAL},
	{3, 1, 1, HVC_OK},
	{3, 1, 2, HVC_EINVAL},
	{3, 2, 2, HVC_OK},
	{3, 2, 15, HVC_EINVAL},
	/* WA_2: 0, 1 -> not available; 2, 3 -> not required; ENABLED (16) with 2 only. */
	{2, 0, 0, HVC_OK},
	{2, 0, 1, HVC_OK},
	{2, 0, 2, HVC_EINVAL},
	{2, 0, 3, HVC_EINVAL},
	{2, 0, 18, HVC_EINVAL},
	{2, 3, 0, HVC_OK},
	{2, 3, 1, HVC_OK},
	{2, 3, 2, HVC_OK},
	{2, 3, 3, HVC_OK},
	{2, 3, 4, HVC_EINVAL},
	{2, 3, 15, HVC_EINVAL},
	{2, 3, 16, HVC_EINVAL},
	{2, 3, 17, HVC_EINVAL},
	{2, 3, 18, HVC_OK},
	{2, 3, 19, HVC_EINVAL},
	{2, 3, 32, HVC_EINVAL},
	{2, 3, 34, HVC_EINVAL},
	{2, 3, 1ull << 63, HVC_EINVAL},
};

static void test_workarounds(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(assertions); i++) {
		const struct assertion *a = &assertions[i];
		struct hvc_settings settings;
		struct world *world;

		hvc_settings_init(&settings);
		settings.regs[a->reg] = a->level;
		world = world_new(&(struct world_setup){.settings = &settings});
		for (unsigned int frozen = 0; frozen < 2; frozen++) { /* never EBUSY */
			assert_int_equal(hvc_vm_set_reg(world->vm, FW(a->reg), a->value), a->err);
			assert_int_equal(get(world, FW(a->reg)), a->level); /* and no effect */
			hvc_vm_freeze(world->vm);
		}
		world_free(world);
	}
}

/* What a register says is what a guest gets, at once. */
static void test_takes_effect(void **state)
{
	struct world *world = world_new(&(struct world_setup){0});

	(void)state;
	assert_int_equal(world_ask(world, 0x84000050u, 0, 0, 0), 0x10000);
	assert_int_equal(hvc_vm_set_reg(world->vm, BITMAP(0), 0), HVC_OK);
	assert_int_equal(world_ask(world, 0x84000050u, 0, 0, 0), STATUS(NOT_SUPPORTED));
	assert_int_equal(hvc_vcpu_outcome(world->vcpus[0]).decider, HVC_BY_FEATURE);
	assert_int_equal(hvc_vm_set_reg(world->vm, BITMAP(0), 1), HVC_OK);
	assert_int_equal(world_ask(world, 0x84000050u, 0, 0, 0), 0x10000);
	assert_int_equal(world_ask(world, 0x84000000u, 0, 0, 0), HVC_VERSION(1, 1));
	assert_int_equal(hvc_vm_set_reg(world->vm, FW(0), HVC_VERSION(0, 2)), HVC_OK);
	assert_int_equal(world_ask(world, 0x84000000u, 0, 0, 0), HVC_VERSION(0, 2));
	assert_int_equal(world_ask(world, 0x8400000au, 0x84000000u, 0, 0), STATUS(NOT_SUPPORTED));
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),        cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_unknown),     cmocka_unit_test(test_writes),
		cmocka_unit_test(test_workarounds), cmocka_unit_test(test_takes_effect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
