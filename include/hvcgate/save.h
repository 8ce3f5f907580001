/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A VM's state as bytes: versioned, self-describing, checksummed; little-endian on every host.
 *
 * What is in it: the policy's digest, feature registers, how many are shown, which functions the VM has, ranges added
 * and tightened, power states of the vCPUs with what they start or wake up at, suspend mode, MEM_PROTECT, trusted OS,
 * statistics, stolen-time records' places, what is shared, sequence numbers of events and requests, forwarded calls
 * that their vCPU left and that are over (forward.h), and whether the VM has run. What is not: guest memory and CPU
 * registers (the VMM's), the image (the policy is compiled at the destination), counters, events that nobody has taken
 * yet (take them from the source), and how a vCPU's last call was settled.
 *
 * What the host does at the destination: a vCPU whose hvc_vcpu_power() is ON_PENDING it starts, as if cpu_start had
 * asked; one that was asleep (hvc_vcpu_request() says at what it goes on) it lets sleep or wakes; where
 * hvc_vm_mem_protected() it overwrites memory before another system starts. No callback is called by the engine.
 *
 * Threads: no vCPU calls meanwhile, and none is on its way into or out of a call.
 */
#ifndef HVCGATE_SAVE_H
#define HVCGATE_SAVE_H

#include <hvcgate/engine.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HVC_SAVE_MAGIC  0x53435648u /* "HVCS" */
#define HVC_SAVE_FORMAT 1u

/*
 * Write the state. `bytes` has room for *size (NULL and 0: to be told how much); *size becomes what it takes. The same
 * state is the same bytes. HVC_EFAULT (null); HVC_E2BIG if that was too little, and nothing is written. HVC_EBUSY: a
 * forwarded call has no answer yet (vCPU `*vcpu` if not NULL), and the policy does not say `replay: allowed`. Where it
 * does, the host moves that vCPU's program counter back to the call, and the call is made again at the destination. The
 * VM itself is not changed, and can go on.
 */
HVC_API enum hvc_err hvc_vm_save(const struct hvc_vm *vm, void *bytes, size_t *size,
				 uint32_t *vcpu);

/* What a state cannot be restored for. */
enum hvc_missing {
	HVC_MISSING_NOTHING = 0,
	HVC_MISSING_FORMAT, /* written by a later version: `wanted` is its format, `have` ours */
	HVC_MISSING_POLICY, /* another policy: the digests differ, or, without any, the images */
	HVC_MISSING_VCPUS,  /* another number of vCPUs */
	HVC_MISSING_VCPU,   /* vCPU `index` has another affinity */
	HVC_MISSING_REGISTER, /* register `wanted_id` is not here, or hidden, and `wanted` means something */
	HVC_MISSING_VALUE,  /* register `wanted_id` cannot have the value `wanted`; it has `have` */
	HVC_MISSING_FILTER, /* filter memory for `have` of `wanted` ranges only */
	HVC_MISSING_STATS,  /* no stats memory */
	HVC_MISSING_EVENTS, /* no event memory */
	HVC_MISSING_FORWARD, /* no forward memory */
	HVC_MISSING_SHARE,   /* no share memory, or another RAM */
	HVC_MISSING_STOLEN, /* the host has no stolen time, or vCPU `index` was given another record: `have` */
	HVC_MISSING_SECTION, /* a section `wanted` that this version does not know and that must be known */
	HVC_MISSING_FUNCTION, /* function `wanted_id` would be absent here: the engine or the host does not have it */
	HVC_MISSING_COUNT
};
/* "the policy is another one", ...: what is missing, in words; "?" if out of range. */
HVC_API const char *hvc_missing_name(enum hvc_missing missing);

struct hvc_restore_detail {
	uint32_t size;      /* sizeof(struct hvc_restore_detail), by the caller */
	uint32_t missing;   /* enum hvc_missing */
	uint32_t index;     /* vCPU */
	uint32_t offset;    /* of the bytes that are wrong, with HVC_EBADMSG */
	uint64_t wanted_id; /* KVM's 64-bit register ID, or a function ID */
	uint64_t wanted, have;
};

/*
 * Restore into a VM just made with hvc_vm_init() and hvc_vcpu_setup(), of the same policy. Exactly, or not at all: on
 * any error the VM is as it was. Safe on any bytes: `size` is all there are. `detail` may be NULL. The VM may show fewer
 * registers (hvc_vm_show()), if the others mean nothing, and its vCPUs may have been given the same stolen-time records.
 * Functions that the VM has here and did not have there are no obstacle.
 * HVC_EFAULT (null); HVC_EINVAL (a detail of another size); HVC_EBUSY (the VM has run, or ranges were added);
 * HVC_EBADMSG (truncated, changed, out of order); HVC_ENOTSUP (a later format, or a section that must be understood);
 * HVC_ENXIO (something is missing here, `detail` says what).
 */
HVC_API enum hvc_err hvc_vm_restore(struct hvc_vm *vm, const void *bytes, size_t size,
				    struct hvc_restore_detail *detail);

#ifdef __cplusplus
}
#endif
#endif
