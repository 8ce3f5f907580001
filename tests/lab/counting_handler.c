/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * usage: counting-handler SOCKET MILLISECONDS LOG
 *
 * Answers the checker's own calls (tests/guest/checker.c, own=ID), each so many milliseconds late: x0 is 0, x1 the call's number,
 * x2 the same, or 0 if it is not the one after the last. LOG gets a line when a call comes, and one when it is answered.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <hvcgate/handler.h>

struct counting {
	FILE *log;
	unsigned long ms;
	uint64_t last;
};

static bool answer(void *context, const struct hvc_handler_request *request,
		   struct hvc_handler_reply *reply)
{
	struct counting *counting = context;
	const uint64_t number = request->frame.x[1];
	const bool next = number == counting->last + 1;

	fprintf(counting->log, "call %" PRIu64 "%s\n", number, next ? "" : " OUT OF ORDER");
	fflush(counting->log);
	counting->last = number;
	usleep((useconds_t)counting->ms * 1000);
	fprintf(counting->log, "answer %" PRIu64 "\n", number);
	fflush(counting->log);
	reply->mask = 0x7;
	reply->frame.x[0] = 0;
	reply->frame.x[1] = number;
	reply->frame.x[2] = next ? number : 0;
	return true;
}

int main(int argc, char **argv)
{
	struct counting counting = {0};
	struct hvc_handler_server server = {.size = sizeof(server),
					    .name = "counting-handler",
					    .answer = answer,
					    .context = &counting};
	enum hvc_err err;

	if (argc != 4) {
		fputs("usage: counting-handler SOCKET MILLISECONDS LOG\n", stderr);
		return 2;
	}
	server.path = argv[1];
	counting.ms = strtoul(argv[2], NULL, 10);
	counting.log = fopen(argv[3], "ae");
	if (counting.log == NULL) {
		perror(argv[3]);
		return 1;
	}
	err = hvc_handler_serve(&server);
	fprintf(stderr, "counting-handler: %s\n", hvc_err_name(err));
	return 1;
}
