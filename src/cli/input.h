/* SPDX-License-Identifier: BSD-2-Clause */
/* What people write on the command line for a function or an ID. */
#ifndef HVCGATE_CLI_INPUT_H
#define HVCGATE_CLI_INPUT_H

#include <stdbool.h>
#include <stdint.h>

enum input_kind { INPUT_FUNCTION, INPUT_ID, INPUT_RANGE, INPUT_SERVICE, INPUT_OWNER };

struct input {
	enum input_kind kind;
	unsigned int slot;    /* of a function */
	unsigned int width;   /* 32 or 64 if it was said, else 0 */
	uint32_t first, last; /* ID twice, range, service twice, owners */
};

/* PSCI_CPU_ON, PSCI_CPU_ON/64, 0x84000003, 0x84000000-0x8400001f, psci, vendor-hyp. False: said on standard
 * error, with what may have been meant. */
bool input_parse(const char *text, struct input *input);
/* A register's content: decimal or 0x hex. */
bool input_number(const char *text, uint64_t *value);

#endif
