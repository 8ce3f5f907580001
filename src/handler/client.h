/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The side of the VM's process: one handler, supervised. Event-driven: no thread, no wait; the caller polls a descriptor and
 * a time. It connects, and connects again with growing pauses; keeps each request's time-out; never sends one twice; hangs
 * up on garbage.
 */
#ifndef HVCGATE_HANDLER_CLIENT_H
#define HVCGATE_HANDLER_CLIENT_H

#include <sys/types.h>

#include <hvcgate/handler.h>

#define HANDLER_OUTSTANDING 512u /* at once; one more fails */

struct handler_counts {
	/* requests = answered + timed_out + failed + outstanding */
	uint64_t requests;
	uint64_t answered;
	uint64_t timed_out;
	uint64_t failed;  /* nobody was there, it crashed, or it said so */
	uint64_t garbage; /* messages that break the rules: each ends the connection */
	uint64_t late;    /* replies that nobody waited for any more */
};

struct handler_options {
	const char *name, *socket; /* of the handler; its path */
	uint32_t timeout_ms;
	const uint8_t *policy_sha256; /* 32 bytes */
	const char *vm;               /* its name, for the handler's messages */
	/* A request is over: `reply` is NULL where it failed. Called by handler_client_work() and _free() alone. */
	void (*done)(void *context, void *call, const struct hvc_handler_reply *reply);
	/* It is there, or is not there any more, in words. Likewise. May be NULL. */
	void (*told)(void *context, const char *name, const char *state);
	void *context;
};

struct handler_client;
/* The options' strings are copied. NULL: no memory. */
struct handler_client *handler_client_new(const struct handler_options *options);
/* What is outstanding fails. NULL is fine. */
void handler_client_free(struct handler_client *client);

/* False: it fails at once, and done() is not called. The request's sequence and timeout_ms are ours to fill in. */
bool handler_client_send(struct handler_client *client, uint64_t now_ns,
			 const struct hvc_handler_request *request, void *call);
/* What to poll, or -1; it changes with each call of handler_client_work(). */
int handler_client_fd(const struct handler_client *client, short *events);
/* When handler_client_work() is to be called at the latest, CLOCK_MONOTONIC. */
uint64_t handler_client_deadline(const struct handler_client *client);
void handler_client_work(struct handler_client *client, uint64_t now_ns);

const struct handler_counts *handler_client_counts(const struct handler_client *client);
/* "attached", "not there: ..." */
const char *handler_client_state(const struct handler_client *client);
const struct handler_options *handler_client_options(const struct handler_client *client);

#endif
