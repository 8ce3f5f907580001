/* SPDX-License-Identifier: BSD-2-Clause */
/* The asking side: who is there, and a request to one of them. */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "ctl.h"

/* A socket's name is a PID. */
static int32_t pid_of(const char *name)
{
	char *end;
	long pid;

	if (!isdigit((unsigned char)name[0])) {
		return 0;
	}
	errno = 0;
	pid = strtol(name, &end, 10);
	return *end == '\0' && errno == 0 && pid > 0 && pid <= INT32_MAX ? (int32_t)pid : 0;
}

/* Another user could listen in a directory that all may write; root's and our own processes are who they say. */
static bool trusted(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
	       (geteuid() == 0 || peer.uid == 0 || peer.uid == geteuid());
}

/* Any other file refuses, too. */
static bool is_socket(const char *path)
{
	struct stat status;

	return lstat(path, &status) == 0 && S_ISSOCK(status.st_mode);
}

/* A connected descriptor, or -1. One that nobody listens on is removed. */
static int dial(const char *path)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0) {
		return -1;
	}
	snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
	errno = 0;
	if (connect(fd, (struct sockaddr *)&name, sizeof(name)) == 0 && trusted(fd)) {
		return fd;
	}
	if (errno == ECONNREFUSED && is_socket(path)) {
		(void)unlink(path);
	}
	close(fd);
	return -1;
}

static size_t find_in(const char *directory, struct ctl_peer *peers, size_t capacity, size_t found)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;

	if (dir == NULL) {
		return found;
	}
	while ((entry = readdir(dir)) != NULL) {
		struct ctl_peer peer = {.pid = pid_of(entry->d_name)};
		const int n = snprintf(peer.path, sizeof(peer.path), "%s/%s", directory,
				       entry->d_name);

		if (peer.pid == 0 || n < 0 || (size_t)n >= sizeof(peer.path)) {
			continue;
		}
		peer.fd = dial(peer.path);
		if (peer.fd < 0) {
			continue;
		}
		if (found < capacity) {
			peers[found] = peer;
		} else {
			close(peer.fd);
		}
		found++;
	}
	closedir(dir);
	return found;
}

size_t ctl_find(struct ctl_peer *peers, size_t capacity)
{
	char directory[108];
	size_t found = 0;

	for (unsigned int n = 0; ctl_directory(n, directory, sizeof(directory)); n++) {
		found = find_in(directory, peers, capacity, found);
	}
	return found;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static json_t *nothing(char *why, size_t size, const char *what)
{
	snprintf(why, size, "%s", what);
	return NULL;
}

/* Wait for a packet, to the deadline. */
static ssize_t take(int fd, char *bytes, size_t size, int64_t deadline)
{
	for (;;) {
		const int64_t left = deadline - now_ms();
		struct pollfd ready = {.fd = fd, .events = POLLIN};
		ssize_t n = recv(fd, bytes, size, MSG_DONTWAIT);

		if (n >= 0 || (errno != EAGAIN && errno != EINTR)) {
			return n;
		}
		if (left <= 0) {
			errno = ETIMEDOUT;
			return -1;
		}
		(void)poll(&ready, 1, (int)left);
	}
}

json_t *ctl_ask(const struct ctl_peer *peer, const json_t *request, int timeout_ms, char *why,
		size_t why_size)
{
	const int64_t deadline = now_ms() + timeout_ms;
	char *text = json_dumps(request, JSON_COMPACT), *bytes;
	json_t *reply = NULL;
	ssize_t n;

	if (text == NULL || send(peer->fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
		free(text);
		return nothing(why, why_size, "it is gone");
	}
	free(text);
	bytes = malloc(CTL_REPLY_MAX);
	if (bytes == NULL) {
		return nothing(why, why_size, "out of memory");
	}
	n = take(peer->fd, bytes, CTL_REPLY_MAX, deadline);
	if (n <= 0) {
		nothing(why, why_size,
			n == 0 || errno != ETIMEDOUT ? "it is gone" : "it does not answer");
	} else {
		reply = json_loadb(bytes, (size_t)n, 0, NULL);
	}
	free(bytes);
	if (n > 0 && json_integer_value(json_object_get(reply, "ctl")) != CTL_VERSION) {
		json_decref(reply);
		return nothing(why, why_size, "its answer is not this hvcgate's: use its own");
	}
	return reply;
}

json_t *ctl_request(const char *verb, const char *function)
{
	json_t *json = json_pack("{s:i, s:s}", "ctl", CTL_VERSION, "do", verb);

	if (function != NULL) {
		json_object_set_new(json, "function", json_string(function));
	}
	return json;
}

void ctl_close(struct ctl_peer *peer)
{
	if (peer->fd >= 0) {
		close(peer->fd);
	}
	peer->fd = -1;
}
