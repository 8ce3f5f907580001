/* SPDX-License-Identifier: BSD-2-Clause */
/* Other hosts' transcripts, and the list of what need not be supported: from files. */
#define _GNU_SOURCE
#include "../../tests/lib/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "one_line.h"
#include "transcript.h"

static char name[] = "/tmp/scn-test-XXXXXX";

static void write_file(const char *text)
{
	FILE *out = fopen(name, "w");

	assert_non_null(out);
	fputs(text, out);
	fclose(out);
}

static bool agrees(const char *line, const char *theirs, const char *ours, char *why)
{
	struct scn_script *script = script_of(line);
	struct hvc_diags *diags = hvc_diags_new();
	struct scn_transcript *transcript;
	char text[512];
	bool same;

	snprintf(
		text, sizeof(text),
		"# hvcgate replay 1 el2 linux-6.12@1\nfile other.hvc\n3\tx\ty\nfile t.hvc\n1\tvm\tok\n3\t%s\t%s\n",
		scn_text(script, 2), theirs);
	write_file(text);
	transcript = scn_transcript_load(name, diags);
	assert_non_null(transcript);
	assert_string_equal(scn_transcript_host(transcript), "el2 linux-6.12@1");
	why[0] = '\0';
	same = scn_transcript_agrees(transcript, script, 2, ours, why, 256);
	scn_transcript_free(transcript);
	hvc_diags_free(diags);
	scn_free(script);
	return same;
}

static void compared(void **state)
{
	static const struct {
		const char *line, *theirs, *ours;
		bool same;
	} cases[] = {
		{"count", "7", "7", true},
		{"count", "7", "8", false},
		{"count", "7 8", "7", false},
		{"count -> *", "7", "8", true},
		{"count -> 1/1", "7", "5", true},
		{"count -> 1/1", "7", "4", false},
		{"count -> 1/1", "ENOENT", "5", false},
		{"count", "unsupported: x", "5", true},
		{"count", "not run", "5", true},
		{"count", "broken: x", "5", false},
		{"call 0 hvc 1 -> x0=*", "x0=5 x1=3", "x0=7 x1=3", true},
		{"call 0 hvc 1 -> x0=*", "x0=5 x1=3", "x0=7 x1=4", false},
		{"call 0 hvc 1 -> x0=*", "x0=5 x1=3", "x0=7", false},
		{"call 0 hvc 1 -> x0=*", "blocked", "x0=7", false},
		{"call 0 hvc 1 -> x1=2/2", "x0=5 x1=2", "x0=5 x1=0xfe", true},
		{"call 0 hvc 1 -> x1=2/2", "x0=5 x1=in", "x0=5 x1=0xfe", false},
		{"call 0 hvc 1 -> x1=2/2", "x0=6 x1=2", "x0=5 x1=2", false},
	};
	char why[256];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		if (agrees(cases[i].line, cases[i].theirs, cases[i].ours, why) != cases[i].same) {
			fail_msg("%s: '%s' and '%s'", cases[i].line, cases[i].theirs,
				 cases[i].ours);
		}
	}
	assert_false(agrees("count", "7", "8", why));
	assert_string_equal(why, "el2 linux-6.12@1 answered: 7");
}

/* Another command in that line: the file was changed since. */
static void another_version(void **state)
{
	struct scn_script *script = script_of("count");
	struct hvc_diags *diags = hvc_diags_new();
	struct scn_transcript *transcript;
	char why[256];

	(void)state;
	write_file("# hvcgate replay 1 el2 linux-6.12@1\nfile t.hvc\n3\tlist\t7\n");
	transcript = scn_transcript_load(name, diags);
	assert_non_null(transcript);
	assert_false(scn_transcript_agrees(transcript, script, 2, "7", why, sizeof(why)));
	assert_non_null(strstr(why, "another version of this file: there it is 'list'"));
	/* A line that the other host left out is no difference. */
	assert_true(scn_transcript_agrees(transcript, script, 1, "7", why, sizeof(why)));
	scn_transcript_free(transcript);
	hvc_diags_free(diags);
	scn_free(script);
}

/* The file of one name that is there twice, and one that is not there: scripts come in their order. */
static void files_of_transcripts(void **state)
{
	struct scn_script *first = script_of("count"), *second = script_of("count");
	struct hvc_diags *diags = hvc_diags_new();
	struct scn_transcript *transcript;
	char why[256];

	(void)state;
	write_file("# hvcgate replay 1 el2 linux-6.12@1\nfile other.hvc\n3\tcount\t9\n");
	transcript = scn_transcript_load(name, diags);
	assert_non_null(transcript);
	assert_false(scn_transcript_has(transcript, first));
	scn_transcript_free(transcript);
	write_file("# hvcgate replay 1 el2 linux-6.12@1\nfile t.hvc\nfile other.hvc\n3\tcount\t9\n"
		   "file t.hvc\n3\tcount\t7\n");
	transcript = scn_transcript_load(name, diags);
	assert_non_null(transcript);
	assert_true(scn_transcript_has(transcript, first));
	assert_true(scn_transcript_agrees(transcript, first, 2, "8", why, sizeof(why)));
	assert_false(scn_transcript_agrees(transcript, second, 2, "8", why, sizeof(why)));
	assert_true(scn_transcript_agrees(transcript, second, 2, "7", why, sizeof(why)));
	scn_transcript_free(transcript);
	hvc_diags_free(diags);
	scn_free(first);
	scn_free(second);
}

static void bad_transcripts(void **state)
{
	static const char *const texts[] = {
		"",
		"3\tcount\t7\n",
		"# hvcgate replay 2 x\n",
		"# hvcgate replay 1 el2 linux-6.12@1\n3\tcount\t7\n",
		"# hvcgate replay 1 el2 linux-6.12@1\nfile t.hvc\n3 count\n",
		"# hvcgate replay 1 el2 linux-6.12@1\nfile t.hvc\n3\tcount\t7\n3\tcount\t7\n",
		"# hvcgate replay 1 el2 linux-6.12@1\nfile t.hvc\n0\tcount\t7\n",
		"# hvcgate replay 1 el2 linux-6.12@1\nfile t.hvc\n4294967297\tcount\t7\n",
		"# hvcgate replay 1 el2 linux-6.12@1\nfile t.hvc\n3\tcount\t\033[2J7\n",
		"# hvcgate replay 1 \033[2J\nfile t.hvc\n3\tcount\t7\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct hvc_diags *diags = hvc_diags_new();

		write_file(texts[i]);
		assert_null(scn_transcript_load(name, diags));
		assert_int_equal(hvc_diags_count(diags, HVC_ERROR), 1);
		hvc_diags_free(diags);
	}
}

static void excuses(void **state)
{
	const struct abi_profile *old = abi_profile_find("linux-6.1"),
				 *new = abi_profile_find("linux-6.12");
	struct hvc_diags *diags = hvc_diags_new();
	struct scn_excuses *list;

	(void)state;
	write_file(
		"# what\n\nkvm * show no such ioctl # really\nkvm ..linux-6.3 filter came with 6.4\n");
	list = scn_excuses_load(name, diags);
	assert_non_null(list);
	assert_string_equal(scn_excuse(list, "kvm", new, SCN_SHOW), "no such ioctl ");
	assert_null(scn_excuse(list, "el2", new, SCN_SHOW));
	assert_null(scn_excuse(list, "kvm", new, SCN_FILTER));
	assert_string_equal(scn_excuse(list, "kvm", old, SCN_FILTER), "came with 6.4");
	assert_null(scn_excuse(NULL, "kvm", old, SCN_FILTER));
	scn_excuses_free(list);
	hvc_diags_free(diags);
}

static void bad_excuses(void **state)
{
	static const char *const texts[] = {
		"kvm * show\n",
		"kmv * show why\n",
		"kvm * shwo why\n",
		"kvm linux-9 show why\n",
		"kvm\n",
		"kvm * cpu why\n",
		"kvm * show \033[2J\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct hvc_diags *diags = hvc_diags_new();

		write_file(texts[i]);
		assert_null(scn_excuses_load(name, diags));
		assert_int_equal(hvc_diags_count(diags, HVC_ERROR), 1);
		assert_int_equal(hvc_diags_at(diags, 0)->line, 1);
		hvc_diags_free(diags);
	}
}

static int make_file(void **state)
{
	int fd = mkstemp(name);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compared),        cmocka_unit_test(bad_transcripts),
		cmocka_unit_test(another_version), cmocka_unit_test(files_of_transcripts),
		cmocka_unit_test(excuses),         cmocka_unit_test(bad_excuses),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
