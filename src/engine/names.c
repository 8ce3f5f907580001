/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of the engine's words, for traces and messages. */
#include <hvcgate/call.h>
#include <hvcgate/err.h>
#include <hvcgate/image.h>
#include <hvcgate/save.h>

#include "env.h"

#define NAME_OF(table, value)                                                                    \
	((size_t)(value) < sizeof(table) / sizeof((table)[0]) && (table)[value] ? (table)[value] \
										: "?")

const char *hvc_verdict_name(enum hvc_verdict verdict)
{
	static const char *const names[HVC_VERDICT_COUNT] = {
		[HVC_RESUME] = "resume",
		[HVC_CPU_STANDBY] = "cpu-standby",
		[HVC_CPU_POWERDOWN] = "cpu-powerdown",
		[HVC_CPU_OFF] = "cpu-off",
		[HVC_SYSTEM_OFF] = "system-off",
		[HVC_SYSTEM_RESET] = "system-reset",
		[HVC_SYSTEM_SUSPEND] = "system-suspend",
		[HVC_FORWARDED] = "forwarded",
		[HVC_CPU_FREEZE] = "cpu-freeze",
		[HVC_EVENTS_FULL] = "events-full",
	};

	return NAME_OF(names, verdict);
}

const char *hvc_action_name(enum hvc_action action)
{
	static const char *const names[] = {"handle", "deny", "forward", "notify"};

	return NAME_OF(names, action);
}

const char *hvc_decider_name(enum hvc_decider decider)
{
	static const char *const names[HVC_DECIDER_COUNT] = {
		[HVC_BY_CONVENTION] = "convention",
		[HVC_BY_RESERVED] = "reserved",
		[HVC_BY_RULE] = "rule",
		[HVC_BY_DEFAULT] = "default",
		[HVC_BY_FEATURE] = "feature",
		[HVC_BY_SERVICE] = "service",
		[HVC_BY_UNKNOWN] = "unknown",
	};

	return NAME_OF(names, decider);
}

const char *hvc_quirk_name(uint32_t quirk)
{
	static const char *const names[] = {
		"zero-x1-x3",        "hvc-any-immediate",   "smc-unknown",
		"any-entry",         "on-at-once",          "suspend-waits",
		"suspend-unchecked", "psci-version-open",   "trng-zero-bits",
		"arch-features-few", "workaround-hvc-only", "reply-any",
		"filter-empty-at-0", "mpidr-masked",        "trng-features-64",
		"trng-kvm-uuid",
	};
	_Static_assert(1u << sizeof(names) / sizeof(names[0]) == HVC_QUIRK_END,
		       "a name for each quirk");

	for (unsigned int bit = 0; bit < sizeof(names) / sizeof(names[0]); bit++) {
		if (quirk == 1u << bit) {
			return names[bit];
		}
	}
	return NULL;
}

const char *hvc_missing_name(enum hvc_missing missing)
{
	static const char *const names[HVC_MISSING_COUNT] = {
		[HVC_MISSING_NOTHING] = "nothing is missing",
		[HVC_MISSING_FORMAT] = "it was written by a later version",
		[HVC_MISSING_POLICY] = "the policy is another one",
		[HVC_MISSING_VCPUS] = "the number of vCPUs is another one",
		[HVC_MISSING_VCPU] = "a vCPU has another affinity",
		[HVC_MISSING_REGISTER] = "a feature register is not here",
		[HVC_MISSING_VALUE] = "a feature register cannot have its value",
		[HVC_MISSING_FILTER] = "the filter memory is too small",
		[HVC_MISSING_STATS] = "there is no memory for statistics",
		[HVC_MISSING_EVENTS] = "there is no memory for events",
		[HVC_MISSING_FORWARD] = "there is no memory for forwarded calls",
		[HVC_MISSING_SHARE] =
			"there is no memory for what is shared, or the RAM is another",
		[HVC_MISSING_STOLEN] = "there is no stolen time, or its record is elsewhere",
		[HVC_MISSING_SECTION] = "a later version's section must be understood",
		[HVC_MISSING_FUNCTION] = "a function is absent here",
	};

	return NAME_OF(names, missing);
}

const char *hvc_err_name(enum hvc_err err)
{
	switch (err) {
	case HVC_OK:
		return "OK";
	case HVC_EPERM:
		return "EPERM";
	case HVC_ENOENT:
		return "ENOENT";
	case HVC_EIO:
		return "EIO";
	case HVC_ENXIO:
		return "ENXIO";
	case HVC_ENOEXEC:
		return "ENOEXEC";
	case HVC_E2BIG:
		return "E2BIG";
	case HVC_ENOMEM:
		return "ENOMEM";
	case HVC_EFAULT:
		return "EFAULT";
	case HVC_EBUSY:
		return "EBUSY";
	case HVC_EEXIST:
		return "EEXIST";
	case HVC_EINVAL:
		return "EINVAL";
	case HVC_EBADMSG:
		return "EBADMSG";
	case HVC_ENOTSUP:
		return "ENOTSUP";
	case HVC_ECANCELED:
		return "ECANCELED";
	}
	return "E?";
}
