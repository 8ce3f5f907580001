/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is the launch block one this monitor can run, and does it keep the guest out of our memory? It comes
 * from our own launcher, so this finds mistakes; it is also the one place where isolation could be lost
 * by a wrong number.
 */
#include <hvcgate/image.h>

#include "el2.h"
#include "sysreg.h"

static bool overlap(uint64_t a, uint64_t a_bytes, uint64_t b, uint64_t b_bytes)
{
	return a < b + b_bytes && b < a + a_bytes;
}

/* Of [start, start + bytes): page multiples, not empty, inside `bits` bits. */
static bool sound(uint64_t start, uint64_t bytes, unsigned int bits)
{
	return ((start | bytes) & (PAGE_SIZE - 1)) == 0 && bytes != 0 && start < 1ull << bits &&
	       bytes <= (1ull << bits) - start;
}

static void check_region(const struct el2_launch *launch, unsigned int i, unsigned int pa_bits)
{
	const struct el2_region *region = &launch->regions[i];

	if (region->kind < EL2_RAM || region->kind > EL2_GIC_CPU) {
		report_refused("region of unknown kind; region", i);
	}
	if (!sound(region->ipa, region->bytes, stage2_ipa_bits()) ||
	    !sound(region->pa, region->bytes, pa_bits)) {
		report_refused("region empty, unaligned or out of address range; region", i);
	}
	if (region->kind == EL2_GIC_REDIST && region->bytes % GIC_REDIST_STRIDE != 0) {
		report_refused("redistributors are no multiple of 128 KiB; region", i);
	}
	if (overlap(region->pa, region->bytes, EL2_MONITOR_PA, EL2_MONITOR_SIZE) ||
	    overlap(region->pa, region->bytes, EL2_SHARED_PA, EL2_SHARED_SIZE)) {
		report_refused("region meets the monitor's memory; region", i);
	}
	if (overlap(region->ipa, region->bytes, EL2_STOLEN_IPA, PAGE_SIZE)) {
		report_refused("region meets the records of stolen time; region", i);
	}
	if (launch->doorbell_ecam != 0 &&
	    (overlap(region->pa, region->bytes, launch->doorbell_ecam, PAGE_SIZE) ||
	     overlap(region->pa, region->bytes, launch->doorbell_pio, EL2_DOORBELL_PIO_BYTES))) {
		report_refused("region meets the doorbell; region", i);
	}
	for (unsigned int j = 0; j < i; j++) {
		if (overlap(region->ipa, region->bytes, launch->regions[j].ipa,
			    launch->regions[j].bytes)) {
			report_refused("region meets an earlier one; region", i);
		}
	}
}

void launch_check_image(const struct el2_launch *launch)
{
	enum hvc_err err = hvc_image_check((const void *)EL2_IMAGE_PA, launch->image_bytes);

	if (err == HVC_ENOTSUP) {
		report_refused("policy image made for another version; error", (uint64_t)-err);
	}
	if (err != HVC_OK) {
		report_refused("policy image is corrupt; error", (uint64_t)-err);
	}
}

static void check_seeds(const struct el2_launch *launch)
{
	uint64_t pa;

	if (launch->seed_count > EL2_MAX_SEEDS) {
		report_refused("seed count", launch->seed_count);
	}
	for (unsigned int i = 0; i < launch->seed_count; i++) {
		const struct el2_seed *seed = &launch->seeds[i];

		if ((seed->ipa | seed->bytes) % 4 != 0 || seed->bytes == 0 ||
		    seed->bytes > EL2_SEED_MAX || seed->ipa < PAGE_SIZE ||
		    !stage2_ram(seed->ipa - EL2_SEED_HEADER, seed->bytes + EL2_SEED_HEADER, &pa)) {
			report_refused("seed is no property in RAM; seed", i);
		}
	}
}

static void check_blobs(const struct el2_launch *launch)
{
	uint64_t pa;

	if (launch->blob_count > EL2_MAX_BLOBS) {
		report_refused("blob count", launch->blob_count);
	}
	for (unsigned int i = 0; i < launch->blob_count; i++) {
		if (!stage2_ram(launch->blobs[i].ipa, launch->blobs[i].bytes, &pa)) {
			report_refused("blob is not in RAM; blob", i);
		}
	}
}

void launch_check(const struct el2_launch *launch)
{
	unsigned int redists = 0, interfaces = 0;

	if (launch->magic != EL2_LAUNCH_MAGIC || launch->format != EL2_LAUNCH_FORMAT ||
	    launch->bytes != sizeof(*launch)) {
		report_refused("no launch block of this version; magic", launch->magic);
	}
	if (launch->cpu_count == 0 || launch->cpu_count > EL2_MAX_CPUS) {
		report_refused("CPU count", launch->cpu_count);
	}
	if (launch->gic_version != 2 && launch->gic_version != 3) {
		report_refused("GIC version", launch->gic_version);
	}
	if (launch->region_count > EL2_MAX_REGIONS) {
		report_refused("region count", launch->region_count);
	}
	for (unsigned int i = 0; i < launch->region_count; i++) {
		check_region(launch, i, 48);
		redists += launch->regions[i].kind == EL2_GIC_REDIST ? 1 : 0;
		interfaces += launch->regions[i].kind == EL2_GIC_CPU ? 1 : 0;
	}
	if (launch->gic_version == 2 && interfaces != 1) {
		report_refused("a GICv2 needs one CPU interface; there are", interfaces);
	}
	if (launch->gic_version == 3 && redists != 1) {
		report_refused("a GICv3 needs one region of redistributors; there are", redists);
	}
	if (!stage2_is_ram(launch->guest_entry)) {
		report_refused("guest entry is not in RAM", launch->guest_entry);
	}
	check_seeds(launch);
	check_blobs(launch);
	if (launch->image_bytes < sizeof(struct hvc_image) ||
	    launch->image_bytes > HVC_IMAGE_MAX_SIZE) {
		report_refused("policy image too short or too long; bytes", launch->image_bytes);
	}
	if (launch->filter_bytes > EL2_FILTER_SIZE) {
		report_refused("too much memory for rules; bytes", launch->filter_bytes);
	}
}
