/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QEMU's device tree: the same machine is started without running (-S), asked over QMP for the start
 * of its memory, where the tree lies, and ended. ('dumpdtb' would write a temporary file.) The
 * answers also tell QEMU's version.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>
#include <libfdt.h>

#include "run.h"

#define TREE_ROOM    (EL2_LAUNCH_PA - EL2_MONITOR_PA)
#define PATIENCE_MS  30000
#define END_MS       5000 /* from the end of its streams to its own */
#define OLDEST_MAJOR 7
#define OLDEST_MINOR 2

struct talk {
	char *text; /* QEMU's stdout */
	size_t bytes;
	char *errors; /* its stderr */
	size_t error_bytes;
};

static bool append(int fd, char **text, size_t *bytes)
{
	char part[4096];
	ssize_t n = read(fd, part, sizeof(part));

	if (n <= 0) {
		return n < 0 && (errno == EINTR || errno == EAGAIN);
	}
	for (ssize_t i = 0; i < n; i++) {
		part[i] = part[i] == '\0' ? '?' : part[i];
	}
	if (*bytes + (size_t)n > RUN_MIB) {
		return true; /* more than QMP ever says: not kept */
	}
	*text = run_realloc(*text, *bytes + (size_t)n + 1);
	memcpy(*text + *bytes, part, (size_t)n);
	*bytes += (size_t)n;
	(*text)[*bytes] = '\0';
	return true;
}

static bool is_old(int major, int minor)
{
	return major < OLDEST_MAJOR || (major == OLDEST_MAJOR && minor < OLDEST_MINOR);
}

/* Until both streams end. False on a signal or when QEMU hangs. */
static bool listen_to(struct run_child *child, int interrupt, struct talk *talk, int *signal)
{
	struct pollfd fds[3] = {{.fd = child->out, .events = POLLIN},
				{.fd = child->err, .events = POLLIN},
				{.fd = interrupt, .events = POLLIN}};
	const uint64_t last = run_now_ns() + (uint64_t)PATIENCE_MS * 1000000;

	while (fds[0].fd >= 0 || fds[1].fd >= 0) {
		bool ignored;

		if (poll(fds, 3, 1000) < 0 && errno != EINTR) {
			return run_fail("poll: %s", strerror(errno));
		}
		if (fds[0].fd >= 0 && fds[0].revents != 0 &&
		    !append(fds[0].fd, &talk->text, &talk->bytes)) {
			fds[0].fd = -1;
		}
		if (fds[1].fd >= 0 && fds[1].revents != 0 &&
		    !append(fds[1].fd, &talk->errors, &talk->error_bytes)) {
			fds[1].fd = -1;
		}
		*signal = run_interrupt_read(interrupt, &ignored, &ignored);
		if (*signal != 0) {
			return false;
		}
		if (run_now_ns() > last) {
			return run_fail("QEMU does not answer");
		}
	}
	return true;
}

/* It has closed its streams, so it ends by itself; false if it does not, or on a signal. */
static bool wait_for(struct run_child *child, int interrupt, int *status, int *signal)
{
	struct pollfd fd = {.fd = interrupt, .events = POLLIN};
	const uint64_t last = run_now_ns() + (uint64_t)END_MS * 1000000;
	bool ignored;

	while (!run_child_ended(child, status)) {
		if (run_now_ns() > last) {
			return run_fail(
				"QEMU has closed its output and does not end: it was killed");
		}
		/* SIGCHLD comes there, too. */
		poll(&fd, 1, 100);
		*signal = run_interrupt_read(interrupt, &ignored, &ignored);
		if (*signal != 0) {
			return false;
		}
	}
	return true;
}

/* The error of a QMP answer, or the version in its greeting. False: an error was said. */
static bool take_line(const char *line, size_t length, struct run_probe *probe)
{
	json_t *object = json_loadb(line, length, 0, NULL);
	json_t *error = json_object_get(object, "error");
	json_t *version = json_object_get(
		json_object_get(json_object_get(object, "QMP"), "version"), "qemu");
	bool good = true;

	if (error != NULL) {
		const char *said = json_string_value(json_object_get(error, "desc"));
		char *text = run_format("%s", said == NULL ? "?" : said);

		run_make_harmless(text);
		good = run_fail("QEMU refuses: %s", text);
		free(text);
	} else if (version != NULL) {
		probe->qemu_major = (int)json_integer_value(json_object_get(version, "major"));
		probe->qemu_minor = (int)json_integer_value(json_object_get(version, "minor"));
	}
	json_decref(object);
	return good;
}

static bool take_answers(const struct talk *talk, struct run_probe *probe)
{
	const char *at = talk->text;

	while (at != NULL && *at != '\0') {
		size_t length = strcspn(at, "\r\n");

		if (length > 0 && !take_line(at, length, probe)) {
			return false;
		}
		at += length + strspn(at + length, "\r\n");
	}
	return true;
}

/* "QEMU emulator version 7.2.22 (Debian ...)". False: it is no QEMU, or does not tell. */
static bool ask_version(const struct run_options *options, int interrupt, int *major, int *minor,
			int *signal)
{
	struct run_args args = {0};
	struct run_child child;
	struct talk talk = {0};
	const char *at;
	bool good;

	run_args_add(&args, "%s", options->qemu);
	run_args_add(&args, "--version");
	good = run_child_start(&args, NULL, 0, &child);
	run_args_free(&args);
	good = good && listen_to(&child, interrupt, &talk, signal);
	run_child_end(&child);
	at = talk.text == NULL ? NULL : strstr(talk.text, "version ");
	good = good && at != NULL;
	if (good) {
		char *dot;

		*major = (int)strtol(at + strlen("version "), &dot, 10);
		good = *dot == '.';
		*minor = good ? (int)strtol(dot + 1, NULL, 10) : 0;
	}
	free(talk.text);
	free(talk.errors);
	return good;
}

static void show_errors(const struct run_options *options, const struct talk *talk, int status,
			int interrupt, int *signal)
{
	int major = 0, minor = 0;

	if (!ask_version(options, interrupt, &major, &minor, signal)) {
		if (*signal != 0) {
			return;
		}
		run_say("%s is no QEMU, or does not tell its version", options->qemu);
	} else if (is_old(major, minor)) {
		run_say("%s is QEMU %d.%d; this needs %d.%d or newer", options->qemu, major, minor,
			OLDEST_MAJOR, OLDEST_MINOR);
	}
	if (talk->error_bytes > 0) {
		run_make_harmless(talk->errors);
		run_say("%s does not start this machine:\n%.*s", options->qemu,
			(int)(talk->error_bytes - (talk->errors[talk->error_bytes - 1] == '\n')),
			talk->errors);
	} else if (WIFSIGNALED(status)) {
		run_say("%s died of signal %d", options->qemu, WTERMSIG(status));
	} else {
		run_say("%s does not start this machine and says nothing (status %d)",
			options->qemu, WEXITSTATUS(status));
	}
}

static bool take_tree(int fd, struct run_probe *probe)
{
	uint32_t size;

	probe->tree = run_realloc(NULL, TREE_ROOM);
	if (pread(fd, probe->tree, TREE_ROOM, 0) != (ssize_t)TREE_ROOM ||
	    fdt_check_header(probe->tree) != 0) {
		return run_fail("QEMU %d.%d keeps no device tree at the start of its memory",
				probe->qemu_major, probe->qemu_minor);
	}
	size = fdt_totalsize(probe->tree);
	if (size > TREE_ROOM) {
		return run_fail("QEMU's device tree has %u bytes, more than there is room for",
				size);
	}
	probe->bytes = size;
	return true;
}

static bool ask(const struct run_options *options, const struct run_pieces *pieces, int dump,
		int interrupt, struct run_probe *probe, int *signal)
{
	const int keep[] = {pieces->shared, pieces->doorbell, dump};
	struct run_args args = {0};
	struct run_child child;
	struct talk talk = {0};
	char *question;
	bool good;

	run_machine_args(options, pieces, &args);
	run_args_add(&args, "-S");
	run_args_add(&args, "-qmp");
	run_args_add(&args, "stdio");
	good = run_child_start(&args, keep, sizeof(keep) / sizeof(keep[0]), &child);
	run_args_free(&args);
	if (!good) {
		return false;
	}
	question = run_format("{\"execute\":\"qmp_capabilities\"}\n"
			      "{\"execute\":\"pmemsave\",\"arguments\":{\"val\":%llu,\"size\":%llu,"
			      "\"filename\":\"/proc/self/fd/%d\"}}\n{\"execute\":\"quit\"}\n",
			      (unsigned long long)EL2_MONITOR_PA, (unsigned long long)TREE_ROOM,
			      dump);
	/* A pipe takes this much at once. If QEMU is gone already, its stderr says why. */
	if (write(child.in, question, strlen(question)) < 0) {
		talk.bytes = 0;
	}
	free(question);
	good = listen_to(&child, interrupt, &talk, signal);
	if (good) {
		int status = 0;

		good = wait_for(&child, interrupt, &status, signal) && take_answers(&talk, probe);
		if (good &&
		    (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || probe->qemu_major == 0)) {
			show_errors(options, &talk, status, interrupt, signal);
			good = false;
		}
	}
	run_child_end(&child);
	free(talk.text);
	free(talk.errors);
	return good;
}

bool run_probe_machine(const struct run_options *options, const struct run_pieces *pieces,
		       int interrupt, struct run_probe *probe, int *signal)
{
	int dump = memfd_create("device tree", MFD_CLOEXEC);
	bool good;

	*probe = (struct run_probe){0};
	if (dump < 0) {
		return run_fail("cannot make memory for the device tree: %s", strerror(errno));
	}
	good = ask(options, pieces, dump, interrupt, probe, signal);
	if (good && is_old(probe->qemu_major, probe->qemu_minor)) {
		good = run_fail("%s is QEMU %d.%d; this needs %d.%d or newer", options->qemu,
				probe->qemu_major, probe->qemu_minor, OLDEST_MAJOR, OLDEST_MINOR);
	}
	good = good && take_tree(dump, probe);
	close(dump);
	return good;
}
