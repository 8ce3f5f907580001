/* SPDX-License-Identifier: BSD-2-Clause */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hvcgate/catalog.h>

#include "../policy/suggest.h"
#include "input.h"
#include "out.h"

bool input_number(const char *text, uint64_t *value)
{
	char *end;

	if (!isdigit((unsigned char)text[0])) {
		return false;
	}
	errno = 0;
	*value = strtoull(text, &end,
			  text[0] == '0' && tolower((unsigned char)text[1]) == 'x' ? 16 : 10);
	return errno == 0 && *end == '\0';
}

/* 0x84000003 or 0x84000000-0x8400001f */
static bool parse_ids(const char *text, struct input *input)
{
	char first[32];
	const char *dash = strchr(text, '-');
	size_t length = dash != NULL ? (size_t)(dash - text) : strlen(text);
	uint64_t from, to;

	if (length >= sizeof(first)) {
		return false;
	}
	memcpy(first, text, length);
	first[length] = '\0';
	if (!input_number(first, &from) || !input_number(dash != NULL ? dash + 1 : first, &to) ||
	    from > to || to > 0xffffffffu) {
		return false;
	}
	input->kind = dash != NULL ? INPUT_RANGE : INPUT_ID;
	input->first = (uint32_t)from;
	input->last = (uint32_t)to;
	return true;
}

static bool parse_function(const char *text, struct input *input)
{
	const char *slash = strchr(text, '/');
	const struct hvc_function *function;
	char name[80];

	snprintf(name, sizeof(name), "%.*s",
		 (int)(slash != NULL ? slash - text : (long)strlen(text)), text);
	input->kind = INPUT_FUNCTION;
	input->slot = hvc_function_by_name(name);
	function = hvc_function_at(input->slot);
	if (function == NULL) {
		return false;
	}
	if (slash == NULL) {
		return true;
	}
	input->width = strcmp(slash, "/32") == 0 ? 32 : strcmp(slash, "/64") == 0 ? 64 : 0;
	return (input->width == 32 && function->id32 != 0) ||
	       (input->width == 64 && function->id64 != 0);
}

static void complain(const char *text)
{
	const char *near = suggest_function(text);

	near = near != NULL ? near : suggest_service(text);
	near = near != NULL ? near : suggest_owner(text);
	if (near != NULL) {
		out_error("unknown function '%s'; did you mean %s?", text, near);
	} else {
		out_error(
			"unknown function '%s'; write a name such as PSCI_CPU_ON or an ID such as 0x84000003",
			text);
	}
}

bool input_parse(const char *text, struct input *input)
{
	unsigned int service = hvc_service_by_name(text), first, last;

	*input = (struct input){0};
	if (isdigit((unsigned char)text[0])) {
		if (!parse_ids(text, input)) {
			out_error(
				"'%s' is no function ID and no range of them (0x84000000-0x8400001f)",
				text);
			return false;
		}
		return true;
	}
	if (parse_function(text, input)) {
		return true;
	}
	if (input->slot != 0) {
		out_error("'%s': %s has no such ID", text, hvc_function_at(input->slot)->name);
		return false;
	}
	if (service != HVC_SERVICE_NONE) {
		*input = (struct input){.kind = INPUT_SERVICE, .first = service, .last = service};
		return true;
	}
	if (hvc_owner_by_name(text, &first, &last)) {
		*input = (struct input){.kind = INPUT_OWNER, .first = first, .last = last};
		return true;
	}
	complain(text);
	return false;
}
