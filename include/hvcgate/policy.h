/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The policy file: a profile plus changes, written by a person in YAML (docs/policy.md).
 *
 * A policy is loaded, checked completely, and then immutable: any thread may read it. All strings
 * returned belong to the policy or the diagnostics and live as long as they do.
 */
#ifndef HVCGATE_POLICY_H
#define HVCGATE_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hvcgate/api.h>
#include <hvcgate/call.h>
#include <hvcgate/err.h>
#include <hvcgate/image.h>

#ifdef __cplusplus
extern "C" {
#endif

struct hvc_policy;

/* --- Diagnostics: what is wrong, where, and what would be right. */
/* A note says how something is meant; it is no finding. */
enum hvc_severity { HVC_ERROR = 0, HVC_WARNING = 1, HVC_NOTE = 2 };
struct hvc_diag {
	enum hvc_severity severity;
	const char *file;          /* as given, or the path of the parent that `extends` named */
	unsigned int line, column; /* from 1; 0 if the whole file is meant */
	/* "unknown function PSCI_CPUON; did you mean PSCI_CPU_ON?": one line, at most 2003 bytes,
	 * no control characters, whatever the file holds */
	const char *message;
};
/* Grows with each policy that is loaded or compiled with it; one thread's at a time. */
struct hvc_diags;
HVC_API struct hvc_diags *hvc_diags_new(void); /* NULL: no memory */
HVC_API void hvc_diags_free(struct hvc_diags *diags);
HVC_API size_t hvc_diags_count(const struct hvc_diags *diags, enum hvc_severity severity);
/* The n-th of all, in source order; NULL past the end. */
HVC_API const struct hvc_diag *hvc_diags_at(const struct hvc_diags *diags, size_t n);

/*
 * Load a policy file with its parents. `path` NULL: the built-in policy (profile hvcgate-1, no
 * changes); "-": standard input. HVC_OK, and *policy is the caller's to free (warnings may stand in diags); else *policy
 * is NULL: HVC_EFAULT (policy or diags NULL); HVC_EINVAL (errors in diags); HVC_EIO (cannot be read; said in diags);
 * HVC_ENOMEM.
 */
HVC_API enum hvc_err hvc_policy_load(const char *path, struct hvc_policy **policy,
				     struct hvc_diags *diags);
/* With every string and rule it gave out; images compiled of it stay. NULL is fine. */
HVC_API void hvc_policy_free(struct hvc_policy *policy);

/* The path it was loaded from; "(built-in)" for the built-in one. */
HVC_API const char *hvc_policy_path(const struct hvc_policy *policy);
/* "hvcgate-1@1". */
HVC_API const char *hvc_policy_profile(const struct hvc_policy *policy);
HVC_API const struct hvc_settings *hvc_policy_settings(const struct hvc_policy *policy);

/*
 * The n-th power state of `power-states`, shallowest first; NULL past the end. The engine knows `param` and `level`
 * (struct hvc_power_state); the times are for whoever describes the states to the guest (its device tree's idle
 * states), and are filled in where the file does not say them.
 */
struct hvc_policy_power_state {
	const char *name;      /* of the file, or made of level, type and param */
	uint32_t param;        /* power_state of CPU_SUSPEND */
	uint32_t level;        /* highest power level that goes down: 0 CPU, 1 cluster, ... */
	uint32_t entry_us;     /* entry-latency, microseconds */
	uint32_t exit_us;      /* exit-latency */
	uint32_t residency_us; /* min-residency, with the entry */
	bool down;             /* power-down: the CPU loses its state */
};
HVC_API const struct hvc_policy_power_state *hvc_policy_power_state(const struct hvc_policy *policy,
								    size_t n);

/* One rule, as written. */
#define HVC_RULE_NO_FEATURES (-1)
struct hvc_rule {
	unsigned int number; /* from 1, in order of precedence: parents' behind the child's */
	enum hvc_action action;
	const char *file;
	unsigned int line;
	const char *target;  /* as written: "PSCI_CPU_ON/64", "{owner: vendor-hyp}" */
	const char *handler; /* name of the handler of a forward, else NULL */
	int32_t features; /* what discovery says of a forward's functions, or HVC_RULE_NO_FEATURES */
	uint64_t claimed; /* IDs that it names, without reserved ones */
	uint64_t decided; /* those of them that no earlier rule takes */
};
HVC_API size_t hvc_policy_rule_count(const struct hvc_policy *policy);
HVC_API const struct hvc_rule *hvc_policy_rule(const struct hvc_policy *policy, size_t index);

/* What decides an ID before feature registers and services are asked, in this order: reserved
 * (action HVC_HANDLE); the first rule that matches it; a service that is off and has no feature
 * register (`service` names it, action HVC_DENY; to the engine that is the default's denial); the
 * default (rule NULL, service HVC_SERVICE_NONE). */
struct hvc_match {
	enum hvc_action action;
	bool reserved;
	uint8_t service; /* enum hvc_service_id */
	const struct hvc_rule *rule;
};
/* `id` after normalisation: at SMCCC 1.3 and later without the SVE hint. */
HVC_API struct hvc_match hvc_policy_match(const struct hvc_policy *policy, uint32_t id);

/* Does a rule (by index) name this ID, whether or not an earlier one takes it? */
HVC_API bool hvc_policy_rule_names(const struct hvc_policy *policy, size_t index, uint32_t id);

/* What settled a call, in words: "rule 3 at line 12", "revoked" (hvc_vm_tighten()), "reserved", "default: deny",
 * "service ff-a is off", "feature register STD_BMAP has bit 0 (trng) off", "service psci". Written into `text` as far
 * as `size` goes, NUL-terminated. Returns `text`. */
HVC_API const char *hvc_policy_why(const struct hvc_policy *policy,
				   const struct hvc_outcome *outcome, char *text, size_t size);

/* Why the engine does not answer a function of the catalogue under this policy's settings, rules aside, on a host that
 * has all there is: "feature register STD_BMAP has bit 0 (trng) off"; NULL if it does, or there is no such slot. */
HVC_API const char *hvc_policy_absent(const struct hvc_policy *policy, unsigned int slot);

/* Does it answer only where the host has a callback or memory for it (platform.h, struct hvc_vm_config)? False for what
 * is absent, and for what is always there. */
HVC_API bool hvc_policy_needs_host(const struct hvc_policy *policy, unsigned int slot);

/* Functions that may be denied while a guest runs (key `revocable`): HVC_FN_WORDS words, a bit a slot. */
HVC_API const uint64_t *hvc_policy_revocable(const struct hvc_policy *policy);

/* The flattened ranges [first, last], ascending, covering all 2^32 IDs: the compiler's input. */
struct hvc_span {
	uint32_t first, last;
	struct hvc_match match;
};
HVC_API size_t hvc_policy_span_count(const struct hvc_policy *policy);
HVC_API const struct hvc_span *hvc_policy_span(const struct hvc_policy *policy, size_t index);

/* Compile to an image, sealed, the caller's to free(); it does not need the policy any more. On an error *image is NULL:
 * HVC_ENOMEM; HVC_E2BIG above HVC_IMAGE_MAX_SIZE, naming the densest rules in diags. */
HVC_API enum hvc_err hvc_policy_compile(const struct hvc_policy *policy, struct hvc_image **image,
					struct hvc_diags *diags);

/* The effective policy as YAML with every default written out; its SHA-256 is the policy's digest,
 * which images, traces and saved state carry. */
HVC_API const char *hvc_policy_flat(const struct hvc_policy *policy);
HVC_API const uint8_t *hvc_policy_sha256(const struct hvc_policy *policy); /* 32 bytes */

#ifdef __cplusplus
}
#endif
#endif
