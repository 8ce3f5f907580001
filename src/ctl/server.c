/* SPDX-License-Identifier: BSD-2-Clause */
/* The listening side: a socket of our own, peers of our own user. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctl.h"

struct ctl_server {
	struct ctl_subject subject;
	int poll, listener;
	int peers[CTL_PEERS];
	pid_t owner;
	char path[108];
};

static bool fail(char *why, size_t size, const char *what, const char *path)
{
	snprintf(why, size, "%s %s: %s", what, path, strerror(errno));
	return false;
}

/* Ours or root's, and nobody else puts things there in our name. */
static bool directory_good(const char *path, char *why, size_t size)
{
	struct stat status;

	if (lstat(path, &status) != 0) {
		return fail(why, size, "cannot look at", path);
	}
	if (!S_ISDIR(status.st_mode)) {
		snprintf(why, size, "%s is no directory", path);
		return false;
	}
	if (status.st_uid != geteuid() && status.st_uid != 0) {
		snprintf(why, size, "%s belongs to another user", path);
		return false;
	}
	if ((status.st_mode & 0022) != 0 && (status.st_mode & S_ISVTX) == 0) {
		snprintf(why, size, "%s can be written by others; make it mode 0700", path);
		return false;
	}
	return true;
}

static bool directory_make(char *path, size_t path_size, char *why, size_t size)
{
	if (!ctl_directory(0, path, path_size)) {
		snprintf(why, size, "the path of the directory for sockets is too long");
		return false;
	}
	if (mkdir(path, 0700) != 0 && errno != EEXIST) {
		return fail(why, size, "cannot make", path);
	}
	return directory_good(path, why, size);
}

/* Under another name until it listens: a socket that nobody listens on is a dead one's. */
static bool listen_at(struct ctl_server *server, const char *directory, char *why, size_t size)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	const int pid = (int)getpid();
	int n = snprintf(server->path, sizeof(server->path), "%s/%d", directory, pid);

	if (n < 0 || (size_t)n >= sizeof(name.sun_path) - 4) {
		snprintf(why, size, "the path %s is too long for a socket", directory);
		return false;
	}
	snprintf(name.sun_path, sizeof(name.sun_path), "%.100s.new", server->path);
	server->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (server->listener < 0) {
		return fail(why, size, "cannot make a socket for", server->path);
	}
	(void)unlink(name.sun_path); /* of a process that had our number and died here */
	if (fchmod(server->listener, 0600) != 0 ||
	    bind(server->listener, (struct sockaddr *)&name, sizeof(name)) != 0 ||
	    chmod(name.sun_path, 0600) != 0 || listen(server->listener, (int)CTL_PEERS) != 0 ||
	    rename(name.sun_path, server->path) != 0) {
		fail(why, size, "cannot listen at", server->path);
		(void)unlink(name.sun_path);
		return false;
	}
	return true;
}

static bool watch(struct ctl_server *server, int fd, uint32_t number)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = number};

	return epoll_ctl(server->poll, EPOLL_CTL_ADD, fd, &event) == 0;
}

struct ctl_server *ctl_server_new(const struct ctl_subject *subject, char *why, size_t why_size)
{
	struct ctl_server *server = calloc(1, sizeof(*server));
	char directory[108];

	if (server == NULL) {
		snprintf(why, why_size, "out of memory");
		return NULL;
	}
	server->subject = *subject;
	server->owner = getpid();
	server->listener = -1;
	for (unsigned int i = 0; i < CTL_PEERS; i++) {
		server->peers[i] = -1;
	}
	(void)ctl_find(NULL, 0); /* clears away the dead */
	server->poll = epoll_create1(EPOLL_CLOEXEC);
	if (server->poll < 0) {
		fail(why, why_size, "cannot poll for", "ctl");
	} else if (directory_make(directory, sizeof(directory), why, why_size) &&
		   listen_at(server, directory, why, why_size)) {
		if (watch(server, server->listener, CTL_PEERS)) {
			return server;
		}
		fail(why, why_size, "cannot poll for", "ctl");
	} else {
		server->path[0] = '\0'; /* not ours */
	}
	ctl_server_free(server);
	return NULL;
}

int ctl_server_fd(const struct ctl_server *server)
{
	return server->poll;
}

const char *ctl_server_path(const struct ctl_server *server)
{
	return server->path;
}

static void drop(struct ctl_server *server, unsigned int n)
{
	close(server->peers[n]); /* and out of the epoll set */
	server->peers[n] = -1;
	(void)epoll_ctl(server->poll, EPOLL_CTL_MOD, server->listener,
			&(struct epoll_event){.events = EPOLLIN, .data.u32 = CTL_PEERS});
}

static bool trusted(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
	       (peer.uid == 0 || peer.uid == geteuid());
}

static void accept_one(struct ctl_server *server)
{
	unsigned int free_peer = CTL_PEERS;
	int fd;

	for (unsigned int i = 0; i < CTL_PEERS; i++) {
		free_peer = server->peers[i] < 0 && free_peer == CTL_PEERS ? i : free_peer;
	}
	if (free_peer == CTL_PEERS) {
		/* Until one goes, who waits must not wake us. */
		(void)epoll_ctl(server->poll, EPOLL_CTL_MOD, server->listener,
				&(struct epoll_event){.events = 0, .data.u32 = CTL_PEERS});
		return;
	}
	fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0) {
		return;
	}
	if (!trusted(fd) || !watch(server, fd, free_peer)) {
		close(fd);
		return;
	}
	server->peers[free_peer] = fd;
}

static bool send_reply(int fd, const json_t *json)
{
	char *text = json == NULL ? NULL : json_dumps(json, JSON_COMPACT);
	size_t size = text == NULL ? 0 : strlen(text);
	/* Who does not read is not waited for. */
	bool sent = size > 0 && size <= CTL_REPLY_MAX &&
		    send(fd, text, size, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)size;

	free(text);
	return sent;
}

static void serve(struct ctl_server *server, unsigned int n)
{
	char bytes[CTL_REQUEST_MAX + 1];
	const ssize_t size = recv(server->peers[n], bytes, sizeof(bytes), MSG_DONTWAIT);
	json_t *request, *answer;

	if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
		return;
	}
	if (size <= 0 || size > (ssize_t)CTL_REQUEST_MAX) {
		drop(server, n);
		return;
	}
	request = json_loadb(bytes, (size_t)size, JSON_REJECT_DUPLICATES, NULL);
	answer = ctl_answer(&server->subject, request);
	if (!send_reply(server->peers[n], answer)) {
		drop(server, n);
	}
	json_decref(answer);
	json_decref(request);
}

void ctl_server_work(struct ctl_server *server)
{
	struct epoll_event events[CTL_PEERS + 1];
	const int count = epoll_wait(server->poll, events, CTL_PEERS + 1, 0);

	for (int i = 0; i < count; i++) {
		const uint32_t n = events[i].data.u32;

		if (n == CTL_PEERS) {
			accept_one(server);
		} else if (server->peers[n] >= 0) {
			serve(server, n);
		}
	}
}

void ctl_server_free(struct ctl_server *server)
{
	if (server == NULL) {
		return;
	}
	for (unsigned int i = 0; i < CTL_PEERS; i++) {
		if (server->peers[i] >= 0) {
			close(server->peers[i]);
		}
	}
	if (server->listener >= 0) {
		close(server->listener);
	}
	if (server->poll >= 0) {
		close(server->poll);
	}
	if (server->path[0] != '\0' && server->owner == getpid()) {
		(void)unlink(server->path);
	}
	free(server);
}
