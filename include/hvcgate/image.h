/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The image: a compiled policy, flat, checksummed, position independent. The engine uses it in
 * place, read-only; any number of VMs share one. Little-endian, 8-byte aligned.
 *
 * Behind the header stand the lookup nodes: tables of 256 16-bit entries that turn a function ID
 * into a slot of the catalogue and an action, at a cost that does not depend on the number of rules.
 *
 * Making one: hvc_image_begin(), hvc_image_paint() for each range, hvc_image_seal(). The hosted
 * policy compiler does that from a policy file; a freestanding host can do it by itself.
 *
 * Thread rules: building is single-threaded; a sealed image is constant data.
 */
#ifndef HVCGATE_IMAGE_H
#define HVCGATE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hvcgate/api.h>
#include <hvcgate/call.h>
#include <hvcgate/err.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HVC_IMAGE_MAGIC    0x49435648u /* "HVCI" */
#define HVC_IMAGE_FORMAT   3u
#define HVC_IMAGE_MAX_SIZE (8u << 20)

enum hvc_strictness { HVC_STRICT_SPEC = 0, HVC_STRICT_KVM = 1 };
enum hvc_discovery { HVC_DISCOVERY_COHERENT = 0, HVC_DISCOVERY_RAW = 1 };

/*
 * Where a profile departs from the Arm documents, one flag a departure, each measured on a kernel
 * (docs/kvm-facts.md). Strictness `kvm` is the profile's flags; `spec` is none. Names as in profiles:
 * hvc_quirk_name().
 */
enum hvc_quirk {
	/* Every answer writes x0 to x3: what is no result is zero, also beside -1. But where the VM ends or sleeps
	 * for SYSTEM_RESET2 or SYSTEM_SUSPEND x1 to x3 stay, cut to 32 bits by the SMC32 form, and a workaround
	 * leaves x2 and x3. */
	HVC_QUIRK_ZERO_X1_X3 = 1u << 0,
	/* The immediate of an HVC is not looked at. */
	HVC_QUIRK_HVC_ANY_IMMEDIATE = 1u << 1,
	/* An SMC is answered -1 in x0 and writes nothing else, whatever it asks (Linux before 6.4). */
	HVC_QUIRK_SMC_UNKNOWN = 1u << 2,
	/* CPU_ON and SYSTEM_SUSPEND take any entry address. */
	HVC_QUIRK_ANY_ENTRY = 1u << 3,
	/* A CPU is ON as soon as CPU_ON succeeded: ON_PENDING is never seen. */
	HVC_QUIRK_ON_AT_ONCE = 1u << 4,
	/* CPU_SUSPEND waits for an interrupt and answers 0, whatever its arguments. */
	HVC_QUIRK_SUSPEND_WAITS = 1u << 5,
	/* SYSTEM_SUSPEND does not ask whether other CPUs are off. */
	HVC_QUIRK_SUSPEND_UNCHECKED = 1u << 6,
	/* PSCI_VERSION can be changed while the VM runs. */
	HVC_QUIRK_PSCI_VERSION_OPEN = 1u << 7,
	/* TRNG_RND gives 0 bits if asked for so many, and takes its argument as 32 bits wide. */
	HVC_QUIRK_TRNG_ZERO_BITS = 1u << 8,
	/* ARCH_FEATURES knows WORKAROUND_1 to _3 and PV_TIME_FEATURES only. */
	HVC_QUIRK_ARCH_FEATURES_FEW = 1u << 9,
	/* WORKAROUND_1 to _3 are answered by HVC only, there always, whatever the level; x1 becomes 0. */
	HVC_QUIRK_WORKAROUND_HVC_ONLY = 1u << 10,
	/* Who answers a forwarded call may write any of x0 to x17. */
	HVC_QUIRK_REPLY_ANY = 1u << 11,
	/* A filter range of no function at base 0 is refused as overlapping, not as invalid. */
	HVC_QUIRK_FILTER_EMPTY_AT_0 = 1u << 12,
	/* CPU_ON and AFFINITY_INFO pass over bits of their target that are no affinity field (Linux 5.10). */
	HVC_QUIRK_MPIDR_MASKED = 1u << 13,
	/* TRNG_FEATURES takes its argument as 64 bits wide. */
	HVC_QUIRK_TRNG_FEATURES_64 = 1u << 14,
	/* TRNG_GET_UUID tells KVM's UUID, not this engine's. */
	HVC_QUIRK_TRNG_KVM_UUID = 1u << 15,
	/* ... append here; hvc_quirk_name() follows. */
	HVC_QUIRK_END = 1u << 16
};

/* PSCI versions a VMM may choose, for hvc_settings.psci_versions. 0.1 comes with vCPUs without PSCI_0_2. */
#define HVC_PSCI_BIT(version) ((version) == HVC_VERSION(0, 2) ? 1u : 2u << ((version)&0xffffu))

#define HVC_FN_WORDS          ((HVC_FN_COUNT + 63) / 64)

#define HVC_MAX_VCPUS         512

/* What MIGRATE_INFO_TYPE says (DEN0022, 5.9). */
enum hvc_trusted_os {
	HVC_TRUSTED_OS_MIGRATES = 0, /* on one CPU; MIGRATE moves it */
	HVC_TRUSTED_OS_STAYS = 1,    /* on one CPU, which cannot be turned off */
	HVC_TRUSTED_OS_NONE = 2      /* none, or it does not mind */
};

/* What a policy fixes beside the rules. Plain values; every one has a default (hvc_settings_init). */
struct hvc_settings {
	uint32_t size;                /* sizeof(struct hvc_settings) */
	uint32_t smccc_version;       /* HVC_VERSION(1, 0) to HVC_VERSION(1, 7) */
	uint32_t strictness;          /* enum hvc_strictness */
	uint32_t discovery;           /* enum hvc_discovery */
	uint64_t regs[HVC_REG_COUNT]; /* by enum hvc_register: reset values, KVM's encodings */
	uint32_t workaround_4; /* as WORKAROUND_1's: 0 not available, 1 available, 2 not required */
	uint32_t soc_id_present; /* 0: SOC_ID is NOT_SUPPORTED */
	uint32_t soc_version;  /* SOC_ID type 0: JEP-106 bank, code and SoC number (DEN0028 7.4) */
	uint32_t soc_revision; /* SOC_ID type 1 */
	uint32_t vendor_uid_present; /* 0: the vendor UID call is NOT_SUPPORTED */
	uint32_t vendor_uid[4];      /* x0..x3 of the vendor UID call */
	uint32_t system_suspend;     /* 1: PSCI SYSTEM_SUSPEND exists */
	/* The profile: what the VM is measured against. */
	uint32_t quirks; /* enum hvc_quirk, or'ed */
	/* Registers 0 to reg_count - 1 of enum hvc_register exist; the others are 0, and what they would
	 * gate is there as `functions` says. */
	uint32_t reg_count;
	uint32_t psci_versions; /* HVC_PSCI_BIT() of those that PSCI_VERSION can be set to */
	uint32_t filter;        /* 1: ranges can be added; 0: hvc_filter_add() is HVC_EINVAL */
	uint64_t reg_mask
		[HVC_REG_COUNT]; /* bits that a bitmap register can have; 0 for the others */
	uint64_t functions[HVC_FN_WORDS]; /* bit by slot: the functions there are at all */
	uint8_t policy_sha256[32];   /* digest of the effective policy; zero if made without one */
	uint32_t power_state_format; /* 0 original, 1 extended StateID (DEN0022, 5.4.2) */
	uint32_t os_initiated;       /* 1: SET_SUSPEND_MODE can choose OS-initiated mode */
	uint32_t trusted_os;         /* enum hvc_trusted_os */
	uint32_t trusted_os_cpu; /* index of the vCPU it is on at first, in a VM of fewer vCPUs 0 */
	uint32_t
		replay; /* 1: a VM can be saved with forwarded calls pending; they are made again */
	uint32_t reserved; /* 0 */
};

/* "zero-x1-x3", ... for one flag of enum hvc_quirk; NULL if it is none. */
HVC_API const char *hvc_quirk_name(uint32_t quirk);

/*
 * Fill with our profile hvcgate-`number`: 1 is SMCCC 1.2 and PSCI 1.1, 2 is SMCCC 1.6, PSCI 1.3 and every function
 * this engine has; both with every bitmap on and KVM's vendor UID. HVC_ENOENT: there is no such profile.
 */
HVC_API enum hvc_err hvc_settings_profile(struct hvc_settings *settings, unsigned int number);
/* The same of hvcgate-1. */
HVC_API void hvc_settings_init(struct hvc_settings *settings);

/* 17 registers of 8 bytes: x1 to x17. */
#define HVC_SOC_NAME 136

/* A power state: the value a guest's device tree has as arm,psci-suspend-param. */
#define HVC_POWER_STATES 8
struct hvc_power_state {
	uint32_t power_state; /* as CPU_SUSPEND takes it; power-down or standby, level: in it */
	uint32_t level; /* highest power level that goes down with it: 0 CPU, 1 cluster, ... */
};

#define HVC_IMPLEMENTATIONS 16
struct hvc_implementation {
	uint64_t midr, revidr, aidr; /* MIDR_EL1, REVIDR_EL1, AIDR_EL1 */
};

#define HVC_FEATURE_VALUES 32
struct hvc_feature_value {
	uint16_t fn; /* enum hvc_fn */
	uint16_t pad;
	int32_t value; /* PSCI_FEATURES, ARCH_FEATURES, ... answer it */
};

/* What only some policies say. An image without is as if all were 0. Entries behind a count are 0. */
struct hvc_tables {
	uint32_t size; /* sizeof(struct hvc_tables) */
	/* CPU_SUSPEND's power states, shallowest first, each once. Count 0: any well-formed value is taken, and there
	 * are no statistics of any. */
	uint32_t power_state_count;
	struct hvc_power_state power_states[HVC_POWER_STATES];
	/* SOC_ID type 2 (DEN0028, 7.4): NUL-terminated and -padded ASCII; "": there is no name. */
	char soc_name[HVC_SOC_NAME];
	/* DISCOVER_IMPL_CPUS: CPUs the guest may come to run on. Count 0: DISCOVER_IMPL_* is absent. */
	uint32_t implementation_count;
	uint32_t feature_count; /* how many of `features` */
	struct hvc_implementation implementations[HVC_IMPLEMENTATIONS];
	/* What discovery says of a forwarded function instead of the catalogue's default. */
	struct hvc_feature_value features[HVC_FEATURE_VALUES];
};

struct hvc_image {
	uint32_t magic;       /* HVC_IMAGE_MAGIC */
	uint32_t format;      /* HVC_IMAGE_FORMAT */
	uint32_t bytes;       /* header and nodes */
	uint32_t crc32;       /* IEEE 802.3, over all bytes behind this field */
	uint64_t catalog;     /* fingerprint of the catalogue whose slots the nodes name */
	uint32_t node_count;  /* tables of 256 entries behind the header */
	uint32_t table_bytes; /* struct hvc_tables behind the nodes; 0: none */
	struct hvc_settings settings;
};

/* The least capacity for begin, in bytes. The finished image, image->bytes, is smaller if few rules were painted; each
 * block of 256 IDs that rules tell apart takes some 512 bytes more (docs/budgets.md). */
HVC_API size_t hvc_image_min_size(void);

/*
 * Start an image in caller memory: 8-byte aligned, `capacity` bytes. Every ID is HVC_HANDLE by
 * default. Returns HVC_OK; HVC_EFAULT for a null or misaligned pointer; HVC_ENOMEM if capacity is
 * below hvc_image_min_size(); HVC_EINVAL if the settings are out of range.
 */
HVC_API enum hvc_err hvc_image_begin(void *memory, size_t capacity,
				     const struct hvc_settings *settings);

/*
 * Give the IDs of [first, last] an action. `by_rule`: a rule claims them (a later filter range may
 * not meet them), else it is the default. IDs of the reserved ranges inside are passed over and
 * keep HVC_HANDLE. IDs painted twice get the later action. Returns HVC_OK; HVC_EINVAL if last < first, the
 * action is none or tables were added; HVC_ENOMEM if capacity does not suffice, and then nothing was changed.
 */
HVC_API enum hvc_err hvc_image_paint(struct hvc_image *image, size_t capacity, uint32_t first,
				     uint32_t last, enum hvc_action action, bool by_rule);

/*
 * Put tables behind what was painted; nothing is painted after. Without it, or with tables that say nothing, the image
 * has none. HVC_EFAULT (null), HVC_EINVAL (out of range, or there are tables), HVC_ENOMEM (capacity; needed are
 * sizeof(struct hvc_tables) bytes).
 */
HVC_API enum hvc_err hvc_image_add_tables(struct hvc_image *image, size_t capacity,
					  const struct hvc_tables *tables);
/* The tables of a checked image: empty ones if it has none. */
HVC_API const struct hvc_tables *hvc_image_tables(const struct hvc_image *image);

/* Finish: checksum. The image is image->bytes long and must not be changed any more. */
HVC_API void hvc_image_seal(struct hvc_image *image);

/*
 * Is this a sound image that this engine can use, in memory of `bytes` bytes? Safe on any bytes. Returns HVC_OK;
 * HVC_EFAULT (null, misaligned); HVC_EBADMSG (truncated, checksum, a node or slot out of range);
 * HVC_ENOTSUP (another format, or a catalogue of another version: compile the policy again).
 */
HVC_API enum hvc_err hvc_image_check(const void *memory, size_t bytes);

/* The ranges that belong to the engine; no rule can take them: SMCCC's architecture calls, with the Spectre workarounds
 * (as KVM's filter has it). *ranges becomes a constant table, ascending. Returns how many there are. */
struct hvc_range {
	uint32_t first, last; /* inclusive */
};
HVC_API unsigned int hvc_reserved_ranges(const struct hvc_range **ranges);

#ifdef __cplusplus
}
#endif
#endif
