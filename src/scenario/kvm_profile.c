/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "kvm_profile.h"

const struct abi_profile *kvm_profile_of(const char *release)
{
	const struct abi_profile *found = NULL;
	unsigned long best = 0;
	char *end;
	const unsigned long major = strtoul(release, &end, 10);
	const unsigned long minor = *end == '.' ? strtoul(end + 1, NULL, 10) : 0;

	for (size_t n = 0; abi_profile_at(n) != NULL; n++) {
		const char *name = abi_profile_name(abi_profile_at(n));

		if (strncmp(name, "linux-", 6) != 0) {
			continue;
		}
		const unsigned long its_major = strtoul(name + 6, &end, 10);
		const unsigned long its_minor = *end == '.' ? strtoul(end + 1, NULL, 10) : 0;
		const unsigned long order = its_major * 1000 + its_minor;

		if (order <= major * 1000 + minor && order >= best) {
			best = order;
			found = abi_profile_at(
				n); /* of one kernel's revisions the last is the newest */
		}
	}
	return found;
}
