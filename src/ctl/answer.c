/* SPDX-License-Identifier: BSD-2-Clause */
/* What a VM's process answers: struct ctl_subject as JSON. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "ctl.h"

static const char *const counts[HVC_COUNTS] = {
	[HVC_ANSWERED] = "answered",
	[HVC_DENIED] = "denied",
	[HVC_ABSENT] = "absent",
	[HVC_FAILED] = "failed",
};

/* Whatever bytes it is made of. */
static json_t *text(const char *value)
{
	json_t *json;
	char plain[512];
	size_t n = 0;

	if (value == NULL) {
		return json_null();
	}
	json = json_string(value);
	if (json != NULL) {
		return json;
	}
	for (; value[n] != '\0' && n + 1 < sizeof(plain); n++) {
		plain[n] = (char)((unsigned char)value[n] < 0x80 ? value[n] : '?');
	}
	plain[n] = '\0';
	return json_string(plain);
}

/* JSON's numbers end at 2^63 - 1 here; counters may be any. */
static json_t *number(uint64_t value)
{
	return json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value);
}

static bool bit(const uint64_t *words, unsigned int slot)
{
	return words != NULL && (words[slot / 64] >> slot % 64 & 1) != 0;
}

static json_t *reply(void)
{
	return json_pack("{s:i}", "ctl", CTL_VERSION);
}

static json_t *refuse(const char *why)
{
	json_t *json = reply();

	json_object_set_new(json, "error", text(why));
	return json;
}

static json_t *functions(const struct ctl_subject *subject)
{
	json_t *list = json_array();

	for (unsigned int i = 1; i <= HVC_FN_COUNT; i++) {
		const unsigned int slot = i % HVC_FN_COUNT; /* the unknown ones last */
		const struct hvc_function *function = hvc_function_at(slot);
		uint64_t count[HVC_COUNTS] = {0}, all = 0;
		const enum ctl_seen seen = subject->counters(subject->context, slot, count);
		json_t *one;

		for (unsigned int n = 0; n < HVC_COUNTS; n++) {
			all |= count[n];
		}
		if (seen == CTL_SEEN && all == 0) {
			continue; /* what is not in the list was not called */
		}
		one = json_pack("{s:s, s:s}", "function", function != NULL ? function->name : "",
				"observed",
				seen == CTL_SEEN        ? "yes"
				: seen == CTL_SEEN_PART ? "in part"
							: "no");
		for (unsigned int n = 0; n < HVC_COUNTS && (seen != CTL_UNSEEN || all != 0); n++) {
			json_object_set_new(one, counts[n], number(count[n]));
		}
		json_array_append_new(list, one);
	}
	return list;
}

static json_t *handlers(const struct ctl_subject *subject)
{
	json_t *list = json_array();

	for (unsigned int n = 0;; n++) {
		struct ctl_handler_state state = {0};
		json_t *one;

		if (subject->handler == NULL || !subject->handler(subject->context, n, &state)) {
			return list;
		}
		one = json_object();
		json_object_set_new(one, "name", text(state.name));
		json_object_set_new(one, "socket", text(state.socket));
		json_object_set_new(one, "state", text(state.state));
		json_object_set_new(one, "requests", number(state.requests));
		json_object_set_new(one, "answered", number(state.answered));
		json_object_set_new(one, "timed_out", number(state.timed_out));
		json_object_set_new(one, "failed", number(state.failed));
		json_object_set_new(one, "garbage", number(state.garbage));
		json_object_set_new(one, "late", number(state.late));
		json_array_append_new(list, one);
	}
}

static json_t *revocable(const uint64_t *words)
{
	json_t *list = json_array();

	for (unsigned int slot = 1; slot < HVC_FN_COUNT; slot++) {
		if (bit(words, slot)) {
			json_array_append_new(list, json_string(hvc_function_at(slot)->name));
		}
	}
	return list;
}

static json_t *revoked(const struct ctl_subject *subject)
{
	json_t *list = json_array();

	for (unsigned int slot = 1; slot < HVC_FN_COUNT && subject->revoked != NULL; slot++) {
		if (subject->revoked(subject->context, slot)) {
			json_array_append_new(list, json_string(hvc_function_at(slot)->name));
		}
	}
	return list;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void hex(const uint8_t *bytes, char *out)
{
	for (unsigned int i = 0; i < 32; i++) {
		snprintf(out + 2 * i, 3, "%02x", bytes != NULL ? bytes[i] : 0);
	}
}

static json_t *show(const struct ctl_subject *subject)
{
	struct ctl_about about = {0};
	const uint64_t now = now_ns();
	char sha256[65];
	json_t *json = reply();

	subject->about(subject->context, &about);
	hex(about.policy_sha256, sha256);
	json_object_set_new(json, "name", text(about.name));
	json_object_set_new(json, "pid", json_integer(about.pid));
	json_object_set_new(json, "host", text(about.host));
	json_object_set_new(json, "state", text(about.state));
	json_object_set_new(json, "policy", text(about.policy));
	json_object_set_new(json, "policy_sha256", json_string(sha256));
	json_object_set_new(json, "profile", text(about.profile));
	json_object_set_new(json, "kernel", text(about.kernel));
	json_object_set_new(json, "plan", text(about.plan));
	json_object_set_new(json, "vcpus", json_integer(about.vcpus));
	json_object_set_new(json, "uptime_ms",
			    number(now > about.started_ns ? (now - about.started_ns) / 1000000u
							  : 0));
	json_object_set_new(json, "handlers", handlers(subject));
	json_object_set_new(json, "revocable", revocable(about.revocable));
	json_object_set_new(json, "revoked", revoked(subject));
	json_object_set_new(json, "functions", functions(subject));
	return json;
}

/* What is revocable here, and the line that makes it so. */
static json_t *not_revocable(const struct ctl_about *about, const char *name)
{
	char why[2048];
	size_t n;

	n = (size_t)snprintf(why, sizeof(why), "%s is not revocable in this VM", name);
	for (unsigned int slot = 1, some = 0; slot < HVC_FN_COUNT && n < sizeof(why) - 256;
	     slot++) {
		if (bit(about->revocable, slot)) {
			n += (size_t)snprintf(why + n, sizeof(why) - n, "%s%s",
					      some++ == 0 ? "; it can lose " : ", ",
					      hvc_function_at(slot)->name);
		}
	}
	snprintf(why + n, sizeof(why) - n,
		 "; the policy has to say it before the VM starts: revocable: [%s]", name);
	return refuse(why);
}

static json_t *deny(const struct ctl_subject *subject, const json_t *request)
{
	const char *name = json_string_value(json_object_get(request, "function"));
	const unsigned int slot = name != NULL ? hvc_function_by_name(name) : 0;
	struct ctl_about about = {0};
	char why[512] = "";
	bool already, pending = false;
	json_t *json;

	if (slot == 0) {
		return refuse("there is no function of this name: see hvcgate resolve");
	}
	subject->about(subject->context, &about);
	if (!bit(about.revocable, slot) || subject->deny == NULL) {
		return not_revocable(&about, name);
	}
	already = subject->revoked != NULL && subject->revoked(subject->context, slot);
	if (subject->deny(subject->context, slot, &pending, why, sizeof(why)) != HVC_OK) {
		return refuse(why);
	}
	json = reply();
	json_object_set_new(json, "name", text(about.name));
	json_object_set_new(json, "pid", json_integer(about.pid));
	json_object_set_new(json, "function", text(name));
	json_object_set_new(json, "already", json_boolean(already));
	json_object_set_new(json, "pending", json_boolean(pending));
	return json;
}

json_t *ctl_answer(const struct ctl_subject *subject, const json_t *request)
{
	const json_t *version = json_object_get(request, "ctl");
	const char *verb = json_string_value(json_object_get(request, "do"));

	if (!json_is_integer(version)) {
		return refuse("this is no request of hvcgate ctl");
	}
	if (json_integer_value(version) != CTL_VERSION) {
		return refuse("this VM's process speaks version 1 of ctl: use its hvcgate");
	}
	if (verb != NULL && strcmp(verb, "show") == 0) {
		return show(subject);
	}
	if (verb != NULL && strcmp(verb, "deny") == 0) {
		return deny(subject, request);
	}
	return refuse("ctl has show and deny");
}
