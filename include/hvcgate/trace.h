/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The trace: one record a call, in a ring per vCPU that its host shares with one reader.
 *
 * One writer (the vCPU's host thread or CPU), one reader (our process). Both sides distrust the
 * memory: the writer keeps its own copy of `head` and only stores; the reader masks every index and
 * checks every field. A full ring drops the newest record and counts it. How many records a ring has, a power of two,
 * both sides know beforehand; record n is at index n modulo that.
 *
 * Sources: our own format, docs/trace.md.
 */
#ifndef HVCGATE_TRACE_H
#define HVCGATE_TRACE_H

#include <stdint.h>

#include <hvcgate/api.h>
#include <hvcgate/call.h>

#ifdef __cplusplus
extern "C" {
#endif

/* 128 bytes, little-endian. */
struct hvc_record {
	uint64_t sequence; /* of this vCPU, from 0, drops included */
	uint64_t time;     /* system counter (CNTPCT) at entry; its frequency is in the ring set */
	uint16_t vcpu;
	uint8_t conduit; /* enum hvc_conduit */
	uint8_t decider; /* enum hvc_decider */
	uint16_t immediate;
	uint8_t verdict; /* enum hvc_verdict */
	uint8_t action;  /* enum hvc_action */
	uint32_t id;     /* function ID as decided on; in[0] is x0 as it came */
	uint32_t fn;     /* enum hvc_fn */
	uint64_t in[8];  /* x0..x7 before */
	uint64_t out[4]; /* x0..x3 after; meaningless unless the call returned */
};

/*
 * Take out of a complete record what is not the call's: registers that are no argument of the function
 * (the guest's, whatever they hold), results that it does not have or that are secret. Of unknown
 * functions everything is kept, for nobody knows their arguments. The writer does this before it
 * publishes the record.
 */
HVC_API void hvc_record_trim(struct hvc_record *record);

/* Head of one ring, 128 bytes; the records stand behind it, 64-byte aligned. */
struct hvc_ring {
	uint64_t head;    /* records written, by the writer (release) */
	uint64_t dropped; /* records that found the ring full, by the writer */
	uint64_t pad0[6];
	uint64_t tail; /* records consumed, by the reader (release) */
	uint64_t pad1[7];
};

#ifdef __cplusplus
}
#endif
#endif
