/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where console, trace and messages go. Nothing here blocks, so a stopped reader cannot keep Ctrl-C or
 * a timeout from working; the descriptors are not made non-blocking, because others share them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run.h"

#define FULL ((size_t)64 << 10)

void run_sink_init(struct run_sink *sink, int fd)
{
	struct stat status;

	*sink = (struct run_sink){.fd = fd, .at_line_start = true};
	/* poll() promises PIPE_BUF bytes without blocking, and a regular file any number. */
	sink->chunk = fstat(fd, &status) == 0 && S_ISREG(status.st_mode) ? FULL : PIPE_BUF;
}

void run_sink_free(struct run_sink *sink)
{
	free(sink->data);
	sink->data = NULL;
}

void run_sink_put(struct run_sink *sink, const char *data, size_t count)
{
	if (count == 0 || sink->failed) {
		return;
	}
	if (sink->start > 0) {
		memmove(sink->data, sink->data + sink->start, sink->count);
		sink->start = 0;
	}
	if (sink->count + count > sink->room) {
		sink->room = 2 * (sink->count + count);
		sink->data = run_realloc(sink->data, sink->room);
	}
	memcpy(sink->data + sink->count, data, count);
	sink->count += count;
	sink->at_line_start = data[count - 1] == '\n';
}

void run_sink_line(struct run_sink *sink, const char *line)
{
	if (!sink->at_line_start) {
		run_sink_put(sink, "\n", 1);
	}
	run_sink_put(sink, line, strlen(line));
}

bool run_sink_full(const struct run_sink *sink)
{
	return sink->count >= FULL;
}

void run_sink_flush(struct run_sink *sink)
{
	const size_t count = sink->count < sink->chunk ? sink->count : sink->chunk;
	ssize_t n;

	if (count == 0 || sink->failed) {
		return;
	}
	n = write(sink->fd, sink->data + sink->start, count);
	if (n > 0) {
		sink->start += (size_t)n;
		sink->count -= (size_t)n;
	} else if (n < 0 && errno != EINTR && errno != EAGAIN) {
		sink->error = errno;
		sink->failed = true;
		sink->count = 0;
	}
}

bool run_same_file(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino && !S_ISREG(x.st_mode);
}
