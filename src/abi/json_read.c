/* SPDX-License-Identifier: BSD-2-Clause */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record.h"

#define MAX_BYTES (4u << 20)

/* Never waits: a pipe that nobody writes to is opened without blocking, and then refused. */
static int open_file(struct check *check, const char *path, size_t *size)
{
	struct stat info;
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &info) < 0) {
		check_fail(check, "cannot be read: %s", strerror(errno));
	} else if (!S_ISREG(info.st_mode)) {
		check_fail(check, "is no file");
	} else if (info.st_size > (off_t)MAX_BYTES) {
		check_fail(check, "is larger than %u MiB", MAX_BYTES >> 20);
	} else {
		*size = (size_t)info.st_size;
		return fd;
	}
	if (fd >= 0) {
		close(fd);
	}
	return -1;
}

/* At most `size` bytes; what grew behind them is not looked at: the parser says if that is half a file. */
static size_t read_bytes(struct check *check, int fd, char *bytes, size_t size)
{
	size_t length = 0;

	while (length < size) {
		ssize_t got = read(fd, bytes + length, size - length);

		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got < 0) {
			check_fail(check, "cannot be read: %s", strerror(errno));
		}
		if (got <= 0) {
			break;
		}
		length += (size_t)got;
	}
	return length;
}

json_t *abi_json_read(struct check *check, const char *path)
{
	json_error_t error = {0};
	json_t *json = NULL;
	char *bytes = NULL;
	size_t length = 0;
	int fd = open_file(check, path, &length);

	if (fd < 0) {
		return NULL;
	}
	bytes = malloc(length + 1);
	if (bytes == NULL) {
		check_fail(check, "no memory");
	} else {
		length = read_bytes(check, fd, bytes, length);
		if (!check->failed) {
			json = json_loadb(bytes, length, JSON_REJECT_DUPLICATES, &error);
		}
		if (json == NULL) {
			check_fail(check, "line %d, column %d: %s", error.line, error.column,
				   error.text);
		}
	}
	free(bytes);
	close(fd);
	return json;
}
