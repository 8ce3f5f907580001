/* SPDX-License-Identifier: BSD-2-Clause */
#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include <hvcgate/catalog.h>

#include "suggest.h"

#define MAX_WORD 64u

static unsigned int min_of(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

static bool same_letter(char a, char b)
{
	char x = a == '_' ? '-' : a, y = b == '_' ? '-' : b;

	return tolower((unsigned char)x) == tolower((unsigned char)y);
}

/* One row of the optimal string alignment table. */
static void next_row(unsigned int *row, const unsigned int *above, const unsigned int *above2,
		     const char *left, size_t i, const char *right, size_t columns)
{
	row[0] = (unsigned int)i;
	for (size_t j = 1; j <= columns; j++) {
		unsigned int change = same_letter(left[i - 1], right[j - 1]) ? 0 : 1;

		row[j] = min_of(min_of(above[j] + 1, row[j - 1] + 1), above[j - 1] + change);
		if (i > 1 && j > 1 && same_letter(left[i - 1], right[j - 2]) &&
		    same_letter(left[i - 2], right[j - 1])) {
			row[j] = min_of(row[j], above2[j - 2] + 1);
		}
	}
}

unsigned int edit_distance(const char *left, const char *right, unsigned int limit)
{
	unsigned int rows[3][MAX_WORD + 1];
	size_t m = strlen(left), n = strlen(right);

	if (m > MAX_WORD || n > MAX_WORD || (m > n ? m - n : n - m) > limit) {
		return limit + 1;
	}
	for (size_t j = 0; j <= n; j++) {
		rows[0][j] = (unsigned int)j;
	}
	for (size_t i = 1; i <= m; i++) {
		next_row(rows[i % 3], rows[(i + 2) % 3], rows[(i + 1) % 3], left, i, right, n);
	}
	return min_of(rows[m % 3][n], limit + 1);
}

void suggest_begin(struct suggestion *suggestion, const char *wanted)
{
	size_t length = strlen(wanted);

	suggestion->wanted = wanted;
	suggestion->best = NULL;
	suggestion->distance = length < 3   ? 1
			       : length < 6 ? 2
					    : (unsigned int)(length < 48 ? length / 3 : 16);
	suggestion->distance++;
}

void suggest_try(struct suggestion *suggestion, const char *candidate)
{
	unsigned int distance = edit_distance(suggestion->wanted, candidate,
					      suggestion->distance - 1);

	if (distance < suggestion->distance && distance < strlen(candidate)) {
		suggestion->distance = distance;
		suggestion->best = candidate;
	}
}

/* CPU_ON for PSCI_CPU_ON: the name without what the service puts in front. */
static const char *function_by_tail(const char *wanted)
{
	size_t length = strlen(wanted);
	const char *found = NULL;

	for (unsigned int slot = 1; length > 2 && slot < hvc_function_count(); slot++) {
		const char *name = hvc_function_at(slot)->name;
		size_t whole = strlen(name);

		if (whole > length + 1 && name[whole - length - 1] == '_' &&
		    strcasecmp(name + whole - length, wanted) == 0 &&
		    (found == NULL || whole < strlen(found))) {
			found = name;
		}
	}
	return found;
}

const char *suggest_function(const char *wanted)
{
	struct suggestion suggestion;
	const char *tail = function_by_tail(wanted);

	suggest_begin(&suggestion, wanted);
	for (unsigned int slot = 1; slot < hvc_function_count(); slot++) {
		suggest_try(&suggestion, hvc_function_at(slot)->name);
	}
	return tail != NULL && suggestion.distance > 1 ? tail : suggestion.best;
}

const char *suggest_service(const char *wanted)
{
	struct suggestion suggestion;

	suggest_begin(&suggestion, wanted);
	for (unsigned int service = 1; service < HVC_SERVICE_COUNT; service++) {
		suggest_try(&suggestion, hvc_service_name(service));
	}
	return suggestion.best;
}

const char *owner_name_at(size_t index)
{
	static const unsigned char owners[] = {HVC_OWNER_ARCH,       HVC_OWNER_CPU,
					       HVC_OWNER_SIP,        HVC_OWNER_OEM,
					       HVC_OWNER_STD,        HVC_OWNER_STD_HYP,
					       HVC_OWNER_VENDOR_HYP, HVC_OWNER_TRUSTED_APP,
					       HVC_OWNER_TRUSTED_OS};

	return index < sizeof(owners) ? hvc_owner_name(owners[index]) : NULL;
}

const char *suggest_owner(const char *wanted)
{
	struct suggestion suggestion;
	const char *name;

	suggest_begin(&suggestion, wanted);
	for (size_t i = 0; (name = owner_name_at(i)) != NULL; i++) {
		suggest_try(&suggestion, name);
	}
	return suggestion.best;
}

const char *suggest_register(const char *wanted)
{
	struct suggestion suggestion;

	suggest_begin(&suggestion, wanted);
	for (unsigned int reg = 0; reg < HVC_REG_COUNT; reg++) {
		suggest_try(&suggestion, hvc_register_name(reg));
	}
	return suggestion.best;
}
