/* SPDX-License-Identifier: BSD-2-Clause */
/* The small languages inside a policy's values. Each takes text and says whether it is one. */
#ifndef HVCGATE_POLICY_VALUES_H
#define HVCGATE_POLICY_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "1.2": two small decimal numbers, as HVC_VERSION. */
bool parse_version(const char *text, uint32_t *version);
/* 12 or 0x0c. */
bool parse_number(const char *text, uint64_t *value);
/* 0x82000000-0x8200ffff, or one ID; hex only; first <= last is the caller's to check. */
bool parse_id_range(const char *text, uint32_t *first, uint32_t *last);
/* on, off (true, false: JSON). */
bool parse_switch(const char *text, bool *on);
/* not-available, available, not-required: 0, 1, 2. */
bool parse_level(const char *text, uint32_t *level);
const char *level_name(uint32_t level);
/* 28b46fb6-2ec5-11e9-a9ca-4b564d003a74, as the four words the UID call returns (DEN0028, 6.2). */
bool parse_uuid(const char *text, uint32_t words[4]);
void format_uuid(const uint32_t words[4], char text[37]);
/* 100ms or 2s; 1 ms to an hour. */
bool parse_duration(const char *text, uint32_t *milliseconds);
/* 20us, 3ms or 1s; at most an hour. */
bool parse_microseconds(const char *text, uint32_t *microseconds);
/* yes, no (true, false: JSON). */
bool parse_yes(const char *text, bool *yes);
/* Printable ASCII, at most `max` characters. */
bool is_printable(const char *text, size_t max);

#endif
