/* SPDX-License-Identifier: BSD-2-Clause */
/* The ChaCha20 block function (RFC 8439, section 2). */
#include "chacha20.h"

static inline uint32_t rotate(uint32_t word, unsigned int left)
{
	return word << left | word >> (32 - left);
}

static inline void quarter_round(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
	*a += *b;
	*d = rotate(*d ^ *a, 16);
	*c += *d;
	*b = rotate(*b ^ *c, 12);
	*a += *b;
	*d = rotate(*d ^ *a, 8);
	*c += *d;
	*b = rotate(*b ^ *c, 7);
}

void chacha20_block(const uint32_t key[8], uint32_t counter, const uint32_t nonce[3],
		    uint32_t out[16])
{
	const uint32_t s[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574, key[0], key[1],
				key[2],     key[3],     key[4],     key[5],     key[6], key[7],
				counter,    nonce[0],   nonce[1],   nonce[2]};
	/* Sixteen variables, so that they stay in registers. */
	uint32_t a0 = s[0], a1 = s[1], a2 = s[2], a3 = s[3];
	uint32_t b0 = s[4], b1 = s[5], b2 = s[6], b3 = s[7];
	uint32_t c0 = s[8], c1 = s[9], c2 = s[10], c3 = s[11];
	uint32_t d0 = s[12], d1 = s[13], d2 = s[14], d3 = s[15];

	for (unsigned int i = 0; i < 10; i++) {
		quarter_round(&a0, &b0, &c0, &d0);
		quarter_round(&a1, &b1, &c1, &d1);
		quarter_round(&a2, &b2, &c2, &d2);
		quarter_round(&a3, &b3, &c3, &d3);
		quarter_round(&a0, &b1, &c2, &d3);
		quarter_round(&a1, &b2, &c3, &d0);
		quarter_round(&a2, &b3, &c0, &d1);
		quarter_round(&a3, &b0, &c1, &d2);
	}
	out[0] = a0 + s[0];
	out[1] = a1 + s[1];
	out[2] = a2 + s[2];
	out[3] = a3 + s[3];
	out[4] = b0 + s[4];
	out[5] = b1 + s[5];
	out[6] = b2 + s[6];
	out[7] = b3 + s[7];
	out[8] = c0 + s[8];
	out[9] = c1 + s[9];
	out[10] = c2 + s[10];
	out[11] = c3 + s[11];
	out[12] = d0 + s[12];
	out[13] = d1 + s[13];
	out[14] = d2 + s[14];
	out[15] = d3 + s[15];
}
