/* SPDX-License-Identifier: BSD-2-Clause */
/* The checksum of images and of saved VMs. */
#include "saved.h"

uint32_t crc32_of(const void *data, size_t n)
{
	const uint8_t *bytes = data;
	uint32_t crc = 0xffffffffu;

	for (size_t i = 0; i < n; i++) {
		crc ^= bytes[i];
		for (unsigned int bit = 0; bit < 8; bit++) {
			crc = crc >> 1 ^ (0xedb88320u & (0u - (crc & 1u)));
		}
	}
	return ~crc;
}
