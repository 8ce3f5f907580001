/* SPDX-License-Identifier: BSD-2-Clause */
/* libFuzzer: a packet of a handler, or of who says to be one. What is taken has one form. */
#include <stdlib.h>
#include <string.h>

#include <hvcgate/handler.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hvc_handler_message message;
	uint8_t again[HVC_HANDLER_MAX];

	if (hvc_handler_decode(data, size, &message) == HVC_OK &&
	    (hvc_handler_encode(&message, again) != size || memcmp(again, data, size) != 0)) {
		abort();
	}
	return 0;
}
