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
static int open_file(struct check *check, const char *path)
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
		return fd;
	}
	if (fd >= 0) {
		close(fd);
	}
	return -1;
}

static size_t read_bytes(struct check *check, int fd, char *bytes)
{
	size_t length = 0;

	while (length <= MAX_BYTES) {
		ssize_t got = read(fd, bytes + length, MAX_BYTES + 1 - length);

		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got < 0) {
			check_fail(check, "cannot be read: %s", strerror(errno));
		}
		if (got <= 0) {
			return length;
		}
		length += (size_t)got;
	}
	check_fail(check, "is larger than %u MiB", MAX_BYTES >> 20);
	return 0;
}

json_t *abi_json_read(struct check *check, const char *path)
{
	json_error_t error = {0};
	json_t *json = NULL;
	char *bytes = NULL;
	size_t length;
	int fd = open_file(check, path);

	if (fd < 0) {
		return NULL;
	}
	bytes = malloc(MAX_BYTES + 1);
	if (bytes == NULL) {
		check_fail(check, "no memory");
	} else {
		length = read_bytes(check, fd, bytes);
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
