/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A plan as bytes: what hvc_kvm_new() takes, in one piece without pointers, so that a program that reads no policy (the
 * interposer, in the VMM's process) can apply it. Made by plan_bytes_make() on the machine that will use it; a format of
 * this build of hvcgate, no file format: another version or machine is refused. Sections are 8-byte aligned, in the order
 * of the header, each at an offset from the start.
 */
#ifndef HVCGATE_KVM_PLAN_BYTES_H
#define HVCGATE_KVM_PLAN_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hvcgate/call.h>
#include <hvcgate/err.h>
#include <hvcgate/image.h>

#define PLAN_BYTES_MAGIC  0x50435648u /* "HVCP" */
#define PLAN_BYTES_FORMAT 1u
#define PLAN_BYTES_MAX    (16u << 20)

/* A feature register: KVM_SET_ONE_REG before the first run. */
struct plan_write {
	uint64_t id, value;
};
/* KVM_ARM_VM_SMCCC_FILTER. */
struct plan_filter {
	uint32_t base, count;
	uint32_t action; /* enum hvc_action: DENY or FORWARD */
	uint32_t reserved;
};
/* A register that the VMM sees otherwise than the kernel has it. */
enum plan_view_kind {
	PLAN_HIDE = 0, /* the kernel has it; the VMM does not see it: not listed, ENOENT */
	PLAN_PHANTOM, /* the kernel has none; listed; reads as `value`, which is the only one it takes */
	PLAN_HELD /* the kernel has another value, which the guest never sees: reads as `value`, the only one it takes
	                 (PSCI_VERSION, where user space answers for it) */
};
struct plan_view {
	uint64_t id, value;
	uint32_t kind; /* enum plan_view_kind */
	uint32_t
		feature; /* bit of KVM_ARM_VCPU_INIT's features + 1 that a vCPU must have for it to apply; 0: all */
};
/* IDs whose calls a handler answers. */
struct plan_route {
	uint32_t first, last;
	uint32_t handler; /* index of plan_handler */
	uint32_t reserved;
};
enum plan_on_timeout { PLAN_FAIL = 0, PLAN_PAUSE, PLAN_POWER_OFF };
struct plan_handler {
	char name[36], socket[108];
	uint32_t timeout_ms;
	uint32_t on_timeout; /* enum plan_on_timeout */
};

/* Bits of plan_header.flags. */
#define PLAN_TRAVELS 1u /* digest and state of the engine go with the guest as registers */
#define PLAN_FILTERS 2u /* the kernel has a filter */

struct plan_section {
	uint32_t offset, count; /* of elements */
};
struct plan_header {
	uint32_t magic, format;
	uint32_t size; /* of all */
	uint32_t flags;
	uint32_t crc;       /* CRC-32 of all, with this field 0 */
	uint32_t functions; /* HVC_FN_COUNT of who made it */
	uint8_t policy_sha256[32];
	char profile[32], kernel[64], policy[256]; /* for messages; NUL-terminated */
	struct plan_section writes, filters, views, routes, handlers;
	struct plan_section image;        /* count is bytes */
	uint64_t revocable[HVC_FN_WORDS]; /* functions that may be shut off while the guest runs */
};

/* A checked plan: pointers into the bytes. */
struct plan_view_of {
	const struct plan_header *header;
	const struct plan_write *writes;
	const struct plan_filter *filters;
	const struct plan_view *views;
	const struct plan_route *routes;
	const struct plan_handler *handlers;
	const struct hvc_image *image;
};
/* Safe on any bytes, 8-byte aligned. HVC_EFAULT; HVC_EBADMSG (and where); HVC_ENOTSUP. */
enum hvc_err plan_bytes_check(const void *bytes, size_t size, struct plan_view_of *plan,
			      const char **what);
/* What header->crc has to be; `size` is at least the header's. */
uint32_t plan_bytes_crc(const void *bytes, size_t size);

#endif
