/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages as bytes: one description of each, for both directions. */
#include <string.h>

#include <hvcgate/handler.h>

#define MAGIC      0x48435648u /* "HVCH" */
#define HEAD_BYTES 16u

/* Where we are in a packet: fields are put there, or taken from there. */
struct wire {
	uint8_t *put;       /* NULL: take */
	const uint8_t *get; /* then */
	size_t at, size;
	bool bad;
};

static void bytes(struct wire *wire, void *value, size_t count)
{
	if (wire->bad || wire->size - wire->at < count) {
		wire->bad = true;
		return;
	}
	if (wire->put != NULL) {
		memcpy(wire->put + wire->at, value, count);
	} else {
		memcpy(value, wire->get + wire->at, count);
	}
	wire->at += count;
}

static uint64_t number(struct wire *wire, uint64_t value, size_t count)
{
	uint8_t text[8];
	uint64_t taken = 0;

	for (size_t i = 0; i < sizeof(text); i++) {
		text[i] = (uint8_t)(value >> 8 * i);
	}
	bytes(wire, text, count);
	for (size_t i = 0; i < count && !wire->bad; i++) {
		taken |= (uint64_t)text[i] << 8 * i;
	}
	return taken;
}

static void u64(struct wire *wire, uint64_t *value)
{
	*value = number(wire, *value, 8);
}

static void u32(struct wire *wire, uint32_t *value)
{
	*value = (uint32_t)number(wire, *value, 4);
}

static void u16(struct wire *wire, uint16_t *value)
{
	*value = (uint16_t)number(wire, *value, 2);
}

static void u8(struct wire *wire, uint8_t *value)
{
	*value = (uint8_t)number(wire, *value, 1);
}

static void want(struct wire *wire, bool good)
{
	wire->bad = wire->bad || !good;
}

static void zero(struct wire *wire, size_t count)
{
	want(wire, number(wire, 0, count) == 0);
}

static void frame(struct wire *wire, struct hvc_frame *value)
{
	for (unsigned int i = 0; i < HVC_FRAME_REGS; i++) {
		u64(wire, &value->x[i]);
	}
}

/* Printable, ends, and nothing stands behind the end. */
static bool is_name(const char *name, size_t size)
{
	bool ended = false;

	for (size_t i = 0; i < size; i++) {
		if (ended ? name[i] != '\0'
			  : name[i] != '\0' && (name[i] < 0x20 || name[i] > 0x7e)) {
			return false;
		}
		ended = ended || name[i] == '\0';
	}
	return ended;
}

static void hello(struct wire *wire, struct hvc_handler_hello *value)
{
	bytes(wire, value->policy_sha256, sizeof(value->policy_sha256));
	bytes(wire, value->name, sizeof(value->name));
	u64(wire, &value->seen);
	want(wire, is_name(value->name, sizeof(value->name)));
}

static void request(struct wire *wire, struct hvc_handler_request *value)
{
	u64(wire, &value->sequence);
	u32(wire, &value->vm);
	u32(wire, &value->vcpu);
	u32(wire, &value->id);
	u16(wire, &value->immediate);
	u8(wire, &value->conduit);
	u8(wire, &value->arg_count);
	u32(wire, &value->timeout_ms);
	zero(wire, 4);
	frame(wire, &value->frame);
	want(wire, value->sequence != 0 && value->conduit <= HVC_CONDUIT_SMC &&
			   value->arg_count <= HVC_ARGS_MAX);
}

static void reply(struct wire *wire, struct hvc_handler_reply *value)
{
	u64(wire, &value->sequence);
	u32(wire, &value->mask);
	u32(wire, &value->status);
	frame(wire, &value->frame);
	want(wire, value->sequence != 0 && value->mask <= HVC_X0_X17 &&
			   value->status <= HVC_HANDLER_FAILED);
}

static void cancel(struct wire *wire, struct hvc_handler_cancel *value)
{
	u64(wire, &value->sequence);
	u32(wire, &value->reason);
	zero(wire, 4);
	want(wire, value->sequence != 0 && value->reason == HVC_HANDLER_TIMED_OUT);
}

static void event(struct wire *wire, struct hvc_handler_event *value)
{
	u64(wire, &value->sequence);
	u32(wire, &value->vm);
	u32(wire, &value->vcpu);
	u32(wire, &value->id);
	u8(wire, &value->conduit);
	u8(wire, &value->verdict);
	zero(wire, 2);
	for (unsigned int i = 0; i < HVC_EVENT_REGS; i++) {
		u64(wire, &value->args[i]);
	}
	for (unsigned int i = 0; i < HVC_EVENT_REGS; i++) {
		u64(wire, &value->results[i]);
	}
	want(wire, value->sequence != 0 && value->conduit <= HVC_CONDUIT_SMC &&
			   value->verdict < HVC_VERDICT_COUNT);
}

static void body(struct wire *wire, struct hvc_handler_message *message)
{
	switch (message->type) {
	case HVC_HANDLER_HELLO:
		hello(wire, &message->u.hello);
		break;
	case HVC_HANDLER_REQUEST:
		request(wire, &message->u.request);
		break;
	case HVC_HANDLER_REPLY:
		reply(wire, &message->u.reply);
		break;
	case HVC_HANDLER_CANCEL:
		cancel(wire, &message->u.cancel);
		break;
	case HVC_HANDLER_EVENT:
		event(wire, &message->u.event);
		break;
	default:
		wire->bad = true;
	}
}

struct head {
	uint32_t magic, size;
	uint16_t version, type;
};

static void head(struct wire *wire, struct head *value)
{
	u32(wire, &value->magic);
	u16(wire, &value->version);
	u16(wire, &value->type);
	u32(wire, &value->size);
	zero(wire, 4);
}

size_t hvc_handler_encode(const struct hvc_handler_message *message,
			  uint8_t packet[HVC_HANDLER_MAX])
{
	struct wire wire = {.put = packet, .at = HEAD_BYTES, .size = HVC_HANDLER_MAX};
	struct hvc_handler_message copy;
	struct head start = {.magic = MAGIC, .version = HVC_HANDLER_VERSION};
	size_t size;

	if (message == NULL || packet == NULL || message->type > HVC_HANDLER_EVENT) {
		return 0;
	}
	copy = *message;
	body(&wire, &copy);
	size = wire.at;
	start.type = (uint16_t)message->type;
	start.size = (uint32_t)size;
	wire.at = 0;
	head(&wire, &start);
	return wire.bad ? 0 : size;
}

enum hvc_err hvc_handler_decode(const void *packet, size_t size,
				struct hvc_handler_message *message)
{
	struct wire wire = {.get = packet, .size = size};
	struct head start = {0};

	if (packet == NULL || message == NULL) {
		return HVC_EFAULT;
	}
	memset(message, 0, sizeof(*message));
	head(&wire, &start);
	if (wire.bad || start.magic != MAGIC) {
		return HVC_EBADMSG;
	}
	if (start.version != HVC_HANDLER_VERSION) {
		return HVC_ENOTSUP;
	}
	message->type = start.type;
	body(&wire, message);
	return wire.bad || start.size != size || wire.at != size ? HVC_EBADMSG : HVC_OK;
}
