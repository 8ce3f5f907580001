/* SPDX-License-Identifier: BSD-2-Clause */
#define _DEFAULT_SOURCE
#define _ISOC11_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "out.h"
#include "sim.h"

/* Every CPU that is asked to start does. */
static bool sim_cpu_start(void *host, uint32_t vcpu)
{
	(void)host;
	(void)vcpu;
	return true;
}

static bool sim_entropy(void *host, uint64_t *words, uint32_t n)
{
	(void)host;
	return getentropy(words, n * sizeof(*words)) == 0;
}

/* Its RAM, for functions that are about some. */
#define SIM_RAM       0x40000000ull
#define SIM_RAM_BYTES 0x10000000ull

static bool sim_is_ram_range(void *host, uint64_t ipa, uint64_t bytes)
{
	(void)host;
	return ipa >= SIM_RAM && ipa - SIM_RAM < SIM_RAM_BYTES &&
	       bytes <= SIM_RAM_BYTES - (ipa - SIM_RAM);
}

static bool sim_stolen_time(void *host, uint32_t vcpu, uint64_t ipa)
{
	(void)host;
	(void)vcpu;
	return ipa != 0;
}

static uint64_t sim_clock(clockid_t clock, uint64_t per_second)
{
	struct timespec now = {0};

	(void)clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * per_second +
	       (uint64_t)now.tv_nsec / (1000000000ull / per_second);
}

/* Its counters count nanoseconds. */
static bool sim_ptp(void *host, uint32_t vcpu, bool physical, uint64_t *ns, uint64_t *counter)
{
	(void)host;
	(void)vcpu;
	(void)physical;
	*ns = sim_clock(CLOCK_REALTIME, 1000000000ull);
	*counter = sim_clock(CLOCK_MONOTONIC, 1000000000ull);
	return true;
}

static uint64_t sim_now_us(void *host)
{
	(void)host;
	return sim_clock(CLOCK_MONOTONIC, 1000000ull);
}

static bool sim_mem_protect(void *host, bool on)
{
	(void)host;
	(void)on;
	return true;
}

static bool sim_clean_inv(void *host, uint64_t ipa, uint64_t bytes)
{
	return sim_is_ram_range(host, ipa, bytes);
}

static const struct hvc_platform platform = {
	.size = sizeof(struct hvc_platform),
	.cpu_start = sim_cpu_start,
	.entropy = sim_entropy,
	.stolen_time = sim_stolen_time,
	.ptp = sim_ptp,
	.now_us = sim_now_us,
	.mem_protect = sim_mem_protect,
	.is_ram_range = sim_is_ram_range,
	.clean_inv = sim_clean_inv,
};

static void *aligned(size_t bytes)
{
	return aligned_alloc(64, (bytes + 63) / 64 * 64);
}

static bool make_vcpus(struct sim *sim)
{
	sim->vcpus = calloc(sim->count, sizeof(sim->vcpus[0]));
	for (unsigned int i = 0; sim->vcpus != NULL && i < sim->count; i++) {
		sim->vcpus[i] = aligned(hvc_vcpu_size());
		if (sim->vcpus[i] == NULL) {
			return false;
		}
	}
	return sim->vcpus != NULL;
}

static enum hvc_err start(struct sim *sim)
{
	struct hvc_vm_config config = {
		.size = sizeof(config),
		.vcpu_count = sim->count,
		.image = sim->image,
		.platform = &platform,
		.stats_bytes = hvc_stats_size(sim->count),
		.share_bytes = hvc_share_size(SIM_RAM_BYTES),
		.share_base = SIM_RAM,
		.share_ram = SIM_RAM_BYTES,
	};
	enum hvc_err err;

	config.stats_memory = sim->stats = aligned(config.stats_bytes);
	config.share_memory = sim->shares = aligned(config.share_bytes);
	err = sim->stats == NULL || sim->shares == NULL ? HVC_ENOMEM
							: hvc_vm_init(sim->vm, &config, sim->vcpus);
	/* Affinities as QEMU's virt machine numbers them: 16 CPUs a cluster. Stolen time at the end of RAM. */
	for (unsigned int i = 0; err == HVC_OK && i < sim->count; i++) {
		err = hvc_vcpu_setup(sim->vcpus[i], (uint64_t)(i / 16) << 8 | i % 16, NULL);
		if (err == HVC_OK) {
			err = hvc_vcpu_set_stolen_time(sim->vcpus[i],
						       SIM_RAM + SIM_RAM_BYTES - 64ull * (i + 1));
		}
	}
	return err;
}

/* The engine wants the trusted OS on one of its CPUs. */
static bool has_trusted_cpu(const struct hvc_policy *policy, unsigned int cpus)
{
	const struct hvc_settings *settings = hvc_policy_settings(policy);

	if (settings->trusted_os != HVC_TRUSTED_OS_NONE && settings->trusted_os_cpu >= cpus) {
		out_error(
			"the policy's trusted OS is on CPU %u, and the machine has %u; say --cpus %u",
			(unsigned int)settings->trusted_os_cpu, cpus,
			(unsigned int)settings->trusted_os_cpu + 1);
		return false;
	}
	return true;
}

bool sim_make(struct sim *sim, const struct hvc_policy *policy, unsigned int cpus)
{
	struct hvc_diags *diags = hvc_diags_new();
	enum hvc_err err = HVC_ENOMEM;

	*sim = (struct sim){.count = cpus};
	if (!has_trusted_cpu(policy, cpus)) {
		hvc_diags_free(diags);
		return false;
	}
	sim->vm = aligned(hvc_vm_size());
	if (diags != NULL && sim->vm != NULL && make_vcpus(sim)) {
		err = hvc_policy_compile(policy, &sim->image, diags);
		out_diags(diags, false);
	}
	if (err == HVC_OK) {
		err = start(sim);
	}
	hvc_diags_free(diags);
	if (err != HVC_OK) {
		out_error("cannot make a virtual machine: %s", hvc_err_name(err));
		sim_free(sim);
	}
	return err == HVC_OK;
}

void sim_free(struct sim *sim)
{
	for (unsigned int i = 0; sim->vcpus != NULL && i < sim->count; i++) {
		free(sim->vcpus[i]);
	}
	free(sim->vcpus);
	free(sim->vm);
	free(sim->image);
	free(sim->stats);
	free(sim->shares);
}
