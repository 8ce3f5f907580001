/* SPDX-License-Identifier: BSD-2-Clause */
/* Images: making one, and refusing what is not one. */
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "lookup.h"
#include "world.h"

enum { NODE_BYTES = LOOKUP_WIDTH * sizeof(uint16_t) };

static struct hvc_image *small_image(void)
{
	static const struct paint rules[] = {{0x84000003u, 0x84000003u, HVC_DENY}};
	const struct world_setup setup = {.rules = rules, .rule_count = 1};

	return world_image(&setup, NULL);
}

static void test_begin(void **state)
{
	size_t bytes = hvc_image_min_size();
	struct hvc_settings settings;
	uint8_t *memory = malloc(bytes + 8);

	(void)state;
	assert_non_null(memory);
	hvc_settings_init(&settings);
	assert_int_equal(hvc_image_begin(NULL, bytes, &settings), HVC_EFAULT);
	assert_int_equal(hvc_image_begin(memory, bytes, NULL), HVC_EFAULT);
	for (size_t off = 1; off < 8; off++) {
		assert_int_equal(hvc_image_begin(memory + off, bytes, &settings), HVC_EFAULT);
	}
	assert_int_equal(hvc_image_begin(memory, bytes - 1, &settings), HVC_ENOMEM);
	assert_int_equal(hvc_image_begin(memory, 0, &settings), HVC_ENOMEM);
	assert_int_equal(hvc_image_begin(memory, bytes, &settings), HVC_OK);
	hvc_image_seal((struct hvc_image *)memory);
	assert_int_equal(hvc_image_check(memory, bytes), HVC_OK);
	print_message("an image without rules: %u bytes of %zu\n",
		      ((struct hvc_image *)memory)->bytes, bytes);
	free(memory);
}

_Static_assert(HVC_FN_COUNT % 64 != 0,
	       "test_settings: the first bit that is none lies in the last word");

/* As settings of an image to begin, and when somebody writes them into a finished image. */
static enum hvc_err both_ways(const struct hvc_settings *settings)
{
	size_t bytes = hvc_image_min_size();
	struct hvc_image *image = malloc(bytes);
	struct hvc_settings good;
	enum hvc_err err;

	assert_non_null(image);
	hvc_settings_init(&good);
	assert_int_equal(hvc_image_begin(image, bytes, &good), HVC_OK);
	image->settings = *settings;
	hvc_image_seal(image);
	err = hvc_image_check(image, image->bytes);
	assert_int_equal(hvc_image_begin(image, bytes, settings),
			 err == HVC_OK ? HVC_OK : HVC_EINVAL);
	assert_true(err == HVC_OK || err == HVC_EBADMSG);
	free(image);
	return err;
}

/* Each setting just outside of what is legal. */
#define REFUSED(field, value)                                   \
	do {                                                    \
		bad = good;                                     \
		bad.field = (value);                            \
		assert_int_equal(both_ways(&bad), HVC_EBADMSG); \
	} while (0)
#define TAKEN(field, value)                                \
	do {                                               \
		bad = good;                                \
		bad.field = (value);                       \
		assert_int_equal(both_ways(&bad), HVC_OK); \
	} while (0)

static void test_settings(void **state)
{
	struct hvc_settings good, bad;

	(void)state;
	hvc_settings_init(&good);

	REFUSED(size, sizeof(good) - 1);
	REFUSED(size, 0);
	REFUSED(smccc_version, 0);
	REFUSED(smccc_version, HVC_VERSION(0, 9));
	TAKEN(smccc_version, HVC_VERSION(1, 0));
	TAKEN(smccc_version, HVC_VERSION(1, 7));
	REFUSED(smccc_version, HVC_VERSION(1, 8));
	REFUSED(smccc_version, HVC_VERSION(2, 0));
	TAKEN(strictness, HVC_STRICT_KVM);
	REFUSED(strictness, 2);
	TAKEN(discovery, HVC_DISCOVERY_RAW);
	REFUSED(discovery, 2);
	REFUSED(regs[HVC_REG_PSCI_VERSION], HVC_VERSION(0, 1));
	TAKEN(regs[HVC_REG_PSCI_VERSION], HVC_VERSION(0, 2));
	REFUSED(regs[HVC_REG_PSCI_VERSION], HVC_VERSION(0, 3));
	TAKEN(regs[HVC_REG_PSCI_VERSION], HVC_VERSION(1, 0));
	TAKEN(regs[HVC_REG_PSCI_VERSION], HVC_VERSION(1, 3));
	REFUSED(regs[HVC_REG_PSCI_VERSION], HVC_VERSION(1, 4));
	REFUSED(regs[HVC_REG_PSCI_VERSION], 1ull << 32 | HVC_VERSION(1, 1));
	TAKEN(regs[HVC_REG_WORKAROUND_1], 2);
	REFUSED(regs[HVC_REG_WORKAROUND_1], 3);
	REFUSED(regs[HVC_REG_WORKAROUND_2], 1);
	REFUSED(regs[HVC_REG_WORKAROUND_2], 2);
	TAKEN(regs[HVC_REG_WORKAROUND_2], 3);
	REFUSED(regs[HVC_REG_WORKAROUND_2], 4);
	REFUSED(regs[HVC_REG_WORKAROUND_3], 3);
	TAKEN(regs[HVC_REG_STD_BMAP], 0);
	REFUSED(regs[HVC_REG_STD_BMAP], 2);
	REFUSED(regs[HVC_REG_STD_HYP_BMAP], 2);
	REFUSED(regs[HVC_REG_VENDOR_HYP_BMAP], 4);
	REFUSED(regs[HVC_REG_VENDOR_HYP_BMAP_2], 1ull << 63);
	TAKEN(workaround_4, 2);
	REFUSED(workaround_4, 3);
	REFUSED(soc_id_present, 2);
	TAKEN(soc_version, 0x7fffffffu);
	REFUSED(soc_version, 0x80000000u); /* would read as an error */
	REFUSED(soc_revision, 0x80000000u);
	REFUSED(vendor_uid_present, 2);
	REFUSED(system_suspend, 2);
}

static void test_profile(void **state)
{
	struct hvc_settings good, bad;

	(void)state;
	hvc_settings_init(&good);
	TAKEN(quirks, HVC_QUIRK_END - 1);
	REFUSED(quirks, HVC_QUIRK_END);
	REFUSED(quirks, 1u << 31);
	REFUSED(filter, 2);
	TAKEN(filter, 0);
	/* Registers: how many, which bits, which PSCI versions. */
	REFUSED(reg_count, 0);
	REFUSED(reg_count, HVC_REG_COUNT + 1);
	REFUSED(reg_count, HVC_REG_COUNT - 1); /* BMAP_2's default is not nothing */
	REFUSED(reg_mask[HVC_REG_PSCI_VERSION], 1);
	REFUSED(reg_mask[HVC_REG_WORKAROUND_2], 1);
	REFUSED(reg_mask[HVC_REG_STD_BMAP], 3);
	REFUSED(reg_mask[HVC_REG_STD_BMAP], 0); /* its value is beyond */
	REFUSED(reg_mask[HVC_REG_VENDOR_HYP_BMAP_2], 1);
	REFUSED(psci_versions, 0);
	REFUSED(psci_versions, HVC_PSCI_BIT(HVC_VERSION(1, 1)) << 3 | 31u);
	REFUSED(psci_versions, 31u ^ HVC_PSCI_BIT(HVC_VERSION(1, 1)));
	TAKEN(psci_versions, HVC_PSCI_BIT(HVC_VERSION(1, 1)));
	REFUSED(functions[0], good.functions[0] | 1);
	REFUSED(functions[HVC_FN_WORDS - 1],
		good.functions[HVC_FN_WORDS - 1] | 1ull << HVC_FN_COUNT % 64);
	REFUSED(functions[HVC_FN_WORDS - 1], good.functions[HVC_FN_WORDS - 1] | 1ull << 63);
	TAKEN(functions[0], 0);
	/* Registers there are not mean nothing of it: a bitmap 0, a level 0. */
	good.regs[HVC_REG_VENDOR_HYP_BMAP_2] = 0;
	TAKEN(reg_count, 7);
	REFUSED(reg_count, 6);
	good.regs[HVC_REG_VENDOR_HYP_BMAP] = good.regs[HVC_REG_STD_HYP_BMAP] = 0;
	good.regs[HVC_REG_STD_BMAP] = 0;
	good.reg_count = 3;
	TAKEN(regs[HVC_REG_WORKAROUND_2], 3);
	REFUSED(regs[HVC_REG_WORKAROUND_3], 1);
	TAKEN(reg_count, 1);
}
#undef REFUSED
#undef TAKEN

static void test_paint(void **state)
{
	struct hvc_settings settings;
	size_t bytes = hvc_image_min_size() + 2 * NODE_BYTES;
	struct hvc_image *image = malloc(bytes), *before = malloc(bytes);
	size_t full;

	(void)state;
	assert_non_null(image);
	assert_non_null(before);
	hvc_settings_init(&settings);
	assert_int_equal(hvc_image_begin(image, bytes, &settings), HVC_OK);
	assert_int_equal(hvc_image_paint(image, bytes, 2, 1, HVC_DENY, true), HVC_EINVAL);
	assert_int_equal(hvc_image_paint(image, bytes, 1, 2, (enum hvc_action)4, true), HVC_EINVAL);
	assert_int_equal(hvc_image_paint(image, bytes, 1, 2, (enum hvc_action) - 1, true),
			 HVC_EINVAL);
	assert_int_equal(hvc_image_paint(image, bytes, 0, UINT32_MAX, HVC_DENY, false), HVC_OK);
	/* Memory to the last node: no more, no less, and a failure changes nothing. */
	full = image->bytes + 3 * NODE_BYTES;
	memcpy(before, image, image->bytes);
	assert_int_equal(hvc_image_paint(image, full - 1, 0x12345678u, 0x12345678u, HVC_HANDLE,
					 true),
			 HVC_ENOMEM);
	assert_int_equal(hvc_image_paint(image, 0, 0x12345678u, 0x12345678u, HVC_HANDLE, true),
			 HVC_ENOMEM);
	assert_int_equal(hvc_image_paint(image, image->bytes - 1, 0x12345678u, 0x12345678u,
					 HVC_HANDLE, true),
			 HVC_ENOMEM);
	assert_memory_equal(before, image, before->bytes);
	assert_int_equal(hvc_image_paint(image, full, 0x12345678u, 0x12345678u, HVC_HANDLE, true),
			 HVC_OK);
	assert_int_equal(image->bytes, full);
	/* Full: what takes no memory still works. */
	assert_int_equal(hvc_image_paint(image, full, 0x12345677u, 0x12345677u, HVC_HANDLE, true),
			 HVC_OK);
	hvc_image_seal(image);
	assert_int_equal(hvc_image_check(image, image->bytes), HVC_OK);
	free(before);
	free(image);
}

static void test_truncated(void **state)
{
	struct hvc_image *image = small_image();
	uint32_t whole = image->bytes;

	(void)state;
	assert_int_equal(hvc_image_check(image, whole), HVC_OK);
	assert_int_equal(hvc_image_check(image, whole + 1), HVC_OK); /* as in a longer buffer */
	for (uint32_t bytes = 0; bytes < whole; bytes++) {
		struct hvc_image *part = malloc(bytes + (bytes == 0)); /* a bound for ASan */

		assert_non_null(part);
		memcpy(part, image, bytes);
		assert_int_equal(hvc_image_check(part, bytes), HVC_EBADMSG);
		free(part);
	}
	free(image);
}

/* Truncated, and the header tells the smaller number: the checksum or the nodes must say no. */
static void test_shortened(void **state)
{
	struct hvc_image *image = small_image();

	(void)state;
	for (uint32_t nodes = image->node_count; nodes-- > 0;) {
		image->node_count = nodes;
		image->bytes = (uint32_t)(sizeof(*image) + nodes * NODE_BYTES);
		assert_int_equal(hvc_image_check(image, image->bytes), HVC_EBADMSG);
		hvc_image_seal(image);
		assert_int_equal(hvc_image_check(image, image->bytes), HVC_EBADMSG);
	}
	free(image);
}

static void test_flipped_bits(void **state)
{
	struct hvc_image *image = small_image();
	uint8_t *bytes = (uint8_t *)image;
	size_t whole = image->bytes;

	(void)state;
	for (size_t i = 0; i < whole; i++) {
		/* Every bit of the header, one a byte of the nodes: a checksum takes its time. */
		for (unsigned int bit = i % 8; bit < 8; bit += i < sizeof(*image) ? 1 : 8) {
			enum hvc_err err;

			bytes[i] ^= (uint8_t)(1u << bit);
			err = hvc_image_check(image, whole);
			assert_true(err == HVC_EBADMSG || err == HVC_ENOTSUP);
			assert_true(err == HVC_EBADMSG || i / 4 == 1); /* the format's number */
			bytes[i] ^= (uint8_t)(1u << bit);
		}
	}
	assert_int_equal(hvc_image_check(image, whole), HVC_OK);
	free(image);
}

/* IEEE 802.3, as zlib's and Ethernet's: from the polynomial's own definition, most significant bit
 * first over reflected bytes, unlike the engine's. */
static uint32_t reflect(uint32_t value, unsigned int bits)
{
	uint32_t reflected = 0;

	for (unsigned int i = 0; i < bits; i++) {
		reflected |= (value >> i & 1) << (bits - 1 - i);
	}
	return reflected;
}

static uint32_t plain_crc(const uint8_t *bytes, size_t n)
{
	uint32_t rest = UINT32_MAX;

	for (size_t i = 0; i < n; i++) {
		rest ^= reflect(bytes[i], 8) << 24;
		for (unsigned int bit = 0; bit < 8; bit++) {
			rest = rest << 1 ^ (rest >> 31 != 0 ? 0x04c11db7u : 0);
		}
	}
	return ~reflect(rest, 32);
}

static void test_checksum(void **state)
{
	struct hvc_image *image = small_image();
	const uint8_t *behind = (const uint8_t *)&image->crc32 + sizeof(image->crc32);

	(void)state;
	assert_int_equal(plain_crc((const uint8_t *)"123456789", 9), 0xcbf43926u);
	assert_int_equal(image->crc32,
			 plain_crc(behind, image->bytes - (size_t)(behind - (uint8_t *)image)));
	free(image);
}

static void test_other_versions(void **state)
{
	struct hvc_image *image = small_image();

	(void)state;
	image->catalog ^= 1;
	hvc_image_seal(image);
	assert_int_equal(hvc_image_check(image, image->bytes), HVC_ENOTSUP);
	image->catalog ^= 1;
	image->format++;
	hvc_image_seal(image);
	assert_int_equal(hvc_image_check(image, image->bytes), HVC_ENOTSUP);
	image->format--;
	image->table_bytes = 1;
	hvc_image_seal(image);
	assert_int_equal(hvc_image_check(image, image->bytes), HVC_EBADMSG);
	image->table_bytes = 0;
	image->magic ^= 1;
	assert_int_equal(hvc_image_check(image, image->bytes), HVC_EBADMSG);
	free(image);
}

/* A good checksum over nodes that no compiler makes: shared ones, or functions under other IDs than theirs. */
static void test_wrong_nodes(void **state)
{
	static const struct paint rules[] = {{0x08123456u, 0x08123456u, HVC_DENY}};
	struct hvc_image *image = world_image(
		&(struct world_setup){.rules = rules, .rule_count = 1}, NULL);
	uint16_t *entries = (uint16_t *)(void *)(image + 1);
	uint16_t *far = &entries[2 * LOOKUP_WIDTH + 0x08];
	uint16_t *leaf = &entries[(entries[0x84] & ~ENTRY_NODE) * LOOKUP_WIDTH];

	(void)state;
	assert_int_equal(hvc_image_check(image, image->bytes), HVC_OK);
	far[1] = *far;
	hvc_image_seal(image);
	assert_int_equal(hvc_image_check(image, image->bytes), HVC_EBADMSG);
	far[1] = 0;
	hvc_image_seal(image);
	assert_int_equal(hvc_image_check(image, image->bytes), HVC_OK);
	/* CPU_OFF under CPU_ON's ID, and the other way round. */
	assert_int_equal(leaf[2] & ENTRY_SLOT, HVC_FN_PSCI_CPU_OFF);
	assert_int_equal(leaf[3] & ENTRY_SLOT, HVC_FN_PSCI_CPU_ON);
	leaf[2] = HVC_FN_PSCI_CPU_ON;
	leaf[3] = HVC_FN_PSCI_CPU_OFF;
	hvc_image_seal(image);
	assert_int_equal(hvc_image_check(image, image->bytes), HVC_EBADMSG);
	leaf[2] = HVC_FN_PSCI_CPU_OFF;
	leaf[3] = HVC_FN_PSCI_CPU_ON;
	leaf[0xf0] = ENTRY_OWN;
	hvc_image_seal(image);
	assert_int_equal(hvc_image_check(image, image->bytes), HVC_EBADMSG);
	free(image);
}

static void test_misaligned(void **state)
{
	struct hvc_image *image = small_image();
	uint8_t *memory = malloc(image->bytes + 8u);

	(void)state;
	assert_non_null(memory);
	assert_int_equal(hvc_image_check(NULL, image->bytes), HVC_EFAULT);
	for (size_t off = 1; off < 8; off++) {
		memcpy(memory + off, image, image->bytes);
		assert_int_equal(hvc_image_check(memory + off, image->bytes), HVC_EFAULT);
	}
	free(memory);
	free(image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_begin),        cmocka_unit_test(test_settings),
		cmocka_unit_test(test_profile),      cmocka_unit_test(test_paint),
		cmocka_unit_test(test_truncated),    cmocka_unit_test(test_shortened),
		cmocka_unit_test(test_flipped_bits), cmocka_unit_test(test_other_versions),
		cmocka_unit_test(test_misaligned),   cmocka_unit_test(test_checksum),
		cmocka_unit_test(test_wrong_nodes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
