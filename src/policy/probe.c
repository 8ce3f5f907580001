/* SPDX-License-Identifier: BSD-2-Clause */
#define _ISOC11_SOURCE
#include "probe.h"

#include <stdlib.h>
#include <string.h>

#define RAM       0x40000000ull
#define RAM_BYTES 0x1000ull

/* --- Hosts. What they answer is never seen. */
static bool starts(void *host, uint32_t vcpu)
{
	(void)host;
	(void)vcpu;
	return true;
}

static bool gives_words(void *host, uint64_t *words, uint32_t n)
{
	(void)host;
	memset(words, 0, n * sizeof(*words));
	return true;
}

static bool says_bits(void *host, uint64_t reg, uint64_t *bits)
{
	(void)host;
	*bits = 0;
	return reg == 0;
}

static bool steals(void *host, uint32_t vcpu, uint64_t ipa)
{
	(void)host;
	(void)vcpu;
	return ipa != 0;
}

static bool tells_time(void *host, uint32_t vcpu, bool physical, uint64_t *ns, uint64_t *counter)
{
	(void)host;
	(void)vcpu;
	*ns = physical;
	*counter = 0;
	return true;
}

static uint64_t counts(void *host)
{
	(void)host;
	return 0;
}

static bool protects(void *host, bool on)
{
	(void)host;
	(void)on;
	return true;
}

static bool cleans(void *host, uint64_t ipa, uint64_t bytes)
{
	(void)host;
	return ipa + bytes != 0;
}

static void choose_host(struct probe *probe, bool whole)
{
	probe->platform = (struct hvc_platform){
		.size = sizeof(probe->platform), .cpu_start = starts, .entropy = gives_words};
	if (whole) {
		probe->platform.feature_availability = says_bits;
		probe->platform.stolen_time = steals;
		probe->platform.ptp = tells_time;
		probe->platform.now_us = counts;
		probe->platform.mem_protect = protects;
		probe->platform.clean_inv = cleans;
	}
}

/* --- Memory. */
static void *aligned(size_t bytes)
{
	void *memory = aligned_alloc(64, (bytes + 63) / 64 * 64);

	if (memory != NULL) {
		memset(memory, 0, bytes);
	}
	return memory;
}

void probe_free(struct probe *probe)
{
	free(probe->image);
	free(probe->vm);
	free(probe->vcpu);
	free(probe->counters);
	free(probe->stats);
	free(probe->shares);
}

static enum hvc_err make_image(struct probe *probe, const struct hvc_policy *policy)
{
	const size_t bytes = hvc_image_min_size() + sizeof(struct hvc_tables);
	struct hvc_settings settings = policy->settings;
	enum hvc_err err;

	settings.trusted_os_cpu = 0; /* the VM has one */
	probe->image = aligned(bytes);
	if (probe->image == NULL) {
		return HVC_ENOMEM;
	}
	err = hvc_image_begin(probe->image, bytes, &settings);
	if (err == HVC_OK) {
		err = hvc_image_add_tables(probe->image, bytes, &policy->tables);
	}
	if (err == HVC_OK) {
		hvc_image_seal(probe->image);
	}
	return err;
}

static enum hvc_err make_vm(struct probe *probe, struct hvc_vm_config *config, bool whole)
{
	enum hvc_err err;

	probe->vm = aligned(hvc_vm_size());
	probe->vcpu = aligned(hvc_vcpu_size());
	probe->counters = calloc(1, sizeof(*probe->counters));
	if (probe->vm == NULL || probe->vcpu == NULL || probe->counters == NULL) {
		return HVC_ENOMEM;
	}
	if (whole) {
		config->stats_bytes = hvc_stats_size(1);
		config->stats_memory = probe->stats = aligned(config->stats_bytes);
		config->share_bytes = hvc_share_size(RAM_BYTES);
		config->share_memory = probe->shares = aligned(config->share_bytes);
		config->share_base = RAM;
		config->share_ram = RAM_BYTES;
		if (probe->stats == NULL || probe->shares == NULL) {
			return HVC_ENOMEM;
		}
	}
	err = hvc_vm_init(probe->vm, config, &probe->vcpu);
	if (err == HVC_OK) {
		err = hvc_vcpu_setup(probe->vcpu, 0, probe->counters);
	}
	return err == HVC_OK && whole ? hvc_vcpu_set_stolen_time(probe->vcpu, RAM) : err;
}

enum hvc_err probe_make(struct probe *probe, const struct hvc_policy *policy, bool whole)
{
	struct hvc_vm_config config = {
		.size = sizeof(config), .vcpu_count = 1, .platform = &probe->platform};
	enum hvc_err err;

	*probe = (struct probe){0};
	choose_host(probe, whole);
	err = make_image(probe, policy);
	config.image = probe->image;
	return err == HVC_OK ? make_vm(probe, &config, whole) : err;
}

/* For a reserved ID the outcome is "reserved" either way: call it, which changes nothing, and look at the
 * counters. */
static bool answered_reserved(const struct probe *probe, unsigned int slot, uint32_t id)
{
	struct hvc_frame frame = {.x = {id}};
	uint64_t before = probe->counters->calls[slot][HVC_ANSWERED];

	hvc_call(probe->vcpu, HVC_CONDUIT_HVC, 0, &frame);
	return probe->counters->calls[slot][HVC_ANSWERED] != before;
}

bool probe_answers(const struct probe *probe, unsigned int slot)
{
	const struct hvc_function *function = hvc_function_at(slot);
	uint32_t id = function->id32 != 0 ? function->id32 : function->id64;
	struct hvc_outcome outcome = hvc_filter_query(probe->vm, id);

	return outcome.decider == HVC_BY_RESERVED ? answered_reserved(probe, slot, id)
						  : outcome.decider == HVC_BY_SERVICE;
}
