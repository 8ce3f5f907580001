/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The catalogue: every function that hvcgate knows, once.
 *
 * catalog.def beside this file is the only list. Dispatch, discovery, the resolver, policy names,
 * call counts, write masks, failure values, documentation and test tables are generated from it.
 *
 * Thread rules: everything here is constant data; any thread, any time.
 * Sources: SMCCC is Arm DEN0028, PSCI DEN0022, TRNG DEN0098, PV time DEN0057, SDEI DEN0054,
 * FF-A DEN0077, LFA DEN0147.
 */
#ifndef HVCGATE_CATALOG_H
#define HVCGATE_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hvcgate/api.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Fields of a 32-bit SMCCC function ID (DEN0028, section 2.5). */
#define HVC_ID_FAST       0x80000000u /* 31: 1 = fast call, 0 = yielding call */
#define HVC_ID_64         0x40000000u /* 30: 1 = SMC64/HVC64 convention */
#define HVC_ID_SVE_HINT   0x00010000u /* 16: no live SVE state, a hint from SMCCC 1.3 on */
#define HVC_ID_OWNER(id)  (((uint32_t)(id) >> 24) & 0x3fu)
#define HVC_ID_NUMBER(id) ((uint32_t)(id)&0xffffu)

/* Owning entities (DEN0028, table 6-2). 48 and 49 are trusted applications, 50 to 63 trusted OSes. */
enum hvc_owner {
	HVC_OWNER_ARCH = 0,
	HVC_OWNER_CPU = 1,
	HVC_OWNER_SIP = 2,
	HVC_OWNER_OEM = 3,
	HVC_OWNER_STD = 4,
	HVC_OWNER_STD_HYP = 5,
	HVC_OWNER_VENDOR_HYP = 6,
	HVC_OWNER_TRUSTED_APP = 48,
	HVC_OWNER_TRUSTED_OS = 50,
};

/* major << 16 | minor: the shape PSCI_VERSION, SMCCC_VERSION, TRNG_VERSION and FFA_VERSION use. */
#define HVC_VERSION(major, minor) ((uint32_t)(major) << 16 | (uint32_t)(minor))

/* A service: functions that are discovered and versioned together. */
enum hvc_service_id {
	HVC_SERVICE_NONE = 0,
	HVC_SERVICE_ARCH,
	HVC_SERVICE_PSCI,
	HVC_SERVICE_TRNG,
	HVC_SERVICE_SDEI,
	HVC_SERVICE_FF_A,
	HVC_SERVICE_LFA,
	HVC_SERVICE_PV_TIME,
	HVC_SERVICE_KVM_VENDOR, /* UID, features, PTP, DISCOVER_IMPL_* */
	HVC_SERVICE_PKVM, /* calls of a protected guest: MEMINFO, SHARE, UNSHARE, MMIO guard */
	HVC_SERVICE_HYPER_V,
	HVC_SERVICE_TEE, /* OP-TEE's trusted-OS calls */
	HVC_SERVICE_COUNT
};

/* Feature registers, in list order, append-only: what VMs of a kind have, and a VMM can read and set (engine.h). These are
 * KVM's firmware pseudo-registers (Linux, Documentation/virt/kvm/arm/fw-pseudo-registers.rst), with its encodings. */
enum hvc_register {
	HVC_REG_PSCI_VERSION = 0,
	HVC_REG_WORKAROUND_1,
	HVC_REG_WORKAROUND_2,
	HVC_REG_WORKAROUND_3,
	HVC_REG_STD_BMAP,
	HVC_REG_STD_HYP_BMAP,
	HVC_REG_VENDOR_HYP_BMAP,
	HVC_REG_VENDOR_HYP_BMAP_2,
	HVC_REG_COUNT,
	HVC_REG_NONE = 0xff
};

/* Masks over x0..x17 for struct hvc_function; bit n is xn. */
#define HVC_X0     0x00001u
#define HVC_X0_X1  0x00003u
#define HVC_X0_X2  0x00007u
#define HVC_X0_X3  0x0000fu
#define HVC_X0_X4  0x0001fu
#define HVC_X0_X7  0x000ffu
#define HVC_X0_X17 0x3ffffu

/*
 * HVC_FLAG_NO_RETURN: on success control does not come back behind the call instruction (the CPU is
 * off, the system is gone, execution continues elsewhere). A failing call returns with x0 as usual.
 *
 * HVC_FLAG_FFA_ERROR: `failure` is an FF-A error code. It is delivered as FF-A wants it (DEN0077,
 * FFA_ERROR): x0 = the ID of FFA_ERROR, x1 = 0, x2 = the code as a 32-bit value, x3 to x7 = 0.
 * This holds for a call that nobody answers in time; a denied or unknown function gets plain -1 in
 * x0 like every other (DEN0028: unknown function identifier).
 *
 * HVC_FLAG_SECRET: results beside the status are the guest's secret: traces leave them out.
 */
#define HVC_FLAG_NO_RETURN 0x1u
#define HVC_FLAG_FFA_ERROR 0x2u
#define HVC_FLAG_SECRET    0x4u

/* Column `served` of the table. Our newest profile is open until it is released: what is added gets its number. */
enum {
	HVC_SERVED_NO = 0,
	HVC_SERVED_HVCGATE_1 = 1,
	HVC_SERVED_HVCGATE_2 = 2,
	HVC_PROFILE_NEWEST = HVC_SERVED_HVCGATE_2
};

/* Most arguments a function can have: x1 to x17. */
#define HVC_ARGS_MAX 17

/*
 * One function. A function has one name and up to two IDs. `results` and `zeroes` are masks over
 * x0..x17 (bit n is xn) for profile hvcgate-1: a call that returns writes exactly the registers in
 * `results` when it succeeds (status alone, x0, when it fails; the exceptions are HVC_FLAG_FFA_ERROR and TRNG_RND, which then has zeroes)
 * and sets those in `zeroes` to zero. x0 is in every `results`, also of functions that return only
 * to report an error.
 *
 * A function with two IDs has one row for both, the SMC64 form's. Called by its SMC32 ID it takes
 * and writes nothing beyond x7 (DEN0028, 2.6): hvc_function_results(), hvc_function_arg_count().
 */
struct hvc_function {
	const char *name; /* "PSCI_CPU_ON" */
	uint32_t id32;    /* SMC32 ID, 0 if there is none */
	uint32_t id64;    /* SMC64 ID, 0 if there is none */
	uint32_t since;   /* first version of the service's specification that has it */
	uint32_t results; /* registers a successful call writes */
	uint32_t zeroes;  /* registers it sets to zero besides */
	int32_t failure;  /* the answer when nobody answers in time (PSCI: INTERNAL_FAILURE, ...) */
	uint8_t service;  /* enum hvc_service_id */
	uint8_t reg;      /* feature register that gates it, or HVC_REG_NONE */
	uint8_t reg_bit;  /* the bit in it */
	uint8_t arg_count; /* arguments from x1 on */
	uint8_t flags;     /* HVC_FLAG_* */
	uint8_t profile;   /* the engine answers it from our profile hvcgate-n on; 0: nobody does */
	const char *args;  /* their names, comma separated, "" for none */
	const char *meaning; /* one line */
};

/* Slot numbers: index into the table; 0 is "no such function". HVC_FN_PSCI_CPU_ON and so on. */
enum hvc_fn {
	HVC_FN_NONE = 0,
#define HVC_FUNCTION(name, ...) HVC_FN_##name,
#include <hvcgate/catalog.def>
#undef HVC_FUNCTION
	HVC_FN_COUNT
};

/* The function in a slot; NULL for HVC_FN_NONE and for slots past the end. */
HVC_API const struct hvc_function *hvc_function_at(unsigned int slot);
/* Number of slots, the empty slot 0 included. */
HVC_API unsigned int hvc_function_count(void);
/* `results` for a call by this ID, one of the function's. */
HVC_API uint32_t hvc_function_results(const struct hvc_function *function, uint32_t id);
/* `arg_count` for a call by this ID, one of the function's. */
HVC_API unsigned int hvc_function_arg_count(const struct hvc_function *function, uint32_t id);
/* Slot of the function that has exactly this ID, or 0. Hint bits are the caller's to clear. */
HVC_API unsigned int hvc_function_by_id(uint32_t id);
/* Slot of the function with this exact name, or 0. */
HVC_API unsigned int hvc_function_by_name(const char *name);

/* "psci", "kvm-vendor", ...; NULL for HVC_SERVICE_NONE and out of range. */
HVC_API const char *hvc_service_name(unsigned int service);
/* enum hvc_service_id, or HVC_SERVICE_NONE for an unknown name. */
HVC_API unsigned int hvc_service_by_name(const char *name);
/* "arch", "std", "vendor-hyp", "trusted-os"...; never NULL ("reserved" for 7 to 47). */
HVC_API const char *hvc_owner_name(unsigned int owner);
/* Owner range [*first, *last] of a name such as "trusted-os"; false if there is no such owner. */
HVC_API bool hvc_owner_by_name(const char *name, unsigned int *first, unsigned int *last);
/* "PSCI_VERSION", "STD_BMAP", ...; NULL if out of range. */
HVC_API const char *hvc_register_name(unsigned int reg);
/* enum hvc_register, or HVC_REG_NONE. */
HVC_API unsigned int hvc_register_by_name(const char *name);

#ifdef __cplusplus
}
#endif
#endif
