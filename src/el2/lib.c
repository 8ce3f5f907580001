/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The counter, and the functions that a compiler may call by itself (GCC manual, "Standards").
 */
#include "el2.h"
#include "sysreg.h"

void *memcpy(void *restrict to, const void *restrict from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int byte, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);

uint64_t counter_now(void)
{
	isb(); /* not before what stands before it */
	return sysreg_read(cntpct_el0);
}

uint64_t counter_hz(void)
{
	return sysreg_read(cntfrq_el0);
}

/* Eight bytes of anything. */
typedef uint64_t __attribute__((may_alias)) word;

static bool in_words(uint64_t a, uint64_t b)
{
	return ((a | b) & (sizeof(word) - 1)) == 0;
}

void *memcpy(void *restrict to, const void *restrict from, size_t bytes)
{
	char *t = to;
	const char *f = from;

	if (in_words((uint64_t)to, (uint64_t)from)) {
		for (; bytes >= sizeof(word); bytes -= sizeof(word)) {
			*(word *)(void *)t = *(const word *)(const void *)f;
			t += sizeof(word);
			f += sizeof(word);
		}
	}
	while (bytes-- != 0) {
		*t++ = *f++;
	}
	return to;
}

void *memmove(void *to, const void *from, size_t bytes)
{
	char *t = to;
	const char *f = from;

	if (t <= f) {
		return memcpy(to, from, bytes);
	}
	while (bytes-- != 0) {
		t[bytes] = f[bytes];
	}
	return to;
}

void *memset(void *to, int byte, size_t bytes)
{
	char *t = to;

	if (in_words((uint64_t)to, 0)) {
		const uint64_t eight = (uint8_t)byte * 0x0101010101010101ull;

		for (; bytes >= sizeof(word); bytes -= sizeof(word)) {
			*(word *)(void *)t = eight;
			t += sizeof(word);
		}
	}
	while (bytes-- != 0) {
		*t++ = (char)byte;
	}
	return to;
}

int memcmp(const void *a, const void *b, size_t bytes)
{
	const unsigned char *p = a, *q = b;

	for (; bytes != 0; bytes--, p++, q++) {
		if (*p != *q) {
			return *p < *q ? -1 : 1;
		}
	}
	return 0;
}
