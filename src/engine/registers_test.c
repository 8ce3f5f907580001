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
	/* Next to the known ones; another size; a core register; IDs that are not arm64's. */
	static const struct {
		uint64_t id;
		enum hvc_err err;
	} unknown[] = {{FW(4), HVC_ENOENT},
		       {BITMAP(4), HVC_ENOENT},
		       {FW(0) - 1, HVC_ENOENT},
		       {0x6020000000140000ull, HVC_ENOENT},
		       {0x6020000000160000ull, HVC_ENOENT},
		       {0x6040000000160001ull, HVC_ENOENT},
		       {0x60f0000000160001ull, HVC_ENOENT},
		       {0x6030000000150000ull, HVC_ENOENT},
		       {0x6030000000100042ull, HVC_ENOENT},
		       {0, HVC_EINVAL},
		       {1, HVC_EINVAL},
		       {0x4030000000140000ull, HVC_EINVAL},
		       {0x2030000000160000ull, HVC_EINVAL},
		       {0x6130000000160000ull, HVC_EINVAL},
		       {0x6030000100160000ull, HVC_EINVAL},
		       {UINT64_MAX, HVC_EINVAL}};
	struct world *world = world_new(&(struct world_setup){0});

	(void)state;
	for (size_t i = 0; i < COUNT_OF(unknown); i++) {
		uint64_t value = 0xdead;

		assert_int_equal(hvc_vm_get_reg(world->vm, unknown[i].id, &value), unknown[i].err);
		assert_int_equal(value, 0xdead);
		assert_int_equal(hvc_vm_set_reg(world->vm, unknown[i].id, 0), unknown[i].err);
		hvc_vm_freeze(world->vm); /* both also beat EBUSY */
		assert_int_equal(hvc_vm_set_reg(world->vm, unknown[i].id, 1), unknown[i].err);
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

/* A profile of some Linux: registers up to a number, versions, no bit beyond its masks. */
static struct hvc_settings linux_settings(unsigned int reg_count)
{
	struct hvc_settings settings;

	hvc_settings_init(&settings);
	settings.reg_count = reg_count;
	settings.psci_versions = HVC_PSCI_BIT(HVC_VERSION(1, 0)) | HVC_PSCI_BIT(HVC_VERSION(1, 1)) |
				 HVC_PSCI_BIT(HVC_VERSION(1, 3));
	settings.reg_mask[HVC_REG_VENDOR_HYP_BMAP] = 1;
	settings.regs[HVC_REG_VENDOR_HYP_BMAP] = 1;
	settings.regs[HVC_REG_WORKAROUND_1] = 2;
	settings.regs[HVC_REG_WORKAROUND_2] = 3;
	for (unsigned int reg = reg_count; reg < HVC_REG_COUNT; reg++) {
		settings.regs[reg] = 0;
	}
	return settings;
}

static void check_list(const struct world *world, unsigned int shown)
{
	uint64_t list[HVC_REG_COUNT + 1];
	uint32_t count = shown - 1;

	assert_int_equal(hvc_vm_check(world->vm, HVC_CAP_FEATURE_REGS), shown);
	for (unsigned int i = 0; i <= HVC_REG_COUNT; i++) {
		list[i] = 77;
		assert_int_equal(hvc_feature_reg_id(world->vm, i), i < shown ? ids[i] : 0);
	}
	if (shown != 0) {
		assert_int_equal(hvc_vm_list_regs(world->vm, list, &count), HVC_E2BIG);
		assert_int_equal(count, shown);
		assert_int_equal(list[0], 77);
	}
	count = HVC_REG_COUNT;
	assert_int_equal(hvc_vm_list_regs(world->vm, list, &count), HVC_OK);
	assert_int_equal(count, shown);
	for (unsigned int i = 0; i <= HVC_REG_COUNT; i++) {
		assert_int_equal(list[i], i < shown ? ids[i] : 77);
	}
	for (unsigned int i = shown; i < HVC_REG_COUNT; i++) {
		uint64_t value = 5;

		assert_int_equal(hvc_vm_get_reg(world->vm, ids[i], &value), HVC_ENOENT);
		assert_int_equal(hvc_vm_set_reg(world->vm, ids[i], 0), HVC_ENOENT);
		assert_int_equal(value, 5);
	}
}

/* What the profile does not have is unknown; what it has holds its bits and versions only. */
static void test_profile(void **state)
{
	struct hvc_settings settings = linux_settings(7);
	struct world *world = world_new(&(struct world_setup){.settings = &settings});

	(void)state;
	check_list(world, 7);
	assert_int_equal(hvc_vm_set_reg(world->vm, BITMAP(2), 2), HVC_EINVAL);
	assert_int_equal(hvc_vm_set_reg(world->vm, BITMAP(2), 3), HVC_EINVAL);
	assert_int_equal(hvc_vm_set_reg(world->vm, BITMAP(2), 0), HVC_OK);
	assert_int_equal(hvc_vm_set_reg(world->vm, FW(0), HVC_VERSION(0, 2)), HVC_EINVAL);
	assert_int_equal(hvc_vm_set_reg(world->vm, FW(0), HVC_VERSION(1, 2)), HVC_EINVAL);
	assert_int_equal(hvc_vm_set_reg(world->vm, FW(0), HVC_VERSION(1, 3)), HVC_OK);
	assert_int_equal(hvc_vm_set_reg(world->vm, FW(0), HVC_VERSION(1, 0)), HVC_OK);
	world_free(world);
}

/* Without the bitmaps of Linux 5.19 their functions are what the list of functions says. */
static void test_gate_needs_register(void **state)
{
	struct hvc_settings settings = linux_settings(4);
	struct world *world = world_new(&(struct world_setup){.settings = &settings});

	(void)state;
	assert_int_equal(world_ask(world, 0x84000050u, 0, 0, 0), 0x10000);
	world_free(world);
	settings.functions[HVC_FN_TRNG_VERSION / 64] ^= 1ull << HVC_FN_TRNG_VERSION % 64;
	world = world_new(&(struct world_setup){.settings = &settings});
	assert_int_equal(world_ask(world, 0x84000050u, 0, 0, 0), STATUS(NOT_SUPPORTED));
	assert_int_equal(hvc_vcpu_outcome(world->vcpus[0]).decider, HVC_BY_FEATURE);
	assert_int_equal(world_ask(world, 0x84000051u, 0x84000050u, 0, 0), STATUS(NOT_SUPPORTED));
	assert_int_equal(world_ask(world, 0x84000051u, 0x84000051u, 0, 0), 0);
	world_free(world);
}

static void test_clear_from(void **state)
{
	struct hvc_settings settings = linux_settings(8);
	struct world *world = world_new(&(struct world_setup){.settings = &settings});

	(void)state;
	settings.regs[HVC_REG_VENDOR_HYP_BMAP_2] = 0;
	assert_int_equal(hvc_vm_clear_from(world->vm, 9), HVC_EINVAL);
	assert_int_equal(hvc_vm_clear_from(world->vm, UINT32_MAX), HVC_EINVAL);
	assert_int_equal(hvc_vm_clear_from(world->vm, 8), HVC_OK);
	assert_int_equal(get(world, BITMAP(2)), 1);
	assert_int_equal(hvc_vm_clear_from(world->vm, 6), HVC_OK);
	assert_int_equal(get(world, BITMAP(2)), 0);
	assert_int_equal(get(world, BITMAP(1)), 1);
	check_list(world, 8); /* they stay in the list, and can be set again */
	assert_int_equal(hvc_vm_set_reg(world->vm, BITMAP(2), 1), HVC_OK);
	assert_int_equal(hvc_vm_clear_from(world->vm, 0), HVC_OK);
	assert_int_equal(get(world, FW(0)), HVC_VERSION(1, 0)); /* the least of the profile */
	assert_int_equal(get(world, FW(1)), 0);
	assert_int_equal(get(world, FW(2)), 0);
	assert_int_equal(world_ask(world, 0x84000000u, 0, 0, 0), HVC_VERSION(1, 0));
	assert_int_equal(world_ask(world, 0x84000050u, 0, 0, 0), STATUS(NOT_SUPPORTED));
	/* Frozen: nothing would change, or EBUSY and nothing does. */
	assert_int_equal(hvc_vm_set_reg(world->vm, BITMAP(0), 1), HVC_OK);
	hvc_vm_freeze(world->vm);
	assert_int_equal(hvc_vm_clear_from(world->vm, 9), HVC_EINVAL);
	assert_int_equal(hvc_vm_clear_from(world->vm, 5), HVC_OK);
	assert_int_equal(hvc_vm_clear_from(world->vm, 4), HVC_EBUSY);
	assert_int_equal(hvc_vm_clear_from(world->vm, 0), HVC_EBUSY);
	assert_int_equal(get(world, BITMAP(0)), 1);
	world_free(world);
}

static void test_show(void **state)
{
	struct hvc_settings settings = linux_settings(8);
	struct world *world = world_new(&(struct world_setup){.settings = &settings});

	(void)state;
	assert_int_equal(hvc_vm_show(world->vm, 9), HVC_EINVAL);
	for (unsigned int shown = 8; shown > 0; shown--) {
		assert_int_equal(hvc_vm_show(world->vm, shown), HVC_OK);
		check_list(world, shown);
		assert_int_equal(hvc_vm_clear_from(world->vm, shown + 1), HVC_EINVAL);
	}
	/* Hidden means nothing of it: no TRNG. Shown again it can be set. */
	assert_int_equal(world_ask(world, 0x84000050u, 0, 0, 0), STATUS(NOT_SUPPORTED));
	assert_int_equal(hvc_vm_show(world->vm, 0), HVC_OK);
	check_list(world, 0);
	assert_int_equal(world_ask(world, 0x84000000u, 0, 0, 0), HVC_VERSION(1, 0));
	assert_int_equal(hvc_vm_show(world->vm, 8), HVC_OK);
	check_list(world, 8);
	for (unsigned int i = 1; i < HVC_REG_COUNT; i++) {
		assert_int_equal(get(world, ids[i]), 0);
	}
	assert_int_equal(get(world, FW(0)), HVC_VERSION(1, 0));
	assert_int_equal(hvc_vm_set_reg(world->vm, BITMAP(0), 1), HVC_OK);
	assert_int_equal(world_ask(world, 0x84000050u, 0, 0, 0), 0x10000);
	hvc_vm_freeze(world->vm);
	assert_int_equal(hvc_vm_show(world->vm, 9), HVC_EINVAL);
	assert_int_equal(hvc_vm_show(world->vm, 8), HVC_EBUSY);
	assert_int_equal(hvc_vm_show(world->vm, 1), HVC_EBUSY);
	world_free(world);
}

/* Linux never freezes PSCI_VERSION, and never says EBUSY of it: the next call has it. */
static void test_open_version(void **state)
{
	struct hvc_settings settings = linux_settings(8);
	struct world *world;

	(void)state;
	settings.quirks = HVC_QUIRK_PSCI_VERSION_OPEN;
	world = world_new(&(struct world_setup){.settings = &settings, .vcpu_count = 2});
	hvc_vm_freeze(world->vm);
	assert_int_equal(world_ask(world, 0x8400000au, 0x84000015u, 0, 0), STATUS(NOT_SUPPORTED));
	assert_int_equal(hvc_vm_set_reg(world->vm, FW(0), HVC_VERSION(1, 3)), HVC_OK);
	assert_int_equal(world_ask(world, 0x84000000u, 0, 0, 0), HVC_VERSION(1, 3));
	assert_int_equal(world_ask(world, 0x8400000au, 0x84000015u, 0, 0), 1);
	assert_int_equal(hvc_vm_set_reg(world->vm, FW(0), HVC_VERSION(1, 2)), HVC_EINVAL);
	assert_int_equal(hvc_vm_set_reg(world->vm, FW(0), HVC_VERSION(1, 0)), HVC_OK);
	assert_int_equal(world_ask(world, 0x84000012u, 1, 0, 0), STATUS(NOT_SUPPORTED));
	assert_int_equal(hvc_vm_set_reg(world->vm, BITMAP(0), 0), HVC_EBUSY);
	assert_int_equal(hvc_vm_clear_from(world->vm, 0), HVC_EBUSY);
	world_free(world);
}

/* vCPUs without PSCI_0_2: 0.1 and nothing else; with it anything else. */
static void test_psci_0_1(void **state)
{
	struct hvc_settings settings = linux_settings(8);
	struct world *world = world_new(
		&(struct world_setup){.settings = &settings, .flags = HVC_VM_PSCI_0_1});

	(void)state;
	assert_int_equal(get(world, FW(0)), HVC_VERSION(0, 1));
	for (unsigned int frozen = 0; frozen < 2; frozen++) {
		assert_int_equal(hvc_vm_set_reg(world->vm, FW(0), HVC_VERSION(0, 1)), HVC_OK);
		assert_int_equal(hvc_vm_set_reg(world->vm, FW(0), HVC_VERSION(1, 1)), HVC_EINVAL);
		assert_int_equal(hvc_vm_set_reg(world->vm, FW(0), 0), HVC_EINVAL);
		hvc_vm_freeze(world->vm);
	}
	assert_int_equal(world_ask(world, 0x84000000u, 0, 0, 0), STATUS(NOT_SUPPORTED));
	world_free(world);
	world = world_new(&(struct world_setup){.flags = HVC_VM_PSCI_0_1});
	assert_int_equal(hvc_vm_clear_from(world->vm, 0), HVC_OK);
	assert_int_equal(get(world, FW(0)), HVC_VERSION(0, 1));
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),         cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_unknown),      cmocka_unit_test(test_writes),
		cmocka_unit_test(test_workarounds),  cmocka_unit_test(test_takes_effect),
		cmocka_unit_test(test_profile),      cmocka_unit_test(test_gate_needs_register),
		cmocka_unit_test(test_clear_from),   cmocka_unit_test(test_show),
		cmocka_unit_test(test_open_version), cmocka_unit_test(test_psci_0_1),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
