/* SPDX-License-Identifier: BSD-2-Clause */
/* The key `allow`: what of a policy a host may be unable to enforce, and the policy runs there all the same. */
#ifndef HVCGATE_POLICY_ALLOW_H
#define HVCGATE_POLICY_ALLOW_H

#include <hvcgate/policy.h>

/* One bit each of a set; append only, names are in allow.c. */
enum pol_allow {
	ALLOW_SMCCC = 0,     /* another version of SMCCC than the policy's */
	ALLOW_ARCH_FEATURES, /* discovery of what has a rule that ARCH_FEATURES does not know of */
	ALLOW_WORKAROUNDS,   /* workarounds of another level, or not by every conduit */
	ALLOW_SOC_ID,        /* no SOC_ID, or none of its name */
	ALLOW_ARCH_CALLS,    /* no other architecture call that the policy has */
	ALLOW_SMC,           /* no SMC answers anything */
	ALLOW_NO_FILTER,     /* rules that no feature register stands for */
	ALLOW_COUNT
};

/* "smccc", ...; NULL if out of range. */
const char *policy_allow_name(unsigned int allow);
/* May it go without? */
bool policy_allows(const struct hvc_policy *policy, unsigned int allow);

/* Does a file of the policy say this feature register's value (one that is no bitmap)? Else it is the profile's, which
 * is no statement about what the host determines. */
bool policy_says_register(const struct hvc_policy *policy, unsigned int reg);

/* The bits of a register that is a bitmap that functions of the catalogue hang on. */
uint64_t policy_register_bits(unsigned int reg);

#endif
