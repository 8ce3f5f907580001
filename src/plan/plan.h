/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The plan: what of a policy a kernel's KVM does by itself once its registers and filter are set, what the engine in user
 * space answers for it, and what cannot be had there.
 *
 * A pure function of a policy and an ABI record (docs/records.md). How the kernel answers is the engine's profile of that
 * kernel, strictness kvm, discovery raw, with what the record says its host determines; the test "engine as measured"
 * holds that against each record. Both are called in process and compared, function by function.
 *
 * It is for a VM that is not protected, whose vCPUs have PSCI_0_2, and that has not KVM_CAP_ARM_SYSTEM_SUSPEND: who
 * applies it keeps the VMM from enabling that (SYSTEM_SUSPEND is forwarded where the policy has it). Calls are compared one
 * by one, each in a VM just made: what sequences of them do, kernel's and engine's mixed, is for who applies it.
 *
 * Three things a kernel does besides are no difference here, because SMCCC leaves them open or nobody can see them who
 * keeps to it: registers that hold no result are zero behind an answer; the immediate of an HVC is not looked at; an
 * SMC with one is -1 and nothing more. hvc_plan.differs names those of them that the policy's engine does not do.
 */
#ifndef HVCGATE_PLAN_H
#define HVCGATE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include <hvcgate/policy.h>

#include "abi.h"

/* A set of functions, by slot. */
struct plan_set {
	uint64_t bits[HVC_FN_WORDS];
};
bool plan_set_has(const struct plan_set *set, unsigned int slot);

/* KVM_SET_ONE_REG, on any vCPU after its KVM_ARM_VCPU_INIT and before the VM's first run: the registers are the VM's. */
struct hvc_plan_register {
	uint64_t id, value;
	uint64_t was; /* without the write; a workaround's write asserts and changes nothing */
	uint8_t reg;  /* enum hvc_register */
};

/* KVM_ARM_VM_SMCCC_FILTER, on the VM before its first run. DENY or FORWARD: a range to be handled is none. */
struct hvc_plan_range {
	uint32_t base, count;
	uint8_t action; /* enum hvc_action */
};

/* Why a function's calls go to user space. */
enum hvc_plan_why {
	PLAN_TO_HANDLER = 0, /* a rule forwards it */
	PLAN_NOTIFIED,       /* a rule notifies of it: the kernel cannot */
	PLAN_MISSING,        /* the kernel has no such function */
	PLAN_DISCOVERY,      /* the kernel's own answer contradicts the policy */
	PLAN_OTHERWISE,      /* the kernel does it in another way */
	PLAN_REVOCABLE, /* it may be shut off later, or tells of one that may; the kernel's filter is closed then */
	PLAN_WHY_COUNT
};
/* "handler", "notify", "missing", "discovery", "otherwise", "revocable". */
const char *hvc_plan_why_name(unsigned int why);

/* A call that the kernel and the policy's engine answer differently. */
struct hvc_plan_difference {
	uint32_t id;
	uint64_t x1, x2, x3;
	uint8_t conduit;                 /* enum hvc_conduit */
	uint8_t kernel_verdict, verdict; /* enum hvc_verdict */
	uint64_t kernel_x0, x0;          /* where both come back */
};

struct hvc_plan_forward {
	uint32_t id;                      /* with the hint where the policy's SMCCC knows it */
	uint16_t fn;                      /* enum hvc_fn */
	uint8_t why;                      /* enum hvc_plan_why */
	struct hvc_plan_difference first; /* of DISCOVERY and OTHERWISE */
};

/* What cannot be enforced: one entry a word of the policy's key `allow`. */
struct hvc_plan_limit {
	uint8_t allow;     /* enum pol_allow */
	bool allowed;      /* the policy says it may be so */
	const char *why;   /* constant */
	const char *since; /* first kernel that can, "6.4"; NULL: none so far */
	const char *
		instead; /* what to write for a policy that can be enforced; NULL: nothing would do */
	/* Functions that answer otherwise, and of which discovery says otherwise where it cannot be forwarded. */
	struct plan_set answers, told;
};

/* Departures that need no word: bits of hvc_plan.differs. */
#define PLAN_DIFFERS_ZEROES    1u /* x1 to x3 are zero where they hold no result */
#define PLAN_DIFFERS_IMMEDIATE 2u /* HVC with an immediate that is not 0 is a call like any other */
#define PLAN_DIFFERS_ARCH_SELF 4u /* SMCCC_ARCH_FEATURES says -1 of itself and of SMCCC_VERSION */
#define PLAN_DIFFERS_HARMLESS \
	8u /* workarounds that do nothing: 0 by HVC, -1 by SMC, whatever their level */
#define PLAN_DIFFERS_PROTECTED \
	16u /* protected VMs of this kernel have no filter: it has to refuse to make one */
#define PLAN_DIFFERS_END 32u
/* A line about one of these bits. */
const char *hvc_plan_differs_text(unsigned int bit);

struct hvc_plan {
	const char *profile; /* the kernel's, "linux-6.12@1"; constant */
	char kernel[64];     /* release of the record; "" of a profile alone */
	uint8_t policy_sha256[32];
	bool filter; /* has the kernel one? */
	uint32_t shown,
		registers_there; /* feature registers: of the policy, of the kernel; more than shown are hidden */
	struct hvc_plan_register registers[HVC_REG_COUNT];
	size_t register_count;
	/* What a VMM reads of each register that is shown: the kernel's value behind the write, unless user space answers
	 * for what hangs on it (PSCI_VERSION), or the kernel has none. */
	uint64_t seen[HVC_REG_COUNT];
	uint64_t there[HVC_REG_COUNT]; /* the kernel's value behind the write */
	struct hvc_plan_range *ranges; /* ascending; none meets another or a reserved range */
	size_t range_count;
	struct hvc_plan_forward
		*forwards; /* by ID: functions; a forwarded range may have other IDs besides */
	size_t forward_count;
	struct hvc_plan_limit limits[8];
	size_t limit_count;
	uint32_t differs;
	bool spec; /* strictness spec: the engine is to do as the Arm documents say, which costs forwards */
	bool state;    /* some calls come to user space, which keeps state of the guest then */
	bool travels;  /* digest and state go with the guest */
	bool stranded; /* travel: no, and there is state */
	bool refused;  /* some limit is not allowed, or it is stranded */
};

/* A host to plan for: a record, or a kernel's profile alone, whose workaround levels nobody knows. */
struct hvc_plan_host {
	const struct abi_profile *profile;
	const json_t *record; /* may be NULL; stays the caller's */
};
/* By path of a record, or by name of a profile. False: `why` says so. The record is the caller's to json_decref(). */
bool hvc_plan_host_find(struct hvc_plan_host *host, const char *name, char *why, size_t size);

/*
 * Make a plan; hvc_plan_free() it. It keeps nothing of policy and host but constants. HVC_OK, also for a policy that is
 * refused there; HVC_EINVAL (`host` is no kernel's profile); HVC_ENOMEM; what compiling the policy says. *plan is NULL
 * then.
 */
enum hvc_err hvc_plan_make(const struct hvc_policy *policy, const struct hvc_plan_host *host,
			   struct hvc_plan **plan);
void hvc_plan_free(struct hvc_plan *plan);

/* The image for the engine that answers in user space: the policy's, with the host's levels of workarounds that no file
 * says. The caller's to free(). Errors as above. */
enum hvc_err hvc_plan_image(const struct hvc_policy *policy, const struct hvc_plan_host *host,
			    struct hvc_image **image);

#endif
