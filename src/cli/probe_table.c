/* SPDX-License-Identifier: BSD-2-Clause */
/* hvcgate probe --format table: at most a screen. */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../abi/abi.h"
#include "out.h"
#include "probe_print.h"

#define LABEL_WIDTH 12
#define LINE_WIDTH  80

static void label(const char *name)
{
	printf("%s%-*s%s", out_style(stdout, OUT_BOLD), LABEL_WIDTH, name, out_reset(stdout));
}

/* Words behind a label, as many as fit in a line. */
struct words {
	int column;
};

static void word(struct words *words, const char *text)
{
	int length = (int)strlen(text);

	if (words->column > LABEL_WIDTH && words->column + 1 + length > LINE_WIDTH) {
		printf("\n%*s", LABEL_WIDTH, "");
		words->column = LABEL_WIDTH;
	} else if (words->column > LABEL_WIDTH) {
		putchar(' ');
		words->column++;
	}
	printf("%s", text);
	words->column += length;
}

/* A line of words, broken where it must be. */
static void print_sentence(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void print_sentence(const char *format, ...)
{
	struct words words = {LABEL_WIDTH};
	char text[512], *save = NULL;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	for (char *at = strtok_r(text, " ", &save); at != NULL; at = strtok_r(NULL, " ", &save)) {
		word(&words, at);
	}
	putchar('\n');
}

static void strings(const json_t *list, const char *before)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *text = json_string_value(json_array_get(list, i));

		printf("%s%s", i == 0 ? before : " ", text != NULL ? text : "?");
	}
}

static void print_host(const json_t *record)
{
	const json_t *host = json_object_get(record, "host");

	label("host");
	printf("Linux %s, %" JSON_INTEGER_FORMAT " CPU%s %s, %" JSON_INTEGER_FORMAT " KiB pages\n",
	       probe_text(record, "host", "kernel"),
	       json_integer_value(json_object_get(host, "cpus")),
	       json_integer_value(json_object_get(host, "cpus")) == 1 ? "" : "s",
	       probe_text(host, "cpu", "name"),
	       json_integer_value(json_object_get(host, "page-size")) / 1024);
	label("emulated");
	print_sentence("%s%s%s", probe_text(record, "host", "emulated"),
		       json_object_get(host, "emulated-by") != NULL ? ": " : "",
		       probe_text(record, "host", "emulated-by"));
}

static void print_conventions(const json_t *record)
{
	uint64_t version = 0;
	const char *smc = probe_text(json_object_get(record, "quirks"), "smc-unknown", "seen");
	const struct abi_profile *profile = abi_record_profile(record);

	label("SMCCC");
	if (probe_default_answer(record, HVC_FN_SMCCC_VERSION, "hvc", &version)) {
		printf("%" PRIu64 ".%" PRIu64 ", ", version >> 16, version & 0xffff);
	}
	printf("%s", strcmp(smc, "yes") == 0 ? "SMC is always -1" : "HVC and SMC");
	printf("%s%s\n", profile != NULL ? "; profile " : "",
	       profile != NULL ? abi_profile_name(profile) : "");
}

/* A feature register's value: PSCI_VERSION's is "1.1". */
static const char *people_read(const char *name, const char *value, char *text, size_t size)
{
	if (name != NULL && value != NULL &&
	    strcmp(name, hvc_register_name(HVC_REG_PSCI_VERSION)) == 0) {
		const unsigned long version = strtoul(value, NULL, 16);

		snprintf(text, size, "%lu.%lu", version >> 16, version & 0xffff);
		return text;
	}
	return value != NULL ? value : "?";
}

static void print_registers(const json_t *record)
{
	const json_t *firmware = json_object_get(record, "firmware");

	label("registers");
	printf("%zu, of them %zu feature registers:\n",
	       json_array_size(json_object_get(record, "registers")), json_array_size(firmware));
	for (size_t i = 0; i < json_array_size(firmware); i++) {
		const json_t *reg = json_array_get(firmware, i);
		const char *name = json_string_value(json_object_get(reg, "name"));
		const char *value = json_string_value(json_object_get(reg, "value"));
		const char *bits = json_string_value(json_object_get(reg, "legal-bits"));

		printf("  %-17s %-8s", name != NULL ? name : "?",
		       people_read(name, value, (char[24]){""}, 24));
		strings(json_object_get(reg, "accepted"), "takes ");
		strings(json_object_get(reg, "accepted-psci-0.1"), "; without PSCI_0_2: ");
		printf("%s%s\n", bits != NULL ? "of " : "", bits != NULL ? bits : "");
	}
}

static void print_filter(const json_t *record)
{
	const json_t *filter = json_object_get(record, "filter");
	const json_t *reserved = json_object_get(filter, "reserved");

	label("filter");
	printf("%s", probe_text(record, "filter", "supported"));
	for (size_t i = 0; i < json_array_size(reserved); i++) {
		const json_t *range = json_array_get(reserved, i);
		const char *first = json_string_value(json_object_get(range, "first"));
		const char *last = json_string_value(json_object_get(range, "last"));

		printf("%s%s-%s", i == 0 ? "; not for " : ", ", first != NULL ? first : "?",
		       last != NULL ? last : "?");
	}
	putchar('\n');
}

/* Does any configuration have it? Those with more than the default come with their own words. */
static void print_answers(const json_t *record)
{
	struct words words = {LABEL_WIDTH};

	label("answers");
	for (unsigned int service = 1; service < HVC_SERVICE_COUNT; service++) {
		unsigned int there = 0, of = 0;
		char text[64];

		for (unsigned int slot = 1; slot < hvc_function_count(); slot++) {
			if (hvc_function_at(slot)->service == service) {
				of++;
				there += probe_is_answered(record, (enum hvc_fn)slot, "hvc",
							   "default");
			}
		}
		if (there != 0) {
			snprintf(text, sizeof(text), "%s %u/%u", hvc_service_name(service), there,
				 of);
			word(&words, text);
		}
	}
	putchar('\n');
}

static void print_configurations(const json_t *record)
{
	const json_t *list = json_object_get(record, "configurations");
	struct words words = {LABEL_WIDTH};

	label("VMs tried");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *name = json_string_value(
			json_object_get(json_array_get(list, i), "name"));

		word(&words, name != NULL ? name : "?");
	}
	putchar('\n');
}

static void print_quirks(const json_t *record, const char *name, const char *seen)
{
	json_t *quirks = json_object_get(record, "quirks");
	struct words words = {LABEL_WIDTH};
	const char *quirk;
	json_t *entry;

	label(name);
	json_object_foreach(quirks, quirk, entry)
	{
		if (strcmp(probe_text(quirks, quirk, "seen"), seen) == 0) {
			word(&words, quirk);
		}
	}
	printf("%s\n", words.column == LABEL_WIDTH ? "none" : "");
}

void probe_print_table(const json_t *record)
{
	print_host(record);
	print_conventions(record);
	print_registers(record);
	print_filter(record);
	print_answers(record);
	print_configurations(record);
	print_quirks(record, "quirks", "yes");
	print_quirks(record, "not seen", "no");
	print_quirks(record, "unknown", "unknown");
}
