/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random numbers for the guest: the host's getrandom(), taken from the mailbox at every boot, expanded
 * by ChaCha20 with fast key erasure: the first half of each block replaces the key, so what was handed
 * out cannot be found from what is left. Each CPU has a key of its own; nothing is locked.
 */
#include <stdatomic.h>

#include "chacha20.h"
#include "el2.h"
#include "sysreg.h"

#define KEY_BYTES 32

static bool seeded;

static void wipe(volatile uint8_t *bytes, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		bytes[i] = 0;
	}
}

/* False: the process gave none within a second. */
static bool take_seed(uint8_t seed[EL2_SEED_BYTES])
{
	struct el2_mailbox *mailbox = el2_mailbox();
	_Atomic uint32_t *full = (_Atomic uint32_t *)&mailbox->seed_full;
	const uint64_t deadline = counter_now() + counter_hz();

	if (atomic_load_explicit(full, memory_order_acquire) == 0) {
		doorbell_ring();
	}
	while (atomic_load_explicit(full, memory_order_acquire) == 0) {
		if (counter_now() > deadline) {
			return false;
		}
	}
	for (unsigned int i = 0; i < EL2_SEED_BYTES; i++) {
		seed[i] = mailbox->seed[i];
	}
	wipe(mailbox->seed, EL2_SEED_BYTES);
	atomic_store_explicit(full, 0, memory_order_release);
	return true;
}

void entropy_init(const struct el2_launch *launch)
{
	uint8_t seed[EL2_SEED_BYTES] = "hvcgate --deterministic: not random at all";
	uint8_t block[64];

	seeded = (launch->flags & EL2_FLAG_DETERMINISTIC) != 0 || take_seed(seed);
	/* 32 bytes of the seed are the key, 12 the nonce, 4 start the counter: one block for each CPU. */
	for (unsigned int i = 0; i < launch->cpu_count; i++) {
		uint32_t counter = (uint32_t)seed[44] | (uint32_t)seed[45] << 8 |
				   (uint32_t)seed[46] << 16 | (uint32_t)seed[47] << 24;

		chacha20_block(seed, counter + i, seed + KEY_BYTES, block);
		for (unsigned int j = 0; j < KEY_BYTES; j++) {
			el2_cpus[i].entropy_key[j] = block[j];
		}
	}
	wipe(seed, sizeof(seed));
	wipe(block, sizeof(block));
}

bool entropy_fill(void *host, uint64_t *words, uint32_t count)
{
	static const uint8_t nonce[12];
	struct el2_cpu *cpu = el2_this_cpu();
	uint8_t block[64];

	(void)host;
	if (!seeded) {
		return false;
	}
	for (uint32_t done = 0; done < count;) {
		chacha20_block(cpu->entropy_key, 0, nonce, block);
		for (unsigned int i = 0; i < KEY_BYTES; i++) {
			cpu->entropy_key[i] = block[i];
		}
		for (unsigned int i = KEY_BYTES; i < sizeof(block) && done < count; i += 8) {
			uint64_t word = 0;

			for (unsigned int j = 0; j < 8; j++) {
				word |= (uint64_t)block[i + j] << (8 * j);
			}
			words[done++] = word;
		}
	}
	wipe(block, sizeof(block));
	return true;
}
