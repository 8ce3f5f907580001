/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What QEMU says when it loads a guest at the destination (measured: docs/migration.md). Its stream has the source's
 * registers in the order of their IDs, and it goes through them beside the destination's.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "compat.h"

#define LOADING "error while loading state for instance 0x0 of device 'cpu'"
#define PUTTING "Failed to put registers after init: Invalid argument"

static void __attribute__((format(printf, 2, 3)))
say(struct compat_result *result, const char *format, ...)
{
	va_list args;

	if (result->says_count < COMPAT_LINES) {
		va_start(args, format);
		vsnprintf(result->says[result->says_count], sizeof(result->says[0]), format, args);
		va_end(args);
		result->says_count++;
	}
}

/* QEMU 7.2 and 10.0: an array that does not fit is refused first; an unknown register ends the walk, but the values before
 * it are set all the same; unknown ones behind the destination's last are lost without a word. */
static void strict(struct compat_result *result, const struct compat_host *from,
		   const struct compat_host *to, const bool *refused)
{
	bool stopped = false, putting = false;
	uint32_t i = 0;

	if (from->count > to->count) {
		say(result, "Invalid value %u expecting positive value <= %u", from->count,
		    to->count);
		say(result, "Failed to load cpu:cpreg_vmstate_array_len");
		say(result, LOADING);
		say(result, "load of migration failed: Invalid argument");
		return;
	}
	for (uint32_t v = 0; v < from->count && !stopped; v++) {
		while (i < to->count && to->registers[i].id < from->registers[v].id) {
			i++;
		}
		if (i == to->count) {
			break;
		}
		stopped = to->registers[i].id != from->registers[v].id;
		putting |= refused[v];
	}
	if (stopped || putting) {
		say(result, LOADING);
		say(result,
		    putting ? PUTTING : "load of migration failed: Operation not permitted");
	}
	result->loads = !stopped && !putting;
}

/* "fw feat reg 3", "system register op0:3 op1:0 crn:9 crm:14 op2:6" */
static const char *called(const struct compat_register *reg, char *text, size_t size)
{
	unsigned int kind = reg->id >> 16 & 0xfff, low = reg->id & 0xffff;

	if (kind == 0x14) {
		snprintf(text, size, "fw reg %u", low);
	} else if (kind == 0x16) {
		snprintf(text, size, "fw feat reg %u", low);
	} else if (kind == 0x13) {
		snprintf(text, size, "system register op0:%u op1:%u crn:%u crm:%u op2:%u",
			 low >> 14, low >> 11 & 7, low >> 7 & 15, low >> 3 & 15, low & 7);
	} else {
		snprintf(text, size, "%s", reg->name);
	}
	return text;
}

/* Warnings, behind the errors here: those matter more where there is no room for all. */
static void warn(struct compat_result *result, const struct compat_host *from,
		 const struct compat_host *to)
{
	char name[96];

	for (uint32_t i = 0; i < to->count; i++) {
		if (compat_find(from, to->registers[i].id) == NULL) {
			say(result,
			    "warning: handle_cpreg_missing_in_incoming_stream: %s expected by the destination but not "
			    "in the incoming stream: skip it",
			    called(&to->registers[i], name, sizeof(name)));
		}
	}
}

/* QEMU 11.1: any number of registers; unknown ones by name, some tolerated; all values are set, those refused by name. */
static void tolerant(struct compat_result *result, const char *vmm, const struct compat_host *from,
		     const struct compat_host *to, const bool *refused)
{
	bool unknown = false, putting = false;
	char name[96];

	for (uint32_t v = 0; v < from->count; v++) {
		if (compat_find(to, from->registers[v].id) == NULL &&
		    !compat_tolerates(vmm, &from->registers[v])) {
			say(result,
			    "handle_cpreg_only_in_incoming_stream: %s in the incoming stream but unknown on the "
			    "destination: fail migration",
			    called(&from->registers[v], name, sizeof(name)));
			unknown = true;
		}
	}
	for (uint32_t v = 0; v < from->count; v++) {
		if (refused[v]) {
			say(result, "Could not set register %s to %" PRIx64 " (is %" PRIx64 ")",
			    called(&from->registers[v], name, sizeof(name)),
			    from->registers[v].value,
			    compat_find(to, from->registers[v].id)->value);
			putting = true;
		}
	}
	/* The last word is kept, however much was said. */
	if (result->says_count == COMPAT_LINES) {
		result->says_count--;
	}
	if (putting) {
		say(result, PUTTING);
	} else if (unknown) {
		say(result,
		    "load of migration failed: Invalid argument: ... post load hook failed for: cpu");
	}
	result->loads = !unknown && !putting;
	warn(result, from, to);
}

void compat_predict(struct compat_result *result, const char *vmm, const struct compat_host *from,
		    const struct compat_host *to, const bool *refused)
{
	if (strcmp(vmm, "qemu-11.1") == 0) {
		tolerant(result, vmm, from, to, refused);
	} else {
		strict(result, from, to, refused);
	}
}
