/* SPDX-License-Identifier: BSD-2-Clause */
/* What x0 to x3 are after a call in a VM of a KVM profile: each line as measured on Linux 6.16. */
#include "cmocka_all.h"
#include "world.h"

#define HVC HVC_CONDUIT_HVC
#define SMC HVC_CONDUIT_SMC

/* What x1 to x3 hold before: high halves that SMC32 does not see. */
#define A1 0x1111111180000001ull
#define A2 0x2222222280000002ull
#define A3 0x3333333380000003ull

static const struct answer {
	uint32_t id;
	enum hvc_conduit conduit;
	enum hvc_verdict verdict;
	uint64_t in[3];
	uint64_t out[4];
} answers[] = {
	{0x80000000u, HVC, HVC_RESUME, {A1, A2, A3}, {0x10001, 0, 0, 0}},
	{0x80000000u, SMC, HVC_RESUME, {A1, A2, A3}, {0x10001, 0, 0, 0}},
	{0x80000001u, HVC, HVC_RESUME, {0x80008000u, A2, A3}, {1, 0, 0, 0}},
	{0x80000001u, HVC, HVC_RESUME, {0x80007fffu, A2, A3}, {STATUS(-1), 0, 0, 0}},
	/* Workarounds: by HVC at any level, with x1 lost; by SMC not there. */
	{0x80008000u, HVC, HVC_RESUME, {A1, A2, A3}, {0, 0, A2, A3}},
	{0x80008000u, SMC, HVC_RESUME, {A1, A2, A3}, {STATUS(-1), 0, 0, 0}},
	{0x80007fffu, HVC, HVC_RESUME, {1, A2, A3}, {0, 0, A2, A3}},
	{0x80007fffu, SMC, HVC_RESUME, {1, A2, A3}, {STATUS(-1), 0, 0, 0}},
	{0x80003fffu, HVC, HVC_RESUME, {A1, A2, A3}, {0, 0, A2, A3}},
	{0x80003fffu, SMC, HVC_RESUME, {A1, A2, A3}, {STATUS(-1), 0, 0, 0}},
	{0x84000000u, HVC, HVC_RESUME, {A1, A2, A3}, {0x10003, 0, 0, 0}},
	{0x84000006u, HVC, HVC_RESUME, {A1, A2, A3}, {2, 0, 0, 0}},
	{0x8400000au, HVC, HVC_RESUME, {0x84000015u, A2, A3}, {1, 0, 0, 0}},
	{0x8400000au, HVC, HVC_RESUME, {0x84000005u, A2, A3}, {STATUS(-1), 0, 0, 0}},
	{0x84000001u, HVC, HVC_CPU_STANDBY, {A1, A2, A3}, {0, 0, 0, 0}},
	{0x84000002u, HVC, HVC_CPU_OFF, {A1, A2, A3}, {0, 0, 0, 0}},
	{0x84000003u, HVC, HVC_RESUME, {0x1111111100000001ull, A2, A3}, {0, 0, 0, 0}},
	{0xc4000003u, HVC, HVC_RESUME, {A1, A2, A3}, {STATUS(-2), 0, 0, 0}},
	{0xc4000003u, HVC, HVC_RESUME, {0, A2, A3}, {STATUS(-4), 0, 0, 0}},
	{0x84000004u, HVC, HVC_RESUME, {A1, A2, A3}, {STATUS(-2), 0, 0, 0}},
	{0xc4000004u, HVC, HVC_RESUME, {0, 0, A3}, {0, 0, 0, 0}},
	{0x84000008u, HVC, HVC_SYSTEM_OFF, {A1, A2, A3}, {STATUS(-6), 0, 0, 0}},
	{0x84000009u, HVC, HVC_SYSTEM_RESET, {A1, A2, A3}, {STATUS(-6), 0, 0, 0}},
	{0x8400000eu,
	 HVC,
	 HVC_SYSTEM_SUSPEND,
	 {A1, A2, A3},
	 {0x8400000eu, 0x80000001u, 0x80000002u, 0x80000003u}},
	{0xc400000eu, HVC, HVC_SYSTEM_SUSPEND, {A1, A2, A3}, {0xc400000eu, A1, A2, A3}},
	{0x84000012u,
	 HVC,
	 HVC_SYSTEM_RESET,
	 {A1, A2, A3},
	 {STATUS(-6), 0x80000001u, 0x80000002u, 0x80000003u}},
	{0xc4000012u, HVC, HVC_SYSTEM_RESET, {A1, A2, A3}, {STATUS(-6), A1, A2, A3}},
	{0xc4000012u, HVC, HVC_RESUME, {0x7fffffff, A2, A3}, {STATUS(-2), 0, 0, 0}},
	{0x84000015u,
	 HVC,
	 HVC_SYSTEM_OFF,
	 {0x1111111100000001ull, 0x2222222200000000ull, A3},
	 {STATUS(-6), 0, 0, 0}},
	{0xc4000015u, HVC, HVC_SYSTEM_OFF, {0, 0, A3}, {STATUS(-6), 0, 0, 0}},
	{0xc4000015u, HVC, HVC_RESUME, {1, 0x100000000ull, A3}, {STATUS(-2), 0, 0, 0}},
	{0x84000050u, HVC, HVC_RESUME, {A1, A2, A3}, {0x10000, 0, 0, 0}},
	{0x84000052u,
	 HVC,
	 HVC_RESUME,
	 {A1, A2, A3},
	 {0xe0210du, 0xeb118443u, 0x44527080u, 0x4c5a4e55u}},
	{0x84000053u, HVC, HVC_RESUME, {97, A2, A3}, {STATUS(-2), 0, 0, 0}},
	{0x84000053u, HVC, HVC_RESUME, {0, A2, A3}, {0, 0, 0, 0}},
	{0xc4000053u, HVC, HVC_RESUME, {64, A2, A3}, {0, 0, 0, 0x0706050403020100ull}},
	{0x8600ff01u,
	 HVC,
	 HVC_RESUME,
	 {A1, A2, A3},
	 {0xb66fb428u, 0xe911c52eu, 0x564bcaa9u, 0x743a004du}},
};

static void linux_settings(struct hvc_settings *settings)
{
	hvc_settings_init(settings);
	settings->smccc_version = HVC_VERSION(1, 1);
	settings->regs[HVC_REG_PSCI_VERSION] = HVC_VERSION(1, 3);
	settings->regs[HVC_REG_WORKAROUND_1] = 2;
	settings->strictness = HVC_STRICT_KVM;
	settings->discovery = HVC_DISCOVERY_RAW;
	settings->quirks = HVC_QUIRK_END - 1;
	settings->quirks &= ~(uint32_t)(HVC_QUIRK_SMC_UNKNOWN | HVC_QUIRK_MPIDR_MASKED);
}

static void check(const struct hvc_settings *settings, const struct answer *a)
{
	struct world *world = world_new(
		&(struct world_setup){.settings = settings, .vcpu_count = 2});
	struct hvc_frame frame = world_frame(a->id, a->in[0], a->in[1], a->in[2]);

	assert_int_equal(hvc_call(world->vcpus[0], a->conduit, 0, &frame), a->verdict);
	for (unsigned int i = 0; i < 4; i++) {
		if (frame.x[i] != a->out[i]) {
			fail_msg("0x%08x: x%u is 0x%llx, should be 0x%llx", a->id, i,
				 (unsigned long long)frame.x[i], (unsigned long long)a->out[i]);
		}
	}
	for (unsigned int i = 4; i < HVC_FRAME_REGS; i++) {
		assert_int_equal(frame.x[i], 0xc0de000000000000ull | i);
	}
	world_free(world);
}

static void test_registers(void **state)
{
	struct hvc_settings settings;

	(void)state;
	linux_settings(&settings);
	for (size_t i = 0; i < COUNT_OF(answers); i++) {
		check(&settings, &answers[i]);
	}
}

/* Without the quirk x1 to x3 stay, but for results. */
static void test_without(void **state)
{
	struct hvc_settings settings;
	struct world *world;
	struct hvc_frame frame;

	(void)state;
	linux_settings(&settings);
	settings.quirks &= ~(uint32_t)HVC_QUIRK_ZERO_X1_X3;
	world = world_new(&(struct world_setup){.settings = &settings});
	frame = world_call(world, 0x80000000u, A1, A2, A3);
	assert_int_equal(frame.x[1], A1);
	frame = world_call(world, 0x80008000u, A1, A2, A3); /* that is another quirk */
	assert_int_equal(frame.x[1], 0);
	assert_int_equal(frame.x[2], A2);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_registers),
		cmocka_unit_test(test_without),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
