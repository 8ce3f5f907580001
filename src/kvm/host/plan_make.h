/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Plans as bytes, made: on any machine from a policy and what is known of a host, or on the host itself
 * (hvc_kvm_plan_bytes() of hvcgate/kvm.h). Hosted: libraries for YAML and JSON.
 */
#ifndef HVCGATE_KVM_PLAN_MAKE_H
#define HVCGATE_KVM_PLAN_MAKE_H

#include "compat.h"
#include "plan.h"

/*
 * Plan `policy` for `host`. `from`, which may be NULL: guests arrive that began on such a host without hvcgate; `host` is a
 * record then. *bytes is malloc()ed. HVC_OK, and `why` has notes, if any, a line each. HVC_EINVAL (no kernel's
 * profile, the guests cannot come here, no record of this host), HVC_EPERM (refused: the policy cannot be enforced and does
 * not allow that), HVC_E2BIG, HVC_ENOMEM: `why` has lines to print, each ends in a newline but the last.
 */
enum hvc_err plan_bytes_make(const struct hvc_policy *policy, const struct hvc_plan_host *host,
			     const struct compat_host *from, void **bytes, size_t *size, char *why,
			     size_t why_size);

/* The same, of a plan that was made and its image; it may be a refused one. */
struct plan_parts {
	const struct hvc_policy *policy;
	const struct hvc_plan *plan;
	const struct hvc_image *image;
	const struct plan_view *views; /* ascending */
	size_t view_count;
};
enum hvc_err plan_bytes_pack(const struct plan_parts *parts, void **bytes, size_t *size);

/* A host's profile by what was measured of it (kvm_probe_registers()): by its kernel's series if that fits, else the
 * newest that does; *fits is false if none does. NULL: no profile is that old. */
const struct abi_profile *plan_profile_of(const json_t *record, bool *fits);

#endif
