/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HVCGATE_EL2_CHACHA20_H
#define HVCGATE_EL2_CHACHA20_H

#include <stdint.h>

/* One block of key stream (RFC 8439, section 2.3), in words as the RFC counts them: little-endian. `out` is
 * neither key nor nonce. Nothing of the key is left on the stack. */
void chacha20_block(const uint32_t key[8], uint32_t counter, const uint32_t nonce[3],
		    uint32_t out[16]);

#endif
