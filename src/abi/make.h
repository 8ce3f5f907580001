/* SPDX-License-Identifier: BSD-2-Clause */
/* Making a profile of records. */
#ifndef HVCGATE_ABI_MAKE_H
#define HVCGATE_ABI_MAKE_H

#include "abi.h"

struct make {
	const char *name; /* "linux-6.12" */
	int revision;
	json_t *const *records; /* checked (abi_record_load); at least one, all of that series */
	size_t count;
	json_t *made_from; /* the profile's member of that name */
	char *why;
	size_t size;
};

/* The profile, or NULL and make->why says why not. json_decref() it. */
json_t *abi_profile_make(struct make *make);

#endif
