/* SPDX-License-Identifier: BSD-2-Clause */
#define _DEFAULT_SOURCE
#define _ISOC11_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

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

static const struct hvc_platform platform = {
	.size = sizeof(struct hvc_platform),
	.cpu_start = sim_cpu_start,
	.entropy = sim_entropy,
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
	};
	enum hvc_err err = hvc_vm_init(sim->vm, &config, sim->vcpus);

	/* Affinities as QEMU's virt machine numbers them: 16 CPUs a cluster. */
	for (unsigned int i = 0; err == HVC_OK && i < sim->count; i++) {
		err = hvc_vcpu_setup(sim->vcpus[i], (uint64_t)(i / 16) << 8 | i % 16, NULL);
	}
	return err;
}

bool sim_make(struct sim *sim, const struct hvc_policy *policy, unsigned int cpus)
{
	struct hvc_diags *diags = hvc_diags_new();
	enum hvc_err err = HVC_ENOMEM;

	*sim = (struct sim){.count = cpus};
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
}
