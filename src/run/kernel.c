/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a kernel file is, and whether it can run here.
 *
 * arm64 Image header: Linux Documentation/arch/arm64/booting.rst; EFI zboot header: the kernel's
 * drivers/firmware/efi/libstub/zboot-header.S; PE sections: PE/COFF specification. A file without any
 * header that is not of a known other kind is a flat binary: loaded at RAM + 0x80000 and entered there.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

#define FLAT_OFFSET 0x80000u
#define HEADER      64u /* of an arm64 Image */

static uint64_t little(const uint8_t *at, unsigned int bytes)
{
	uint64_t value = 0;

	for (unsigned int i = bytes; i > 0; i--) {
		value = value << 8 | at[i - 1];
	}
	return value;
}

static bool has(const uint8_t *data, size_t bytes, size_t offset, const char *what, size_t length)
{
	return offset + length <= bytes && memcmp(data + offset, what, length) == 0;
}

static const char *elf_machine(unsigned int machine)
{
	static const struct {
		unsigned int machine;
		const char *name;
	} names[] = {{3, "32-bit x86"}, {8, "MIPS"},        {20, "32-bit PowerPC"}, {21, "PowerPC"},
		     {22, "s390"},      {40, "32-bit Arm"}, {62, "x86-64"},         {183, "arm64"},
		     {243, "RISC-V"},   {258, "LoongArch"}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].machine == machine) {
			return names[i].name;
		}
	}
	return "an unknown machine";
}

/* Kinds of file that can be told and cannot be a kernel here. NULL: none of them. */
static const char *foreign_kind(const uint8_t *data, size_t bytes)
{
	static const struct {
		size_t offset;
		const char *magic;
		size_t length;
		const char *kind;
	} kinds[] = {
		{0x202, "HdrS", 4, "an x86 kernel (bzImage)"},
		{0x24, "\x18\x28\x6f\x01", 4, "a 32-bit Arm kernel (zImage)"},
		{0x38, "RSC\x05", 4, "a RISC-V kernel"},
		{0, "\x27\x05\x19\x56", 4, "a U-Boot image (uImage)"},
		{0, "\xd0\x0d\xfe\xed", 4, "a device tree or FIT image"},
		{0, "070701", 6, "a cpio archive (an initrd?)"},
		{0, "!<arch>\n", 8, "an archive (a Debian package?)"},
		{0, "BZh", 3, "bzip2 data"},
		{0, "\x02\x21\x4c\x18", 4, "lz4 data"},
		{0, "QFI\xfb", 4, "a qcow2 disk"},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (has(data, bytes, kinds[i].offset, kinds[i].magic, kinds[i].length)) {
			return kinds[i].kind;
		}
	}
	return NULL;
}

static bool is_text(const uint8_t *data, size_t bytes)
{
	size_t count = bytes < 512 ? bytes : 512;

	for (size_t i = 0; i < count; i++) {
		if (!isprint(data[i]) && !isspace(data[i])) {
			return false;
		}
	}
	return true;
}

/* Bytes that the file must have for its PE sections to be whole; 0 if it is no PE file. */
static uint64_t pe_needs(const uint8_t *data, size_t bytes, unsigned int *machine)
{
	uint64_t pe, needs = 0, table;
	unsigned int sections;

	if (!has(data, bytes, 0, "MZ", 2) || bytes < HEADER) {
		return 0;
	}
	pe = little(data + 0x3c, 4);
	if (pe > bytes || !has(data, bytes, (size_t)pe, "PE\0\0", 4) || pe + 24 > bytes) {
		return 0;
	}
	*machine = (unsigned int)little(data + pe + 4, 2);
	sections = (unsigned int)little(data + pe + 6, 2);
	table = pe + 24 + little(data + pe + 20, 2);
	for (unsigned int i = 0; i < sections; i++) {
		const uint64_t entry = table + 40 * (uint64_t)i;
		uint64_t end;

		if (entry + 40 > bytes) {
			return bytes + 1;
		}
		end = little(data + entry + 16, 4) + little(data + entry + 20, 4);
		needs = end > needs ? end : needs;
	}
	return needs;
}

static bool fits(const char *path, uint64_t need, uint64_t mem)
{
	if (need <= mem) {
		return true;
	}
	return run_fail(
		"kernel %s: needs %llu MiB of memory, the guest has %llu MiB: give more with --mem",
		path, (unsigned long long)((need + RUN_MIB - 1) / RUN_MIB),
		(unsigned long long)(mem / RUN_MIB));
}

static bool take_image(const char *path, const uint8_t *data, size_t bytes, uint64_t mem,
		       struct run_kernel *kernel)
{
	unsigned int machine = 0;
	uint64_t needs = pe_needs(data, bytes, &machine);
	uint64_t size = little(data + 16, 8);

	if (needs > bytes) {
		return run_fail(
			"kernel %s: is truncated: its sections need %llu bytes, the file has %zu",
			path, (unsigned long long)needs, bytes);
	}
	if ((little(data + 24, 8) & 1) != 0) {
		return run_fail(
			"kernel %s: is a big-endian arm64 kernel; only little-endian ones run here",
			path);
	}
	/* Kernels before 3.17 leave the size 0: then the offset is 0x80000 whatever the field says. */
	kernel->text_offset = size == 0 ? FLAT_OFFSET : little(data + 8, 8);
	kernel->memory = size > bytes ? size : bytes;
	kernel->flat = false;
	if (kernel->text_offset >= 2 * RUN_MIB || kernel->memory > RUN_MEM_MAX) {
		return run_fail(
			"kernel %s: its Image header is damaged (text offset 0x%llx, size 0x%llx)",
			path, (unsigned long long)kernel->text_offset, (unsigned long long)size);
	}
	return fits(path, kernel->text_offset + kernel->memory, mem) &&
	       run_blob_make("kernel", data, bytes, &kernel->blob);
}

static bool take_flat(const char *path, const uint8_t *data, size_t bytes, uint64_t mem,
		      struct run_kernel *kernel)
{
	const char *kind = foreign_kind(data, bytes);
	unsigned int machine = 0;

	if (has(data, bytes, 0, "\177ELF", 4)) {
		unsigned int elf = bytes >= 20 ? (unsigned int)little(data + 18, 2) : 0;

		if (elf == 183) {
			return run_fail(
				"kernel %s: is an ELF file; give the Image, or the flat binary that "
				"'objcopy -O binary' makes of it",
				path);
		}
		return run_fail("kernel %s: is an ELF file for %s; an arm64 Image is wanted", path,
				elf_machine(elf));
	}
	if (kind == NULL && pe_needs(data, bytes, &machine) > 0) {
		kind = machine == 0xaa64 ? "an EFI program" : "an EFI program for another machine";
	}
	if (kind == NULL && bytes < HEADER && has(data, bytes, 0, "MZ", 2)) {
		kind = "a truncated Image";
	}
	if (kind == NULL && is_text(data, bytes)) {
		kind = "text";
	}
	if (kind != NULL) {
		return run_fail(
			"kernel %s: is %s; an arm64 Image (raw, gzip or EFI zboot) or a flat binary is wanted",
			path, kind);
	}
	kernel->text_offset = FLAT_OFFSET;
	kernel->memory = bytes;
	kernel->flat = true;
	return fits(path, kernel->text_offset + kernel->memory, mem) &&
	       run_blob_make("kernel", data, bytes, &kernel->blob);
}

/* After unpacking: no further layers. */
static bool take_plain(const char *path, const uint8_t *data, size_t bytes, uint64_t mem,
		       struct run_kernel *kernel)
{
	if (bytes >= HEADER && has(data, bytes, 0x38, "ARM\x64", 4)) {
		return take_image(path, data, bytes, mem, kernel);
	}
	return take_flat(path, data, bytes, mem, kernel);
}

static bool take_packed(const char *path, enum run_packing packing, const uint8_t *data,
			size_t bytes, uint64_t mem, struct run_kernel *kernel)
{
	uint8_t *plain = NULL;
	size_t plain_bytes = 0;
	const char *why = run_unpack(packing, data, bytes, (size_t)mem, &plain, &plain_bytes);
	bool good;

	if (why != NULL) {
		return run_fail("kernel %s: %s", path, why);
	}
	if (plain_bytes == 0) {
		free(plain);
		return run_fail("kernel %s: unpacks to nothing", path);
	}
	good = take_plain(path, plain, plain_bytes, mem, kernel);
	free(plain);
	return good;
}

static bool take_zboot(const char *path, const uint8_t *data, size_t bytes, uint64_t mem,
		       struct run_kernel *kernel)
{
	static const struct {
		const char *name;
		enum run_packing packing;
	} packings[] = {
		{"gzip", RUN_GZIP}, {"zstd", RUN_ZSTD}, {"xzkern", RUN_XZ}, {"lzma", RUN_LZMA}};
	uint64_t offset = little(data + 8, 4), size = little(data + 12, 4);
	char name[16] = "";
	unsigned int machine = 0;

	memcpy(name, data + 0x18, sizeof(name) - 1);
	if (pe_needs(data, bytes, &machine) > 0 && machine != 0xaa64) {
		return run_fail(
			"kernel %s: is an EFI zboot kernel for another machine; an arm64 one is wanted",
			path);
	}
	if (offset + size > bytes) {
		return run_fail(
			"kernel %s: is truncated: its payload needs %llu bytes, the file has %zu",
			path, (unsigned long long)offset + size, bytes);
	}
	for (size_t i = 0; i < sizeof(packings) / sizeof(packings[0]); i++) {
		/* "zstd22": the level stands behind the name. */
		if (strncmp(name, packings[i].name, strlen(packings[i].name)) == 0) {
			return take_packed(path, packings[i].packing, data + offset, (size_t)size,
					   mem, kernel);
		}
	}
	for (size_t i = 0; name[i] != '\0'; i++) {
		name[i] = isprint((unsigned char)name[i]) ? name[i] : '?';
	}
	return run_fail(
		"kernel %s: is an EFI zboot kernel packed with '%s'; gzip, zstd, xz and lzma can be unpacked",
		path, name);
}

bool run_kernel_recognise(const char *path, const uint8_t *data, size_t bytes, uint64_t mem,
			  struct run_kernel *kernel)
{
	if (has(data, bytes, 0, "\x1f\x8b", 2)) {
		return take_packed(path, RUN_GZIP, data, bytes, mem, kernel);
	}
	if (has(data, bytes, 0, "\x28\xb5\x2f\xfd", 4)) {
		return take_packed(path, RUN_ZSTD, data, bytes, mem, kernel);
	}
	if (has(data, bytes, 0,
		"\xfd"
		"7zXZ",
		6)) {
		return take_packed(path, RUN_XZ, data, bytes, mem, kernel);
	}
	if (bytes >= HEADER && has(data, bytes, 0, "MZ\0\0zimg", 8)) {
		return take_zboot(path, data, bytes, mem, kernel);
	}
	return take_plain(path, data, bytes, mem, kernel);
}

bool run_kernel_load(const char *path, uint64_t mem, struct run_kernel *kernel)
{
	uint8_t *data = NULL;
	size_t bytes = 0;
	bool good;

	if (!run_file_read("kernel", path, mem, &data, &bytes)) {
		return false;
	}
	good = run_kernel_recognise(path, data, bytes, mem, kernel);
	free(data);
	return good;
}
