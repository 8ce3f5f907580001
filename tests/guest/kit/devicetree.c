/* SPDX-License-Identifier: BSD-2-Clause */
/* Properties of the device tree (Devicetree Specification 0.4, chapter 5). */
#include "kit.h"

#define FDT_MAGIC      0xd00dfeedu
#define FDT_BEGIN_NODE 1u
#define FDT_END_NODE   2u
#define FDT_PROP       3u
#define FDT_NOP        4u

static uint32_t be32(uint64_t address)
{
	return __builtin_bswap32(*(const volatile uint32_t *)address);
}

static bool same(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

const void *kit_property(const char *name, unsigned int *bytes)
{
	uint64_t tree = kit_device_tree, at, strings;

	if (tree == 0 || be32(tree) != FDT_MAGIC) {
		return NULL;
	}
	at = tree + be32(tree + 8);
	strings = tree + be32(tree + 12);
	for (;;) {
		uint32_t token = be32(at);

		at += 4;
		if (token == FDT_BEGIN_NODE) {
			while (*(const char *)at != '\0') {
				at++;
			}
			at = (at + 4) & ~3ull;
		} else if (token == FDT_PROP) {
			uint32_t length = be32(at);

			if (same((const char *)(strings + be32(at + 4)), name)) {
				*bytes = length;
				return (const void *)(at + 8);
			}
			at = (at + 8 + length + 3) & ~3ull;
		} else if (token != FDT_END_NODE && token != FDT_NOP) {
			return NULL;
		}
	}
}

const char *kit_bootargs(void)
{
	unsigned int bytes;
	const char *arguments = kit_property("bootargs", &bytes);

	return arguments != NULL ? arguments : "";
}

static uint64_t number(const char *at)
{
	unsigned int base = 10;
	uint64_t value = 0;

	if (at[0] == '0' && at[1] == 'x') {
		base = 16;
		at += 2;
	}
	for (;; at++) {
		unsigned int digit;

		if (*at >= '0' && *at <= '9') {
			digit = (unsigned int)(*at - '0');
		} else if (*at >= 'a' && *at <= 'f') {
			digit = (unsigned int)(*at - 'a') + 10;
		} else {
			return value;
		}
		if (digit >= base) {
			return value;
		}
		value = value * base + digit;
	}
}

uint64_t kit_option(const char *name, uint64_t otherwise)
{
	const char *at = kit_bootargs();

	while (*at != '\0') {
		const char *want = name;

		while (*want != '\0' && *at == *want) {
			at++;
			want++;
		}
		if (*want == '\0' && *at == '=') {
			return number(at + 1);
		}
		while (*at != '\0' && *at != ' ') {
			at++;
		}
		while (*at == ' ') {
			at++;
		}
	}
	return otherwise;
}
