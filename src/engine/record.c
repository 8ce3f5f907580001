/* SPDX-License-Identifier: BSD-2-Clause */
#include <hvcgate/trace.h>

#include "env.h"

_Static_assert(sizeof(struct hvc_record) == 128, "trace record is a wire format");
_Static_assert(sizeof(struct hvc_ring) == 128, "ring head is a wire format");

enum {
	RECORD_IN = sizeof(((struct hvc_record *)0)->in) / sizeof(uint64_t),
	RECORD_OUT = sizeof(((struct hvc_record *)0)->out) / sizeof(uint64_t)
};

void hvc_record_trim(struct hvc_record *record)
{
	const struct hvc_function *function = hvc_function_at(record->fn);
	uint32_t results;

	if (function == NULL) {
		return;
	}
	for (unsigned int n = hvc_function_arg_count(function, record->id) + 1; n < RECORD_IN;
	     n++) {
		record->in[n] = 0;
	}
	results = function->flags & HVC_FLAG_SECRET ? HVC_X0
						    : hvc_function_results(function, record->id);
	for (unsigned int n = 0; n < RECORD_OUT; n++) {
		if (!(results >> n & 1)) {
			record->out[n] = 0;
		}
	}
}
