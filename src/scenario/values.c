/* SPDX-License-Identifier: BSD-2-Clause */
/* Words of a scenario that stand for a number, a function, a range, a profile. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../policy/suggest.h"
#include "parse.h"

#define MAX_MPIDR 511u

bool parse_plain(const char *text, uint64_t *value)
{
	bool negative = text[0] == '-';
	const char *digits = text + negative;
	int base = digits[0] == '0' && digits[1] == 'x' ? 16 : 10;
	char *end;

	if (base == 16 ? !isxdigit((unsigned char)digits[2]) : !isdigit((unsigned char)digits[0])) {
		return false;
	}
	errno = 0;
	*value = strtoull(digits, &end, base);
	if (errno != 0 || *end != '\0' || (negative && *value > 1ull << 63)) {
		return false;
	}
	*value = negative ? 0 - *value : *value;
	return true;
}

/* entry(1), mpidr(1): the number in brackets; false if it is not that. */
static bool labelled(const char *text, const char *name, uint64_t *value)
{
	size_t length = strlen(name), whole = strlen(text);
	char digits[24];

	if (strncmp(text, name, length) != 0 || text[length] != '(' || text[whole - 1] != ')' ||
	    whole - length - 2 >= sizeof(digits)) {
		return false;
	}
	memcpy(digits, text + length + 1, whole - length - 2);
	digits[whole - length - 2] = '\0';
	return isdigit((unsigned char)digits[0]) && parse_plain(digits, value);
}

bool parse_function(struct parser *parser, const struct word *word, const char *text, uint32_t *id)
{
	const char *slash = strchr(text, '/'), *near;
	const struct hvc_function *function;
	char name[80];

	if ((slash != NULL ? (size_t)(slash - text) : strlen(text)) >= sizeof(name)) {
		return parse_error(parser, word, "no function has such a long name");
	}
	memcpy(name, text, slash != NULL ? (size_t)(slash - text) : strlen(text) + 1);
	if (slash != NULL) {
		name[slash - text] = '\0';
	}
	function = hvc_function_at(hvc_function_by_name(name));
	if (function == NULL) {
		near = suggest_function(name);
		return parse_error(parser, word, "unknown function '%s'%s%s%s", name,
				   near != NULL ? "; did you mean "
						: "; write a name such as PSCI_CPU_ON or a number",
				   near != NULL ? near : "", near != NULL ? "?" : "");
	}
	if (slash != NULL && strcmp(slash, "/32") != 0 && strcmp(slash, "/64") != 0) {
		return parse_error(parser, word, "behind '%s/' stands 32 or 64, not '%s'", name,
				   slash + 1);
	}
	*id = slash == NULL     ? function->id64 != 0 ? function->id64 : function->id32
	      : slash[1] == '3' ? function->id32
				: function->id64;
	return *id != 0 || parse_error(parser, word, "%s has no %s-bit ID", name,
				       slash != NULL ? slash + 1 : "");
}

struct word parse_part(const struct word *word, const char *text)
{
	return (struct word){.text = text,
			     .column = word->column + (unsigned int)(text - word->text)};
}

bool parse_value(struct parser *parser, const struct word *word, const char *what, uint64_t *value)
{
	const char *text = word->text;
	uint32_t id = 0;

	if (parse_plain(text, value)) {
		return true;
	}
	if (labelled(text, "entry", value)) {
		if (*value >= SCN_CPUS) {
			return parse_error(parser, word, "%s: entry(n) is of CPU 0 to %d, not %s",
					   what, SCN_CPUS - 1, text);
		}
		*value = SCN_ENTRY_ADDRESS(*value);
		return true;
	}
	if (labelled(text, "mpidr", value)) {
		if (*value > MAX_MPIDR) {
			return parse_error(parser, word, "%s: mpidr(n) is of CPU 0 to %u, not %s",
					   what, MAX_MPIDR, text);
		}
		*value = *value / 16 << 8 | *value % 16;
		return true;
	}
	if (isupper((unsigned char)text[0])) {
		if (!parse_function(parser, word, text, &id)) {
			return false;
		}
		*value = id;
		return true;
	}
	return parse_error(
		parser, word,
		"%s: '%s' is no value; write decimal, -1, 0x hex up to 64 bits, the name of a function, "
		"entry(1) or mpidr(1)",
		what, text);
}

bool parse_limited(struct parser *parser, const struct word *word, const char *what, uint64_t most,
		   uint64_t *value)
{
	if (!parse_value(parser, word, what, value)) {
		return false;
	}
	return *value <= most || parse_error(parser, word, "%s is at most 0x%llx, not '%s'", what,
					     (unsigned long long)most, word->text);
}

bool parse_action(struct parser *parser, const struct word *word, enum hvc_action *action)
{
	struct suggestion suggestion;

	suggest_begin(&suggestion, word->text);
	for (int i = HVC_HANDLE; i <= HVC_NOTIFY; i++) {
		*action = (enum hvc_action)i;
		if (strcmp(word->text, hvc_action_name(*action)) == 0) {
			return true;
		}
		suggest_try(&suggestion, hvc_action_name(*action));
	}
	if (suggestion.best != NULL) {
		return parse_error(parser, word, "'%s' is no action; did you mean %s?", word->text,
				   suggestion.best);
	}
	return parse_error(
		parser, word,
		"'%s' is no action: it is handle, deny, forward or notify; filterraw takes others",
		word->text);
}

bool parse_conduit(struct parser *parser, const struct word *word, enum hvc_conduit *conduit)
{
	*conduit = word->text[0] == 'h' ? HVC_CONDUIT_HVC : HVC_CONDUIT_SMC;
	return strcmp(word->text, "hvc") == 0 || strcmp(word->text, "smc") == 0 ||
	       parse_error(parser, word, "'%s' is no conduit: it is hvc or smc", word->text);
}

bool parse_register(const char *text, unsigned int *reg, const char **value)
{
	char *end;

	if (text[0] != 'x' || !isdigit((unsigned char)text[1])) {
		return false;
	}
	*reg = (unsigned int)strtoul(text + 1, &end, 10);
	*value = end + 1;
	return *end == '=' && end - text <= 3;
}

bool parse_range(struct parser *parser, const struct word *word, uint64_t *first, uint64_t *last)
{
	const char *dash = strchr(word->text, '-');
	char text[32];

	if (dash == NULL || (size_t)(dash - word->text) >= sizeof(text)) {
		return parse_error(parser, word, "'%s' is no range; write 0x84000000-0x8400001f",
				   word->text);
	}
	memcpy(text, word->text, (size_t)(dash - word->text));
	text[dash - word->text] = '\0';
	if (!parse_plain(text, first) || !parse_plain(dash + 1, last) || *first > *last ||
	    *last > 0xffffffffu) {
		return parse_error(parser, word,
				   "'%s' is no range of function IDs; write 0x84000000-0x8400001f",
				   word->text);
	}
	return true;
}

/* --- Profiles. */
bool scn_profile_order(const char *name, uint32_t *order)
{
	unsigned long major, minor;
	char *end;

	*order = 0;
	if (strncmp(name, "hvcgate-", 8) == 0 && isdigit((unsigned char)name[8])) {
		major = strtoul(name + 8, &end, 10);
		*order = (uint32_t)(major - 1);
		return (*end == '\0' || *end == '@') && major >= 1 && major <= HVC_PROFILE_NEWEST;
	}
	if (strncmp(name, "linux-", 6) != 0 || !isdigit((unsigned char)name[6])) {
		return false;
	}
	major = strtoul(name + 6, &end, 10);
	if (*end != '.' || !isdigit((unsigned char)end[1])) {
		return false;
	}
	minor = strtoul(end + 1, &end, 10);
	*order = (uint32_t)(major * 1000 + minor);
	return (*end == '\0' || *end == '@') && major >= 4 && major < 100 && minor < 100;
}

bool scn_range_has(const struct scn_range *range, const struct abi_profile *profile)
{
	uint32_t order;

	if (range->exact) {
		return range->profile == profile;
	}
	if (!scn_profile_order(abi_profile_name(profile), &order)) {
		return false;
	}
	/* Ranges are of kernels: ours are in one that has one of them for an end. */
	if (order < SCN_KERNELS && !(range->from_said && range->from < SCN_KERNELS) &&
	    range->to >= SCN_KERNELS) {
		return false;
	}
	return order >= range->from && order <= range->to;
}

static bool unknown_profile(struct parser *parser, const struct word *word, const char *name)
{
	const struct abi_profile *profile;
	struct suggestion suggestion;

	suggest_begin(&suggestion, name);
	for (size_t i = 0; (profile = abi_profile_at(i)) != NULL; i++) {
		suggest_try(&suggestion, abi_profile_name(profile));
	}
	return parse_error(parser, word, "unknown profile '%s'; %s%s%s", name,
			   suggestion.best != NULL ? "did you mean "
						   : "write one such as linux-6.12 or hvcgate-2",
			   suggestion.best != NULL ? suggestion.best : "",
			   suggestion.best != NULL ? "?" : "");
}

/* An end of a range may be any kernel: what it is about need not have been measured. */
static bool range_end(struct parser *parser, const struct word *word, const char *text,
		      size_t length, uint32_t *order)
{
	char name[40];

	if (length >= sizeof(name)) {
		return parse_error(parser, word, "no profile has such a long name");
	}
	memcpy(name, text, length);
	name[length] = '\0';
	if (strchr(name, '@') != NULL) {
		return parse_error(parser, word,
				   "a range of profiles has no revisions: write '%.*s' without @",
				   (int)strcspn(name, "@"), name);
	}
	return scn_profile_order(name, order) || unknown_profile(parser, word, name);
}

bool parse_profiles(struct parser *parser, const struct word *word, const char *text,
		    struct scn_range *range)
{
	const char *dots = strstr(text, "..");

	*range = (struct scn_range){.to = UINT32_MAX};
	if (dots == NULL) {
		range->profile = abi_profile_find(text);
		range->from_said = true;
		range->exact = strchr(text, '@') != NULL;
		if (range->profile == NULL || !scn_profile_order(text, &range->from)) {
			return unknown_profile(parser, word, text);
		}
		range->to = range->from;
		return true;
	}
	range->from_said = dots != text;
	if (range->from_said &&
	    !range_end(parser, word, text, (size_t)(dots - text), &range->from)) {
		return false;
	}
	if (dots[2] != '\0' && !range_end(parser, word, dots + 2, strlen(dots + 2), &range->to)) {
		return false;
	}
	if (strcmp(text, "..") == 0) {
		return parse_error(parser, word, "'..' is every kernel: leave it out");
	}
	return range->from <= range->to ||
	       parse_error(parser, word, "'%s' goes backwards: the older kernel comes first", text);
}
