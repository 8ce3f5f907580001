/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * usage: ctl-stub NAME
 *
 * A VM for tests of `hvcgate ctl`: it has called TRNG_RND 10 times more each time it is asked, TRNG_RND can be shut off,
 * and the kernel answers PSCI_VERSION. Says "listening"; ends with its standard input.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../../src/ctl/ctl.h"

static const char *name;
static uint64_t calls, started_ns;
static bool off;
static uint64_t revocable[HVC_FN_WORDS];
static const uint8_t sha256[32] = {0x12, 0x34, 0xab};

static void about(void *context, struct ctl_about *told)
{
	(void)context;
	*told = (struct ctl_about){.name = name,
				   .host = "kvm",
				   .policy = "/etc/hvcgate/\033[31mweb.yaml",
				   .profile = "linux-6.12@1",
				   .kernel = "6.12.1",
				   .state = "runs",
				   .plan = "2 registers set",
				   .policy_sha256 = sha256,
				   .pid = (int32_t)getpid(),
				   .vcpus = 2,
				   .started_ns = started_ns,
				   .revocable = revocable};
}

static enum ctl_seen counters(void *context, unsigned int slot, uint64_t count[HVC_COUNTS])
{
	(void)context;
	if (slot == HVC_FN_TRNG_RND) {
		calls += 10;
		count[off ? HVC_DENIED : HVC_ANSWERED] = calls;
	}
	return slot == HVC_FN_PSCI_VERSION ? CTL_UNSEEN : CTL_SEEN;
}

static bool handler(void *context, unsigned int n, struct ctl_handler_state *state)
{
	(void)context;
	*state = (struct ctl_handler_state){
		.name = "ffa", .socket = "/run/ffa.sock", .state = "attached", .requests = 5};
	return n == 0;
}

static bool revoked(void *context, unsigned int slot)
{
	(void)context;
	return off && slot == HVC_FN_TRNG_RND;
}

static enum hvc_err deny(void *context, unsigned int slot, bool *pending, char *why, size_t size)
{
	(void)context;
	(void)slot;
	(void)pending;
	(void)why;
	(void)size;
	off = true;
	return HVC_OK;
}

int main(int argc, char **argv)
{
	const struct ctl_subject subject = {.size = sizeof(subject),
					    .about = about,
					    .counters = counters,
					    .handler = handler,
					    .revoked = revoked,
					    .deny = deny};
	struct ctl_server *server;
	struct timespec now;
	char why[256] = "";

	if (argc != 2) {
		fputs("usage: ctl-stub NAME\n", stderr);
		return 2;
	}
	name = argv[1];
	revocable[HVC_FN_TRNG_RND / 64] = 1ull << HVC_FN_TRNG_RND % 64;
	clock_gettime(CLOCK_MONOTONIC, &now);
	started_ns = (uint64_t)now.tv_sec * 1000000000u;
	server = ctl_server_new(&subject, why, sizeof(why));
	if (server == NULL) {
		fprintf(stderr, "ctl-stub: %s\n", why);
		return 1;
	}
	puts("listening");
	fflush(stdout);
	for (;;) {
		struct pollfd fds[2] = {{.fd = ctl_server_fd(server), .events = POLLIN},
					{.fd = STDIN_FILENO, .events = POLLIN}};
		char byte;

		(void)poll(fds, 2, -1);
		ctl_server_work(server);
		if (fds[1].revents != 0 && read(STDIN_FILENO, &byte, 1) <= 0) {
			ctl_server_free(server);
			return 0;
		}
	}
}
