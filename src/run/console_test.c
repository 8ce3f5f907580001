/* SPDX-License-Identifier: BSD-2-Clause */
/* Escape keys, and lines of ours among what the guest writes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "run.h"

static void assert_typed(struct run_console *console, const char *typed, const char *given,
			 bool ends)
{
	char data[64];
	bool end = false;
	size_t count;

	memcpy(data, typed, strlen(typed) + 1);
	count = run_console_filter(console, data, strlen(typed), &end);
	assert_int_equal(count, strlen(given));
	assert_memory_equal(data, given, count);
	assert_int_equal(end, ends);
}

static void escape_keys(void **state)
{
	struct run_console console = {.input = true, .terminal = true};

	(void)state;
	assert_typed(&console, "ls -l\r", "ls -l\r", false);
	assert_typed(&console, "a\001cb", "a\003b", false);
	assert_typed(&console, "\001\001", "\001", false);
	assert_typed(&console, "\001zq", "q", false); /* no such key: nothing */
	assert_typed(&console, "a\001", "a", false);  /* in two reads */
	assert_typed(&console, "cb", "\003b", false);
	assert_typed(&console, "a\003b", "a", true);
	assert_typed(&console, "a\001xb", "a", true);
}

/* Not a terminal: bytes are bytes. */
static void pipe_is_transparent(void **state)
{
	struct run_console console = {.input = true};

	(void)state;
	assert_typed(&console, "a\001x\003b", "a\001x\003b", false);
}

static void lines_begin_at_line_start(void **state)
{
	struct run_sink sink;
	int ends[2];
	char back[64] = "";

	(void)state;
	assert_int_equal(pipe(ends), 0);
	run_sink_init(&sink, ends[1]);
	run_sink_line(&sink, "one\n");
	run_sink_put(&sink, "guest", 5);
	assert_false(sink.at_line_start);
	run_sink_line(&sink, "two\n");
	run_sink_put(&sink, "guest\n", 6);
	run_sink_line(&sink, "three\n");
	while (sink.count > 0) {
		run_sink_flush(&sink);
	}
	assert_true(read(ends[0], back, sizeof(back) - 1) > 0);
	assert_string_equal(back, "one\nguest\ntwo\nguest\nthree\n");
	run_sink_free(&sink);
	close(ends[0]);
	close(ends[1]);
}

/* More than a pipe takes at once: kept, said to be full, and nothing lost or doubled. */
static void keeps_what_does_not_fit(void **state)
{
	struct run_sink sink;
	int ends[2];
	size_t put = 0, got = 0;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	run_sink_init(&sink, ends[1]);
	while (!run_sink_full(&sink)) {
		char part[1000];

		for (size_t i = 0; i < sizeof(part); i++) {
			part[i] = (char)(put++ % 251);
		}
		run_sink_put(&sink, part, sizeof(part));
	}
	while (got < put) {
		char part[777];
		ssize_t n;

		run_sink_flush(&sink);
		n = read(ends[0], part, sizeof(part));
		assert_true(n > 0);
		for (ssize_t i = 0; i < n; i++) {
			assert_int_equal(part[i], (char)(got++ % 251));
		}
	}
	assert_int_equal(sink.count, 0);
	run_sink_free(&sink);
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escape_keys),
		cmocka_unit_test(pipe_is_transparent),
		cmocka_unit_test(lines_begin_at_line_start),
		cmocka_unit_test(keeps_what_does_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
