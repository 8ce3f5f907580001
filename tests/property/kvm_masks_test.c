/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers under the quirks of Linux KVM: x0 to x3 are what was measured to be written, zeroes and all, and
 * nothing else changes. By either conduit, with any immediate, in VMs of a new kernel and of an old one.
 */
#include <string.h>

#include <hvcgate/forward.h>

#include "cmocka_all.h"
#include "pattern_frame.h"
#include "world.h"

enum { RANDOM_IDS = 10000 };

/* A kernel's ways, 5.10's if old: by hand from what was measured. */
static void kernel_settings(struct hvc_settings *settings, bool old)
{
	hvc_settings_init(settings);
	settings->smccc_version = HVC_VERSION(1, 1);
	settings->regs[HVC_REG_PSCI_VERSION] = HVC_VERSION(1, old ? 0 : 3);
	settings->regs[HVC_REG_WORKAROUND_1] = 1;
	settings->strictness = HVC_STRICT_KVM;
	settings->discovery = HVC_DISCOVERY_RAW;
	settings->quirks = HVC_QUIRK_END - 1;
	settings->quirks &= ~(old ? 0u
				  : (uint32_t)(HVC_QUIRK_SMC_UNKNOWN | HVC_QUIRK_MPIDR_MASKED));
}

static void check_kernel_call(struct world *world, const struct hvc_frame *before,
			      enum hvc_conduit conduit, uint16_t immediate, bool old)
{
	struct hvc_frame frame = *before;
	const uint32_t id = (uint32_t)before->x[0];
	const enum hvc_verdict verdict = hvc_call(world->vcpus[0], conduit, immediate, &frame);
	const uint32_t writes = expected_kvm_writes(id, conduit == HVC_CONDUIT_SMC, immediate, old);
	uint32_t zeroes = expected_kvm_zeroes(id, writes, frame.x[0]);

	if (verdict == HVC_FORWARDED) {
		assert_int_equal(frame_changes(before, &frame), 0);
		assert_int_equal(hvc_forward_complete(world->vcpus[0], &frame, &frame, 0), HVC_OK);
		return;
	}
	if (verdict != HVC_RESUME && expected_kvm_arguments(id, frame.x[0])) {
		for (unsigned int i = 1; i <= 3; i++) {
			assert_int_equal(frame.x[i],
					 id & HVC_ID_64 ? before->x[i] : (uint32_t)before->x[i]);
		}
		zeroes = 0;
	}
	for (unsigned int i = 0; i < HVC_FRAME_REGS; i++) {
		bool fine = writes >> i & 1 ? !(zeroes >> i & 1) || frame.x[i] == 0
					    : frame.x[i] == before->x[i];

		if (!fine) {
			fail_msg("0x%08x by %s #%u: x%u became 0x%llx", id, conduit ? "smc" : "hvc",
				 immediate, i, (unsigned long long)frame.x[i]);
		}
	}
}

static void check_kernel(struct world *world, bool old)
{
	struct rng rng = {4};

	for (size_t i = 0; i < COUNT_OF(expected_calls) * 2 + RANDOM_IDS; i++) {
		size_t row = i / 2;
		struct hvc_frame frame = pattern_frame((uint32_t)rng_next(&rng));

		if (row < COUNT_OF(expected_calls)) {
			frame = pattern_frame(expected_calls[row].id);
			frame.x[1] = i % 2 ? expected_calls[row].x1 : frame.x[1];
			frame.x[2] = i % 2 ? expected_calls[row].x2 : frame.x[2];
			frame.x[3] = i % 2 ? expected_calls[row].x3 : frame.x[3];
		}
		for (unsigned int way = 0; way < 6; way++) {
			check_kernel_call(world, &frame, (enum hvc_conduit)(way % 2),
					  (uint16_t)(way / 2 * 0x7fff), old);
		}
	}
}

static void test_kernels(void **state)
{
	static const struct paint all[] = {{0, UINT32_MAX, HVC_HANDLE}};
	static struct hvc_settings settings;

	(void)state;
	for (unsigned int i = 0; i < 12; i++) {
		bool old = i % 2;
		struct world *world;

		kernel_settings(&settings, old);
		world = world_new(&(struct world_setup){.settings = &settings,
							.otherwise = (enum hvc_action)(i / 2 % 3),
							.rules = all,
							.rule_count = i / 2 % 3 == HVC_HANDLE,
							.vcpu_count = 3,
							.host_time = true,
							.flags = HVC_VM_FORWARD |
								 (i / 6 ? HVC_VM_PSCI_0_1 : 0)});
		assert_int_equal(hvc_vcpu_set_stolen_time(world->vcpus[0], 0x40000000), HVC_OK);
		check_kernel(world, old);
		world_free(world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_kernels)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
