/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contract between the process that replays scenarios (src/scenario/el2_host.c) and the monitor that is made for
 * it, replay.elf (src/el2/replay): operations in batches through the shared memory, and what came of them.
 *
 * The process writes operations and images, then `count`, then `posted` (release). The monitor does them all, writes
 * the results, then `done` (release), and rings the doorbell. A VM lives until the next SCN_VM, so a script may be cut
 * into batches anywhere. Calls are made by the guest, everything else by the monitor. Each side checks what it reads.
 */
#ifndef HVCGATE_EL2_REPLAY_H
#define HVCGATE_EL2_REPLAY_H

#include <stdint.h>

#include "../scenario/ops.h"
#include "launch.h"

/* From EL2_SHARED_PA: behind the rings, which nobody uses here. */
#define REPLAY_OFFSET 0x1000000ull
#define REPLAY_MAGIC  0x52435648u /* "HVCR" */
#define REPLAY_OPS    2048u

/* Filter memory there is: that of the largest image, and ranges. */
#define REPLAY_FILTER_BYTES 0xa00000u

/* The guest: its last word of RAM is the call instruction. Behind it there is nothing, so that the next fetch comes
 * to EL2. */
#define REPLAY_GUEST_BYTES 0x1000000ull
#define REPLAY_GUEST_ENTRY (EL2_GUEST_IPA + REPLAY_GUEST_BYTES - 4)

struct replay_op {
	struct scn_op op;    /* without pointers */
	uint32_t new_script; /* 1: the first operation of one: there is no VM */
	uint32_t pad;
	/* SCN_VM: the image is at `image` in the arena. */
	uint64_t image, image_bytes;
	uint64_t stolen_time; /* as in struct scn_vm */
	uint32_t cpus, flags; /* flags: HVC_VM_* */
};

/* What a call did that no call may: bit n for xn (18 to 30), and these. */
#define REPLAY_LOST_SP_EL1 (1ull << 31)
#define REPLAY_LOST_SP_EL0 (1ull << 32)
#define REPLAY_LOST_PSTATE (1ull << 33)
#define REPLAY_LOST_PC     (1ull << 34) /* it did not go on behind the call: esr, address */

struct replay_result {
	struct scn_result result; /* without pointers */
	uint64_t trouble;         /* 0: none; else the result says nothing */
	uint64_t esr, address;
	char reason[96]; /* of SCN_BROKEN */
};

struct replay_box {
	uint32_t magic;  /* by the process */
	uint32_t bytes;  /* sizeof(struct replay_box): both sides mean the same */
	uint32_t posted; /* by the process: batches so far */
	uint32_t count;  /* operations of the last one */
	uint32_t done;   /* by the monitor: batches so far */
	uint32_t at;     /* by the monitor: operations of the batch that are done */
	uint64_t pad[5];
	struct replay_op ops[REPLAY_OPS];
	struct replay_result results[REPLAY_OPS];
	uint8_t arena[HVC_IMAGE_MAX_SIZE];
};
_Static_assert(REPLAY_OFFSET + sizeof(struct replay_box) <= EL2_SHARED_SIZE, "the box fits");
_Static_assert(EL2_RINGS_OFFSET + EL2_MAX_CPUS * EL2_RING_STRIDE <= REPLAY_OFFSET,
	       "behind the rings");

#endif
