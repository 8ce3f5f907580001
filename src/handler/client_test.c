/* SPDX-License-Identifier: BSD-2-Clause */
/* A handler, played by the test, and its supervision. Time is the test's: nothing here waits. */
#define _GNU_SOURCE
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka_all.h>

#include "client.h"

#define MS UINT64_C(1000000)
enum { TIMEOUT_MS = 100, CALLS = 2000 };

static char path[64];
static const uint8_t sha256[32] = {1, 2, 3};

static struct {
	struct handler_client *client;
	uint64_t now;
	int listener, peer; /* the handler's */
	unsigned int done[CALLS], failed[CALLS];
	uint64_t x0[CALLS];
	char told[8][160];
	unsigned int tellings;
} world;

static void done(void *context, void *call, const struct hvc_handler_reply *reply)
{
	const uintptr_t n = (uintptr_t)call;

	(void)context;
	assert_true(n < CALLS);
	world.done[n]++;
	world.failed[n] += reply == NULL;
	world.x0[n] = reply != NULL ? reply->frame.x[0] : 0;
}

static void told(void *context, const char *name, const char *state)
{
	(void)context;
	assert_string_equal(name, "ffa");
	snprintf(world.told[world.tellings++ % 8], sizeof(world.told[0]), "%s", state);
}

static void listen_again(void)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};

	snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
	unlink(path);
	world.listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(world.listener, (struct sockaddr *)&name, sizeof(name)), 0);
	assert_int_equal(listen(world.listener, 4), 0);
}

static void crash(void)
{
	close(world.listener);
	close(world.peer);
	world.listener = world.peer = -1;
}

static int setup(void **state)
{
	const struct handler_options options = {.name = "ffa",
						.socket = path,
						.timeout_ms = TIMEOUT_MS,
						.policy_sha256 = sha256,
						.vm = "web\n",
						.done = done,
						.told = told};

	(void)state;
	memset(&world, 0, sizeof(world));
	world.now = 1000 * MS;
	world.listener = world.peer = -1;
	world.client = handler_client_new(&options);
	return world.client == NULL;
}

static int teardown(void **state)
{
	(void)state;
	handler_client_free(world.client);
	if (world.listener >= 0) {
		close(world.listener);
	}
	if (world.peer >= 0) {
		close(world.peer);
	}
	unlink(path);
	return 0;
}

static void work(void)
{
	handler_client_work(world.client, world.now);
}

static struct handler_counts counts(void)
{
	return *handler_client_counts(world.client);
}

static void put(const struct hvc_handler_message *message)
{
	uint8_t bytes[HVC_HANDLER_MAX];
	const size_t size = hvc_handler_encode(message, bytes);

	assert_true(size > 0);
	assert_int_equal(send(world.peer, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT), size);
}

/* The next message to the handler; type 0: there is none. */
static struct hvc_handler_message get(void)
{
	struct hvc_handler_message message = {0};
	uint8_t bytes[HVC_HANDLER_MAX];
	const ssize_t size = recv(world.peer, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (size > 0) {
		assert_int_equal(hvc_handler_decode(bytes, (size_t)size, &message), HVC_OK);
	}
	return message;
}

static void greet(void)
{
	put(&(struct hvc_handler_message){.type = HVC_HANDLER_HELLO, .u.hello.name = "played"});
}

/* Connected, and both have said HELLO. */
static void attach(void)
{
	struct hvc_handler_message hello;

	if (world.listener < 0) {
		listen_again();
	}
	if (world.now < handler_client_deadline(world.client)) {
		world.now = handler_client_deadline(world.client);
	}
	work();
	world.peer = accept4(world.listener, NULL, NULL, SOCK_NONBLOCK);
	assert_true(world.peer >= 0);
	hello = get();
	assert_int_equal(hello.type, HVC_HANDLER_HELLO);
	assert_memory_equal(hello.u.hello.policy_sha256, sha256, 32);
	assert_string_equal(hello.u.hello.name, "web?");
	greet();
	work();
	assert_string_equal(handler_client_state(world.client), "attached");
}

static bool ask(unsigned int n)
{
	const struct hvc_handler_request request = {
		.vm = 1, .vcpu = 2, .id = 0xc3000000, .frame = {.x = {0, n}}};

	return handler_client_send(world.client, world.now, &request, (void *)(uintptr_t)n);
}

static void reply_to(uint64_t sequence, uint64_t x0)
{
	put(&(struct hvc_handler_message){
		.type = HVC_HANDLER_REPLY,
		.u.reply = {.sequence = sequence, .mask = 1, .frame.x = {x0}}});
}

/* The sequence number of the next request, which is call `n`. */
static uint64_t requested(unsigned int n)
{
	const struct hvc_handler_message message = get();

	assert_int_equal(message.type, HVC_HANDLER_REQUEST);
	assert_int_equal(message.u.request.frame.x[1], n);
	assert_int_equal(message.u.request.timeout_ms, TIMEOUT_MS);
	assert_int_equal(message.u.request.vm, 1);
	assert_int_equal(message.u.request.vcpu, 2);
	return message.u.request.sequence;
}

static void answers_in_any_order(void **state)
{
	uint64_t sequences[5];

	(void)state;
	attach();
	for (unsigned int i = 0; i < 5; i++) {
		assert_true(ask(i));
		sequences[i] = requested(i);
	}
	for (unsigned int i = 5; i-- > 0;) {
		reply_to(sequences[i], 100 + i);
	}
	work();
	for (unsigned int i = 0; i < 5; i++) {
		assert_int_equal(world.done[i], 1);
		assert_int_equal(world.failed[i], 0);
		assert_int_equal(world.x0[i], 100 + i);
	}
	assert_int_equal(counts().requests, 5);
	assert_int_equal(counts().answered, 5);
	/* Once more is late; and a failure that the handler says is one. */
	reply_to(sequences[0], 7);
	work();
	assert_int_equal(counts().late, 1);
	assert_int_equal(world.done[0], 1);
	assert_true(ask(9));
	put(&(struct hvc_handler_message){.type = HVC_HANDLER_REPLY,
					  .u.reply = {.sequence = requested(9),
						      .status = HVC_HANDLER_FAILED}});
	work();
	assert_int_equal(world.failed[9], 1);
	assert_int_equal(counts().failed, 1);
}

static void times_out(void **state)
{
	uint64_t sequence;
	struct hvc_handler_message cancel;

	(void)state;
	attach();
	assert_int_equal(handler_client_deadline(world.client), UINT64_MAX);
	assert_true(ask(1));
	sequence = requested(1);
	world.now += 30 * MS;
	assert_true(ask(2));
	assert_int_equal(handler_client_deadline(world.client), world.now + 70 * MS);
	world.now += 70 * MS - 1;
	work();
	assert_int_equal(world.done[1], 0);
	world.now += 1;
	work();
	assert_int_equal(world.failed[1], 1);
	assert_int_equal(world.done[2], 0);
	(void)requested(2);
	cancel = get();
	assert_int_equal(cancel.type, HVC_HANDLER_CANCEL);
	assert_int_equal(cancel.u.cancel.sequence, sequence);
	/* Too late: it is dropped, and the connection stays. */
	reply_to(sequence, 7);
	work();
	assert_int_equal(counts().late, 1);
	assert_int_equal(counts().timed_out, 1);
	assert_int_equal(counts().garbage, 0);
	assert_string_equal(handler_client_state(world.client), "attached");
	/* Its place is used again, under another number. */
	for (unsigned int i = 3; i < 3 + HANDLER_OUTSTANDING; i++) {
		assert_int_equal(ask(i), i < 3 + HANDLER_OUTSTANDING - 1);
	}
	for (unsigned int i = 3; i < 3 + HANDLER_OUTSTANDING - 1; i++) {
		struct hvc_handler_message message;

		handler_client_work(world.client, world.now);
		message = get();
		assert_int_equal(message.type, HVC_HANDLER_REQUEST);
		assert_int_not_equal(message.u.request.sequence, sequence);
	}
}

/* A crash: all that is outstanding fails, none is sent again, the next one is asked again. */
static void survives_crashes(void **state)
{
	(void)state;
	assert_false(ask(0)); /* nobody was ever there */
	for (unsigned int round = 0; round < 5; round++) {
		const unsigned int n = 1 + 3 * round;

		attach();
		assert_true(ask(n));
		assert_true(ask(n + 1));
		(void)requested(n);
		crash();
		work();
		assert_int_equal(world.failed[n], 1);
		assert_int_equal(world.failed[n + 1], 1);
		assert_false(ask(n + 2));
		assert_int_equal(world.done[n + 2], 0);
	}
	attach();
	assert_int_equal(get().type, 0);
	assert_true(ask(50));
	reply_to(requested(50), 1);
	work();
	assert_int_equal(world.x0[50], 1);
	assert_int_equal(counts().failed, 16);
	assert_int_equal(counts().requests, counts().answered + counts().failed);
}

/* It is tried again with pauses that grow to a second and no further. */
static void backs_off(void **state)
{
	uint64_t before = 0, pause = 0;

	(void)state;
	work();
	for (unsigned int i = 0; i < 20; i++) {
		const uint64_t next = handler_client_deadline(world.client);

		assert_true(next > world.now);
		before = pause;
		pause = next - world.now;
		assert_true(pause >= before && pause <= 1000 * MS);
		world.now = next;
		work();
		assert_int_equal(handler_client_fd(world.client, &(short){0}), -1);
	}
	assert_int_equal(pause, 1000 * MS);
	assert_non_null(strstr(handler_client_state(world.client), "No such file"));
	assert_int_equal(world.tellings, 1); /* said once */
	attach();
	assert_true(ask(1));
	reply_to(requested(1), 5);
	work();
	crash();
	work();
	/* It was of use: soon again. */
	assert_int_equal(handler_client_deadline(world.client) - world.now, 20 * MS);
}

static void holds_requests_for_the_greeting(void **state)
{
	(void)state;
	listen_again();
	work();
	assert_true(ask(1));
	world.peer = accept4(world.listener, NULL, NULL, SOCK_NONBLOCK);
	assert_int_equal(get().type, HVC_HANDLER_HELLO);
	assert_int_equal(get().type, 0);
	greet();
	work();
	reply_to(requested(1), 3);
	work();
	assert_int_equal(world.x0[1], 3);
}

static void wants_a_greeting(void **state)
{
	(void)state;
	listen_again();
	work();
	assert_true(ask(1));
	assert_int_equal(handler_client_deadline(world.client), world.now + TIMEOUT_MS * MS);
	world.now += TIMEOUT_MS * MS;
	work();
	assert_int_equal(world.failed[1], 1); /* its own time-out comes first */
	assert_int_equal(counts().timed_out, 1);
	assert_true(ask(2));
	world.now += 950 * MS;
	work();
	assert_int_equal(world.failed[2], 1);
	assert_non_null(strstr(handler_client_state(world.client), "no HELLO"));
}

/* What is no answer ends the connection, and the calls of it. */
static void hangs_up_on_garbage(void **state)
{
	static const char *const rubbish[] = {"", "x", "HVCH", "HVCH\1\0\3\0"};
	unsigned int n = 1, garbage = 0;

	(void)state;
	for (unsigned int kind = 0; kind < 10; kind++, n++) {
		struct hvc_handler_message message = {.type = HVC_HANDLER_REPLY,
						      .u.reply.sequence = 1};
		uint64_t sequence;

		attach();
		assert_true(ask(n));
		sequence = requested(n);
		switch (kind) {
		case 0:
		case 1:
		case 2:
		case 3:
			send(world.peer, rubbish[kind], kind == 0 ? 1 : strlen(rubbish[kind]), 0);
			break;
		case 4: /* never asked */
			message.u.reply.sequence = sequence + 0x10000000;
			put(&message);
			break;
		case 5: /* no place of ours */
			message.u.reply.sequence = sequence | 0x3ff;
			put(&message);
			break;
		case 6: /* a second HELLO */
			greet();
			break;
		case 7: /* what only we say */
			message.type = HVC_HANDLER_REQUEST;
			put(&message);
			break;
		case 8:
			message = (struct hvc_handler_message){.type = HVC_HANDLER_CANCEL,
							       .u.cancel = {sequence, 1}};
			put(&message);
			break;
		default: { /* longer than any message */
			static const uint8_t huge[4096] = "HVCH";

			send(world.peer, huge, sizeof(huge), 0);
		}
		}
		work();
		assert_int_equal(counts().garbage, ++garbage);
		assert_int_equal(world.failed[n], 1);
		assert_int_equal(handler_client_fd(world.client, &(short){0}), -1);
		crash();
	}
}

static void asks_only_handlers_of_its_policy(void **state)
{
	struct hvc_handler_message hello = {.type = HVC_HANDLER_HELLO};

	(void)state;
	listen_again();
	work();
	assert_true(ask(1));
	world.peer = accept4(world.listener, NULL, NULL, SOCK_NONBLOCK);
	hello.u.hello.policy_sha256[0] = 9;
	put(&hello);
	work();
	assert_int_equal(get().type, HVC_HANDLER_HELLO);
	assert_int_equal(get().type, 0); /* it has not seen the request */
	assert_int_equal(world.failed[1], 1);
	assert_non_null(strstr(handler_client_state(world.client), "another policy"));
	close(world.peer);
	world.now = handler_client_deadline(world.client);
	work();
	world.peer = accept4(world.listener, NULL, NULL, SOCK_NONBLOCK);
	memcpy(hello.u.hello.policy_sha256, sha256, 32);
	put(&hello);
	work();
	assert_string_equal(handler_client_state(world.client), "attached");
}

/* A handler that does not read: requests wait for room, and time out; nothing is lost or doubled. */
static void waits_for_room(void **state)
{
	unsigned int sent = 0, asked = 0;
	short events;

	(void)state;
	attach();
	setsockopt(handler_client_fd(world.client, &events), SOL_SOCKET, SO_SNDBUF, &(int){1}, 4);
	while (asked < HANDLER_OUTSTANDING && ask(asked)) {
		asked++;
	}
	assert_int_equal(asked, HANDLER_OUTSTANDING);
	(void)handler_client_fd(world.client, &events);
	assert_true((events & POLLOUT) != 0);
	while (sent < 10) {
		reply_to(requested(sent), sent);
		sent++;
		work();
	}
	world.now += TIMEOUT_MS * MS;
	work();
	for (unsigned int i = 0; i < asked; i++) {
		assert_int_equal(world.done[i], 1);
		assert_int_equal(world.failed[i], i >= sent);
	}
	(void)handler_client_fd(world.client, &events);
	assert_true((events & POLLOUT) == 0);
	assert_int_equal(counts().timed_out, asked - sent);
}

static void freed_with_calls(void **state)
{
	(void)state;
	attach();
	assert_true(ask(1));
	assert_true(ask(2));
	handler_client_free(world.client);
	world.client = NULL;
	handler_client_free(NULL);
	assert_int_equal(world.failed[1] + world.failed[2], 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(answers_in_any_order, setup, teardown),
		cmocka_unit_test_setup_teardown(times_out, setup, teardown),
		cmocka_unit_test_setup_teardown(survives_crashes, setup, teardown),
		cmocka_unit_test_setup_teardown(backs_off, setup, teardown),
		cmocka_unit_test_setup_teardown(holds_requests_for_the_greeting, setup, teardown),
		cmocka_unit_test_setup_teardown(wants_a_greeting, setup, teardown),
		cmocka_unit_test_setup_teardown(hangs_up_on_garbage, setup, teardown),
		cmocka_unit_test_setup_teardown(asks_only_handlers_of_its_policy, setup, teardown),
		cmocka_unit_test_setup_teardown(waits_for_room, setup, teardown),
		cmocka_unit_test_setup_teardown(freed_with_calls, setup, teardown),
	};

	snprintf(path, sizeof(path), "/tmp/hvcgate-handler-%d", (int)getpid());
	return cmocka_run_group_tests(tests, NULL, NULL);
}
