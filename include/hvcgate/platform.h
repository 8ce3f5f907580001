/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What services need of the world. The host fills one constant struct; `host` is the pointer from
 * struct hvc_vm_config. A NULL callback means the host has no such thing, and the services say so
 * to the guest. Callbacks run on the calling vCPU's thread, possibly on several at once, and must
 * not block on another vCPU.
 */
#ifndef HVCGATE_PLATFORM_H
#define HVCGATE_PLATFORM_H

#include <stdbool.h>
#include <stdint.h>

#include <hvcgate/api.h>

#ifdef __cplusplus
extern "C" {
#endif

enum hvc_share {
	HVC_SHARE_MEM = 0,    /* MEM_SHARE: the host may read and write it */
	HVC_SHARE_MEM_BACK,   /* MEM_UNSHARE */
	HVC_SHARE_MMIO,       /* MMIO_GUARD: the host may emulate a device there */
	HVC_SHARE_MMIO_BACK,  /* Android's MMIO_GUARD_UNMAP */
	HVC_SHARE_RELINQUISH, /* Android's MEM_RELINQUISH: the guest has no more use for it */
	HVC_SHARE_ENROLL, /* Android's MMIO_GUARD_ENROLL: no device anywhere else from now on; ipa and bytes are 0 */
};

struct hvc_platform {
	uint32_t size; /* sizeof(struct hvc_platform) */

	/* Start a vCPU that is off or frozen; on its way it asks hvc_vcpu_started() for entry and context. The
	 * engine has already moved it to ON_PENDING, so it is asked for once. False: it could not be
	 * started (the guest reads INTERNAL_FAILURE and the vCPU is as before). A vCPU that has just called CPU_OFF
	 * or CPU_FREEZE may still be on its way out: the callback waits for that. NULL: CPU_ON answers
	 * INTERNAL_FAILURE. */
	bool (*cpu_start)(void *host, uint32_t vcpu);

	/* Is this guest-physical address RAM the guest can execute from? NULL: any is taken. */
	bool (*is_ram)(void *host, uint64_t ipa);

	/* Fill n 64-bit words with random bits of full entropy. False or NULL: TRNG NO_ENTROPY. */
	bool (*entropy)(void *host, uint64_t *words, uint32_t n);

	/* FEATURE_AVAILABILITY (DEN0028, 7.6): bits of the EL3 register named by `reg` that the host
	 * leaves to the guest. False: no such register. NULL: NOT_SUPPORTED. */
	bool (*feature_availability)(void *host, uint64_t reg, uint64_t *bits);

	/* PV_TIME_ST (DEN0057, 3.2): write the 16-byte record at guest-physical `ipa` (revision and attributes 0,
	 * stolen time 0) and count this vCPU's stolen nanoseconds there from now on. False: it cannot be written
	 * (the guest reads NOT_SUPPORTED). NULL: there is no stolen time, hvc_vcpu_set_stolen_time() or not. */
	bool (*stolen_time)(void *host, uint32_t vcpu, uint64_t ipa);

	/* KVM_PTP (Linux, ptp_kvm.rst): host wall clock in ns since 1970 and the counter value that the guest
	 * would have read at that moment, physical or virtual. False or NULL: NOT_SUPPORTED. */
	bool (*ptp)(void *host, uint32_t vcpu, bool physical, uint64_t *ns, uint64_t *counter);

	/* A clock that never goes back, in microseconds, for PSCI_STAT_RESIDENCY. NULL: PSCI_STAT_* are absent. */
	uint64_t (*now_us)(void *host);

	/* MEM_PROTECT (DEN0022, 5.14): from now on (or no longer) the host overwrites the guest's RAM before another
	 * system starts in it. False: it cannot. NULL: MEM_PROTECT and MEM_PROTECT_CHECK_RANGE are absent. */
	bool (*mem_protect)(void *host, bool on);

	/* Is all of [ipa, ipa + bytes) guest RAM? bytes is not 0 and the range does not wrap. NULL: is_ram is asked
	 * of its ends. */
	bool (*is_ram_range)(void *host, uint64_t ipa, uint64_t bytes);

	/* CLEAN_INV_MEMREGION: clean and invalidate guest RAM [ipa, ipa + bytes), all of it RAM, from every cache.
	 * False: it cannot now. NULL: the functions are absent. */
	bool (*clean_inv)(void *host, uint64_t ipa, uint64_t bytes);

	/* A protected guest shares, or no longer shares, one granule (enum hvc_share); the engine's books are already
	 * changed, and go back if this is false. NULL: the books are all there is. */
	bool (*share)(void *host, uint32_t vcpu, uint32_t what, uint64_t ipa, uint64_t bytes);
};

#ifdef __cplusplus
}
#endif
#endif
