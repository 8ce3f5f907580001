/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The random values in the device tree, on one boot and after a reset: not the same, unless same=1 says that
 * they must be.
 */
#include "kit/kit.h"

#define SYSTEM_RESET 0x84000009u
#define MAGIC        0x73656564u
#define RNG_BYTES    64
#define KASLR_BYTES  8

/* Survives a reset: not in the image, and the machine does not clear its RAM. */
struct kept {
	uint64_t magic;
	uint8_t rng[RNG_BYTES], kaslr[KASLR_BYTES];
};
#define KEPT ((volatile struct kept *)0x47000000)

/* How many of its bytes are not what the boot before left; and now they are this boot's. */
static unsigned int changes(const uint8_t *value, volatile uint8_t *kept, unsigned int bytes)
{
	unsigned int changed = 0;

	for (unsigned int i = 0; i < bytes; i++) {
		changed += value[i] != kept[i] ? 1 : 0;
		kept[i] = value[i];
	}
	return changed;
}

void kit_main(void)
{
	const bool same = kit_option("same", 0) != 0, again = KEPT->magic == MAGIC;
	unsigned int bytes = 0, rng, kaslr;
	const uint8_t *value = kit_property("rng-seed", &bytes);

	if (value == NULL || bytes != RNG_BYTES) {
		kit_fail("rng-seed has %u bytes", bytes);
		return;
	}
	rng = changes(value, KEPT->rng, RNG_BYTES);
	value = kit_property("kaslr-seed", &bytes);
	if (value == NULL || bytes != KASLR_BYTES) {
		kit_fail("kaslr-seed has %u bytes", bytes);
		return;
	}
	kaslr = changes(value, KEPT->kaslr, KASLR_BYTES);
	if (!again) {
		KEPT->magic = MAGIC;
		__asm__ volatile("dsb sy" : : : "memory");
		kit_hvc(SYSTEM_RESET, 0, 0, 0);
		kit_fail("SYSTEM_RESET came back");
		return;
	}
	KEPT->magic = 0;
	kit_printf("after a reset, rng-seed has %u other bytes, kaslr-seed %u\n", rng, kaslr);
	if (same ? rng + kaslr != 0 : rng < RNG_BYTES / 2 || kaslr < KASLR_BYTES / 2) {
		kit_fail("seeds");
	}
}
