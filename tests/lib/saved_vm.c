/* SPDX-License-Identifier: BSD-2-Clause */
#include "saved_vm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hvcgate/event.h>
#include <hvcgate/forward.h>

#include "../../src/engine/saved.h"
#include "state.h"

enum { SHARE_RAM = 100 * 4096, RANGES = 12, TRANSACTIONS = 4, EVENTS = 8 };

static void must(bool fine, const char *what)
{
	if (!fine) {
		fprintf(stderr, "saved: %s\n", what);
		abort();
	}
}

static void *memory(size_t bytes)
{
	void *p = malloc(bytes + (bytes == 0));

	must(p != NULL, "no memory");
	return p;
}

void full_init(struct full *full)
{
	static const struct paint rules[] = {{0x05000000u, 0x050000ffu, HVC_NOTIFY},
					     {0x05000100u, 0x050001ffu, HVC_FORWARD},
					     {0x05000200u, 0x050002ffu, HVC_DENY}};

	memset(full, 0, sizeof(*full));
	must(hvc_settings_profile(&full->settings, HVC_PROFILE_NEWEST) == HVC_OK, "profile");
	full->settings.os_initiated = 1;
	full->settings.trusted_os = HVC_TRUSTED_OS_MIGRATES;
	for (unsigned int i = 0; i < sizeof(full->settings.policy_sha256); i++) {
		full->settings.policy_sha256[i] = (uint8_t)(i * 7 + 1);
	}
	full->tables = (struct hvc_tables){
		.size = sizeof(full->tables),
		.power_state_count = 3,
		.power_states = {{0x00000000u, 0}, {0x00010001u, 0}, {0x01010002u, 1}}};
	full->setup = (struct world_setup){.settings = &full->settings,
					   .tables = &full->tables,
					   .rules = rules,
					   .rule_count = sizeof(rules) / sizeof(rules[0]),
					   .vcpu_count = 4,
					   .filter_ranges = RANGES,
					   .host_time = true,
					   .host_power = true,
					   .flags = HVC_VM_FORWARD,
					   .share_ram = SHARE_RAM,
					   .transactions = TRANSACTIONS,
					   .events = EVENTS};
}

uint32_t id_of(enum hvc_fn fn)
{
	const struct hvc_function *function = hvc_function_at(fn);

	return function->id32 != 0 ? function->id32 : function->id64;
}

enum hvc_verdict call_by(struct world *world, unsigned int vcpu, enum hvc_fn fn, uint64_t x1,
			 uint64_t x2, uint64_t x3, uint64_t *x0)
{
	struct hvc_frame frame = world_frame(id_of(fn), x1, x2, x3);
	enum hvc_verdict verdict = hvc_call(world->vcpus[vcpu], HVC_CONDUIT_HVC, 0, &frame);

	if (verdict == HVC_FORWARDED) {
		must(hvc_forward_cancel(world->vcpus[vcpu], &frame) == HVC_OK, "cancel");
	}
	if (x0 != NULL) {
		*x0 = frame.x[0];
	}
	return verdict;
}

struct saved saved_of(const struct world *world)
{
	struct saved saved = {.bytes = NULL};

	must(hvc_vm_save(world->vm, NULL, &saved.size, NULL) == HVC_E2BIG, "size");
	saved.bytes = memory(saved.size);
	must(hvc_vm_save(world->vm, saved.bytes, &saved.size, NULL) == HVC_OK, "save");
	return saved;
}

struct saved saved_copy(const struct saved *saved, size_t size)
{
	struct saved copy = {.bytes = memory(size), .size = size};

	memset(copy.bytes, 0, size);
	memcpy(copy.bytes, saved->bytes, size < saved->size ? size : saved->size);
	return copy;
}

uint32_t saved_word(const struct saved *saved, size_t at)
{
	return saved->bytes[at] | (uint32_t)saved->bytes[at + 1] << 8 |
	       (uint32_t)saved->bytes[at + 2] << 16 | (uint32_t)saved->bytes[at + 3] << 24;
}

void saved_set_word(struct saved *saved, size_t at, uint32_t value)
{
	for (unsigned int i = 0; i < 4; i++) {
		saved->bytes[at + i] = (uint8_t)(value >> 8 * i);
	}
}

void saved_seal(struct saved *saved)
{
	saved_set_word(saved, 8, (uint32_t)saved->size);
	saved_set_word(saved, 12,
		       crc32_of(saved->bytes + SAVED_HEADER, saved->size - SAVED_HEADER));
}

size_t saved_section(const struct saved *saved, unsigned int type, size_t *bytes)
{
	size_t at = SAVED_HEADER;

	while (at < saved->size) {
		size_t all = SECTION_HEADER + (saved_word(saved, at + 4) + 7) / 8 * 8;

		if ((saved_word(saved, at) & 0xffff) == type) {
			*bytes = all;
			return at;
		}
		at += all;
	}
	return 0;
}

bool saved_equal(const struct saved *a, const struct saved *b)
{
	return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

static void take_part(struct snapshot *snapshot, void *part, size_t bytes)
{
	unsigned int n = snapshot->count;

	if (part != NULL) {
		snapshot->parts[n].memory = part;
		snapshot->parts[n].bytes = bytes;
		snapshot->parts[n].copy = memory(bytes);
		memcpy(snapshot->parts[n].copy, part, bytes);
		snapshot->count++;
	}
}

void snapshot_take(struct snapshot *snapshot, struct world *world, const struct world_setup *setup)
{
	memset(snapshot, 0, sizeof(*snapshot));
	take_part(snapshot, world->vm, hvc_vm_size());
	for (unsigned int i = 0; i < setup->vcpu_count; i++) {
		take_part(snapshot, world->vcpus[i], hvc_vcpu_size());
	}
	take_part(snapshot, world->stats_memory, hvc_stats_size(setup->vcpu_count));
	take_part(snapshot, world->share_memory, hvc_share_size(setup->share_ram));
	take_part(snapshot, world->forward_memory, hvc_forward_size(setup->transactions));
	take_part(snapshot, world->event_memory, hvc_event_size(setup->events));
	/* Nodes that are not in use are nobody's. */
	take_part(snapshot, world->filter_memory,
		  (size_t)world->vm->filter.nodes * LOOKUP_WIDTH * sizeof(uint16_t));
}

bool snapshot_same(const struct snapshot *snapshot)
{
	for (unsigned int i = 0; i < snapshot->count; i++) {
		if (memcmp(snapshot->parts[i].memory, snapshot->parts[i].copy,
			   snapshot->parts[i].bytes) != 0) {
			return false;
		}
	}
	return true;
}

void snapshot_back(const struct snapshot *snapshot)
{
	for (unsigned int i = 0; i < snapshot->count; i++) {
		memcpy(snapshot->parts[i].memory, snapshot->parts[i].copy,
		       snapshot->parts[i].bytes);
	}
}

void snapshot_free(struct snapshot *snapshot)
{
	for (unsigned int i = 0; i < snapshot->count; i++) {
		free(snapshot->parts[i].copy);
	}
}
