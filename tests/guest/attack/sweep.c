/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The whole of guest-physical memory against the list of what a guest has: nothing else may answer. Every
 * page where QEMU's virt machine has devices and around the end of RAM, every 2 MiB of the rest.
 */
#include "attack.h"

#define PAGE  0x1000ull
#define BLOCK 0x200000ull

enum probe { PROBE_READ, PROBE_WRITE, PROBE_FETCH, PROBE_COUNT };

/* Written here again on purpose: the launcher's list is what is tested. */
bool area_allowed(uint64_t physical)
{
	const uint64_t devices[][2] = {
		{0x09000000, 0x1000},                     /* PL011 */
		{0x09010000, 0x1000},                     /* PL031 */
		{GICD, 0x10000},                          /* distributor */
		{gic_version() == 2 ? GICC : 0, 0x10000}, /* CPU interface */
		{gic_version() == 3 ? GICR : 0, attack_cpus * GICR_STRIDE},
	};

	if (physical >= RAM_START && physical < RAM_END) {
		return true;
	}
	for (unsigned int i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
		if (devices[i][0] != 0 && physical >= devices[i][0] &&
		    physical - devices[i][0] < devices[i][1]) {
			return true;
		}
	}
	return false;
}

/* The records of stolen time: to be read, and no more. */
static bool area_readable(uint64_t physical)
{
	return physical == 0x090a0000;
}

static bool probe(unsigned int how, uint64_t address, struct kit_fault *fault)
{
	uint64_t value;

	switch (how) {
	case PROBE_READ:
		return kit_read(address, 4, &value, fault);
	case PROBE_WRITE:
		return kit_write(address, 4, 0xffffffff, fault);
	default:
		return kit_execute(address, fault);
	}
}

static void probe_hidden(uint64_t physical)
{
	const uint64_t address = window_plain(physical);
	struct kit_fault fault;

	for (unsigned int how = 0; how < PROBE_COUNT; how++) {
		const bool done = probe(how, address, &fault);

		if (how == PROBE_READ && area_readable(physical)) {
			attempt(done, "sweep: read what is to be read", physical, 0);
			continue;
		}
		attempt(!done && is_external(&fault) && fault.far == address,
			how == PROBE_READ    ? "sweep: read"
			: how == PROBE_WRITE ? "sweep: write"
					     : "sweep: fetch",
			physical, done ? 0 : fault.esr);
	}
}

/* What a device has is not for executing, whatever stage 1 says. */
static void fetch_device(uint64_t physical)
{
	struct kit_fault fault;
	const bool done = kit_execute(window_normal(physical), &fault);

	attempt(!done && is_external(&fault), "fetch from a device", physical, 0);
}

static void sweep(uint64_t from, uint64_t to, uint64_t step, unsigned int part)
{
	for (uint64_t at = from + part * step; at < to; at += attack_cpus * step) {
		if (!area_allowed(at)) {
			probe_hidden(at);
		} else if (at < RAM_START) {
			fetch_device(at);
		}
	}
}

/* In RAM beyond its end or below its start lies, in the machine, what the guest must not see. */
void attack_sweep(unsigned int part)
{
	sweep(0, 0x10000000, PAGE, part);
	sweep(0x10000000, 0x3c000000, BLOCK, part);
	sweep(0x3c000000, RAM_START, PAGE, part);
	sweep(RAM_END, RAM_END + 0x8000000, PAGE, part);
	sweep(RAM_END + 0x8000000, 0x4000000000, BLOCK, part);
	sweep(0x4000000000, 0x4000200000, PAGE, part);
	sweep(0x4010000000, 0x4010200000, PAGE, part);
	sweep(0x4010200000, 0x4020000000, BLOCK, part);
	sweep(0x4020000000, 0x10000000000, 16 * BLOCK, part);
}
