/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SYSTEM_SUSPEND, and leaving OS-initiated mode, want every other CPU off (DEN0022, 5.20 and 5.21): at one moment, not
 * one after the other. Two CPUs far apart in a large VM hand on to each other that one of them runs: CPU_ON of the other,
 * then CPU_OFF. At every moment one of them is on or on its way, so whoever asks is denied.
 */
#define _ISOC11_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "world.h"

enum { CPUS = HVC_MAX_VCPUS, NEAR = 1, FAR = CPUS - 1, HANDS = 100000, LEAST = 1000 };
enum { DENIED = -3 };

#define CPU_OFF          0x84000002u
#define CPU_ON           0xc4000003u
#define SYSTEM_SUSPEND   0xc400000eu
#define SET_SUSPEND_MODE 0x8400000fu

struct relay {
	struct hvc_vm *vm;
	struct hvc_vcpu *vcpus[CPUS];
	struct hvc_image *image;
	atomic_bool over;
	unsigned int failures; /* calls of the two that did not go as they must */
};

static void *memory(size_t bytes)
{
	void *p = aligned_alloc(64, (bytes + 63) / 64 * 64);

	assert_non_null(p);
	return p;
}

static bool cpu_start(void *host, uint32_t vcpu)
{
	return host != NULL && vcpu < CPUS;
}

static const struct hvc_platform platform = {.size = sizeof(platform), .cpu_start = cpu_start};

static uint64_t call(struct relay *relay, unsigned int cpu, uint32_t id, uint64_t x1,
		     enum hvc_verdict *verdict)
{
	struct hvc_frame frame = world_frame(id, x1, 0, 0);

	*verdict = hvc_call(relay->vcpus[cpu], HVC_CONDUIT_HVC, 0, &frame);
	return frame.x[0];
}

static struct relay *relay_new(void)
{
	struct relay *relay = memory(sizeof(*relay));
	struct hvc_vm_config config = {
		.size = sizeof(config), .vcpu_count = CPUS, .platform = &platform, .host = relay};
	struct hvc_settings settings;
	enum hvc_verdict verdict;

	memset(relay, 0, sizeof(*relay));
	assert_int_equal(hvc_settings_profile(&settings, 2), HVC_OK);
	settings.os_initiated = 1;
	relay->image = world_image(&(struct world_setup){.settings = &settings}, NULL);
	config.image = relay->image;
	relay->vm = memory(hvc_vm_size());
	for (unsigned int i = 0; i < CPUS; i++) {
		relay->vcpus[i] = memory(hvc_vcpu_size());
	}
	assert_int_equal(hvc_vm_init(relay->vm, &config, relay->vcpus), HVC_OK);
	assert_int_equal(call(relay, 0, SET_SUSPEND_MODE, 1, &verdict), 0);
	assert_int_equal(call(relay, 0, CPU_ON, NEAR, &verdict), 0);
	hvc_vcpu_started(relay->vcpus[NEAR]);
	return relay;
}

static void relay_free(struct relay *relay)
{
	for (unsigned int i = 0; i < CPUS; i++) {
		free(relay->vcpus[i]);
	}
	free(relay->vm);
	free(relay->image);
	free(relay);
}

/* Both CPUs: there is never anything for the one to do while the other runs. */
static void *hand_on(void *argument)
{
	struct relay *relay = argument;
	unsigned int here = NEAR, there = FAR, asleep = 0;

	for (unsigned int i = 0; i < HANDS; i++) {
		enum hvc_verdict verdict;

		relay->failures += call(relay, here, CPU_ON, there, &verdict) != 0;
		(void)call(relay, here, CPU_OFF, 0, &verdict);
		relay->failures += verdict != HVC_CPU_OFF;
		hvc_vcpu_started(relay->vcpus[there]);
		asleep = here;
		here = there;
		there = asleep;
	}
	atomic_store(&relay->over, true);
	return NULL;
}

/* Ask until the two are done. */
static void check(uint32_t id, uint64_t x1)
{
	struct relay *relay = relay_new();
	unsigned int granted = 0, asked = 0;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, hand_on, relay), 0);
	while (!atomic_load(&relay->over) || asked < LEAST) {
		enum hvc_verdict verdict;
		uint64_t answer = call(relay, 0, id, x1, &verdict);

		granted += verdict != HVC_RESUME || answer != STATUS(DENIED);
		asked++;
	}
	pthread_join(thread, NULL);
	assert_int_equal(relay->failures, 0);
	assert_int_equal(granted, 0);
	relay_free(relay);
}

static void test_system_suspend(void **state)
{
	(void)state;
	check(SYSTEM_SUSPEND, 0x1000);
}

static void test_suspend_mode(void **state)
{
	(void)state;
	check(SET_SUSPEND_MODE, 0);
}

/* And where they are off indeed it is granted, however often they were on before. */
static void test_granted(void **state)
{
	struct relay *relay = relay_new();
	enum hvc_verdict verdict;

	(void)state;
	(void)call(relay, NEAR, CPU_OFF, 0, &verdict);
	assert_int_equal(call(relay, 0, SET_SUSPEND_MODE, 0, &verdict), 0);
	(void)call(relay, 0, SYSTEM_SUSPEND, 0x1000, &verdict);
	assert_int_equal(verdict, HVC_SYSTEM_SUSPEND);
	relay_free(relay);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_system_suspend),
		cmocka_unit_test(test_suspend_mode),
		cmocka_unit_test(test_granted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
