/* SPDX-License-Identifier: BSD-2-Clause */
/* SHA-256 (FIPS 180-4). Own, because libcrypto for one digest of a few KiB is the larger burden. */
#ifndef HVCGATE_ABI_SHA256_H
#define HVCGATE_ABI_SHA256_H

#include <stddef.h>
#include <stdint.h>

void sha256(const void *data, size_t bytes, uint8_t digest[32]);

#endif
