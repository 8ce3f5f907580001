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

void *memcpy(void *restrict to, const void *restrict from, size_t bytes)
{
	char *t = to;
	const char *f = from;

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
