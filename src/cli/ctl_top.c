/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls by function, each second. */
#define _GNU_SOURCE
#include "ctl_top.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "ctl_print.h"

enum { PATIENCE_MS = 3000, SECOND_MS = 1000, ROWS = 512 };

struct row {
	char name[40];
	unsigned long long calls, more; /* all; since the last table */
	unsigned long long denied;
};

struct table {
	struct row rows[ROWS];
	size_t count;
	unsigned long long total, more;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	interrupted = number;
}

/* --- The terminal: keys come one by one, and it is as it was in the end. */
static struct termios before;
static bool changed;

static void terminal_begin(void)
{
	struct termios keys;

	if (isatty(STDIN_FILENO) != 1 || isatty(STDOUT_FILENO) != 1 ||
	    tcgetattr(STDIN_FILENO, &before) != 0) {
		return;
	}
	keys = before;
	keys.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	changed = tcsetattr(STDIN_FILENO, TCSANOW, &keys) == 0;
}

static void terminal_end(void)
{
	if (changed) {
		tcsetattr(STDIN_FILENO, TCSANOW, &before);
	}
}

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* False: enough. */
static bool wait_until(long long due)
{
	long long left;

	while (interrupted == 0 && (left = due - now_ms()) > 0) {
		struct pollfd key = {.fd = changed ? STDIN_FILENO : -1, .events = POLLIN};
		char byte = 0;

		if (poll(&key, 1, (int)left) == 1 &&
		    (read(STDIN_FILENO, &byte, 1) != 1 || byte == 'q' || byte == 'Q')) {
			return false;
		}
	}
	return interrupted == 0;
}

/* --- A table of what the VM says, against the one before. */
static const struct row *find(const struct table *table, const char *name)
{
	for (size_t i = 0; i < table->count; i++) {
		if (strcmp(table->rows[i].name, name) == 0) {
			return &table->rows[i];
		}
	}
	return NULL;
}

static void add(struct table *table, const struct table *last, const json_t *function)
{
	static const char *const counts[] = {"answered", "denied", "absent", "failed"};
	const char *name = ctl_text(function, "function");
	struct row *row = &table->rows[table->count];
	const struct row *old;

	if (table->count == ROWS || json_object_get(function, "answered") == NULL) {
		return; /* not observed: no number is true */
	}
	*row = (struct row){0};
	snprintf(row->name, sizeof(row->name), "%s",
		 strcmp(name, "-") == 0 ? "(unknown functions)" : name);
	for (size_t i = 0; i < 4; i++) {
		row->calls += (unsigned long long)ctl_number(function, counts[i]);
	}
	row->denied = (unsigned long long)ctl_number(function, "denied");
	old = find(last, row->name);
	row->more = old == NULL               ? row->calls
		    : row->calls > old->calls ? row->calls - old->calls
					      : 0;
	table->total += row->calls;
	table->more += row->more;
	table->count += row->calls != 0;
}

static int by_more(const void *left, const void *right)
{
	const struct row *a = left, *b = right;

	if (a->more != b->more) {
		return a->more < b->more ? 1 : -1;
	}
	return a->calls != b->calls ? (a->calls < b->calls ? 1 : -1) : strcmp(a->name, b->name);
}

static void make(struct table *table, const struct table *last, const json_t *vm)
{
	const json_t *function;
	size_t i;

	table->count = 0;
	table->total = table->more = 0;
	json_array_foreach(json_object_get(vm, "functions"), i, function)
	{
		add(table, last, function);
	}
	qsort(table->rows, table->count, sizeof(table->rows[0]), by_more);
}

static void print_text(const struct table *table, const json_t *vm, bool first)
{
	if (changed) {
		printf("\033[H\033[2J");
	}
	printf("%s%s%s, %s: %llu calls, %llu in this second%s\n", out_style(stdout, OUT_BOLD),
	       ctl_text(vm, "name"), out_reset(stdout), ctl_text(vm, "state"), table->total,
	       first ? 0ull : table->more, changed ? "   (q ends)" : "");
	printf("%-32s %12s %12s %12s\n", "function", "per second", "calls", "denied");
	for (size_t i = 0; i < table->count; i++) {
		const struct row *row = &table->rows[i];

		printf("%-32s %12llu %12llu %12llu\n", row->name, first ? 0ull : row->more,
		       row->calls, row->denied);
	}
	if (!changed) {
		putchar('\n');
	}
}

/* A line a table. */
static void print_json(const struct table *table, const json_t *vm, bool first)
{
	json_t *object = json_object(), *functions = json_array();

	for (size_t i = 0; i < table->count; i++) {
		const struct row *row = &table->rows[i];

		json_array_append_new(functions,
				      json_pack("{s:s, s:I, s:I, s:I}", "function", row->name,
						"per_second", (json_int_t)(first ? 0 : row->more),
						"calls", (json_int_t)row->calls, "denied",
						(json_int_t)row->denied));
	}
	json_object_set(object, "name", json_object_get(vm, "name"));
	json_object_set(object, "uptime_ms", json_object_get(vm, "uptime_ms"));
	json_object_set_new(object, "functions", functions);
	json_dumpf(object, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(object);
}

/* False: the VM is gone. */
static bool turn(const struct ctl_peer *peer, enum out_format format, struct table *tables[2],
		 bool first)
{
	json_t *request = ctl_request("show", NULL), *vm;
	struct table *swap = tables[0];
	char why[160];

	vm = ctl_ask(peer, request, PATIENCE_MS, why, sizeof(why));
	json_decref(request);
	if (vm == NULL) {
		if (interrupted == 0) {
			fprintf(stderr, "hvcgate: the VM: %s\n", why);
		}
		return false;
	}
	tables[0] = tables[1];
	tables[1] = swap;
	make(tables[0], tables[1], vm);
	(format == OUT_JSON ? print_json : print_text)(tables[0], vm, first);
	json_decref(vm);
	fflush(stdout);
	return ferror(stdout) == 0;
}

int ctl_top(const struct ctl_peer *peer, unsigned long count, enum out_format format)
{
	const struct sigaction action = {.sa_handler = on_signal};
	struct table *tables[2] = {calloc(1, sizeof(struct table)),
				   calloc(1, sizeof(struct table))};
	long long due = now_ms();

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	terminal_begin();
	for (unsigned long i = 0; tables[0] != NULL && tables[1] != NULL &&
				  turn(peer, format, tables, i == 0) && i + 1 != count;
	     i++) {
		due += SECOND_MS;
		if (!wait_until(due)) {
			break;
		}
	}
	terminal_end();
	free(tables[0]);
	free(tables[1]);
	return out_finish(CLI_OK);
}
