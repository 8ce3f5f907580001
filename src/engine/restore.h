/* SPDX-License-Identifier: BSD-2-Clause */
/* A saved VM that is being looked at, and then taken. */
#ifndef HVC_RESTORE_H
#define HVC_RESTORE_H

#include "saved.h"
#include "state.h"

struct restore {
	struct hvc_vm *vm;
	const uint8_t *bytes;
	struct {
		uint32_t at, length; /* of what the section holds, in bytes; at 0: it is absent */
	} sections[SECTION_COUNT];
	uint64_t values[HVC_REG_COUNT]; /* of registers, once they are checked */
	uint32_t shown;
	struct hvc_restore_detail detail;
};

/* `n` bytes as a number; the caller knows that they are there. */
uint64_t restore_get(const struct restore *restore, size_t at, unsigned int n);

/* HVC_EBADMSG: the bytes there are wrong. */
enum hvc_err restore_bad(struct restore *restore, size_t at);
/* HVC_ENXIO. */
enum hvc_err restore_missing(struct restore *restore, enum hvc_missing missing, uint64_t wanted,
			     uint64_t have);

/*
 * Could each section be taken? Nothing is changed. All sections are there that must be; what `check` relies on of
 * others was checked before. An absent one is not asked about.
 */
enum hvc_err restore_check(struct restore *restore);
/* After restore_check(): take them. HVC_ENXIO: no room for the ranges, and nothing was changed. */
enum hvc_err restore_take(struct restore *restore);

/* Of sections that restore_parts.c knows. */
enum hvc_err restore_check_vcpu_count(struct restore *restore);
enum hvc_err restore_check_vcpus(struct restore *restore);
void restore_take_vcpus(struct restore *restore);
enum hvc_err restore_check_shares(struct restore *restore);
void restore_take_shares(struct restore *restore);
/* restore_calls.c: calls that were left. After SECTION_FORWARD is taken. */
enum hvc_err restore_check_calls(struct restore *restore);
void restore_take_calls(struct restore *restore);

#endif
