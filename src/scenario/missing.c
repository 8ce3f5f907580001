/* SPDX-License-Identifier: BSD-2-Clause */
/* Until records are read by src/abi: weak, so that those take their place. */
#include "scenario.h"

#define WEAK __attribute__((weak))

json_t *WEAK abi_record_load(const char *path, char *why, size_t size)
{
	(void)path;
	snprintf(why, size, "records are not in this build");
	return NULL;
}

void WEAK abi_record_apply(const json_t *record, struct hvc_settings *settings)
{
	(void)record;
	(void)settings;
}

const struct abi_profile *WEAK abi_record_profile(const json_t *record)
{
	(void)record;
	return NULL;
}
