/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames to see by what a call changed: expected_pattern() in all registers. */
#ifndef TESTS_PATTERN_FRAME_H
#define TESTS_PATTERN_FRAME_H

#include <hvcgate/engine.h>

#include "expected_masks.h"

static inline struct hvc_frame pattern_frame(uint32_t id)
{
	struct hvc_frame frame;

	for (unsigned int i = 0; i < HVC_FRAME_REGS; i++) {
		frame.x[i] = expected_pattern(i);
	}
	frame.x[0] = (frame.x[0] & 0xffffffff00000000ull) | id;
	return frame;
}

/* Bit n: x(n) is another. */
static inline uint32_t frame_changes(const struct hvc_frame *before, const struct hvc_frame *after)
{
	uint32_t mask = 0;

	for (unsigned int i = 0; i < HVC_FRAME_REGS; i++) {
		mask |= (before->x[i] != after->x[i] ? 1u : 0u) << i;
	}
	return mask;
}

#endif
