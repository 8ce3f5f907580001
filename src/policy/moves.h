/* SPDX-License-Identifier: BSD-2-Clause */
/* The keys about guests that move between hosts of KVM: `travel`, `hide`, `lose`; and registers by name. */
#ifndef HVCGATE_POLICY_MOVES_H
#define HVCGATE_POLICY_MOVES_H

#include <hvcgate/policy.h>

/* Do digest and state go with the guest? */
enum policy_travel { POLICY_TRAVEL_UNSAID = 0, POLICY_TRAVEL_YES, POLICY_TRAVEL_NO };
enum policy_travel policy_travel(const struct hvc_policy *policy);

/* What the VMM is not shown, `hide` and `lose` together: KVM's IDs, ascending. */
#define POLICY_HIDDEN 64u
const uint64_t *policy_hidden(const struct hvc_policy *policy, size_t *count);
/* Is it in `lose`? */
bool policy_loses(const struct hvc_policy *policy, uint64_t id);

/* "PMMIR_EL1" and so on, as in records (docs/records.md), to KVM's ID of 64 bits. False: there is none. */
bool policy_register_id(const char *name, uint64_t *id);
/* The other way; of one without a name its encoding, "S3_0_C9_C14_6", or "0x...". Returns `name`. */
const char *policy_register_name(uint64_t id, char *name, size_t size);

#endif
