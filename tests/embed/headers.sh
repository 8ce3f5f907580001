#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# usage: headers.sh INCLUDE
# Each public header compiles by itself, as C11 and C++17, without a warning; none has what a binding of another
# language cannot read.
set -eu
include=$1 passed=0 failed=0
strict=(-Wall -Wextra -Wconversion -Werror -pedantic -fsyntax-only)

# compile COMPILER LANGUAGE STANDARD TEXT
compile() {
	command -v "$1" >/dev/null || return 0
	if printf '%s\nint something;\n' "$4" | "$1" -x "$2" -std="$3" "${strict[@]}" -I "$include" -; then
		passed=$((passed + 1))
	else
		printf 'FAILED with %s -std=%s: %s\n' "$1" "$3" "$4" >&2
		failed=$((failed + 1))
	fi
}

all=''
for header in "$include"/hvcgate/*.h; do
	line="#include <hvcgate/$(basename "$header")>"
	all+=$line$'\n'
	for compiler in gcc clang; do
		compile "$compiler" c c11 "$line"
	done
	for compiler in g++ clang++; do
		compile "$compiler" c++ c++17 "$line"
	done
	# Comments and catalog.def's rows aside.
	if cc -fpreprocessed -dD -E -P -x c "$header" 2>/dev/null |
		grep -nE '\b(inline|_Generic|_Static_assert|static)\b|[A-Za-z0-9_] *: *[0-9]+ *;'; then
		printf 'FAILED: %s has a bitfield, or code\n' "$header" >&2
		failed=$((failed + 1))
	else
		passed=$((passed + 1))
	fi
done
compile g++ c++ c++17 "$all"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -ge 20 ]
