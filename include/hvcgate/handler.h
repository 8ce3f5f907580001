/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Handlers: processes that answer calls which a policy forwards (docs/policy.md, `forward`, `handlers`).
 *
 * A handler listens on a UNIX socket of type SOCK_SEQPACKET; each VM's process connects to it, and connects again when the
 * handler was restarted. One packet is one message:
 *
 *   bytes  0  4  6   8     12        16
 *         "HVCH" version type  size  0     what the type has
 *            4     2     2     4     4
 *
 * all numbers little-endian, `size` that of the whole packet, what is reserved 0. Behind the head, in this order:
 *
 *   HELLO    policy_sha256[32], name[64], seen 8
 *   REQUEST  sequence 8, vm 4, vcpu 4, id 4, immediate 2, conduit 1, arg_count 1, timeout_ms 4, 0 4, x0 to x17 8 each
 *   REPLY    sequence 8, mask 4, status 4, x0 to x17 8 each
 *   CANCEL   sequence 8, reason 4, 0 4
 *   EVENT    sequence 8, vm 4, vcpu 4, id 4, conduit 1, verdict 1, 0 2, args 8 x 8, results 8 x 8
 *
 * Both sides say HELLO first, the VM's process before it is asked, and requests come when it has the handler's. A request is
 * sent once; it has one reply, in any order with others, or is answered too late. Who breaks these rules is hung up on, and
 * so is who speaks another version. When the connection ends, requests without a reply fail, and are not sent again.
 *
 * Threads: encode and decode from any; a struct hvc_handler_message belongs to one.
 */
#ifndef HVCGATE_HANDLER_H
#define HVCGATE_HANDLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hvcgate/api.h>
#include <hvcgate/call.h>
#include <hvcgate/err.h>
#include <hvcgate/event.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HVC_HANDLER_VERSION 1
#define HVC_HANDLER_MAX     192 /* bytes of the largest message */

enum hvc_handler_type {
	HVC_HANDLER_HELLO = 1,
	HVC_HANDLER_REQUEST = 2, /* to the handler */
	HVC_HANDLER_REPLY = 3,   /* from it */
	HVC_HANDLER_CANCEL = 4,  /* to it: nobody waits for this reply any more */
	HVC_HANDLER_EVENT = 5    /* to it: a call of `notify`. No host sends it yet */
};

struct hvc_handler_hello {
	/* The VM's policy; a handler that is made for one says which, and is not asked by others. 0: for any. */
	uint8_t policy_sha256[32];
	char name
		[64]; /* of the VM; of the handler: for messages. Printable ASCII, ends in NUL, zeroes behind */
	uint64_t
		seen; /* a handler's: sequence number of the last event that it has seen, 0: none */
};

struct hvc_handler_request {
	uint64_t sequence; /* of this connection; never 0, never used again */
	uint32_t vm, vcpu; /* number of the VM in its process; the vCPU's ID */
	uint32_t id;       /* function ID, normalised */
	uint16_t immediate;
	uint8_t conduit;        /* enum hvc_conduit */
	uint8_t arg_count;      /* x1 to so many are arguments; what is behind them is 0 */
	uint32_t timeout_ms;    /* after which nobody waits, from when the VM asked */
	struct hvc_frame frame; /* as the guest called */
};

enum hvc_handler_status {
	HVC_HANDLER_ANSWERED = 0,
	HVC_HANDLER_FAILED = 1 /* the guest reads the function's failure value */
};
struct hvc_handler_reply {
	uint64_t sequence;
	/* Registers of `frame` that are the answer, bit n is xn; others stay the guest's, and those that the function does
	 * not write are left out. */
	uint32_t mask;
	uint32_t status; /* enum hvc_handler_status */
	struct hvc_frame frame;
};

enum hvc_handler_reason {
	HVC_HANDLER_TIMED_OUT = 1,
};
struct hvc_handler_cancel {
	uint64_t sequence;
	uint32_t reason; /* enum hvc_handler_reason */
};

struct hvc_handler_event {
	uint64_t sequence; /* of this VM, without gaps, also over a restart of the handler */
	uint32_t vm, vcpu;
	uint32_t id;
	uint8_t conduit, verdict; /* enum hvc_conduit, enum hvc_verdict */
	uint64_t args[HVC_EVENT_REGS], results[HVC_EVENT_REGS];
};

struct hvc_handler_message {
	uint32_t type; /* enum hvc_handler_type: which of these it is */
	union {
		struct hvc_handler_hello hello;
		struct hvc_handler_request request;
		struct hvc_handler_reply reply;
		struct hvc_handler_cancel cancel;
		struct hvc_handler_event event;
	} u;
};

/* To a packet: its bytes, or 0 where it is no message: another type, a field out of its range. */
HVC_API size_t hvc_handler_encode(const struct hvc_handler_message *message,
				  uint8_t bytes[HVC_HANDLER_MAX]);
/* From one, whatever its bytes are; each message has one form. HVC_EFAULT; HVC_EBADMSG: no message; HVC_ENOTSUP: one of
 * another version. */
HVC_API enum hvc_err hvc_handler_decode(const void *bytes, size_t size,
					struct hvc_handler_message *message);

/*
 * A handler with a function that answers: listens at `path` (mode 0600; the socket of a handler that died is replaced),
 * serves any number of VMs, one request after the other, and returns when it cannot go on. `answer` fills in mask and
 * registers of *reply, whose other fields are set, and returns true; false: the call fails. `name` and `path` as above; a
 * VM's process speaks only to handlers of its own user or root. HVC_EFAULT; HVC_EINVAL: the path or the name; HVC_EBUSY:
 * somebody listens there; HVC_EIO, errno says.
 */
struct hvc_handler_server {
	uint32_t size; /* sizeof(struct hvc_handler_server) */
	const char *path, *name;
	bool (*answer)(void *context, const struct hvc_handler_request *request,
		       struct hvc_handler_reply *reply);
	void *context;
};
HVC_API enum hvc_err hvc_handler_serve(const struct hvc_handler_server *server);

#ifdef __cplusplus
}
#endif
#endif
