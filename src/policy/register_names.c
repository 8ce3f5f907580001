/* SPDX-License-Identifier: BSD-2-Clause */
/* KVM's registers by name, as in records: system registers, feature registers, caches. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "moves.h"
#include "suggest.h"

#define SYSTEM 0x6030000000130000ull
#define CACHES 0x6020000000110000ull /* CCSIDR_EL1 by CSSELR_EL1, 32 bits */
#define LOW    0xffffull

#define ENCODING(op0, op1, crn, crm, op2) \
	((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))
static const struct {
	uint16_t encoding;
	const char *name;
} names[] = {
	/* KVM has these two the other way round (api.rst), so they stand before the table's. */
	{ENCODING(3, 3, 14, 3, 2), "CNTVCT_EL0"},
	{ENCODING(3, 3, 14, 0, 2), "CNTV_CVAL_EL0"},
#define SYSREG(op0, op1, crn, crm, op2, name) {ENCODING(op0, op1, crn, crm, op2), #name},
#include "../kvm/probe/sysregs.def"
#undef SYSREG
};

/* A number behind `before`, without leading zeroes; moves `text` behind it. */
static bool take_number(const char **text, const char *before, unsigned int most, uint64_t *number)
{
	const size_t length = strlen(before);
	const char *digits = *text + length;
	char *end;

	if (strncmp(*text, before, length) != 0 || digits[0] < '0' || digits[0] > '9' ||
	    (digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9')) {
		return false;
	}
	*number = strtoul(digits, &end, 10);
	*text = end;
	return *number <= most;
}

/* "S3_0_C9_C14_6" */
static bool by_encoding(const char *name, uint64_t *id)
{
	uint64_t op0, op1, crn, crm, op2;

	if (!take_number(&name, "S", 3, &op0) || !take_number(&name, "_", 7, &op1) ||
	    !take_number(&name, "_C", 15, &crn) || !take_number(&name, "_C", 15, &crm) ||
	    !take_number(&name, "_", 7, &op2)) {
		return false;
	}
	*id = SYSTEM | ENCODING(op0, op1, crn, crm, op2);
	return *name == '\0';
}

bool policy_register_id(const char *name, uint64_t *id)
{
	const char *text = name;
	uint64_t n;

	for (unsigned int reg = 0; reg < HVC_REG_COUNT; reg++) {
		if (strcmp(hvc_register_name(reg), name) == 0) {
			*id = abi_register_id(reg);
			return true;
		}
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i].name, name) == 0) {
			*id = SYSTEM | names[i].encoding;
			return true;
		}
	}
	if (take_number(&text, "CCSIDR_EL1[", 255, &n)) {
		*id = CACHES | n;
		return strcmp(text, "]") == 0;
	}
	return by_encoding(name, id);
}

const char *policy_register_name(uint64_t id, char *name, size_t size)
{
	const unsigned int low = (unsigned int)(id & LOW);

	for (unsigned int reg = 0; reg < HVC_REG_COUNT; reg++) {
		if (id == abi_register_id(reg)) {
			snprintf(name, size, "%s", hvc_register_name(reg));
			return name;
		}
	}
	for (size_t i = 0; (id & ~LOW) == SYSTEM && i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].encoding == low) {
			snprintf(name, size, "%s", names[i].name);
			return name;
		}
	}
	if ((id & ~LOW) == SYSTEM) {
		snprintf(name, size, "S%u_%u_C%u_C%u_%u", low >> 14 & 3, low >> 11 & 7,
			 low >> 7 & 15, low >> 3 & 15, low & 7);
	} else if ((id & ~LOW) == CACHES && low < 256) {
		snprintf(name, size, "CCSIDR_EL1[%u]", low);
	} else {
		snprintf(name, size, "0x%" PRIx64, id);
	}
	return name;
}

const char *suggest_machine_register(const char *wanted)
{
	struct suggestion suggestion;

	suggest_begin(&suggestion, wanted);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		suggest_try(&suggestion, names[i].name);
	}
	for (unsigned int reg = 0; reg < HVC_REG_COUNT; reg++) {
		suggest_try(&suggestion, hvc_register_name(reg));
	}
	return suggestion.best;
}
