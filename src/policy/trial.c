/* SPDX-License-Identifier: BSD-2-Clause */
#define _ISOC11_SOURCE
#include "trial.h"

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

static void choose_host(struct trial *trial, bool whole)
{
	trial->platform = (struct hvc_platform){
		.size = sizeof(trial->platform), .cpu_start = starts, .entropy = gives_words};
	if (whole) {
		trial->platform.feature_availability = says_bits;
		trial->platform.stolen_time = steals;
		trial->platform.ptp = tells_time;
		trial->platform.now_us = counts;
		trial->platform.mem_protect = protects;
		trial->platform.clean_inv = cleans;
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

void trial_free(struct trial *trial)
{
	free(trial->image);
	free(trial->vm);
	free(trial->vcpu);
	free(trial->counters);
	free(trial->stats);
	free(trial->shares);
}

static enum hvc_err make_image(struct trial *trial, const struct hvc_policy *policy)
{
	const size_t bytes = hvc_image_min_size() + sizeof(struct hvc_tables);
	struct hvc_settings settings = policy->settings;
	enum hvc_err err;

	settings.trusted_os_cpu = 0; /* the VM has one */
	trial->image = aligned(bytes);
	if (trial->image == NULL) {
		return HVC_ENOMEM;
	}
	err = hvc_image_begin(trial->image, bytes, &settings);
	if (err == HVC_OK) {
		err = hvc_image_add_tables(trial->image, bytes, &policy->tables);
	}
	if (err == HVC_OK) {
		hvc_image_seal(trial->image);
	}
	return err;
}

static enum hvc_err make_vm(struct trial *trial, struct hvc_vm_config *config, bool whole)
{
	enum hvc_err err;

	trial->vm = aligned(hvc_vm_size());
	trial->vcpu = aligned(hvc_vcpu_size());
	trial->counters = calloc(1, sizeof(*trial->counters));
	if (trial->vm == NULL || trial->vcpu == NULL || trial->counters == NULL) {
		return HVC_ENOMEM;
	}
	if (whole) {
		config->stats_bytes = hvc_stats_size(1);
		config->stats_memory = trial->stats = aligned(config->stats_bytes);
		config->share_bytes = hvc_share_size(RAM_BYTES);
		config->share_memory = trial->shares = aligned(config->share_bytes);
		config->share_base = RAM;
		config->share_ram = RAM_BYTES;
		if (trial->stats == NULL || trial->shares == NULL) {
			return HVC_ENOMEM;
		}
	}
	err = hvc_vm_init(trial->vm, config, &trial->vcpu);
	if (err == HVC_OK) {
		trial->counters->size = sizeof(*trial->counters);
		err = hvc_vcpu_setup(trial->vcpu, 0, trial->counters);
	}
	return err == HVC_OK && whole ? hvc_vcpu_set_stolen_time(trial->vcpu, RAM) : err;
}

enum hvc_err trial_make(struct trial *trial, const struct hvc_policy *policy, bool whole)
{
	struct hvc_vm_config config = {
		.size = sizeof(config), .vcpu_count = 1, .platform = &trial->platform};
	enum hvc_err err;

	*trial = (struct trial){0};
	choose_host(trial, whole);
	err = make_image(trial, policy);
	config.image = trial->image;
	return err == HVC_OK ? make_vm(trial, &config, whole) : err;
}

/* For a reserved ID the outcome is "reserved" either way: call it, which changes nothing, and look at the
 * counters. */
static bool answered_reserved(const struct trial *trial, unsigned int slot, uint32_t id)
{
	struct hvc_frame frame = {.x = {id}};
	uint64_t before = trial->counters->calls[slot][HVC_ANSWERED];

	hvc_call(trial->vcpu, HVC_CONDUIT_HVC, 0, &frame);
	return trial->counters->calls[slot][HVC_ANSWERED] != before;
}

bool trial_answers(const struct trial *trial, unsigned int slot)
{
	const struct hvc_function *function = hvc_function_at(slot);
	uint32_t id = function->id32 != 0 ? function->id32 : function->id64;
	struct hvc_outcome outcome = hvc_filter_query(trial->vm, id);

	return outcome.decider == HVC_BY_RESERVED ? answered_reserved(trial, slot, id)
						  : outcome.decider == HVC_BY_SERVICE;
}
