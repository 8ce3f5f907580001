/* SPDX-License-Identifier: BSD-2-Clause */
/* Is a piece of memory a plan of this build? There is one way to lay a plan out, so that every offset is known and what
 * stands there is only compared. */
#include <string.h>

#include "plan_bytes.h"
#include "uapi.h"

/* --- CRC-32 (IEEE 802.3), with the field that it stands in as 0. */
static uint32_t crc_more(uint32_t crc, const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		crc ^= bytes[i];
		for (unsigned int bit = 0; bit < 8; bit++) {
			crc = crc >> 1 ^ (0xedb88320u & (0u - (crc & 1)));
		}
	}
	return crc;
}

uint32_t plan_bytes_crc(const void *bytes, size_t size)
{
	static const uint8_t zero[sizeof(uint32_t)];
	const size_t at = offsetof(struct plan_header, crc), behind = at + sizeof(zero);
	uint32_t crc = crc_more(UINT32_MAX, bytes, at);

	crc = crc_more(crc, zero, sizeof(zero));
	return ~crc_more(crc, (const uint8_t *)bytes + behind, size - behind);
}

/* --- Layout. */
struct reader {
	const uint8_t *bytes;
	uint64_t size, at; /* where the next section begins */
};

/* NULL: it stands elsewhere, or is not all there. */
static const void *section(struct reader *reader, const struct plan_section *section,
			   size_t element)
{
	const uint64_t offset = reader->at, bytes = (uint64_t)section->count * element;

	if (section->offset != offset || bytes > reader->size - offset) {
		return NULL;
	}
	reader->at = offset + (bytes + 7) / 8 * 8;
	return reader->at <= reader->size ? reader->bytes + offset : NULL;
}

static bool take_sections(struct reader *reader, struct plan_view_of *plan)
{
	const struct plan_header *header = plan->header;

	plan->writes = section(reader, &header->writes, sizeof(*plan->writes));
	if (plan->writes != NULL) {
		plan->filters = section(reader, &header->filters, sizeof(*plan->filters));
	}
	if (plan->filters != NULL) {
		plan->views = section(reader, &header->views, sizeof(*plan->views));
	}
	if (plan->views != NULL) {
		plan->routes = section(reader, &header->routes, sizeof(*plan->routes));
	}
	if (plan->routes != NULL) {
		plan->handlers = section(reader, &header->handlers, sizeof(*plan->handlers));
	}
	if (plan->handlers != NULL) {
		plan->image = section(reader, &header->image, 1);
	}
	return plan->image != NULL && reader->at == reader->size;
}

/* --- What stands in the sections. */
static bool is_text(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

static const char *check_header(const struct plan_header *header)
{
	const uint32_t known = PLAN_TRAVELS | PLAN_FILTERS;

	if ((header->flags & ~known) != 0 ||
	    ((header->flags & PLAN_FILTERS) == 0 && header->filters.count != 0)) {
		return "flags";
	}
	if (!is_text(header->profile, sizeof(header->profile)) ||
	    !is_text(header->kernel, sizeof(header->kernel)) ||
	    !is_text(header->policy, sizeof(header->policy))) {
		return "names";
	}
	for (unsigned int slot = 0; slot < 64 * HVC_FN_WORDS; slot++) {
		if ((slot == 0 || slot >= HVC_FN_COUNT) &&
		    (header->revocable[slot / 64] >> slot % 64 & 1) != 0) {
			return "revocable functions";
		}
	}
	return NULL;
}

/* KVM's classes of feature registers, of 64 bits. */
static bool is_feature_register(uint64_t id)
{
	const uint64_t class = id & ~(uint64_t)0xffff;

	return class == 0x6030000000140000ull || class == 0x6030000000160000ull;
}

static bool writes_fine(const struct plan_view_of *plan)
{
	for (uint32_t i = 0; i < plan->header->writes.count; i++) {
		if (!is_feature_register(plan->writes[i].id)) {
			return false;
		}
	}
	return true;
}

static bool is_reserved(uint32_t first, uint32_t last)
{
	const struct hvc_range *ranges;
	const unsigned int count = hvc_reserved_ranges(&ranges);

	for (unsigned int i = 0; i < count; i++) {
		if (first <= ranges[i].last && last >= ranges[i].first) {
			return true;
		}
	}
	return false;
}

static bool filters_fine(const struct plan_view_of *plan)
{
	uint64_t free_from = 0;

	for (uint32_t i = 0; i < plan->header->filters.count; i++) {
		const struct plan_filter *filter = &plan->filters[i];
		const uint64_t last = (uint64_t)filter->base + filter->count - 1;

		if (filter->count == 0 || filter->base < free_from || last > UINT32_MAX ||
		    is_reserved(filter->base, (uint32_t)last) || filter->reserved != 0 ||
		    (filter->action != HVC_DENY && filter->action != HVC_FORWARD)) {
			return false;
		}
		free_from = last + 1;
	}
	return true;
}

/* arm64's, of 32 or 64 bits where a value is shown, and none of those that travel. */
static bool view_fine(const struct plan_view *view)
{
	const unsigned int size = (unsigned int)(view->id >> 52 & 15);

	if (view->id >> 56 != 0x60 || (view->id & ~(uint64_t)0xffff) == UAPI_TRAVEL_BASE ||
	    view->kind > PLAN_HELD || view->feature > 32 * 7) {
		return false;
	}
	return view->kind == PLAN_HIDE ? view->value == 0
				       : size == 3 || (size == 2 && view->value <= UINT32_MAX);
}

static bool views_fine(const struct plan_view_of *plan)
{
	for (uint32_t i = 0; i < plan->header->views.count; i++) {
		if (!view_fine(&plan->views[i]) ||
		    (i != 0 && plan->views[i].id <= plan->views[i - 1].id)) {
			return false;
		}
	}
	return true;
}

static bool routes_fine(const struct plan_view_of *plan)
{
	uint64_t free_from = 0;

	for (uint32_t i = 0; i < plan->header->routes.count; i++) {
		const struct plan_route *route = &plan->routes[i];

		if (route->first < free_from || route->last < route->first ||
		    route->handler >= plan->header->handlers.count || route->reserved != 0) {
			return false;
		}
		free_from = (uint64_t)route->last + 1;
	}
	return true;
}

static bool handlers_fine(const struct plan_view_of *plan)
{
	for (uint32_t i = 0; i < plan->header->handlers.count; i++) {
		const struct plan_handler *handler = &plan->handlers[i];

		if (!is_text(handler->name, sizeof(handler->name)) || handler->name[0] == '\0' ||
		    !is_text(handler->socket, sizeof(handler->socket)) ||
		    handler->on_timeout > PLAN_POWER_OFF) {
			return false;
		}
	}
	return true;
}

static const char *check_content(const struct plan_view_of *plan)
{
	const char *wrong = check_header(plan->header);

	if (wrong != NULL) {
		return wrong;
	}
	return !writes_fine(plan)     ? "registers"
	       : !filters_fine(plan)  ? "filter ranges"
	       : !views_fine(plan)    ? "views of registers"
	       : !routes_fine(plan)   ? "routes"
	       : !handlers_fine(plan) ? "handlers"
				      : NULL;
}

/* --- All of it. */
/* The first fields have their places in every build. */
static enum hvc_err check_build(const struct plan_header *header, size_t size, const char **what)
{
	if (size < offsetof(struct plan_header, policy_sha256)) {
		*what = "truncated";
		return HVC_EBADMSG;
	}
	if (header->magic != PLAN_BYTES_MAGIC) {
		*what = "no plan";
		return HVC_EBADMSG;
	}
	if (header->format != PLAN_BYTES_FORMAT || header->functions != HVC_FN_COUNT) {
		*what = "made by another version of hvcgate";
		return HVC_ENOTSUP;
	}
	if (size < sizeof(*header) || header->size != size || size > PLAN_BYTES_MAX) {
		*what = "size";
		return HVC_EBADMSG;
	}
	if (header->crc != plan_bytes_crc(header, size)) {
		*what = "checksum";
		return HVC_EBADMSG;
	}
	return HVC_OK;
}

enum hvc_err plan_bytes_check(const void *bytes, size_t size, struct plan_view_of *plan,
			      const char **what)
{
	struct reader reader = {.bytes = bytes, .size = size, .at = sizeof(struct plan_header)};
	struct plan_view_of found = {.header = bytes};
	const char *ignored;
	enum hvc_err err;

	what = what != NULL ? what : &ignored;
	*what = "";
	if (bytes == NULL || plan == NULL || ((uintptr_t)bytes & 7) != 0) {
		*what = "address";
		return HVC_EFAULT;
	}
	err = check_build(bytes, size, what);
	if (err != HVC_OK) {
		return err;
	}
	if (!take_sections(&reader, &found)) {
		*what = "sections";
		return HVC_EBADMSG;
	}
	*what = check_content(&found);
	if (*what != NULL) {
		return HVC_EBADMSG;
	}
	*what = "image";
	err = hvc_image_check(found.image, found.header->image.count);
	if (err == HVC_OK &&
	    (found.image->bytes != found.header->image.count ||
	     memcmp(found.image->settings.policy_sha256, found.header->policy_sha256,
		    sizeof(found.header->policy_sha256)) != 0)) {
		err = HVC_EBADMSG;
	}
	if (err == HVC_OK) {
		*what = "";
		*plan = found;
	}
	return err;
}
