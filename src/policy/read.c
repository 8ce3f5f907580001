/* SPDX-License-Identifier: BSD-2-Clause */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arena.h"
#include "read.h"

static const char *kind_of(mode_t mode)
{
	if (S_ISDIR(mode)) {
		return "a directory";
	}
	if (S_ISFIFO(mode)) {
		return "a pipe";
	}
	if (S_ISSOCK(mode)) {
		return "a socket";
	}
	return "a device";
}

/* Never waits: a pipe nobody writes to is opened without blocking, and then refused. */
static int open_regular(const char *path, struct read_file *file, struct hvc_diags *diags,
			const struct pol_mark *where)
{
	struct stat info;
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &info) < 0) {
		diags_error(diags, where, "cannot read '%s': %s", path, strerror(errno));
	} else if (!S_ISREG(info.st_mode)) {
		diags_error(diags, where, "cannot read '%s': it is %s, not a file", path,
			    kind_of(info.st_mode));
	} else {
		file->device = (unsigned long long)info.st_dev;
		file->inode = (unsigned long long)info.st_ino;
		return fd;
	}
	if (fd >= 0) {
		close(fd);
	}
	return -1;
}

static enum hvc_err read_all(struct read_file *file, size_t limit)
{
	size_t capacity = 0;

	for (;;) {
		ssize_t got;

		if (!array_reserve(&file->bytes, &capacity, file->length + 4096, 1)) {
			return HVC_ENOMEM;
		}
		got = read(file->fd, file->bytes + file->length, capacity - file->length);
		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got < 0) {
			return HVC_EIO;
		}
		if (got == 0) {
			return HVC_OK;
		}
		file->length += (size_t)got;
		if (file->length > limit) {
			return HVC_E2BIG;
		}
	}
}

/* Bytes of the well-formed UTF-8 sequence at `s` (RFC 3629), 0 if there is none. */
static size_t utf8_length(const unsigned char *s, size_t rest)
{
	static const struct {
		unsigned char lead, lead_last, second, second_last, bytes;
	} forms[] = {
		{0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2},
		{0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
		{0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
		{0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4},
		{0xf4, 0xf4, 0x80, 0x8f, 4},
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (s[0] < forms[i].lead || s[0] > forms[i].lead_last) {
			continue;
		}
		if (forms[i].bytes > rest ||
		    (forms[i].bytes > 1 &&
		     (s[1] < forms[i].second || s[1] > forms[i].second_last))) {
			return 0;
		}
		for (size_t k = 2; k < forms[i].bytes; k++) {
			if ((s[k] & 0xc0) != 0x80) {
				return 0;
			}
		}
		return forms[i].bytes;
	}
	return 0;
}

static enum hvc_err check_utf8(const struct read_file *file, struct hvc_diags *diags,
			       const struct pol_mark *self)
{
	const unsigned char *bytes = (const unsigned char *)file->bytes;
	struct pol_mark mark = *self;

	mark.line = mark.column = 1;
	for (size_t i = 0; i < file->length;) {
		size_t n = utf8_length(bytes + i, file->length - i);

		if (n == 0) {
			diags_error(diags, &mark,
				    "byte 0x%02x is not UTF-8; save the file as UTF-8 text",
				    bytes[i]);
			return HVC_EINVAL;
		}
		mark.column++;
		if (bytes[i] == '\n') {
			mark.line++;
			mark.column = 1;
		}
		i += n;
	}
	return HVC_OK;
}

enum hvc_err read_policy_open(const char *path, struct read_file *file, struct hvc_diags *diags,
			      const struct pol_mark *where)
{
	*file = (struct read_file){.fd = STDIN_FILENO};
	if (strcmp(path, "-") != 0) {
		file->fd = open_regular(path, file, diags, where);
	}
	return file->fd < 0 ? HVC_EIO : HVC_OK;
}

enum hvc_err read_policy_bytes(const char *path, struct read_file *file, size_t before,
			       struct hvc_diags *diags, const struct pol_mark *self,
			       const struct pol_mark *where)
{
	enum hvc_err err = read_all(file, before < READ_MAX_BYTES ? READ_MAX_BYTES - before : 0);

	if (err == HVC_EIO) {
		diags_error(diags, where, "cannot read '%s': %s", path, strerror(errno));
	} else if (err == HVC_E2BIG && file->length <= READ_MAX_BYTES) {
		diags_error(
			diags, where,
			"with '%s' this policy is larger than %zu MiB, the most a policy may be",
			path, READ_MAX_BYTES >> 20);
		err = HVC_EINVAL;
	} else if (err == HVC_E2BIG) {
		diags_error(diags, where,
			    "'%s' is larger than %zu MiB, the most a policy file may be", path,
			    READ_MAX_BYTES >> 20);
		err = HVC_EINVAL;
	}
	return err == HVC_OK ? check_utf8(file, diags, self) : err;
}

void read_policy_close(struct read_file *file)
{
	if (file->fd > STDIN_FILENO) {
		close(file->fd);
	}
	file->fd = -1;
	free(file->bytes);
	file->bytes = NULL;
}
