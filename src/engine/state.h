/* SPDX-License-Identifier: BSD-2-Clause */
/* The engine's state, seen by engine and services only. */
#ifndef HVC_STATE_H
#define HVC_STATE_H

#include <hvcgate/engine.h>

#include "env.h"
#include "lookup.h"

/* Power states with AFFINITY_INFO's numbers (DEN0022, 5.1.5); FROZEN, by CPU_FREEZE, is told as ON. In hvc_vcpu.power
 * they are the low bits; what services/psci.h adds stands above them. */
enum power { POWER_ON = 0, POWER_OFF = 1, POWER_ON_PENDING = 2, POWER_FROZEN = 3 };
#define POWER_OF(word) ((enum power)((word)&3u))

typedef enum hvc_verdict hvc_serve(struct hvc_vcpu *vcpu, enum hvc_conduit conduit, uint32_t entry,
				   struct hvc_frame *frame);

struct hvc_vm {
	/* By slot: HVC_ANSWERED if the VM has the function, or HVC_ABSENT. First, so that a slot alone finds it.
	 * Written while calls read it where PSCI_VERSION may change at run time: single bytes, by hvc_load() and hvc_store(). */
	uint8_t fate[HVC_FN_COUNT];
	bool frozen;             /* a vCPU has run: bitmaps and filter are closed */
	hvc_serve *const *serve; /* by slot: serve_table, or as quirks want it */
	const struct hvc_image *HVC_SHARED
		image; /* hvc_vm_swap_image(): same settings, so either is right */
	const struct hvc_platform *platform;
	void *host;
	struct hvc_vcpu *const *vcpus;
	uint32_t vcpu_count;
	uint32_t flags;         /* HVC_VM_* */
	uint32_t smccc_version; /* the settings', for a short way to it; likewise: */
	uint32_t quirks;
	uint32_t trusted_os;
	uint32_t shown;               /* how many registers the list shows */
	struct lookup filter;         /* the nodes in use: see rules.h */
	uint64_t regs[HVC_REG_COUNT]; /* PSCI_VERSION: vm_psci_version() */
	/* The caller's optional blocks; NULL: the VM is without. */
	struct hvc_stats *stats;
	struct hvc_forwards *forwards;
	struct hvc_events *events;
	struct hvc_shares *shares;
	_Atomic uint64_t epoch;          /* image swaps so far */
	_Atomic uint32_t trusted_os_cpu; /* index of the vCPU that MIGRATE left it on */
	_Atomic uint8_t suspend_mode;    /* enum suspend_mode of services/psci.h */
	_Atomic uint8_t mem_protect;     /* MEM_PROTECT's state */
};
_Static_assert(sizeof(struct hvc_vm) <= 512, "budget: core per-VM state");

/* The first half is what every call reads. */
struct hvc_vcpu {
	_Alignas(64) const uint16_t
		*entries; /* vm->filter.entries: the rules, in one pointer, so that one store swaps them */
	struct hvc_vm *vm;
	uint64_t *counters;  /* struct hvc_counters.calls, or NULL */
	uint32_t last_id;    /* of the last call, normalised */
	uint32_t last_entry; /* what the lookup said of it, or LAST_CONVENTION */
	uint32_t hint_mask;  /* HVC_ID_SVE_HINT at SMCCC 1.3 and later, else 0 */
	uint32_t index;
	uint64_t mpidr;
	_Atomic uint32_t power; /* POWER_OF() it, and more above */
	bool set_up;            /* hvc_vcpu_setup() gave it its affinity */
	bool pending;           /* its last call was forwarded and has no answer yet */
	/* hvc_vcpu_request(): entry and context, or, of what ends the system, 0 and the cookie. */
	uint64_t request_entry, request_value;
	uint32_t request_type;
	_Atomic uint32_t starts;             /* CPU_ONs of it that won so far */
	uint64_t start_entry, start_context; /* by CPU_ON, for hvc_vcpu_started() */
	uint64_t stolen_time;                /* IPA of its record, or STOLEN_TIME_NONE */
	_Atomic uint64_t passed;             /* vm->epoch at its last quiescent point */
	uint64_t forward;                    /* sequence number of its transaction; 0: none begun */
};
_Static_assert(sizeof(struct hvc_vcpu) <= 128, "budget: per-vCPU state");

/* In hvc_vcpu.last_entry, above an entry's 16 bits: the call never got as far as the lookup. */
#define LAST_CONVENTION (1u << 16)

/* No record: what hvc_vcpu_set_stolen_time() never takes. */
#define STOLEN_TIME_NONE UINT64_MAX

/* Does the profile depart from the Arm documents here? Of enum hvc_quirk. */
static inline bool vm_quirk(const struct hvc_vm *vm, uint32_t quirk)
{
	return (vm->quirks & quirk) != 0;
}

/* Would a call of this slot be served, rules aside? Never true of slot 0. */
static inline bool vm_has(const struct hvc_vm *vm, unsigned int slot)
{
	return hvc_load(&vm->fate[slot]) == HVC_ANSWERED;
}

/* PSCI_VERSION, which may change while calls are under way: ask once a call. */
static inline uint32_t vm_psci_version(const struct hvc_vm *vm)
{
	return (uint32_t)hvc_load(&vm->regs[HVC_REG_PSCI_VERSION]);
}

/* Where the trusted OS is at first. */
static inline uint32_t vm_trusted_os_home(const struct hvc_vm *vm)
{
	const uint32_t cpu = vm->image->settings.trusted_os_cpu;

	return cpu < vm->vcpu_count ? cpu : 0;
}

static inline uint32_t vm_hint_mask(const struct hvc_vm *vm)
{
	return vm->smccc_version >= HVC_VERSION(1, 3) ? HVC_ID_SVE_HINT : 0;
}

/* The hint is a bit of fast calls only (DEN0028, 2.5.1). */
static inline uint32_t clear_hint(uint32_t mask, uint32_t id)
{
	return id & ~(mask & (0u - (id >> 31)));
}

/* Size and alignment of the optional blocks are checked, and they are made empty. NULL memory: HVC_OK. Where each lies
 * is known to its own file only. */
enum hvc_err stats_init(struct hvc_vm *vm, void *memory, size_t bytes);
/* The vCPU, which is on, runs again: what it was in ends for the statistics. */
void stats_leave(const struct hvc_vcpu *vcpu);
enum hvc_err forwards_init(struct hvc_vm *vm, void *memory, size_t bytes);
enum hvc_err events_init(struct hvc_vm *vm, void *memory, size_t bytes);
enum hvc_err shares_init(struct hvc_vm *vm, const struct hvc_vm_config *config);

/* Which functions the VM has follows from its registers; run after any of them changed. */
void vm_update_present(struct hvc_vm *vm);

/* The slot of an ID if a call of it would be answered: present, and no rule takes it away, or forwarded to who
 * takes it. Else 0. In raw discovery rules do not count: present is enough. Discovery asks this and nothing else.
 * `id` is taken as it is: no hint is cleared. */
unsigned int vm_served(const struct hvc_vm *vm, uint32_t id);

/* Does the policy state what discovery says of this ID, which somebody else answers? Then *value is it. Ask for an ID
 * that vm_served() found; without a value the service's own answer holds. */
bool vm_feature_value(const struct hvc_vm *vm, uint32_t id, int32_t *value);

#endif
