/* SPDX-License-Identifier: BSD-2-Clause */
/* What the engine has of this host. */
#include <time.h>

#include <sys/random.h>

#include "internal.h"

/* KVM's numbers of CNTVCT_EL0 and CNTPCT_EL0 as the guest reads them. */
#define REG_CNTVCT 0x603000000013df1aull
#define REG_CNTPCT 0x603000000013df01ull
#define READINGS   4

static bool entropy(void *host, uint64_t *words, uint32_t n)
{
	uint8_t *bytes = (uint8_t *)words;
	size_t left = n * sizeof(*words);

	(void)host;
	while (left != 0) {
		const ssize_t got = getrandom(bytes, left, GRND_NONBLOCK);

		if (got <= 0) {
			return false;
		}
		bytes += got;
		left -= (size_t)got;
	}
	return true;
}

static uint64_t now(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* The kernel's own PTP reads clock and counter at one instant. Here the counter is read between two readings of the clock,
 * and the closest pair counts: it is off by no more than half of what lies between. */
static bool ptp(void *host, uint32_t vcpu, bool physical, uint64_t *ns, uint64_t *counter)
{
	const struct hvc_kvm_vm *vm = host;
	uint64_t best = UINT64_MAX;

	for (unsigned int i = 0; i < READINGS; i++) {
		const uint64_t before = now(CLOCK_REALTIME);
		uint64_t value = 0, after;

		if (sys_get(vm->vcpus[vcpu], physical ? REG_CNTPCT : REG_CNTVCT, &value) != 0) {
			return false;
		}
		after = now(CLOCK_REALTIME);
		if (after >= before && after - before < best) {
			best = after - before;
			*ns = before + best / 2;
			*counter = value;
		}
	}
	return best != UINT64_MAX;
}

static uint64_t now_us(void *host)
{
	(void)host;
	return now(CLOCK_MONOTONIC) / 1000;
}

/* Which addresses are RAM only the VMM knows; stolen time and EL3's registers only the kernel. */
const struct hvc_platform host_platform = {
	.size = sizeof(struct hvc_platform),
	.cpu_start = sync_start,
	.entropy = entropy,
	.ptp = ptp,
	.now_us = now_us,
};
