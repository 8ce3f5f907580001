/* SPDX-License-Identifier: BSD-2-Clause */
/* Decompression of kernels, by the libraries; bounded, because the input is anybody's. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "run.h"

#define CHUNK ((size_t)4 << 20)

struct output {
	uint8_t *data;
	size_t bytes, room, limit;
};

static const char too_big[] = "unpacks to more than the guest's memory";
static const char cut_short[] = "ends before its compressed data does: it is truncated";

/* Room for at least one more byte; false at the limit. */
static bool grow(struct output *out)
{
	if (out->bytes < out->room) {
		return true;
	}
	if (out->room == out->limit) {
		return false;
	}
	out->room = out->limit - out->room < CHUNK ? out->limit : out->room + CHUNK;
	out->data = run_realloc(out->data, out->room);
	return true;
}

static const char *unpack_gzip(const uint8_t *in, size_t bytes, struct output *out)
{
	z_stream stream = {0};
	const char *why = NULL;
	int status = Z_OK;

	if (bytes > UINT_MAX) {
		return too_big;
	}
	if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) {
		return "cannot be unpacked: zlib does not start";
	}
	stream.next_in = (z_const Bytef *)(uintptr_t)in;
	stream.avail_in = (uInt)bytes;
	while (why == NULL && status != Z_STREAM_END) {
		size_t room;

		if (!grow(out)) {
			why = too_big;
			break;
		}
		room = out->room - out->bytes < CHUNK ? out->room - out->bytes : CHUNK;
		stream.next_out = out->data + out->bytes;
		stream.avail_out = (uInt)room;
		status = inflate(&stream, Z_NO_FLUSH);
		out->bytes += room - stream.avail_out;
		if (status == Z_BUF_ERROR ||
		    (status == Z_OK && stream.avail_in == 0 && stream.avail_out > 0)) {
			why = cut_short;
		} else if (status != Z_OK && status != Z_STREAM_END) {
			why = "has damaged gzip data";
		}
	}
	inflateEnd(&stream);
	return why;
}

static const char *unpack_zstd(const uint8_t *in, size_t bytes, struct output *out)
{
	ZSTD_DStream *stream = ZSTD_createDStream();
	ZSTD_inBuffer source = {in, bytes, 0};
	const char *why = NULL;
	size_t hint = 1;

	while (stream != NULL && why == NULL && hint != 0) {
		ZSTD_outBuffer sink;
		size_t had_in = source.pos;

		if (!grow(out)) {
			why = too_big;
			break;
		}
		sink = (ZSTD_outBuffer){out->data + out->bytes, out->room - out->bytes, 0};
		hint = ZSTD_decompressStream(stream, &sink, &source);
		out->bytes += sink.pos;
		if (ZSTD_isError(hint)) {
			why = "has damaged zstd data";
		} else if (hint != 0 && source.pos == had_in && sink.pos == 0) {
			why = cut_short;
		}
	}
	if (stream == NULL) {
		why = "cannot be unpacked: zstd does not start";
	}
	ZSTD_freeDStream(stream);
	return why;
}

static const char *unpack_lzma(const uint8_t *in, size_t bytes, bool xz, struct output *out)
{
	lzma_stream stream = LZMA_STREAM_INIT;
	lzma_ret status = xz ? lzma_stream_decoder(&stream, (uint64_t)512 << 20, 0)
			     : lzma_alone_decoder(&stream, (uint64_t)512 << 20);
	const char *why = status == LZMA_OK ? NULL : "cannot be unpacked: liblzma does not start";

	stream.next_in = in;
	stream.avail_in = bytes;
	while (why == NULL && status != LZMA_STREAM_END) {
		if (!grow(out)) {
			why = too_big;
			break;
		}
		stream.next_out = out->data + out->bytes;
		stream.avail_out = out->room - out->bytes;
		status = lzma_code(&stream, LZMA_RUN);
		out->bytes = out->room - stream.avail_out;
		if (status == LZMA_BUF_ERROR ||
		    (status == LZMA_OK && stream.avail_in == 0 && stream.avail_out > 0)) {
			why = cut_short;
		} else if (status != LZMA_OK && status != LZMA_STREAM_END) {
			why = xz ? "has damaged xz data" : "has damaged lzma data";
		}
	}
	lzma_end(&stream);
	return why;
}

const char *run_unpack(enum run_packing packing, const uint8_t *in, size_t bytes, size_t limit,
		       uint8_t **out, size_t *out_bytes)
{
	struct output output = {.limit = limit};
	const char *why = NULL;

	switch (packing) {
	case RUN_GZIP:
		why = unpack_gzip(in, bytes, &output);
		break;
	case RUN_ZSTD:
		why = unpack_zstd(in, bytes, &output);
		break;
	case RUN_XZ:
	case RUN_LZMA:
		why = unpack_lzma(in, bytes, packing == RUN_XZ, &output);
		break;
	}
	if (why != NULL) {
		free(output.data);
		return why;
	}
	*out = output.data;
	*out_bytes = output.bytes;
	return NULL;
}
