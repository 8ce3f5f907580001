/* SPDX-License-Identifier: BSD-2-Clause */
/* A handler with a function that answers (hvcgate/handler.h). */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <hvcgate/handler.h>

#define PEERS       64
#define PATIENCE_MS 1000

struct serving {
	const struct hvc_handler_server *server;
	struct pollfd fds[1 + PEERS]; /* the listener first; -1: free */
	bool greeted[1 + PEERS];
};

/* Does somebody listen there? */
static bool is_alive(const struct sockaddr_un *name)
{
	const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const bool alive = fd >= 0 &&
			   (connect(fd, (const struct sockaddr *)name, sizeof(*name)) == 0 ||
			    errno == EAGAIN);

	if (fd >= 0) {
		close(fd);
	}
	return alive;
}

static bool is_socket(const char *path)
{
	struct stat status;

	return lstat(path, &status) == 0 && S_ISSOCK(status.st_mode);
}

static enum hvc_err listen_at(const char *path, int *fd)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	const int saved = snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);

	if (path[0] != '/' || saved < 0 || (size_t)saved >= sizeof(name.sun_path)) {
		return HVC_EINVAL;
	}
	if (is_alive(&name)) {
		return HVC_EBUSY;
	}
	if (is_socket(path)) {
		(void)unlink(path);
	}
	*fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*fd < 0) {
		return HVC_EIO;
	}
	if (fchmod(*fd, 0600) != 0 || bind(*fd, (struct sockaddr *)&name, sizeof(name)) != 0 ||
	    chmod(path, 0600) != 0 || listen(*fd, PEERS) != 0) {
		const int error = errno;

		close(*fd);
		errno = error;
		return HVC_EIO;
	}
	return HVC_OK;
}

static bool put(int fd, const struct hvc_handler_message *message)
{
	uint8_t bytes[HVC_HANDLER_MAX];
	const size_t size = hvc_handler_encode(message, bytes);
	struct pollfd room = {.fd = fd, .events = POLLOUT};

	while (size != 0) {
		if (send(fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)size) {
			return true;
		}
		/* Who does not take its replies is hung up on: others wait. */
		if (errno != EINTR && (errno != EAGAIN || poll(&room, 1, PATIENCE_MS) == 0)) {
			break;
		}
	}
	return false;
}

static bool greet(struct serving *serving, unsigned int n)
{
	struct hvc_handler_message message = {.type = HVC_HANDLER_HELLO};

	if (serving->greeted[n]) {
		return false; /* once is enough */
	}
	serving->greeted[n] = true;
	snprintf(message.u.hello.name, sizeof(message.u.hello.name), "%s", serving->server->name);
	return put(serving->fds[n].fd, &message);
}

static bool answer(struct serving *serving, unsigned int n,
		   const struct hvc_handler_request *request)
{
	struct hvc_handler_message message = {.type = HVC_HANDLER_REPLY,
					      .u.reply.sequence = request->sequence};

	if (!serving->greeted[n]) {
		return false;
	}
	if (!serving->server->answer(serving->server->context, request, &message.u.reply)) {
		message.u.reply = (struct hvc_handler_reply){.sequence = request->sequence,
							     .status = HVC_HANDLER_FAILED};
	}
	return put(serving->fds[n].fd, &message);
}

/* False: hang up. */
static bool serve(struct serving *serving, unsigned int n)
{
	struct hvc_handler_message message;
	uint8_t bytes[HVC_HANDLER_MAX + 1];
	const ssize_t size = recv(serving->fds[n].fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
		return true;
	}
	if (size <= 0 || hvc_handler_decode(bytes, (size_t)size, &message) != HVC_OK) {
		return false;
	}
	switch (message.type) {
	case HVC_HANDLER_HELLO:
		return greet(serving, n);
	case HVC_HANDLER_REQUEST:
		return answer(serving, n, &message.u.request);
	default:
		return message.type != HVC_HANDLER_REPLY; /* of the others nothing follows here */
	}
}

static void accept_one(struct serving *serving)
{
	const int fd = accept4(serving->fds[0].fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	for (unsigned int n = 1; fd >= 0 && n <= PEERS; n++) {
		if (serving->fds[n].fd < 0) {
			serving->fds[n].fd = fd;
			serving->greeted[n] = false;
			return;
		}
	}
	if (fd >= 0) {
		close(fd); /* too many: it comes again */
	}
}

static enum hvc_err loop(struct serving *serving)
{
	for (;;) {
		if (poll(serving->fds, 1 + PEERS, -1) < 0 && errno != EINTR) {
			return HVC_EIO;
		}
		for (unsigned int n = 1; n <= PEERS; n++) {
			if (serving->fds[n].fd >= 0 && serving->fds[n].revents != 0 &&
			    !serve(serving, n)) {
				close(serving->fds[n].fd);
				serving->fds[n].fd = -1;
			}
		}
		if (serving->fds[0].revents != 0) {
			accept_one(serving);
		}
	}
}

enum hvc_err hvc_handler_serve(const struct hvc_handler_server *server)
{
	struct hvc_handler_message hello = {.type = HVC_HANDLER_HELLO};
	struct serving serving = {.server = server};
	uint8_t bytes[HVC_HANDLER_MAX];
	enum hvc_err err;

	if (server == NULL || server->path == NULL || server->name == NULL ||
	    server->answer == NULL) {
		return HVC_EFAULT;
	}
	if (server->size != sizeof(*server) || strlen(server->name) >= sizeof(hello.u.hello.name)) {
		return HVC_EINVAL;
	}
	memcpy(hello.u.hello.name, server->name, strlen(server->name));
	if (hvc_handler_encode(&hello, bytes) == 0) {
		return HVC_EINVAL;
	}
	for (unsigned int n = 0; n <= PEERS; n++) {
		serving.fds[n] = (struct pollfd){.fd = -1, .events = POLLIN};
	}
	err = listen_at(server->path, &serving.fds[0].fd);
	return err != HVC_OK ? err : loop(&serving);
}
