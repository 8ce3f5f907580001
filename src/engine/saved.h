/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A saved VM: a header, then sections in the order of their numbers, each once. All numbers are little-endian.
 *
 *   header    u32 HVC_SAVE_MAGIC, u32 format, u32 bytes (all of it), u32 CRC-32 over what is behind this field
 *   section   u16 type, u16 flags, u32 length of what follows; then zeroes up to a multiple of 8
 *
 * A version that does not know a section passes over it, unless its flags say that it must be understood. Types are
 * never used again for something else; what a section holds is fixed by its type.
 */
#ifndef HVC_SAVED_H
#define HVC_SAVED_H

#include <hvcgate/save.h>

#include "env.h"

enum { SAVED_HEADER = 16, SECTION_HEADER = 8, SECTION_ALIGN = 8 };
/* Of a section's flags. */
enum { SECTION_MUST = 1 };

enum section_type {
	SECTION_POLICY = 1, /* u8[SAVED_POLICY]: saved_policy() */
	SECTION_VM, /* u32 has run, suspend mode, MEM_PROTECT, index of the trusted OS's vCPU */
	SECTION_REGISTERS, /* u32 n, u32 0, n times: u64 KVM's ID, u64 value; those that the list shows */
	SECTION_FUNCTIONS, /* u32 n, n times: u32 SMC32 ID (SMC64 ID if it has none); those the VM has */
	SECTION_RANGES, /* u32 n, u32 0, n times: u32 first, last, action, 0; added and tightened. Absent: none */
	SECTION_VCPUS, /* u32 n, u32 0, n times: SAVED_VCPU bytes */
	SECTION_STATS, /* of each vCPU 8 times: u64 count, u64 microseconds. Absent: no stats memory */
	SECTION_FORWARD, /* u64 next sequence number. Absent: no forward memory */
	SECTION_EVENTS,  /* the same of events. Absent: no event memory */
	SECTION_SHARES, /* u64 base, bytes of RAM; u32 enrolled, ranges n, granules m, u32 0; n times: u64 address,
			       bytes; m times: u64 address of a guarded granule. Absent: no share memory */
	SECTION_CALLS, /* u32 n, u32 0, n times a call that was left and is over, by sequence number, in SAVED_CALL bytes
			  and: u64 each argument named, u64 each register of the answer named. Absent: none */
	SECTION_COUNT
};

/* u64 affinity; u32 power (psci_state.h), u32 ID of the call it sleeps in; u64 entry and context of a start that is
 * pending, u64 entry and context of the wake-up it sleeps for; u64 IPA of its stolen-time record, all ones: none. What
 * does not apply is 0. */
enum { SAVED_VCPU = 56 };

/* u64 sequence number, address of the instruction, stack pointer; u32 function ID, index of the vCPU that began it, which of
 * x1 to x17 are not 0 (bit n: xn), which of x0 to x17 the answer has; u32 conduit, 1 if nobody answered. */
enum { SAVED_CALL = 48 };

/* What a state fits: the policy's digest; of an image made without a policy u32 checksum and size, u64 catalogue, of
 * that image, and zeroes. */
enum { SAVED_POLICY = 32 };
void saved_policy(const struct hvc_image *image, uint8_t policy[SAVED_POLICY]);
/* Is this function one that a vCPU sleeps in? */
bool saved_sleep_call(unsigned int slot);

/* IEEE 802.3. */
uint32_t crc32_of(const void *data, size_t n);

#endif
