/* SPDX-License-Identifier: BSD-2-Clause */
/* Files read whole, and bytes in sealed memfds for QEMU to open as /proc/self/fd/N. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run.h"

bool run_blob_make(const char *name, const void *data, size_t bytes, struct run_blob *blob)
{
	const char *at = data;
	size_t left = bytes;
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0) {
		return run_fail("cannot make memory for the %s: %s", name, strerror(errno));
	}
	while (left > 0) {
		ssize_t n = write(fd, at, left);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			run_fail("cannot fill the memory of the %s: %s", name, strerror(errno));
			close(fd);
			return false;
		}
		at += n;
		left -= (size_t)n;
	}
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0) {
		run_fail("cannot seal the memory of the %s: %s", name, strerror(errno));
		close(fd);
		return false;
	}
	blob->fd = fd;
	blob->bytes = bytes;
	return true;
}

char *run_fd_path(int fd)
{
	return run_format("/proc/self/fd/%d", fd);
}

/* Opened without blocking on a FIFO; only a regular file has a size to trust and an end. */
static int open_regular(const char *what, const char *path, uint64_t limit, size_t *bytes)
{
	struct stat status;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0) {
		run_fail("%s %s: %s", what, path, strerror(errno));
		return -1;
	}
	if (fstat(fd, &status) < 0) {
		run_fail("%s %s: %s", what, path, strerror(errno));
	} else if (S_ISDIR(status.st_mode)) {
		run_fail("%s %s: is a directory; a file is wanted", what, path);
	} else if (!S_ISREG(status.st_mode)) {
		run_fail("%s %s: is not a regular file", what, path);
	} else if (status.st_size == 0) {
		run_fail("%s %s: is empty", what, path);
	} else if ((uint64_t)status.st_size > limit) {
		run_fail("%s %s: has %llu MiB, more than the %llu MiB that could be used", what,
			 path, (unsigned long long)((uint64_t)status.st_size / RUN_MIB),
			 (unsigned long long)(limit / RUN_MIB));
	} else {
		*bytes = (size_t)status.st_size;
		return fd;
	}
	close(fd);
	return -1;
}

bool run_file_read(const char *what, const char *path, uint64_t limit, uint8_t **data,
		   size_t *bytes)
{
	size_t have = 0, want = 0;
	int fd = open_regular(what, path, limit, &want);
	uint8_t *buffer;

	if (fd < 0) {
		return false;
	}
	buffer = run_realloc(NULL, want);
	while (have < want) {
		ssize_t n = read(fd, buffer + have, want - have);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			run_fail("%s %s: %s", what, path,
				 n < 0 ? strerror(errno) : "became shorter while it was read");
			free(buffer);
			close(fd);
			return false;
		}
		have += (size_t)n;
	}
	close(fd);
	*data = buffer;
	*bytes = have;
	return true;
}
