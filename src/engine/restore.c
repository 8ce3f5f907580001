/* SPDX-License-Identifier: BSD-2-Clause */
/* A VM's state as bytes: read. First everything is looked at, then everything is taken. */
#include "restore.h"

#include "forward_state.h"
#include "rules.h"

uint64_t restore_get(const struct restore *restore, size_t at, unsigned int n)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < n; i++) {
		value |= (uint64_t)restore->bytes[at + i] << 8 * i;
	}
	return value;
}

enum hvc_err restore_bad(struct restore *restore, size_t at)
{
	restore->detail.offset = (uint32_t)at;
	return HVC_EBADMSG;
}

enum hvc_err restore_missing(struct restore *restore, enum hvc_missing missing, uint64_t wanted,
			     uint64_t have)
{
	restore->detail.missing = missing;
	restore->detail.wanted = wanted;
	restore->detail.have = have;
	return HVC_ENXIO;
}

/* What of another version nobody can say anything about. */
static enum hvc_err not_understood(struct restore *restore, enum hvc_missing missing,
				   uint64_t wanted, uint64_t have)
{
	(void)restore_missing(restore, missing, wanted, have);
	return HVC_ENOTSUP;
}

static enum hvc_err check_header(struct restore *restore, size_t size)
{
	uint64_t format;

	if (size < SAVED_HEADER || restore_get(restore, 0, 4) != HVC_SAVE_MAGIC) {
		return restore_bad(restore, 0);
	}
	format = restore_get(restore, 4, 4);
	if (format > HVC_SAVE_FORMAT) {
		return not_understood(restore, HVC_MISSING_FORMAT, format, HVC_SAVE_FORMAT);
	}
	if (format == 0) {
		return restore_bad(restore, 4);
	}
	if (restore_get(restore, 8, 4) != size) {
		return restore_bad(restore, 8);
	}
	if (restore_get(restore, 12, 4) !=
	    crc32_of(restore->bytes + SAVED_HEADER, size - SAVED_HEADER)) {
		return restore_bad(restore, 12);
	}
	return HVC_OK;
}

/* The zeroes behind what a section holds. */
static bool padding_valid(const struct restore *restore, size_t at, size_t size)
{
	for (; at % SECTION_ALIGN != 0; at++) {
		if (at >= size || restore->bytes[at] != 0) {
			return false;
		}
	}
	return true;
}

/* A section's header, and where its content ends. */
static enum hvc_err check_section(struct restore *restore, size_t at, size_t size, size_t *end)
{
	uint64_t type = restore_get(restore, at, 2);
	uint64_t flags = restore_get(restore, at + 2, 2);
	uint64_t length = restore_get(restore, at + 4, 4);

	if (length > size - at - SECTION_HEADER) {
		return restore_bad(restore, at + 4);
	}
	*end = at + SECTION_HEADER + (size_t)length;
	if (!padding_valid(restore, *end, size)) {
		return restore_bad(restore, *end);
	}
	if (type >= SECTION_COUNT && flags == SECTION_MUST) {
		return not_understood(restore, HVC_MISSING_SECTION, type, SECTION_COUNT - 1);
	}
	if (flags != (type < SECTION_COUNT ? SECTION_MUST : 0)) {
		return restore_bad(restore, at + 2);
	}
	if (type < SECTION_COUNT) {
		restore->sections[type].at = (uint32_t)(at + SECTION_HEADER);
		restore->sections[type].length = (uint32_t)length;
	}
	return HVC_OK;
}

static enum hvc_err find_sections(struct restore *restore, size_t size)
{
	size_t at = SAVED_HEADER, end = at;
	uint64_t last = 0;

	while (at != size) {
		enum hvc_err err;

		/* In order of their numbers, so none twice. */
		if (size - at < SECTION_HEADER || restore_get(restore, at, 2) <= last) {
			return restore_bad(restore, at);
		}
		last = restore_get(restore, at, 2);
		err = check_section(restore, at, size, &end);
		if (err != HVC_OK) {
			return err;
		}
		at = (end + SECTION_ALIGN - 1) / SECTION_ALIGN * SECTION_ALIGN;
	}
	for (unsigned int type = SECTION_POLICY; type <= SECTION_VCPUS; type++) {
		if (restore->sections[type].at == 0 && type != SECTION_RANGES) {
			return restore_bad(restore, size);
		}
	}
	return HVC_OK;
}

/* Just made: nothing called, nothing added, nothing sent. */
static bool is_fresh(const struct hvc_vm *vm)
{
	struct own_range range;
	uint64_t id = 0;
	uint32_t vcpu;

	return !vm->frozen && !rules_next_own(&vm->filter, &id, &range) &&
	       !forwards_pending(vm, &vcpu) && forwards_next(vm) <= 1 && events_waiting(vm) == 0;
}

enum hvc_err hvc_vm_restore(struct hvc_vm *vm, const void *bytes, size_t size,
			    struct hvc_restore_detail *detail)
{
	struct restore restore = {.vm = vm, .bytes = bytes};
	enum hvc_err err;

	if (vm == NULL || (bytes == NULL && size != 0)) {
		return HVC_EFAULT;
	}
	if (detail != NULL && detail->size != sizeof(*detail)) {
		return HVC_EINVAL;
	}
	restore.detail.size = sizeof(restore.detail);
	err = is_fresh(vm) ? check_header(&restore, size) : HVC_EBUSY;
	if (err == HVC_OK) {
		err = find_sections(&restore, size);
	}
	if (err == HVC_OK) {
		err = restore_check(&restore);
	}
	if (err == HVC_OK) {
		err = restore_take(&restore);
	}
	if (detail != NULL) {
		*detail = restore.detail;
	}
	return err;
}
