/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The engine: a VM's feature registers, its filter, its services.
 *
 * Memory: the caller gives it all; state is opaque, sizes are told by hvc_vm_size() and
 * hvc_vcpu_size(). Nothing is allocated, nothing is freed, no lock is taken on the call path.
 * Threads: hvc_call() on different vCPUs of a VM at once is fine; one vCPU is used by one thread at
 * a time. Configuration (registers, filter) is single-threaded and ends with hvc_vm_freeze().
 *
 * Life of a VM: hvc_vm_init(), hvc_vcpu_setup() of each vCPU, registers and filter if anybody sets them,
 * hvc_vm_freeze(); then hvc_call() for each HVC and SMC, and what its verdict asks for. Nothing ends a VM: when no vCPU
 * calls any more its memory is the caller's again, to make it anew for a reset, say. Pointers to VMs and vCPUs are not
 * NULL and were made by hvc_vm_init(), unless a function says otherwise. examples/embed.c is a whole program.
 *
 * More of the engine, one idea a header: hvcgate/forward.h (who else answers calls), hvcgate/event.h (who is told of
 * them), hvcgate/live.h (rules of a running VM), hvcgate/save.h (a VM's state as bytes).
 */
#ifndef HVCGATE_ENGINE_H
#define HVCGATE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hvcgate/api.h>
#include <hvcgate/call.h>
#include <hvcgate/err.h>
#include <hvcgate/image.h>
#include <hvcgate/platform.h>

#ifdef __cplusplus
extern "C" {
#endif

struct hvc_vm;
struct hvc_vcpu;

/* How a VM is made. The structure itself is not kept; what it points to is. What it does not name is 0. */
struct hvc_vm_config {
	uint32_t size;       /* sizeof(struct hvc_vm_config) */
	uint32_t vcpu_count; /* 1 to HVC_MAX_VCPUS */
	const struct hvc_image
		*image; /* checked by the caller (hvc_image_check); outlives the VM */
	const struct hvc_platform
		*platform;   /* outlives the VM; NULL: no callbacks, see platform.h */
	void *host;          /* handed to every callback */
	void *filter_memory; /* for hvc_filter_add; NULL: the image's rules are all */
	size_t filter_bytes; /* its size; see hvc_filter_size() */
	uint32_t flags;      /* HVC_VM_*, or'ed; other bits are HVC_EINVAL */
	uint32_t reserved;   /* 0 */
	/* Memory for what not every VM has; 8-byte aligned, the caller's, outlives the VM. NULL and 0: without it. */
	void *stats_memory; /* hvc_stats_size(): PSCI_STAT_*, PSCI_NODE_HW_STATE; absent without */
	size_t stats_bytes;
	void *forward_memory; /* hvc_forward_size(): transactions, see forward.h */
	size_t forward_bytes;
	void *event_memory; /* hvc_event_size(): the queue of `notify`, see event.h; without it NOTIFY fails a call */
	size_t event_bytes;
	void *share_memory; /* hvc_share_size(): what a protected guest shares; PKVM_* are absent without */
	size_t share_bytes;
	uint64_t share_base; /* guest-physical start of the RAM it can share, a multiple of 4096 */
	uint64_t share_ram;  /* bytes of it, a multiple of 4096 */
};
/* The vCPUs lack KVM's feature PSCI_0_2: PSCI is 0.1, whatever PSCI_VERSION was to be, and the functions of 0.1
 * exist where the profile has them. Settings of profiles without 0.1 refuse it: HVC_EINVAL. */
#define HVC_VM_PSCI_0_1 1u
/* The host takes HVC_FORWARDED for an answer. Without it a forwarded call gets the function's failure value. */
#define HVC_VM_FORWARD 2u

/* Bytes of a VM and of one vCPU; both need 64-byte aligned memory. */
HVC_API size_t hvc_vm_size(void);
HVC_API size_t hvc_vcpu_size(void);
/* Bytes of the optional blocks of struct hvc_vm_config. */
HVC_API size_t hvc_stats_size(unsigned int vcpu_count);
HVC_API size_t hvc_share_size(uint64_t ram_bytes);

/*
 * Make a VM in caller memory of hvc_vm_size() bytes, 64-byte aligned. `vcpus` is an array of
 * vcpu_count pointers to memory of hvc_vcpu_size() bytes each, 64-byte aligned; array and memory
 * stay the caller's and outlive the VM. vCPU 0 is on, the others off (DEN0022, 6.1).
 * Returns HVC_OK; HVC_EFAULT (null, or not aligned; filter memory needs 2 bytes); HVC_EINVAL (count, sizes, flags,
 * share_base or share_ram, or HVC_VM_PSCI_0_1 where the image has no PSCI 0.1); HVC_ENOMEM (a block too small).
 */
HVC_API enum hvc_err hvc_vm_init(struct hvc_vm *vm, const struct hvc_vm_config *config,
				 struct hvc_vcpu *const *vcpus);

/*
 * Set what identifies a vCPU: its affinity fields (MPIDR_EL1 & 0xff00ffffff) and, optionally, its
 * counters. Before the first call. HVC_EINVAL for other bits, an affinity another vCPU was given, or counters whose
 * `size` is less than the library's.
 * Set up all vCPUs or none: one that is not has its index as affinity.
 */
HVC_API enum hvc_err hvc_vcpu_setup(struct hvc_vcpu *vcpu, uint64_t mpidr,
				    struct hvc_counters *counters);

/*
 * Answer one call. Total: for every ID, conduit and register content it returns a verdict, changes
 * at most the registers that the function's masks allow, and never faults. The host reads the
 * immediate from the instruction's syndrome. The host has already (HVC) or will (SMC trapped at EL2)
 * move the program counter behind the instruction; the engine does not know the program counter.
 * While a forwarded call of this vCPU is pending it makes no other one: settle it or leave it first (forward.h).
 */
HVC_API enum hvc_verdict hvc_call(struct hvc_vcpu *vcpu, enum hvc_conduit conduit,
				  uint16_t immediate, struct hvc_frame *frame);

/* Give a vCPU its stolen-time record (KVM_ARM_VCPU_PVTIME_IPA). HVC_EINVAL: not 64-byte aligned; HVC_EEXIST: it
 * has one. Before its first call. */
HVC_API enum hvc_err hvc_vcpu_set_stolen_time(struct hvc_vcpu *vcpu, uint64_t ipa);

/* How the vCPU's last call was settled: by its own thread. */
HVC_API struct hvc_outcome hvc_vcpu_outcome(const struct hvc_vcpu *vcpu);
/* What the last verdict other than HVC_RESUME needs: by its own thread, before its next call. */
HVC_API struct hvc_request hvc_vcpu_request(const struct hvc_vcpu *vcpu);

/* A vCPU of this VM is about to run for the first time: registers and filter close. Idempotent; call it
 * before the first hvc_call(), from one thread. */
HVC_API void hvc_vm_freeze(struct hvc_vm *vm);

/* --- Power state (DEN0022, 6.6): told by the host, because only it sees a CPU really start or stop. */
/* The CPU that hvc_platform.cpu_start was asked for executes its first instruction: ON_PENDING -> ON.
 * Returns the entry and context to start with. By the started vCPU's own thread, once a start. */
HVC_API struct hvc_request hvc_vcpu_started(struct hvc_vcpu *vcpu);
/* A vCPU is awake again after HVC_CPU_STANDBY, HVC_CPU_POWERDOWN or HVC_SYSTEM_SUSPEND: on its own thread, before it
 * runs. Its residency in that state ends here (PSCI_STAT_RESIDENCY); its next hvc_call() says so as well. */
HVC_API void hvc_vcpu_woke(struct hvc_vcpu *vcpu);
/* Did the guest ask that memory be overwritten before another system starts in it (MEM_PROTECT, DEN0022 5.14)? */
HVC_API bool hvc_vm_mem_protected(const struct hvc_vm *vm);
/* The host knows of a change that came without a call: the VMM, or a kernel that answers some calls by itself, turned the
 * vCPU on or off. One that is on, asleep or not, stays so where `on` is true; one that is off or frozen where it is false;
 * a start on its way is over. By its own thread, or while it makes no calls. */
HVC_API void hvc_vcpu_tell_power(struct hvc_vcpu *vcpu, bool on);
/* The machine starts anew (SYSTEM_RESET, a VMM's reset): what PSCI calls have set is as hvc_vm_init() makes it:
 * SET_SUSPEND_MODE's mode, MEM_PROTECT's state (hvc_vm_mem_protected() comes before), the CPU that MIGRATE left the trusted
 * OS on, statistics. Which vCPUs are on is told by hvc_vcpu_tell_power() and stays; one that was frozen is off. Registers,
 * rules, events and forwarded calls stay. No vCPU calls meanwhile. */
HVC_API void hvc_vm_reset(struct hvc_vm *vm);
/* 0 ON (asleep and frozen, too), 1 OFF, 2 ON_PENDING: AFFINITY_INFO's values (DEN0022, 5.7). */
HVC_API unsigned int hvc_vcpu_power(const struct hvc_vcpu *vcpu);

/* --- Feature registers (enum hvc_register): what a VMM reads, sets and moves with its guest. IDs, values, errors and
 * their order are those of KVM_GET_REG_LIST, KVM_GET_ONE_REG and KVM_SET_ONE_REG (Linux, Documentation/virt/kvm/api.rst
 * and arm/fw-pseudo-registers.rst); where kernels differ from that, docs/kvm-facts.md says what was measured. */
enum hvc_cap { HVC_CAP_FEATURE_REGS = 1 };
/* The number a capability stands for; 0 if unknown. FEATURE_REGS: how many registers the list shows: what the
 * profile has, or less after hvc_vm_show(). */
HVC_API uint32_t hvc_vm_check(const struct hvc_vm *vm, enum hvc_cap cap);
/* KVM's 64-bit ID of the register at an index of the list; 0 past the end of what is shown. */
HVC_API uint64_t hvc_feature_reg_id(const struct hvc_vm *vm, unsigned int index);
/* The list: `ids` has room for *count; *count becomes what there are. HVC_E2BIG if that was too little, and nothing
 * else is written. */
HVC_API enum hvc_err hvc_vm_list_regs(const struct hvc_vm *vm, uint64_t *ids, uint32_t *count);
/* HVC_ENOENT for an unknown or hidden ID, or one whose size field is another; HVC_EINVAL for one that is not arm64's
 * at all. */
HVC_API enum hvc_err hvc_vm_get_reg(const struct hvc_vm *vm, uint64_t id, uint64_t *value);
/* HVC_ENOENT; HVC_EINVAL (not arm64's; bits outside what is supported); HVC_EBUSY (frozen, unless the value is the
 * same). Workaround levels are assertions: one up to the VM's own is accepted and changes nothing.
 * With HVC_QUIRK_PSCI_VERSION_OPEN PSCI_VERSION never freezes: one thread may set it while vCPUs call. The next call
 * of each has it; a call under way sees either version. */
HVC_API enum hvc_err hvc_vm_set_reg(struct hvc_vm *vm, uint64_t id, uint64_t value);
/*
 * The VMM knows the registers below `index` only: those from there on get the value that means "nothing of it": a
 * bitmap 0, a workaround level not available, PSCI_VERSION the least there is. Keeping them is the default.
 * HVC_EINVAL (index beyond the list), HVC_EBUSY (frozen, and a value would change).
 */
HVC_API enum hvc_err hvc_vm_clear_from(struct hvc_vm *vm, unsigned int index);
/*
 * The list shows the first n registers; the others read as unknown and mean nothing of it, as above. So a guest can
 * go to a host that knows fewer. Showing more again than before gives them back with that value. HVC_EINVAL (n beyond
 * what the profile has), HVC_EBUSY (frozen).
 */
HVC_API enum hvc_err hvc_vm_show(struct hvc_vm *vm, unsigned int n);

/* --- Filter: ranges added to the image's rules, before the VM is frozen. */
/* Bytes of filter memory that suffice for `ranges` ranges, added or tightened (live.h), on top of an image. */
HVC_API size_t hvc_filter_size(const struct hvc_image *image, unsigned int ranges);
/* Add [base, base + count - 1]. HVC_EINVAL (no filter in this profile, count 0, wrap, action), HVC_EBUSY (frozen),
 * HVC_EEXIST (meets a reserved range or an earlier rule), HVC_ENOMEM; checked in that order. */
HVC_API enum hvc_err hvc_filter_add(struct hvc_vm *vm, uint32_t base, uint32_t count,
				    enum hvc_action action);
/* The same from the bytes of KVM's struct kvm_smccc_filter: base, count (32 bits each, little-endian), action (a
 * byte), 15 bytes that must be zero: HVC_EINVAL comes before all else. NOTIFY is not KVM's and HVC_EINVAL here. */
#define HVC_FILTER_BYTES 24
HVC_API enum hvc_err hvc_filter_add_bytes(struct hvc_vm *vm, const uint8_t bytes[HVC_FILTER_BYTES]);

/* What stands in the way of a range. */
enum hvc_obstacle {
	HVC_OBSTACLE_NONE = 0,
	HVC_OBSTACLE_NO_FILTER, /* the profile has none */
	HVC_OBSTACLE_EMPTY,     /* count is 0 */
	HVC_OBSTACLE_WRAP,      /* it goes beyond 0xffffffff */
	HVC_OBSTACLE_ACTION,    /* no such action */
	HVC_OBSTACLE_FROZEN,    /* a vCPU has run */
	HVC_OBSTACLE_RESERVED,  /* meets the reserved range [first, last] */
	HVC_OBSTACLE_RULE,      /* meets the IDs [first, last] of an earlier rule */
	HVC_OBSTACLE_MEMORY     /* no filter memory left */
};
struct hvc_filter_detail {
	uint32_t size;        /* sizeof(struct hvc_filter_detail), by the caller */
	uint32_t obstacle;    /* enum hvc_obstacle */
	uint32_t first, last; /* RESERVED, RULE: the lowest range in the way, whole */
	uint32_t action;      /* RULE: enum hvc_action of it */
};
/* Dry run: what hvc_filter_add() would say, and why; nothing changes. `detail` may be NULL. HVC_EINVAL also for a
 * detail of another size. */
HVC_API enum hvc_err hvc_filter_try(const struct hvc_vm *vm, uint32_t base, uint32_t count,
				    enum hvc_action action, struct hvc_filter_detail *detail);
/* What would happen to an ID, and what decides it: nothing is called, nothing changes. This and hvc_filter_span() may be
 * asked while vCPUs call, but not while another thread changes rules. */
HVC_API struct hvc_outcome hvc_filter_query(const struct hvc_vm *vm, uint32_t id);
/* Walk all 2^32 IDs as ranges that one action and one decider (rule, reserved, or neither) hold for: the range that
 * `id` begins, as long as it goes on. The next begins at last + 1. */
struct hvc_filter_span {
	uint32_t first, last;
	uint8_t action;   /* enum hvc_action */
	uint8_t claimed;  /* 1: by a rule */
	uint8_t reserved; /* 1: the engine's */
	uint8_t pad;
};
HVC_API struct hvc_filter_span hvc_filter_span(const struct hvc_vm *vm, uint32_t id);

#ifdef __cplusplus
}
#endif
#endif
