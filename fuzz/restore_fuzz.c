/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libFuzzer: bytes as a saved VM, with length and checksum put right, or no input would get past them. What is refused
 * changes nothing; what is taken saves, and that comes back as the same bytes.
 *
 *   meson setup build/fuzz -Dfuzz=true  (with CC=clang), then build/fuzz/fuzz/restore-fuzz
 */
#include <stdlib.h>
#include <string.h>

#include <hvcgate/event.h>
#include <hvcgate/forward.h>
#include <hvcgate/save.h>

#include "../src/engine/saved.h"
#include "../src/engine/state.h"

enum { VCPUS = 3, BLOCK = 8192, IMAGE = 65536, NODES = 65536, SHARE_RAM = 256 * 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A VM and all its memory, so that two can be compared. */
struct machine {
	_Alignas(64) unsigned char vm[512];
	_Alignas(64) unsigned char vcpus[VCPUS][128];
	_Alignas(8) unsigned char stats[BLOCK], forward[BLOCK], event[BLOCK], share[BLOCK];
};

static struct machine machine, before;
static struct hvc_vcpu *vcpus[VCPUS];
_Alignas(8) static unsigned char image_memory[IMAGE], nodes[NODES];

static bool stolen_time(void *host, uint32_t vcpu, uint64_t ipa)
{
	(void)host;
	return vcpu < ipa;
}

static uint64_t now_us(void *host)
{
	(void)host;
	return 1;
}

static void must(bool fine)
{
	if (!fine) {
		abort();
	}
}

static struct hvc_image *image(void)
{
	static const struct hvc_tables tables = {.size = sizeof(tables),
						 .power_state_count = 2,
						 .power_states = {{0x00000000u, 0},
								  {0x00010001u, 0}}};
	struct hvc_image *made = (struct hvc_image *)(void *)image_memory;
	struct hvc_settings settings;

	if (made->magic == 0) {
		must(hvc_settings_profile(&settings, HVC_PROFILE_NEWEST) == HVC_OK);
		settings.os_initiated = 1;
		settings.trusted_os = HVC_TRUSTED_OS_MIGRATES;
		must(hvc_image_begin(made, sizeof(image_memory), &settings) == HVC_OK);
		must(hvc_image_add_tables(made, sizeof(image_memory), &tables) == HVC_OK);
		hvc_image_seal(made);
		must(hvc_image_check(made, sizeof(image_memory)) == HVC_OK);
	}
	return made;
}

static struct hvc_vm *fresh(void)
{
	static const struct hvc_platform platform = {
		.size = sizeof(platform), .stolen_time = stolen_time, .now_us = now_us};
	struct hvc_vm *vm = (struct hvc_vm *)(void *)machine.vm;
	struct hvc_vm_config config = {
		.size = sizeof(config),
		.vcpu_count = VCPUS,
		.image = image(),
		.platform = &platform,
		.filter_memory = nodes,
		.filter_bytes = sizeof(nodes),
		.stats_memory = machine.stats,
		.stats_bytes = sizeof(machine.stats),
		.forward_memory = machine.forward,
		.forward_bytes = hvc_forward_size(4),
		.event_memory = machine.event,
		.event_bytes = hvc_event_size(4),
		.share_memory = machine.share,
		.share_bytes = sizeof(machine.share),
		.share_base = 0x80000000u,
		.share_ram = SHARE_RAM,
	};

	memset(&machine, 0, sizeof(machine));
	for (unsigned int i = 0; i < VCPUS; i++) {
		vcpus[i] = (struct hvc_vcpu *)(void *)machine.vcpus[i];
	}
	must(hvc_vm_init(vm, &config, vcpus) == HVC_OK);
	before = machine;
	return vm;
}

static void put_word(uint8_t *at, uint32_t value)
{
	for (unsigned int i = 0; i < 4; i++) {
		at[i] = (uint8_t)(value >> 8 * i);
	}
}

/* What this VM would write, in memory of its own; *size its bytes. */
static uint8_t *state_of(const struct hvc_vm *vm, size_t *size)
{
	uint8_t *bytes;

	*size = 0;
	must(hvc_vm_save(vm, NULL, size, NULL) == HVC_E2BIG);
	bytes = malloc(*size);
	must(bytes != NULL && hvc_vm_save(vm, bytes, size, NULL) == HVC_OK);
	return bytes;
}

/* A restored VM is a VM: it saves, and comes back the same. */
static void check_taken(const struct hvc_vm *vm)
{
	size_t size, again;
	uint8_t *first = state_of(vm, &size), *second;
	struct hvc_vm *other = fresh();

	must(hvc_vm_restore(other, first, size, NULL) == HVC_OK);
	second = state_of(other, &again);
	must(again == size && memcmp(first, second, size) == 0);
	free(first);
	free(second);
}

static void seal(uint8_t *state, size_t bytes)
{
	put_word(state + 8, (uint32_t)bytes);
	put_word(state + 12, crc32_of(state + SAVED_HEADER, bytes - SAVED_HEADER));
}

/* What this VM would write, changed: each three bytes say where, and what stands there instead. */
static uint8_t *state_changed(const struct hvc_vm *vm, const uint8_t *data, size_t size,
			      size_t *bytes)
{
	uint8_t *state = state_of(vm, bytes);

	for (size_t i = 1; i + 3 <= size; i += 3) {
		size_t at = SAVED_HEADER + ((size_t)data[i] << 8 | data[i + 1]);

		if (at < *bytes) {
			state[at] = data[i + 2];
		}
	}
	seal(state, *bytes);
	return state;
}

/* Inputs are sections; the first byte says whether they stand behind this VM's policy. */
static uint8_t *state_from(const uint8_t *data, size_t size, size_t *bytes)
{
	size_t head = SAVED_HEADER + SECTION_HEADER + SAVED_POLICY,
	       from = data[0] & 1 ? head : SAVED_HEADER;
	uint8_t *state = calloc(1, from + size - 1);

	must(state != NULL);
	*bytes = from + size - 1;
	put_word(state, HVC_SAVE_MAGIC);
	put_word(state + 4, HVC_SAVE_FORMAT);
	if (from == head) {
		put_word(state + SAVED_HEADER, SECTION_POLICY | SECTION_MUST << 16);
		put_word(state + SAVED_HEADER + 4, SAVED_POLICY);
		saved_policy(image(), state + SAVED_HEADER + SECTION_HEADER);
	}
	memcpy(state + from, data + 1, size - 1);
	seal(state, *bytes);
	return state;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hvc_restore_detail detail = {.size = sizeof(detail)};
	struct hvc_vm *vm = fresh();
	uint8_t *state;
	size_t bytes;

	if (size == 0) {
		return 0;
	}
	state = data[0] & 2 ? state_changed(vm, data, size, &bytes)
			    : state_from(data, size, &bytes);
	if (hvc_vm_restore(vm, state, bytes, &detail) == HVC_OK) {
		check_taken(vm);
	} else {
		must(memcmp(&machine, &before, sizeof(machine)) == 0 &&
		     detail.missing < HVC_MISSING_COUNT);
	}
	free(state);
	return 0;
}
