/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HVCGATE_EL2_CHACHA20_H
#define HVCGATE_EL2_CHACHA20_H

#include <stdint.h>

/* One 64-byte block of key stream (RFC 8439, section 2.3). */
void chacha20_block(const uint8_t key[32], uint32_t counter, const uint8_t nonce[12],
		    uint8_t out[64]);

#endif
