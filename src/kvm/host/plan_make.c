/* SPDX-License-Identifier: BSD-2-Clause */
/* A plan and a policy become the bytes that hvc_kvm_new() takes. */
#include "plan_make.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "allow.h"
#include "handlers.h"
#include "plan_bytes.h"
#include "views.h"

/* --- Routes: which handler, by ID. */
static enum hvc_err add_route(struct plan_route **routes, size_t *count, struct plan_route route)
{
	struct plan_route *more = *routes;

	if (*count != 0 && more[*count - 1].handler == route.handler &&
	    more[*count - 1].last + 1 == route.first) {
		more[*count - 1].last = route.last;
		return HVC_OK;
	}
	if ((*count & (*count - 1)) == 0) { /* room is a power of two */
		more = realloc(more, (*count == 0 ? 1 : *count * 2) * sizeof(*more));
		if (more == NULL) {
			return HVC_ENOMEM;
		}
		*routes = more;
	}
	more[(*count)++] = route;
	return HVC_OK;
}

static enum hvc_err find_routes(const struct hvc_policy *policy, struct plan_route **routes,
				size_t *count)
{
	enum hvc_err err = HVC_OK;

	*routes = NULL;
	*count = 0;
	for (size_t i = 0; i < hvc_policy_span_count(policy) && err == HVC_OK; i++) {
		const struct hvc_span *span = hvc_policy_span(policy, i);
		const size_t handler = policy_handler_of(policy, &span->match);

		if (handler < policy_handler_count(policy)) {
			err = add_route(routes, count,
					(struct plan_route){.first = span->first,
							    .last = span->last,
							    .handler = (uint32_t)handler});
		}
	}
	return err;
}

/* --- Bytes. */
struct writer {
	uint8_t *bytes; /* NULL: only counted */
	size_t at;
};

static struct plan_section put(struct writer *writer, const void *from, size_t count,
			       size_t element)
{
	const struct plan_section section = {.offset = (uint32_t)writer->at,
					     .count = (uint32_t)count};

	if (writer->bytes != NULL && count != 0) {
		memcpy(writer->bytes + writer->at, from, count * element);
	}
	writer->at += (count * element + 7) / 8 * 8;
	return section;
}

static void put_writes(struct writer *writer, struct plan_header *header,
		       const struct hvc_plan *plan)
{
	struct plan_write writes[HVC_REG_COUNT];

	for (size_t i = 0; i < plan->register_count; i++) {
		writes[i] = (struct plan_write){plan->registers[i].id, plan->registers[i].value};
	}
	header->writes = put(writer, writes, plan->register_count, sizeof(writes[0]));
}

static void put_filters(struct writer *writer, struct plan_header *header,
			const struct hvc_plan *plan)
{
	header->filters = (struct plan_section){.offset = (uint32_t)writer->at,
						.count = (uint32_t)plan->range_count};
	for (size_t i = 0; i < plan->range_count; i++) {
		const struct plan_filter filter = {.base = plan->ranges[i].base,
						   .count = plan->ranges[i].count,
						   .action = plan->ranges[i].action};

		(void)put(writer, &filter, 1, sizeof(filter));
	}
}

static void put_handlers(struct writer *writer, struct plan_header *header,
			 const struct hvc_policy *policy)
{
	struct policy_handler from;

	header->handlers = (struct plan_section){.offset = (uint32_t)writer->at,
						 .count = (uint32_t)policy_handler_count(policy)};
	for (size_t i = 0; policy_handler(policy, i, &from); i++) {
		struct plan_handler handler = {.timeout_ms = from.timeout_ms,
					       .on_timeout = PLAN_FAIL};

		snprintf(handler.name, sizeof(handler.name), "%s", from.name);
		snprintf(handler.socket, sizeof(handler.socket), "%s", from.socket);
		(void)put(writer, &handler, 1, sizeof(handler));
	}
}

_Static_assert(sizeof(struct plan_filter) % 8 == 0 && sizeof(struct plan_handler) % 8 == 0 &&
		       sizeof(struct plan_header) % 8 == 0,
	       "one by one they stand side by side");

static void put_all(struct writer *writer, struct plan_header *header,
		    const struct plan_parts *parts, const struct plan_route *routes,
		    size_t route_count)
{
	writer->at = sizeof(*header);
	put_writes(writer, header, parts->plan);
	put_filters(writer, header, parts->plan);
	header->views = put(writer, parts->views, parts->view_count, sizeof(parts->views[0]));
	header->routes = put(writer, routes, route_count, sizeof(routes[0]));
	put_handlers(writer, header, parts->policy);
	header->image = put(writer, parts->image, parts->image->bytes, 1);
}

static void describe(struct plan_header *header, const struct plan_parts *parts)
{
	const struct hvc_plan *plan = parts->plan;

	*header = (struct plan_header){
		.magic = PLAN_BYTES_MAGIC,
		.format = PLAN_BYTES_FORMAT,
		.flags = (plan->filter ? PLAN_FILTERS : 0) | (plan->travels ? PLAN_TRAVELS : 0),
		.functions = HVC_FN_COUNT,
	};
	memcpy(header->revocable, hvc_policy_revocable(parts->policy), sizeof(header->revocable));
	memcpy(header->policy_sha256, plan->policy_sha256, sizeof(header->policy_sha256));
	snprintf(header->profile, sizeof(header->profile), "%s", plan->profile);
	snprintf(header->kernel, sizeof(header->kernel), "%s", plan->kernel);
	snprintf(header->policy, sizeof(header->policy), "%s", hvc_policy_path(parts->policy));
}

enum hvc_err plan_bytes_pack(const struct plan_parts *parts, void **bytes, size_t *size)
{
	struct writer writer = {NULL, 0};
	struct plan_route *routes;
	struct plan_header header;
	size_t route_count;
	enum hvc_err err = find_routes(parts->policy, &routes, &route_count);

	*bytes = NULL;
	*size = 0;
	describe(&header, parts);
	if (err == HVC_OK) {
		put_all(&writer, &header, parts, routes, route_count);
		err = writer.at > PLAN_BYTES_MAX ? HVC_E2BIG : HVC_OK;
	}
	if (err == HVC_OK) {
		header.size = (uint32_t)writer.at;
		writer.bytes = calloc(1, writer.at);
		err = writer.bytes == NULL ? HVC_ENOMEM : HVC_OK;
	}
	if (err == HVC_OK) {
		put_all(&writer, &header, parts, routes, route_count);
		memcpy(writer.bytes, &header, sizeof(header));
		header.crc = plan_bytes_crc(writer.bytes, header.size);
		memcpy(writer.bytes, &header, sizeof(header));
		*bytes = writer.bytes;
		*size = header.size;
	}
	free(routes);
	return err;
}

/* --- With reasons. */
static void __attribute__((format(printf, 3, 4)))
add_line(char *why, size_t size, const char *format, ...)
{
	const size_t used = strlen(why);
	va_list args;

	va_start(args, format);
	if (used < size) {
		if (used != 0 && used + 1 < size) {
			why[used] = '\n';
			why[used + 1] = '\0';
		}
		vsnprintf(why + strlen(why), size - strlen(why), format, args);
	}
	va_end(args);
}

static void say_limits(const struct hvc_plan *plan, char *why, size_t size)
{
	const char *on = plan->kernel[0] != '\0' ? plan->kernel : plan->profile;

	if (plan->stranded) {
		add_line(
			why, size,
			"%s: travel: no, and user space keeps state of the guest for the %zu "
			"functions that it answers ('hvcgate policy plan' lists them); write travel: yes",
			on, plan->forward_count);
	}
	for (size_t i = 0; i < plan->limit_count; i++) {
		const struct hvc_plan_limit *limit = &plan->limits[i];

		if (limit->allowed) {
			continue;
		}
		add_line(why, size, "%s: %s", on, limit->why);
		if (limit->instead != NULL) {
			add_line(why, size, "  write %s, or allow: [%s]", limit->instead,
				 policy_allow_name(limit->allow));
		} else {
			add_line(why, size, "  write allow: [%s], or use Linux %s or newer",
				 policy_allow_name(limit->allow),
				 limit->since != NULL ? limit->since : "(none yet)");
		}
	}
}

static enum hvc_err fail(enum hvc_err err, char *why, size_t size)
{
	if (why[0] == '\0') {
		add_line(why, size, "no plan can be made: %s", hvc_err_name(err));
	}
	return err;
}

enum hvc_err plan_bytes_make(const struct hvc_policy *policy, const struct hvc_plan_host *host,
			     const struct compat_host *from, void **bytes, size_t *size, char *why,
			     size_t why_size)
{
	struct plan_parts parts = {.policy = policy};
	struct hvc_plan *plan = NULL;
	struct hvc_image *image = NULL;
	struct plan_view *views = NULL;
	enum hvc_err err;
	char none[1];

	why_size = why != NULL ? why_size : sizeof(none);
	why = why != NULL ? why : none;
	why[0] = '\0';
	*bytes = NULL;
	*size = 0;
	err = hvc_plan_make(policy, host, &plan);
	if (err == HVC_OK && plan->refused) {
		say_limits(plan, why, why_size);
		err = HVC_EPERM;
	}
	err = err != HVC_OK ? err : hvc_plan_image(policy, host, &image);
	if (err == HVC_OK) {
		err = plan_views(policy, plan, host, from, &views, &parts.view_count, why,
				 why_size);
	}
	if (err == HVC_OK) {
		parts.plan = plan;
		parts.image = image;
		parts.views = views;
		err = plan_bytes_pack(&parts, bytes, size);
	}
	free(views);
	free(image);
	hvc_plan_free(plan);
	return err != HVC_OK ? fail(err, why, why_size) : HVC_OK;
}
