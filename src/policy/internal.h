/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the policy layer share: the policy itself and the state of one load. */
#ifndef HVCGATE_POLICY_INTERNAL_H
#define HVCGATE_POLICY_INTERNAL_H

#include <hvcgate/policy.h>

#include "abi.h"
#include "arena.h"
#include "diags.h"
#include "moves.h"
#include "yaml_tree.h"

#define POL_FORMAT   1u
#define POL_PROFILE  "hvcgate-1"
#define POL_NEWEST   "hvcgate-2"  /* the newest of ours, for messages */
#define POL_KERNEL   "linux-6.12" /* for messages: a profile of a kernel */
#define POL_BUILT_IN "(built-in)"

/* --- Knobs: every single thing a policy can set beside rules, whichever key sets it. */
enum pol_knob_id {
	KNOB_PROFILE, /* position in abi_profile_at() */
	KNOB_STRICTNESS,
	KNOB_DISCOVERY,
	KNOB_SMCCC,
	KNOB_IDENTITY, /* enum pol_identity */
	KNOB_WORKAROUND_4,
	KNOB_SOC_ID,   /* present */
	KNOB_SOC_NAME, /* 1: soc-id has a name */
	KNOB_SYSTEM_SUSPEND,
	KNOB_POWER_FORMAT, /* 1: extended */
	KNOB_POWER_STATES, /* how many */
	KNOB_OS_INITIATED,
	KNOB_TRUSTED_OS,      /* HVC_TRUSTED_OS_NONE less the kind: 0 is none */
	KNOB_IMPLEMENTATIONS, /* how many */
	KNOB_REPLAY,
	KNOB_ALLOW,   /* bits of enum pol_allow */
	KNOB_TRAVEL,  /* enum policy_travel */
	KNOB_DEFAULT, /* enum hvc_action */
	KNOB_SHOW,    /* registers that the list shows */
	KNOB_KNOWN,   /* registers that the VMM knows */
	KNOB_UNKNOWN, /* 1: those it does not know are cleared */
	KNOB_REG,     /* + enum hvc_register: the registers that are one value */
	KNOB_SERVICE = KNOB_REG + HVC_REG_COUNT, /* + enum hvc_service_id: on or off */
	KNOB_BIT = KNOB_SERVICE +
		   HVC_SERVICE_COUNT, /* + 64 * register + bit: the registers that are bitmaps */
	KNOB_COUNT = KNOB_BIT + 64 * HVC_REG_COUNT
};
#define KNOB_OF_BIT(reg, bit) ((unsigned int)KNOB_BIT + 64u * (reg) + (bit))

enum pol_identity { IDENTITY_NONE, IDENTITY_KVM, IDENTITY_UID };

struct pol_knob {
	uint64_t value;
	bool set;  /* by a file; else the profile's value */
	bool soft; /* follows from something wider: a narrower key of the same file may change it */
	struct pol_mark mark;
	const char *key; /* "psci", "services: trng", "registers: STD_BMAP" */
};

struct pol_power_state {
	struct hvc_policy_power_state state;
	bool level_said, entry_said, exit_said, residency_said;
	struct pol_mark mark, param_mark, level_mark;
};

/* --- Rules. */
enum pol_target_kind { TARGET_FUNCTION, TARGET_OWNER, TARGET_RANGE, TARGET_SERVICE };

struct pol_target {
	enum pol_target_kind kind;
	struct pol_mark mark;
	const char *text;     /* canonical */
	unsigned int width;   /* TARGET_FUNCTION: 0 (both), 32 or 64 */
	uint32_t first, last; /* slot twice; owners; IDs; service twice */
	uint64_t reached;     /* IDs that it decides */
	size_t rule;          /* index of its rule */
};

struct pol_rule {
	struct hvc_rule rule; /* as others see it */
	struct pol_mark mark;
	struct pol_mark to_mark, features_mark;
	size_t target, target_count; /* in policy->targets */
	bool list;                   /* written as a list */
};

/* A range some target (or a service that is off, or the engine) claims; less index, more precedence. */
struct pol_range {
	uint32_t first, last;
	uint32_t claim; /* index of a target, or CLAIM_* */
};
#define CLAIM_RESERVED 0xffffffffu
#define CLAIM_SERVICE  0xffffff00u /* + service */

struct pol_handler {
	const char *name, *socket;
	uint32_t timeout_ms;
	struct pol_mark mark;
	bool used;
};

/* KVM's IDs, ascending. */
struct pol_registers {
	uint64_t ids[POLICY_HIDDEN / 2];
	size_t count;
	struct pol_mark mark;
};

struct hvc_policy {
	struct arena arena;
	const char *path;
	const struct abi_profile *profile;
	struct hvc_settings base; /* the profile's */
	struct hvc_settings settings;
	struct pol_knob knobs[KNOB_COUNT];
	uint32_t uid[4], soc_version, soc_revision;
	char soc_name[HVC_SOC_NAME];
	struct pol_power_state power_states[HVC_POWER_STATES];
	uint32_t trusted_os_cpu;
	struct hvc_implementation implementations[HVC_IMPLEMENTATIONS];
	uint64_t revocable[HVC_FN_WORDS];
	struct pol_mark revocable_mark;
	struct pol_registers hide, lose;
	uint64_t hidden[POLICY_HIDDEN]; /* both */
	size_t hidden_count;
	struct hvc_tables tables; /* what an image carries of all that */
	const char *default_to;
	struct pol_mark default_to_mark;
	struct pol_rule *rules;
	size_t rule_count, rule_capacity;
	struct pol_target *targets;
	size_t target_count, target_capacity;
	struct pol_handler *handlers;
	size_t handler_count, handler_capacity;
	struct hvc_span *spans;
	size_t span_count, span_capacity;
	const char *absent[HVC_FN_COUNT]; /* why the engine does not answer a slot; NULL: it does */
	bool needs_host[HVC_FN_COUNT];    /* it answers where the host has what it takes */
	const char *flat;
	uint8_t sha256[32];
};

/* --- One load. */
struct loader {
	size_t errors_before; /* in diags, of earlier loads */
	struct hvc_policy *policy;
	struct hvc_diags *diags;
	struct arena scratch; /* trees and bytes: gone when the load is over */
	bool unreadable;      /* some file could not be read */
	bool oom;
};

/* keys.c: take the keys of one file (all but extends). */
void keys_apply(struct loader *loader, const struct yaml_node *root);
/* The whole table of keys, for "did you mean". */
bool key_is(const struct yaml_node *node, const char *name);

/* check.c helpers for every file that reads values. */
bool want_kind(struct loader *loader, const struct yaml_node *node, enum yaml_kind kind,
	       const char *key, const char *right);
/* Complain about every key of a mapping that is not in the list. */
void refuse_unknown(struct loader *loader, const struct yaml_node *map, const char *const *known,
		    const char *where);
void unknown_key(struct loader *loader, const struct yaml_node *key, const char *const *known,
		 const char *where);

/* knobs.c */
void knobs_init(struct hvc_policy *policy);
/* Set a knob; a different value from the same file is an error, unless that was soft. */
void knob_set(struct loader *loader, unsigned int knob, uint64_t value, bool soft,
	      const struct pol_mark *mark, const char *key);
uint64_t knob_value(const struct hvc_policy *policy, unsigned int knob);
/* The bits of a register that a function of the catalogue hangs on. */
uint64_t register_mask(unsigned int reg);
/* "trng" for STD_BMAP bit 0; NULL if the bit has no name. */
const char *bit_name(unsigned int reg, unsigned int bit);
/* Knobs to settings, all files read. */
void knobs_settle(struct hvc_policy *policy);
/* profile.c: the keys that say what a policy starts from. */
void take_profile(struct loader *loader, const struct yaml_node *value);
void take_strictness(struct loader *loader, const struct yaml_node *value);
void take_discovery(struct loader *loader, const struct yaml_node *value);
void take_show_registers(struct loader *loader, const struct yaml_node *value);
/* Of the key `registers`. */
void take_known(struct loader *loader, const struct yaml_node *value);
void take_unknown(struct loader *loader, const struct yaml_node *value);

/* power.c: the keys about power states and the trusted OS. */
void take_power_format(struct loader *loader, const struct yaml_node *value);
void take_power_states(struct loader *loader, const struct yaml_node *value);
void take_os_initiated(struct loader *loader, const struct yaml_node *value);
void take_trusted_os(struct loader *loader, const struct yaml_node *value);
/* All files read: do the states fit the format and each other? What no file says of them is filled in. */
void power_check(struct loader *loader);
/* "cpu", "cluster", "system", "3". */
const char *power_level_name(uint32_t level);

/* soc.c: the keys about the silicon. */
void take_soc_id(struct loader *loader, const struct yaml_node *value);
void take_implementations(struct loader *loader, const struct yaml_node *value);

/* features.c: the key `features` of a rule; and, spans built, which functions it is about. */
void take_features(struct loader *loader, const struct yaml_node *map, struct pol_rule *rule);
void features_settle(struct loader *loader);

/* allow.c: what a host may leave undone. */
void take_allow(struct loader *loader, const struct yaml_node *value);

/* moves.c: calls that can be shut off; registers that a VMM does not see. */
void take_revocable(struct loader *loader, const struct yaml_node *value);
void take_travel(struct loader *loader, const struct yaml_node *value);
void take_hide(struct loader *loader, const struct yaml_node *value);
void take_lose(struct loader *loader, const struct yaml_node *value);
/* All files read. */
void moves_settle(struct hvc_policy *policy);
void lint_revocable(struct loader *loader);

/* profile.c: one word of two; their values are 0 and 1. */
void take_mode(struct loader *loader, const struct yaml_node *value, unsigned int knob,
	       const char *key, const char *zero, const char *one);

/* fit.c, all files read: knobs that no file sets get the profile's value; those that one sets must fit it. */
void profile_seed(struct hvc_policy *policy);
void profile_check(struct loader *loader);
/* How many registers show, and those that mean nothing. */
void profile_settle_registers(struct hvc_policy *policy);
/* Has the profile this function? */
bool policy_has_function(const struct hvc_policy *policy, unsigned int slot);

/* Is this service off where no feature register can say so? */
bool service_denied(const struct hvc_policy *policy, unsigned int service);

/* services.c and registers.c: the keys `services` and `registers`. */
void take_services(struct loader *loader, const struct yaml_node *value);
void take_registers(struct loader *loader, const struct yaml_node *value);
/* PSCI's version, whichever key holds it (keys.c). */
void take_psci(struct loader *loader, const struct yaml_node *value, const char *key);

/* rules.c: the keys `rules` and `default`. */
void take_rules(struct loader *loader, const struct yaml_node *value);
void take_default(struct loader *loader, const struct yaml_node *value);
/* Put the rules of later files first; `groups` are the files' counts of rules in the order of reading. */
bool rules_arrange(struct hvc_policy *policy, const size_t *groups, size_t group_count);
bool target_ids(const struct pol_target *target, uint32_t ids[2], unsigned int *count);

/* handlers.c: the key `handlers`. */
void take_handlers(struct loader *loader, const struct yaml_node *value);
struct pol_handler *handler_find(struct hvc_policy *policy, const char *name);
void handlers_check(struct loader *loader);

/* absent.c */
/* Why the engine does not answer what it does not. Sets loader->oom; an error if it refuses the settings. */
void absent_build(struct loader *loader);

/* spans.c: ranges of all targets, swept into spans. */
bool spans_build(struct hvc_policy *policy);
/* The ranges a target claims, at most TARGET_MAX_RANGES. */
#define TARGET_MAX_RANGES (2u * HVC_FN_COUNT)
unsigned int target_ranges(const struct pol_target *target, struct hvc_range *ranges);
/* Index of the span that decides an ID. */
size_t span_index(const struct hvc_policy *policy, uint32_t id);

/* lint.c: what is wrong or worth a word once everything is known, spans included. */
void lint(struct loader *loader);
/* Before spans: targets that cannot be meant, whatever the others say. */
void lint_targets(struct loader *loader);

/* flatten.c */
bool flatten(struct hvc_policy *policy);

#endif
