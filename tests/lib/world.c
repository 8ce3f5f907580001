/* SPDX-License-Identifier: BSD-2-Clause */
#define _ISOC11_SOURCE
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hvcgate/event.h>
#include <hvcgate/forward.h>

static void must(bool fine, const char *what)
{
	if (!fine) {
		fprintf(stderr, "test world: %s\n", what);
		abort();
	}
}

static void *memory(size_t bytes)
{
	void *p = aligned_alloc(64, (bytes + 63) / 64 * 64);

	must(p != NULL, "no memory");
	memset(p, 0xa5, bytes); /* whoever relies on zeroes is wrong */
	return p;
}

static bool start(void *host, uint32_t vcpu)
{
	struct world *world = host;

	atomic_fetch_add(&world->starts, 1);
	atomic_store(&world->last_start, vcpu);
	return !world->start_fails;
}

static bool is_ram(void *host, uint64_t ipa)
{
	return ipa < ((struct world *)host)->ram_end;
}

static bool entropy(void *host, uint64_t *words, uint32_t n)
{
	static _Thread_local struct rng rng = {42};
	const struct world *world = host;

	for (uint32_t i = 0; i < n && !world->entropy_fails; i++) {
		words[i] = world->entropy_random ? rng_next(&rng) : world->entropy[i];
	}
	return !world->entropy_fails;
}

/* Registers that FEATURE_AVAILABILITY knows here: one. */
static bool availability(void *host, uint64_t reg, uint64_t *bits)
{
	(void)host;
	*bits = 0x8000000000000421ull;
	return reg == 0x1e1100;
}

static bool stolen_time(void *host, uint32_t vcpu, uint64_t ipa)
{
	struct world *world = host;

	world->record = ipa;
	return !world->time_fails && vcpu < WORLD_VCPUS;
}

static bool ptp(void *host, uint32_t vcpu, bool physical, uint64_t *ns, uint64_t *counter)
{
	const struct world *world = host;

	*ns = world->ns;
	*counter = world->counter[physical] + vcpu;
	return !world->time_fails;
}

static bool share(void *host, uint32_t vcpu, uint32_t what, uint64_t ipa, uint64_t bytes)
{
	struct world *world = host;

	world->shared = (struct world_share){vcpu, what, ipa, bytes};
	world->share_calls++;
	return !world->share_fails;
}

static uint64_t now_us(void *host)
{
	return atomic_load(&((struct world *)host)->us);
}

static bool mem_protect(void *host, bool on)
{
	struct world *world = host;

	world->protects++;
	if (!world->protect_fails) {
		world->protected = on;
	}
	return !world->protect_fails;
}

static bool clean_inv(void *host, uint64_t ipa, uint64_t bytes)
{
	struct world *world = host;

	world->cleaned[0] = ipa;
	world->cleaned[1] = bytes;
	return !world->clean_fails;
}

static bool is_ram_range(void *host, uint64_t ipa, uint64_t bytes)
{
	const struct world *world = host;

	must(bytes != 0 && ipa + (bytes - 1) >= ipa, "a range that is none");
	return ipa < world->ram_end && bytes <= world->ram_end - ipa;
}

static enum hvc_err paint_all(struct hvc_image *image, size_t capacity,
			      const struct world_setup *setup)
{
	enum hvc_err err = hvc_image_paint(image, capacity, 0, UINT32_MAX, setup->otherwise, false);

	for (size_t i = setup->rule_count; i-- > 0 && err == HVC_OK;) {
		const struct paint *rule = &setup->rules[i];

		err = hvc_image_paint(image, capacity, rule->first, rule->last, rule->action, true);
	}
	return err;
}

struct hvc_image *world_image(const struct world_setup *setup, size_t *capacity)
{
	struct hvc_settings defaults;
	const struct hvc_settings *settings = setup->settings;
	size_t bytes = hvc_image_min_size();

	if (settings == NULL) {
		hvc_settings_init(&defaults);
		settings = &defaults;
	}
	for (;; bytes *= 2) {
		struct hvc_image *image = memory(bytes);
		enum hvc_err err = hvc_image_begin(image, bytes, settings);

		if (err == HVC_OK) {
			err = paint_all(image, bytes, setup);
		}
		if (err == HVC_OK && setup->tables != NULL) {
			err = hvc_image_add_tables(image, bytes, setup->tables);
		}
		if (err == HVC_OK) {
			hvc_image_seal(image);
			if (capacity != NULL) {
				*capacity = bytes;
			}
			return image;
		}
		must(err == HVC_ENOMEM && bytes < (64u << 20), hvc_err_name(err));
		free(image);
	}
}

static void make_vm(struct world *world, const struct world_setup *setup, unsigned int count)
{
	struct hvc_vm_config config = {
		.size = sizeof(config),
		.vcpu_count = count,
		.image = world->image,
		.platform = setup->no_platform ? NULL : &world->platform,
		.host = world,
		.flags = setup->flags,
	};

	if (setup->filter_ranges != 0) {
		config.filter_bytes = hvc_filter_size(world->image, setup->filter_ranges);
		config.filter_memory = world->filter_memory = memory(config.filter_bytes);
	}
	if (setup->host_power) {
		config.stats_bytes = hvc_stats_size(count);
		config.stats_memory = world->stats_memory = memory(config.stats_bytes);
	}
	if (setup->share_ram != 0) {
		config.share_base = WORLD_SHARE_BASE;
		config.share_ram = setup->share_ram;
		config.share_bytes = hvc_share_size(setup->share_ram);
		config.share_memory = world->share_memory = memory(config.share_bytes);
	}
	if (setup->transactions != 0) {
		config.forward_bytes = hvc_forward_size(setup->transactions);
		config.forward_memory = world->forward_memory = memory(config.forward_bytes);
	}
	if (setup->events != 0) {
		config.event_bytes = hvc_event_size(setup->events);
		config.event_memory = world->event_memory = memory(config.event_bytes);
	}
	must(hvc_vm_init(world->vm, &config, world->vcpus) == HVC_OK, "hvc_vm_init");
	for (unsigned int i = 0; i < count; i++) {
		world->counters[i].size = sizeof(world->counters[i]);
		must(hvc_vcpu_setup(world->vcpus[i], i, &world->counters[i]) == HVC_OK, "setup");
	}
}

struct world *world_new(const struct world_setup *setup)
{
	unsigned int count = setup->vcpu_count != 0 ? setup->vcpu_count : 1;
	struct world *world = memory(sizeof(*world));

	must(count <= WORLD_VCPUS, "too many vCPUs");
	*world = (struct world){
		.platform = {.size = sizeof(world->platform),
			     .cpu_start = start,
			     .is_ram = is_ram,
			     .entropy = entropy,
			     .feature_availability = availability,
			     .share = share},
		.entropy = {0x0706050403020100ull, 0x0f0e0d0c0b0a0908ull, 0x1716151413121110ull},
		.ram_end = UINT64_MAX,
		.ns = 0x18ea46b888220ca0ull,
		.counter = {0x00000011fffffff0ull, 0x1234567887654321ull},
	};
	if (setup->host_time) {
		world->platform.stolen_time = stolen_time;
		world->platform.ptp = ptp;
	}
	if (setup->host_power) {
		world->platform.now_us = now_us;
		world->platform.mem_protect = mem_protect;
		world->platform.is_ram_range = is_ram_range;
		world->platform.clean_inv = clean_inv;
	}
	world->image = world_image(setup, &world->image_capacity);
	world->vm = memory(hvc_vm_size());
	world->counters = memory(count * sizeof(*world->counters));
	memset(world->counters, 0, count * sizeof(*world->counters));
	for (unsigned int i = 0; i < count; i++) {
		world->vcpus[i] = memory(hvc_vcpu_size());
	}
	make_vm(world, setup, count);
	return world;
}

void world_free(struct world *world)
{
	for (unsigned int i = 0; i < WORLD_VCPUS; i++) {
		free(world->vcpus[i]);
	}
	free(world->stats_memory);
	free(world->share_memory);
	free(world->filter_memory);
	free(world->forward_memory);
	free(world->event_memory);
	free(world->counters);
	free(world->vm);
	free(world->image);
	free(world);
}

struct hvc_frame world_frame(uint32_t id, uint64_t x1, uint64_t x2, uint64_t x3)
{
	struct hvc_frame frame = {.x = {id, x1, x2, x3}};

	for (unsigned int i = 4; i < HVC_FRAME_REGS; i++) {
		frame.x[i] = 0xc0de000000000000ull | i;
	}
	return frame;
}

struct hvc_frame world_call(struct world *world, uint32_t id, uint64_t x1, uint64_t x2, uint64_t x3)
{
	struct hvc_frame frame = world_frame(id, x1, x2, x3);

	must(hvc_call(world->vcpus[0], HVC_CONDUIT_HVC, 0, &frame) == HVC_RESUME, "no resume");
	return frame;
}

uint64_t world_ask(struct world *world, uint32_t id, uint64_t x1, uint64_t x2, uint64_t x3)
{
	return world_call(world, id, x1, x2, x3).x[0];
}
