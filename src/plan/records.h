/* SPDX-License-Identifier: BSD-2-Clause */
/* The records that are built in (records_c.py), ending in NULL: oldest kernel first. */
#ifndef HVCGATE_COMPAT_RECORDS_H
#define HVCGATE_COMPAT_RECORDS_H

#include <stddef.h>

struct compat_record {
	const char *name, *json;
};
extern const struct compat_record compat_records[];

#endif
