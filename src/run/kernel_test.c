/* SPDX-License-Identifier: BSD-2-Clause */
/* Which files are taken as kernels, which are refused with which words, and where they are placed. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "run.h"

#define MEM         (64 * RUN_MIB)
#define IMAGE_BYTES 70000u

static uint8_t image[IMAGE_BYTES];
static char said[2048];

static void put(uint8_t *at, uint64_t value, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++) {
		at[i] = (uint8_t)(value >> (8 * i));
	}
}

/* An arm64 Image with a PE header whose one section ends where the file does. */
static void make_image(uint64_t text_offset, uint64_t size, uint64_t flags)
{
	for (size_t i = 0; i < sizeof(image); i++) {
		image[i] = (uint8_t)(i * 2654435761u >> 13);
	}
	memset(image, 0, 0x200);
	put(image, 0x5a4d, 2); /* MZ */
	put(image + 8, text_offset, 8);
	put(image + 16, size, 8);
	put(image + 24, flags, 8);
	put(image + 0x38, 0x644d5241, 4); /* ARM\x64 */
	put(image + 0x3c, 0x40, 4);
	put(image + 0x40, 0x4550, 4); /* PE */
	put(image + 0x44, 0xaa64, 2);
	put(image + 0x46, 1, 2); /* sections */
	put(image + 0x54, 0, 2); /* no optional header */
	put(image + 0x58 + 16, IMAGE_BYTES - 0x200, 4);
	put(image + 0x58 + 20, 0x200, 4);
}

/* What run_kernel_recognise() answers; its message, if any, in `said`. */
static bool recognise(const void *data, size_t bytes, struct run_kernel *kernel)
{
	int old = dup(STDERR_FILENO), memory = memfd_create("stderr", MFD_CLOEXEC);
	ssize_t n;
	bool good;

	*kernel = (struct run_kernel){.blob = RUN_NO_BLOB};
	dup2(memory, STDERR_FILENO);
	good = run_kernel_recognise("k", data, bytes, MEM, kernel);
	dup2(old, STDERR_FILENO);
	close(old);
	n = pread(memory, said, sizeof(said) - 1, 0);
	said[n > 0 ? n : 0] = '\0';
	close(memory);
	return good;
}

static void assert_is_image(const struct run_kernel *kernel)
{
	uint8_t *back = malloc(IMAGE_BYTES);

	assert_int_equal(kernel->blob.bytes, IMAGE_BYTES);
	assert_int_equal(pread(kernel->blob.fd, back, IMAGE_BYTES, 0), IMAGE_BYTES);
	assert_memory_equal(back, image, IMAGE_BYTES);
	assert_int_equal(write(kernel->blob.fd, "x", 1), -1); /* sealed */
	close(kernel->blob.fd);
	free(back);
}

static void takes_image(void **state)
{
	struct run_kernel kernel;

	(void)state;
	make_image(0, 200000, 0xa);
	assert_true(recognise(image, sizeof(image), &kernel));
	assert_int_equal(kernel.text_offset, 0);
	assert_int_equal(kernel.memory, 200000);
	assert_false(kernel.flat);
	assert_is_image(&kernel);
	make_image(0x12345, 0, 0); /* before Linux 3.17: no size, and the offset does not count */
	assert_true(recognise(image, sizeof(image), &kernel));
	assert_int_equal(kernel.text_offset, 0x80000);
	assert_int_equal(kernel.memory, IMAGE_BYTES);
	assert_is_image(&kernel);
}

static void takes_flat_binary(void **state)
{
	static const uint8_t code[] = {0x1f, 0x20, 0x03, 0xd5};
	struct run_kernel kernel;

	(void)state;
	assert_true(recognise(code, sizeof(code), &kernel));
	assert_true(kernel.flat);
	assert_int_equal(kernel.text_offset, 0x80000);
	assert_int_equal(kernel.memory, sizeof(code));
	close(kernel.blob.fd);
}

struct packed {
	const char *zboot; /* name in an EFI zboot header */
	bool bare;         /* also taken without one */
	uint8_t data[2 * IMAGE_BYTES];
	size_t bytes;
};

static void pack(struct packed *packed, enum run_packing packing)
{
	size_t room = sizeof(packed->data);
	lzma_options_lzma options;
	z_stream z = {0};
	ZSTD_CCtx *zstd;

	switch (packing) {
	case RUN_GZIP:
		packed->zboot = "gzip";
		assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
		z.next_in = image;
		z.avail_in = IMAGE_BYTES;
		z.next_out = packed->data;
		z.avail_out = (uInt)room;
		assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
		packed->bytes = z.total_out;
		deflateEnd(&z);
		break;
	case RUN_ZSTD:
		packed->zboot = "zstd22";
		zstd = ZSTD_createCCtx(); /* with a checksum, as the zstd command does it */
		ZSTD_CCtx_setParameter(zstd, ZSTD_c_checksumFlag, 1);
		packed->bytes = ZSTD_compress2(zstd, packed->data, room, image, IMAGE_BYTES);
		ZSTD_freeCCtx(zstd);
		break;
	case RUN_XZ:
		packed->zboot = "xzkern";
		packed->bytes = 0;
		assert_int_equal(lzma_easy_buffer_encode(6, LZMA_CHECK_CRC32, NULL, image,
							 IMAGE_BYTES, packed->data, &packed->bytes,
							 room),
				 LZMA_OK);
		break;
	case RUN_LZMA: {
		lzma_stream stream = LZMA_STREAM_INIT;

		packed->zboot = "lzma";
		lzma_lzma_preset(&options, 6);
		assert_int_equal(lzma_alone_encoder(&stream, &options), LZMA_OK);
		stream.next_in = image;
		stream.avail_in = IMAGE_BYTES;
		stream.next_out = packed->data;
		stream.avail_out = room;
		assert_int_equal(lzma_code(&stream, LZMA_FINISH), LZMA_STREAM_END);
		packed->bytes = room - stream.avail_out;
		lzma_end(&stream);
		break;
	}
	}
	packed->bare = packing != RUN_LZMA; /* lzma has no magic number */
}

static size_t make_zboot(uint8_t *out, const struct packed *packed)
{
	memset(out, 0, 0x200);
	put(out, 0x676d697a00005a4d, 8); /* MZ, zimg */
	put(out + 8, 0x200, 4);
	put(out + 12, packed->bytes, 4);
	memcpy(out + 0x18, packed->zboot, strlen(packed->zboot) + 1);
	memcpy(out + 0x200, packed->data, packed->bytes);
	return 0x200 + packed->bytes;
}

static void takes_packed_images(void **state)
{
	static struct packed packed;
	static uint8_t zboot[0x200 + sizeof(packed.data)];
	struct run_kernel kernel;
	size_t bytes;

	(void)state;
	make_image(0, 200000, 0xa);
	for (int packing = RUN_GZIP; packing <= RUN_LZMA; packing++) {
		pack(&packed, (enum run_packing)packing);
		if (packed.bare) {
			assert_true(recognise(packed.data, packed.bytes, &kernel));
			assert_is_image(&kernel);
			assert_false(recognise(packed.data, packed.bytes / 2, &kernel));
			assert_non_null(strstr(said, "truncated"));
			packed.data[packed.bytes / 2] ^= 0x55;
			assert_false(recognise(packed.data, packed.bytes, &kernel));
			assert_non_null(strstr(said, "damaged"));
			packed.data[packed.bytes / 2] ^= 0x55;
		}
		bytes = make_zboot(zboot, &packed);
		assert_true(recognise(zboot, bytes, &kernel));
		assert_is_image(&kernel);
		assert_false(recognise(zboot, bytes - 100, &kernel));
		assert_non_null(strstr(said, "truncated"));
	}
	memcpy(zboot + 0x18, "lz4", 4);
	assert_false(recognise(zboot, bytes, &kernel));
	assert_non_null(strstr(said, "packed with 'lz4'"));
}

/* Unpacks to more than the guest has: refused, not unpacked. */
static void refuses_bomb(void **state)
{
	const size_t plain = (size_t)MEM + 1;
	uint8_t *zeros = calloc(1, plain), *bomb = malloc(ZSTD_compressBound(plain));
	size_t bytes = ZSTD_compress(bomb, ZSTD_compressBound(plain), zeros, plain, 1);
	struct run_kernel kernel;

	(void)state;
	assert_false(recognise(bomb, bytes, &kernel));
	assert_non_null(strstr(said, "more than the guest's memory"));
	free(zeros);
	free(bomb);
}

static void refuses_with_reason(void **state)
{
	static const struct {
		const char *bytes;
		size_t count, offset;
		const char *reason;
	} cases[] = {
		{"HdrS", 4, 0x202, "x86 kernel"},
		{"\x18\x28\x6f\x01", 4, 0x24, "32-bit Arm kernel"},
		{"RSC\x05", 4, 0x38, "RISC-V"},
		{"\x27\x05\x19\x56", 4, 0, "uImage"},
		{"\xd0\x0d\xfe\xed", 4, 0, "device tree"},
		{"070701", 6, 0, "cpio"},
		{"!<arch>\n", 8, 0, "archive"},
		{"QFI\xfb", 4, 0, "qcow2"},
		{"\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0\x3e\0", 20, 0, "ELF file for x86-64"},
		{"\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0\xb7\0", 20, 0, "objcopy"},
		{"\177ELF\1\1\1\0\0\0\0\0\0\0\0\0\2\0\x28\0", 20, 0, "32-bit Arm"},
	};
	struct run_kernel kernel;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t file[1024] = {0};

		memcpy(file + cases[i].offset, cases[i].bytes, cases[i].count);
		assert_false(recognise(file, sizeof(file), &kernel));
		assert_non_null(strstr(said, cases[i].reason));
	}
	assert_false(recognise("#!/bin/sh\necho no kernel\n", 25, &kernel));
	assert_non_null(strstr(said, "is text"));
	make_image(0, 200000, 0);
	assert_false(recognise(image, sizeof(image) - 1, &kernel));
	assert_non_null(strstr(said, "truncated"));
	assert_false(recognise(image, 40, &kernel));
	assert_non_null(strstr(said, "truncated"));
	make_image(0, 200000, 1);
	assert_false(recognise(image, sizeof(image), &kernel));
	assert_non_null(strstr(said, "big-endian"));
	make_image(4 * RUN_MIB, 200000, 0);
	assert_false(recognise(image, sizeof(image), &kernel));
	assert_non_null(strstr(said, "damaged"));
	make_image(0, MEM + 1, 0);
	assert_false(recognise(image, sizeof(image), &kernel));
	assert_non_null(strstr(said, "--mem"));
}

/* Any bytes: no crash, and a verdict. Every length of a header, and damaged ones. */
static void survives_damage(void **state)
{
	unsigned int seed = 1;
	struct run_kernel kernel;

	(void)state;
	make_image(0, 200000, 0xa);
	for (size_t bytes = 1; bytes < 600; bytes++) {
		uint8_t *copy = malloc(bytes); /* so that a sanitizer sees a read behind it */

		memcpy(copy, image, bytes);
		recognise(copy, bytes, &kernel);
		free(copy);
		if (kernel.blob.fd >= 0) {
			close(kernel.blob.fd);
		}
	}
	for (int round = 0; round < 3000; round++) {
		uint8_t *copy = malloc(1024);

		memcpy(copy, image, 1024);
		for (int i = 0; i < 4; i++) {
			seed = seed * 1103515245u + 12345u;
			copy[seed >> 16 & 0x7f] = (uint8_t)(seed >> 8);
		}
		recognise(copy, 1024, &kernel);
		free(copy);
		if (kernel.blob.fd >= 0) {
			close(kernel.blob.fd);
		}
	}
}

static void layout_without_overlap(void **state)
{
	static const uint64_t offsets[] = {0, 0x80000, 0x1ff000};
	static const uint64_t sizes[] = {1, 4096, 2 * RUN_MIB, 28 * RUN_MIB + 1};
	static const uint64_t initrds[] = {0, 1, 5 * RUN_MIB + 7};
	struct run_layout at;

	(void)state;
	for (size_t i = 0; i < 3 * 4 * 3; i++) {
		const struct run_kernel kernel = {.text_offset = offsets[i % 3],
						  .memory = sizes[i / 3 % 4]};
		const uint64_t initrd = initrds[i / 12], end = EL2_GUEST_IPA + MEM;

		assert_true(run_layout_place(&kernel, initrd, MEM, &at));
		assert_int_equal(at.kernel, EL2_GUEST_IPA + kernel.text_offset);
		assert_true(at.dtb >= at.kernel + kernel.memory);
		assert_int_equal(at.dtb % (2 * RUN_MIB), 0);
		assert_true(at.dtb + RUN_DTB_ROOM <= end);
		assert_int_equal(at.initrd != 0, initrd != 0);
		if (initrd != 0) {
			assert_true(at.initrd >= at.dtb + RUN_DTB_ROOM &&
				    at.initrd + initrd <= end);
		}
	}
}

/* The last byte that fits, and the first that does not. */
static void layout_refuses_what_does_not_fit(void **state)
{
	const struct run_kernel kernel = {.text_offset = 0, .memory = 30 * RUN_MIB};
	const uint64_t room = MEM - 30 * RUN_MIB - RUN_DTB_ROOM;
	struct run_layout at;

	(void)state;
	assert_true(run_layout_place(&kernel, room, MEM, &at));
	assert_false(run_layout_place(&kernel, room + 1, MEM, &at));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_image),
		cmocka_unit_test(takes_flat_binary),
		cmocka_unit_test(takes_packed_images),
		cmocka_unit_test(refuses_bomb),
		cmocka_unit_test(refuses_with_reason),
		cmocka_unit_test(survives_damage),
		cmocka_unit_test(layout_without_overlap),
		cmocka_unit_test(layout_refuses_what_does_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
