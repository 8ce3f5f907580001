/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a call's answer means, and what decided it, in words.
 *
 * Return codes: SMCCC (DEN0028) 7.1, PSCI (DEN0022) 5.2.2, TRNG (DEN0098) table 2, SDEI (DEN0054) 5.3,
 * FF-A (DEN0077A) table 12.2.
 */
#include <stdio.h>
#include <string.h>

#include "answer.h"
#include "run.h"

struct code {
	int number;
	const char *name;
};

static const struct code smccc_codes[] = {
	{-1, "NOT_SUPPORTED"}, {-2, "NOT_REQUIRED"}, {-3, "INVALID_PARAMETER"}, {0, NULL}};
static const struct code psci_codes[] = {{-1, "NOT_SUPPORTED"},   {-2, "INVALID_PARAMETERS"},
					 {-3, "DENIED"},          {-4, "ALREADY_ON"},
					 {-5, "ON_PENDING"},      {-6, "INTERNAL_FAILURE"},
					 {-7, "NOT_PRESENT"},     {-8, "DISABLED"},
					 {-9, "INVALID_ADDRESS"}, {0, NULL}};
static const struct code trng_codes[] = {
	{-1, "NOT_SUPPORTED"}, {-2, "INVALID_PARAMETERS"}, {-3, "NO_ENTROPY"}, {0, NULL}};
static const struct code sdei_codes[] = {{-1, "NOT_SUPPORTED"},    {-2, "INVALID_PARAMETERS"},
					 {-3, "DENIED"},           {-5, "PENDING"},
					 {-10, "OUT_OF_RESOURCE"}, {0, NULL}};
static const struct code affinity_codes[] = {{0, "ON"}, {1, "OFF"}, {2, "ON_PENDING"}, {0, NULL}};
static const struct code migrate_codes[] = {
	{0, "UNIPROCESSOR_MIGRATE"}, {1, "UNIPROCESSOR_FIXED"}, {2, "NOT_REQUIRED"}, {0, NULL}};

static const char *code_name(const struct code *codes, int64_t number)
{
	for (; codes->name != NULL; codes++) {
		if (codes->number == number) {
			return codes->name;
		}
	}
	return NULL;
}

static const struct code *codes_of(const struct hvc_function *function)
{
	switch (function == NULL ? HVC_SERVICE_NONE : function->service) {
	case HVC_SERVICE_PSCI:
		return psci_codes;
	case HVC_SERVICE_TRNG:
		return trng_codes;
	case HVC_SERVICE_SDEI:
		return sdei_codes;
	default:
		return smccc_codes;
	}
}

static bool ends_in(const char *name, const char *tail)
{
	const size_t n = strlen(name), t = strlen(tail);

	return n >= t && strcmp(name + n - t, tail) == 0;
}

/* Errors are 32-bit or 64-bit negative numbers; both are met, whatever the convention. */
static int64_t signed_answer(uint64_t x0)
{
	return (x0 >> 32) == 0 && (x0 & 0x80000000u) != 0 ? (int64_t)(int32_t)(uint32_t)x0
							  : (int64_t)x0;
}

/* Further result registers: "x1=0x.. x2=0x..". */
static void add_results(const struct hvc_record *record, const struct hvc_function *function,
			char *text, size_t size)
{
	size_t used = strlen(text);

	if (function != NULL && (function->flags & HVC_FLAG_SECRET) != 0) {
		snprintf(text + used, size - used, " (results withheld)");
		return;
	}
	for (unsigned int n = 1; function != NULL && n < 4 && used < size; n++) {
		if ((function->results >> n & 1) != 0) {
			used += (size_t)snprintf(text + used, size - used, " x%u=0x%llx", n,
						 (unsigned long long)record->out[n]);
		}
	}
}

/* x0 is part of the result: 0 is not a status. */
static bool is_data(const struct hvc_function *function)
{
	return function == hvc_function_at(HVC_FN_KVM_FEATURES) ||
	       (function != NULL &&
		(ends_in(function->name, "_UID") || ends_in(function->name, "_UUID") ||
		 ends_in(function->name, "_VERSION") || ends_in(function->name, "_COUNT")));
}

bool answer_name(const struct hvc_function *function, uint64_t x0, char name[ANSWER_NAME_MAX])
{
	const int64_t number = signed_answer(x0);
	const char *code = NULL;

	if (number < 0) {
		code = code_name(codes_of(function), number);
	} else if (function == hvc_function_at(HVC_FN_PSCI_AFFINITY_INFO)) {
		code = code_name(affinity_codes, number);
	} else if (function == hvc_function_at(HVC_FN_PSCI_MIGRATE_INFO_TYPE)) {
		code = code_name(migrate_codes, number);
	} else if (function != NULL && ends_in(function->name, "_VERSION") && x0 != 0) {
		snprintf(name, ANSWER_NAME_MAX, "%u.%u", (unsigned int)(x0 >> 16 & 0x7fff),
			 (unsigned int)(x0 & 0xffff));
		return true;
	} else if (number == 0 && !is_data(function)) {
		code = "SUCCESS";
	}
	if (code == NULL) {
		return false;
	}
	snprintf(name, ANSWER_NAME_MAX, "%s", code);
	return true;
}

void run_answer(const struct hvc_record *record, char *text, size_t size)
{
	const struct hvc_function *function = hvc_function_at(record->fn);
	const int64_t number = signed_answer(record->out[0]);
	char name[ANSWER_NAME_MAX];

	if (record->verdict != HVC_RESUME) {
		snprintf(text, size, "%s", hvc_verdict_name((enum hvc_verdict)record->verdict));
		return;
	}
	if (answer_name(function, record->out[0], name)) {
		snprintf(text, size, "%s", name);
	} else if (number < 0 && number >= -16) {
		snprintf(text, size, "%lld", (long long)number);
	} else {
		snprintf(text, size, "0x%llx", (unsigned long long)record->out[0]);
	}
	if (number >= 0 || number < -16) {
		add_results(record, function, text, size);
	}
}

void run_decided(const struct run_trace *trace, const struct hvc_record *record, char *text,
		 size_t size)
{
	const struct hvc_outcome outcome = {.id = record->id,
					    .fn = (uint16_t)record->fn,
					    .action = record->action,
					    .decider = record->decider};

	hvc_policy_why(trace->policy, &outcome, text, size);
}

void run_argument_name(const struct hvc_function *function, unsigned int n, char *name, size_t size)
{
	const char *at = function == NULL || n >= function->arg_count ? "" : function->args;
	size_t length;

	for (unsigned int i = 0; i < n && *at != '\0'; i++) {
		at += strcspn(at, ",");
		at += strspn(at, ", ");
	}
	length = strcspn(at, ",");
	if (length == 0) {
		snprintf(name, size, "x%u", n + 1);
	} else {
		snprintf(name, size, "%.*s", (int)length, at);
	}
}
