/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One hypercall: the registers it came with, who may answer it, and what the host does next.
 *
 * Threads: a frame, and what is told of a vCPU's last call, belong to that vCPU's thread. Names are constant strings.
 * Sources: SMCCC (DEN0028) sections 2.5 to 2.9, PSCI (DEN0022) chapter 5.
 */
#ifndef HVCGATE_CALL_H
#define HVCGATE_CALL_H

#include <stddef.h>
#include <stdint.h>

#include <hvcgate/api.h>
#include <hvcgate/catalog.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The instruction a guest used. */
enum hvc_conduit { HVC_CONDUIT_HVC = 0, HVC_CONDUIT_SMC = 1 };

/* x0..x17 of the calling vCPU, read and written in place: the whole SMCCC register file. What a call does not write is
 * as it was, so all 18 go back to the guest. */
#define HVC_FRAME_REGS 18
struct hvc_frame {
	uint64_t x[HVC_FRAME_REGS];
};

/* What the host of the engine does after hvc_call(). Never a guest value, never an error. Later versions may have more:
 * one that you do not know is a fault of the build, not HVC_RESUME. */
enum hvc_verdict {
	HVC_RESUME = 0,     /* the answer is in the frame: go on behind the call */
	HVC_CPU_STANDBY,    /* wait for an interrupt, then go on behind the call */
	HVC_CPU_POWERDOWN,  /* wait for an interrupt, then start at request.entry, reset state */
	HVC_CPU_OFF,        /* this CPU stops; a later CPU_ON starts it again */
	HVC_SYSTEM_OFF,     /* end the VM; request.type says SYSTEM_OFF2's type, if it was that */
	HVC_SYSTEM_RESET,   /* reset the VM; request.type and cookie are SYSTEM_RESET2's */
	HVC_SYSTEM_SUSPEND, /* suspend the VM; on wake-up start at request.entry, reset state */
	HVC_FORWARDED, /* somebody else answers: hvc_forward_complete() or _cancel(), then go on behind the call */
	HVC_CPU_FREEZE, /* this CPU stops, its interrupts stay pending; it counts as on, and CPU_ON starts it again */
	HVC_EVENTS_FULL, /* nothing was done: make room for an event, then hvc_call() with the same frame (event.h) */
	HVC_VERDICT_COUNT
};

/* "resume", "cpu-off", ...; "?" if out of range. */
HVC_API const char *hvc_verdict_name(enum hvc_verdict verdict);

/* What a verdict other than HVC_RESUME needs; valid until the vCPU's next call. */
struct hvc_request {
	uint64_t entry;    /* guest-physical address to start at (POWERDOWN, SYSTEM_SUSPEND) */
	uint64_t context;  /* x0 at that entry */
	uint64_t cookie;   /* SYSTEM_RESET2, SYSTEM_OFF2 */
	uint32_t type;     /* SYSTEM_RESET2 reset_type, SYSTEM_OFF2 type; 0 for the plain forms */
	uint32_t function; /* enum hvc_fn that asked */
};

/* The actions of a filter rule. */
enum hvc_action { HVC_HANDLE = 0, HVC_DENY = 1, HVC_FORWARD = 2, HVC_NOTIFY = 3 };

/* "handle", "deny", "forward", "notify"; "?" if out of range. */
HVC_API const char *hvc_action_name(enum hvc_action action);

/* Which step of the order of decision settled a call. */
enum hvc_decider {
	HVC_BY_CONVENTION =
		0, /* the calling convention itself: SMC with an immediate, SMC64 from AArch32 */
	HVC_BY_RESERVED, /* the range belongs to the engine: no rule can take it */
	HVC_BY_RULE,     /* a rule of the policy or the filter */
	HVC_BY_DEFAULT,  /* the policy's default */
	HVC_BY_FEATURE,  /* a feature register's bit, or the version, hides the function */
	HVC_BY_SERVICE,  /* handled: the service gave the answer */
	HVC_BY_UNKNOWN,  /* handled by nobody: no such function */
	HVC_DECIDER_COUNT
};

/* "reserved", "rule", ...; "?" if out of range. */
HVC_API const char *hvc_decider_name(enum hvc_decider decider);

/* How the last call of a vCPU was settled: for traces and explanations. */
struct hvc_outcome {
	uint32_t id;     /* function ID after normalisation */
	uint16_t fn;     /* enum hvc_fn, 0 for unknown */
	uint8_t action;  /* enum hvc_action of the rule or default that applied */
	uint8_t decider; /* enum hvc_decider */
};

/* Counters of one vCPU: a caller-owned block, zeroed by the caller but for `size`. Written by that vCPU only; read them
 * any time (a word may be a call old). As large as the catalogue of the header it was compiled with: hvc_vcpu_setup()
 * refuses one that is too small for the library that runs. */
enum hvc_count { HVC_ANSWERED = 0, HVC_DENIED = 1, HVC_ABSENT = 2, HVC_FAILED = 3, HVC_COUNTS = 4 };
struct hvc_counters {
	uint32_t size;     /* sizeof(struct hvc_counters), by the caller */
	uint32_t reserved; /* 0 */
	/* ANSWERED by the service or by who it was forwarded to, DENIED by rule or default, ABSENT by
	 * feature bit or version (slot 0: unknown functions and calls outside the convention), FAILED:
	 * forwarded, and nobody answered. A forwarded call is counted when it is over. */
	uint64_t calls[HVC_FN_COUNT][HVC_COUNTS];
};

#ifdef __cplusplus
}
#endif
#endif
