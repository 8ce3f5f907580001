/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that is freed all at once. Running out is remembered in `oom`, so that callers need only not crash. */
#ifndef HVCGATE_POLICY_ARENA_H
#define HVCGATE_POLICY_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena_block;
struct arena {
	struct arena_block *blocks;
	bool oom;
};

/* Zeroed, aligned for any type; NULL sets oom. */
void *arena_alloc(struct arena *arena, size_t bytes);
char *arena_strndup(struct arena *arena, const char *text, size_t length);
char *arena_printf(struct arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void arena_free(struct arena *arena);

/* Make room for `need` items in a malloc'ed array; false (nothing changed) without memory. */
bool array_reserve(void *array_pointer, size_t *capacity, size_t need, size_t item_bytes);

#endif
