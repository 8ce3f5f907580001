/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"

#define BLOCK_BYTES ((size_t)16384)
#define ALIGNMENT   _Alignof(max_align_t)

struct arena_block {
	struct arena_block *next;
	size_t used, capacity;
	_Alignas(max_align_t) char bytes[];
};

static struct arena_block *block_for(struct arena *arena, size_t bytes)
{
	struct arena_block *block = arena->blocks;
	size_t capacity = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;

	if (block != NULL && block->capacity - block->used >= bytes) {
		return block;
	}
	block = calloc(1, sizeof(*block) + capacity);
	if (block == NULL) {
		arena->oom = true;
		return NULL;
	}
	block->capacity = capacity;
	block->next = arena->blocks;
	arena->blocks = block;
	return block;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
	struct arena_block *block;
	void *memory;

	if (bytes > SIZE_MAX / 2) {
		arena->oom = true;
		return NULL;
	}
	bytes = (bytes + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
	block = block_for(arena, bytes);
	if (block == NULL) {
		return NULL;
	}
	memory = block->bytes + block->used;
	block->used += bytes;
	return memory;
}

char *arena_strndup(struct arena *arena, const char *text, size_t length)
{
	char *copy = arena_alloc(arena, length + 1);

	if (copy != NULL && length != 0) {
		memcpy(copy, text, length);
	}
	return copy;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args;
	char *text;
	int length;

	va_start(args, format);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (length < 0) {
		arena->oom = true;
		return NULL;
	}
	text = arena_alloc(arena, (size_t)length + 1);
	if (text != NULL) {
		va_start(args, format);
		vsnprintf(text, (size_t)length + 1, format, args);
		va_end(args);
	}
	return text;
}

void arena_free(struct arena *arena)
{
	while (arena->blocks != NULL) {
		struct arena_block *next = arena->blocks->next;

		free(arena->blocks);
		arena->blocks = next;
	}
}

bool array_reserve(void *array_pointer, size_t *capacity, size_t need, size_t item_bytes)
{
	size_t more = *capacity < 8 ? 8 : *capacity;
	void *old, *grown;

	if (need <= *capacity) {
		return true;
	}
	while (more < need) {
		more *= 2;
	}
	if (more > SIZE_MAX / item_bytes) {
		return false;
	}
	memcpy(&old, array_pointer, sizeof(old));
	grown = realloc(old, more * item_bytes);
	if (grown == NULL) {
		return false;
	}
	memcpy(array_pointer, &grown, sizeof(grown));
	*capacity = more;
	return true;
}
