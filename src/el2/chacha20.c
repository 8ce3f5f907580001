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
	/* Sixteen variables and no array of the first state: the work stays in registers, and no copy of the
	 * key on the stack. */
	uint32_t a0 = 0x61707865, a1 = 0x3320646e, a2 = 0x79622d32, a3 = 0x6b206574;
	uint32_t b0 = key[0], b1 = key[1], b2 = key[2], b3 = key[3];
	uint32_t c0 = key[4], c1 = key[5], c2 = key[6], c3 = key[7];
	uint32_t d0 = counter, d1 = nonce[0], d2 = nonce[1], d3 = nonce[2];

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
	out[0] = a0 + 0x61707865;
	out[1] = a1 + 0x3320646e;
	out[2] = a2 + 0x79622d32;
	out[3] = a3 + 0x6b206574;
	out[4] = b0 + key[0];
	out[5] = b1 + key[1];
	out[6] = b2 + key[2];
	out[7] = b3 + key[3];
	out[8] = c0 + key[4];
	out[9] = c1 + key[5];
	out[10] = c2 + key[6];
	out[11] = c3 + key[7];
	out[12] = d0 + counter;
	out[13] = d1 + nonce[0];
	out[14] = d2 + nonce[1];
	out[15] = d3 + nonce[2];
}
