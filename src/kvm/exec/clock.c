/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include <time.h>

#include "shared.h"

uint64_t exec_clock(void)
{
#ifdef __aarch64__
	uint64_t now;

	__asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(now)::"memory");
	return now;
#else
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
#endif
}

uint64_t exec_clock_hz(void)
{
#ifdef __aarch64__
	uint64_t hz;

	__asm__("mrs %0, cntfrq_el0" : "=r"(hz));
	return hz;
#else
	return 1000000000u;
#endif
}
