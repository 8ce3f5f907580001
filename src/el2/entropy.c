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

#define KEY_WORDS   8
#define BLOCK_WORDS 16
#define SEED_WORDS  (EL2_SEED_BYTES / 4)

static bool seeded;

static void wipe(volatile uint32_t *words, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		words[i] = 0;
	}
}

/* False: the process gave none within a second. */
static bool take_seed(uint32_t seed[SEED_WORDS])
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
	for (unsigned int i = 0; i < SEED_WORDS; i++) {
		seed[i] = ((volatile uint32_t *)(void *)mailbox->seed)[i];
	}
	wipe((volatile uint32_t *)(void *)mailbox->seed, SEED_WORDS);
	atomic_store_explicit(full, 0, memory_order_release);
	return true;
}

void entropy_init(const struct el2_launch *launch)
{
	uint32_t seed[SEED_WORDS] = {0x5eed}; /* what --deterministic has: not random at all */
	uint32_t block[BLOCK_WORDS];

	seeded = (launch->flags & EL2_FLAG_DETERMINISTIC) != 0 || take_seed(seed);
	/* Of the seed's twelve words, 8 are the key, 3 the nonce, 1 starts the counter: a block for each
	 * CPU, whose first half is its key. */
	for (unsigned int i = 0; i < launch->cpu_count; i++) {
		chacha20_block(seed, seed[11] + i, seed + KEY_WORDS, block);
		for (unsigned int j = 0; j < KEY_WORDS; j++) {
			el2_cpus[i].entropy_key[j] = block[j];
		}
	}
	wipe(seed, SEED_WORDS);
	wipe(block, BLOCK_WORDS);
}

bool entropy_fill(void *host, uint64_t *words, uint32_t count)
{
	static const uint32_t nonce[3];
	struct el2_cpu *cpu = el2_this_cpu();
	uint32_t block[BLOCK_WORDS];

	(void)host;
	if (!seeded) {
		return false;
	}
	for (uint32_t done = 0; done < count;) {
		chacha20_block(cpu->entropy_key, 0, nonce, block);
		for (unsigned int i = 0; i < KEY_WORDS; i++) {
			cpu->entropy_key[i] = block[i];
		}
		for (unsigned int i = KEY_WORDS; i < BLOCK_WORDS && done < count; i += 2) {
			words[done++] = block[i] | (uint64_t)block[i + 1] << 32;
		}
	}
	wipe(block, BLOCK_WORDS);
	return true;
}
