/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that another process writes: copied a word at a time, so that who reads a torn copy has no undefined behaviour. */
#ifndef HVCGATE_KVM_WORDS_H
#define HVCGATE_KVM_WORDS_H

#include <stddef.h>
#include <stdint.h>

typedef uint64_t __attribute__((may_alias)) words_word;

/* `bytes` is a multiple of 8, both are aligned to that. */
static inline void words_load(void *to, const void *shared, size_t bytes)
{
	words_word *word = to;

	for (size_t i = 0; i < bytes / sizeof(*word); i++) {
		word[i] = __atomic_load_n((const words_word *)shared + i, __ATOMIC_RELAXED);
	}
}

static inline void words_store(void *shared, const void *from, size_t bytes)
{
	const words_word *word = from;

	for (size_t i = 0; i < bytes / sizeof(*word); i++) {
		__atomic_store_n((words_word *)shared + i, word[i], __ATOMIC_RELAXED);
	}
}

#endif
