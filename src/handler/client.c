/* SPDX-License-Identifier: BSD-2-Clause */
/* One handler, supervised (client.h). */
#define _GNU_SOURCE
#include "client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MS        UINT64_C(1000000)
#define FIRST_NS  (20 * MS)   /* the pause before it is tried again, doubled each time... */
#define LAST_NS   (1000 * MS) /* ...up to this */
#define HELLO_NS  (1000 * MS) /* how long a greeting may take */
#define BATCH     64          /* messages taken at once */
#define SLOT_BITS 10

_Static_assert(HANDLER_OUTSTANDING <= 1u << SLOT_BITS, "a sequence number has the slot's");

struct call {
	TAILQ_ENTRY(call) link;
	uint64_t deadline_ns;
	void *whose;
	bool sent;
	struct hvc_handler_request request; /* sequence: number << SLOT_BITS | slot */
};
TAILQ_HEAD(calls, call);

struct handler_client {
	struct handler_options options;
	char name[64], vm[64], state[160];
	struct sockaddr_un address;
	int fd;            /* -1: down */
	bool greeted;      /* the handler has said HELLO */
	bool unhelloed;    /* ours is not sent yet */
	bool useful;       /* has answered since */
	uint64_t until_ns; /* the greeting's time-out; down: the next try */
	uint64_t pause_ns;
	uint64_t next; /* number of the next request */
	/* All calls have one time-out, so each list is in the order of their deadlines. */
	struct calls unsent, sent, idle;
	struct call calls[HANDLER_OUTSTANDING];
	struct handler_counts counts;
};

static void say(struct handler_client *client, const char *format, const char *what)
{
	char text[sizeof(client->state)];

	snprintf(text, sizeof(text), format, what);
	if (strcmp(text, client->state) != 0) {
		memcpy(client->state, text, sizeof(text));
		if (client->options.told != NULL) {
			client->options.told(client->options.context, client->name, text);
		}
	}
}

/* --- Calls. */
static void finish(struct handler_client *client, struct calls *list, struct call *call,
		   const struct hvc_handler_reply *reply)
{
	TAILQ_REMOVE(list, call, link);
	TAILQ_INSERT_TAIL(&client->idle, call, link);
	call->request.sequence = 0;
	client->options.done(client->options.context, call->whose, reply);
}

static void fail_all(struct handler_client *client, struct calls *list)
{
	while (!TAILQ_EMPTY(list)) {
		client->counts.failed++;
		finish(client, list, TAILQ_FIRST(list), NULL);
	}
}

/* Down, for `what`. What the handler may have seen fails, and never goes out again. */
static void hang_up(struct handler_client *client, uint64_t now_ns, const char *format,
		    const char *what)
{
	if (client->fd >= 0) {
		close(client->fd);
	}
	client->fd = -1;
	client->greeted = false;
	client->pause_ns = client->useful ? FIRST_NS : client->pause_ns * 2;
	client->pause_ns = client->pause_ns > LAST_NS ? LAST_NS : client->pause_ns;
	client->useful = false;
	client->until_ns = now_ns + client->pause_ns;
	say(client, format, what);
	fail_all(client, &client->sent);
	fail_all(client, &client->unsent);
}

static bool put(const struct handler_client *client, const struct hvc_handler_message *message)
{
	uint8_t bytes[HVC_HANDLER_MAX];
	const size_t size = hvc_handler_encode(message, bytes);

	return size != 0 &&
	       send(client->fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)size;
}

/* As far as the socket takes it. What cannot be sent for another reason is seen by who reads. */
static void flush(struct handler_client *client)
{
	struct hvc_handler_message message = {.type = HVC_HANDLER_HELLO};

	if (client->unhelloed) {
		memcpy(message.u.hello.policy_sha256, client->options.policy_sha256,
		       sizeof(message.u.hello.policy_sha256));
		memcpy(message.u.hello.name, client->vm, sizeof(message.u.hello.name));
		client->unhelloed = !put(client, &message);
	}
	while (client->greeted && !client->unhelloed && !TAILQ_EMPTY(&client->unsent)) {
		struct call *call = TAILQ_FIRST(&client->unsent);

		message.type = HVC_HANDLER_REQUEST;
		message.u.request = call->request;
		if (!put(client, &message)) {
			return;
		}
		TAILQ_REMOVE(&client->unsent, call, link);
		TAILQ_INSERT_TAIL(&client->sent, call, link);
		call->sent = true;
	}
}

static void expire(struct handler_client *client, struct calls *list, uint64_t now_ns)
{
	struct call *call;

	while ((call = TAILQ_FIRST(list)) != NULL && call->deadline_ns <= now_ns) {
		const struct hvc_handler_message message = {
			.type = HVC_HANDLER_CANCEL,
			.u.cancel = {.sequence = call->request.sequence,
				     .reason = HVC_HANDLER_TIMED_OUT}};

		if (list == &client->sent) {
			(void)put(client, &message); /* where there is no room it does not matter */
		}
		client->counts.timed_out++;
		finish(client, list, call, NULL);
	}
}

/* --- Messages of the handler. */
static bool take_hello(struct handler_client *client, const struct hvc_handler_hello *hello)
{
	static const uint8_t any[sizeof(hello->policy_sha256)];

	if (client->greeted) {
		return false;
	}
	if (memcmp(hello->policy_sha256, any, sizeof(any)) != 0 &&
	    memcmp(hello->policy_sha256, client->options.policy_sha256, sizeof(any)) != 0) {
		return false;
	}
	client->greeted = true;
	say(client, "attached%s", "");
	return true;
}

static bool take_reply(struct handler_client *client, const struct hvc_handler_reply *reply)
{
	const uint64_t slot = reply->sequence & ((1u << SLOT_BITS) - 1);
	struct call *call = slot < HANDLER_OUTSTANDING ? &client->calls[slot] : NULL;

	if (!client->greeted || call == NULL || reply->sequence >> SLOT_BITS >= client->next) {
		return false; /* never asked */
	}
	if (call->request.sequence != reply->sequence) {
		client->counts.late++;
		return true;
	}
	if (!call->sent) {
		return false; /* a guess is no answer */
	}
	client->useful = true;
	if (reply->status == HVC_HANDLER_ANSWERED) {
		client->counts.answered++;
		finish(client, &client->sent, call, reply);
	} else {
		client->counts.failed++;
		finish(client, &client->sent, call, NULL);
	}
	return true;
}

static bool take_message(struct handler_client *client, const struct hvc_handler_message *message)
{
	if (message->type == HVC_HANDLER_HELLO) {
		return take_hello(client, &message->u.hello);
	}
	return message->type == HVC_HANDLER_REPLY && take_reply(client, &message->u.reply);
}

static const char *why_garbage(const struct handler_client *client, enum hvc_err err,
			       const struct hvc_handler_message *message)
{
	if (err == HVC_ENOTSUP) {
		return "it speaks another version of the protocol";
	}
	if (err != HVC_OK || message->type != HVC_HANDLER_HELLO) {
		return "what it says is no answer";
	}
	return client->greeted ? "it says HELLO twice" : "it is made for another policy";
}

static void receive(struct handler_client *client, uint64_t now_ns)
{
	for (unsigned int i = 0; i < BATCH && client->fd >= 0; i++) {
		struct hvc_handler_message message;
		uint8_t bytes[HVC_HANDLER_MAX + 1];
		const ssize_t size = recv(client->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		enum hvc_err err;

		if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
			return;
		}
		if (size <= 0) {
			hang_up(client, now_ns, "not there: %s",
				size == 0 ? "it hung up" : strerror(errno));
			return;
		}
		err = hvc_handler_decode(bytes, (size_t)size, &message);
		if (err != HVC_OK || !take_message(client, &message)) {
			client->counts.garbage++;
			hang_up(client, now_ns, "hung up on: %s",
				why_garbage(client, err, &message));
		}
	}
}

/* --- The connection. */
static bool is_trusted(int fd, char *why, size_t size)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) {
		snprintf(why, size, "nobody knows whose it is");
		return false;
	}
	snprintf(why, size, "its user is %u: neither ours, %u, nor root", (unsigned int)peer.uid,
		 (unsigned int)geteuid());
	return peer.uid == 0 || peer.uid == geteuid();
}

static void connect_to(struct handler_client *client, uint64_t now_ns)
{
	char why[80];

	client->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (client->fd < 0 || connect(client->fd, (const struct sockaddr *)&client->address,
				      sizeof(client->address)) != 0) {
		hang_up(client, now_ns, "not there: %s", strerror(errno));
		return;
	}
	if (!is_trusted(client->fd, why, sizeof(why))) {
		hang_up(client, now_ns, "not asked: %s", why);
		return;
	}
	client->unhelloed = true;
	client->until_ns = now_ns + HELLO_NS;
}

/* --- The caller's. */
static void copy_name(char to[64], const char *from)
{
	size_t n = 0;

	for (; from != NULL && from[n] != '\0' && n < 63; n++) {
		to[n] = (char)(from[n] < 0x20 || from[n] > 0x7e ? '?' : from[n]);
	}
	memset(to + n, 0, 64 - n);
}

struct handler_client *handler_client_new(const struct handler_options *options)
{
	struct handler_client *client = calloc(1, sizeof(*client));

	if (client == NULL) {
		return NULL;
	}
	client->options = *options;
	copy_name(client->name, options->name);
	copy_name(client->vm, options->vm);
	client->address.sun_family = AF_UNIX;
	snprintf(client->address.sun_path, sizeof(client->address.sun_path), "%s", options->socket);
	client->options.name = client->name;
	client->options.vm = client->vm;
	client->options.socket = client->address.sun_path;
	client->fd = -1;
	client->next = 1;
	client->pause_ns = FIRST_NS / 2;
	snprintf(client->state, sizeof(client->state), "not there yet");
	TAILQ_INIT(&client->unsent);
	TAILQ_INIT(&client->sent);
	TAILQ_INIT(&client->idle);
	for (unsigned int i = 0; i < HANDLER_OUTSTANDING; i++) {
		TAILQ_INSERT_TAIL(&client->idle, &client->calls[i], link);
	}
	return client;
}

void handler_client_free(struct handler_client *client)
{
	if (client == NULL) {
		return;
	}
	client->options.told = NULL;
	hang_up(client, 0, "%s", "");
	free(client);
}

bool handler_client_send(struct handler_client *client, uint64_t now_ns,
			 const struct hvc_handler_request *request, void *whose)
{
	struct call *call = TAILQ_FIRST(&client->idle);

	client->counts.requests++;
	if (client->fd < 0 || call == NULL) {
		client->counts.failed++;
		return false;
	}
	TAILQ_REMOVE(&client->idle, call, link);
	call->request = *request;
	call->request.sequence = client->next++ << SLOT_BITS | (uint64_t)(call - client->calls);
	call->request.timeout_ms = client->options.timeout_ms;
	call->deadline_ns = now_ns + client->options.timeout_ms * MS;
	call->whose = whose;
	call->sent = false;
	TAILQ_INSERT_TAIL(&client->unsent, call, link);
	flush(client);
	return true;
}

int handler_client_fd(const struct handler_client *client, short *events)
{
	const bool more = client->unhelloed || (client->greeted && !TAILQ_EMPTY(&client->unsent));

	*events = (short)(POLLIN | (more ? POLLOUT : 0));
	return client->fd;
}

uint64_t handler_client_deadline(const struct handler_client *client)
{
	uint64_t deadline = client->greeted ? UINT64_MAX : client->until_ns;
	const struct calls *lists[] = {&client->unsent, &client->sent};

	for (size_t i = 0; i < 2; i++) {
		const struct call *first = TAILQ_FIRST(lists[i]);

		if (first != NULL && first->deadline_ns < deadline) {
			deadline = first->deadline_ns;
		}
	}
	return deadline;
}

void handler_client_work(struct handler_client *client, uint64_t now_ns)
{
	if (client->fd < 0 && now_ns >= client->until_ns) {
		connect_to(client, now_ns);
	}
	if (client->fd >= 0) {
		flush(client);
		receive(client, now_ns);
	}
	if (client->fd >= 0 && !client->greeted && now_ns >= client->until_ns) {
		hang_up(client, now_ns, "hung up on: %s", "it says no HELLO");
	}
	if (client->fd >= 0) {
		flush(client); /* the greeting may have come */
		expire(client, &client->sent, now_ns);
		expire(client, &client->unsent, now_ns);
	}
}

const struct handler_counts *handler_client_counts(const struct handler_client *client)
{
	return &client->counts;
}

const char *handler_client_state(const struct handler_client *client)
{
	return client->state;
}

const struct handler_options *handler_client_options(const struct handler_client *client)
{
	return &client->options;
}
