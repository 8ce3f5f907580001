/* SPDX-License-Identifier: BSD-2-Clause */
/* The ChaCha20 block function (RFC 8439, section 2). */
#include "chacha20.h"

static uint32_t load(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
	       (uint32_t)bytes[3] << 24;
}

static void store(uint8_t *bytes, uint32_t word)
{
	bytes[0] = (uint8_t)word;
	bytes[1] = (uint8_t)(word >> 8);
	bytes[2] = (uint8_t)(word >> 16);
	bytes[3] = (uint8_t)(word >> 24);
}

static uint32_t rotate(uint32_t word, unsigned int left)
{
	return word << left | word >> (32 - left);
}

static void quarter_round(uint32_t *s, unsigned int a, unsigned int b, unsigned int c,
			  unsigned int d)
{
	s[a] += s[b];
	s[d] = rotate(s[d] ^ s[a], 16);
	s[c] += s[d];
	s[b] = rotate(s[b] ^ s[c], 12);
	s[a] += s[b];
	s[d] = rotate(s[d] ^ s[a], 8);
	s[c] += s[d];
	s[b] = rotate(s[b] ^ s[c], 7);
}

void chacha20_block(const uint8_t key[32], uint32_t counter, const uint8_t nonce[12],
		    uint8_t out[64])
{
	uint32_t start[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
	uint32_t state[16];

	for (unsigned int i = 0; i < 8; i++) {
		start[4 + i] = load(key + 4 * i);
	}
	start[12] = counter;
	for (unsigned int i = 0; i < 3; i++) {
		start[13 + i] = load(nonce + 4 * i);
	}
	for (unsigned int i = 0; i < 16; i++) {
		state[i] = start[i];
	}
	for (unsigned int i = 0; i < 10; i++) {
		for (unsigned int column = 0; column < 4; column++) {
			quarter_round(state, column, 4 + column, 8 + column, 12 + column);
		}
		for (unsigned int d = 0; d < 4; d++) {
			quarter_round(state, d, 4 + (d + 1) % 4, 8 + (d + 2) % 4, 12 + (d + 3) % 4);
		}
	}
	for (unsigned int i = 0; i < 16; i++) {
		store(out + 4 * i, state[i] + start[i]);
	}
}
