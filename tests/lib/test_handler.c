/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * usage: test-handler SOCKET MODE [N]
 *
 * A handler for tests; says "listening" when it can be connected to.
 *   echo       x0 is 0, x1 to x3 are the call's
 *   slow       as echo, N milliseconds late
 *   crash      as echo, but dies without a word at the N-th request
 *   silent     takes requests, answers none
 *   garbage    answers the N-th request with what is no message, the others as echo
 *   other      is made for another policy
 */
#define _GNU_SOURCE
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <hvcgate/handler.h>

static const char *mode;
static unsigned long n, requests;

static void put(int fd, const struct hvc_handler_message *message)
{
	uint8_t bytes[HVC_HANDLER_MAX];

	(void)send(fd, bytes, hvc_handler_encode(message, bytes), MSG_NOSIGNAL);
}

static void answer(int fd, const struct hvc_handler_request *request)
{
	struct hvc_handler_message message = {
		.type = HVC_HANDLER_REPLY,
		.u.reply = {.sequence = request->sequence, .mask = 0xf, .frame = request->frame}};

	requests++;
	message.u.reply.frame.x[0] = 0;
	if (strcmp(mode, "crash") == 0 && requests == n) {
		_exit(3);
	}
	if (strcmp(mode, "silent") == 0) {
		return;
	}
	if (strcmp(mode, "slow") == 0) {
		usleep((useconds_t)n * 1000);
	}
	if (strcmp(mode, "garbage") == 0 && requests == n) {
		(void)send(fd, "garbage", 7, MSG_NOSIGNAL);
		return;
	}
	put(fd, &message);
}

/* False: it hung up. */
static bool serve(int fd)
{
	struct hvc_handler_message message, hello = {.type = HVC_HANDLER_HELLO};
	uint8_t bytes[HVC_HANDLER_MAX];
	const ssize_t size = recv(fd, bytes, sizeof(bytes), 0);

	if (size <= 0 || hvc_handler_decode(bytes, (size_t)size, &message) != HVC_OK) {
		return false;
	}
	if (message.type == HVC_HANDLER_HELLO) {
		memset(hello.u.hello.policy_sha256, strcmp(mode, "other") == 0 ? 0xee : 0, 32);
		snprintf(hello.u.hello.name, sizeof(hello.u.hello.name), "test-handler");
		put(fd, &hello);
	} else if (message.type == HVC_HANDLER_REQUEST) {
		answer(fd, &message.u.request);
	}
	return true;
}

static void serve_all(int listener)
{
	enum { PEERS = 16 };
	struct pollfd fds[1 + PEERS] = {{.fd = listener, .events = POLLIN}};
	unsigned int count = 1;

	while (poll(fds, count, -1) >= 0) {
		for (unsigned int i = count; i-- > 1;) {
			if (fds[i].revents != 0 && !serve(fds[i].fd)) {
				close(fds[i].fd);
				fds[i] = fds[--count];
			}
		}
		if (fds[0].revents != 0 && count <= PEERS) {
			fds[count++] = (struct pollfd){.fd = accept(listener, NULL, NULL),
						       .events = POLLIN};
		}
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	const int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	if (argc < 3) {
		fputs("usage: test-handler SOCKET MODE [N]\n", stderr);
		return 2;
	}
	mode = argv[2];
	n = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
	snprintf(name.sun_path, sizeof(name.sun_path), "%s", argv[1]);
	unlink(argv[1]);
	if (bind(fd, (struct sockaddr *)&name, sizeof(name)) != 0 || listen(fd, 16) != 0) {
		perror("test-handler");
		return 1;
	}
	puts("listening");
	fflush(stdout);
	serve_all(fd);
	return 1;
}
