/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl_print.h"

#include <stdio.h>
#include <string.h>

#include "out.h"

const char *ctl_text(const json_t *object, const char *key)
{
	static char kept[4][700];
	static unsigned int next;
	const char *value = json_string_value(json_object_get(object, key));
	char *text = kept[next++ % 4];
	size_t n = 0;

	if (value == NULL || value[0] == '\0') {
		return "-";
	}
	for (; value[n] != '\0' && n + 1 < sizeof(kept[0]); n++) {
		const unsigned char byte = (unsigned char)value[n];

		text[n] = (char)(byte < 0x20 || byte == 0x7f ? '?' : byte);
	}
	text[n] = '\0';
	return text;
}

json_int_t ctl_number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

/* "41 s", "3 h 05 min": as a person says it. */
static const char *uptime(const json_t *vm)
{
	static char text[40];
	const long long s = ctl_number(vm, "uptime_ms") / 1000;

	if (s < 60) {
		snprintf(text, sizeof(text), "%lld s", s);
	} else if (s < 3600) {
		snprintf(text, sizeof(text), "%lld min %02lld s", s / 60, s % 60);
	} else if (s < 86400) {
		snprintf(text, sizeof(text), "%lld h %02lld min", s / 3600, s / 60 % 60);
	} else {
		snprintf(text, sizeof(text), "%lld d %02lld h", s / 86400, s / 3600 % 24);
	}
	return text;
}

void ctl_print_list(const json_t *vms)
{
	const json_t *vm;
	size_t i;

	if (json_array_size(vms) == 0) {
		fprintf(stderr, "no VM runs under hvcgate here\n");
		return;
	}
	printf("%s%-20s %8s %-4s %5s %14s  %-8s  %s%s\n", out_style(stdout, OUT_BOLD), "name",
	       "pid", "host", "vcpus", "up", "digest", "policy", out_reset(stdout));
	json_array_foreach(vms, i, vm)
	{
		printf("%-20s %8lld %-4s %5lld %14s  %.8s  %s\n", ctl_text(vm, "name"),
		       (long long)ctl_number(vm, "pid"), ctl_text(vm, "host"),
		       (long long)ctl_number(vm, "vcpus"), uptime(vm),
		       ctl_text(vm, "policy_sha256"), ctl_text(vm, "policy"));
	}
}

json_t *ctl_json_list(json_t *vms)
{
	static const char *const keys[] = {"name",    "pid",    "host",
					   "state",   "policy", "policy_sha256",
					   "profile", "vcpus",  "uptime_ms"};
	json_t *list = json_array(), *vm, *all;
	size_t i;

	json_array_foreach(vms, i, vm)
	{
		json_t *one = json_object();

		for (size_t n = 0; n < sizeof(keys) / sizeof(keys[0]); n++) {
			json_t *value = json_object_get(vm, keys[n]);

			json_object_set(one, keys[n], value);
		}
		json_array_append_new(list, one);
	}
	json_decref(vms);
	all = json_pack("{s:i}", "ctl", 1);
	json_object_set_new(all, "vms", list);
	return all;
}

static void print_names(const char *what, const json_t *names)
{
	const json_t *name;
	size_t i;

	printf("%-10s ", what);
	if (json_array_size(names) == 0) {
		printf("nothing");
	}
	json_array_foreach(names, i, name)
	{
		json_t *holder = json_object();

		json_object_set(holder, "n", (json_t *)name);
		printf("%s%s", i == 0 ? "" : ", ", ctl_text(holder, "n"));
		json_decref(holder);
	}
	putchar('\n');
}

static void print_handlers(const json_t *handlers)
{
	const json_t *one;
	size_t i;

	json_array_foreach(handlers, i, one)
	{
		printf("handler    %s at %s: %s\n", ctl_text(one, "name"), ctl_text(one, "socket"),
		       ctl_text(one, "state"));
		printf("           requests %lld, answered %lld, timed out %lld, failed %lld, late %lld, garbage %lld\n",
		       (long long)ctl_number(one, "requests"),
		       (long long)ctl_number(one, "answered"),
		       (long long)ctl_number(one, "timed_out"),
		       (long long)ctl_number(one, "failed"), (long long)ctl_number(one, "late"),
		       (long long)ctl_number(one, "garbage"));
	}
}

/* Is there a number that says something? */
static bool is_told(const json_t *function)
{
	const bool whole = strcmp(ctl_text(function, "observed"), "yes") == 0;

	return json_object_get(function, "answered") != NULL &&
	       (whole || ctl_number(function, "answered") != 0 ||
		ctl_number(function, "denied") != 0 || ctl_number(function, "absent") != 0 ||
		ctl_number(function, "failed") != 0);
}

static void print_functions(const json_t *functions)
{
	const json_t *one;
	size_t i, unseen = 0;

	printf("\n%s%-32s %9s %9s %9s %9s%s\n", out_style(stdout, OUT_BOLD), "function", "answered",
	       "denied", "absent", "failed", out_reset(stdout));
	json_array_foreach(functions, i, one)
	{
		const char *name = ctl_text(one, "function");

		if (!is_told(one)) {
			unseen++;
			continue;
		}
		printf("%-32s %9lld %9lld %9lld %9lld%s\n",
		       strcmp(name, "-") == 0 ? "(unknown functions)" : name,
		       (long long)ctl_number(one, "answered"), (long long)ctl_number(one, "denied"),
		       (long long)ctl_number(one, "absent"), (long long)ctl_number(one, "failed"),
		       strcmp(ctl_text(one, "observed"), "yes") == 0 ? "" : "  (observed in part)");
	}
	if (unseen > 0) {
		printf("%zu functions were not observed: the kernel answers them, or some calls of them, by itself\n",
		       unseen);
	}
}

void ctl_print_show(const json_t *vm)
{
	printf("%s%s%s, process %lld, %lld vCPUs, up %s\n", out_style(stdout, OUT_BOLD),
	       ctl_text(vm, "name"), out_reset(stdout), (long long)ctl_number(vm, "pid"),
	       (long long)ctl_number(vm, "vcpus"), uptime(vm));
	printf("host       %s%s%s\n", ctl_text(vm, "host"),
	       json_is_string(json_object_get(vm, "kernel")) ? ", Linux " : "",
	       json_is_string(json_object_get(vm, "kernel")) ? ctl_text(vm, "kernel") : "");
	printf("state      %s\n", ctl_text(vm, "state"));
	printf("policy     %s (%s)\n", ctl_text(vm, "policy"), ctl_text(vm, "profile"));
	printf("sha256     %s\n", ctl_text(vm, "policy_sha256"));
	if (json_is_string(json_object_get(vm, "plan"))) {
		printf("plan       %s\n", ctl_text(vm, "plan"));
	}
	print_handlers(json_object_get(vm, "handlers"));
	print_names("revocable", json_object_get(vm, "revocable"));
	print_names("revoked", json_object_get(vm, "revoked"));
	print_functions(json_object_get(vm, "functions"));
}

void ctl_print_deny(const json_t *reply)
{
	if (json_object_get(reply, "error") != NULL) {
		out_error("%s", ctl_text(reply, "error"));
		return;
	}
	printf("%s: %s %s\n", ctl_text(reply, "name"), ctl_text(reply, "function"),
	       json_is_true(json_object_get(reply, "already"))   ? "was denied already"
	       : json_is_true(json_object_get(reply, "pending")) ? "will be denied at once"
								 : "is denied from now on");
}
