/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "table.h"

#include <sys/mman.h>

_Atomic(struct table_block *) table_blocks[TABLE_BLOCKS];

/* From the kernel and not from malloc(): a VMM may have its own, and be anywhere in it. */
static struct table_block *block_of(unsigned int n)
{
	_Atomic(struct table_block *) *at = &table_blocks[n];
	struct table_block *block = atomic_load_explicit(at, memory_order_acquire), *fresh;

	if (block != NULL) {
		return block;
	}
	fresh = mmap(NULL, sizeof(*fresh), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		     0);
	if (fresh == MAP_FAILED) {
		return NULL;
	}
	if (!atomic_compare_exchange_strong(at, &block, fresh)) {
		munmap(fresh, sizeof(*fresh));
		return block;
	}
	return fresh;
}

bool table_put(int fd, struct object *object, struct object **before)
{
	const unsigned int n = (unsigned int)fd;
	struct table_block *block = n < TABLE_BLOCK * TABLE_BLOCKS ? block_of(n / TABLE_BLOCK)
								   : NULL;

	*before = NULL;
	if (block == NULL) {
		return false;
	}
	if (object != NULL) {
		atomic_fetch_add(&object->holds, 1);
	}
	*before = atomic_exchange(&block->objects[n % TABLE_BLOCK], object);
	return true;
}

bool object_hold(struct object *object)
{
	uint32_t holds = atomic_load_explicit(&object->holds, memory_order_relaxed);

	while (holds != 0) {
		if (atomic_compare_exchange_weak(&object->holds, &holds, holds + 1)) {
			return true;
		}
	}
	return false;
}

bool object_release(struct object *object)
{
	return atomic_fetch_sub(&object->holds, 1) == 1;
}
