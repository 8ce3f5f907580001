/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contract between the process that replays scenarios (src/scenario/el2_host.c) and the monitor that is made for
 * it, replay.elf (src/el2/replay): operations in batches through the shared memory, and what came of them.
 *
 * The process writes operations and images, then `count`, then `posted` (release). The monitor does them all, writes
 * the results, then `done` (release), and rings the doorbell. A VM lives until the next REPLAY_VM, so a script may be
 * cut into batches anywhere. Calls are made by the guest, everything else by the monitor. Each side checks what it
 * reads.
 */
#ifndef HVCGATE_EL2_REPLAY_H
#define HVCGATE_EL2_REPLAY_H

#include <stdint.h>

#include <hvcgate/engine.h>

#include "launch.h"

/* From EL2_SHARED_PA: behind the rings, which nobody uses here. */
#define REPLAY_OFFSET 0x1000000ull
#define REPLAY_MAGIC  0x52435648u /* "HVCR" */
#define REPLAY_OPS    4096u
#define REPLAY_CPUS   8u
#define REPLAY_LIST   64u
/* Filter memory there is, at most. */
#define REPLAY_FILTER_BYTES 0x400000ull

/* The guest: its last word of RAM is the call instruction. Behind it there is nothing, so that the next fetch comes
 * to EL2. */
#define REPLAY_GUEST_BYTES 0x1000000ull
#define REPLAY_GUEST_ENTRY (EL2_GUEST_IPA + REPLAY_GUEST_BYTES - 4)

/* In the order of enum scn_command, which el2_host.c asserts. */
enum replay_command {
	REPLAY_VM, /* value: offset of the image in `arena`, id: its bytes; count: filter memory; base: HVC_VM_*;
		    * cpu: how many; x[0]: IPA of CPU 0's stolen-time record, CPU n's 64 n above it; 0: none */
	REPLAY_COUNT,
	REPLAY_LIST_REGS,
	REPLAY_SHOW,
	REPLAY_CLEAR_FROM,
	REPLAY_GET,
	REPLAY_SET,
	REPLAY_FILTER,
	REPLAY_FILTER_RAW,
	REPLAY_TRY,
	REPLAY_QUERY,
	REPLAY_RULES,
	REPLAY_RESERVED,
	REPLAY_CALL,
	REPLAY_REPLY,
	REPLAY_RESUME,
	REPLAY_CANCEL,
	REPLAY_ARRIVE,
	REPLAY_WAKE,
	REPLAY_COMMANDS
};

struct replay_op {
	uint32_t command, cpu;
	uint64_t id, value;
	uint32_t base, count, mask;
	uint16_t immediate;
	uint8_t action, conduit;
	uint8_t bytes[HVC_FILTER_BYTES];
	uint64_t x[HVC_FRAME_REGS];
};

/* In the order of enum scn_kind, likewise. */
enum replay_kind {
	REPLAY_NOT_RUN,
	REPLAY_OK,
	REPLAY_ERROR,
	REPLAY_NUMBER,
	REPLAY_IDS,
	REPLAY_DECISION,
	REPLAY_FRAME,
	REPLAY_FORWARDED,
	REPLAY_EVENT,
	REPLAY_WAITS,
	REPLAY_ARRIVED,
	REPLAY_UNSUPPORTED,
	REPLAY_BROKEN /* trouble, esr, address */
};

/* What a call did that no call may: bits n for xn (18 to 30), and these. */
#define REPLAY_LOST_SP_EL1 (1ull << 31)
#define REPLAY_LOST_SP_EL0 (1ull << 32)
#define REPLAY_LOST_PSTATE (1ull << 33)
#define REPLAY_LOST_PC     (1ull << 34) /* it did not go on behind the call: esr, address */
#define REPLAY_NO_SENSE    (1ull << 35) /* the operation is not one */

struct replay_result {
	uint32_t kind;
	int32_t err;
	uint64_t value;
	uint32_t id, conduit, event, list_count;
	uint64_t event_flags;
	uint64_t trouble, esr, address;
	struct hvc_outcome decision;
	struct hvc_filter_detail detail;
	uint64_t x[HVC_FRAME_REGS];
	uint64_t list[REPLAY_LIST];
	uint8_t actions[REPLAY_LIST / 2];
};

struct replay_box {
	uint32_t magic;  /* by the process */
	uint32_t bytes;  /* sizeof(struct replay_box): both sides mean the same */
	uint32_t posted; /* by the process: batches so far */
	uint32_t count;  /* operations of the last one */
	uint32_t done;   /* by the monitor: batches so far */
	uint32_t at;     /* by the monitor: the operation it is at */
	uint64_t pad[5];
	struct replay_op ops[REPLAY_OPS];
	struct replay_result results[REPLAY_OPS];
	uint8_t arena[HVC_IMAGE_MAX_SIZE];
};
_Static_assert(REPLAY_OFFSET + sizeof(struct replay_box) <= EL2_SHARED_SIZE, "the box fits");
_Static_assert(EL2_RINGS_OFFSET + EL2_MAX_CPUS * EL2_RING_STRIDE <= REPLAY_OFFSET,
	       "behind the rings");

#endif
