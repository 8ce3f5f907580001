/* SPDX-License-Identifier: BSD-2-Clause */
/* registers.def, asked. */
#include <string.h>

#include "compat.h"

static const struct compat_class_row rows[] = {
#define CLASS(pattern, class, gate, shift, reason, lost) \
	{pattern, COMPAT_##class, gate, shift, reason, lost},
#include "registers.def"
#undef CLASS
};

static const struct {
	const char *pattern;
	uint32_t series;
	unsigned int least, most;
} takes[] = {
#define TAKES(pattern, major, minor, least, most) {pattern, HVC_VERSION(major, minor), least, most},
#include "registers.def"
#undef TAKES
};

static const struct {
	const char *vmm, *name;
} tolerated[] = {
#define TOLERATES(vmm, name) {vmm, name},
#include "registers.def"
#undef TOLERATES
};

static const char *const vmms[] = {"qemu-7.2", "qemu-10.0", "qemu-11.1", NULL};

static bool fits(const char *pattern, const char *name)
{
	size_t length = strcspn(pattern, "*");

	return strncmp(pattern, name, length) == 0 &&
	       (pattern[length] == '*' || name[length] == '\0');
}

/* The last row fits everything. */
const struct compat_class_row *compat_class(const char *name)
{
	const struct compat_class_row *row = rows;

	while (!fits(row->pattern, name)) {
		row++;
	}
	return row;
}

const char *compat_class_name(enum compat_class class)
{
	static const char *const names[] = {"equal", "assertion", "gated",
					    "pin",   "mutable",   "identity"};

	return names[class];
}

const char *compat_need_name(enum compat_need need)
{
	static const char *const names[] = {"nothing", "exec at the destination only",
					    "source started under exec", "impossible"};

	return names[need];
}

const char *compat_vmm(size_t n)
{
	return n < sizeof(vmms) / sizeof(vmms[0]) ? vmms[n] : NULL;
}

bool compat_vmm_known(const char *name)
{
	for (size_t n = 0; vmms[n] != NULL; n++) {
		if (strcmp(vmms[n], name) == 0) {
			return true;
		}
	}
	return false;
}

bool compat_tolerates(const char *vmm, const struct compat_register *reg)
{
	for (size_t i = 0; i < sizeof(tolerated) / sizeof(tolerated[0]); i++) {
		if (strcmp(tolerated[i].vmm, vmm) == 0 &&
		    strcmp(tolerated[i].name, reg->name) == 0) {
			return !reg->firmware || reg->value == 0;
		}
	}
	return false;
}

/* No field of 4 bits is greater than the kernel's own. */
static bool lower(uint64_t value, uint64_t own)
{
	for (unsigned int shift = 0; shift < 64; shift += 4) {
		if ((value >> shift & 15) > (own >> shift & 15)) {
			return false;
		}
	}
	return true;
}

bool compat_takes(uint32_t series, const struct compat_register *from, uint64_t own)
{
	for (size_t i = 0; i < sizeof(takes) / sizeof(takes[0]); i++) {
		uint64_t mask = UINT64_MAX >> (63 - takes[i].most) >> takes[i].least
									      << takes[i].least;

		if (series < takes[i].series || !fits(takes[i].pattern, from->name)) {
			continue;
		}
		if (mask == UINT64_MAX ||
		    (((from->value ^ own) & ~mask) == 0 && lower(from->value, own))) {
			return true;
		}
	}
	return false;
}
